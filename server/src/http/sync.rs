//! `POST /api/sync`: a phone meets the hall.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::caller::Sender;
use super::error::ApiError;
use crate::exchange;
use crate::state::AppState;

/// The content type of sync messages, both ways.
pub const CBOR: &str = "application/cbor";

/// Takes what a phone offers and gives what it has not read.
///
/// CBOR both ways; a repeated request changes nothing.
#[utoipa::path(
    post, path = "/api/sync", tag = "phones",
    request_body(content = String, description = "What the phone offers.", content_type = "application/cbor"),
    responses((
        status = 200, description = "Verdicts, and what the phone has not read.",
        body = String, content_type = "application/cbor",
    )),
)]
pub async fn exchange_changes(
    State(state): State<AppState>,
    sender: Sender,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let reply = exchange::exchange(&state, &sender, &body).await?;
    Ok(([(header::CONTENT_TYPE, CBOR)], reply))
}
