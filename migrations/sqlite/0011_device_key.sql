-- What a phone's own store is locked with besides its PIN; drawn when the phone is enrolled.

create table device_key (
    device_id blob primary key not null references device (device_id),
    -- Lent to the phone's live session for some days at a time.
    share blob not null,
    -- Given for a password and a one-time code only: with it the hall opens the store of a phone whose PIN is lost.
    recovery blob not null
) strict;
