-- What was created under an idempotency key, so that a repeated request creates nothing; kept for a day.

create table receipt (
    user_id blob not null references user_account (user_id),
    -- SHA-256 of the key; the key itself is stored nowhere.
    key_hash blob not null,
    -- SHA-256 of key, method, path and body: without the key nobody can guess a body by it.
    request_digest blob not null,
    status integer not null,
    body text not null,
    created_at integer not null,
    primary key (user_id, key_hash)
) strict;

create index receipt_by_creation on receipt (created_at);
