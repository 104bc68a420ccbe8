-- Households and what hangs on their walls, as the hall's registers say.

create table household (
    household_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    account text not null,
    holder text not null,
    address text not null,
    phone text not null,
    latitude double precision,
    longitude double precision,
    access text not null,
    unique (hall_id, account)
);

create table household_group (
    household_id uuid not null references household (household_id),
    member_of text not null,
    primary key (household_id, member_of)
);

create table meter (
    meter_id uuid primary key not null,
    household_id uuid not null references household (household_id),
    serial text not null,
    size text not null,
    digits bigint not null
);

create index meter_by_household on meter (household_id);

create table past_reading (
    meter_id uuid not null references meter (meter_id),
    read_on text not null,
    -- Litres.
    register bigint not null,
    primary key (meter_id, read_on)
);

create table hose (
    hose_id uuid primary key not null,
    household_id uuid not null references household (household_id),
    kind text not null,
    length_mm bigint not null,
    installed_on text not null
);

create index hose_by_household on hose (household_id);

create table replacement (
    -- The hose put in.
    hose_id uuid primary key not null,
    household_id uuid not null references household (household_id),
    job_id uuid,
    replaced_on text not null,
    free boolean not null
);

create index replacement_by_household on replacement (household_id);

create table rule_pack (
    pack_id text primary key not null,
    -- SHA-256 of the text.
    hash bytea not null,
    toml text not null,
    added_at bigint not null
);
