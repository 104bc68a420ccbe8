-- Households and what hangs on their walls, as the hall's registers say.

create table household (
    household_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    account text not null,
    holder text not null,
    address text not null,
    phone text not null,
    latitude real,
    longitude real,
    access text not null,
    unique (hall_id, account)
) strict;

create table household_group (
    household_id blob not null references household (household_id),
    member_of text not null,
    primary key (household_id, member_of)
) strict;

create table meter (
    meter_id blob primary key not null,
    household_id blob not null references household (household_id),
    serial text not null,
    size text not null,
    digits integer not null
) strict;

create index meter_by_household on meter (household_id);

create table past_reading (
    meter_id blob not null references meter (meter_id),
    read_on text not null,
    -- Litres.
    register integer not null,
    primary key (meter_id, read_on)
) strict;

create table hose (
    hose_id blob primary key not null,
    household_id blob not null references household (household_id),
    kind text not null,
    length_mm integer not null,
    installed_on text not null
) strict;

create index hose_by_household on hose (household_id);

create table replacement (
    -- The hose put in.
    hose_id blob primary key not null,
    household_id blob not null references household (household_id),
    job_id blob,
    replaced_on text not null,
    free integer not null
) strict;

create index replacement_by_household on replacement (household_id);

create table rule_pack (
    pack_id text primary key not null,
    -- SHA-256 of the text.
    hash blob not null,
    toml text not null,
    added_at integer not null
) strict;
