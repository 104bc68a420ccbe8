//! The projection of jobs: one row a job, what lists and boards show.

use domain::id::{HallId, JobId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    UPSERT_JOB = "insert into job (job_id, hall_id, household_id, kind, pack_id, status, technician_id, visit_id, \
        window_start, window_end, created_at, promise_rule, promise_due_at, promise_user_id, promise_state, \
        clashes, updated_position, status_since) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
        on conflict (job_id) do update set household_id = excluded.household_id, status = excluded.status, technician_id = excluded.technician_id, \
        visit_id = excluded.visit_id, window_start = excluded.window_start, window_end = excluded.window_end, \
        promise_rule = excluded.promise_rule, promise_due_at = excluded.promise_due_at, \
        promise_user_id = excluded.promise_user_id, \
        promise_state = excluded.promise_state, clashes = excluded.clashes, \
        updated_position = excluded.updated_position, status_since = excluded.status_since";
    FIND_JOB = "select job_id, hall_id, household_id, kind, pack_id, status, technician_id, visit_id, window_start, \
        window_end, created_at, promise_rule, promise_due_at, promise_user_id, promise_state, clashes, updated_position, \
        status_since from job where job_id = $1 and hall_id = $2";
    LIST_JOBS = "select j.job_id, j.hall_id, j.household_id, j.kind, j.pack_id, j.status, j.technician_id, j.visit_id, \
        j.window_start, j.window_end, j.created_at, j.promise_rule, j.promise_due_at, j.promise_user_id, j.promise_state, \
        j.clashes, j.updated_position, j.status_since, h.account, h.holder, h.address, \
        (select max(d.heard_at) from device d where d.user_id = j.technician_id) as heard_at \
        from job j join household h on h.household_id = j.household_id \
        where j.hall_id = $1 and j.job_id > $2 and (j.job_id = $3 or $3 is null) and (j.status = $4 or $4 is null) \
        and (j.technician_id = $5 or $5 is null) and (j.kind = $6 or $6 is null) \
        and (coalesce(j.window_start, j.created_at) >= $7 or $7 is null) \
        and (coalesce(j.window_start, j.created_at) < $8 or $8 is null) \
        and (lower(h.account) like $9 escape '\\' or lower(h.holder) like $9 escape '\\' \
        or lower(h.address) like $9 escape '\\' or h.phone like $9 escape '\\' or $9 is null) \
        and (coalesce(j.window_start, j.created_at) >= $11 or $11 is null \
        or j.status in ('unassigned', 'assigned', 'set_out', 'at_door', 'working')) \
        and (j.household_id = $12 or $12 is null) order by j.job_id limit $10";
    LIST_CALLS = "select j.job_id, j.kind, j.status, j.technician_id, j.window_start, j.window_end, j.created_at, \
        j.promise_due_at, j.updated_position, h.address, coalesce(h.latitude, p.latitude) as latitude, \
        coalesce(h.longitude, p.longitude) as longitude from job j join household h on h.household_id = j.household_id \
        left join unregistered_place p on p.household_id = j.household_id \
        where j.hall_id = $1 and coalesce(j.window_start, j.created_at) >= $2 and coalesce(j.window_start, j.created_at) < $3 \
        and j.technician_id is not null order by j.job_id";
    LIST_OPEN_CALLS = "select j.job_id, j.kind, j.status, j.technician_id, j.window_start, j.window_end, j.created_at, \
        j.promise_due_at, j.updated_position, h.address, coalesce(h.latitude, p.latitude) as latitude, \
        coalesce(h.longitude, p.longitude) as longitude from job j join household h on h.household_id = j.household_id \
        left join unregistered_place p on p.household_id = j.household_id \
        where j.hall_id = $1 and j.technician_id is null and j.status = 'unassigned' \
        and (j.window_start is null or (j.window_start >= $2 and j.window_start < $3)) order by j.job_id";
    LIST_STAYS = "select f.job_id, v.technician_id, min(case when f.kind = 'arrived' then f.earliest end) as arrived_at, \
        max(case when f.kind = 'closed' then f.latest end) as ended_at from job j join fact f on f.job_id = j.job_id \
        join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id where j.hall_id = $1 \
        and coalesce(j.window_start, j.created_at) >= $2 and coalesce(j.window_start, j.created_at) < $3 \
        and f.kind in ('arrived', 'closed') and not f.withdrawn group by f.job_id, f.visit_id, v.technician_id \
        order by f.job_id, arrived_at";
    FIND_CALL = "select j.job_id, j.kind, j.status, j.technician_id, j.window_start, j.window_end, j.created_at, \
        j.promise_due_at, j.updated_position, h.address, coalesce(h.latitude, p.latitude) as latitude, \
        coalesce(h.longitude, p.longitude) as longitude from job j join household h on h.household_id = j.household_id \
        left join unregistered_place p on p.household_id = j.household_id \
        where j.hall_id = $1 and j.job_id = $2";
}

/// A job's projection as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobRow {
    /// The job's id.
    pub job_id: Uuid,
    /// The hall it belongs to.
    pub hall_id: Uuid,
    /// Whose door it is.
    pub household_id: Uuid,
    /// The kind's key.
    pub kind: String,
    /// The rule pack it is judged by.
    pub pack_id: String,
    /// The status's key.
    pub status: String,
    /// Who is to do it.
    pub technician_id: Option<Uuid>,
    /// The visit that the status speaks of.
    pub visit_id: Option<Uuid>,
    /// When the window that holds begins.
    pub window_start: Option<i64>,
    /// When it ends.
    pub window_end: Option<i64>,
    /// When the hall took the job on.
    pub created_at: i64,
    /// The promise that runs for it.
    pub promise_rule: Option<String>,
    /// When that promise is due.
    pub promise_due_at: Option<i64>,
    /// Who had the job when that promise was due.
    pub promise_user_id: Option<Uuid>,
    /// The promise's state as far as facts alone decide it.
    pub promise_state: Option<String>,
    /// What clashes.
    pub clashes: Json<Value>,
    /// The position of the change that last touched it.
    pub updated_position: i64,
    /// Since when it stands so, at the latest; null in rows of before this was kept, until they change or are rebuilt.
    pub status_since: Option<i64>,
}

