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
    RAISE_LIVE_FLOOR = "insert into live_floor (hall_id, position) \
        select hall_id, max(position) from live_event where at < $1 group by hall_id \
        on conflict (hall_id) do update set position = excluded.position where live_floor.position < excluded.position";
    DELETE_LIVE_EVENTS = "delete from live_event where position <= \
        (select f.position from live_floor f where f.hall_id = live_event.hall_id)";
    DELETE_SESSIONS = "delete from session where expires_at < $1 or ended_at < $1";
    DELETE_ENROLMENTS = "delete from enrolment where expires_at < $1";
    DELETE_RELEASED = "delete from quarantine where released_at < $1 \
        and exists (select c.hash from change c where c.hash = quarantine.hash)";
    COUNT_QUARANTINE = "select count(*), min(received_at) from quarantine where released_at is null";
    COUNT_WAITING = "select count(*), min(received_at) from waiting";
    COUNT_PENDING = "select count(*), min(heard_at) from device where pending > 0 and revoked_at is null";
    COUNT_SILENT = "select count(*) from device where revoked_at is null and coalesce(heard_at, enrolled_at) < $1";
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

/// Deletes live events from before an instant, and notes up to where in the same transaction.
pub async fn prune_live_events(mut c: C<'_>, before_ms: i64) -> Result<u64> {
    c.lend().q(RAISE_LIVE_FLOOR).bind(before_ms).execute().await?;
    c.q(DELETE_LIVE_EVENTS).execute().await
}

/// Deletes sessions and enrolment codes that were over before an instant.
pub async fn prune_sessions(mut c: C<'_>, before_ms: i64) -> Result<u64> {
    let codes = c.lend().q(DELETE_ENROLMENTS).bind(before_ms).execute().await?;
    Ok(codes + c.q(DELETE_SESSIONS).bind(before_ms).execute().await?)
}

/// Deletes from quarantine what was released before an instant and is among the accepted changes.
pub async fn prune_released(c: C<'_>, before_ms: i64) -> Result<u64> {
    c.q(DELETE_RELEASED).bind(before_ms).execute().await
}

/// How many wait for something, and since when the oldest does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many.
    pub count: i64,
    /// Since when, Unix ms.
    pub oldest_at: Option<i64>,
}

async fn queue(c: C<'_>, statement: &'static str) -> Result<Queue> {
    let (count, oldest_at) = c.q(statement).one::<(i64, Option<i64>)>().await?;
    Ok(Queue { count, oldest_at })
}

/// Changes that are kept apart.
pub async fn count_quarantine(c: C<'_>) -> Result<Queue> {
    queue(c, COUNT_QUARANTINE).await
}

/// Changes whose causes have not arrived.
pub async fn count_waiting(c: C<'_>) -> Result<Queue> {
    queue(c, COUNT_WAITING).await
}

/// Phones that said that they hold something alone; the oldest is the one unheard for longest.
pub async fn count_pending_phones(c: C<'_>) -> Result<Queue> {
    queue(c, COUNT_PENDING).await
}

/// Phones that were not heard since an instant.
pub async fn count_silent_phones(c: C<'_>, since_ms: i64) -> Result<i64> {
    c.q(COUNT_SILENT).bind(since_ms).scalar().await
}
