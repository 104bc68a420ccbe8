//! Halls, their positions, and the server's epoch.

use domain::id::HallId;
use domain::stamp::Timestamp;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_EPOCH = "insert into meta (meta_id, epoch, seal_key, created_at) values (1, $1, $2, $3) \
        on conflict do nothing";
    SET_EPOCH = "update meta set epoch = $1";
    FIND_EPOCH = "select epoch from meta";
    FIND_BEGINNING = "select epoch, created_at from meta";
    FIND_SEAL_KEY = "select seal_key from meta";
    UPSERT_HALL = "insert into hall (hall_id, name, utc_offset_minutes) values ($1, $2, $3) \
        on conflict (hall_id) do update set name = excluded.name, utc_offset_minutes = excluded.utc_offset_minutes";
    FIND_HALL = "select hall_id, name, utc_offset_minutes, next_position, safe_position from hall where hall_id = $1";
    LIST_HALLS = "select hall_id, name, utc_offset_minutes, next_position, safe_position from hall order by name, hall_id";
    RENAME_HALL = "update hall set name = $1 where hall_id = $2";
    LIST_HALL_FIGURES = "select h.hall_id, h.name, h.utc_offset_minutes, \
        (select count(*) from user_account u where u.hall_id = h.hall_id and u.disabled_at is null) as people, \
        (select count(*) from device d where d.hall_id = h.hall_id and d.revoked_at is null) as phones, \
        (select count(*) from household f where f.hall_id = h.hall_id and not exists \
        (select 1 from unregistered_place p where p.household_id = f.household_id)) as households \
        from hall h order by h.name, h.hall_id";
    TAKE_POSITIONS = "update hall set next_position = next_position + $1 where hall_id = $2 \
        returning next_position - $1";
    SET_SAFE_POSITION = "update hall set safe_position = $1 where hall_id = $2 and safe_position < $1";
}

/// A hall as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HallRow {
    /// The hall's id.
    pub hall_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its city's distance from UTC.
    pub utc_offset_minutes: i64,
    /// The first position not taken yet.
    pub next_position: i64,
    /// A verified backup covers every position up to here.
    pub safe_position: i64,
}

/// A hall with how much is in it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HallFiguresRow {
    /// The hall's id.
    pub hall_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its city's distance from UTC.
    pub utc_offset_minutes: i64,
    /// People who were not shut out.
    pub people: i64,
    /// Phones that were not shut out.
    pub phones: i64,
    /// Households.
    pub households: i64,
}

/// Gives the server its epoch unless it has one; returns the one it has.
pub async fn ensure_epoch(
    mut c: C<'_>,
    fresh: Uuid,
    seal_key: [u8; 32],
    now_ms: i64,
) -> Result<Uuid> {
    let insert = c.lend().q(INSERT_EPOCH).bind(fresh).bind(seal_key.to_vec());
    insert.bind(now_ms).execute().await?;
    find_epoch(c).await
}

/// Finds the server's epoch.
pub async fn find_epoch(c: C<'_>) -> Result<Uuid> {
    c.q(FIND_EPOCH).scalar().await
}

/// When the server was restored from a backup last: its epoch was drawn then, and not with the server itself.
pub async fn find_restored_at(c: C<'_>) -> Result<Option<Timestamp>> {
    let (epoch, created_at): (Uuid, i64) = c.q(FIND_BEGINNING).one().await?;
    let drawn_at = i64::try_from(epoch.as_u128() >> 80).ok().filter(|at| *at != created_at);
    Ok(drawn_at.and_then(Timestamp::from_timestamp_millis))
}

/// Finds the secret for seals.
pub async fn find_seal_key(c: C<'_>) -> Result<Vec<u8>> {
    c.q(FIND_SEAL_KEY).scalar().await
}

/// Begins another epoch, after a restore from a backup.
pub async fn set_epoch(c: C<'_>, epoch: Uuid) -> Result<()> {
    c.q(SET_EPOCH).bind(epoch).execute().await.map(drop)
}

/// Inserts a hall or renames it.
pub async fn upsert_hall(
    c: C<'_>,
    hall: HallId,
    name: &str,
    utc_offset_minutes: i64,
) -> Result<()> {
    c.q(UPSERT_HALL).bind(hall.0).bind(name).bind(utc_offset_minutes).execute().await.map(drop)
}

/// Finds a hall by its id.
pub async fn find_hall(c: C<'_>, hall: HallId) -> Result<Option<HallRow>> {
    c.q(FIND_HALL).bind(hall.0).opt().await
}

/// Lists every hall.
pub async fn list_halls(c: C<'_>) -> Result<Vec<HallRow>> {
    c.q(LIST_HALLS).all().await
}

/// Calls a hall something else; tells whether it is there.
pub async fn rename_hall(c: C<'_>, hall: HallId, name: &str) -> Result<bool> {
    Ok(c.q(RENAME_HALL).bind(name).bind(hall.0).execute().await? > 0)
}

/// Lists every hall with how much is in it.
pub async fn list_hall_figures(c: C<'_>) -> Result<Vec<HallFiguresRow>> {
    c.q(LIST_HALL_FIGURES).all().await
}

/// Takes `count` positions of a hall and returns the first; the hall's row stays locked until the
/// transaction ends, so that positions are committed in their order.
pub async fn take_positions(c: C<'_>, hall: HallId, count: i64) -> Result<i64> {
    c.q(TAKE_POSITIONS).bind(count).bind(hall.0).scalar().await
}

/// Says that a verified backup covers every position up to this one.
pub async fn set_safe_position(c: C<'_>, hall: HallId, position: i64) -> Result<()> {
    c.q(SET_SAFE_POSITION).bind(position).bind(hall.0).execute().await.map(drop)
}
