-- Cash at home (B15): which receipt numbers a phone has, what was taken, what was counted at the hall.

create table receipt_block (
    -- Consecutive numbers that one phone has for itself; none is handed out twice.
    hall_id blob not null references hall (hall_id),
    first_number integer not null,
    last_number integer not null,
    device_id blob not null references device (device_id),
    given_at integer not null,
    -- The phone came back with an older store: what it had left of them is not used.
    void integer not null,
    primary key (hall_id, first_number)
) strict;

create index receipt_block_by_device on receipt_block (device_id, first_number);

create table cash_taken (
    -- Derived from the changes.
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    hall_id blob not null references hall (hall_id),
    household_id blob not null references household (household_id),
    technician_id blob not null,
    device_id blob not null,
    -- Fen.
    amount integer not null,
    receipt text not null,
    -- Null for what no hall hands out.
    receipt_number integer,
    -- Why somebody pays so who is in no entitled group; mostly empty.
    reason text not null,
    taken_on text not null,
    taken_at integer not null,
    withdrawn integer not null,
    primary key (job_id, visit_id, fact_id)
) strict;

create index cash_taken_by_day on cash_taken (hall_id, taken_on);
create index cash_taken_by_household on cash_taken (household_id, taken_on);
create index cash_taken_by_receipt on cash_taken (hall_id, receipt);
create index cash_taken_by_technician on cash_taken (technician_id, taken_on);

create table cash_hand_in (
    -- Only ever added; a count that was wrong is corrected by another.
    hand_in_id blob primary key not null,
    hall_id blob not null references hall (hall_id),
    technician_id blob not null references user_account (user_id),
    -- The day whose cash it is.
    for_day text not null,
    counted integer not null,
    note text not null,
    author_id blob not null references user_account (user_id),
    at integer not null
) strict;

create index cash_hand_in_by_day on cash_hand_in (hall_id, for_day);
create index cash_hand_in_by_technician on cash_hand_in (technician_id, for_day);

create table cash_doubt (
    -- Receipts that cannot all be right, each with the case that looks at it.
    job_id blob not null references document (job_id),
    visit_id blob not null,
    fact_id blob not null,
    doubt text not null,
    case_id blob not null references hall_case (case_id),
    primary key (job_id, visit_id, fact_id, doubt)
) strict;
