//! A plan for what nobody has, proposed and not carried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::calendar::city_day;
use domain::id::{JobId, UserId};
use domain::job::JobKind;
use domain::pack::Pack;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::board::travel_rules;
use super::caller::Dispatcher;
use super::error::ApiError;
use super::extract::Body;
use super::jobs::day_bounds;
use super::qualifications::{SkillBody, named};
use crate::board;
use crate::db::halls::find_hall;
use crate::plan::{self, Assigned, Effort, Figures, Left, Proposal, Question};
use crate::state::AppState;

/// What to plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPlan {
    /// A day of the hall's city, like 2026-03-02.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    /// Whether jobs may be taken from whom they were given to, as long as nobody has set out for them.
    #[serde(default)]
    may_move: bool,
}

/// Who should take on what; nothing is changed by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposalBody {
    /// Each job that somebody else should have, in the order in which the doors are reached.
    assigned: Vec<ProposedBody>,
    /// What stays with nobody, and why.
    left: Vec<LeftBody>,
    /// The rounds of the day as they stand.
    before: FiguresBody,
    /// The same if all of it is done.
    after: FiguresBody,
    /// Whether the server ended the search by the clock: asked again it may find something else.
    cut_short: bool,
}

/// A job that somebody should have; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedBody {
    #[schema(value_type = Uuid)]
    job: JobId,
    /// Who has it now.
    #[schema(value_type = Option<Uuid>)]
    from: Option<UserId>,
    /// Who should have it.
    #[schema(value_type = Uuid)]
    technician: UserId,
    /// Straight metres from the door before, where both places are known.
    metres: Option<f64>,
    /// When the technician has to leave for it.
    set_out_at: i64,
    /// When the technician is expected at the door.
    reached_at: i64,
    /// When the work is expected to end.
    left_at: i64,
    /// Minutes behind the window's end; more than zero only for who is reached late already.
    late_minutes: i64,
    /// Whether the door lies in the technician's own area.
    in_area: bool,
    /// Nobody agreed a window yet, so the visit cannot begin (A1).
    lacks_window: bool,
    /// The job as it was looked at; send it as `If-Match` with the assignment.
    position: i64,
}

/// A job that stays with nobody.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftBody {
    #[schema(value_type = Uuid)]
    job: JobId,
    /// `no_technician`, `no_skill`, `window_over`, `nobody_free`, `no_time` or `decide`.
    reason: &'static str,
    /// What whoever is sent has to be able to do.
    skills: Vec<SkillBody>,
}

/// Rounds in figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresBody {
    /// Doors that somebody still has to go to.
    given_out: usize,
    /// Doors that are reached late.
    late: usize,
    /// By how much, all together.
    late_minutes: i64,
    /// Straight metres between doors whose places are known.
    metres: f64,
    /// Minutes on the way.
    travel_minutes: i64,
}

/// Proposes who should take on what nobody has, and changes nothing.
///
/// Windows are kept, nobody is sent who may not be, and nobody who is expected in time is reached late by it.
/// The same day is planned in the same way each time; it takes some seconds for a large hall.
#[utoipa::path(
    post, path = "/api/board/proposals", tag = "board", request_body = AskPlan,
    responses(
        (status = 200, description = "What is proposed.", body = ProposalBody),
        (status = 422, description = "The day is over."),
    ),
)]
pub async fn propose_plan(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Body(asked): Body<AskPlan>,
) -> Result<Json<ProposalBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let bounds = day_bounds(asked.day, hall.utc_offset_minutes)?;
    let now = state.clock.now();
    if bounds.1 <= now.timestamp_millis() {
        return Err(ApiError::Unprocessable("that day is over: plan today or later".to_owned()));
    }
    let mut tasks = board::given_out(conn.c(), caller.hall, bounds).await?;
    let mut open = board::left_open(conn.c(), caller.hall, bounds).await?;
    let offset = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    if city_day(now, offset) != asked.day {
        // An emergency waits for no other day.
        open.retain(|task| task.call.kind != JobKind::Emergency);
    }
    let kinds: BTreeMap<JobId, JobKind> =
        open.iter().map(|task| (task.call.job, task.call.kind)).collect();
    tasks.append(&mut open);
    let people = board::people(conn.c(), caller.hall).await?;
    let rules = travel_rules(&state, conn.c()).await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    drop(conn);
    let (may_move, effort) = (asked.may_move, Effort::default());
    let question = Question { tasks, people, day_start_ms: bounds.0, now, may_move, effort };
    let known = Arc::clone(&pack);
    let worked_out = tokio::task::spawn_blocking(move || plan::propose(&question, &known, &rules));
    let proposal = worked_out.await.context("the plan's thread ended")??;
    Ok(Json(proposal_body(proposal, &kinds, &pack)))
}

fn proposal_body(
    proposal: Proposal,
    kinds: &BTreeMap<JobId, JobKind>,
    pack: &Pack,
) -> ProposalBody {
    let left = |left: Left| LeftBody {
        job: left.job,
        reason: left.reason.key(),
        skills: kinds
            .get(&left.job)
            .map(|kind| named(&pack.kind(*kind).skills, pack))
            .unwrap_or_default(),
    };
    ProposalBody {
        assigned: proposal.assigned.into_iter().map(proposed).collect(),
        left: proposal.left.into_iter().map(left).collect(),
        before: figures(proposal.before),
        after: figures(proposal.after),
        cut_short: proposal.is_cut_short,
    }
}

fn proposed(it: Assigned) -> ProposedBody {
    ProposedBody {
        job: it.leg.job,
        from: it.from,
        technician: it.to,
        metres: it.leg.metres,
        set_out_at: it.leg.set_out_at.timestamp_millis(),
        reached_at: it.leg.reached_at.timestamp_millis(),
        left_at: it.leg.left_at.timestamp_millis(),
        late_minutes: it.leg.late.num_minutes(),
        in_area: it.is_in_area,
        lacks_window: it.lacks_window,
        position: it.position,
    }
}

fn figures(it: Figures) -> FiguresBody {
    FiguresBody {
        given_out: it.given_out,
        late: it.late,
        late_minutes: it.late_minutes,
        metres: it.metres,
        travel_minutes: it.travel_minutes,
    }
}
