-- What is derived from the changes, written in the transaction that accepts them and made again by one command.
-- Ids that phones choose are unique only within their job, so the job is part of each key.

create table job (
    job_id uuid primary key not null references document (job_id),
    hall_id uuid not null references hall (hall_id),
    household_id uuid not null references household (household_id),
    kind text not null,
    pack_id text not null,
    status text not null,
    technician_id uuid,
    visit_id uuid,
    window_start bigint,
    window_end bigint,
    created_at bigint not null,
    promise_rule text,
    promise_due_at bigint,
    promise_user_id uuid,
    promise_state text,
    clashes jsonb not null,
    updated_position bigint not null
);

create index job_by_window on job (hall_id, window_start);
create index job_by_creation on job (hall_id, created_at);
create index job_by_technician on job (technician_id, status);
create index job_by_household on job (household_id);

create table visit (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    hall_id uuid not null references hall (hall_id),
    technician_id uuid not null,
    device_id uuid not null,
    outcome text,
    primary key (job_id, visit_id)
);

create index visit_by_technician on visit (technician_id);

create table fact (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    hall_id uuid not null references hall (hall_id),
    kind text not null,
    earliest bigint not null,
    latest bigint not null,
    withdrawn boolean not null,
    body jsonb not null,
    primary key (job_id, visit_id, fact_id)
);

create index fact_by_kind on fact (hall_id, kind, earliest);

create table reading (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    meter_id uuid not null,
    read_on text not null,
    -- Litres; null when it could not be read.
    register bigint,
    finding text not null,
    verdict jsonb not null,
    primary key (job_id, visit_id, fact_id)
);

create index reading_by_meter on reading (meter_id, read_on);

create table hose_change (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    household_id uuid not null references household (household_id),
    removed_hose_id uuid,
    hose_id uuid not null,
    kind text not null,
    length_mm bigint not null,
    changed_on text not null,
    free boolean not null,
    primary key (job_id, visit_id, fact_id)
);

create index hose_change_by_household on hose_change (household_id, changed_on);

create table appointment_verdict (
    job_id uuid not null references document (job_id),
    -- Counts the job's appointments in the order in which they were agreed.
    ordinal bigint not null,
    hall_id uuid not null references hall (hall_id),
    -- The plan's entry or the fact that agreed it.
    agreed_id uuid not null,
    technician_id uuid,
    kind text not null,
    day text not null,
    window_start bigint not null,
    window_end bigint not null,
    punctuality text not null,
    -- How wide the doubt is when punctuality cannot be told.
    width_ms bigint,
    primary key (job_id, ordinal)
);

create index appointment_verdict_by_day on appointment_verdict (hall_id, day);

create table live_event (
    hall_id uuid not null references hall (hall_id),
    position bigint not null,
    kind text not null,
    job_id uuid,
    at bigint not null,
    body jsonb not null,
    primary key (hall_id, position)
);
