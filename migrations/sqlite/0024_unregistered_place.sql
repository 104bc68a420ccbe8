-- Places that no register knows: where somebody reports a leak. Each has a household's row that jobs hang on.

create table unregistered_place (
    household_id blob primary key not null references household (household_id),
    hall_id blob not null references hall (hall_id),
    made_at integer not null,
    made_by blob not null references user_account (user_id),
    -- A known door near it, found by the words; only who is sent is worked out by it.
    latitude real,
    longitude real,
    -- What the words share with that door's address; null when it is only the middle of the hall.
    road text,
    -- The household that it turned out to be.
    tied_to blob references household (household_id),
    tied_at integer,
    tied_by blob references user_account (user_id)
) strict;

create index unregistered_place_by_hall on unregistered_place (hall_id, made_at);
