-- Who outside is told of what, and the outbox of what is still to be told.

create table webhook (
    webhook_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    url text not null,
    -- The kinds of events that are told, a JSON list.
    kinds text not null,
    -- Whether names and addresses go along.
    with_household integer not null,
    secret blob not null,
    -- Signs as well until its time is over.
    old_secret blob,
    old_secret_until integer,
    created_by blob not null references user_account (user_id),
    created_at integer not null,
    disabled_at integer,
    disabled_reason text
) strict;

create index webhook_by_hall on webhook (hall_id, created_at);

create table webhook_delivery (
    -- Also the message's id: the same at every try.
    delivery_id blob primary key not null,
    webhook_id blob not null references webhook (webhook_id),
    hall_id blob not null references hall (hall_id),
    kind text not null,
    payload text not null,
    created_at integer not null,
    state text not null check (state in ('pending', 'sent', 'given_up')),
    -- From when on patience is counted: its creation, or its last replay.
    queued_at integer not null,
    next_at integer not null,
    claimed_until integer,
    attempts integer not null default 0,
    last_status integer,
    last_error text,
    sent_at integer
) strict;

create index webhook_delivery_due on webhook_delivery (state, next_at);
create index webhook_delivery_by_webhook on webhook_delivery (webhook_id, created_at, delivery_id);
