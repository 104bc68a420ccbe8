-- Applications (业务申请): what households ask for at the counter, as events that are only ever added; and calls answered.

create table application (
    application_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    -- What people say on the phone; counts in the hall.
    number bigint not null,
    -- The procedure's key in the rule pack.
    procedure_id text not null,
    household_id uuid not null references household (household_id),
    applicant text not null,
    contact text not null,
    words text not null,
    -- Of a transfer: the holder to be, and their number.
    new_holder text not null,
    new_phone text not null,
    -- Of a relocation: the other address, and its household where the register knows it.
    new_address text not null,
    new_household_id uuid references household (household_id),
    pack_id text not null,
    -- Whether it opens an account, which is followed to its first gas.
    opens_account boolean not null,
    taken_at bigint not null,
    -- From here on what the events come to, written with each of them.
    owner_id uuid not null references user_account (user_id),
    state text not null,
    trips bigint not null,
    breaches bigint not null,
    was_incomplete boolean not null,
    accepted_at bigint,
    ended_at bigint,
    -- How many events there are.
    version bigint not null,
    unique (hall_id, number)
);

create index application_by_household on application (household_id);
create index application_by_taking on application (hall_id, taken_at);

create table application_event (
    application_id uuid not null references application (application_id),
    number bigint not null,
    author_id uuid not null references user_account (user_id),
    at bigint not null,
    body jsonb not null,
    primary key (application_id, number)
);

-- Ways to the hall that an application cost.
create table application_trip (
    application_id uuid not null references application (application_id),
    -- The event that tells of it.
    number bigint not null,
    at bigint not null,
    primary key (application_id, number)
);

create table application_job (
    application_id uuid not null references application (application_id),
    job_id uuid not null references document (job_id),
    primary key (application_id, job_id)
);

create index application_job_by_job on application_job (job_id);

-- A call to the hall and how soon it was answered.
create table phone_call (
    call_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    at bigint not null,
    -- The number by which the agent gave their name; empty for a call that nobody took.
    agent text not null,
    -- Whether the agent gave it.
    number_given boolean not null,
    rings bigint not null,
    -- How it was judged by the pack of its day.
    answered_as text not null,
    pack_id text not null,
    recorded_by uuid not null references user_account (user_id)
);

create index phone_call_by_time on phone_call (hall_id, at);
