//! Whether the server lives, and whether it can work.

use axum::extract::State;

use super::error::ApiError;
use crate::db::{Db, halls};

/// Says that the process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// Says that the database answers too.
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
