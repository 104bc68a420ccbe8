-- Cases (诉求): what people ask of the hall, each with an owner, as events that are only ever added.

create table hall_case (
    case_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    -- What people say on the phone; counts in the hall.
    number integer not null,
    kind text not null,
    channel text not null,
    household_id blob references household (household_id),
    -- Empty for a report of abuse, whose reporter is kept apart.
    caller_name text not null,
    caller_contact text not null,
    words text not null,
    -- Whether the caller has to be called back before it can be closed.
    call_back integer not null,
    -- The question at a door that it answers.
    asked_job_id blob references document (job_id),
    asked_visit_id blob,
    asked_fact_id blob,
    pack_id text not null,
    promise_rule text,
    promise_minutes integer,
    opened_at integer not null,
    -- From here on what the events come to, written with each of them.
    owner_id blob not null references user_account (user_id),
    offered_to blob references user_account (user_id),
    state text not null,
    due_at integer,
    told_at integer,
    closed_at integer,
    -- When the promise that still runs is due; far away where none runs.
    clock_at integer not null,
    call_back_owed integer not null,
    -- How many events there are.
    version integer not null,
    unique (hall_id, number),
    unique (asked_job_id, asked_visit_id, asked_fact_id)
) strict;

create index hall_case_by_clock on hall_case (hall_id, clock_at, number);
create index hall_case_by_household on hall_case (household_id);
create index hall_case_by_owner on hall_case (owner_id);

create table case_event (
    case_id blob not null references hall_case (case_id),
    number integer not null,
    author_id blob not null references user_account (user_id),
    at integer not null,
    body text not null,
    primary key (case_id, number)
) strict;

create table case_job (
    case_id blob not null references hall_case (case_id),
    job_id blob not null references document (job_id),
    primary key (case_id, job_id)
) strict;

create index case_job_by_job on case_job (job_id);

create table case_reporter (
    -- Who reported abuse (B10); read by the case's owner alone.
    case_id blob primary key not null references hall_case (case_id),
    name text not null,
    contact text not null
) strict;

create table case_look (
    -- Each look at a reporter, and each that was refused.
    look_id blob primary key not null,
    case_id blob not null references hall_case (case_id),
    user_id blob not null references user_account (user_id),
    at integer not null,
    refused integer not null
) strict;

create index case_look_by_case on case_look (case_id, at);
