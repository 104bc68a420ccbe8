-- What hall staff write into a household's ledger; only ever added.

create table ledger_entry (
    entry_id uuid primary key not null,
    household_id uuid not null references household (household_id),
    author_id uuid not null references user_account (user_id),
    at bigint not null,
    body jsonb not null
);

create index ledger_entry_by_household on ledger_entry (household_id, at, entry_id);
