-- How much a phone handed in within a day, and further secrets for the hall's seals.

create index change_by_device on change (device_id, received_at);

create table seal_key (
    seal_key_id uuid primary key not null,
    secret bytea not null,
    made_at bigint not null,
    -- A verified backup has it: from then on it seals, for a hall restored from that backup knows it.
    covered_at bigint
);
