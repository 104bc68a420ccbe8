-- Whom the hall reminds of what, and the duties of those who lead it.

create table reminder (
    reminder_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    about text not null,
    -- What it is about: the id of a job, case, finding or phone, or a duty's key.
    subject text not null,
    -- Which time it is about that: a window's begin, a deadline, a day.
    occasion text not null,
    -- The technician; null for the hall's desk.
    user_id blob references user_account (user_id),
    job_id blob references document (job_id),
    case_id blob references hall_case (case_id),
    household_id blob references household (household_id),
    device_id blob references device (device_id),
    -- What it counts down to.
    due_at integer not null,
    -- From then on nobody is reminded.
    until_at integer not null,
    told_at integer not null,
    snoozed_until integer,
    -- Somebody said that it is seen to.
    done_at integer,
    done_by blob references user_account (user_id),
    -- Its cause is gone, or its time is over.
    ended_at integer,
    unique (hall_id, about, subject, occasion)
) strict;

create index reminder_open on reminder (hall_id, ended_at, due_at);

create table duty_record (
    hall_id blob not null references hall (hall_id),
    -- A day of the hall's city.
    day text not null,
    duty text not null,
    note text not null,
    done_by blob not null references user_account (user_id),
    done_at integer not null,
    primary key (hall_id, day, duty)
) strict;
