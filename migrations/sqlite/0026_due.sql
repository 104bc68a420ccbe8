-- What decides what is due at a household beside its jobs: how it gets its gas, and what technicians saw there.

create table supply (
    household_id blob primary key not null references household (household_id),
    used_for text not null check (used_for in ('residential', 'public')),
    -- The day of its first gas, where the register knows it.
    gas_since text,
    -- The last inspection that no job here knows of.
    inspected_on text
) strict;

-- Derived: hoses and appliances that visits found otherwise than the register says.
create table item_seen (
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    household_id blob not null references household (household_id),
    what text not null check (what in ('hose', 'appliance')),
    item_id blob not null,
    -- The latest that it can have been seen, Unix ms.
    seen_at integer not null,
    gone integer not null,
    body text not null,
    primary key (job_id, visit_id, fact_id)
) strict;

create index item_seen_by_household on item_seen (household_id, seen_at);

-- A window that the hall proposes for a job until the household agrees to one.
create table proposed_window (
    job_id blob primary key not null references document (job_id),
    window_start integer not null,
    window_end integer not null,
    proposed_by blob not null references user_account (user_id),
    proposed_at integer not null
) strict;

create index job_by_kind on job (hall_id, status, kind);

alter table hose add column is_estimated integer not null default 0;
alter table hose add column joints integer;
alter table hose_change add column lot text not null default '';
alter table hose_change add column joints integer;
alter table appliance add column sold_on text;
alter table appliance add column is_estimated integer not null default 0;
