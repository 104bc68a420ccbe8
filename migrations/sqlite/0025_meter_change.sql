-- Meters that visits put in and took out, derived from the changes; and the season as a hall's registers told it.

create table meter_change (
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    household_id blob not null references household (household_id),
    changed_on text not null,
    -- The meter put in, where one was.
    meter_id blob,
    serial text,
    -- Which meter was taken out with what register, and what was put in.
    body text not null,
    primary key (job_id, visit_id, fact_id)
) strict;

create index meter_change_by_household on meter_change (household_id, changed_on);

create table season (
    hall_id blob not null references hall (hall_id),
    learnt_on text not null,
    -- Null when too few registers told anything.
    body text not null,
    primary key (hall_id, learnt_on)
) strict;
