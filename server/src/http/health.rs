//! Whether the server lives, and whether it can work.

use axum::extract::State;

use super::error::ApiError;
use crate::db::{Db, halls};

/// Says that the process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "server",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain")),
)]
pub async fn healthz() -> &'static str {
    "ok"
}

/// Says that the database answers too.
#[utoipa::path(
    get, path = "/readyz", tag = "server",
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not."),
    ),
)]
pub async fn readyz(State(db): State<Db>) -> Result<&'static str, ApiError> {
    let ready = async { halls::find_epoch(db.read().await?.c()).await };
    match ready.await {
        Ok(_) => Ok("ready"),
        Err(error) => {
            tracing::error!(error = error.to_string(), "the database does not answer");
            Err(ApiError::NotReady)
        }
    }
}
