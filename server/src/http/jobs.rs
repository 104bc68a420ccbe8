//! Jobs: lists, one whole, and what the hall adds to them.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use automerge::Automerge;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone as _};
use domain::id::{CaseId, HallId, HouseholdId, JobId, UserId};
use domain::job::{Channel, Job, JobKind, Window};
use domain::punctuality::Punctuality;
use domain::status::{Standing, Status, standing};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::application_views::ApplicationOrigin;
use super::caller::{Dispatcher, Staff};
use super::case_views::OriginBody;
use super::error::ApiError;
use super::extract::{Path, Query};
use super::instants::check_window;
use super::once::{Once, Receipt};
use super::page::{Limit, Words, read_cursor};
use super::promise_clock::{PromiseClockBody, clock_of};
use super::twice_views::{TwiceBody, twice_of};
use super::{schema, version};
use crate::cases;
use crate::db::applications::find_of_job;
use crate::db::cases::list_cases_of_job;
use crate::db::jobs::Filter;
use crate::db::{C, devices, documents, halls, households, jobs, users, verdicts};
use crate::hazards;
use crate::identity::Role;
use crate::ids::fresh_uuid;
use crate::jobs::plan::{author, load, read};
use crate::jobs::summary::{self, JobSummary, WindowBody};
use crate::jobs::{NewJob, Scribe, create_job};
use crate::leak;
use crate::ledger;
use crate::near;
use crate::reach;
use crate::reports;
use crate::retry::until_won;
use crate::state::AppState;
use crate::unreached;

/// Letters of the number of who called.
pub(super) const LONGEST_PHONE: usize = 40;

/// What a household asked for, in letters.
const LONGEST_REQUEST: usize = 2_000;

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListJobs {
    /// A day of the hall's city, like 2026-03-02: windows (or, without one, creations) of that day.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<NaiveDate>,
    #[param(schema_with = schema::status)]
    status: Option<Status>,
    /// Who has the job.
    #[param(value_type = Option<Uuid>)]
    technician: Option<UserId>,
    #[param(schema_with = schema::job_kind)]
    kind: Option<JobKind>,
    /// Whose door it is.
    #[param(value_type = Option<Uuid>)]
    household: Option<HouseholdId>,
    /// Words in the household's account, holder, address or phone number.
    #[param(value_type = Option<String>, max_length = 100)]
    text: Option<Words>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobsBody {
    jobs: Vec<JobSummary>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// A job whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobBody {
    #[schema(schema_with = schema::job)]
    job: Job,
    #[schema(schema_with = schema::standing)]
    standing: Standing,
    summary: JobSummary,
    /// One for each appointment, oldest first.
    verdicts: Vec<VerdictBody>,
    /// The cases that it was born of.
    cases: Vec<OriginBody>,
    /// The clock of its promise, where one binds its kind.
    clock: Option<PromiseClockBody>,
    /// The application that it was made of.
    application: Option<ApplicationOrigin>,
    /// What of it was done in another job too.
    twice: Vec<TwiceBody>,
}

/// How one appointment turned out, as of now.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerdictBody {
    /// The plan's entry or the fact that agreed it.
    agreed: Uuid,
    /// Who is answerable.
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
    window: WindowBody,
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    punctuality: Punctuality,
}

/// Lists the hall's jobs in the order of their ids, which is the order in which they were taken on.
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs", params(ListJobs),
    responses((status = 200, description = "A page of jobs.", body = JobsBody)),
)]
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
        status: asked.status.map(|it| it.key().to_owned()),
        technician: asked.technician.map(|it| it.0),
        kind: asked.kind.map(|it| it.key().to_owned()),
        from: bounds.map(|(from, _)| from),
        until: bounds.map(|(_, until)| until),
        household: asked.household.map(|it| it.0),
        pattern: asked.text.as_ref().and_then(Words::pattern),
        recent: None,
    };
    let after = read_cursor(asked.after.as_deref())?.unwrap_or(Uuid::nil());
    let page = (after, asked.limit.rows());
    let jobs = summary::list_page(conn.c(), caller.hall, &filter, page, state.clock.now()).await?;
    let next = asked.limit.next(&jobs, |job| job.id);
    Ok(Json(JobsBody { jobs, next }))
}

