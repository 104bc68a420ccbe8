//! Webhooks: who outside is told of what, and how that goes.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Manager, PasswordGiven};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::once::Once;
use super::page::{Limit, read_cursor};
use super::schema;
use crate::audit::{self, Entry, Subject, What};
use crate::db::C;
use crate::db::webhooks::{self, DeliveryRow, WebhookRow};
use crate::ids::fresh_uuid;
use crate::state::AppState;
use crate::webhooks::{KINDS, guard, signature};

/// How long an old secret signs beside the new one.
const ROTATION_MS: i64 = 24 * 3_600_000;

/// A webhook to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where messages go: `https://`, on the open internet.
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
    /// The kinds of events to be told of.
    #[schema(schema_with = schema::webhook_kinds)]
    kinds: Vec<String>,
    /// Whether names and addresses of households go along; not when not said.
    #[serde(default)]
    with_household: bool,
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookBody {
    id: Uuid,
    url: String,
    kinds: Vec<String>,
    with_household: bool,
    created_at: i64,
    /// Since when nothing is sent.
    disabled_at: Option<i64>,
    /// Why.
    disabled_reason: Option<String>,
    /// `whsec_…` to check signatures by; shown once, `null` ever after.
    secret: Option<String>,
}

/// Webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhooksBody {
    webhooks: Vec<WebhookBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// A secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretBody {
    /// `whsec_…`; shown only here.
    secret: String,
    /// Until when the old one signs as well.
    old_until: i64,
}

/// Which page of webhooks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListWebhooks {
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryState {
    Pending,
    Sent,
    GivenUp,
}

/// Which messages to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDeliveries {
    /// Only those that are so far.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A message and how its delivery goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryBody {
    id: Uuid,
    kind: String,
    /// What is sent.
    payload: serde_json::Value,
    created_at: i64,
    /// `pending`, `sent` or `given_up`.
    state: String,
    attempts: i64,
    /// When the next try is, while it is pending.
    next_at: Option<i64>,
    /// The receiver's last status.
    last_status: Option<i64>,
    /// What went wrong last.
    last_error: Option<String>,
    sent_at: Option<i64>,
}

/// Messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveriesBody {
    deliveries: Vec<DeliveryBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// Registers a webhook; the reply shows its secret, once.
#[utoipa::path(
    post, path = "/api/webhooks", tag = "webhooks", request_body = CreateWebhook,
    responses((status = 201, description = "It is told from now on.", body = WebhookBody)),
)]
pub async fn create_webhook(
    State(state): State<AppState>,
    Manager(caller): Manager,
    _: PasswordGiven,
    Once(body, receipt): Once<CreateWebhook>,
) -> Result<(StatusCode, Json<WebhookBody>), ApiError> {
    if body.kinds.is_empty() || !body.kinds.iter().all(|it| KINDS.contains(&it.as_str())) {
        let what = format!("send as `kinds` some of {}", KINDS.join(", "));
        return Err(ApiError::BadRequest(what));
    }
    guard::check(&body.url, &state.config.webhook_allowed).await?;
    let now = state.clock.now();
    let row = WebhookRow {
        webhook_id: fresh_uuid(now),
        hall_id: caller.hall.0,
        url: body.url,
        kinds: sqlx::types::Json(body.kinds),
        with_household: body.with_household,
        secret: signature::draw_secret(),
        old_secret: None,
        old_secret_until: None,
        created_at: now.timestamp_millis(),
        disabled_at: None,
        disabled_reason: None,
    };
    let mut tx = state.db.begin().await?;
    webhooks::insert_webhook(tx.c(), &row, caller.user).await?;
    let secret = signature::reveal(&row.secret);
    let shown = webhook_body(row);
    receipt.keep(tx.c(), &shown, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::WebhookAdded, Subject::Id("webhook", shown.id));
    let detail = json!({"kinds": shown.kinds, "with_household": shown.with_household});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(WebhookBody { secret: Some(secret), ..shown })))
}

/// Lists the hall's webhooks, oldest first.
#[utoipa::path(
    get, path = "/api/webhooks", tag = "webhooks", params(ListWebhooks),
    responses((status = 200, description = "A page of webhooks.", body = WebhooksBody)),
)]
pub async fn list_webhooks(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Query(asked): Query<ListWebhooks>,
) -> Result<Json<WebhooksBody>, ApiError> {
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((i64::MIN, Uuid::nil()));
    let mut conn = state.db.read().await?;
    let page = (after, asked.limit.rows());
    let rows = webhooks::list_webhooks(conn.c(), caller.hall, page).await?;
    let next = asked.limit.next(&rows, |row| (row.created_at, row.webhook_id));
    Ok(Json(WebhooksBody { webhooks: rows.into_iter().map(webhook_body).collect(), next }))
}

