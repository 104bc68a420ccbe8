-- Halls, the people with a log-in, their sessions and their phones.
-- Instants are Unix milliseconds, days are YYYY-MM-DD in the hall's city.

create table meta (
    meta_id integer primary key not null check (meta_id = 1),
    -- Changes when the server was restored from a backup; phones then offer everything again.
    epoch blob not null,
    -- The secret for the hall's seals; part of every backup.
    seal_key blob not null,
    created_at integer not null
) strict;

create table hall (
    hall_id blob primary key not null,
    name text not null,
    utc_offset_minutes integer not null,
    -- Taken by `update ... returning` in the transaction that commits, so that position order is commit order.
    next_position integer not null default 1,
    -- A verified backup covers every position below or at this one.
    safe_position integer not null default 0
) strict;

create table user_account (
    user_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    -- Lower case; unique on the whole server.
    login text not null unique,
    name text not null,
    role text not null check (role in ('technician', 'dispatcher', 'hall', 'manager', 'admin')),
    -- A PHC string; null for somebody who cannot sign in yet.
    password_hash text,
    created_at integer not null,
    disabled_at integer
) strict;

create index user_account_by_hall on user_account (hall_id, login);

create table device (
    device_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    user_id blob not null references user_account (user_id),
    name text not null,
    enrolled_at integer not null,
    revoked_at integer,
    -- The highest count of changes the phone ever said it made.
    recorded integer not null default 0,
    -- How many of them it said it still holds alone.
    pending integer not null default 0,
    heard_at integer
) strict;

create index device_by_user on device (user_id);

create table session (
    -- SHA-256 of the token; the token itself is stored nowhere.
    token_hash blob primary key not null,
    user_id blob not null references user_account (user_id),
    device_id blob references device (device_id),
    created_at integer not null,
    seen_at integer not null,
    expires_at integer not null,
    ended_at integer
) strict;

create index session_by_user on session (user_id);

create table enrolment (
    -- SHA-256 of the user's id and the code.
    code_hash blob primary key not null,
    user_id blob not null references user_account (user_id),
    created_by blob not null references user_account (user_id),
    created_at integer not null,
    expires_at integer not null,
    used_at integer,
    attempts integer not null default 0
) strict;

create index enrolment_by_user on enrolment (user_id);

create table actor (
    -- An Automerge actor belongs for good to the device that used it first.
    actor blob primary key not null,
    device_id blob not null references device (device_id),
    bound_at integer not null
) strict;

create index actor_by_device on actor (device_id);

create table login_attempt (
    -- `account:<login>` or `ip:<address>`.
    subject text primary key not null,
    tries integer not null,
    window_started_at integer not null
) strict;

create table anchor (
    device_id blob not null references device (device_id),
    boot integer not null,
    mono_ms integer not null,
    server_at integer not null,
    round_trip_ms integer not null,
    -- When the phone told of it; a projection of that moment knows no later ones.
    received_at integer not null,
    primary key (device_id, boot, mono_ms)
) strict;
