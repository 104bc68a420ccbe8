-- Who did what, in a chain in which each entry's hash covers the one before.

create table audit_entry (
    entry_id uuid primary key not null,
    at bigint not null,
    -- Nil for nobody's hall: a log-in that nobody has.
    hall_id uuid not null,
    -- Null for who did not sign in, and for the server itself.
    user_id uuid,
    device_id uuid,
    via text not null,
    what text not null,
    subject_kind text,
    subject_id uuid,
    subject_name text,
    -- JSON as it was hashed.
    detail text not null,
    -- Its place in the chain and its hash, which covers the one before; null until it is sealed.
    number bigint unique,
    hash bytea
);

create index audit_entry_by_hall on audit_entry (hall_id, at, entry_id);
create index audit_entry_by_time on audit_entry (at);
create index audit_entry_unsealed on audit_entry (at, entry_id) where number is null;

create table audit_chain (
    chain_id bigint primary key not null check (chain_id = 1),
    next_number bigint not null,
    last_hash bytea not null,
    -- Entries before this one are over; the hash that it rests on.
    first_number bigint not null,
    first_hash bytea not null
);
