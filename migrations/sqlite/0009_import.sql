-- Files handed in for import: looked at first, loaded when somebody says so, forgotten after a day.

create table import (
    import_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    user_id blob not null references user_account (user_id),
    created_at integer not null,
    -- What would come of it, as JSON.
    preview text not null,
    applied_at integer
) strict;

create table import_file (
    import_id blob not null references import (import_id),
    number integer not null,
    name text not null,
    bytes blob not null,
    primary key (import_id, number)
) strict;

create table import_problem (
    import_id blob not null references import (import_id),
    number integer not null,
    file text not null,
    line integer not null,
    column_name text,
    value text not null,
    why_zh text not null,
    fix_zh text not null,
    why_en text not null,
    fix_en text not null,
    primary key (import_id, number)
) strict;
