-- Places that no register knows: where somebody reports a leak. Each has a household's row that jobs hang on.

create table unregistered_place (
    household_id uuid primary key not null references household (household_id),
    hall_id uuid not null references hall (hall_id),
    made_at bigint not null,
    made_by uuid not null references user_account (user_id),
    -- A known door near it, found by the words; only who is sent is worked out by it.
    latitude double precision,
    longitude double precision,
    -- What the words share with that door's address; null when it is only the middle of the hall.
    road text,
    -- The household that it turned out to be.
    tied_to uuid references household (household_id),
    tied_at bigint,
    tied_by uuid references user_account (user_id)
);

create index unregistered_place_by_hall on unregistered_place (hall_id, made_at);
