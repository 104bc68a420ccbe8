-- Telling people: what is to be told to whom, and what came of it in each layer.

-- How somebody is reached beside the app, and whom they answer to.
create table contact (
    user_id uuid primary key not null references user_account (user_id),
    phone text,
    leader_id uuid references user_account (user_id),
    changed_at bigint not null
);

-- The keys with which this system names itself to push services. Old ones sign on for subscriptions made under them.
create table push_key (
    key_id uuid primary key not null,
    public_key bytea not null,
    private_key bytea not null,
    created_at bigint not null,
    retired_at bigint
);

-- Where a phone's browser takes messages.
create table push_subscription (
    subscription_id uuid primary key not null,
    user_id uuid not null references user_account (user_id),
    device_id uuid not null references device (device_id),
    key_id uuid not null references push_key (key_id),
    endpoint text not null,
    p256dh bytea not null,
    auth bytea not null,
    -- The words on a lock screen, and the app's own address that a tap opens.
    language text not null,
    scope text not null,
    created_at bigint not null,
    sent_at bigint,
    failed_at bigint,
    last_status bigint,
    last_error text,
    ended_at bigint,
    ended_reason text
);

create index push_subscription_by_device on push_subscription (device_id, ended_at);
create index push_subscription_by_user on push_subscription (user_id, ended_at);

-- Which phones hold their stream open.
create table notice_stream (
    device_id uuid primary key not null references device (device_id),
    user_id uuid not null references user_account (user_id),
    opened_at bigint not null,
    seen_at bigint not null,
    closed_at bigint
);

create index notice_stream_by_user on notice_stream (user_id);

create table notice (
    notice_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    user_id uuid not null references user_account (user_id),
    job_id uuid,
    kind text not null,
    -- For the open app, JSON: ids, nothing that a lock screen shows.
    data jsonb not null,
    created_at bigint not null,
    expires_at bigint not null,
    -- When its layers were set to work; night may keep them from it.
    planned_at bigint,
    not_before bigint,
    -- A newer one about the same job took its place.
    replaced_at bigint,
    -- A person was shown it, and through which layer.
    shown_at bigint,
    shown_by text
);

create index notice_by_user on notice (user_id, shown_at, expires_at);
create index notice_unplanned on notice (planned_at, created_at);

create table notice_delivery (
    delivery_id uuid primary key not null,
    notice_id uuid not null references notice (notice_id),
    layer text not null check (layer in ('stream', 'push', 'gateway')),
    subscription_id uuid references push_subscription (subscription_id),
    state text not null check (state in ('pending', 'sent', 'given_up', 'not_needed')),
    next_at bigint not null,
    claimed_until bigint,
    attempts bigint not null default 0,
    -- The service took nothing so long: it is sent without its second line.
    shrunk bigint not null default 0,
    last_status bigint,
    last_error text,
    sent_at bigint
);

create index notice_delivery_due on notice_delivery (state, next_at);
create index notice_delivery_by_notice on notice_delivery (notice_id);

-- Which notice a gateway was told of.
alter table webhook_delivery add column notice_id uuid;
create index webhook_delivery_by_notice on webhook_delivery (notice_id);
