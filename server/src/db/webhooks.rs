//! Webhooks and the outbox of their deliveries.

use domain::id::{HallId, UserId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};
use crate::told::link::veiled;

statements! {
    INSERT_WEBHOOK = "insert into webhook (webhook_id, hall_id, url, kinds, with_household, secret, created_by, created_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_WEBHOOKS = "select webhook_id, hall_id, url, kinds, with_household, secret, old_secret, old_secret_until, \
        created_at, disabled_at, disabled_reason from webhook \
        where hall_id = $1 and (created_at > $2 or (created_at = $2 and webhook_id > $3)) \
        order by created_at, webhook_id limit $4";
    FIND_WEBHOOK = "select webhook_id, hall_id, url, kinds, with_household, secret, old_secret, old_secret_until, \
        created_at, disabled_at, disabled_reason from webhook where webhook_id = $1 and hall_id = $2";
    LIST_LISTENING = "select webhook_id, hall_id, url, kinds, with_household, secret, old_secret, old_secret_until, \
        created_at, disabled_at, disabled_reason from webhook where hall_id = $1 and disabled_at is null";
    ROTATE_SECRET = "update webhook set old_secret = secret, old_secret_until = $1, secret = $2 where webhook_id = $3";
    DISABLE_WEBHOOK = "update webhook set disabled_at = $1, disabled_reason = $2 \
        where webhook_id = $3 and disabled_at is null";
    ENABLE_WEBHOOK = "update webhook set disabled_at = null, disabled_reason = null where webhook_id = $1";
    DELETE_WEBHOOK = "delete from webhook where webhook_id = $1";
    DELETE_DELIVERIES = "delete from webhook_delivery where webhook_id = $1";
    DELETE_ENDED = "delete from webhook_delivery where state <> 'pending' and queued_at < $1";
    INSERT_DELIVERY = "insert into webhook_delivery (delivery_id, webhook_id, hall_id, kind, payload, created_at, state, \
        queued_at, next_at, notice_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND_DUE = "select d.delivery_id from webhook_delivery d join webhook w on w.webhook_id = d.webhook_id \
        where d.state = 'pending' and d.next_at <= $1 and (d.claimed_until is null or d.claimed_until <= $1) \
        and w.disabled_at is null limit 1";
    CLAIM_DELIVERIES = "update webhook_delivery set claimed_until = $2, attempts = attempts + 1 \
        where delivery_id in (select d.delivery_id from webhook_delivery d join webhook w on w.webhook_id = d.webhook_id \
        where d.state = 'pending' and d.next_at <= $1 and (d.claimed_until is null or d.claimed_until <= $1) \
        and w.disabled_at is null order by d.next_at limit $3) \
        returning delivery_id, webhook_id, hall_id, payload, queued_at, attempts";
    END_DELIVERY = "update webhook_delivery set state = $1, next_at = $2, claimed_until = null, last_status = $3, \
        last_error = $4, sent_at = $5 where delivery_id = $6 and attempts = $7 and state = 'pending'";
    LIST_DELIVERIES = "select delivery_id, kind, payload, created_at, state, next_at, attempts, last_status, last_error, \
        sent_at from webhook_delivery \
        where webhook_id = $1 and (created_at < $2 or (created_at = $2 and delivery_id < $3)) \
        and (state = $4 or $4 is null) order by created_at desc, delivery_id desc limit $5";
    REPLAY_DELIVERY = "update webhook_delivery set state = 'pending', queued_at = $1, next_at = $1, \
        claimed_until = null, attempts = attempts + 1 where delivery_id = $2 and webhook_id = $3";
    RESTART_DELIVERIES = "update webhook_delivery set queued_at = $1, next_at = $1 \
        where webhook_id = $2 and state = 'pending'";
}

/// [`CLAIM_DELIVERIES`] where several nodes write at once: a row that another one is claiming is passed over.
const CLAIM_AMONG_NODES: &str = "update webhook_delivery set claimed_until = $2, attempts = attempts + 1 \
    where delivery_id in (select d.delivery_id from webhook_delivery d join webhook w on w.webhook_id = d.webhook_id \
    where d.state = 'pending' and d.next_at <= $1 and (d.claimed_until is null or d.claimed_until <= $1) \
    and w.disabled_at is null order by d.next_at limit $3 for update of d skip locked) \
    returning delivery_id, webhook_id, hall_id, payload, queued_at, attempts";

