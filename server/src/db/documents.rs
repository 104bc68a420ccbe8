//! Job documents: that they exist, and snapshots of them.

use domain::id::{HallId, JobId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_DOCUMENT = "insert into document (job_id, hall_id, household_id, pack_id, created_at) \
        values ($1, $2, $3, $4, $5)";
    FIND_DOCUMENT = "select job_id, hall_id, household_id, pack_id, created_at from document \
        where job_id = $1 and hall_id = $2 and erased_at is null";
    COUNT_DOCUMENT = "select count(*) from document where job_id = $1";
    LIST_DOCUMENT_IDS = "select job_id from document where erased_at is null order by job_id";
    UPSERT_SNAPSHOT = "insert into snapshot (job_id, position, made_at, bytes) values ($1, $2, $3, $4) \
        on conflict (job_id) do update set position = excluded.position, made_at = excluded.made_at, \
        bytes = excluded.bytes";
    FIND_SNAPSHOT = "select job_id, position, bytes from snapshot where job_id = $1";
}

/// A document as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DocumentRow {
    /// The job's id, also the document's.
    pub job_id: Uuid,
    /// The hall it belongs to.
    pub hall_id: Uuid,
    /// Whose door it is.
    pub household_id: Uuid,
    /// The rule pack it is judged by.
    pub pack_id: String,
    /// When the hall took it on.
    pub created_at: i64,
}

/// A snapshot as stored: a cache of the changes up to a position.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SnapshotRow {
    /// The job's id.
    pub job_id: Uuid,
    /// Every change of the job up to here is in it.
    pub position: i64,
    /// An Automerge file.
    pub bytes: Vec<u8>,
}

/// Inserts a document; its rule pack has to be there.
pub async fn insert_document(c: C<'_>, document: &DocumentRow) -> Result<()> {
    c.q(INSERT_DOCUMENT)
        .bind(document.job_id)
        .bind(document.hall_id)
        .bind(document.household_id)
        .bind(&document.pack_id)
        .bind(document.created_at)
        .execute()
        .await
        .map(drop)
}

/// Whether there is such a document in any hall, or was before it was erased.
pub async fn was_document(c: C<'_>, job: JobId) -> Result<bool> {
    Ok(c.q(COUNT_DOCUMENT).bind(job.0).scalar::<i64>().await? > 0)
}

/// Finds a document of a hall that was not erased.
pub async fn find_document(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<DocumentRow>> {
    c.q(FIND_DOCUMENT).bind(job.0).bind(hall.0).opt().await
}

/// Keeps a snapshot in place of the job's earlier one.
pub async fn upsert_snapshot(c: C<'_>, snapshot: &SnapshotRow, now_ms: i64) -> Result<()> {
    c.q(UPSERT_SNAPSHOT)
        .bind(snapshot.job_id)
        .bind(snapshot.position)
        .bind(now_ms)
        .bind(&snapshot.bytes)
        .execute()
        .await
        .map(drop)
}

/// Finds a job's snapshot.
pub async fn find_snapshot(c: C<'_>, job: JobId) -> Result<Option<SnapshotRow>> {
    c.q(FIND_SNAPSHOT).bind(job.0).opt().await
}

/// Lists every document of the server that was not erased.
pub async fn list_document_ids(c: C<'_>) -> Result<Vec<JobId>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_DOCUMENT_IDS).all().await?;
    Ok(rows.into_iter().map(|(job,)| JobId(job)).collect())
}
