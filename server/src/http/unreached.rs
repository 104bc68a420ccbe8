//! Households that were not reached: the steps of their ladders, what of them was done, and what is done next (A2).

use axum::Json;
use axum::extract::State;
use domain::id::HouseholdId;
use domain::ladder::RungStep;
use domain::pack::LadderStep;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Staff;
use super::error::ApiError;
use super::extract::Query;
use super::hazards::{AskHome, MOST};
use crate::db::{C, households, users};
use crate::jobs::summary::Door;
use crate::state::AppState;
use crate::unreached::{self, StepDone, Unreached};

/// Households that were not reached, the longest ago first.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnreachedBody {
    households: Vec<UnreachedHome>,
    /// Whether there are more than the list shows.
    more: bool,
}

/// A household that was not reached, for one kind of job.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnreachedHome {
    door: Door,
    /// The key of the kind.
    kind: String,
    /// How often nobody opened since somebody was let in.
    absent: u32,
    /// How often somebody refused since; law acts on these only.
    refused: u32,
    /// How often it was found empty since.
    empty: u32,
    /// How the newest attempt ended: `no_one_home`, `refused` or `empty`.
    last: String,
    last_at: i64,
    /// What is done next.
    next: NextRung,
    /// The steps of each ladder that it stands on, also those that come later.
    steps: Vec<RungBody>,
}

/// What is done next on a ladder.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextRung {
    id: String,
    zh: String,
    en: String,
    /// Whether supply may be suspended.
    suspends: bool,
}

impl From<LadderStep> for NextRung {
    fn from(step: LadderStep) -> Self {
        Self { id: step.id, zh: step.zh, en: step.en, suspends: step.suspends }
    }
}

/// A step of a ladder that a household stands on.
#[derive(Debug, Serialize, ToSchema)]
pub struct RungBody {
    id: String,
    zh: String,
    en: String,
    /// How an attempt has to end before it comes: `no_one_home`, `refused` or `empty`.
    after: String,
    /// How often.
    times: u32,
    is_reached: bool,
    /// Whether only a visit can do it.
    at_the_door: bool,
    /// Whether supply may be suspended.
    suspends: bool,
    /// When somebody wrote down last that it was done, since somebody was let in.
    done_at: Option<i64>,
    /// Who.
    done_by: Option<String>,
    /// What came of it.
    done_text: Option<String>,
}

/// Lists households that were not reached, by any crew, with what is done next.
#[utoipa::path(
    get, path = "/api/unreached", tag = "households", params(AskHome),
    responses(
        (status = 200, description = "Who was not reached.", body = UnreachedBody),
        (status = 404, description = "No such household."),
    ),
)]
pub async fn list_unreached(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskHome>,
) -> Result<Json<UnreachedBody>, ApiError> {
    let mut conn = state.db.read().await?;
    if let Some(id) = asked.household.map(HouseholdId) {
        let found = households::find_household(conn.c(), caller.hall, id).await?;
        found.ok_or(ApiError::NotFound("household"))?;
    }
    let which = (caller.hall, asked.household.map(HouseholdId));
    let found = unreached::list(&state.packs, conn.c(), which, state.clock.now()).await?;
    let more = found.len() > MOST;
    let mut shown = Vec::new();
    for it in found.into_iter().take(MOST) {
        let home = households::find_household(conn.c(), caller.hall, it.household).await?;
        if let Some(home) = home {
            shown.extend(unreached_home(conn.c(), Door::of(&home), it).await?);
        }
    }
    Ok(Json(UnreachedBody { households: shown, more }))
}

async fn unreached_home(
    mut c: C<'_>,
    door: Door,
    it: Unreached,
) -> Result<Option<UnreachedHome>, ApiError> {
    let Unreached { kind, rung, done, .. } = it;
    let (Some((last, at)), Some(next)) = (rung.last, rung.next) else { return Ok(None) };
    let mut steps = Vec::with_capacity(rung.steps.len());
    for step in rung.steps {
        let by = step
            .done_at
            .and_then(|at| done.iter().find(|it| it.step == step.step.id && it.author.at == at));
        steps.push(rung_body(c.lend(), step, by).await?);
    }
    Ok(Some(UnreachedHome {
        door,
        kind: kind.key().to_owned(),
        absent: rung.absent,
        refused: rung.refused,
        empty: rung.empty,
        last: last.key().to_owned(),
        last_at: at.timestamp_millis(),
        next: next.into(),
        steps,
    }))
}

async fn rung_body(
    c: C<'_>,
    RungStep { step, is_reached, done_at }: RungStep,
    done: Option<&StepDone>,
) -> Result<RungBody, ApiError> {
    let done_by = match done {
        Some(done) => users::find_user(c, done.author.by).await?.map(|row| row.name),
        None => None,
    };
    Ok(RungBody {
        after: step.after.key().to_owned(),
        times: step.times,
        is_reached,
        at_the_door: step.at_the_door,
        suspends: step.suspends,
        done_at: done_at.map(|at| at.timestamp_millis()),
        done_by,
        done_text: done.map(|it| it.text.clone()),
        id: step.id,
        zh: step.zh,
        en: step.en,
    })
}
