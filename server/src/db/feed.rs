//! What a user has not read yet: grants, withdrawals and the changes behind them.

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::grants::GrantRow;
use super::{C, Result, statements};

statements! {
    LIST_NEW_GRANTS = "select job_id, user_id, granted_position, withdrawn_position from job_grant \
        where user_id = $1 and (granted_position > $2 or withdrawn_position > $2) \
        order by coalesce(withdrawn_position, granted_position), job_id limit $3";
    LIST_NEW_CHANGES = "select c.job_id, c.position, c.device_id, c.bytes from change c \
        join job_grant g on g.job_id = c.job_id and g.user_id = $1 and g.withdrawn_position is null \
        and g.granted_position <= $2 where c.hall_id = $3 and c.position > $2 order by c.position limit $4";
    LIST_GRANTED_CHANGES = "select c.job_id, c.position, c.device_id, c.bytes from change c \
        join job_grant g on g.job_id = c.job_id and g.user_id = $1 and g.withdrawn_position is null \
        and g.granted_position > $2 and g.granted_position <= $3 order by c.position";
}

/// A change as a feed carries it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FedRow {
    /// The job.
    pub job_id: Uuid,
    /// Where in the hall's feed.
    pub position: i64,
    /// The device that made it; null for the hall's own.
    pub device_id: Option<Uuid>,
    /// The raw change chunk.
    pub bytes: Vec<u8>,
}

/// Lists what a user was given or lost after a position, in the order in which it happened.
pub async fn list_new_grants(
    c: C<'_>,
    user: UserId,
    after: i64,
    limit: i64,
) -> Result<Vec<GrantRow>> {
    c.q(LIST_NEW_GRANTS).bind(user.0).bind(after).bind(limit).all().await
}

/// Lists changes after a position of the jobs that the user held before it.
pub async fn list_new_changes(
    c: C<'_>,
    hall: HallId,
    user: UserId,
    after: i64,
    limit: i64,
) -> Result<Vec<FedRow>> {
    c.q(LIST_NEW_CHANGES).bind(user.0).bind(after).bind(hall.0).bind(limit).all().await
}

/// Lists all changes of the jobs given to the user after one position and up to another.
pub async fn list_granted_changes(
    c: C<'_>,
    user: UserId,
    after: i64,
    until: i64,
) -> Result<Vec<FedRow>> {
    c.q(LIST_GRANTED_CHANGES).bind(user.0).bind(after).bind(until).all().await
}
