-- Outages as they are announced, prolonged, ended or called off, and which household was told how and when (B13).

-- Roads, buildings and accounts, as JSON.
alter table outage add column picks text not null default '{}';
-- By when households were promised to be told (B13).
alter table outage add column due_at integer not null default 0;
alter table outage add column announced_at integer;
alter table outage add column announced_by blob;
-- Why the promise was broken knowingly.
alter table outage add column why text not null default '';
alter table outage add column cancelled_at integer;
alter table outage add column cancelled_by blob;
-- Why it was called off.
alter table outage add column cancelled_why text not null default '';

create index outage_household_by_household on outage_household (household_id);

-- Something that all households of an outage are told; written down in parts.
create table outage_telling (
    telling_id blob primary key not null,
    outage_id blob not null references outage (outage_id),
    hall_id blob not null references hall (hall_id),
    -- Its turn among those of its outage.
    number integer not null,
    occasion text not null,
    from_at integer not null,
    until_at integer not null,
    -- When the gas was on again.
    ended_at integer,
    reason text not null,
    made_by blob not null references user_account (user_id),
    made_at integer not null,
    -- The last household for which it was written down.
    written_to blob,
    written integer not null default 0,
    -- When it was for all of them, or was not to be told any more.
    done_at integer
) strict;

create index outage_telling_by_outage on outage_telling (outage_id, number);
create index outage_telling_open on outage_telling (done_at, made_at);

-- Who was told first that the gas is off, and that it is on.
create table outage_told (
    outage_id blob not null references outage (outage_id),
    phase text not null check (phase in ('off', 'on')),
    household_id blob not null references household (household_id),
    told_at integer not null,
    how text not null check (how in ('message', 'door')),
    -- Who says that a notice is on the door.
    told_by blob references user_account (user_id),
    primary key (outage_id, phase, household_id)
) strict;

alter table reminder add column outage_id blob references outage (outage_id);
