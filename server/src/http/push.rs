//! Where phones' browsers take messages, and the key that they subscribe with.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Manager, Phone};
use super::error::ApiError;
use super::extract::Body;
use crate::audit::{self, Entry, Subject, What};
use crate::db::push::{self, SubscriptionRow};
use crate::ids::fresh_uuid;
use crate::reach::{keys, message};
use crate::state::AppState;
use crate::webhooks::guard;

/// The longest address of the app itself.
const LONGEST_SCOPE: usize = 300;

/// The key that browsers subscribe with.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushKeyBody {
    /// 65 bytes of a point of P-256, in base64url.
    public_key: String,
}

/// Shows the key that browsers subscribe with now; whoever subscribed under another one does so again.
#[utoipa::path(
    get, path = "/api/push/key", tag = "notices",
    responses((status = 200, description = "The key.", body = PushKeyBody)),
)]
pub async fn get_key(
    State(state): State<AppState>,
    _: Phone,
) -> Result<Json<PushKeyBody>, ApiError> {
    let known = push::find_current_key(state.db.read().await?.c()).await?;
    let key = if let Some(key) = known {
        key
    } else {
        let mut tx = state.db.begin().await?;
        let made = keys::current(tx.c(), state.clock.now()).await?;
        tx.commit().await?;
        made
    };
    Ok(Json(PushKeyBody { public_key: URL_SAFE_NO_PAD.encode(key.public_key) }))
}

/// Makes another key; subscriptions under the old one go on with it until their phones subscribe again.
#[utoipa::path(
    post, path = "/api/push/key", tag = "notices",
    responses((status = 201, description = "It holds from now on.", body = PushKeyBody)),
)]
pub async fn rotate_key(
    State(state): State<AppState>,
    Manager(caller): Manager,
) -> Result<(StatusCode, Json<PushKeyBody>), ApiError> {
    let now = state.clock.now();
    let key = keys::draw(now)?;
    let mut tx = state.db.begin().await?;
    push::insert_key(tx.c(), &key).await?;
    let entry = Entry::new(&caller, What::PushKeyMade, Subject::Id("push_key", key.key_id));
    audit::keep(tx.c(), now, entry).await?;
    tx.commit().await?;
    let public_key = URL_SAFE_NO_PAD.encode(key.public_key);
    Ok((StatusCode::CREATED, Json(PushKeyBody { public_key })))
}

/// Where a browser takes messages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionBody {
    /// The push service's address, at one of the browsers' services.
    #[schema(max_length = 2000)]
    endpoint: String,
    /// The browser's key, 65 bytes in base64url.
    #[schema(max_length = 200)]
    p256dh: String,
    /// The browser's secret, 16 bytes in base64url.
    #[schema(max_length = 100)]
    auth: String,
    /// The key that it subscribed with.
    #[schema(max_length = 200)]
    public_key: String,
    /// The tongue of what a lock screen shows, `zh` or `en`.
    #[schema(max_length = 2)]
    language: String,
    /// The app's own address, which a tap opens.
    #[schema(max_length = 300)]
    scope: String,
}

/// Keeps where the caller's phone takes messages, in the place of what was kept.
#[utoipa::path(
    put, path = "/api/push/subscription", tag = "notices", request_body = SubscriptionBody,
    responses(
        (status = 204, description = "It is kept."),
        (status = 409, description = "Subscribed with a key that is over, or ended by its push service: subscribe again."),
        (status = 422, description = "No push service of a browser, or keys that nothing can be encrypted for."),
    ),
)]
pub async fn put_subscription(
    State(state): State<AppState>,
    phone: Phone,
    Body(body): Body<SubscriptionBody>,
) -> Result<StatusCode, ApiError> {
    let refuse = |what: &str| Err(ApiError::Unprocessable(what.to_owned()));
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let (Some(p256dh), Some(auth)) = (decoded(&body.p256dh), decoded(&body.auth)) else {
        return refuse("send p256dh and auth in base64url, as the browser's toJSON() does");
    };
    if !matches!(body.language.as_str(), "zh" | "en") {
        return refuse("send zh or en as language");
    }
    let scope = Url::parse(&body.scope).ok().filter(|it| matches!(it.scheme(), "http" | "https"));
    if scope.is_none() || body.scope.len() > LONGEST_SCOPE {
        return refuse("send the app's own address as scope");
    }
    guard::check_push(&body.endpoint, &state.config.push_allowed).await?;
    if !message::takes_messages(&body.endpoint, &p256dh, &auth) {
        return refuse("send the browser's own p256dh (65 bytes) and auth (16 bytes)");
    }
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let key = keys::current(tx.c(), now).await?;
    if decoded(&body.public_key).as_deref() != Some(key.public_key.as_slice()) {
        let what = "read GET /api/push/key and subscribe again: that key is over";
        return Err(ApiError::Conflict(what.to_owned()));
    }
    if push::is_gone(tx.c(), phone.device, &body.endpoint).await? {
        let what = "unsubscribe and subscribe again: the push service has ended that subscription";
        return Err(ApiError::Conflict(what.to_owned()));
    }
    let row = SubscriptionRow {
        subscription_id: fresh_uuid(now),
        user_id: phone.caller.user.0,
        device_id: phone.device.0,
        key_id: key.key_id,
        endpoint: body.endpoint,
        p256dh,
        auth,
        language: body.language,
        scope: body.scope,
        created_at: now.timestamp_millis(),
        sent_at: None,
        failed_at: None,
        last_status: None,
        last_error: None,
        ended_at: None,
        ended_reason: None,
    };
    push::insert_subscription(tx.c(), &row).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends what the caller's phone subscribed to.
#[utoipa::path(
    delete, path = "/api/push/subscription", tag = "notices",
    responses((status = 204, description = "Nothing is pushed to it any more.")),
)]
pub async fn delete_subscription(
    State(state): State<AppState>,
    phone: Phone,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    let now_ms = state.clock.now_ms();
    push::end_of_device(tx.c(), phone.device, "the technician ended it", now_ms).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
