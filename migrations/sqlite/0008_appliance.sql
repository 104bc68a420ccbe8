-- What burns gas in a household, as the hall's registers say.

create table appliance (
    appliance_id blob primary key not null,
    household_id blob not null references household (household_id),
    kind text not null,
    brand text not null,
    model text not null,
    installed_on text,
    -- Whether it shuts the gas when its flame goes out.
    flame_out integer
) strict;

create index appliance_by_household on appliance (household_id);
