-- A second factor of people at desks: a secret that their phone's authenticator shares, and codes for the day it is lost.

create table second_factor (
    user_id uuid primary key not null references user_account (user_id),
    secret bytea not null,
    begun_at bigint not null,
    -- From then on signing in asks for a code.
    confirmed_at bigint,
    -- The half minute of the last code that was taken: each counts once.
    last_step bigint not null default 0
);

create table recovery_code (
    user_id uuid not null references user_account (user_id),
    code_hash bytea not null,
    primary key (user_id, code_hash)
);
