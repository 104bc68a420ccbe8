-- Files handed in for import: looked at first, loaded when somebody says so, forgotten after a day.

create table import (
    import_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    user_id uuid not null references user_account (user_id),
    created_at bigint not null,
    -- What would come of it, as JSON.
    preview text not null,
    applied_at bigint
);

create table import_file (
    import_id uuid not null references import (import_id),
    number bigint not null,
    name text not null,
    bytes bytea not null,
    primary key (import_id, number)
);

create table import_problem (
    import_id uuid not null references import (import_id),
    number bigint not null,
    file text not null,
    line bigint not null,
    column_name text,
    value text not null,
    why_zh text not null,
    fix_zh text not null,
    why_en text not null,
    fix_en text not null,
    primary key (import_id, number)
);
