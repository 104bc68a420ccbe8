-- What is derived from the changes, written in the transaction that accepts them and made again by one command.
-- Ids that phones choose are unique only within their job, so the job is part of each key.

create table job (
    job_id blob primary key not null references document (job_id),
    hall_id blob not null references hall (hall_id),
    household_id blob not null references household (household_id),
    kind text not null,
    pack_id text not null,
    status text not null,
    technician_id blob,
    visit_id blob,
    window_start integer,
    window_end integer,
    created_at integer not null,
    promise_rule text,
    promise_due_at integer,
    promise_user_id blob,
    promise_state text,
    clashes text not null,
    updated_position integer not null
) strict;

create index job_by_window on job (hall_id, window_start);
create index job_by_creation on job (hall_id, created_at);
create index job_by_technician on job (technician_id, status);
create index job_by_household on job (household_id);

create table visit (
    job_id blob not null references document (job_id),
    visit_id blob not null,
    hall_id blob not null references hall (hall_id),
    technician_id blob not null,
    device_id blob not null,
    outcome text,
    primary key (job_id, visit_id)
) strict;

create index visit_by_technician on visit (technician_id);

create table fact (
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    hall_id blob not null references hall (hall_id),
    kind text not null,
    earliest integer not null,
    latest integer not null,
    withdrawn integer not null,
    body text not null,
    primary key (job_id, visit_id, fact_id)
) strict;

create index fact_by_kind on fact (hall_id, kind, earliest);

create table reading (
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    meter_id blob not null,
    read_on text not null,
    -- Litres; null when it could not be read.
    register integer,
    finding text not null,
    verdict text not null,
    primary key (job_id, visit_id, fact_id)
) strict;

create index reading_by_meter on reading (meter_id, read_on);

create table hose_change (
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    household_id blob not null references household (household_id),
    removed_hose_id blob,
    hose_id blob not null,
    kind text not null,
    length_mm integer not null,
    changed_on text not null,
    free integer not null,
    primary key (job_id, visit_id, fact_id)
) strict;

create index hose_change_by_household on hose_change (household_id, changed_on);

create table appointment_verdict (
    job_id blob not null references document (job_id),
    -- Counts the job's appointments in the order in which they were agreed.
    ordinal integer not null,
    hall_id blob not null references hall (hall_id),
    -- The plan's entry or the fact that agreed it.
    agreed_id blob not null,
    technician_id blob,
    kind text not null,
    day text not null,
    window_start integer not null,
    window_end integer not null,
    punctuality text not null,
    -- How wide the doubt is when punctuality cannot be told.
    width_ms integer,
    primary key (job_id, ordinal)
) strict;

create index appointment_verdict_by_day on appointment_verdict (hall_id, day);

create table live_event (
    hall_id blob not null references hall (hall_id),
    position integer not null,
    kind text not null,
    job_id blob,
    at integer not null,
    body text not null,
    primary key (hall_id, position)
) strict;
