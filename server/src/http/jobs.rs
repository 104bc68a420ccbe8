//! Jobs: lists, one whole, and what the hall adds to them.

use automerge::Automerge;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone as _};
use domain::id::{HallId, HouseholdId, JobId, UserId, VisitId};
use domain::job::{
    Appointment, Assignment, Cancellation, Channel, Instruction, Job, JobKind, PlanEntry, Ruling,
    Window,
};
use domain::pack::Pack;
use domain::punctuality::Punctuality;
use domain::status::{Clash, Standing, standing};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::{Dispatcher, Staff};
use super::error::ApiError;
use super::extract::{Body, Path, Query};
use crate::db::jobs::Filter;
use crate::db::{devices, documents, halls, households, users, verdicts};
use crate::identity::Role;
use crate::ids::fresh_uuid;
use crate::jobs::plan::{Addition, add, author, load, read};
use crate::jobs::summary::{self, JobSummary, WindowBody};
use crate::jobs::{NewJob, Scribe, create_job};
use crate::reports;
use crate::retry::until_won;
use crate::state::AppState;

/// Jobs that a page shows when nobody says how many.
const PAGE: u16 = 100;

/// Jobs that a page shows at most.
const LONGEST_PAGE: u16 = 500;

/// Which jobs to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListJobs {
    day: Option<NaiveDate>,
    status: Option<String>,
    technician: Option<UserId>,
    kind: Option<String>,
    after: Option<Uuid>,
    limit: Option<u16>,
}

/// A page of jobs.
#[derive(Debug, Serialize)]
pub struct JobsBody {
    jobs: Vec<JobSummary>,
    /// Where the next page begins, `null` behind the last.
    next: Option<JobId>,
}

/// A job whole.
#[derive(Debug, Serialize)]
pub struct JobBody {
    job: Job,
    standing: Standing,
    summary: JobSummary,
    /// One for each appointment, oldest first.
    verdicts: Vec<VerdictBody>,
}

/// How one appointment turned out, as of now.
#[derive(Debug, Serialize)]
pub struct VerdictBody {
    /// The plan's entry or the fact that agreed it.
    agreed: Uuid,
    /// Who is answerable.
    technician: Option<UserId>,
    window: WindowBody,
    #[serde(flatten)]
    punctuality: Punctuality,
}

/// Lists the hall's jobs in the order of their ids.
pub async fn list_jobs(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<ListJobs>,
) -> Result<Json<JobsBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let bounds = asked.day.map(|day| day_bounds(day, hall.utc_offset_minutes)).transpose()?;
    let filter = Filter {
        job: None,
        status: asked.status,
        technician: asked.technician.map(|it| it.0),
        kind: asked.kind,
        from: bounds.map(|(from, _)| from),
        until: bounds.map(|(_, until)| until),
    };
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let after = asked.after.unwrap_or(Uuid::nil());
    let page = (after, i64::from(limit));
    let jobs = summary::list_page(conn.c(), caller.hall, &filter, page, state.clock.now()).await?;
    let is_full = jobs.len() == usize::from(limit);
    let next = jobs.last().filter(|_| is_full).map(|job| job.id);
    Ok(Json(JobsBody { jobs, next }))
}

/// Shows one job of the hall.
pub async fn get_job(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
) -> Result<Json<JobBody>, ApiError> {
    let (doc, summary) = find(&state, &caller, id).await?;
    let job = read(&doc)?;
    let standing = standing(&job);
    let verdicts = verdicts_of(&state, caller.hall, id).await?;
    Ok(Json(JobBody { job, standing, summary, verdicts }))
}

async fn verdicts_of(
    state: &AppState,
    hall: HallId,
    job: JobId,
) -> Result<Vec<VerdictBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let stored = verdicts::list_job_verdicts(conn.c(), job).await?;
    let heard_until = devices::list_heard_until(conn.c(), hall).await?;
    let now = state.clock.now();
    let bodies = stored.iter().map(|verdict| {
        Ok(VerdictBody {
            agreed: verdict.agreed_id,
            technician: verdict.technician_id.map(UserId),
            window: WindowBody { start: verdict.window_start, end: verdict.window_end },
            punctuality: reports::punctuality(verdict, now, &heard_until)?,
        })
    });
    bodies.collect()
}

/// Gives a job's document as a plain Automerge file, which any Automerge library opens.
pub async fn get_document(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
) -> Result<impl IntoResponse, ApiError> {
    let (doc, _) = find(&state, &caller, id).await?;
    let name = format!("attachment; filename=\"{id}.automerge\"");
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.automerge".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, doc.save()))
}

async fn find(
    state: &AppState,
    caller: &super::caller::Caller,
    id: JobId,
) -> Result<(Automerge, JobSummary), ApiError> {
    let mut conn = state.db.read().await?;
    documents::find_document(conn.c(), caller.hall, id).await?.ok_or(ApiError::NotFound("job"))?;
    let summary = summary::find(conn.c(), caller.hall, id, state.clock.now()).await?;
    let doc = load(conn.c(), id).await?;
    Ok((doc, summary.ok_or(ApiError::NotFound("job"))?))
}

/// A job to take on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateJob {
    kind: JobKind,
    household: Option<HouseholdId>,
    account: Option<String>,
    #[serde(default)]
    request: String,
    appointment: Option<Agree>,
    technician: Option<UserId>,
}

/// A window agreed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agree {
    window: Window,
    channel: Channel,
}

/// The id of what was made.
#[derive(Debug, Serialize)]
pub struct CreatedBody {
    id: Uuid,
}

