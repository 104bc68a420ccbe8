//! Sessions: who holds which token, as its hash.

use domain::id::{DeviceId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_SESSION = "insert into session (token_hash, user_id, device_id, created_at, seen_at, proven_at, expires_at, \
        address, agent) values ($1, $2, $3, $4, $4, $4, $5, $6, $7)";
    FIND_SESSION = "select s.token_hash, s.device_id, s.seen_at, s.proven_at, s.expires_at, s.ended_at, u.user_id, \
        u.hall_id, u.login, u.name, u.role, u.disabled_at, d.revoked_at, f.confirmed_at as factor_at \
        from session s join user_account u on u.user_id = s.user_id left join device d on d.device_id = s.device_id \
        left join second_factor f on f.user_id = s.user_id where s.token_hash = $1";
    RENEW_SESSION = "update session set token_hash = $1, proven_at = $2, seen_at = $2 where token_hash = $3 \
        and ended_at is null";
    LIST_SESSIONS = "select token_hash, created_at, seen_at, expires_at, address, agent from session \
        where user_id = $1 and device_id is null and ended_at is null and expires_at > $2 and seen_at > $3 \
        order by seen_at desc, token_hash limit $4";
    TOUCH_SESSION = "update session set seen_at = $1 where token_hash = $2 and seen_at < $1";
    END_SESSION = "update session set ended_at = $1 where token_hash = $2 and ended_at is null";
    END_USER_SESSIONS = "update session set ended_at = $1 where user_id = $2 and device_id is null \
        and ended_at is null and token_hash <> $3";
    END_ALL_SESSIONS = "update session set ended_at = $1 where user_id = $2 and ended_at is null";
    END_DEVICE_SESSIONS = "update session set ended_at = $1 where device_id = $2 and ended_at is null";
}

/// A session with its user and device.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionRow {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// The enrolled device it is bound to.
    pub device_id: Option<Uuid>,
    /// When it was last used, to the minute.
    pub seen_at: i64,
    /// When its password was last given.
    pub proven_at: i64,
    /// When it ends whatever happens.
    pub expires_at: i64,
    /// When it was ended.
    pub ended_at: Option<i64>,
    /// Whose it is.
    pub user_id: Uuid,
    /// The hall they work for.
    pub hall_id: Uuid,
    /// What they sign in as.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// Their role's key.
    pub role: String,
    /// When they were shut out.
    pub disabled_at: Option<i64>,
    /// When the device was.
    pub revoked_at: Option<i64>,
    /// Since when signing in asks for a second factor.
    pub factor_at: Option<i64>,
}

/// One of somebody's own sessions at a desk.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnSessionRow {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// When it began.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub seen_at: i64,
    /// When it ends whatever happens.
    pub expires_at: i64,
    /// The address that it began from.
    pub address: Option<String>,
    /// What the browser or program called itself.
    pub agent: Option<String>,
}

/// Who holds a session, and where it began.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Whose it is.
    pub user: UserId,
    /// The phone that it is bound to.
    pub device: Option<Uuid>,
    /// The address that it began from; `None` for phones.
    pub address: Option<String>,
    /// What the browser or program called itself; `None` for phones.
    pub agent: Option<String>,
}

/// Inserts a session that begins now, with its password just given.
pub async fn insert_session(
    c: C<'_>,
    token_hash: &[u8],
    holder: &Holder,
    now_ms: i64,
    expires_at: i64,
) -> Result<()> {
    let insert = c.q(INSERT_SESSION).bind(token_hash).bind(holder.user.0).bind(holder.device);
    let insert = insert.bind(now_ms).bind(expires_at);
    let insert = insert.bind(holder.address.as_deref()).bind(holder.agent.as_deref());
    insert.execute().await.map(drop)
}

/// Gives a session another token, for its password was given again; tells whether it still stood.
pub async fn renew_session(c: C<'_>, old: &[u8], new: &[u8], now_ms: i64) -> Result<bool> {
    Ok(c.q(RENEW_SESSION).bind(new).bind(now_ms).bind(old).execute().await? > 0)
}

/// Lists somebody's sessions at desks that stand and were used after an instant, the newest use first.
pub async fn list_sessions(
    c: C<'_>,
    user: UserId,
    (now_ms, used_after_ms): (i64, i64),
    limit: i64,
) -> Result<Vec<OwnSessionRow>> {
    let list = c.q(LIST_SESSIONS).bind(user.0).bind(now_ms).bind(used_after_ms).bind(limit);
    list.all().await
}

/// Finds a session, ended ones too.
pub async fn find_session(c: C<'_>, token_hash: &[u8]) -> Result<Option<SessionRow>> {
    c.q(FIND_SESSION).bind(token_hash).opt().await
}

/// Notes that a session was used.
pub async fn touch_session(c: C<'_>, token_hash: &[u8], now_ms: i64) -> Result<()> {
    c.q(TOUCH_SESSION).bind(now_ms).bind(token_hash).execute().await.map(drop)
}

/// Ends one session.
pub async fn end_session(c: C<'_>, token_hash: &[u8], now_ms: i64) -> Result<()> {
    c.q(END_SESSION).bind(now_ms).bind(token_hash).execute().await.map(drop)
}

/// Ends the sessions of a user that belong to no device, but for the one to keep; tells how many.
pub async fn end_user_sessions(
    c: C<'_>,
    user: UserId,
    keep: Option<&[u8]>,
    now_ms: i64,
) -> Result<u64> {
    let keep = keep.unwrap_or_default();
    c.q(END_USER_SESSIONS).bind(now_ms).bind(user.0).bind(keep).execute().await
}

/// Ends every session of a user, those of their phones too; tells how many.
pub async fn end_all_sessions(c: C<'_>, user: UserId, now_ms: i64) -> Result<u64> {
    c.q(END_ALL_SESSIONS).bind(now_ms).bind(user.0).execute().await
}

/// Ends the sessions of a device.
pub async fn end_device_sessions(c: C<'_>, device: DeviceId, now_ms: i64) -> Result<()> {
    c.q(END_DEVICE_SESSIONS).bind(now_ms).bind(device.0).execute().await.map(drop)
}
