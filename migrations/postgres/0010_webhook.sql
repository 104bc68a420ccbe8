-- Who outside is told of what, and the outbox of what is still to be told.

create table webhook (
    webhook_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    url text not null,
    -- The kinds of events that are told, a JSON list.
    kinds jsonb not null,
    -- Whether names and addresses go along.
    with_household boolean not null,
    secret bytea not null,
    -- Signs as well until its time is over.
    old_secret bytea,
    old_secret_until bigint,
    created_by uuid not null references user_account (user_id),
    created_at bigint not null,
    disabled_at bigint,
    disabled_reason text
);

create index webhook_by_hall on webhook (hall_id, created_at);

create table webhook_delivery (
    -- Also the message's id: the same at every try.
    delivery_id uuid primary key not null,
    webhook_id uuid not null references webhook (webhook_id),
    hall_id uuid not null references hall (hall_id),
    kind text not null,
    payload text not null,
    created_at bigint not null,
    state text not null check (state in ('pending', 'sent', 'given_up')),
    -- From when on patience is counted: its creation, or its last replay.
    queued_at bigint not null,
    next_at bigint not null,
    claimed_until bigint,
    attempts bigint not null default 0,
    last_status bigint,
    last_error text,
    sent_at bigint
);

create index webhook_delivery_due on webhook_delivery (state, next_at);
create index webhook_delivery_by_webhook on webhook_delivery (webhook_id, created_at, delivery_id);
