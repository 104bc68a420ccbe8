-- Who did what, in a chain in which each entry's hash covers the one before.

create table audit_entry (
    entry_id blob primary key not null,
    at integer not null,
    -- Nil for nobody's hall: a log-in that nobody has.
    hall_id blob not null,
    -- Null for who did not sign in, and for the server itself.
    user_id blob,
    device_id blob,
    via text not null,
    what text not null,
    subject_kind text,
    subject_id blob,
    subject_name text,
    -- JSON as it was hashed.
    detail text not null,
    -- Its place in the chain and its hash, which covers the one before; null until it is sealed.
    number integer unique,
    hash blob
) strict;

create index audit_entry_by_hall on audit_entry (hall_id, at, entry_id);
create index audit_entry_by_time on audit_entry (at);
create index audit_entry_unsealed on audit_entry (at, entry_id) where number is null;

create table audit_chain (
    chain_id integer primary key not null check (chain_id = 1),
    next_number integer not null,
    last_hash blob not null,
    -- Entries before this one are over; the hash that it rests on.
    first_number integer not null,
    first_hash blob not null
) strict;
