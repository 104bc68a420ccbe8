//! Rows for files that leave the hall: each with the household and the people that it names.

use domain::id::HallId;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    LIST_JOBS = "select j.job_id, j.kind, j.status, h.account, h.holder, h.address, h.phone, h.access, h.latitude, \
        h.longitude, u.name as technician, j.window_start, j.window_end, j.created_at, j.promise_rule, j.promise_due_at, \
        j.promise_user_id, j.promise_state from job j join household h on h.household_id = j.household_id \
        left join user_account u on u.user_id = j.technician_id \
        where j.hall_id = $1 and coalesce(j.window_start, j.created_at) >= $2 \
        and coalesce(j.window_start, j.created_at) < $3 and (j.kind = $4 or $4 is null) \
        and (j.technician_id = $5 or $5 is null) order by coalesce(j.window_start, j.created_at), j.job_id limit $6";
    FIND_JOB = "select j.job_id, j.kind, j.status, h.account, h.holder, h.address, h.phone, h.access, h.latitude, \
        h.longitude, u.name as technician, j.window_start, j.window_end, j.created_at, j.promise_rule, j.promise_due_at, \
        j.promise_user_id, j.promise_state from job j join household h on h.household_id = j.household_id \
        left join user_account u on u.user_id = j.technician_id where j.hall_id = $1 and j.job_id = $2";
    FIND_DOOR = "select account, holder, address, phone from household where hall_id = $1 and household_id = $2";
    FIND_CASE = "select c.number, c.kind, u.name as owner, c.opened_at, c.promise_rule, c.due_at \
        from hall_case c join user_account u on u.user_id = c.owner_id where c.hall_id = $1 and c.case_id = $2";
    LIST_VISITS = "select v.job_id, v.visit_id, j.kind, h.account, h.address, u.name as technician, v.outcome, \
        min(f.earliest) as began, max(f.latest) as ended, \
        min(case when f.kind = 'arrived' then f.earliest end) as arrived_earliest, \
        min(case when f.kind = 'arrived' then f.latest end) as arrived_latest, count(*) as facts \
        from visit v join job j on j.job_id = v.job_id join household h on h.household_id = j.household_id \
        left join user_account u on u.user_id = v.technician_id \
        join fact f on f.job_id = v.job_id and f.visit_id = v.visit_id and f.withdrawn = $7 \
        where v.hall_id = $1 and (j.kind = $4 or $4 is null) and (v.technician_id = $5 or $5 is null) \
        group by v.job_id, v.visit_id, j.kind, h.account, h.address, u.name, v.outcome \
        having min(f.earliest) >= $2 and min(f.earliest) < $3 order by min(f.earliest), v.visit_id limit $6";
    LIST_FACTS = "select f.job_id, f.visit_id, f.fact_id, f.kind as fact_kind, j.kind, j.pack_id, h.account, h.holder, h.address, \
        u.name as technician, f.earliest, f.latest, f.body from fact f \
        join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id join job j on j.job_id = f.job_id \
        join household h on h.household_id = j.household_id left join user_account u on u.user_id = v.technician_id \
        where f.hall_id = $1 and f.earliest >= $2 and f.earliest < $3 and (j.kind = $4 or $4 is null) \
        and (v.technician_id = $5 or $5 is null) and f.kind = $8 and f.withdrawn = $7 \
        order by f.earliest, f.fact_id limit $6";
    LIST_SERIALS = "select m.meter_id, m.serial from meter m join household h on h.household_id = m.household_id \
        where h.hall_id = $1";
    LIST_VERDICTS = "select v.job_id, v.kind, v.day, v.window_start, v.window_end, v.punctuality, v.width_ms, \
        v.technician_id, v.agreed_id, u.name as technician_name, h.account, h.address from appointment_verdict v \
        join job j on j.job_id = v.job_id join household h on h.household_id = j.household_id \
        left join user_account u on u.user_id = v.technician_id where v.hall_id = $1 and v.window_start >= $2 \
        and v.window_start < $3 and (v.kind = $4 or $4 is null) and (v.technician_id = $5 or $5 is null) \
        order by v.window_start, v.job_id, v.ordinal limit $6";
}

/// Which rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// From this instant on, Unix ms.
    pub from: i64,
    /// Before this one.
    pub until: i64,
    /// The key of a kind of job.
    pub kind: Option<String>,
    /// A technician.
    pub technician: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// A job with its door.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct JobRow {
    /// The job.
    pub job_id: Uuid,
    /// The key of its kind.
    pub kind: String,
    /// The key of its status.
    pub status: String,
    /// The household's account.
    pub account: String,
    /// Its holder.
    pub holder: String,
    /// Its address.
    pub address: String,
    /// Its telephone number.
    pub phone: String,
    /// How to get in.
    pub access: String,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Who has it.
    pub technician: Option<String>,
    /// When its window begins.
    pub window_start: Option<i64>,
    /// When it ends.
    pub window_end: Option<i64>,
    /// When the hall took it on.
    pub created_at: i64,
    /// What was promised.
    pub promise_rule: Option<String>,
    /// Until when.
    pub promise_due_at: Option<i64>,
    /// Who had the job then.
    pub promise_user_id: Option<Uuid>,
    /// How it stands as far as facts decide.
    pub promise_state: Option<String>,
}