/// Forgets a webhook with its messages.
#[utoipa::path(
    delete, path = "/api/webhooks/{id}", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    responses((status = 204, description = "Nothing is sent any more.")),
)]
pub async fn delete_webhook(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    find(&state, &caller, id).await?;
    let mut tx = state.db.begin().await?;
    webhooks::delete_webhook(tx.c(), id).await?;
    enter(&state, tx.c(), (&caller, id), "removed").await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook another secret; for a day messages carry a signature by each of the two.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/secret", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    responses((status = 201, description = "The new secret.", body = SecretBody)),
)]
pub async fn rotate_secret(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<SecretBody>), ApiError> {
    find(&state, &caller, id).await?;
    let (secret, old_until) = (signature::draw_secret(), state.clock.now_ms() + ROTATION_MS);
    let mut tx = state.db.begin().await?;
    webhooks::rotate_secret(tx.c(), id, &secret, old_until).await?;
    enter(&state, tx.c(), (&caller, id), "secret").await?;
    tx.commit().await?;
    let secret = signature::reveal(&secret);
    Ok((StatusCode::CREATED, Json(SecretBody { secret, old_until })))
}

/// Sends to a disabled webhook again, what waited for it first.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/enable", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook.")),
    responses((status = 204, description = "It is told again.")),
)]
pub async fn enable_webhook(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let row = find(&state, &caller, id).await?;
    guard::check(&row.url, &state.config.webhook_allowed).await?;
    let mut tx = state.db.begin().await?;
    webhooks::enable_webhook(tx.c(), id, state.clock.now_ms()).await?;
    enter(&state, tx.c(), (&caller, id), "enabled").await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists what a webhook was told and is to be told, newest first.
#[utoipa::path(
    get, path = "/api/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The webhook."), ListDeliveries),
    responses((status = 200, description = "A page of messages.", body = DeliveriesBody)),
)]
pub async fn list_deliveries(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Query(asked): Query<ListDeliveries>,
) -> Result<Json<DeliveriesBody>, ApiError> {
    find(&state, &caller, id).await?;
    let wanted = asked.state.map(|state| match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Sent => "sent",
        DeliveryState::GivenUp => "given_up",
    });
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((i64::MAX, Uuid::max()));
    let mut conn = state.db.read().await?;
    let page = (after, asked.limit.rows());
    let rows = webhooks::list_deliveries(conn.c(), id, wanted, page).await?;
    let next = asked.limit.next(&rows, |row| (row.created_at, row.delivery_id));
    let deliveries = rows.into_iter().map(delivery_body).collect();
    Ok(Json(DeliveriesBody { deliveries, next }))
}

/// Sends a message once more, under the same id.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/deliveries/{delivery}/replay", tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The webhook."),
        ("delivery" = Uuid, Path, description = "The message."),
    ),
    responses((status = 204, description = "It is on its way.")),
)]
pub async fn replay_delivery(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path((id, delivery)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, ApiError> {
    find(&state, &caller, id).await?;
    let mut tx = state.db.begin().await?;
    if !webhooks::replay_delivery(tx.c(), (id, delivery), state.clock.now_ms()).await? {
        return Err(ApiError::NotFound("message"));
    }
    enter(&state, tx.c(), (&caller, id), "sent_again").await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enters what was done to a webhook.
async fn enter(
    state: &AppState,
    c: C<'_>,
    (caller, id): (&Caller, Uuid),
    what: &str,
) -> Result<(), ApiError> {
    let entry = Entry::new(caller, What::WebhookChanged, Subject::Id("webhook", id));
    Ok(audit::keep(c, state.clock.now(), entry.with(json!({"how": what}))).await?)
}

async fn find(state: &AppState, caller: &Caller, id: Uuid) -> Result<WebhookRow, ApiError> {
    let mut conn = state.db.read().await?;
    let row = webhooks::find_webhook(conn.c(), caller.hall, id).await?;
    row.ok_or(ApiError::NotFound("webhook"))
}

fn webhook_body(row: WebhookRow) -> WebhookBody {
    WebhookBody {
        id: row.webhook_id,
        url: row.url,
        kinds: row.kinds.0,
        with_household: row.with_household,
        created_at: row.created_at,
        disabled_at: row.disabled_at,
        disabled_reason: row.disabled_reason,
        secret: None,
    }
}

fn delivery_body(row: DeliveryRow) -> DeliveryBody {
    let is_pending = row.state == "pending";
    DeliveryBody {
        id: row.delivery_id,
        payload: row.body(),
        kind: row.kind,
        created_at: row.created_at,
        state: row.state,
        attempts: row.attempts,
        next_at: is_pending.then_some(row.next_at),
        last_status: row.last_status,
        last_error: row.last_error,
        sent_at: row.sent_at,
    }
}
