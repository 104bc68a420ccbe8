//! The cards that technicians show at doors: number and picture, as households see them before (A4).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use domain::id::UserId;
use domain::photo::{self, Format};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::{Caller, Manager, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::users::find_in_hall;
use crate::audit::{self, Entry, Subject, What};
use crate::db::work_cards;
use crate::identity::Role;
use crate::state::AppState;

/// The longest number of a work card.
const LONGEST_NUMBER: usize = 40;

/// Bytes of a picture: households load it over any network.
const LONGEST_PICTURE: usize = 300_000;

/// Pixels of a picture's longer side.
const WIDEST_PICTURE: u32 = 1_200;

/// The card that a technician shows at the door.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkCard {
    /// Its number; empty while nobody recorded it.
    #[schema(max_length = 40)]
    number: String,
    /// Whether there is a picture; it has a route of its own.
    #[serde(default)]
    #[schema(read_only)]
    has_portrait: bool,
}

/// Shows a technician's work card.
#[utoipa::path(
    get, path = "/api/users/{id}/work-card", tag = "people",
    params(("id" = Uuid, Path, description = "The technician.")),
    responses((status = 200, description = "The card.", body = WorkCard)),
)]
pub async fn get_work_card(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<UserId>,
) -> Result<Json<WorkCard>, ApiError> {
    let user = find_in_hall(&state, &caller, id).await?;
    Ok(Json(card_of(&state, user.id).await?))
}

/// Records the number of a technician's work card; households read it before somebody comes.
#[utoipa::path(
    put, path = "/api/users/{id}/work-card", tag = "people", request_body = WorkCard,
    params(("id" = Uuid, Path, description = "The technician.")),
    responses(
        (status = 200, description = "It is recorded.", body = WorkCard),
        (status = 422, description = "Not a technician, or no number."),
    ),
)]
pub async fn put_work_card(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<UserId>,
    Body(body): Body<WorkCard>,
) -> Result<Json<WorkCard>, ApiError> {
    let technician = technician(&state, &caller, id).await?;
    let refuse = |rule: &str| Err(ApiError::Unprocessable(rule.to_owned()));
    let number = body.number.trim();
    let is_plain =
        number.chars().all(|it| it.is_alphanumeric() || matches!(it, '-' | '/' | '.' | ' '));
    if number.chars().count() > LONGEST_NUMBER || !is_plain {
        return refuse(
            "write the card's number in at most 40 letters, digits, dashes, dots and slashes",
        );
    }
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    work_cards::upsert_card(tx.c(), technician, number).await?;
    let entry = Entry::new(&caller, What::PersonChanged, Subject::Id("person", technician.0));
    audit::keep(tx.c(), now, entry.with(json!({"work_card": true}))).await?;
    tx.commit().await?;
    Ok(Json(card_of(&state, technician).await?))
}

/// Shows the picture on a technician's work card.
#[utoipa::path(
    get, path = "/api/users/{id}/work-card/portrait", tag = "people",
    params(("id" = Uuid, Path, description = "The technician.")),
    responses((status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/jpeg")),
)]
pub async fn get_card_portrait(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<UserId>,
) -> Result<impl IntoResponse, ApiError> {
    let user = find_in_hall(&state, &caller, id).await?;
    let found = work_cards::find_portrait(state.db.read().await?.c(), user.id).await?;
    let jpeg = found.ok_or(ApiError::NotFound("picture"))?;
    Ok(([(header::CONTENT_TYPE, Format::Jpeg.media_type())], jpeg))
}

/// Records the picture on a technician's work card; where it was taken is stripped.
#[utoipa::path(
    put, path = "/api/users/{id}/work-card/portrait", tag = "people",
    params(("id" = Uuid, Path, description = "The technician.")),
    request_body(content = String, description = "A JPEG.", content_type = "image/jpeg"),
    responses(
        (status = 204, description = "Households see it."),
        (status = 422, description = "Not a technician, no JPEG, or too large."),
    ),
)]
pub async fn put_card_portrait(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<UserId>,
    bytes: Bytes,
) -> Result<StatusCode, ApiError> {
    let technician = technician(&state, &caller, id).await?;
    let jpeg = pictured(&bytes)?;
    keep(&state, &caller, technician, Some(&jpeg)).await
}

/// Takes the picture off a technician's work card.
#[utoipa::path(
    delete, path = "/api/users/{id}/work-card/portrait", tag = "people",
    params(("id" = Uuid, Path, description = "The technician.")),
    responses((status = 204, description = "Nobody sees it any more.")),
)]
pub async fn delete_card_portrait(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let technician = technician(&state, &caller, id).await?;
    keep(&state, &caller, technician, None).await
}

async fn keep(
    state: &AppState,
    caller: &Caller,
    technician: UserId,
    jpeg: Option<&[u8]>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    work_cards::set_portrait(tx.c(), technician, jpeg).await?;
    let entry = Entry::new(caller, What::PersonChanged, Subject::Id("person", technician.0));
    let entry = entry.with(json!({"portrait": jpeg.is_some()}));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The picture alone, with nothing of where and by what it was taken.
fn pictured(bytes: &[u8]) -> Result<Vec<u8>, ApiError> {
    let refuse = |rule: String| ApiError::Unprocessable(rule);
    let stripped = photo::strip(bytes).map_err(|error| refuse(error.to_string()))?;
    let picture = photo::inspect(&stripped).map_err(|error| refuse(error.to_string()))?;
    let is_small = picture.width.max(picture.height) <= WIDEST_PICTURE;
    if picture.format != Format::Jpeg || !is_small || stripped.len() > LONGEST_PICTURE {
        return Err(refuse(format!(
            "send a JPEG of at most {WIDEST_PICTURE} pixels a side and {LONGEST_PICTURE} bytes"
        )));
    }
    Ok(stripped)
}

async fn technician(state: &AppState, caller: &Caller, id: UserId) -> Result<UserId, ApiError> {
    let user = find_in_hall(state, caller, id).await?;
    if user.role != Role::Technician {
        let rule = "only technicians show work cards at doors: choose one of them";
        return Err(ApiError::Unprocessable(rule.to_owned()));
    }
    Ok(user.id)
}

async fn card_of(state: &AppState, user: UserId) -> Result<WorkCard, ApiError> {
    let found = work_cards::find_card(state.db.read().await?.c(), user).await?;
    let none = || WorkCard { number: String::new(), has_portrait: false };
    Ok(found.map_or_else(none, |it| WorkCard { number: it.number, has_portrait: it.has_portrait }))
}
