-- What decides what is due at a household beside its jobs: how it gets its gas, and what technicians saw there.

create table supply (
    household_id uuid primary key not null references household (household_id),
    used_for text not null check (used_for in ('residential', 'public')),
    -- The day of its first gas, where the register knows it.
    gas_since text,
    -- The last inspection that no job here knows of.
    inspected_on text
);

-- Derived: hoses and appliances that visits found otherwise than the register says.
create table item_seen (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    household_id uuid not null references household (household_id),
    what text not null check (what in ('hose', 'appliance')),
    item_id uuid not null,
    -- The latest that it can have been seen, Unix ms.
    seen_at bigint not null,
    gone boolean not null,
    body jsonb not null,
    primary key (job_id, visit_id, fact_id)
);

create index item_seen_by_household on item_seen (household_id, seen_at);

-- A window that the hall proposes for a job until the household agrees to one.
create table proposed_window (
    job_id uuid primary key not null references document (job_id),
    window_start bigint not null,
    window_end bigint not null,
    proposed_by uuid not null references user_account (user_id),
    proposed_at bigint not null
);

create index job_by_kind on job (hall_id, status, kind);

alter table hose add column is_estimated boolean not null default false;
alter table hose add column joints bigint;
alter table hose_change add column lot text not null default '';
alter table hose_change add column joints bigint;
alter table appliance add column sold_on text;
alter table appliance add column is_estimated boolean not null default false;
