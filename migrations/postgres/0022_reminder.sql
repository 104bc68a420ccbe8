-- Whom the hall reminds of what, and the duties of those who lead it.

create table reminder (
    reminder_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    about text not null,
    -- What it is about: the id of a job, case, finding or phone, or a duty's key.
    subject text not null,
    -- Which time it is about that: a window's begin, a deadline, a day.
    occasion text not null,
    -- The technician; null for the hall's desk.
    user_id uuid references user_account (user_id),
    job_id uuid references document (job_id),
    case_id uuid references hall_case (case_id),
    household_id uuid references household (household_id),
    device_id uuid references device (device_id),
    -- What it counts down to.
    due_at bigint not null,
    -- From then on nobody is reminded.
    until_at bigint not null,
    told_at bigint not null,
    snoozed_until bigint,
    -- Somebody said that it is seen to.
    done_at bigint,
    done_by uuid references user_account (user_id),
    -- Its cause is gone, or its time is over.
    ended_at bigint,
    unique (hall_id, about, subject, occasion)
);

create index reminder_open on reminder (hall_id, ended_at, due_at);

create table duty_record (
    hall_id uuid not null references hall (hall_id),
    -- A day of the hall's city.
    day text not null,
    duty text not null,
    note text not null,
    done_by uuid not null references user_account (user_id),
    done_at bigint not null,
    primary key (hall_id, day, duty)
);
