-- The truth: every accepted change as the bytes that were pushed, who may hold which job, what was not accepted.

create table document (
    job_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    household_id uuid not null references household (household_id),
    pack_id text not null references rule_pack (pack_id),
    created_at bigint not null
);

create index document_by_household on document (household_id);

create table change (
    hash bytea primary key not null,
    hall_id uuid not null references hall (hall_id),
    job_id uuid not null references document (job_id),
    position bigint not null,
    actor bytea not null,
    seq bigint not null,
    -- Null when the server made it.
    device_id uuid references device (device_id),
    -- The person on whose behalf it was made; null for the server's own.
    author_id uuid references user_account (user_id),
    received_at bigint not null,
    -- The device's monotonic clock when it sent the request: what happened before it happened before `received_at`.
    sent_boot bigint,
    sent_mono_ms bigint,
    bytes bytea not null,
    unique (hall_id, position),
    unique (job_id, actor, seq)
);

create index change_by_job on change (job_id, position);

create table waiting (
    -- A change whose causes have not arrived.
    hash bytea not null,
    hall_id uuid not null references hall (hall_id),
    job_id uuid not null,
    actor bytea not null,
    seq bigint not null,
    device_id uuid not null references device (device_id),
    user_id uuid not null references user_account (user_id),
    received_at bigint not null,
    sent_boot bigint not null,
    sent_mono_ms bigint not null,
    bytes bytea not null,
    -- The hall's own word for it, when it came with one.
    voucher bytea,
    -- Several may offer the same bytes before it can be told whose they are.
    primary key (hash, job_id, device_id, user_id)
);

create index waiting_by_job on waiting (job_id);
create index waiting_by_device on waiting (device_id);

create table quarantine (
    hash bytea primary key not null,
    hall_id uuid not null references hall (hall_id),
    job_id uuid,
    device_id uuid not null references device (device_id),
    user_id uuid not null references user_account (user_id),
    reason text not null,
    detail text not null,
    received_at bigint not null,
    sent_boot bigint not null,
    sent_mono_ms bigint not null,
    bytes bytea not null,
    released_at bigint,
    released_by uuid references user_account (user_id)
);

create index quarantine_by_hall on quarantine (hall_id, received_at);

create table snapshot (
    job_id uuid primary key not null references document (job_id),
    -- Every change of the job up to this position is in it.
    position bigint not null,
    made_at bigint not null,
    bytes bytea not null
);

create table job_grant (
    job_id uuid not null references document (job_id),
    user_id uuid not null references user_account (user_id),
    hall_id uuid not null references hall (hall_id),
    granted_position bigint not null,
    withdrawn_position bigint,
    primary key (job_id, user_id, granted_position)
);

create unique index job_grant_live on job_grant (job_id, user_id) where withdrawn_position is null;
create index job_grant_by_user on job_grant (user_id, granted_position);
create index job_grant_withdrawn on job_grant (user_id, withdrawn_position);
