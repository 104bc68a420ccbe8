-- What households are told and when, the links to their pages, what they answer there, and outages.

-- The card that a technician shows at the door (A4).
create table work_card (
    user_id uuid primary key not null references user_account (user_id),
    number text not null,
    -- A JPEG of the face; null until one was handed in.
    portrait bytea
);

create table outage (
    outage_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    planned boolean not null,
    -- The words that households read.
    area text not null,
    reason text not null,
    from_at bigint not null,
    until_at bigint not null,
    -- Whose clocks hold (B13).
    pack_id text not null,
    made_by uuid not null references user_account (user_id),
    made_at bigint not null,
    ended_at bigint,
    ended_by uuid
);

create index outage_by_hall on outage (hall_id, from_at, outage_id);

create table outage_household (
    outage_id uuid not null references outage (outage_id),
    household_id uuid not null references household (household_id),
    primary key (outage_id, household_id)
);

create table household_notice (
    notice_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    household_id uuid not null references household (household_id),
    job_id uuid,
    outage_id uuid references outage (outage_id),
    occasion text not null,
    -- Names what happened: a household is not told twice of one thing.
    cause text not null,
    language text not null,
    -- Whose template it is.
    pack_id text not null,
    -- From when on it would be wrong.
    fresh_until bigint,
    -- Whether it is sent to who wants no messages.
    always boolean not null,
    -- Without the link, which is made when it is sent and kept nowhere.
    words text not null,
    made_at bigint not null,
    -- The end of the night, or at once.
    send_at bigint not null,
    state text not null check (state in ('waiting', 'handed', 'sent', 'failed', 'opted_out', 'no_phone', 'no_gateway', 'too_late', 'overtaken')),
    -- When the outbox had it, and when the gateway did.
    handed_at bigint,
    ended_at bigint,
    error text,
    unique (household_id, cause)
);

create index household_notice_due on household_notice (state, send_at);
create index household_notice_by_household on household_notice (household_id, made_at, notice_id);
create index household_notice_by_job on household_notice (job_id);
create index household_notice_by_outage on household_notice (outage_id);

create table track_link (
    -- SHA-256 of the token: who has the database has no link.
    link_hash bytea primary key not null,
    hall_id uuid not null references hall (hall_id),
    job_id uuid not null,
    -- Null for one that a notice carried.
    made_by uuid,
    made_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint
);

create index track_link_by_job on track_link (job_id, made_at);
create index track_link_by_expiry on track_link (expires_at);

-- A window that a household asked for by its link.
create table wish (
    wish_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    job_id uuid not null,
    case_id uuid,
    window_start bigint not null,
    window_end bigint not null,
    made_at bigint not null,
    state text not null check (state in ('open', 'agreed', 'declined')),
    decided_by uuid,
    decided_at bigint
);

create index wish_by_job on wish (job_id, made_at);

-- How a household found a visit (A10).
create table rating (
    job_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    score bigint not null check (score between 1 and 5),
    words text not null,
    rated_at bigint not null,
    changed_at bigint not null
);

create index rating_by_hall on rating (hall_id, rated_at);
