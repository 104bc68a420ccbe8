-- What crews did twice in jobs apart (B14): each fact that cannot be right together with another, with the case that looks at it.

create table work_twice (
    job_id uuid not null references document (job_id),
    visit_id uuid not null,
    fact_id uuid not null,
    -- 'same_hose', 'same_meter' or 'free_hose'.
    why text not null,
    case_id uuid not null references hall_case (case_id),
    primary key (job_id, visit_id, fact_id, why)
);

create index work_twice_by_case on work_twice (case_id);
