//! What the hall adds to a job: appointments, assignments, cancellations, instructions, messages, rulings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{JobId, UserId, VisitId};
use domain::job::{Appointment, Assignment, Cancellation, Instruction, PlanEntry, Ruling};
use domain::status::Clash;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Dispatcher};
use super::error::ApiError;
use super::extract::Path;
use super::instants::check_window;
use super::jobs::{Agree, check_technician};
use super::once::Once;
use super::schema;
use super::version::IfMatch;
use crate::jobs::plan::{Addition, Terms, add, author};
use crate::state::AppState;

/// The longest text that somebody says.
pub(super) const LONGEST_TEXT: usize = 2000;

/// The id of what was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedBody {
    /// The entry or message.
    pub entry: Uuid,
    /// To send as `If-Match` with the next edit.
    pub etag: String,
}

/// Agrees a window, in the place of the one before.
#[utoipa::path(
    post, path = "/api/jobs/{id}/appointments", tag = "jobs", request_body = Agree,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_appointment(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<Agree>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    check_window(body.window)?;
    let author = author(caller.user, state.clock.now());
    let made = Appointment { window: body.window, channel: body.channel, author };
    added(
        &state,
        &caller,
        id,
        (Addition::Entry(PlanEntry::Appointment(made)), Terms { seen, receipt }),
    )
    .await
}

/// Who is to do a job.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// `null` takes the job back.
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
}

/// Gives a job to a technician, or takes it back.
#[utoipa::path(
    post, path = "/api/jobs/{id}/assignments", tag = "jobs", request_body = Assign,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_assignment(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<Assign>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    if let Some(technician) = body.technician {
        let mut tx = state.db.begin().await?;
        check_technician(tx.c(), &caller, technician).await?;
        tx.commit().await?;
    }
    let author = author(caller.user, state.clock.now());
    let made = Assignment { technician: body.technician, author };
    added(
        &state,
        &caller,
        id,
        (Addition::Entry(PlanEntry::Assignment(made)), Terms { seen, receipt }),
    )
    .await
}

/// Why something is so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    reason: String,
}

/// Calls a job off.
#[utoipa::path(
    post, path = "/api/jobs/{id}/cancellations", tag = "jobs", request_body = Reason,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_cancellation(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<Reason>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let made = Cancellation { reason: said(body.reason)?, author };
    added(
        &state,
        &caller,
        id,
        (Addition::Entry(PlanEntry::Cancellation(made)), Terms { seen, receipt }),
    )
    .await
}

/// What stands in clashes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The visit that counts; `null` says that none does.
    #[schema(value_type = Option<Uuid>)]
    stands: Option<VisitId>,
    /// The clashes that are decided, as the job shows them: none that nobody has seen yet.
    #[schema(schema_with = schema::clashes)]
    settles: Vec<Clash>,
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    reason: String,
}

/// Decides clashes: exactly those that the caller saw and sends in `settles`.
#[utoipa::path(
    post, path = "/api/jobs/{id}/rulings", tag = "jobs", request_body = Rule,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_ruling(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<Rule>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let reason = said(body.reason)?;
    let made = Ruling { stands: body.stands, settles: body.settles, reason, author };
    added(&state, &caller, id, (Addition::Entry(PlanEntry::Ruling(made)), Terms { seen, receipt }))
        .await
}

/// A line of text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    text: String,
}

/// Tells the technician what to mind.
#[utoipa::path(
    post, path = "/api/jobs/{id}/instructions", tag = "jobs", request_body = Text,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_instruction(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<Text>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let made = Instruction { text: said(body.text)?, author };
    added(
        &state,
        &caller,
        id,
        (Addition::Entry(PlanEntry::Instruction(made)), Terms { seen, receipt }),
    )
    .await
}

/// Writes to the technician.
#[utoipa::path(
    post, path = "/api/jobs/{id}/messages", tag = "jobs", request_body = Text,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_message(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<Text>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    added(&state, &caller, id, (Addition::Message(said(body.text)?), Terms { seen, receipt })).await
}

/// Adds to a job, and tells the id of what was added.
pub(super) async fn added(
    state: &AppState,
    caller: &Caller,
    id: JobId,
    (addition, terms): (Addition, Terms),
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let added = add(state, (caller.hall, caller.user), id, (&addition, &terms)).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Something said in words, neither empty nor without end.
pub(super) fn said(text: String) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::Unprocessable("say it in words: the text is empty".to_owned()));
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(ApiError::Unprocessable(format!("say it in {LONGEST_TEXT} letters or fewer")));
    }
    Ok(text)
}
