//! Whether the server lives, and whether it can work.

use axum::extract::State;

use super::error::ApiError;
use crate::db::lone::sqlite_file;
use crate::db::{halls, schema};
use crate::disk;
use crate::state::AppState;

/// Says that the process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "server",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain")),
)]
pub async fn healthz() -> &'static str {
    "ok"
}

/// Says that work can be done: the database answers with the right schema, there is room, and the server is not stopping.
#[utoipa::path(
    get, path = "/readyz", tag = "server",
    responses(
        (status = 200, description = "It can.", body = String, content_type = "text/plain"),
        (status = 503, description = "It cannot."),
    ),
)]
pub async fn readyz(State(state): State<AppState>) -> Result<&'static str, ApiError> {
    if *state.closing.borrow() {
        return Err(ApiError::Unready("the server is stopping"));
    }
    let found = async {
        let mut conn = state.db.read().await?;
        halls::find_epoch(conn.c()).await?;
        schema::find_version(conn.c()).await
    };
    match found.await {
        Ok(found) if found != schema::known_version() => {
            return Err(ApiError::Unready("the database's schema is not this server's"));
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(error = error.to_string(), "the database does not answer");
            return Err(ApiError::NotReady);
        }
    }
    if let Some(file) = sqlite_file(&state.config.database.0)
        && disk::free_bytes(file).is_ok_and(|free| free < state.config.disk_low_bytes)
    {
        return Err(ApiError::Unready("there is little room left on the server's disk"));
    }
    Ok("ready")
}
