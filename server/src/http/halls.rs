//! Halls: listing them, adding one with its first manager, renaming one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::HallId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::check_name;
use super::caller::{Admin, Manager};
use super::error::ApiError;
use super::extract::{Body, Path, read_whole};
use super::once::Once;
use super::sessions::{UserBody, user_body};
use crate::audit::{self, Entry, Subject, What};
use crate::db::halls::{self, HallFiguresRow};
use crate::db::is_unique_violation;
use crate::db::users::{self, UserRow};
use crate::identity::password::check_choice;
use crate::identity::{Role, is_login, normal_login};
use crate::ids::fresh_uuid;
use crate::state::AppState;

/// A city is at most this many minutes from UTC.
const MOST_OFFSET_MINUTES: i64 = 14 * 60;

/// A hall with how much is in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct HallBody {
    id: Uuid,
    name: String,
    /// Its city's distance from UTC.
    utc_offset_minutes: i64,
    /// People who were not shut out.
    people: i64,
    /// Phones that were not shut out.
    phones: i64,
    households: i64,
}

/// The halls that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub struct HallsBody {
    halls: Vec<HallBody>,
}

/// A hall to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHall {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Its city's distance from UTC.
    #[serde(deserialize_with = "read_whole")]
    #[schema(minimum = -840, maximum = 840)]
    utc_offset_minutes: i64,
    manager: FirstManager,
}

/// Who is to run a new hall.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstManager {
    /// 2 to 64 letters, digits, dots, dashes or underscores.
    #[schema(min_length = 2, max_length = 64)]
    login: String,
    /// What they are called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// At least 12 characters, at most 128, and not a common one.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
}

/// A hall that was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedHallBody {
    id: Uuid,
    name: String,
    manager: UserBody,
}

/// Another name for a hall.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameHall {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Lists halls: an admin sees all of the server, a manager their own.
#[utoipa::path(
    get, path = "/api/halls", tag = "halls",
    responses((status = 200, description = "By name.", body = HallsBody)),
)]
pub async fn list_halls(
    Manager(caller): Manager,
    State(state): State<AppState>,
) -> Result<Json<HallsBody>, ApiError> {
    let rows = halls::list_hall_figures(state.db.read().await?.c()).await?;
    let seen =
        rows.into_iter().filter(|it| caller.role == Role::Admin || it.hall_id == caller.hall.0);
    Ok(Json(HallsBody { halls: seen.map(hall_body).collect() }))
}

/// Adds a hall with the manager who fills it; nobody of another hall sees into it.
#[utoipa::path(
    post, path = "/api/halls", tag = "halls", request_body = CreateHall,
    responses(
        (status = 201, description = "Its manager can sign in.", body = CreatedHallBody),
        (status = 409, description = "Choose another log-in."),
    ),
)]
pub async fn create_hall(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Once(body, receipt): Once<CreateHall>,
) -> Result<(StatusCode, Json<CreatedHallBody>), ApiError> {
    let name = check_name(&body.name)?;
    if !(-MOST_OFFSET_MINUTES..=MOST_OFFSET_MINUTES).contains(&body.utc_offset_minutes) {
        let what = "let `utc_offset_minutes` lie within 14 hours of UTC";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    let login = normal_login(&body.manager.login);
    if !is_login(&login) {
        let rule = "a log-in has 2 to 64 letters, digits, dots, dashes or underscores";
        return Err(ApiError::Unprocessable(rule.to_owned()));
    }
    check_choice(&login, &body.manager.password)?;
    let now = state.clock.now();
    let hall = HallId(fresh_uuid(now));
    let row = UserRow {
        user_id: fresh_uuid(now),
        hall_id: hall.0,
        login,
        name: check_name(&body.manager.name)?.to_owned(),
        role: Role::Manager.key().to_owned(),
        password_hash: Some(state.passwords.hash(&body.manager.password).await?),
        created_at: now.timestamp_millis(),
        disabled_at: None,
    };
    let mut tx = state.db.begin().await?;
    halls::upsert_hall(tx.c(), hall, name, body.utc_offset_minutes).await?;
    match users::insert_user(tx.c(), &row).await {
        Err(error) if is_unique_violation(&error) => return Err(ApiError::LoginTaken),
        inserted => inserted?,
    }
    let made = CreatedHallBody { id: hall.0, name: name.to_owned(), manager: user_body(row)? };
    receipt.keep(tx.c(), &made, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::HallAdded, Subject::Id("hall", hall.0));
    let detail = json!({"manager": made.manager.id});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Calls a hall something else.
#[utoipa::path(
    put, path = "/api/halls/{id}", tag = "halls", request_body = RenameHall,
    params(("id" = Uuid, Path, description = "The hall.")),
    responses((status = 204, description = "It is called that.")),
)]
pub async fn rename_hall(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Path(id): Path<HallId>,
    Body(body): Body<RenameHall>,
) -> Result<StatusCode, ApiError> {
    let name = check_name(&body.name)?;
    let mut tx = state.db.begin().await?;
    if !halls::rename_hall(tx.c(), id, name).await? {
        return Err(ApiError::NotFound("hall"));
    }
    let entry = Entry::new(&caller, What::HallRenamed, Subject::Id("hall", id.0));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn hall_body(row: HallFiguresRow) -> HallBody {
    HallBody {
        id: row.hall_id,
        name: row.name,
        utc_offset_minutes: row.utc_offset_minutes,
        people: row.people,
        phones: row.phones,
        households: row.households,
    }
}
