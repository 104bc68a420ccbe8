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
pub async fn exchange_changes(
    State(state): State<AppState>,
    sender: Sender,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let reply = exchange::exchange(&state, &sender, &body).await?;
    Ok(([(header::CONTENT_TYPE, CBOR)], reply))
}
