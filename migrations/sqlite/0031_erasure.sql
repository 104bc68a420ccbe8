-- What was erased: that it was there, when it went, and no more. Rows stay, so that nothing comes back under their names.

-- The raw changes of the job were emptied; what was derived from them in words is gone.
alter table document add column erased_at integer;
alter table change add column erased_at integer;
-- Names nobody any more, until the register names somebody again.
alter table household add column erased_at integer;
-- The picture is not shown any more, and since when it is gone from the store.
alter table photo add column erased_at integer;
alter table photo add column gone_at integer;
-- Log-in and name of somebody who left long ago.
alter table user_account add column erased_at integer;

create index photo_erased on photo (erased_at, gone_at);

-- What a household asked to be erased, so that it can be erased again after an old backup was restored.
create table erasure (
    erasure_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    household_id blob not null references household (household_id),
    erased_by blob not null references user_account (user_id),
    erased_at integer not null,
    reason text not null,
    jobs integer not null,
    changes integer not null,
    photos integer not null
) strict;

create index erasure_by_household on erasure (household_id);
