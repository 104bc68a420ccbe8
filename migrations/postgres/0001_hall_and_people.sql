-- Halls, the people with a log-in, their sessions and their phones.
-- Instants are Unix milliseconds, days are YYYY-MM-DD in the hall's city.

create table meta (
    meta_id bigint primary key not null check (meta_id = 1),
    -- Changes when the server was restored from a backup; phones then offer everything again.
    epoch uuid not null,
    -- The secret for the hall's seals; part of every backup.
    seal_key bytea not null,
    created_at bigint not null
);

create table hall (
    hall_id uuid primary key not null,
    name text not null,
    utc_offset_minutes bigint not null,
    -- Taken by `update ... returning` in the transaction that commits, so that position order is commit order.
    next_position bigint not null default 1,
    -- A verified backup covers every position below or at this one.
    safe_position bigint not null default 0
);

create table user_account (
    user_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    -- Lower case; unique on the whole server.
    login text not null unique,
    name text not null,
    role text not null check (role in ('technician', 'dispatcher', 'hall', 'manager', 'admin')),
    -- A PHC string; null for somebody who cannot sign in yet.
    password_hash text,
    created_at bigint not null,
    disabled_at bigint
);

create index user_account_by_hall on user_account (hall_id, login);

create table device (
    device_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    user_id uuid not null references user_account (user_id),
    name text not null,
    enrolled_at bigint not null,
    revoked_at bigint,
    -- The highest count of changes the phone ever said it made.
    recorded bigint not null default 0,
    -- How many of them it said it still holds alone.
    pending bigint not null default 0,
    heard_at bigint
);

create index device_by_user on device (user_id);

create table session (
    -- SHA-256 of the token; the token itself is stored nowhere.
    token_hash bytea primary key not null,
    user_id uuid not null references user_account (user_id),
    device_id uuid references device (device_id),
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);

create index session_by_user on session (user_id);

create table enrolment (
    -- SHA-256 of the user's id and the code.
    code_hash bytea primary key not null,
    user_id uuid not null references user_account (user_id),
    created_by uuid not null references user_account (user_id),
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    attempts bigint not null default 0
);

create index enrolment_by_user on enrolment (user_id);

create table actor (
    -- An Automerge actor belongs for good to the device that used it first.
    actor bytea primary key not null,
    device_id uuid not null references device (device_id),
    bound_at bigint not null
);

create index actor_by_device on actor (device_id);

create table login_attempt (
    -- `account:<login>` or `ip:<address>`.
    subject text primary key not null,
    tries bigint not null,
    window_started_at bigint not null
);

create table anchor (
    device_id uuid not null references device (device_id),
    boot bigint not null,
    mono_ms bigint not null,
    server_at bigint not null,
    round_trip_ms bigint not null,
    -- When the phone told of it; a projection of that moment knows no later ones.
    received_at bigint not null,
    primary key (device_id, boot, mono_ms)
);
