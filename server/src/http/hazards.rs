//! Hazards that are open and supplies that are stopped, each with what is done next (B7).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::catalogue::{Language, text};
use domain::hazard::{Hazard, Next, NoticeAnswer};
use domain::id::HouseholdId;
use domain::pack::{HazardCare, Pack};
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::Staff;
use super::error::ApiError;
use super::extract::Query;
use crate::db::{C, households, users};
use crate::hazards::restoring::{self, Stop};
use crate::hazards::{self, Home};
use crate::jobs::summary::Door;
use crate::state::AppState;

/// Lines that a list shows at most, the most urgent first.
pub(super) const MOST: usize = 500;

/// Of which household.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskHome {
    /// Only this household's.
    pub(super) household: Option<Uuid>,
}

/// Hazards that are open, the most urgent first, and supplies that are stopped.
#[derive(Debug, Serialize, ToSchema)]
pub struct HazardsBody {
    hazards: Vec<OpenHazard>,
    stopped: Vec<StoppedSupply>,
    /// Whether there are more than the list shows.
    more: bool,
}

/// A hazard that is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenHazard {
    door: Door,
    /// Its first finding: job, visit and fact.
    job: Uuid,
    visit: Uuid,
    fact: Uuid,
    /// What it is called.
    zh: String,
    /// What it is called.
    en: String,
    /// As it was found; 1 is gravest.
    level: u8,
    /// Where and what, in words.
    text: String,
    found_at: i64,
    /// How often it was found.
    findings: usize,
    /// The last day on which it may still be there, counted from the first finding.
    #[schema(value_type = Option<String>, format = Date)]
    deadline: Option<NaiveDate>,
    /// Who gave more time, and why.
    extended_by: Option<String>,
    extended_why: Option<String>,
    /// Whether it may be given more time.
    may_extend: bool,
    /// Whether the desk may close it.
    may_close: bool,
    /// `none`, `unsaid`, `signed` or `refused_to_sign`.
    notice: String,
    is_stopped: bool,
    /// What is to be done next.
    next: HazardStepBody,
    /// Until when.
    next_at: Option<i64>,
    /// The steps of its level, the first due first.
    steps: Vec<HazardStepBody>,
}

/// A step about a hazard.
#[derive(Debug, Serialize, ToSchema)]
pub struct HazardStepBody {
    id: String,
    zh: String,
    en: String,
    due_at: Option<i64>,
    done_at: Option<i64>,
    /// Who wrote it down at the desk; nobody for what a visit did.
    done_by: Option<String>,
    /// Whether only a visit can do it.
    at_the_door: bool,
}

/// A supply that is stopped because of a hazard.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoppedSupply {
    door: Door,
    stopped_at: i64,
    /// Since when nothing severe is left; `null` while something is.
    gone_at: Option<i64>,
    /// Until when it has to be restored; `null` while a severe hazard is there.
    restore_by: Option<i64>,
    /// How the promise to restore it stands: `running`, `not_heard` or `broken`.
    state: Option<String>,
    /// Whether so little is left that somebody should look; none where the pack does not say how little.
    is_at_risk: Option<bool>,
    /// Who is sent to where they may turn the gas on.
    technician_name: Option<String>,
}

impl StoppedSupply {
    fn new(door: Door, stop: Stop, now: Timestamp) -> Self {
        let is_at_risk = stop.is_at_risk(now);
        let Stop { stoppage, state, sent, .. } = stop;
        let restoring = stoppage.restoring;
        Self {
            door,
            stopped_at: stoppage.stopped_at.timestamp_millis(),
            gone_at: restoring.map(|it| it.started_at.timestamp_millis()),
            restore_by: restoring.map(|it| it.due_at.timestamp_millis()),
            state: state.map(|it| it.key().to_owned()),
            is_at_risk,
            technician_name: sent,
        }
    }
}

