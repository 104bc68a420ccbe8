//! What is due becomes jobs, many at once: looked at first, made in one act, never twice (B7, B8, B14, C5).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::NaiveDate;
use domain::id::{HouseholdId, UserId};
use domain::job::{JobKind, Window};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Dispatcher};
use super::due::check_until;
use super::error::ApiError;
use super::extract::{Body, read_whole};
use super::instants::check_window;
use super::jobs::read_window;
use super::once::{Once, Receipt};
use super::schema;
use crate::audit::{self, Entry, Subject, What};
use crate::db::halls;
use crate::due::Looking;
use crate::due::jobs::{Door, Terms, Wanted, WhyNot, make, plan};
use crate::jobs::summary::WindowBody;
use crate::retry::until_won;
use crate::state::AppState;

/// Jobs made at once at most: the hall's row is held for as long as it takes.
const MOST_DOORS: usize = 300;

/// Windows at most.
const MOST_WINDOWS: usize = 100;

/// Doors in a window at most.
const MOST_PER_WINDOW: i64 = 100;

/// A window that somebody has room in.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct FreeWindow(#[serde(deserialize_with = "read_window")] Window);

/// Jobs to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeDueJobs {
    #[schema(schema_with = schema::job_kind)]
    kind: JobKind,
    /// The last day of the horizon, at most 400 days ahead.
    #[schema(value_type = String, format = Date)]
    until: NaiveDate,
    /// Whose doors, 1 to 300.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 300)]
    households: BTreeSet<HouseholdId>,
    /// In which windows, 1 to 100, one after another.
    #[schema(schema_with = schema::windows)]
    windows: Vec<FreeWindow>,
    /// So many doors in each.
    #[serde(deserialize_with = "read_whole")]
    #[schema(minimum = 1, maximum = 100)]
    per_window: i64,
    #[schema(inline)]
    terms: Terms,
    /// Who is to do them.
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
}

impl MakeDueJobs {
    fn wanted(&self, today: NaiveDate) -> Result<Wanted, ApiError> {
        check_until(self.until, today)?;
        let refuse = |what: String| Err(ApiError::Unprocessable(what));
        if !(1..=MOST_DOORS).contains(&self.households.len()) {
            return refuse(format!("name 1 to {MOST_DOORS} households"));
        }
        if !(1..=MOST_WINDOWS).contains(&self.windows.len()) {
            return refuse(format!("send 1 to {MOST_WINDOWS} windows"));
        }
        if !(1..=MOST_PER_WINDOW).contains(&self.per_window) {
            return refuse(format!("let `per_window` be from 1 to {MOST_PER_WINDOW}"));
        }
        let mut windows = self.windows.iter().map(|it| it.0);
        windows.try_for_each(check_window)?;
        Ok(Wanted {
            kind: self.kind,
            until: self.until,
            households: self.households.clone(),
            windows: self.windows.iter().map(|it| it.0).collect(),
            per_window: usize::try_from(self.per_window).unwrap_or(1),
            terms: self.terms,
            technician: self.technician,
        })
    }
}

/// A household that gets a job, or would.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueDoor {
    household: Uuid,
    /// The job; `null` while nothing is made.
    job: Option<Uuid>,
    window: WindowBody,
}

impl DueDoor {
    fn new(door: Door, job: Option<Uuid>) -> Self {
        let (start, end) =
            (door.window.start.timestamp_millis(), door.window.end.timestamp_millis());
        Self { household: door.household.0, job, window: WindowBody { start, end } }
    }
}

/// A household that gets none.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueLeft {
    household: Uuid,
    why: WhyNot,
}

/// What was made, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueJobsBody {
    /// Along the streets.
    doors: Vec<DueDoor>,
    left: Vec<DueLeft>,
}

impl DueJobsBody {
    fn new(doors: Vec<DueDoor>, left: Vec<(HouseholdId, WhyNot)>) -> Self {
        let left = left.into_iter().map(|(it, why)| DueLeft { household: it.0, why });
        Self { doors, left: left.collect() }
    }
}

/// Says which households would get a job in which window; changes nothing.
#[utoipa::path(
    post, path = "/api/due/preview", tag = "due", request_body = MakeDueJobs,
    responses(
        (status = 200, description = "What would be made.", body = DueJobsBody),
        (status = 404, description = "No such technician."),
        (status = 422, description = "A horizon, a window or a number that cannot be, or an announcement that is too late."),
    ),
)]
pub async fn preview_due_jobs(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Body(body): Body<MakeDueJobs>,
) -> Result<Json<DueJobsBody>, ApiError> {
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    let looking = Looking { packs: &state.packs, pack: &pack, now };
    let wanted = body.wanted(looking.today())?;
    let plan = plan(conn.c(), &caller, &looking, &wanted).await?;
    let doors = plan.doors.into_iter().map(|it| DueDoor::new(it, None)).collect();
    Ok(Json(DueJobsBody::new(doors, plan.left)))
}

/// Makes jobs of what is due, in one act; where one of this kind is open already, or nothing is due any more, none is made.
#[utoipa::path(
    post, path = "/api/due/jobs", tag = "due", request_body = MakeDueJobs,
    responses(
        (status = 201, description = "What was made.", body = DueJobsBody),
        (status = 404, description = "No such technician."),
        (status = 422, description = "A horizon, a window or a number that cannot be, or an announcement that is too late."),
    ),
)]
pub async fn make_due_jobs(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Once(body, receipt): Once<MakeDueJobs>,
) -> Result<(StatusCode, Json<DueJobsBody>), ApiError> {
    let made = until_won(|| make_once(&state, &caller, (&body, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn make_once(
    state: &AppState,
    caller: &Caller,
    (body, receipt): (&MakeDueJobs, &Receipt),
) -> Result<DueJobsBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // The hall's row first: two who press at once come one after the other, and the second sees the first one's jobs.
    halls::take_positions(tx.c(), caller.hall, 1).await?;
    let pack = state.packs.in_force(tx.c(), now).await?;
    let looking = Looking { packs: &state.packs, pack: &pack, now };
    let wanted = body.wanted(looking.today())?;
    let made = make(state, caller, &mut tx, (&looking, &wanted)).await?;
    let doors = made.jobs.into_iter().map(|(job, door)| DueDoor::new(door, Some(job.0)));
    let reply = DueJobsBody::new(doors.collect(), made.left);
    let detail =
        json!({"kind": body.kind.key(), "jobs": reply.doors.len(), "left": reply.left.len()});
    let subject = Subject::Name("kind", body.kind.key().to_owned());
    audit::keep(tx.c(), now, Entry::new(caller, What::DueJobsMade, subject).with(detail)).await?;
    receipt.keep(tx.c(), &reply, now.timestamp_millis()).await?;
    tx.commit().await?;
    if let Some(reached) = made.reached {
        state.bell.ring(caller.hall, reached);
    }
    Ok(reply)
}