/// The id of what was added.
#[derive(Debug, Serialize)]
pub struct AddedBody {
    entry: Uuid,
}

/// Takes on a job.
pub async fn post_job(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Body(body): Body<CreateJob>,
) -> Result<(StatusCode, Json<CreatedBody>), ApiError> {
    if let Some(agreed) = &body.appointment {
        check_window(agreed.window)?;
    }
    let id = until_won(|| take_on(&state, &caller, &body)).await?;
    Ok((StatusCode::CREATED, Json(CreatedBody { id })))
}

async fn take_on(
    state: &AppState,
    caller: &super::caller::Caller,
    body: &CreateJob,
) -> Result<Uuid, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let household = match (body.household, &body.account) {
        (Some(household), None) => household,
        (None, Some(account)) => {
            households::find_household_by_account(tx.c(), caller.hall, account)
                .await?
                .map(|household| household.id)
                .ok_or(ApiError::NotFound("household"))?
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::BadRequest("send either household or account".to_owned()));
        }
    };
    if let Some(technician) = body.technician {
        check_technician(&mut tx, caller, technician).await?;
    }
    let pack = state.packs.find(tx.c(), &Pack::builtin().id).await?;
    let new = NewJob {
        id: JobId(fresh_uuid(now)),
        hall: caller.hall,
        kind: body.kind,
        household,
        request: body.request.clone(),
        author: author(caller.user, now),
        appointment: body.appointment.as_ref().map(|it| (it.window, it.channel)),
        technician: body.technician,
        also_due: Vec::new(),
    };
    let scribe = Scribe { actor: &state.actor, pack: &pack, now };
    let position = create_job(tx.c(), &scribe, &new).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(new.id.0)
}

/// Agrees a window, in the place of the one before.
pub async fn add_appointment(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    Body(body): Body<Agree>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    check_window(body.window)?;
    let author = author(caller.user, state.clock.now());
    let made = Appointment { window: body.window, channel: body.channel, author };
    added(&state, &caller, id, Addition::Entry(PlanEntry::Appointment(made))).await
}

/// Who is to do a job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    technician: Option<UserId>,
}

/// Gives a job to a technician, or takes it back.
pub async fn add_assignment(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    Body(body): Body<Assign>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    if let Some(technician) = body.technician {
        let mut tx = state.db.begin().await?;
        check_technician(&mut tx, &caller, technician).await?;
        tx.commit().await?;
    }
    let author = author(caller.user, state.clock.now());
    let made = Assignment { technician: body.technician, author };
    added(&state, &caller, id, Addition::Entry(PlanEntry::Assignment(made))).await
}

/// Why something is so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    reason: String,
}

/// Calls a job off.
pub async fn add_cancellation(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    Body(body): Body<Reason>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let made = Cancellation { reason: said(body.reason)?, author };
    added(&state, &caller, id, Addition::Entry(PlanEntry::Cancellation(made))).await
}

/// What stands in clashes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    stands: Option<VisitId>,
    /// The clashes that are decided, as the job shows them: none that nobody has seen yet.
    settles: Vec<Clash>,
    reason: String,
}

/// Decides clashes.
pub async fn add_ruling(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    Body(body): Body<Rule>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let reason = said(body.reason)?;
    let made = Ruling { stands: body.stands, settles: body.settles, reason, author };
    added(&state, &caller, id, Addition::Entry(PlanEntry::Ruling(made))).await
}

/// A line of text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    text: String,
}

/// Tells the technician what to mind.
pub async fn add_instruction(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    Body(body): Body<Text>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let made = Instruction { text: said(body.text)?, author };
    added(&state, &caller, id, Addition::Entry(PlanEntry::Instruction(made))).await
}

/// Writes to the technician.
pub async fn add_message(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    Body(body): Body<Text>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    added(&state, &caller, id, Addition::Message(said(body.text)?)).await
}

async fn added(
    state: &AppState,
    caller: &super::caller::Caller,
    id: JobId,
    addition: Addition,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let entry = add(state, (caller.hall, caller.user), id, addition).await?;
    Ok((StatusCode::CREATED, Json(AddedBody { entry })))
}

fn said(text: String) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::Unprocessable("say it in words: the text is empty".to_owned()));
    }
    Ok(text)
}

fn check_window(window: Window) -> Result<(), ApiError> {
    if window.start < window.end {
        return Ok(());
    }
    Err(ApiError::Unprocessable("let the window end after it starts".to_owned()))
}

async fn check_technician(
    tx: &mut crate::db::Tx,
    caller: &super::caller::Caller,
    technician: UserId,
) -> Result<(), ApiError> {
    let user = users::find_user(tx.c(), technician).await?;
    let user = user.filter(|user| user.hall_id == caller.hall.0);
    let user = user.ok_or(ApiError::NotFound("technician"))?;
    if Role::from_key(&user.role) == Some(Role::Technician) && user.disabled_at.is_none() {
        return Ok(());
    }
    Err(ApiError::Unprocessable("give jobs to a technician who is not disabled".to_owned()))
}

/// A day of the hall's city as Unix milliseconds, its end left out.
fn day_bounds(day: NaiveDate, utc_offset_minutes: i64) -> Result<(i64, i64), ApiError> {
    let offset = i32::try_from(utc_offset_minutes * 60).ok().and_then(FixedOffset::east_opt);
    let start =
        offset.and_then(|it| it.from_local_datetime(&day.and_time(NaiveTime::MIN)).single());
    let start = start.ok_or_else(|| ApiError::BadRequest(format!("{day} is no day here")))?;
    let end = start + TimeDelta::days(1);
    Ok((start.timestamp_millis(), end.timestamp_millis()))
}
