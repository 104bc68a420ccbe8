-- Applications (业务申请): what households ask for at the counter, as events that are only ever added; and calls answered.

create table application (
    application_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    -- What people say on the phone; counts in the hall.
    number integer not null,
    -- The procedure's key in the rule pack.
    procedure_id text not null,
    household_id blob not null references household (household_id),
    applicant text not null,
    contact text not null,
    words text not null,
    -- Of a transfer: the holder to be, and their number.
    new_holder text not null,
    new_phone text not null,
    -- Of a relocation: the other address, and its household where the register knows it.
    new_address text not null,
    new_household_id blob references household (household_id),
    pack_id text not null,
    -- Whether it opens an account, which is followed to its first gas.
    opens_account integer not null,
    taken_at integer not null,
    -- From here on what the events come to, written with each of them.
    owner_id blob not null references user_account (user_id),
    state text not null,
    trips integer not null,
    breaches integer not null,
    was_incomplete integer not null,
    accepted_at integer,
    ended_at integer,
    -- How many events there are.
    version integer not null,
    unique (hall_id, number)
) strict;

create index application_by_household on application (household_id);
create index application_by_taking on application (hall_id, taken_at);

create table application_event (
    application_id blob not null references application (application_id),
    number integer not null,
    author_id blob not null references user_account (user_id),
    at integer not null,
    body text not null,
    primary key (application_id, number)
) strict;

-- Ways to the hall that an application cost.
create table application_trip (
    application_id blob not null references application (application_id),
    -- The event that tells of it.
    number integer not null,
    at integer not null,
    primary key (application_id, number)
) strict;

create table application_job (
    application_id blob not null references application (application_id),
    job_id blob not null references document (job_id),
    primary key (application_id, job_id)
) strict;

create index application_job_by_job on application_job (job_id);

-- A call to the hall and how soon it was answered.
create table phone_call (
    call_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    at integer not null,
    -- The number by which the agent gave their name; empty for a call that nobody took.
    agent text not null,
    -- Whether the agent gave it.
    number_given integer not null,
    rings integer not null,
    -- How it was judged by the pack of its day.
    answered_as text not null,
    pack_id text not null,
    recorded_by blob not null references user_account (user_id)
) strict;

create index phone_call_by_time on phone_call (hall_id, at);
