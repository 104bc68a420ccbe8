-- What somebody who goes to doors is able to do, and where they usually work.

create table qualification (
    user_id blob primary key not null references user_account (user_id),
    -- The keys of their skills, a JSON list; null while nobody recorded any, which hinders nothing.
    skills text,
    -- Words of which one stands in each address of their area, a JSON list; empty for everywhere.
    area text not null,
    changed_at integer not null
) strict;
