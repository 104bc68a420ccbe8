//! What the server notes of its own upkeep: verified backups, pruned live events, the last time that was known.

use domain::id::HallId;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_BACKUP = "insert into backup (backup_id, made_at, verified_at, folder, row_count, size_bytes) \
        values ($1, $2, $3, $4, $5, $6)";
    FIND_LATEST_BACKUP = "select backup_id, made_at, verified_at, folder, row_count, size_bytes from backup \
        order by made_at desc limit 1";
    FIND_LIVE_FLOOR = "select position from live_floor where hall_id = $1";
    SEE_CLOCK = "insert into clock_seen (clock_seen_id, seen_at) values (1, $1) \
        on conflict (clock_seen_id) do update set seen_at = excluded.seen_at where clock_seen.seen_at < excluded.seen_at";
    FIND_CLOCK = "select seen_at from clock_seen";
}

/// A backup that was read back whole.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BackupRow {
    /// Its id, also in its manifest.
    pub backup_id: Uuid,
    /// The moment of which it tells, Unix ms.
    pub made_at: i64,
    /// When it had been read back, Unix ms.
    pub verified_at: i64,
    /// Where it was written.
    pub folder: String,
    /// Rows of all tables.
    pub row_count: i64,
    /// Bytes of all parts.
    pub size_bytes: i64,
}

/// Notes a verified backup.
pub async fn insert_backup(c: C<'_>, row: &BackupRow) -> Result<()> {
    let insert = c.q(INSERT_BACKUP).bind(row.backup_id).bind(row.made_at).bind(row.verified_at);
    let insert = insert.bind(&row.folder).bind(row.row_count).bind(row.size_bytes);
    insert.execute().await.map(drop)
}

/// Finds the newest verified backup.
pub async fn find_latest_backup(c: C<'_>) -> Result<Option<BackupRow>> {
    c.q(FIND_LATEST_BACKUP).opt().await
}

/// The position up to which a hall's live events may have been deleted; 0 when none were.
pub async fn find_live_floor(c: C<'_>, hall: HallId) -> Result<i64> {
    let found: Option<(i64,)> = c.q(FIND_LIVE_FLOOR).bind(hall.0).opt().await?;
    Ok(found.map_or(0, |it| it.0))
}

/// Notes what time it is; an earlier time than the one noted changes nothing.
pub async fn see_clock(c: C<'_>, now_ms: i64) -> Result<()> {
    c.q(SEE_CLOCK).bind(now_ms).execute().await.map(drop)
}

/// The latest time that any server on this database knew.
pub async fn find_clock(c: C<'_>) -> Result<Option<i64>> {
    Ok(c.q(FIND_CLOCK).opt::<(i64,)>().await?.map(|it| it.0))
}
