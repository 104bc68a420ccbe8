//! Rule packs, as people's screens name things by them.

use axum::Json;
use axum::extract::State;
use domain::pack::{Pack, PackId};

use super::caller::Staff;
use super::error::ApiError;
use super::extract::Path;
use crate::db::packs::find_pack;
use crate::state::AppState;

/// Gives a rule pack by which a job may be judged.
#[utoipa::path(
    get, path = "/api/packs/{id}", tag = "packs",
    params(("id" = String, Path, description = "The pack's name.", max_length = 200)),
    responses((status = 200, description = "The pack.", body = serde_json::Value)),
)]
pub async fn get_pack(
    State(state): State<AppState>,
    Staff(_): Staff,
    Path(id): Path<PackId>,
) -> Result<Json<Pack>, ApiError> {
    let mut conn = state.db.read().await?;
    find_pack(conn.c(), &id.0).await?.ok_or(ApiError::NotFound("rule pack"))?;
    let pack = state.packs.find(conn.c(), &id).await?;
    Ok(Json((*pack).clone()))
}
