//! Sending what the outbox holds: claimed by one node, tried for days, then given up with a reason that people see.

use std::time::Duration;

use domain::id::HallId;
use reqwest::{Certificate, StatusCode, header, redirect};
use tokio::task::JoinSet;

use super::guard::{self, Target};
use super::signature;
use crate::db::webhooks::{self, ClaimedRow, Ended, WebhookRow};
use crate::http::error::ApiError;
use crate::retry::Pause;
use crate::state::AppState;

/// How often the outbox is looked into.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Messages sent at once.
const AT_ONCE: i64 = 16;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a claim holds; longer than any try, so that only the messages of a dead node are claimed again.
const CLAIM_MS: i64 = 60_000;

/// Between tries.
const PAUSE: Pause = Pause { first_ms: 5_000, longest_ms: 6 * 3_600_000 };

/// How long a message is tried before its webhook is disabled.
const GIVE_UP_AFTER_MS: i64 = 3 * 24 * 3_600_000;

/// Sends until it is stopped.
pub async fn run(state: AppState) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        while let Some(claimed) = claim(&state).await {
            let mut sending = JoinSet::new();
            for message in claimed {
                sending.spawn(send(state.clone(), message));
            }
            sending.join_all().await;
        }
    }
}

/// Claims what is due; nothing when nothing is, or when the database cannot say.
async fn claim(state: &AppState) -> Option<Vec<ClaimedRow>> {
    let claimed = async {
        let now_ms = state.clock.now_ms();
        let mut conn = state.db.read().await?;
        if !webhooks::is_any_due(conn.c(), now_ms).await? {
            return Ok(Vec::new());
        }
        drop(conn);
        let mut tx = state.db.begin().await?;
        let until = (now_ms, now_ms + CLAIM_MS);
        let claimed = webhooks::claim_deliveries(tx.c(), until, AT_ONCE).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(claimed)
    };
    match claimed.await {
        Ok(claimed) => Some(claimed).filter(|claimed| !claimed.is_empty()),
        Err(error) => {
            tracing::warn!(
                error = error.to_string(),
                "the outbox cannot be read; it is looked at again"
            );
            None
        }
    }
}

/// Sends one message and notes how that ended.
async fn send(state: AppState, message: ClaimedRow) {
    if let Err(error) = try_once(&state, &message).await {
        // The claim runs out, and the message is sent again.
        let id = message.delivery_id.to_string();
        tracing::warn!(webhook.delivery = id, %error, "how a delivery ended cannot be noted");
    }
}

async fn try_once(state: &AppState, message: &ClaimedRow) -> Result<(), ApiError> {
    let mut conn = state.db.read().await?;
    let hall = HallId(message.hall_id);
    let webhook = webhooks::find_webhook(conn.c(), hall, message.webhook_id).await?;
    drop(conn);
    let Some(webhook) = webhook else { return Ok(()) };
    let posted = match guard::check(&webhook.url, &state.config.webhook_allowed).await {
        Ok(target) => post(state, &target, &webhook, message).await,
        Err(error) => Err(error.to_string()),
    };
    let now_ms = state.clock.now_ms();
    let ended = ended(&posted, message, now_ms);
    let mut tx = state.db.begin().await?;
    webhooks::end_delivery(tx.c(), message, &ended).await?;
    if ended.state == "given_up" {
        let last = ended.error.as_deref().unwrap_or("no reason");
        let reason = match posted {
            Ok(StatusCode::GONE) => "the receiver said that it is gone (410)".to_owned(),
            Ok(_) | Err(_) => format!("no success for three days; the last try: {last}"),
        };
        webhooks::disable_webhook(tx.c(), webhook.webhook_id, &reason, now_ms).await?;
    }
    Ok(tx.commit().await?)
}

/// Posts a message to the addresses that were looked at; the reply's body is never read.
async fn post(
    state: &AppState,
    target: &Target,
    webhook: &WebhookRow,
    message: &ClaimedRow,
) -> Result<StatusCode, String> {
    let now_ms = state.clock.now_ms();
    let client = reqwest::Client::builder()
        .tls_certs_merge(authorities(&state.config.webhook_ca).await?)
        .resolve_to_addrs(&target.host, &target.addresses)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent(concat!("doorstep/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())?;
    let (id, timestamp_s) = (format!("msg_{}", message.delivery_id.simple()), now_ms / 1000);
    let old = webhook.old_secret.as_deref();
    let old = old.filter(|_| webhook.old_secret_until.is_some_and(|until| now_ms < until));
    let secrets: Vec<&[u8]> =
        [Some(webhook.secret.as_slice()), old].into_iter().flatten().collect();
    let signature = signature::sign(&secrets, (&id, timestamp_s), &message.payload);
    let sent = client
        .post(target.url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp_s.to_string())
        .header("webhook-signature", signature)
        .body(message.payload.clone())
        .send()
        .await;
    sent.map(|reply| reply.status()).map_err(|error| reason(&error))
}

/// The authorities that the operator trusts besides the system's.
async fn authorities(file: &str) -> Result<Vec<Certificate>, String> {
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let read = tokio::fs::read(file).await.map_err(|error| error.to_string());
    let read = read.and_then(|pem| Certificate::from_pem_bundle(&pem).map_err(|it| it.to_string()));
    read.map_err(|error| format!("the operator's webhook_ca cannot be read: {error}"))
}

/// Why nothing was heard, without the URL: its path may hold a secret.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no reply in time".to_owned();
    }
    if error.is_connect() {
        return "no connection, or no trust in its certificate".to_owned();
    }
    "the connection broke".to_owned()
}

fn ended(posted: &Result<StatusCode, String>, message: &ClaimedRow, now_ms: i64) -> Ended {
    let status = posted.as_ref().ok().map(|status| i64::from(status.as_u16()));
    let error = match posted {
        Ok(taken) if taken.is_success() => {
            let sent_at = Some(now_ms);
            return Ended { state: "sent", next_at: now_ms, status, error: None, sent_at };
        }
        Ok(other) if other.is_redirection() => format!("{other}: redirects are not followed"),
        Ok(other) => other.to_string(),
        Err(error) => error.clone(),
    };
    let is_over =
        matches!(posted, Ok(StatusCode::GONE)) || now_ms - message.queued_at >= GIVE_UP_AFTER_MS;
    let state = if is_over { "given_up" } else { "pending" };
    let next_at = now_ms + PAUSE.after(message.attempts);
    Ended { state, next_at, status, error: Some(error), sent_at: None }
}
