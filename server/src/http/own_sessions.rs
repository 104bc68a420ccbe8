//! One's own sessions at desks: seeing them, ending one, ending all others.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::EndedBody;
use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::Path;
use crate::audit::{self, Entry, Subject, What};
use crate::db::C;
use crate::db::sessions::{self, OwnSessionRow};
use crate::identity::session::lifetime;
use crate::identity::token::TokenHash;
use crate::state::AppState;

/// Sessions that are shown at most; nobody sits at more desks, and ending all others ends every one.
const SHOWN: i64 = 100;

/// One of one's own sessions; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSessionBody {
    id: Uuid,
    began_at: i64,
    /// When it was last used, to the minute.
    used_at: i64,
    /// When it ends whatever happens.
    ends_at: i64,
    /// The address that it began from.
    address: Option<String>,
    /// What the browser or program called itself.
    agent: Option<String>,
    /// Whether it is the one that asks.
    is_this: bool,
}

/// One's own sessions, the newest use first.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSessionsBody {
    sessions: Vec<OwnSessionBody>,
}

/// Lists the caller's own sessions that stand.
#[utoipa::path(
    get, path = "/api/me/sessions", tag = "session",
    responses((status = 200, description = "They stand.", body = OwnSessionsBody)),
)]
pub async fn list_own_sessions(
    Staff(caller): Staff,
    State(state): State<AppState>,
) -> Result<Json<OwnSessionsBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let rows = standing(conn.c(), &caller, state.clock.now_ms()).await?;
    let sessions = rows.into_iter().map(|(hash, row)| OwnSessionBody {
        id: hash.session_id(),
        began_at: row.created_at,
        used_at: row.seen_at,
        ends_at: row.expires_at,
        address: row.address,
        agent: row.agent,
        is_this: hash == caller.session,
    });
    Ok(Json(OwnSessionsBody { sessions: sessions.collect() }))
}

/// Ends one of the caller's own sessions.
#[utoipa::path(
    delete, path = "/api/me/sessions/{id}", tag = "session",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 204, description = "It is over.")),
)]
pub async fn end_own_session(
    Staff(caller): Staff,
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    let rows = standing(tx.c(), &caller, now_ms).await?;
    let found = rows.into_iter().find(|(hash, _)| hash.session_id() == id);
    let (hash, _) = found.ok_or(ApiError::NotFound("session"))?;
    sessions::end_session(tx.c(), &hash.0, now_ms).await?;
    let entry = Entry::new(&caller, What::SessionsEnded, Subject::Id("person", caller.user.0));
    audit::keep(tx.c(), now, entry.with(json!({"count": 1}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of the caller's own sessions but the one that asks.
#[utoipa::path(
    delete, path = "/api/me/sessions", tag = "session",
    responses((status = 200, description = "They are over.", body = EndedBody)),
)]
pub async fn end_other_sessions(
    Staff(caller): Staff,
    State(state): State<AppState>,
) -> Result<Json<EndedBody>, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let (keep, now_ms) = (Some(&caller.session.0[..]), now.timestamp_millis());
    let sessions = sessions::end_user_sessions(tx.c(), caller.user, keep, now_ms).await?;
    let entry = Entry::new(&caller, What::SessionsEnded, Subject::Id("person", caller.user.0));
    audit::keep(tx.c(), now, entry.with(json!({"count": sessions}))).await?;
    tx.commit().await?;
    Ok(Json(EndedBody { sessions }))
}

/// The caller's sessions that neither ended nor lay idle too long.
async fn standing(
    c: C<'_>,
    caller: &Caller,
    now_ms: i64,
) -> Result<Vec<(TokenHash, OwnSessionRow)>, ApiError> {
    let idle_ms = lifetime(caller.role).idle_ms;
    let used_after_ms = idle_ms.map_or(i64::MIN, |idle_ms| now_ms - idle_ms);
    let rows = sessions::list_sessions(c, caller.user, (now_ms, used_after_ms), SHOWN).await?;
    let named = rows.into_iter().map(|row| {
        let hash = row.token_hash.as_slice().try_into().map_err(anyhow::Error::from)?;
        Ok((TokenHash(hash), row))
    });
    named.collect()
}
