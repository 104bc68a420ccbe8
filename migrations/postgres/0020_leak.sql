-- Leaks that people are called to: who was called and what they said stands in the job's document.

create table leak (
    job_id uuid primary key not null references document (job_id),
    hall_id uuid not null references hall (hall_id),
    begun_at bigint not null,
    begun_by uuid not null references user_account (user_id),
    -- The number that the caller can be reached at.
    caller_phone text not null,
    state text not null check (state in ('calling', 'led', 'alarm', 'over')),
    -- When the next person is called; only while calling.
    next_at bigint,
    -- To whom the acceptances gave the job; a dispatcher may have given it to somebody else since.
    lead_id uuid references user_account (user_id),
    -- Who comes, as they were told, separated by commas.
    team text not null,
    -- When every console began to sound, and who took that on.
    alarm_at bigint,
    taken_by uuid references user_account (user_id),
    taken_at bigint
);

create index leak_due on leak (state, next_at);
create index leak_by_hall on leak (hall_id, state);
