//! Changes that were not accepted, kept whole with the reason.

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::{C, Result, insert_rows, select_in, statements};

statements! {
    UPSERT_QUARANTINED = "insert into quarantine (hash, hall_id, job_id, device_id, user_id, reason, detail, \
        received_at, sent_boot, sent_mono_ms, bytes, released_at, released_by) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
        on conflict (hash) do update set job_id = excluded.job_id, device_id = excluded.device_id, \
        user_id = excluded.user_id, reason = excluded.reason, detail = excluded.detail, \
        received_at = excluded.received_at, sent_boot = excluded.sent_boot, sent_mono_ms = excluded.sent_mono_ms, \
        released_at = null, released_by = null";
    LIST_QUARANTINE = "select hash, hall_id, job_id, device_id, user_id, reason, detail, received_at, sent_boot, \
        sent_mono_ms, bytes, released_at, released_by from quarantine \
        where hall_id = $1 and released_at is null and (received_at > $2 or (received_at = $2 and hash > $3)) \
        and (reason = $4 or $4 is null) and (job_id = $5 or $5 is null) and (device_id = $6 or $6 is null) \
        and (user_id = $7 or $7 is null) order by received_at, hash limit $8";
    FIND_QUARANTINED = "select hash, hall_id, job_id, device_id, user_id, reason, detail, received_at, sent_boot, \
        sent_mono_ms, bytes, released_at, released_by from quarantine where hash = $1 and hall_id = $2";
    FIND_UNRELEASED = "select hash, reason, device_id, user_id from quarantine where released_at is null and hash in ($1)";
    RELEASE_QUARANTINED = "update quarantine set released_at = $1, released_by = $2 \
        where hash = $3 and released_at is null";
}

/// A change kept apart.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QuarantineRow {
    /// Its name.
    pub hash: Vec<u8>,
    /// The hall.
    pub hall_id: Uuid,
    /// The job it was offered for.
    pub job_id: Option<Uuid>,
    /// The device that offered it.
    pub device_id: Uuid,
    /// The user who offered it.
    pub user_id: Uuid,
    /// The key of the reason.
    pub reason: String,
    /// The reason in words; may quote what was written.
    pub detail: String,
    /// When it came.
    pub received_at: i64,
    /// The device's boot when it sent the request.
    pub sent_boot: i64,
    /// The device's monotonic clock then.
    pub sent_mono_ms: i64,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// When a person let it out.
    pub released_at: Option<i64>,
    /// Who did; `None` when it came again with the hall's own word.
    pub released_by: Option<Uuid>,
}

/// Why an unreleased change is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReasonRow {
    /// Its name.
    pub hash: Vec<u8>,
    /// The key of the reason.
    pub reason: String,
    /// The device that offered it.
    pub device_id: Uuid,
    /// The user who offered it.
    pub user_id: Uuid,
}

/// Keeps changes apart; one that was let out before and refused again is apart again.
pub async fn upsert_quarantined(c: C<'_>, rows: &[QuarantineRow]) -> Result<()> {
    insert_rows(c, UPSERT_QUARANTINED, rows, |q, row| {
        q.bind(&row.hash)
            .bind(row.hall_id)
            .bind(row.job_id)
            .bind(row.device_id)
            .bind(row.user_id)
            .bind(&row.reason)
            .bind(&row.detail)
            .bind(row.received_at)
            .bind(row.sent_boot)
            .bind(row.sent_mono_ms)
            .bind(&row.bytes)
            .bind(row.released_at)
            .bind(row.released_by)
    })
    .await
    .map(drop)
}

/// Which changes a list shows; `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The key of a reason.
    pub reason: Option<String>,
    /// The job they were offered for.
    pub job: Option<Uuid>,
    /// The device that offered them.
    pub device: Option<Uuid>,
    /// The person who did.
    pub user: Option<Uuid>,
}

/// Lists what a hall keeps apart and nobody let out, after a time of receipt and a hash.
pub async fn list_quarantine(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    ((received_at, hash), limit): ((i64, Vec<u8>), i64),
) -> Result<Vec<QuarantineRow>> {
    c.q(LIST_QUARANTINE)
        .bind(hall.0)
        .bind(received_at)
        .bind(hash)
        .bind(&filter.reason)
        .bind(filter.job)
        .bind(filter.device)
        .bind(filter.user)
        .bind(limit)
        .all()
        .await
}

/// Finds a change that a hall kept apart, released or not.
pub async fn find_quarantined(
    c: C<'_>,
    hall: HallId,
    hash: &[u8],
) -> Result<Option<QuarantineRow>> {
    c.q(FIND_QUARANTINED).bind(hash).bind(hall.0).opt().await
}

/// Finds those of the changes that are kept apart.
pub async fn find_unreleased(c: C<'_>, hashes: &[Vec<u8>]) -> Result<Vec<ReasonRow>> {
    select_in(c, FIND_UNRELEASED, hashes).await
}

/// Lets a change out, on somebody's word or, with `None`, because it came again with the hall's own.
pub async fn release_quarantined(
    c: C<'_>,
    hash: &[u8],
    by: Option<UserId>,
    now_ms: i64,
) -> Result<()> {
    let by = by.map(|by| by.0);
    c.q(RELEASE_QUARANTINED).bind(now_ms).bind(by).bind(hash).execute().await.map(drop)
}
