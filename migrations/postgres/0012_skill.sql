-- What somebody who goes to doors is able to do, and where they usually work.

create table qualification (
    user_id uuid primary key not null references user_account (user_id),
    -- The keys of their skills, a JSON list; null while nobody recorded any, which hinders nothing.
    skills jsonb,
    -- Words of which one stands in each address of their area, a JSON list; empty for everywhere.
    area jsonb not null,
    changed_at bigint not null
);
