-- Cases (诉求): what people ask of the hall, each with an owner, as events that are only ever added.

create table hall_case (
    case_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    -- What people say on the phone; counts in the hall.
    number bigint not null,
    kind text not null,
    channel text not null,
    household_id uuid references household (household_id),
    -- Empty for a report of abuse, whose reporter is kept apart.
    caller_name text not null,
    caller_contact text not null,
    words text not null,
    -- Whether the caller has to be called back before it can be closed.
    call_back boolean not null,
    -- The question at a door that it answers.
    asked_job_id uuid references document (job_id),
    asked_visit_id uuid,
    asked_fact_id uuid,
    pack_id text not null,
    promise_rule text,
    promise_minutes bigint,
    opened_at bigint not null,
    -- From here on what the events come to, written with each of them.
    owner_id uuid not null references user_account (user_id),
    offered_to uuid references user_account (user_id),
    state text not null,
    due_at bigint,
    told_at bigint,
    closed_at bigint,
    -- When the promise that still runs is due; far away where none runs.
    clock_at bigint not null,
    call_back_owed boolean not null,
    -- How many events there are.
    version bigint not null,
    unique (hall_id, number),
    unique (asked_job_id, asked_visit_id, asked_fact_id)
);

create index hall_case_by_clock on hall_case (hall_id, clock_at, number);
create index hall_case_by_household on hall_case (household_id);
create index hall_case_by_owner on hall_case (owner_id);

create table case_event (
    case_id uuid not null references hall_case (case_id),
    number bigint not null,
    author_id uuid not null references user_account (user_id),
    at bigint not null,
    body jsonb not null,
    primary key (case_id, number)
);

create table case_job (
    case_id uuid not null references hall_case (case_id),
    job_id uuid not null references document (job_id),
    primary key (case_id, job_id)
);

create index case_job_by_job on case_job (job_id);

create table case_reporter (
    -- Who reported abuse (B10); read by the case's owner alone.
    case_id uuid primary key not null references hall_case (case_id),
    name text not null,
    contact text not null
);

create table case_look (
    -- Each look at a reporter, and each that was refused.
    look_id uuid primary key not null,
    case_id uuid not null references hall_case (case_id),
    user_id uuid not null references user_account (user_id),
    at bigint not null,
    refused boolean not null
);

create index case_look_by_case on case_look (case_id, at);
