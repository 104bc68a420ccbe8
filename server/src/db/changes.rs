//! Accepted changes as the bytes that arrived: the truth of every job.

use domain::id::{DeviceId, HallId, JobId};
use uuid::Uuid;

use super::{C, Result, insert_rows, select_in, statements};

statements! {
    INSERT_CHANGE = "insert into change (hash, hall_id, job_id, position, actor, seq, device_id, author_id, \
        received_at, sent_boot, sent_mono_ms, bytes) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    LIST_JOB_CHANGES = "select hash, hall_id, job_id, position, actor, seq, device_id, author_id, received_at, \
        sent_boot, sent_mono_ms, bytes from change where job_id = $1 and position > $2 order by position";
    LIST_HALL_CHANGES = "select hash, hall_id, job_id, position, actor, seq, device_id, author_id, received_at, \
        sent_boot, sent_mono_ms, bytes from change where hall_id = $1 and position > $2 order by position limit $3";
    COUNT_JOB_CHANGES = "select count(*) from change where job_id = $1 and position > $2";
    LIST_ARRIVALS = "select device_id, received_at, sent_boot, sent_mono_ms, bytes from change \
        where job_id = $1 and device_id is not null order by position";
    FIND_KNOWN_CHANGES = "select hash, job_id, position, device_id from change where hash in ($1)";
    COUNT_CAME = "select (select count(*) from change c where c.device_id = $1 and c.received_at >= $2) \
        + (select count(*) from waiting w where w.device_id = $1 and w.received_at >= $2) \
        + (select count(*) from quarantine q where q.device_id = $1 and q.received_at >= $2 and q.released_at is null)";
    FIND_CHANGE_POSITION = "select position from change where hash = $1";
}

/// A change as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ChangeRow {
    /// Its hash.
    pub hash: Vec<u8>,
    /// The hall of the job.
    pub hall_id: Uuid,
    /// The job.
    pub job_id: Uuid,
    /// Its place in the hall's feed.
    pub position: i64,
    /// The Automerge actor that made it.
    pub actor: Vec<u8>,
    /// Its place among that actor's changes.
    pub seq: i64,
    /// The device that made it; `None` for the server.
    pub device_id: Option<Uuid>,
    /// The person it was made for; `None` for the server's own.
    pub author_id: Option<Uuid>,
    /// When the server took it.
    pub received_at: i64,
    /// The device's boot when it sent the request.
    pub sent_boot: Option<i64>,
    /// The device's monotonic clock when it sent the request.
    pub sent_mono_ms: Option<i64>,
    /// The change chunk.
    pub bytes: Vec<u8>,
}

/// Inserts changes that were accepted; one that is there already is a unique violation.
pub async fn insert_changes(c: C<'_>, changes: &[ChangeRow]) -> Result<()> {
    insert_rows(c, INSERT_CHANGE, changes, |q, change| {
        q.bind(&change.hash)
            .bind(change.hall_id)
            .bind(change.job_id)
            .bind(change.position)
            .bind(&change.actor)
            .bind(change.seq)
            .bind(change.device_id)
            .bind(change.author_id)
            .bind(change.received_at)
            .bind(change.sent_boot)
            .bind(change.sent_mono_ms)
            .bind(&change.bytes)
    })
    .await
    .map(drop)
}

/// Lists a job's changes after a position, in order.
pub async fn list_job_changes(c: C<'_>, job: JobId, after: i64) -> Result<Vec<ChangeRow>> {
    c.q(LIST_JOB_CHANGES).bind(job.0).bind(after).all().await
}

/// Lists a hall's changes after a position, in order, at most `limit`.
pub async fn list_hall_changes(
    c: C<'_>,
    hall: HallId,
    after: i64,
    limit: i64,
) -> Result<Vec<ChangeRow>> {
    c.q(LIST_HALL_CHANGES).bind(hall.0).bind(after).bind(limit).all().await
}

/// Finds where a change is in its hall's feed.
pub async fn find_change_position(c: C<'_>, hash: &[u8]) -> Result<Option<i64>> {
    let row: Option<(i64,)> = c.q(FIND_CHANGE_POSITION).bind(hash).opt().await?;
    Ok(row.map(|(position,)| position))
}

/// Where an accepted change is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownRow {
    /// Its name.
    pub hash: Vec<u8>,
    /// The job that has it.
    pub job_id: Uuid,
    /// Where in the hall's feed.
    pub position: i64,
    /// The device that made it; null for the hall's own.
    pub device_id: Option<Uuid>,
}

/// Finds those of the changes that were accepted.
pub async fn find_known_changes(c: C<'_>, hashes: &[Vec<u8>]) -> Result<Vec<KnownRow>> {
    select_in(c, FIND_KNOWN_CHANGES, hashes).await
}

/// How a change of a device arrived.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ArrivalRow {
    /// The device that made it.
    pub device_id: Uuid,
    /// When the server took it.
    pub received_at: i64,
    /// The device's boot when it sent the request.
    pub sent_boot: Option<i64>,
    /// The device's monotonic clock then.
    pub sent_mono_ms: Option<i64>,
    /// The change chunk.
    pub bytes: Vec<u8>,
}

/// Lists how a job's changes arrived from devices, in the order of their positions.
pub async fn list_arrivals(c: C<'_>, job: JobId) -> Result<Vec<ArrivalRow>> {
    c.q(LIST_ARRIVALS).bind(job.0).all().await
}

/// How many changes of a device came since an instant, those that wait or are kept apart too.
pub async fn count_came(c: C<'_>, device: DeviceId, since_ms: i64) -> Result<i64> {
    c.q(COUNT_CAME).bind(device.0).bind(since_ms).scalar().await
}

/// Counts a job's changes after a position.
pub async fn count_job_changes(c: C<'_>, job: JobId, after: i64) -> Result<i64> {
    c.q(COUNT_JOB_CHANGES).bind(job.0).bind(after).scalar().await
}
