//! A place that no register knows, tied to the household that it turned out to be.

use axum::Json;
use axum::extract::State;
use domain::id::HouseholdId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use crate::audit::{self, Entry, Subject, What};
use crate::db::{halls, households};
use crate::places;
use crate::retry::until_won;
use crate::state::AppState;

/// Which household a place is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TiePlace {
    /// The account number of the household in the register.
    #[schema(min_length = 1, max_length = 100)]
    account: String,
}

/// A place that was tied.
#[derive(Debug, Serialize, ToSchema)]
pub struct TiedBody {
    /// The household that it is.
    household: Uuid,
    /// How many jobs are that household's from now on.
    jobs: usize,
}

/// Ties a place to the household that it is: its jobs and cases are that household's from now on, and phones are
/// briefed with it.
#[utoipa::path(
    post, path = "/api/households/{id}/tie", tag = "households", request_body = TiePlace,
    params(("id" = Uuid, Path, description = "The place.")),
    responses(
        (status = 200, description = "It is that household's.", body = TiedBody),
        (status = 404, description = "No such place, or no such household."),
        (status = 409, description = "It is tied already."),
    ),
)]
pub async fn tie_place(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
    Body(body): Body<TiePlace>,
) -> Result<Json<TiedBody>, ApiError> {
    let tied = until_won(|| tie(&state, &caller, (id, body.account.trim()))).await?;
    Ok(Json(tied))
}

async fn tie(
    state: &AppState,
    caller: &Caller,
    (id, account): (HouseholdId, &str),
) -> Result<TiedBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    halls::take_positions(tx.c(), caller.hall, 0).await?;
    let found = households::find_household_by_account(tx.c(), caller.hall, account).await?;
    let household = found.ok_or(ApiError::NotFound("household"))?;
    let by = (caller.hall, caller.user);
    let jobs = places::tie(state, &mut tx, by, (id, &household)).await?;
    let entry = Entry::new(caller, What::PlaceTied, Subject::Id("household", household.id.0));
    audit::keep(tx.c(), now, entry.with(json!({"place": id}))).await?;
    let reached = halls::take_positions(tx.c(), caller.hall, 1).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, reached);
    Ok(TiedBody { household: household.id.0, jobs })
}
