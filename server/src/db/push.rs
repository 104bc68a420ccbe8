//! Where phones' browsers take messages, the keys that sign them, and which phones hold their stream open.

use domain::id::{DeviceId, HallId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_KEY = "insert into push_key (key_id, public_key, private_key, created_at) values ($1, $2, $3, $4)";
    FIND_KEY = "select key_id, public_key, private_key, created_at from push_key where key_id = $1";
    FIND_CURRENT_KEY = "select key_id, public_key, private_key, created_at from push_key where retired_at is null \
        order by created_at, key_id limit 1";
    RETIRE_KEYS = "update push_key set retired_at = $1 where retired_at is null";
    INSERT_SUBSCRIPTION = "insert into push_subscription (subscription_id, user_id, device_id, key_id, endpoint, p256dh, \
        auth, language, scope, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    END_OF_DEVICE = "update push_subscription set ended_at = $1, ended_reason = $2 where device_id = $3 and ended_at is null";
    END_SUBSCRIPTION = "update push_subscription set ended_at = $1, ended_reason = $2 \
        where subscription_id = $3 and ended_at is null";
    COUNT_GONE = "select count(*) from push_subscription where device_id = $1 and endpoint = $2 and ended_reason like $3";
    LIST_LIVE = "select s.subscription_id, s.user_id, s.device_id, s.key_id, s.endpoint, s.p256dh, s.auth, s.language, \
        s.scope, s.created_at, s.sent_at, s.failed_at, s.last_status, s.last_error, s.ended_at, s.ended_reason \
        from push_subscription s join device d on d.device_id = s.device_id \
        where s.user_id = $1 and s.ended_at is null and d.revoked_at is null order by s.created_at";
    FIND_SUBSCRIPTION = "select subscription_id, user_id, device_id, key_id, endpoint, p256dh, auth, language, \
        scope, created_at, sent_at, failed_at, last_status, last_error, ended_at, ended_reason \
        from push_subscription where subscription_id = $1";
    LIST_OF_HALL = "select s.subscription_id, s.user_id, s.device_id, s.key_id, s.endpoint, s.p256dh, s.auth, s.language, \
        s.scope, s.created_at, s.sent_at, s.failed_at, s.last_status, s.last_error, s.ended_at, s.ended_reason \
        from push_subscription s join device d on d.device_id = s.device_id \
        where d.hall_id = $1 and d.revoked_at is null and (s.ended_at is null or not exists (select 1 \
        from push_subscription n where n.device_id = s.device_id and (n.ended_at is null or n.created_at > s.created_at \
        or (n.created_at = s.created_at and n.subscription_id > s.subscription_id)))) order by s.created_at";
    NOTE_SENT = "update push_subscription set sent_at = $1, last_status = $2, last_error = null where subscription_id = $3";
    NOTE_FAILED = "update push_subscription set failed_at = $1, last_status = $2, last_error = $3 where subscription_id = $4";
    OPEN_STREAM = "insert into notice_stream (device_id, user_id, opened_at, seen_at) values ($1, $2, $3, $4) \
        on conflict (device_id) do update set user_id = excluded.user_id, opened_at = excluded.opened_at, \
        seen_at = excluded.seen_at, closed_at = null";
    SEE_STREAM = "update notice_stream set seen_at = $1 where device_id = $2 and closed_at is null";
    CLOSE_STREAM = "update notice_stream set closed_at = $1, seen_at = $1 where device_id = $2 and opened_at = $3";
    FIND_OPEN_STREAM = "select s.device_id, s.user_id, s.seen_at, s.closed_at from notice_stream s \
        join device d on d.device_id = s.device_id where s.user_id = $1 and s.closed_at is null and s.seen_at > $2 \
        and d.revoked_at is null limit 1";
    LIST_STREAMS = "select s.device_id, s.user_id, s.seen_at, s.closed_at from notice_stream s \
        join device d on d.device_id = s.device_id where d.hall_id = $1 and d.revoked_at is null";
    FIND_GATEWAY = "select count(*) as told, max(d.sent_at) as sent_at, max(case when d.last_error is null then null else \
        d.next_at end) as failed_at from webhook_delivery d where d.hall_id = $1 and d.kind = 'staff.notice'";
}