/// Shows one job of the hall.
#[utoipa::path(
    get, path = "/api/jobs/{id}", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "The job.", body = JobBody)),
)]
pub async fn get_job(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let (doc, summary) = find(&state, &caller, id).await?;
    let mut job = read(&doc)?;
    let standing = standing(&job);
    let verdicts = verdicts_of(&state, caller.hall, id).await?;
    let position = summary.position;
    let mut conn = state.db.read().await?;
    ledger::withhold(conn.c(), &mut job).await?;
    let origins = list_cases_of_job(conn.c(), caller.hall, id).await?;
    let cases = origins.into_iter().map(OriginBody::from).collect();
    let clock = clock_of(&job, &*state.packs.find(conn.c(), &job.pack).await?);
    let application = find_of_job(conn.c(), caller.hall, id).await?.map(ApplicationOrigin::from);
    let twice = twice_of(conn.c(), caller.hall, id).await?;
    let body = JobBody { job, standing, summary, verdicts, cases, clock, application, twice };
    let body = serde_json::to_vec(&body);
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(version::reply(&asked, position, [kind], body.map_err(anyhow::Error::from)?))
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
#[utoipa::path(
    get, path = "/api/jobs/{id}/document", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((
        status = 200, description = "The file.", body = String, content_type = "application/vnd.automerge",
    )),
)]
pub async fn get_document(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let (doc, summary) = find(&state, &caller, id).await?;
    let name = format!("attachment; filename=\"{id}.automerge\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.automerge")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(anyhow::Error::from)?),
    ];
    Ok(version::reply(&asked, summary.position, headers, doc.save()))
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
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJob {
    #[schema(schema_with = schema::job_kind)]
    kind: JobKind,
    /// Whose door it is: either this or `account`.
    #[schema(value_type = Option<Uuid>)]
    household: Option<HouseholdId>,
    /// The account number of the household.
    #[schema(max_length = 100)]
    account: Option<String>,
    /// What the household asked for, in words.
    #[serde(default)]
    #[schema(max_length = 2000)]
    request: String,
    appointment: Option<Agree>,
    /// Who is to do it.
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
    /// The number of who called, where it is not the household's own; people called to an emergency phone it.
    #[serde(default)]
    #[schema(max_length = 40)]
    caller_phone: String,
    /// The case that it is born of.
    #[schema(value_type = Option<Uuid>)]
    case: Option<CaseId>,
}

/// A window agreed.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Agree {
    #[schema(schema_with = schema::window)]
    #[serde(deserialize_with = "read_window")]
    pub(super) window: Window,
    /// How it was agreed.
    #[schema(schema_with = schema::channel)]
    pub(super) channel: Channel,
}

/// Reads a window; for JSON `1.0` is as whole a number as `1`.
pub(super) fn read_window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Window, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        start: serde_json::Number,
        end: serde_json::Number,
    }
    let read = |number: serde_json::Number| {
        let text = number.to_string();
        let whole = text.strip_suffix(".0").unwrap_or(&text).parse().ok();
        let at = whole.and_then(chrono::DateTime::from_timestamp_millis);
        at.ok_or_else(|| {
            D::Error::custom(format!("send an instant in Unix milliseconds, not {text}"))
        })
    };
    let Sent { start, end } = Sent::deserialize(deserializer)?;
    Ok(Window { start: read(start)?, end: read(end)? })
}

/// The id of what was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedBody {
    id: Uuid,
    /// To send as `If-Match` with the next edit.
    etag: String,
}

/// Takes on a job; the nearest who may be sent are called to an emergency that is given to nobody, at once.
///
/// Send either `household` or `account`.
#[utoipa::path(
    post, path = "/api/jobs", tag = "jobs", request_body = CreateJob,
    responses(
        (status = 201, description = "The hall has it.", body = CreatedBody),
        (status = 404, description = "No such household or technician."),
    ),
)]
pub async fn post_job(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Once(body, receipt): Once<CreateJob>,
) -> Result<(StatusCode, Json<CreatedBody>), ApiError> {
    if let Some(agreed) = &body.appointment {
        check_window(agreed.window)?;
    }
    check_request(&body.request)?;
    if body.caller_phone.chars().count() > LONGEST_PHONE {
        let what = format!("say `caller_phone` in {LONGEST_PHONE} letters or fewer");
        return Err(ApiError::Unprocessable(what));
    }
    let made = until_won(|| take_on(&state, &caller, (&body, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// What somebody asks for is read at a door, and travels in every copy of the job's document.
pub(super) fn check_request(words: &str) -> Result<(), ApiError> {
    if words.chars().count() <= LONGEST_REQUEST {
        return Ok(());
    }
    let what = format!("say `request` in {LONGEST_REQUEST} letters or fewer");
    Err(ApiError::Unprocessable(what))
}

async fn take_on(
    state: &AppState,
    caller: &super::caller::Caller,
    (body, receipt): (&CreateJob, &Receipt),
) -> Result<CreatedBody, ApiError> {
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
            return Err(ApiError::Unprocessable("send either household or account".to_owned()));
        }
    };
    let wanted = JobWanted {
        kind: body.kind,
        household,
        request: &body.request,
        caller_phone: &body.caller_phone,
        appointment: body.appointment,
        technician: body.technician,
    };
    let job = make_job(state, caller, &mut tx, &wanted).await?;
    let mut reached = job.reached;
    if let Some(case) = body.case {
        reached = halls::take_positions(tx.c(), caller.hall, 1).await?;
        let of = (job.id, caller.user);
        cases::link_job(tx.c(), (caller.hall, case), of, (now, reached)).await?;
    }
    let made = CreatedBody { id: job.id.0, etag: version::tag(job.position) };
    receipt.keep(tx.c(), &made, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, reached);
    Ok(made)
}

/// A job that somebody wants taken on.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobWanted<'a> {
    /// What is to be done.
    pub(super) kind: JobKind,
    /// Whose door it is.
    pub(super) household: HouseholdId,
    /// What was asked for, in words.
    pub(super) request: &'a str,
    /// The number of who called; empty for the household's own.
    pub(super) caller_phone: &'a str,
    /// The window agreed.
    pub(super) appointment: Option<Agree>,
    /// Who is to do it.
    pub(super) technician: Option<UserId>,
}

/// A job that was taken on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    /// The job.
    pub(super) id: JobId,
    /// Where in the hall's feed it changed last.
    pub(super) position: i64,
    /// How far the hall's feed reaches with it.
    pub(super) reached: i64,
}

