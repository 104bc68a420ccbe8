//! The password again, before acts of weight: files that leave, shutting out, releases, other people's accounts.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, ClientAddress, PasswordGiven, Staff};
use super::error::ApiError;
use super::extract::Body;
use super::sessions::{Credentials, SessionBody, hand_over, prove};
use crate::audit::{self, Entry, Subject, What};
use crate::db::sessions;
use crate::identity::token::Token;
use crate::state::AppState;

/// One's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivePassword {
    #[schema(max_length = 1024)]
    password: String,
}

/// For how long the password that was given counts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofBody {
    until: i64,
}

/// Says until when the password that was given counts; for who is about to fetch a file.
#[utoipa::path(
    get, path = "/api/session/proof", tag = "session",
    responses((status = 200, description = "It counts.", body = ProofBody)),
)]
pub async fn get_proof(Staff(_): Staff, given: PasswordGiven) -> Json<ProofBody> {
    Json(ProofBody { until: given.until })
}

/// Takes the password again: the session goes on under another token and ends when it would have.
#[utoipa::path(
    post, path = "/api/session/proof", tag = "session", request_body = GivePassword,
    responses(
        (status = 200, description = "It counts for some minutes.", body = SessionBody),
        (status = 401, description = "Wrong."),
        (status = 429, description = "Wait as long as `Retry-After` says."),
    ),
)]
pub async fn give_password(
    Staff(caller): Staff,
    State(state): State<AppState>,
    from: ClientAddress,
    headers: HeaderMap,
    Body(given): Body<GivePassword>,
) -> Result<Response, ApiError> {
    let credentials = Credentials { login: caller.login.clone(), password: given.password };
    let proven = prove(&state, (from, caller.via), &credentials).await?;
    let token = Token::draw();
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    proven.succeed(&state, &mut tx).await?;
    let expires_at = renew(&mut tx, &caller, &token, now_ms).await?;
    let entry = Entry::new(&caller, What::PasswordGiven, Subject::Nothing);
    audit::keep(tx.c(), now, entry).await?;
    tx.commit().await?;
    let as_cookie = !headers.contains_key(header::AUTHORIZATION);
    Ok(hand_over(token.reveal(), as_cookie, (expires_at, now_ms), proven.user))
}

/// Puts another token in the place of the caller's; returns when the session ends.
async fn renew(
    tx: &mut crate::db::Tx,
    caller: &Caller,
    token: &Token,
    now_ms: i64,
) -> Result<i64, ApiError> {
    let row = sessions::find_session(tx.c(), &caller.session.0).await?;
    let row = row.ok_or(ApiError::NotSignedIn)?;
    if !sessions::renew_session(tx.c(), &caller.session.0, &token.hash().0, now_ms).await? {
        return Err(ApiError::NotSignedIn);
    }
    Ok(row.expires_at)
}