/// How the reason begins of a subscription that its push service has ended.
pub const GONE: &str = "the push service has ended it";

/// A key as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KeyRow {
    /// Its id.
    pub key_id: Uuid,
    /// What browsers subscribe with.
    pub public_key: Vec<u8>,
    /// What messages are signed with.
    pub private_key: Vec<u8>,
    /// When it was made.
    pub created_at: i64,
}

impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRow").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// A subscription as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SubscriptionRow {
    /// Its id.
    pub subscription_id: Uuid,
    /// Whose phone it is.
    pub user_id: Uuid,
    /// The phone.
    pub device_id: Uuid,
    /// The key that it was made under.
    pub key_id: Uuid,
    /// Where messages go; whoever knows it can send.
    pub endpoint: String,
    /// What they are encrypted for.
    pub p256dh: Vec<u8>,
    /// The secret that goes into it.
    pub auth: Vec<u8>,
    /// `zh` or `en`.
    pub language: String,
    /// The app's own address.
    pub scope: String,
    /// When it was made.
    pub created_at: i64,
    /// When a push service last took a message.
    pub sent_at: Option<i64>,
    /// When one last did not.
    pub failed_at: Option<i64>,
    /// What it last answered.
    pub last_status: Option<i64>,
    /// What went wrong.
    pub last_error: Option<String>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why.
    pub ended_reason: Option<String>,
}

impl std::fmt::Debug for SubscriptionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = &self.subscription_id;
        f.debug_struct("SubscriptionRow").field("subscription_id", id).finish_non_exhaustive()
    }
}

/// A phone's open stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StreamRow {
    /// The phone.
    pub device_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// When it was last known to be open.
    pub seen_at: i64,
    /// When it was closed.
    pub closed_at: Option<i64>,
}

/// What came of telling gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GatewayRow {
    /// Messages so far.
    pub told: i64,
    /// When one was last taken.
    pub sent_at: Option<i64>,
    /// When one was last not taken.
    pub failed_at: Option<i64>,
}

/// Keeps a key; those before it sign on for what was made under them.
pub async fn insert_key(mut c: C<'_>, row: &KeyRow) -> Result<()> {
    c.lend().q(RETIRE_KEYS).bind(row.created_at).execute().await?;
    c.q(INSERT_KEY)
        .bind(row.key_id)
        .bind(&row.public_key)
        .bind(&row.private_key)
        .bind(row.created_at)
        .execute()
        .await
        .map(drop)
}

/// Finds a key.
pub async fn find_key(c: C<'_>, key: Uuid) -> Result<Option<KeyRow>> {
    c.q(FIND_KEY).bind(key).opt().await
}

/// Finds the key that browsers subscribe with now.
pub async fn find_current_key(c: C<'_>) -> Result<Option<KeyRow>> {
    c.q(FIND_CURRENT_KEY).opt().await
}

/// Keeps a subscription in the place of the phone's others.
pub async fn insert_subscription(mut c: C<'_>, row: &SubscriptionRow) -> Result<()> {
    end_of_device(c.lend(), DeviceId(row.device_id), "replaced", row.created_at).await?;
    c.q(INSERT_SUBSCRIPTION)
        .bind(row.subscription_id)
        .bind(row.user_id)
        .bind(row.device_id)
        .bind(row.key_id)
        .bind(&row.endpoint)
        .bind(&row.p256dh)
        .bind(&row.auth)
        .bind(&row.language)
        .bind(&row.scope)
        .bind(row.created_at)
        .execute()
        .await
        .map(drop)
}

