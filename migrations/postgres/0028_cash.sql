-- Cash at home (B15): which receipt numbers a phone has, what was taken, what was counted at the hall.

create table receipt_block (
    -- Consecutive numbers that one phone has for itself; none is handed out twice.
    hall_id uuid not null references hall (hall_id),
    first_number bigint not null,
    last_number bigint not null,
    device_id uuid not null references device (device_id),
    given_at bigint not null,
    -- The phone came back with an older store: what it had left of them is not used.
    void boolean not null,
    primary key (hall_id, first_number)
);

create index receipt_block_by_device on receipt_block (device_id, first_number);

create table cash_taken (
    -- Derived from the changes.
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    hall_id uuid not null references hall (hall_id),
    household_id uuid not null references household (household_id),
    technician_id uuid not null,
    device_id uuid not null,
    -- Fen.
    amount bigint not null,
    receipt text not null,
    -- Null for what no hall hands out.
    receipt_number bigint,
    -- Why somebody pays so who is in no entitled group; mostly empty.
    reason text not null,
    taken_on text not null,
    taken_at bigint not null,
    withdrawn boolean not null,
    primary key (job_id, visit_id, fact_id)
);

create index cash_taken_by_day on cash_taken (hall_id, taken_on);
create index cash_taken_by_household on cash_taken (household_id, taken_on);
create index cash_taken_by_receipt on cash_taken (hall_id, receipt);
create index cash_taken_by_technician on cash_taken (technician_id, taken_on);

create table cash_hand_in (
    -- Only ever added; a count that was wrong is corrected by another.
    hand_in_id uuid primary key not null,
    hall_id uuid not null references hall (hall_id),
    technician_id uuid not null references user_account (user_id),
    -- The day whose cash it is.
    for_day text not null,
    counted bigint not null,
    note text not null,
    author_id uuid not null references user_account (user_id),
    at bigint not null
);

create index cash_hand_in_by_day on cash_hand_in (hall_id, for_day);
create index cash_hand_in_by_technician on cash_hand_in (technician_id, for_day);

create table cash_doubt (
    -- Receipts that cannot all be right, each with the case that looks at it.
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    doubt text not null,
    case_id uuid not null references hall_case (case_id),
    primary key (job_id, visit_id, fact_id, doubt)
);
