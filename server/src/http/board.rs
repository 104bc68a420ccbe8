//! What the dispatch board asks: the rounds of a day, and whom a move would make late.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use anyhow::Context as _;
use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::calendar::city_day;
use domain::id::{HallId, JobId, UserId};
use domain::job::Window;
use domain::pack::{Pack, TravelRules};
use domain::qualification::Qualification;
use domain::round::{Leg, newly_late};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Dispatcher, Staff};
use super::error::ApiError;
use super::extract::{Body, Query};
use super::instants::check_window;
use super::jobs::{check_technician, day_bounds, read_window};
use super::qualifications::{SkillBody, named};
use super::schema;
use crate::board::{self, Day, Move};
use crate::db::halls::{HallRow, find_hall};
use crate::db::qualifications::find_qualification;
use crate::db::{C, jobs};
use crate::state::AppState;

/// Which day's rounds to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskRounds {
    /// A day of the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    day: NaiveDate,
}

/// The rounds of a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundsBody {
    /// One for each technician who has a door to go to.
    rounds: Vec<RoundBody>,
    /// Where technicians were, and are.
    stays: Vec<StayBody>,
}

/// A visit as far as the hall knows; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct StayBody {
    job: Uuid,
    technician: Uuid,
    /// The earliest that they can have arrived.
    arrived_at: Option<i64>,
    /// The latest that they can have ended; `null` while they are there.
    ended_at: Option<i64>,
}

/// A technician's round, as it is likely to go from now on.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoundBody {
    #[schema(value_type = Uuid)]
    technician: UserId,
    /// In the order in which the phone lists them.
    legs: Vec<LegBody>,
}

/// One door of a round; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegBody {
    #[schema(value_type = Uuid)]
    job: JobId,
    /// Straight metres from the door before, where both places are known.
    metres: Option<f64>,
    /// When the technician has to leave for it.
    set_out_at: i64,
    /// When the technician is expected at the door.
    reached_at: i64,
    /// When the work is expected to end.
    left_at: i64,
    /// Minutes behind the window's end; zero when in time.
    late_minutes: i64,
}

/// A job moved on paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMove {
    #[schema(value_type = Uuid)]
    job: JobId,
    /// Who would have it; `null` takes it back.
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
    /// Another window; left out, the one that holds.
    #[serde(default, deserialize_with = "read_other_window")]
    #[schema(schema_with = schema::window)]
    window: Option<Window>,
}

fn read_other_window<'de, D: Deserializer<'de>>(sent: D) -> Result<Option<Window>, D::Error> {
    read_window(sent).map(Some)
}

/// What a move would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveBody {
    /// Whom it would make late, or later.
    late: Vec<LateBody>,
    /// When the technician would be at the door.
    reached_at: Option<i64>,
    /// Straight metres to it from the door before.
    metres: Option<f64>,
    /// The window would be another one, so the household has to agree (A1).
    needs_agreement: bool,
    /// Nobody agreed a window yet, so the visit cannot begin (A1).
    lacks_window: bool,
    /// What the technician would have to be able to do, and is not.
    lacks_skills: Vec<SkillBody>,
}

/// Somebody who would be reached late.
#[derive(Debug, Serialize, ToSchema)]
pub struct LateBody {
    #[schema(value_type = Uuid)]
    job: JobId,
    was_minutes: i64,
    will_minutes: i64,
}

/// Shows the visits of a day and the rounds that go on from now; a day that is over has no more rounds.
#[utoipa::path(
    get, path = "/api/board/rounds", tag = "board", params(AskRounds),
    responses((status = 200, description = "The rounds.", body = RoundsBody)),
)]
pub async fn list_rounds(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskRounds>,
) -> Result<Json<RoundsBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let day = load(conn.c(), &hall, asked.day, &state).await?;
    let bounds = day_bounds(asked.day, hall.utc_offset_minutes)?;
    let stays = jobs::list_stays(conn.c(), caller.hall, bounds).await?;
    let rules = travel_rules(&state, conn.c()).await?;
    let rounds = day.technicians().map(|technician| {
        let legs = day.round(technician, &rules).into_iter().map(leg_body).collect();
        RoundBody { technician, legs }
    });
    let stays = stays.into_iter().map(|row| StayBody {
        job: row.job_id,
        technician: row.technician_id,
        arrived_at: row.arrived_at,
        ended_at: row.ended_at,
    });
    Ok(Json(RoundsBody { rounds: rounds.collect(), stays: stays.collect() }))
}