/// Ends what a phone subscribed to.
pub async fn end_of_device(c: C<'_>, device: DeviceId, why: &str, now_ms: i64) -> Result<()> {
    c.q(END_OF_DEVICE).bind(now_ms).bind(why).bind(device.0).execute().await.map(drop)
}

/// Ends a subscription.
pub async fn end_subscription(c: C<'_>, id: Uuid, why: &str, now_ms: i64) -> Result<()> {
    c.q(END_SUBSCRIPTION).bind(now_ms).bind(why).bind(id).execute().await.map(drop)
}

/// Whether a push service has said that there is nobody behind this endpoint of a phone any more.
pub async fn is_gone(c: C<'_>, device: DeviceId, endpoint: &str) -> Result<bool> {
    let (count,): (i64,) =
        c.q(COUNT_GONE).bind(device.0).bind(endpoint).bind(format!("{GONE}%")).one().await?;
    Ok(count > 0)
}

/// Lists where a person's phones take messages.
pub async fn list_live(c: C<'_>, user: UserId) -> Result<Vec<SubscriptionRow>> {
    c.q(LIST_LIVE).bind(user.0).all().await
}

/// Finds a subscription.
pub async fn find_subscription(c: C<'_>, id: Uuid) -> Result<Option<SubscriptionRow>> {
    c.q(FIND_SUBSCRIPTION).bind(id).opt().await
}

/// Lists the newest subscription of each phone of a hall.
pub async fn list_of_hall(c: C<'_>, hall: HallId) -> Result<Vec<SubscriptionRow>> {
    c.q(LIST_OF_HALL).bind(hall.0).all().await
}

/// Notes that a push service took a message.
pub async fn note_sent(c: C<'_>, id: Uuid, status: i64, now_ms: i64) -> Result<()> {
    c.q(NOTE_SENT).bind(now_ms).bind(status).bind(id).execute().await.map(drop)
}

/// Notes that one did not.
pub async fn note_failed(
    c: C<'_>,
    id: Uuid,
    (status, why): (Option<i64>, &str),
    now_ms: i64,
) -> Result<()> {
    c.q(NOTE_FAILED).bind(now_ms).bind(status).bind(why).bind(id).execute().await.map(drop)
}

/// Notes that a phone holds its stream open.
pub async fn open_stream(c: C<'_>, (device, user): (DeviceId, UserId), now_ms: i64) -> Result<()> {
    let open = c.q(OPEN_STREAM).bind(device.0).bind(user.0).bind(now_ms).bind(now_ms);
    open.execute().await.map(drop)
}

/// Notes that it still does.
pub async fn see_stream(c: C<'_>, device: DeviceId, now_ms: i64) -> Result<()> {
    c.q(SEE_STREAM).bind(now_ms).bind(device.0).execute().await.map(drop)
}

/// Notes that it does not any more, unless it opened another one since.
pub async fn close_stream(c: C<'_>, device: DeviceId, opened_at: i64, now_ms: i64) -> Result<()> {
    c.q(CLOSE_STREAM).bind(now_ms).bind(device.0).bind(opened_at).execute().await.map(drop)
}

/// Whether a phone of somebody holds its stream open, as known since an instant.
pub async fn has_open_stream(c: C<'_>, user: UserId, since: i64) -> Result<bool> {
    let found: Option<StreamRow> = c.q(FIND_OPEN_STREAM).bind(user.0).bind(since).opt().await?;
    Ok(found.is_some())
}

/// Lists the streams of a hall's phones, closed ones too.
pub async fn list_streams(c: C<'_>, hall: HallId) -> Result<Vec<StreamRow>> {
    c.q(LIST_STREAMS).bind(hall.0).all().await
}

/// What came of telling a hall's gateways.
pub async fn find_gateway(c: C<'_>, hall: HallId) -> Result<GatewayRow> {
    c.q(FIND_GATEWAY).bind(hall.0).one().await
}
