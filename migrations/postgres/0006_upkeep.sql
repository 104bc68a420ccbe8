-- What the server notes of its own upkeep: verified backups, what was pruned, the last time that was known.

create table backup (
    backup_id uuid primary key not null,
    -- The moment of which it tells.
    made_at bigint not null,
    -- When it had been read back whole.
    verified_at bigint not null,
    folder text not null,
    row_count bigint not null,
    size_bytes bigint not null
);

create index backup_by_age on backup (made_at);

create table live_floor (
    hall_id uuid primary key not null references hall (hall_id),
    -- Live events up to here may have been deleted.
    position bigint not null
);

create table clock_seen (
    clock_seen_id bigint primary key not null check (clock_seen_id = 1),
    -- The latest time that a server on this database knew, to the minute.
    seen_at bigint not null
);
