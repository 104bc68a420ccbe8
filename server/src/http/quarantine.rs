//! Changes that were not accepted: looking at them, and letting them out.

use automerge::ChangeHash;
use axum::Json;
use axum::extract::State;
use domain::id::{DeviceId, JobId, UserId};
use serde::Serialize;

use super::caller::Manager;
use super::error::ApiError;
use super::extract::Path;
use crate::db::quarantine;
use crate::exchange;
use crate::state::AppState;

/// A change kept apart; its content stays where it is.
#[derive(Debug, Serialize)]
pub struct ApartBody {
    /// SHA-256 in hexadecimal.
    hash: String,
    job: Option<JobId>,
    user: UserId,
    device: DeviceId,
    reason: String,
    received_at: i64,
    bytes: usize,
}

/// Everything kept apart in a hall.
#[derive(Debug, Serialize)]
pub struct QuarantineBody {
    changes: Vec<ApartBody>,
}

/// What became of a change that was let out.
#[derive(Debug, Serialize)]
pub struct ReleasedBody {
    verdict: &'static str,
}

/// Lists what the hall keeps apart.
pub async fn list_quarantine(
    State(state): State<AppState>,
    Manager(caller): Manager,
) -> Result<Json<QuarantineBody>, ApiError> {
    let rows = quarantine::list_quarantine(state.db.read().await?.c(), caller.hall).await?;
    let changes = rows.into_iter().map(|row| ApartBody {
        hash: ChangeHash::try_from(row.hash.as_slice())
            .map(|it| it.to_string())
            .unwrap_or_default(),
        job: row.job_id.map(JobId),
        user: UserId(row.user_id),
        device: DeviceId(row.device_id),
        reason: row.reason,
        received_at: row.received_at,
        bytes: row.bytes.len(),
    });
    Ok(Json(QuarantineBody { changes: changes.collect() }))
}

/// Lets a change out, as far as what it does allows.
pub async fn release_change(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(hash): Path<String>,
) -> Result<Json<ReleasedBody>, ApiError> {
    let hash = hash.parse().map_err(|_| ApiError::NotFound("change"))?;
    let verdict = exchange::release(&state, caller.hall, hash, caller.user).await?;
    Ok(Json(ReleasedBody { verdict }))
}
