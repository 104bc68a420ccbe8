//! Changes that were not accepted: looking at them, and letting them out.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use automerge::ChangeHash;
use axum::Json;
use axum::extract::State;
use domain::id::{DeviceId, JobId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Manager, PasswordGiven};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::page::{Limit, read_cursor};
use crate::db::quarantine::{self, Filter};
use crate::exchange;
use crate::state::AppState;

/// A change kept apart; its content stays where it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApartBody {
    /// SHA-256 in hexadecimal.
    hash: String,
    #[schema(value_type = Option<Uuid>)]
    job: Option<JobId>,
    #[schema(value_type = Uuid)]
    user: UserId,
    #[schema(value_type = Uuid)]
    device: DeviceId,
    /// The key of the reason.
    reason: String,
    received_at: i64,
    bytes: usize,
}

/// Everything kept apart in a hall.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineBody {
    changes: Vec<ApartBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// What became of a change that was let out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedBody {
    /// `accepted` or `waiting`.
    verdict: &'static str,
}

/// Which changes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuarantine {
    /// The key of a reason.
    reason: Option<String>,
    /// Only those of this job.
    job: Option<Uuid>,
    /// Only those of this phone.
    device: Option<Uuid>,
    /// Only those of this person.
    user: Option<Uuid>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// Lists what the hall keeps apart, oldest first.
#[utoipa::path(
    get, path = "/api/quarantine", tag = "quarantine", params(ListQuarantine),
    responses((status = 200, description = "A page of changes.", body = QuarantineBody)),
)]
pub async fn list_quarantine(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Query(asked): Query<ListQuarantine>,
) -> Result<Json<QuarantineBody>, ApiError> {
    let ListQuarantine { reason, job, device, user, after, limit } = asked;
    let filter = Filter { reason, job, device, user };
    let after = read_cursor(after.as_deref())?.unwrap_or((i64::MIN, Vec::new()));
    let mut conn = state.db.read().await?;
    let page = (after, limit.rows());
    let rows = quarantine::list_quarantine(conn.c(), caller.hall, &filter, page).await?;
    let next = limit.next(&rows, |row| (row.received_at, row.hash.clone()));
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
    Ok(Json(QuarantineBody { changes: changes.collect(), next }))
}

/// Lets a change out, as far as what it does allows.
#[utoipa::path(
    post, path = "/api/quarantine/{hash}/release", tag = "quarantine",
    params(("hash" = String, Path, description = "SHA-256 in hexadecimal.", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "It was let out.", body = ReleasedBody)),
)]
pub async fn release_change(
    State(state): State<AppState>,
    Manager(caller): Manager,
    _: PasswordGiven,
    Path(hash): Path<String>,
) -> Result<Json<ReleasedBody>, ApiError> {
    let hash = hash.parse().map_err(|_| ApiError::NotFound("change"))?;
    let verdict = exchange::release(&state, caller.hall, hash, (&caller).into()).await?;
    Ok(Json(ReleasedBody { verdict }))
}
