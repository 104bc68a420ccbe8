//! Grants: who may hold which job, from which position to which.

use domain::id::{HallId, JobId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_GRANT = "insert into job_grant (job_id, user_id, hall_id, granted_position) values ($1, $2, $3, $4)";
    INSERT_NEAR_GRANT = "insert into job_grant (job_id, user_id, hall_id, granted_position) \
        select j.job_id, j.technician_id, j.hall_id, $1 from job j where j.job_id = $2 and j.technician_id is not null \
        and (j.kind = 'emergency' or j.window_start is null or j.window_start < $3) and not exists (select 1 from job_grant g \
        where g.job_id = j.job_id and g.user_id = j.technician_id and g.withdrawn_position is null)";
    LIST_DUE_GRANTS = "select j.job_id, j.technician_id as user_id from job j where j.hall_id = $1 and j.technician_id is not null \
        and j.status not in ('done', 'cancelled') and (j.kind = 'emergency' or j.window_start is null or j.window_start < $2) \
        and not exists (select 1 from job_grant g where g.job_id = j.job_id and g.user_id = j.technician_id \
        and g.withdrawn_position is null) order by j.window_start, j.job_id limit $3";
    LIST_OVER_GRANTS = "select g.job_id, g.user_id from job_grant g join job j on j.job_id = g.job_id \
        where g.hall_id = $1 and g.withdrawn_position is null and j.status in ('done', 'cancelled') \
        and coalesce(j.window_end, j.created_at) < $2 and not exists (select 1 from device d where d.user_id = g.user_id \
        and d.revoked_at is null and coalesce(d.heard_at, 0) <= (select max(c.received_at) from change c where c.job_id = g.job_id)) \
        order by g.job_id, g.user_id limit $3";
    WITHDRAW_GRANT = "update job_grant set withdrawn_position = $1 \
        where job_id = $2 and user_id = $3 and withdrawn_position is null";
    LIST_LIVE_GRANTS = "select job_id, user_id, granted_position, withdrawn_position from job_grant \
        where user_id = $1 and withdrawn_position is null order by granted_position, job_id";
    LIST_JOB_GRANTS = "select job_id, user_id, granted_position, withdrawn_position from job_grant \
        where job_id = $1 order by granted_position, user_id";
}

/// A grant as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GrantRow {
    /// The job that may be held.
    pub job_id: Uuid,
    /// Who may hold it.
    pub user_id: Uuid,
    /// Where it began.
    pub granted_position: i64,
    /// Where it ended; `None` while it lives.
    pub withdrawn_position: Option<i64>,
}

/// A job that is to be given to a user's phone, or taken back from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TurnRow {
    /// The job.
    pub job_id: Uuid,
    /// Whose phone.
    pub user_id: Uuid,
}

/// Gives a user a job from this position on.
pub async fn insert_grant(
    c: C<'_>,
    hall: HallId,
    job: JobId,
    user: UserId,
    position: i64,
) -> Result<()> {
    c.q(INSERT_GRANT).bind(job.0).bind(user.0).bind(hall.0).bind(position).execute().await.map(drop)
}

/// Gives a job to who is to do it, when it is near and they do not have it.
pub async fn insert_near_grant(
    c: C<'_>,
    job: JobId,
    position: i64,
    near_until_ms: i64,
) -> Result<()> {
    let insert = c.q(INSERT_NEAR_GRANT).bind(position).bind(job.0).bind(near_until_ms);
    insert.execute().await.map(drop)
}

/// Lists a hall's open jobs that have come near and that their technicians do not hold.
pub async fn list_due_grants(
    c: C<'_>,
    hall: HallId,
    near_until_ms: i64,
    limit: i64,
) -> Result<Vec<TurnRow>> {
    c.q(LIST_DUE_GRANTS).bind(hall.0).bind(near_until_ms).bind(limit).all().await
}

/// Lists what phones hold of jobs whose windows ended before a moment and that are done or cancelled, once every
/// phone of their user was heard since.
pub async fn list_over_grants(
    c: C<'_>,
    hall: HallId,
    before_ms: i64,
    limit: i64,
) -> Result<Vec<TurnRow>> {
    c.q(LIST_OVER_GRANTS).bind(hall.0).bind(before_ms).bind(limit).all().await
}

/// Takes a job back from a user; returns whether they had it.
pub async fn withdraw_grant(c: C<'_>, job: JobId, user: UserId, position: i64) -> Result<bool> {
    Ok(c.q(WITHDRAW_GRANT).bind(position).bind(job.0).bind(user.0).execute().await? > 0)
}

/// Lists what a user may hold now.
pub async fn list_live_grants(c: C<'_>, user: UserId) -> Result<Vec<GrantRow>> {
    c.q(LIST_LIVE_GRANTS).bind(user.0).all().await
}

/// Lists who held a job and who holds it.
pub async fn list_job_grants(c: C<'_>, job: JobId) -> Result<Vec<GrantRow>> {
    c.q(LIST_JOB_GRANTS).bind(job.0).all().await
}
