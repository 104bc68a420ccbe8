-- Meters that visits put in and took out, derived from the changes; and the season as a hall's registers told it.

create table meter_change (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    household_id uuid not null references household (household_id),
    changed_on text not null,
    -- The meter put in, where one was.
    meter_id uuid,
    serial text,
    -- Which meter was taken out with what register, and what was put in.
    body jsonb not null,
    primary key (job_id, visit_id, fact_id)
);

create index meter_change_by_household on meter_change (household_id, changed_on);

create table season (
    hall_id uuid not null references hall (hall_id),
    learnt_on text not null,
    -- Null when too few registers told anything.
    body jsonb not null,
    primary key (hall_id, learnt_on)
);
