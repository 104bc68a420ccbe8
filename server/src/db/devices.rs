//! Enrolled phones.

use std::collections::BTreeMap;

use domain::id::{DeviceId, HallId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_DEVICE = "insert into device (device_id, hall_id, user_id, name, enrolled_at) values ($1, $2, $3, $4, $5)";
    FIND_DEVICE = "select device_id, hall_id, user_id, name, enrolled_at, revoked_at, revoked_reason, recorded, pending, heard_at \
        from device where device_id = $1 and hall_id = $2";
    LIST_DEVICES = "select device_id, hall_id, user_id, name, enrolled_at, revoked_at, revoked_reason, recorded, pending, heard_at \
        from device where hall_id = $1 and (enrolled_at > $2 or (enrolled_at = $2 and device_id > $3)) \
        and (user_id = $4 or $4 is null) and (user_id = $5 or $5 is null) \
        and ((revoked_at is not null) = $6 or $6 is null) order by enrolled_at, device_id limit $7";
    REVOKE_DEVICE = "update device set revoked_at = coalesce(revoked_at, $1), revoked_reason = $2 where device_id = $3 \
        and (revoked_at is null or revoked_reason is null)";
    COUNT_LIVE_PHONES = "select count(*) from device where user_id = $1 and revoked_at is null";
    REVOKE_USER_DEVICES = "update device set revoked_at = $1 where user_id = $2 and revoked_at is null";
    FIND_HEARD_AT = "select max(heard_at) from device where user_id = $1";
    LIST_HEARD_UNTIL = "select d.user_id, max(d.heard_at) from device d \
        where d.hall_id = $1 and d.heard_at is not null and d.pending <= (select count(*) from quarantine q \
        where q.hall_id = d.hall_id and q.device_id = d.device_id and q.released_at is null) group by d.user_id";
    HEAR_DEVICE = "update device set recorded = case when recorded < $1 then $1 else recorded end, pending = $2, \
        heard_at = $3 where device_id = $4";
}

/// A phone as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeviceRow {
    /// The phone's id.
    pub device_id: Uuid,
    /// The hall of its user.
    pub hall_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// What its user calls it.
    pub name: String,
    /// When it was enrolled.
    pub enrolled_at: i64,
    /// When it was shut out.
    pub revoked_at: Option<i64>,
    /// `lost` or `retired`, where somebody said why.
    pub revoked_reason: Option<String>,
    /// The highest count of changes it ever said it made.
    pub recorded: i64,
    /// How many of them it said it still holds alone.
    pub pending: i64,
    /// When it was last heard.
    pub heard_at: Option<i64>,
}

/// Inserts a phone that nobody has heard of yet.
pub async fn insert_device(
    c: C<'_>,
    device: DeviceId,
    owner: (HallId, UserId),
    name: &str,
    now_ms: i64,
) -> Result<()> {
    let (hall, user) = owner;
    c.q(INSERT_DEVICE)
        .bind(device.0)
        .bind(hall.0)
        .bind(user.0)
        .bind(name)
        .bind(now_ms)
        .execute()
        .await
        .map(drop)
}

/// Finds a phone of a hall.
pub async fn find_device(c: C<'_>, hall: HallId, device: DeviceId) -> Result<Option<DeviceRow>> {
    c.q(FIND_DEVICE).bind(device.0).bind(hall.0).opt().await
}

/// Which phones a list shows; `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose phones may be shown at all.
    pub owner: Option<UserId>,
    /// Whose phones are asked for.
    pub user: Option<UserId>,
    /// Whether they were shut out.
    pub revoked: Option<bool>,
}

/// Lists phones of a hall after a time of enrolment and an id, oldest first.
pub async fn list_devices(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    ((enrolled_at, device), limit): ((i64, Uuid), i64),
) -> Result<Vec<DeviceRow>> {
    c.q(LIST_DEVICES)
        .bind(hall.0)
        .bind(enrolled_at)
        .bind(device)
        .bind(filter.owner.map(|it| it.0))
        .bind(filter.user.map(|it| it.0))
        .bind(filter.revoked)
        .bind(limit)
        .all()
        .await
}

/// Shuts a phone out, and says why where it is known; returns whether that was news.
pub async fn revoke_device(
    c: C<'_>,
    device: DeviceId,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<bool> {
    Ok(c.q(REVOKE_DEVICE).bind(now_ms).bind(reason).bind(device.0).execute().await? > 0)
}

/// Counts the phones of a user that were not shut out.
pub async fn count_live_phones(c: C<'_>, user: UserId) -> Result<i64> {
    c.q(COUNT_LIVE_PHONES).bind(user.0).scalar().await
}

/// Shuts every phone of a user out.
pub async fn revoke_user_devices(c: C<'_>, user: UserId, now_ms: i64) -> Result<()> {
    c.q(REVOKE_USER_DEVICES).bind(now_ms).bind(user.0).execute().await.map(drop)
}

/// Notes what a phone said of itself when it was heard.
pub async fn hear_device(
    c: C<'_>,
    device: DeviceId,
    recorded: i64,
    pending: i64,
    now_ms: i64,
) -> Result<()> {
    c.q(HEAR_DEVICE)
        .bind(recorded)
        .bind(pending)
        .bind(now_ms)
        .bind(device.0)
        .execute()
        .await
        .map(drop)
}

/// Finds when a phone of this user was heard last.
pub async fn find_heard_at(c: C<'_>, user: Uuid) -> Result<Option<i64>> {
    c.q(FIND_HEARD_AT).bind(user).scalar().await
}

/// Lists up to when the hall has everything that each user's phone recorded, in Unix milliseconds.
///
/// A phone that still holds something counts only with its word before that. What is in quarantine has been handed in:
/// a person decides on it, and nobody is unheard because of it.
pub async fn list_heard_until(c: C<'_>, hall: HallId) -> Result<BTreeMap<UserId, i64>> {
    let rows: Vec<(Uuid, i64)> = c.q(LIST_HEARD_UNTIL).bind(hall.0).all().await?;
    Ok(rows.into_iter().map(|(user, heard)| (UserId(user), heard)).collect())
}