/// Lists hazards that are open with the next step and its deadline, and supplies that are stopped.
#[utoipa::path(
    get, path = "/api/hazards", tag = "households", params(AskHome),
    responses(
        (status = 200, description = "What is open.", body = HazardsBody),
        (status = 404, description = "No such household."),
    ),
)]
pub async fn list_hazards(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskHome>,
) -> Result<Json<HazardsBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let homes = match asked.household.map(HouseholdId) {
        Some(id) => {
            let found = households::find_household(conn.c(), caller.hall, id).await?;
            found.ok_or(ApiError::NotFound("household"))?;
            vec![(id, hazards::home(&state.packs, conn.c(), id).await?)]
        }
        None => hazards::homes(&state.packs, conn.c(), caller.hall).await?,
    };
    let mut body = HazardsBody { hazards: Vec::new(), stopped: Vec::new(), more: false };
    let now = state.clock.now();
    for stop in restoring::of_homes(conn.c(), caller.hall, &homes, now).await? {
        if stop.stoppage.restored.is_some() {
            continue;
        }
        let found = households::find_household(conn.c(), caller.hall, stop.household).await?;
        let door = found.map(|household| Door::of(&household));
        body.stopped.extend(door.map(|door| StoppedSupply::new(door, stop, now)));
    }
    for (id, Home { open, .. }) in homes.iter().filter(|(_, home)| !home.open.is_empty()) {
        let found = households::find_household(conn.c(), caller.hall, *id).await?;
        let Some(household) = found else { continue };
        for (hazard, pack) in open {
            let door = Door::of(&household);
            body.hazards.extend(open_hazard(conn.c(), door, (hazard, pack)).await?);
        }
    }
    body.hazards.sort_by_key(|it| (it.next_at.is_none(), it.next_at, it.level, it.fact));
    body.stopped.sort_by_key(|it| (it.restore_by.is_none(), it.restore_by, it.stopped_at));
    body.more = body.hazards.len() > MOST || body.stopped.len() > MOST;
    body.hazards.truncate(MOST);
    body.stopped.truncate(MOST);
    Ok(Json(body))
}

async fn open_hazard(
    mut c: C<'_>,
    door: Door,
    (it, pack): (&Hazard, &Pack),
) -> Result<Option<OpenHazard>, ApiError> {
    let Some((job, visit, fact)) = it.findings.first() else { return Ok(None) };
    let rule = pack.hazards.iter().find(|rule| rule.id == it.item);
    let care = pack.hazard_care.as_ref();
    let steps = steps_of(c.lend(), it, care).await?;
    let extended_by = match &it.extension {
        Some((author, _)) => users::find_user(c, author.by).await?.map(|row| row.name),
        None => None,
    };
    Ok(Some(OpenHazard {
        door,
        job: job.0,
        visit: visit.0,
        fact: fact.0,
        zh: rule.map_or_else(|| it.item.clone(), |rule| rule.zh.clone()),
        en: rule.map_or_else(|| it.item.clone(), |rule| rule.en.clone()),
        level: it.level,
        text: it.text.clone(),
        found_at: it.found_at.timestamp_millis(),
        findings: it.findings.len(),
        deadline: it.deadline,
        extended_by,
        extended_why: it.extension.as_ref().map(|(_, why)| why.clone()),
        may_extend: it.extension.is_none()
            && it.deadline.is_some()
            && care.is_some_and(|care| it.level >= care.extend_from_level),
        may_close: care.is_none_or(|care| it.level >= care.desk_from_level),
        notice: match &it.notice {
            None => "none",
            Some(None) => "unsaid",
            Some(Some(answer)) => NoticeAnswer::key(answer),
        }
        .to_owned(),
        is_stopped: it.is_stopped,
        next: next_of(it),
        next_at: it.next_at.map(|at| at.timestamp_millis()),
        steps,
    }))
}

/// The steps by the hazard's level, with who took them.
async fn steps_of(
    mut c: C<'_>,
    it: &Hazard,
    care: Option<&HazardCare>,
) -> Result<Vec<HazardStepBody>, ApiError> {
    let mut steps = Vec::with_capacity(it.steps.len());
    for step in &it.steps {
        let rule = care.and_then(|care| care.steps.iter().find(|rule| rule.id == step.id));
        let by = step.done.as_ref().and_then(|(_, author)| *author);
        let done_by = match by {
            Some(author) => users::find_user(c.lend(), author.by).await?.map(|row| row.name),
            None => None,
        };
        steps.push(HazardStepBody {
            id: step.id.clone(),
            zh: rule.map_or_else(|| step.id.clone(), |rule| rule.zh.clone()),
            en: rule.map_or_else(|| step.id.clone(), |rule| rule.en.clone()),
            due_at: Some(step.due_at.timestamp_millis()),
            done_at: step.done.as_ref().map(|(at, _)| at.timestamp_millis()),
            done_by,
            at_the_door: rule.is_some_and(|rule| rule.by.is_some()),
        });
    }
    Ok(steps)
}

/// What is done next about a hazard.
fn next_of(it: &Hazard) -> HazardStepBody {
    let recheck = |language| text(language, "hazard.recheck", &[]);
    let (zh, en, at_the_door) = match &it.next {
        Next::Step(step) => (step.zh.clone(), step.en.clone(), step.by.is_some()),
        Next::Recheck => (recheck(Language::Chinese), recheck(Language::English), true),
    };
    HazardStepBody {
        id: it.next.key().to_owned(),
        zh,
        en,
        due_at: it.next_at.map(|at| at.timestamp_millis()),
        done_at: None,
        done_by: None,
        at_the_door,
    }
}
