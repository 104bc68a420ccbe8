-- What hall staff write into a household's ledger; only ever added.

create table ledger_entry (
    entry_id blob primary key not null,
    household_id blob not null references household (household_id),
    author_id blob not null references user_account (user_id),
    at integer not null,
    body text not null
) strict;

create index ledger_entry_by_household on ledger_entry (household_id, at, entry_id);
