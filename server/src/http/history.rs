//! What happened to a job, and how it looked to who added something.

use axum::Json;
use axum::extract::State;
use domain::id::JobId;
use domain::job::Job;
use domain::status::{Standing, standing};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::Path;
use super::schema;
use crate::db::{C, documents};
use crate::jobs::history::{self, HistoryEntry};
use crate::ledger;
use crate::state::AppState;

/// A job's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryBody {
    /// In the order in which the hall took the changes.
    changes: Vec<HistoryEntry>,
}

/// A job as somebody saw it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenBody {
    #[schema(schema_with = schema::job)]
    job: Job,
    #[schema(schema_with = schema::standing)]
    standing: Standing,
}

/// Tells what happened to a job, change by change.
#[utoipa::path(
    get, path = "/api/jobs/{id}/history", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The changes.", body = HistoryBody)),
)]
pub async fn list_history(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
) -> Result<Json<HistoryBody>, ApiError> {
    let mut conn = state.db.read().await?;
    check_hall(conn.c(), &caller, id).await?;
    Ok(Json(HistoryBody { changes: history::history(conn.c(), id).await? }))
}

/// Shows a job as who made a change saw it at that moment, the change included.
#[utoipa::path(
    get, path = "/api/jobs/{id}/history/{hash}", tag = "jobs",
    params(
        ("id" = Uuid, Path, description = "The job."),
        ("hash" = String, Path, description = "The change, 64 hexadecimal digits.", pattern = "^[0-9a-f]{64}$"),
    ),
    responses((status = 200, description = "The job then.", body = SeenBody)),
)]
pub async fn get_seen(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path((id, hash)): Path<(JobId, String)>,
) -> Result<Json<SeenBody>, ApiError> {
    let mut conn = state.db.read().await?;
    check_hall(conn.c(), &caller, id).await?;
    let hash = hash.parse().map_err(|_| ApiError::NotFound("change"))?;
    let job = history::seen_by_writer(conn.c(), id, hash).await?;
    let mut job = job.ok_or(ApiError::NotFound("change"))?;
    ledger::withhold(conn.c(), &mut job).await?;
    let standing = standing(&job);
    Ok(Json(SeenBody { job, standing }))
}

async fn check_hall(c: C<'_>, caller: &Caller, job: JobId) -> Result<(), ApiError> {
    let found = documents::find_document(c, caller.hall, job).await?;
    found.map(drop).ok_or(ApiError::NotFound("job"))
}
