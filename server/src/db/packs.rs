//! Rule packs as the text that was read.

use domain::id::{HallId, JobId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_PACK = "insert into rule_pack (pack_id, hash, toml, added_at, added_by) values ($1, $2, $3, $4, $5) \
        on conflict do nothing";
    FIND_PACK = "select pack_id, hash, toml, added_at, added_by, withdrawn_at from rule_pack where pack_id = $1";
    LIST_PACK_HASHES = "select pack_id, hash from rule_pack where withdrawn_at is null order by pack_id";
    LIST_PACKS = "select p.pack_id, p.added_at, p.added_by, p.withdrawn_at, \
        (select count(*) from document d where d.pack_id = p.pack_id) as jobs from rule_pack p \
        order by p.added_at, p.pack_id";
    LIST_PACK_ORIGINS = "select pack_id, added_by, added_at from rule_pack where withdrawn_at is null \
        order by added_at, pack_id";
    LIST_TRIAL_JOBS = "select job_id from job where hall_id = $1 and coalesce(window_start, created_at) >= $2 \
        order by coalesce(window_start, created_at) desc, job_id limit $3";
    COUNT_TRIAL_JOBS = "select count(*) from job where hall_id = $1 and coalesce(window_start, created_at) >= $2";
    WITHDRAW_PACK = "update rule_pack set withdrawn_at = $1 where pack_id = $2 and withdrawn_at is null";
}

/// A rule pack as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PackRow {
    /// The pack's id.
    pub pack_id: String,
    /// SHA-256 of the text.
    pub hash: Vec<u8>,
    /// The text.
    pub toml: String,
    /// When the server learnt it.
    pub added_at: i64,
    /// Who brought it; `None` for one that comes with the program.
    pub added_by: Option<Uuid>,
    /// When it was taken back, before it held.
    pub withdrawn_at: Option<i64>,
}

/// A rule pack in a list, without its text.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedPackRow {
    /// The pack's id.
    pub pack_id: String,
    /// When the server learnt it.
    pub added_at: i64,
    /// Who brought it; `None` for one that comes with the program.
    pub added_by: Option<Uuid>,
    /// When it was taken back, before it held.
    pub withdrawn_at: Option<i64>,
    /// How many jobs are judged by it.
    pub jobs: i64,
}

/// Who brought a rule pack, and when.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PackOriginRow {
    /// The pack's id.
    pub pack_id: String,
    /// Who brought it; `None` for one that comes with the program.
    pub added_by: Option<Uuid>,
    /// When the server learnt it.
    pub added_at: i64,
}

/// Inserts a pack unless one with its id is there: a pack never changes. Tells whether it is new.
pub async fn insert_pack(c: C<'_>, pack: &PackRow) -> Result<bool> {
    c.q(INSERT_PACK)
        .bind(&pack.pack_id)
        .bind(&pack.hash)
        .bind(&pack.toml)
        .bind(pack.added_at)
        .bind(pack.added_by)
        .execute()
        .await
        .map(|written| written > 0)
}

/// Finds a pack by its id.
pub async fn find_pack(c: C<'_>, id: &str) -> Result<Option<PackRow>> {
    c.q(FIND_PACK).bind(id).opt().await
}

/// Lists every pack, those taken back too, oldest first.
pub async fn list_packs(c: C<'_>) -> Result<Vec<ListedPackRow>> {
    c.q(LIST_PACKS).all().await
}

/// Lists who brought each pack that was not taken back, oldest first.
pub async fn list_pack_origins(c: C<'_>) -> Result<Vec<PackOriginRow>> {
    c.q(LIST_PACK_ORIGINS).all().await
}

/// Lists a hall's jobs from an instant on by window, or by when they were taken on; newest first.
pub async fn list_trial_jobs(c: C<'_>, hall: HallId, from: i64, limit: i64) -> Result<Vec<JobId>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_TRIAL_JOBS).bind(hall.0).bind(from).bind(limit).all().await?;
    Ok(rows.into_iter().map(|row| JobId(row.0)).collect())
}

/// Counts a hall's jobs from an instant on.
pub async fn count_trial_jobs(c: C<'_>, hall: HallId, from: i64) -> Result<i64> {
    c.q(COUNT_TRIAL_JOBS).bind(hall.0).bind(from).scalar().await
}

/// Takes a pack back; tells whether it was not yet.
pub async fn withdraw_pack(c: C<'_>, id: &str, now_ms: i64) -> Result<bool> {
    Ok(c.q(WITHDRAW_PACK).bind(now_ms).bind(id).execute().await? > 0)
}

/// Lists the id of every pack that phones may need, with the SHA-256 of its text.
pub async fn list_pack_hashes(c: C<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    c.q(LIST_PACK_HASHES).all().await
}