/// A household's door.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DoorRow {
    /// Its account.
    pub account: String,
    /// Its holder.
    pub holder: String,
    /// Its address.
    pub address: String,
    /// Its telephone number.
    pub phone: String,
}

/// A case as far as everybody of the hall may know it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CaseRow {
    /// What people say on the phone.
    pub number: i64,
    /// The key of its kind.
    pub kind: String,
    /// Who has it.
    pub owner: String,
    /// When it was taken on.
    pub opened_at: i64,
    /// What was promised.
    pub promise_rule: Option<String>,
    /// Until when.
    pub due_at: Option<i64>,
}

/// A visit with its door.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct VisitRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// The key of the job's kind.
    pub kind: String,
    /// The household's account.
    pub account: String,
    /// Its address.
    pub address: String,
    /// Who was there.
    pub technician: Option<String>,
    /// The key of its outcome, once it ended.
    pub outcome: Option<String>,
    /// The earliest that its first fact can have happened.
    pub began: i64,
    /// The latest that its last fact can have happened.
    pub ended: i64,
    /// The earliest arrival.
    pub arrived_earliest: Option<i64>,
    /// The latest.
    pub arrived_latest: Option<i64>,
    /// How many facts stand.
    pub facts: i64,
}

/// A fact with its door.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct FactRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// The fact.
    pub fact_id: Uuid,
    /// The key of its kind.
    pub fact_kind: String,
    /// The key of the job's kind.
    pub kind: String,
    /// The pack that the job keeps.
    pub pack_id: String,
    /// The household's account.
    pub account: String,
    /// Its holder.
    pub holder: String,
    /// Its address.
    pub address: String,
    /// Who recorded it.
    pub technician: Option<String>,
    /// The earliest that it can have happened.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
    /// All of it.
    pub body: Json<Value>,
}

/// A verdict on an appointment with its door.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct VerdictRow {
    /// The job.
    pub job_id: Uuid,
    /// The household's account.
    pub account: String,
    /// Its address.
    pub address: String,
    /// The verdict.
    #[sqlx(flatten)]
    pub verdict: super::verdicts::StoredVerdict,
}

fn span<'c>(query: super::Query<'c>, hall: HallId, span: &Span) -> super::Query<'c> {
    let query = query.bind(hall.0).bind(span.from).bind(span.until).bind(&span.kind);
    query.bind(span.technician).bind(span.limit)
}

/// Lists jobs by their windows, or by when they were taken on.
pub async fn list_jobs(c: C<'_>, hall: HallId, which: &Span) -> Result<Vec<JobRow>> {
    span(c.q(LIST_JOBS), hall, which).all().await
}

/// Finds a job of a hall with its door.
pub async fn find_job(c: C<'_>, hall: HallId, job: Uuid) -> Result<Option<JobRow>> {
    c.q(FIND_JOB).bind(hall.0).bind(job).opt().await
}

/// Finds the door of a household of a hall.
pub async fn find_door(c: C<'_>, hall: HallId, household: Uuid) -> Result<Option<DoorRow>> {
    c.q(FIND_DOOR).bind(hall.0).bind(household).opt().await
}

/// Finds a case of a hall.
pub async fn find_case(c: C<'_>, hall: HallId, case: Uuid) -> Result<Option<CaseRow>> {
    c.q(FIND_CASE).bind(hall.0).bind(case).opt().await
}

/// Lists visits by when they began; facts that were taken back do not count.
pub async fn list_visits(c: C<'_>, hall: HallId, which: &Span) -> Result<Vec<VisitRow>> {
    span(c.q(LIST_VISITS), hall, which).bind(false).all().await
}

/// Lists facts of one kind that stand.
pub async fn list_facts(c: C<'_>, hall: HallId, which: &Span, kind: &str) -> Result<Vec<FactRow>> {
    span(c.q(LIST_FACTS), hall, which).bind(false).bind(kind).all().await
}

/// Lists verdicts on appointments by their windows.
pub async fn list_verdicts(c: C<'_>, hall: HallId, which: &Span) -> Result<Vec<VerdictRow>> {
    span(c.q(LIST_VERDICTS), hall, which).all().await
}

/// The serial of every meter of a hall.
pub async fn list_serials(c: C<'_>, hall: HallId) -> Result<Vec<(Uuid, String)>> {
    c.q(LIST_SERIALS).bind(hall.0).all().await
}
