//! Leaks that people are called to: who is called next, when, and who took the alarm on.

use domain::id::{HallId, JobId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_LEAK = "insert into leak (job_id, hall_id, begun_at, begun_by, caller_phone, state, next_at, team) \
        values ($1, $2, $3, $4, $5, 'calling', $3, '')";
    FIND_LEAK = "select job_id, hall_id, begun_at, begun_by, caller_phone, state, next_at, lead_id, team, alarm_at, \
        taken_by, taken_at from leak where job_id = $1";
    UPDATE_LEAK = "update leak set state = $1, next_at = $2, lead_id = $3, team = $4, alarm_at = $5, taken_by = $6, \
        taken_at = $7 where job_id = $8";
    LIST_DUE_LEAKS = "select job_id, hall_id from leak where state = 'calling' and next_at <= $1 \
        order by next_at, job_id limit $2";
    LIST_URGENT = "select j.job_id, j.status, j.created_at, j.promise_due_at, j.technician_id, h.account, h.address, \
        p.made_at as unregistered_at, l.begun_at, l.caller_phone, l.state, l.alarm_at, l.taken_by, l.taken_at \
        from job j join household h on h.household_id = j.household_id left join leak l on l.job_id = j.job_id \
        left join unregistered_place p on p.household_id = j.household_id \
        where j.hall_id = $1 and j.kind = 'emergency' and j.status in ('unassigned', 'assigned', 'set_out') \
        order by j.created_at, j.job_id limit $2";
}

/// A leak as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LeakRow {
    /// Its job.
    pub job_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// When calling began, Unix ms.
    pub begun_at: i64,
    /// Who began it.
    pub begun_by: Uuid,
    /// The number that the caller can be reached at.
    pub caller_phone: String,
    /// `calling`, `led`, `alarm` or `over`.
    pub state: String,
    /// When the next person is called, Unix ms; only while calling.
    pub next_at: Option<i64>,
    /// To whom the acceptances gave the job.
    pub lead_id: Option<Uuid>,
    /// Who comes, as they were told.
    pub team: String,
    /// When every console began to sound, Unix ms.
    pub alarm_at: Option<i64>,
    /// Who took the alarm on.
    pub taken_by: Option<Uuid>,
    /// When, Unix ms.
    pub taken_at: Option<i64>,
}

impl std::fmt::Debug for LeakRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("LeakRow");
        shown.field("job_id", &self.job_id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A leak whose next person is to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DueRow {
    /// Its job.
    pub job_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
}

/// An emergency that nobody has reached, with its calling if people are called to it.
#[derive(Clone, sqlx::FromRow)]
pub struct UrgentRow {
    /// The job.
    pub job_id: Uuid,
    /// Where it stands.
    pub status: String,
    /// When it was taken on, Unix ms.
    pub created_at: i64,
    /// When the promise is broken, Unix ms.
    pub promise_due_at: Option<i64>,
    /// Who has it.
    pub technician_id: Option<Uuid>,
    /// The household's account.
    pub account: String,
    /// Where.
    pub address: String,
    /// When it was taken down as a place that no register knows.
    pub unregistered_at: Option<i64>,
    /// When calling began; none where nobody is called.
    pub begun_at: Option<i64>,
    /// The number that the caller can be reached at.
    pub caller_phone: Option<String>,
    /// `calling`, `led`, `alarm` or `over`.
    pub state: Option<String>,
    /// When every console began to sound.
    pub alarm_at: Option<i64>,
    /// Who took the alarm on.
    pub taken_by: Option<Uuid>,
    /// When.
    pub taken_at: Option<i64>,
}

impl std::fmt::Debug for UrgentRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UrgentRow").field("job_id", &self.job_id).finish_non_exhaustive()
    }
}

/// Begins to call people to a job.
pub async fn insert_leak(
    c: C<'_>,
    (hall, job): (HallId, JobId),
    (by, phone): (UserId, &str),
    now_ms: i64,
) -> Result<()> {
    let insert = c.q(INSERT_LEAK).bind(job.0).bind(hall.0).bind(now_ms).bind(by.0).bind(phone);
    insert.execute().await.map(drop)
}

/// Finds the calling of a job, where there is one.
pub async fn find_leak(c: C<'_>, job: JobId) -> Result<Option<LeakRow>> {
    c.q(FIND_LEAK).bind(job.0).opt().await
}

/// Writes down how a calling goes on.
pub async fn update_leak(c: C<'_>, row: &LeakRow) -> Result<()> {
    c.q(UPDATE_LEAK)
        .bind(&row.state)
        .bind(row.next_at)
        .bind(row.lead_id)
        .bind(&row.team)
        .bind(row.alarm_at)
        .bind(row.taken_by)
        .bind(row.taken_at)
        .bind(row.job_id)
        .execute()
        .await
        .map(drop)
}

/// Lists leaks of all halls whose next person is to be called.
pub async fn list_due_leaks(c: C<'_>, now_ms: i64, limit: i64) -> Result<Vec<DueRow>> {
    c.q(LIST_DUE_LEAKS).bind(now_ms).bind(limit).all().await
}

/// Lists the emergencies of a hall that nobody has reached, oldest first.
pub async fn list_urgent(c: C<'_>, hall: HallId, limit: i64) -> Result<Vec<UrgentRow>> {
    c.q(LIST_URGENT).bind(hall.0).bind(limit).all().await
}
