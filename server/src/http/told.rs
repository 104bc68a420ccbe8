//! What households were told, as the pages of jobs and households show it, and the cards that technicians show (A4, B13).

use axum::Json;
use axum::extract::State;
use domain::id::{HallId, HouseholdId, JobId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Manager, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::users::find_in_hall;
use crate::audit::{self, Entry, Subject, What};
use crate::db::told::{self as rows, NoticeRow};
use crate::db::{C, households, jobs, work_cards};
use crate::identity::Role;
use crate::state::AppState;
use crate::told;

/// Notices shown at most.
const MOST: i64 = 100;

/// The longest number of a work card.
const LONGEST_NUMBER: usize = 40;

/// Something that a household was told, or was to be told; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeBody {
    id: Uuid,
    /// The key of why.
    occasion: String,
    /// `zh` or `en`.
    language: String,
    /// What; the link that went with it is kept nowhere.
    words: String,
    job: Option<Uuid>,
    outage: Option<Uuid>,
    made_at: i64,
    /// When it may be sent: the end of the night, where it had to wait.
    send_at: i64,
    /// `waiting`, `sending`, `sent`, `failed`, or why it was not sent.
    state: String,
    ended_at: Option<i64>,
    /// What went wrong last.
    error: Option<String>,
}

impl NoticeBody {
    fn new(row: NoticeRow) -> Self {
        let state = if row.state == "handed" { "sending".to_owned() } else { row.state };
        Self {
            id: row.notice_id,
            occasion: row.occasion,
            language: row.language,
            words: row.words,
            job: row.job_id,
            outage: row.outage_id,
            made_at: row.made_at,
            send_at: row.send_at,
            state,
            ended_at: row.ended_at,
            error: row.error,
        }
    }
}

/// What was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldBody {
    /// Newest first, at most a hundred.
    notices: Vec<NoticeBody>,
    /// Whether any gateway takes notices; without one nobody is told.
    listens: bool,
}

async fn told_body(c: C<'_>, hall: HallId, rows: Vec<NoticeRow>) -> Result<ToldBody, ApiError> {
    let listens = told::listens(c, hall).await?;
    Ok(ToldBody { notices: rows.into_iter().map(NoticeBody::new).collect(), listens })
}

/// Shows what the household was told of a job, and how that ended.
#[utoipa::path(
    get, path = "/api/jobs/{id}/notices", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "What was told.", body = ToldBody)),
)]
pub async fn list_job_notices(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
) -> Result<Json<ToldBody>, ApiError> {
    let mut conn = state.db.read().await?;
    jobs::find_job(conn.c(), caller.hall, id).await?.ok_or(ApiError::NotFound("job"))?;
    let rows = rows::list_of_job(conn.c(), caller.hall, id, MOST).await?;
    Ok(Json(told_body(conn.c(), caller.hall, rows).await?))
}

/// Shows what a household was told, and how that ended.
#[utoipa::path(
    get, path = "/api/households/{id}/notices", tag = "households",
    params(("id" = Uuid, Path, description = "The household.")),
    responses((status = 200, description = "What was told.", body = ToldBody)),
)]
pub async fn list_household_notices(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
) -> Result<Json<ToldBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let home = households::find_household(conn.c(), caller.hall, id).await?;
    home.ok_or(ApiError::NotFound("household"))?;
    let rows = rows::list_of_household(conn.c(), caller.hall, id, MOST).await?;
    Ok(Json(told_body(conn.c(), caller.hall, rows).await?))
}

/// The card that a technician shows at the door.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkCard {
    /// Its number; empty while nobody recorded it.
    #[schema(max_length = 40)]
    number: String,
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
    let found = work_cards::find_card(state.db.read().await?.c(), user.id).await?;
    Ok(Json(WorkCard { number: found.map(|it| it.number).unwrap_or_default() }))
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
    let user = find_in_hall(&state, &caller, id).await?;
    let refuse = |rule: &str| Err(ApiError::Unprocessable(rule.to_owned()));
    if user.role != Role::Technician {
        return refuse("only technicians show work cards at doors: choose one of them");
    }
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
    work_cards::upsert_card(tx.c(), user.id, number).await?;
    let entry = Entry::new(&caller, What::PersonChanged, Subject::Id("person", user.id.0));
    audit::keep(tx.c(), now, entry.with(json!({"work_card": true}))).await?;
    tx.commit().await?;
    Ok(Json(WorkCard { number: number.to_owned() }))
}