/// A webhook as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookRow {
    /// Its id.
    pub webhook_id: Uuid,
    /// The hall it listens to.
    pub hall_id: Uuid,
    /// Where messages go.
    pub url: String,
    /// The kinds of events that are told.
    pub kinds: Json<Vec<String>>,
    /// Whether names and addresses go along.
    pub with_household: bool,
    /// Signs messages.
    pub secret: Vec<u8>,
    /// Signs as well until its time is over.
    pub old_secret: Option<Vec<u8>>,
    /// When that is.
    pub old_secret_until: Option<i64>,
    /// When it was registered.
    pub created_at: i64,
    /// Since when nothing is sent.
    pub disabled_at: Option<i64>,
    /// Why.
    pub disabled_reason: Option<String>,
}

impl std::fmt::Debug for WebhookRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookRow").field("webhook_id", &self.webhook_id).finish_non_exhaustive()
    }
}

/// Registers a webhook.
pub async fn insert_webhook(c: C<'_>, row: &WebhookRow, by: UserId) -> Result<()> {
    c.q(INSERT_WEBHOOK)
        .bind(row.webhook_id)
        .bind(row.hall_id)
        .bind(&row.url)
        .bind(&row.kinds)
        .bind(row.with_household)
        .bind(&row.secret)
        .bind(by.0)
        .bind(row.created_at)
        .execute()
        .await
        .map(drop)
}

/// Lists webhooks of a hall after a time of registration and an id.
pub async fn list_webhooks(
    c: C<'_>,
    hall: HallId,
    ((created_at, webhook), limit): ((i64, Uuid), i64),
) -> Result<Vec<WebhookRow>> {
    c.q(LIST_WEBHOOKS).bind(hall.0).bind(created_at).bind(webhook).bind(limit).all().await
}

/// Finds a webhook of a hall.
pub async fn find_webhook(c: C<'_>, hall: HallId, webhook: Uuid) -> Result<Option<WebhookRow>> {
    c.q(FIND_WEBHOOK).bind(webhook).bind(hall.0).opt().await
}

/// Lists the webhooks that are told of a hall's events.
pub async fn list_listening(c: C<'_>, hall: HallId) -> Result<Vec<WebhookRow>> {
    c.q(LIST_LISTENING).bind(hall.0).all().await
}

/// Gives a webhook another secret; the old one signs as well until an instant.
pub async fn rotate_secret(c: C<'_>, webhook: Uuid, secret: &[u8], until: i64) -> Result<()> {
    c.q(ROTATE_SECRET).bind(until).bind(secret).bind(webhook).execute().await.map(drop)
}

/// Stops sending to a webhook.
pub async fn disable_webhook(c: C<'_>, webhook: Uuid, reason: &str, now_ms: i64) -> Result<()> {
    c.q(DISABLE_WEBHOOK).bind(now_ms).bind(reason).bind(webhook).execute().await.map(drop)
}

/// Sends to a webhook again, what waited for it first.
pub async fn enable_webhook(mut c: C<'_>, webhook: Uuid, now_ms: i64) -> Result<()> {
    c.lend().q(ENABLE_WEBHOOK).bind(webhook).execute().await?;
    c.q(RESTART_DELIVERIES).bind(now_ms).bind(webhook).execute().await.map(drop)
}

/// Forgets a webhook with everything that was told it.
pub async fn delete_webhook(mut c: C<'_>, webhook: Uuid) -> Result<()> {
    c.lend().q(DELETE_DELIVERIES).bind(webhook).execute().await?;
    c.q(DELETE_WEBHOOK).bind(webhook).execute().await.map(drop)
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub delivery_id: Uuid,
    /// Who is told.
    pub webhook_id: Uuid,
    /// The hall where it happened.
    pub hall_id: Uuid,
    /// The kind of event.
    pub kind: String,
    /// What is sent, byte for byte.
    pub payload: String,
    /// When it happened.
    pub created_at: i64,
    /// The notice to a person that it carries.
    pub notice_id: Option<Uuid>,
}