/// Takes on a job in the caller's transaction; people are called to an emergency, however it was taken on (B2).
pub(super) async fn make_job(
    state: &AppState,
    caller: &super::caller::Caller,
    tx: &mut crate::db::Tx,
    wanted: &JobWanted<'_>,
) -> Result<Made, ApiError> {
    let now = state.clock.now();
    if let Some(technician) = wanted.technician {
        check_technician(tx.c(), caller, technician).await?;
    }
    let pack = state.packs.in_force(tx.c(), now).await?;
    let new = NewJob {
        id: JobId(fresh_uuid(now)),
        hall: caller.hall,
        kind: wanted.kind,
        household: wanted.household,
        request: wanted.request.to_owned(),
        caller_phone: wanted.caller_phone.trim().to_owned(),
        author: author(caller.user, now),
        appointment: wanted.appointment.map(|it| (it.window, it.channel)),
        technician: wanted.technician,
        also_due: Vec::new(),
        hazards: hazards::known(&state.packs, tx.c(), wanted.household).await?,
        attempts: unreached::attempts(
            tx.c(),
            (caller.hall, wanted.household),
            wanted.kind,
            (&pack, now),
        )
        .await?,
    };
    let near_until = near::until(now, pack.time.utc_offset_minutes, state.config.near_days_ahead);
    let scribe = Scribe { actor: &state.actor, packs: &state.packs, pack: &pack, now, near_until };
    let position = create_job(tx.c(), &scribe, &new).await?;
    reach::jobs::tell_given(tx.c(), &new, (scribe.near_until, now)).await?;
    let made = Made { id: new.id, position, reached: position };
    if pack.kind(new.kind).emergency { call_people(state, tx, &new).await } else { Ok(made) }
}

/// Calls people to an emergency that was just taken on.
async fn call_people(
    state: &AppState,
    tx: &mut crate::db::Tx,
    new: &NewJob,
) -> Result<Made, ApiError> {
    let home = households::find_household(tx.c(), new.hall, new.household).await?;
    let home = home.ok_or(ApiError::NotFound("household"))?;
    let said = Some(&new.caller_phone).filter(|phone| !phone.is_empty());
    let from = (new.author.by, said.unwrap_or(&home.phone).as_str());
    let reached = Box::pin(leak::begin(state, tx, (new.hall, new.id), from)).await?;
    let row = jobs::find_job(tx.c(), new.hall, new.id).await?.ok_or(ApiError::NotFound("job"))?;
    let position = row.updated_position;
    Ok(Made { id: new.id, position, reached: reached.unwrap_or(position) })
}

/// Jobs go to technicians of the caller's hall who were not shut out.
pub(crate) async fn check_technician(
    c: C<'_>,
    caller: &super::caller::Caller,
    technician: UserId,
) -> Result<(), ApiError> {
    let user = users::find_user(c, technician).await?;
    let user = user.filter(|user| user.hall_id == caller.hall.0);
    let user = user.ok_or(ApiError::NotFound("technician"))?;
    if Role::from_key(&user.role) == Some(Role::Technician) && user.disabled_at.is_none() {
        return Ok(());
    }
    Err(ApiError::Unprocessable("give jobs to a technician who is not disabled".to_owned()))
}

/// A day of the hall's city as Unix milliseconds, its end left out.
pub(super) fn day_bounds(day: NaiveDate, utc_offset_minutes: i64) -> Result<(i64, i64), ApiError> {
    let offset = i32::try_from(utc_offset_minutes * 60).ok().and_then(FixedOffset::east_opt);
    let start =
        offset.and_then(|it| it.from_local_datetime(&day.and_time(NaiveTime::MIN)).single());
    let start = start.ok_or_else(|| ApiError::Unprocessable(format!("{day} is no day here")))?;
    let end = start + TimeDelta::days(1);
    Ok((start.timestamp_millis(), end.timestamp_millis()))
}
