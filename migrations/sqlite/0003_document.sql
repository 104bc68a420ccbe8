-- The truth: every accepted change as the bytes that were pushed, who may hold which job, what was not accepted.

create table document (
    job_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    household_id blob not null references household (household_id),
    pack_id text not null references rule_pack (pack_id),
    created_at integer not null
) strict;

create index document_by_household on document (household_id);

create table change (
    hash blob primary key not null,
    hall_id blob not null references hall (hall_id),
    job_id blob not null references document (job_id),
    position integer not null,
    actor blob not null,
    seq integer not null,
    -- Null when the server made it.
    device_id blob references device (device_id),
    -- The person on whose behalf it was made; null for the server's own.
    author_id blob references user_account (user_id),
    received_at integer not null,
    -- The device's monotonic clock when it sent the request: what happened before it happened before `received_at`.
    sent_boot integer,
    sent_mono_ms integer,
    bytes blob not null,
    unique (hall_id, position),
    unique (job_id, actor, seq)
) strict;

create index change_by_job on change (job_id, position);

create table waiting (
    -- A change whose causes have not arrived.
    hash blob not null,
    hall_id blob not null references hall (hall_id),
    job_id blob not null,
    actor blob not null,
    seq integer not null,
    device_id blob not null references device (device_id),
    user_id blob not null references user_account (user_id),
    received_at integer not null,
    sent_boot integer not null,
    sent_mono_ms integer not null,
    bytes blob not null,
    -- The hall's own word for it, when it came with one.
    voucher blob,
    -- Several may offer the same bytes before it can be told whose they are.
    primary key (hash, job_id, device_id, user_id)
) strict;

create index waiting_by_job on waiting (job_id);
create index waiting_by_device on waiting (device_id);

create table quarantine (
    hash blob primary key not null,
    hall_id blob not null references hall (hall_id),
    job_id blob,
    device_id blob not null references device (device_id),
    user_id blob not null references user_account (user_id),
    reason text not null,
    detail text not null,
    received_at integer not null,
    sent_boot integer not null,
    sent_mono_ms integer not null,
    bytes blob not null,
    released_at integer,
    released_by blob references user_account (user_id)
) strict;

create index quarantine_by_hall on quarantine (hall_id, received_at);

create table snapshot (
    job_id blob primary key not null references document (job_id),
    -- Every change of the job up to this position is in it.
    position integer not null,
    made_at integer not null,
    bytes blob not null
) strict;

create table job_grant (
    job_id blob not null references document (job_id),
    user_id blob not null references user_account (user_id),
    hall_id blob not null references hall (hall_id),
    granted_position integer not null,
    withdrawn_position integer,
    primary key (job_id, user_id, granted_position)
) strict;

create unique index job_grant_live on job_grant (job_id, user_id) where withdrawn_position is null;
create index job_grant_by_user on job_grant (user_id, granted_position);
create index job_grant_withdrawn on job_grant (user_id, withdrawn_position);
