//! Grants: who may hold which job, from which position to which.

use domain::id::{HallId, JobId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_GRANT = "insert into job_grant (job_id, user_id, hall_id, granted_position) values ($1, $2, $3, $4)";
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
