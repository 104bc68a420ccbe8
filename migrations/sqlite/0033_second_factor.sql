-- A second factor of people at desks: a secret that their phone's authenticator shares, and codes for the day it is lost.

create table second_factor (
    user_id blob primary key not null references user_account (user_id),
    secret blob not null,
    begun_at integer not null,
    -- From then on signing in asks for a code.
    confirmed_at integer,
    -- The half minute of the last code that was taken: each counts once.
    last_step integer not null default 0
) strict;

create table recovery_code (
    user_id blob not null references user_account (user_id),
    code_hash blob not null,
    primary key (user_id, code_hash)
) strict;