/// Says what a move would do, and changes nothing.
#[utoipa::path(
    post, path = "/api/board/check", tag = "board", request_body = AskMove,
    responses(
        (status = 200, description = "What it would do.", body = MoveBody),
        (status = 404, description = "No such job or technician, or nobody has to go there any more."),
    ),
)]
pub async fn check_move(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Body(asked): Body<AskMove>,
) -> Result<Json<MoveBody>, ApiError> {
    asked.window.map_or(Ok(()), check_window)?;
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let found = board::find(conn.c(), caller.hall, asked.job).await?;
    let task = found.ok_or(ApiError::NotFound("job that somebody still has to go to"))?;
    let (call, from) = (task.call, task.holder);
    let lacking = match asked.technician {
        Some(to) => {
            check_technician(conn.c(), &caller, to).await?;
            find_qualification(conn.c(), to).await?.unwrap_or_default()
        }
        None => Qualification::default(),
    };
    let pack = state.packs.in_force(conn.c(), state.clock.now()).await?;
    let lacks = lacking.lacks(&pack.kind(call.kind).skills);
    let window = asked.window.or(call.window);
    let what = Move { call, from, to: asked.technician, window };
    let offset = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let instant = window.map_or_else(|| state.clock.now(), |window| window.start);
    let day = load(conn.c(), &hall, city_day(instant, offset), &state).await?;
    let (rules, after) = (travel_rules(&state, conn.c()).await?, day.moved(&what));
    let mut late = Vec::new();
    for technician in board::touched(&what) {
        let (was, will) = (day.round(technician, &rules), after.round(technician, &rules));
        late.extend(newly_late(&was, &will).into_iter().map(|(job, was, will)| LateBody {
            job,
            was_minutes: was.num_minutes(),
            will_minutes: will.num_minutes(),
        }));
    }
    let legs = what.to.map(|to| after.round(to, &rules)).unwrap_or_default();
    let leg = legs.iter().find(|leg| leg.job == asked.job);
    Ok(Json(MoveBody {
        late,
        reached_at: leg.map(|leg| leg.reached_at.timestamp_millis()),
        metres: leg.and_then(|leg| leg.metres),
        needs_agreement: asked.window.is_some_and(|window| Some(window) != call.window),
        lacks_window: window.is_none(),
        lacks_skills: named(&lacks, &pack),
    }))
}

pub(crate) async fn load(
    mut c: C<'_>,
    hall: &HallRow,
    day: NaiveDate,
    state: &AppState,
) -> Result<Day, ApiError> {
    let bounds = day_bounds(day, hall.utc_offset_minutes)?;
    let now = state.clock.now();
    if bounds.1 <= now.timestamp_millis() {
        return Ok(Day::default());
    }
    let rules = travel_rules(state, c.lend()).await?;
    Ok(Day::load(c, HallId(hall.hall_id), bounds, (now, &rules)).await?)
}

/// Plans are made by the numbers of today, whatever a job is judged by.
pub(crate) async fn travel_rules(state: &AppState, c: C<'_>) -> Result<TravelRules, ApiError> {
    let pack = state.packs.in_force(c, state.clock.now()).await?;
    // A pack from before plans were made says nothing of ways.
    let known = pack.travel.clone().or_else(|| Pack::builtin().travel);
    Ok(known.context("the pack that comes with the program says how long ways take")?)
}

fn leg_body(leg: Leg) -> LegBody {
    LegBody {
        job: leg.job,
        metres: leg.metres,
        set_out_at: leg.set_out_at.timestamp_millis(),
        reached_at: leg.reached_at.timestamp_millis(),
        left_at: leg.left_at.timestamp_millis(),
        late_minutes: leg.late.num_minutes(),
    }
}
