//! Changes whose causes have not arrived.

use domain::id::{DeviceId, JobId, UserId};
use uuid::Uuid;

use super::{C, Result, insert_rows, select_in, statements};

statements! {
    INSERT_WAITING = "insert into waiting (hash, hall_id, job_id, actor, seq, device_id, user_id, received_at, \
        sent_boot, sent_mono_ms, bytes, voucher) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
        on conflict do nothing";
    LIST_WAITING = "select hash, hall_id, job_id, actor, seq, device_id, user_id, received_at, sent_boot, \
        sent_mono_ms, bytes, voucher from waiting where job_id = $1 order by received_at, hash";
    FIND_WAITING = "select hash, device_id, user_id from waiting where hash in ($1)";
    DELETE_WAITING = "delete from waiting where hash = $1";
    DELETE_WAITING_OF = "delete from waiting where hash = $1 and job_id = $2 and device_id = $3 and user_id = $4";
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WaitingRow {
    /// Its name.
    pub hash: Vec<u8>,
    /// The hall.
    pub hall_id: Uuid,
    /// The job it was offered for.
    pub job_id: Uuid,
    /// Its actor.
    pub actor: Vec<u8>,
    /// Its place among that actor's changes.
    pub seq: i64,
    /// The device that offered it.
    pub device_id: Uuid,
    /// The user who offered it.
    pub user_id: Uuid,
    /// When it came.
    pub received_at: i64,
    /// The device's boot when it sent the request.
    pub sent_boot: i64,
    /// The device's monotonic clock then.
    pub sent_mono_ms: i64,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// The hall's own word for it, encoded.
    pub voucher: Option<Vec<u8>>,
}

/// Keeps changes until their causes arrive.
pub async fn insert_waiting(c: C<'_>, rows: &[WaitingRow]) -> Result<()> {
    insert_rows(c, INSERT_WAITING, rows, |q, row| {
        q.bind(&row.hash)
            .bind(row.hall_id)
            .bind(row.job_id)
            .bind(&row.actor)
            .bind(row.seq)
            .bind(row.device_id)
            .bind(row.user_id)
            .bind(row.received_at)
            .bind(row.sent_boot)
            .bind(row.sent_mono_ms)
            .bind(&row.bytes)
            .bind(&row.voucher)
    })
    .await
    .map(drop)
}

/// Lists what waits for a job, in the order of arrival.
pub async fn list_waiting(c: C<'_>, job: JobId) -> Result<Vec<WaitingRow>> {
    c.q(LIST_WAITING).bind(job.0).all().await
}

/// A change that waits, and in whose name.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WaitsRow {
    /// Its name.
    pub hash: Vec<u8>,
    /// The device that offered it.
    pub device_id: Uuid,
    /// The user who offered it.
    pub user_id: Uuid,
}

/// Finds those of the changes that wait.
pub async fn find_waiting(c: C<'_>, hashes: &[Vec<u8>]) -> Result<Vec<WaitsRow>> {
    select_in(c, FIND_WAITING, hashes).await
}

/// Ends the waiting of a change, in whoever's name.
pub async fn delete_waiting(c: C<'_>, hash: &[u8]) -> Result<()> {
    c.q(DELETE_WAITING).bind(hash).execute().await.map(drop)
}

/// Ends the waiting of a change of a job in one name.
pub async fn delete_waiting_of(
    c: C<'_>,
    hash: &[u8],
    job: JobId,
    (device, user): (DeviceId, UserId),
) -> Result<()> {
    c.q(DELETE_WAITING_OF)
        .bind(hash)
        .bind(job.0)
        .bind(device.0)
        .bind(user.0)
        .execute()
        .await
        .map(drop)
}