/// Puts messages into the outbox.
pub async fn insert_deliveries(c: C<'_>, rows: &[NewDelivery]) -> Result<()> {
    insert_rows(c, INSERT_DELIVERY, rows, |q, row| {
        q.bind(row.delivery_id)
            .bind(row.webhook_id)
            .bind(row.hall_id)
            .bind(&row.kind)
            .bind(&row.payload)
            .bind(row.created_at)
            .bind("pending")
            .bind(row.created_at)
            .bind(row.created_at)
            .bind(row.notice_id)
    })
    .await
    .map(drop)
}

/// A message that this process sends now.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClaimedRow {
    /// Its id.
    pub delivery_id: Uuid,
    /// Who is told.
    pub webhook_id: Uuid,
    /// The hall where it happened.
    pub hall_id: Uuid,
    /// What is sent.
    pub payload: String,
    /// Since when it is tried.
    pub queued_at: i64,
    /// Which try this is; also says whose claim it is.
    pub attempts: i64,
}

/// Claims messages that are due, until an instant; nobody else gets them before.
pub async fn claim_deliveries(
    c: C<'_>,
    (now_ms, until): (i64, i64),
    limit: i64,
) -> Result<Vec<ClaimedRow>> {
    let sql = match &c {
        C::Sqlite(_) => CLAIM_DELIVERIES,
        C::Pg(..) => CLAIM_AMONG_NODES,
    };
    c.q(sql).bind(now_ms).bind(until).bind(limit).all().await
}

/// Whether any message is due.
pub async fn is_any_due(c: C<'_>, now_ms: i64) -> Result<bool> {
    let due: Option<(Uuid,)> = c.q(FIND_DUE).bind(now_ms).opt().await?;
    Ok(due.is_some())
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `pending`, `sent` or `given_up`.
    pub state: &'static str,
    /// When the next try is.
    pub next_at: i64,
    /// The receiver's status.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was taken.
    pub sent_at: Option<i64>,
}

/// Notes how a try ended, unless somebody else claimed the message meanwhile.
pub async fn end_delivery(c: C<'_>, claimed: &ClaimedRow, ended: &Ended) -> Result<()> {
    c.q(END_DELIVERY)
        .bind(ended.state)
        .bind(ended.next_at)
        .bind(ended.status)
        .bind(&ended.error)
        .bind(ended.sent_at)
        .bind(claimed.delivery_id)
        .bind(claimed.attempts)
        .execute()
        .await
        .map(drop)
}

/// A line of the delivery log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeliveryRow {
    /// The message.
    pub delivery_id: Uuid,
    /// The kind of event.
    pub kind: String,
    /// What is sent.
    pub payload: String,
    /// When it happened.
    pub created_at: i64,
    /// `pending`, `sent` or `given_up`.
    pub state: String,
    /// When the next try is.
    pub next_at: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// The receiver's last status.
    pub last_status: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was taken.
    pub sent_at: Option<i64>,
}

/// Lists what a webhook was told before a time and an id, newest first.
pub async fn list_deliveries(
    c: C<'_>,
    webhook: Uuid,
    state: Option<&str>,
    ((created_at, delivery), limit): ((i64, Uuid), i64),
) -> Result<Vec<DeliveryRow>> {
    c.q(LIST_DELIVERIES)
        .bind(webhook)
        .bind(created_at)
        .bind(delivery)
        .bind(state)
        .bind(limit)
        .all()
        .await
}

/// Sends a message once more; returns whether there is one.
pub async fn replay_delivery(
    c: C<'_>,
    (webhook, delivery): (Uuid, Uuid),
    now_ms: i64,
) -> Result<bool> {
    Ok(c.q(REPLAY_DELIVERY).bind(now_ms).bind(delivery).bind(webhook).execute().await? > 0)
}

impl DeliveryRow {
    /// What was sent, as JSON; a household's link is shown to nobody, also while it waits.
    pub fn body(&self) -> Value {
        serde_json::from_str(&veiled(&self.payload)).unwrap_or_default()
    }
}

/// Deletes what was queued before an instant and was sent or given up.
pub async fn delete_ended(c: C<'_>, before_ms: i64) -> Result<u64> {
    c.q(DELETE_ENDED).bind(before_ms).execute().await
}