/// Writes the projection of jobs, each at most once.
pub async fn upsert_jobs(c: C<'_>, jobs: &[JobRow]) -> Result<()> {
    insert_rows(c, UPSERT_JOB, jobs, |q, job| {
        q.bind(job.job_id)
            .bind(job.hall_id)
            .bind(job.household_id)
            .bind(&job.kind)
            .bind(&job.pack_id)
            .bind(&job.status)
            .bind(job.technician_id)
            .bind(job.visit_id)
            .bind(job.window_start)
            .bind(job.window_end)
            .bind(job.created_at)
            .bind(&job.promise_rule)
            .bind(job.promise_due_at)
            .bind(job.promise_user_id)
            .bind(&job.promise_state)
            .bind(&job.clashes)
            .bind(job.updated_position)
            .bind(job.status_since)
    })
    .await
    .map(drop)
}

/// Finds a job of a hall.
pub async fn find_job(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<JobRow>> {
    c.q(FIND_JOB).bind(job.0).bind(hall.0).opt().await
}

/// A job in a list, with its door and when its technician was heard last.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedRow {
    /// The job.
    #[sqlx(flatten)]
    pub job: JobRow,
    /// The household's account number.
    pub account: String,
    /// Its holder's name.
    pub holder: String,
    /// Its address.
    pub address: String,
    /// When a phone of the technician was heard last.
    pub heard_at: Option<i64>,
}

/// Which jobs a list shows; `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One job.
    pub job: Option<Uuid>,
    /// The key of a status.
    pub status: Option<String>,
    /// A technician.
    pub technician: Option<Uuid>,
    /// The key of a kind.
    pub kind: Option<String>,
    /// Windows (or, without one, creations) from this instant on.
    pub from: Option<i64>,
    /// And before this one.
    pub until: Option<i64>,
    /// A household.
    pub household: Option<Uuid>,
    /// What the household's account, holder, address or phone number is like, in lower case.
    pub pattern: Option<String>,
    /// Of what nobody has to go to any more only windows (or, without one, creations) from this instant on.
    pub recent: Option<i64>,
}

/// Lists jobs of a hall after an id, in the order of ids.
pub async fn list_jobs(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    (after, limit): (Uuid, i64),
) -> Result<Vec<ListedRow>> {
    c.q(LIST_JOBS)
        .bind(hall.0)
        .bind(after)
        .bind(filter.job)
        .bind(&filter.status)
        .bind(filter.technician)
        .bind(&filter.kind)
        .bind(filter.from)
        .bind(filter.until)
        .bind(&filter.pattern)
        .bind(limit)
        .bind(filter.recent)
        .bind(filter.household)
        .all()
        .await
}

/// What a plan needs to know of a job.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct CallRow {
    /// The job.
    pub job_id: Uuid,
    /// The kind's key.
    pub kind: String,
    /// The status's key.
    pub status: String,
    /// Who is to do it.
    pub technician_id: Option<Uuid>,
    /// When the window that holds begins.
    pub window_start: Option<i64>,
    /// When it ends.
    pub window_end: Option<i64>,
    /// When the hall took the job on.
    pub created_at: i64,
    /// When what was promised is broken.
    pub promise_due_at: Option<i64>,
    /// The position of the change that last touched it.
    pub updated_position: i64,
    /// The address.
    pub address: String,
    /// Where the door is, or where an unregistered place is likely to be; degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
}

/// Lists the given-out jobs of a hall whose windows (or, without one, creations) lie in a span.
pub async fn list_calls(c: C<'_>, hall: HallId, (from, until): (i64, i64)) -> Result<Vec<CallRow>> {
    c.q(LIST_CALLS).bind(hall.0).bind(from).bind(until).all().await
}

/// Lists what nobody has: jobs whose windows begin in a span, and those without one.
pub async fn list_open_calls(
    c: C<'_>,
    hall: HallId,
    (from, until): (i64, i64),
) -> Result<Vec<CallRow>> {
    c.q(LIST_OPEN_CALLS).bind(hall.0).bind(from).bind(until).all().await
}

/// Finds what a plan needs to know of one job.
pub async fn find_call(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<CallRow>> {
    c.q(FIND_CALL).bind(hall.0).bind(job.0).opt().await
}

/// When somebody was at a door, at the latest known bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StayRow {
    /// The job.
    pub job_id: Uuid,
    /// Who was there.
    pub technician_id: Uuid,
    /// The earliest that they can have arrived.
    pub arrived_at: Option<i64>,
    /// The latest that they can have left; none while they are there.
    pub ended_at: Option<i64>,
}

/// Lists the visits to jobs of a hall whose windows (or, without one, creations) lie in a span.
pub async fn list_stays(c: C<'_>, hall: HallId, (from, until): (i64, i64)) -> Result<Vec<StayRow>> {
    c.q(LIST_STAYS).bind(hall.0).bind(from).bind(until).all().await
}

#[cfg(test)]
mod tests {
    use domain::status::Status;

    use super::*;

    #[test]
    fn what_somebody_still_has_to_go_to_is_what_the_fold_says() {
        for status in Status::ALL {
            assert_eq!(LIST_JOBS.contains(&format!("'{}'", status.key())), status.is_open());
        }
    }
}
