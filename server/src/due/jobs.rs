//! What is due becomes jobs, many at once and never twice: under the hall's row whatever is open already is left out.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use domain::catalogue::{Language, text};
use domain::id::{HouseholdId, JobId, UserId};
use domain::job::{Channel, JobKind, Window};
use domain::notice::window_places;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Line, Looking, list};
use crate::db::{C, Tx, due as rows};
use crate::hazards;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::jobs::check_technician;
use crate::ids::fresh_uuid;
use crate::jobs::plan::author;
use crate::jobs::{NewJob, Scribe, create_job};
use crate::near;
use crate::reach;
use crate::state::AppState;
use crate::unreached;

/// What a window of these jobs is (A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// Only proposed: nobody goes before the household agreed to it, or to another.
    Proposed,
    /// Announced by a notice on the door: an appointment that nobody said no to.
    Announced,
}

/// Jobs that somebody wants made.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which kind.
    pub kind: JobKind,
    /// What is due by the end of this day.
    pub until: NaiveDate,
    /// Whose doors.
    pub households: BTreeSet<HouseholdId>,
    /// In which windows, one after another.
    pub windows: Vec<Window>,
    /// So many doors in each.
    pub per_window: usize,
    /// What these windows are.
    pub terms: Terms,
    /// Who is to do them.
    pub technician: Option<UserId>,
}

/// Why a household gets no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// A job of this kind is open there.
    JobOpen,
    /// Nothing is due there that this kind serves.
    NotDue,
    /// The windows are full.
    NoRoom,
}

/// A household that gets a job, or would.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Whose door.
    pub household: HouseholdId,
    /// When somebody would come.
    pub window: Window,
}

/// What would be made.
#[derive(Debug, Default)]
pub struct Plan {
    /// Who gets a job, along the streets.
    pub doors: Vec<Door>,
    /// Who does not.
    pub left: Vec<(HouseholdId, WhyNot)>,
}

/// Works out which household would get which window, along the streets, so that one day is one neighbourhood.
pub async fn plan(
    mut c: C<'_>,
    caller: &Caller,
    looking: &Looking<'_>,
    wanted: &Wanted,
) -> Result<Plan, ApiError> {
    check(looking, wanted)?;
    if let Some(technician) = wanted.technician {
        check_technician(c.lend(), caller, technician).await?;
    }
    let lines = list(c, caller.hall, looking, wanted.until).await?;
    Ok(spread(&lines, wanted))
}

/// Windows begin in time for what is said of them.
fn check(looking: &Looking<'_>, wanted: &Wanted) -> Result<(), ApiError> {
    let hours = match wanted.terms {
        Terms::Proposed => 0,
        Terms::Announced => looking.pack.due.as_ref().map_or(0, |it| it.notice_hours),
    };
    let earliest = looking.now + TimeDelta::hours(i64::from(hours));
    if wanted.windows.iter().all(|it| it.start >= earliest) {
        return Ok(());
    }
    Err(ApiError::Unprocessable(match wanted.terms {
        Terms::Proposed => "let each window begin in the future".to_owned(),
        Terms::Announced => format!("announce a window {hours} hours ahead, or propose it"),
    }))
}

fn spread(lines: &[Line], wanted: &Wanted) -> Plan {
    let of_kind = lines.iter().filter(|it| it.item.kind == wanted.kind);
    let due: BTreeMap<HouseholdId, &Line> = of_kind.map(|it| (it.household.id, it)).collect();
    let mut plan = Plan::default();
    let mut open = Vec::new();
    for household in &wanted.households {
        match due.get(household) {
            None => plan.left.push((*household, WhyNot::NotDue)),
            Some(line) if line.job.is_some() => plan.left.push((*household, WhyNot::JobOpen)),
            Some(line) => open.push(*line),
        }
    }
    open.sort_by(|a, b| a.household.address.cmp(&b.household.address));
    let mut seats =
        wanted.windows.iter().flat_map(|it| std::iter::repeat_n(*it, wanted.per_window));
    for line in open {
        let household = line.household.id;
        match seats.next() {
            Some(window) => plan.doors.push(Door { household, window }),
            None => plan.left.push((household, WhyNot::NoRoom)),
        }
    }
    plan
}

/// What was made, and how far the hall's feed reaches with it.
#[derive(Debug)]
pub struct Made {
    /// The jobs, each with its door.
    pub jobs: Vec<(JobId, Door)>,
    /// Who got none.
    pub left: Vec<(HouseholdId, WhyNot)>,
    /// The last position; none when nothing was made.
    pub reached: Option<i64>,
}

/// Makes the jobs in the caller's transaction, under the hall's row, which the caller holds.
pub async fn make(
    state: &AppState,
    caller: &Caller,
    tx: &mut Tx,
    (looking, wanted): (&Looking<'_>, &Wanted),
) -> Result<Made, ApiError> {
    let Plan { doors, left } = plan(tx.c(), caller, looking, wanted).await?;
    let (now, pack) = (looking.now, looking.pack);
    let near_until = near::until(now, pack.time.utc_offset_minutes, state.config.near_days_ahead);
    let scribe = Scribe { actor: &state.actor, packs: &state.packs, pack, now, near_until };
    let mut made = Made { jobs: Vec::with_capacity(doors.len()), left, reached: None };
    for door in doors {
        let new = NewJob {
            id: JobId(fresh_uuid(now)),
            hall: caller.hall,
            kind: wanted.kind,
            household: door.household,
            request: request(door.window, (pack.time.utc_offset_minutes, wanted.terms)),
            caller_phone: String::new(),
            author: author(caller.user, now),
            appointment: match wanted.terms {
                Terms::Proposed => None,
                Terms::Announced => Some((door.window, Channel::Notice)),
            },
            technician: wanted.technician,
            also_due: Vec::new(),
            hazards: hazards::known(&state.packs, tx.c(), door.household).await?,
            attempts: unreached::attempts(
                tx.c(),
                (caller.hall, door.household),
                wanted.kind,
                (pack, now),
            )
            .await?,
        };
        made.reached = Some(create_job(tx.c(), &scribe, &new).await?);
        if wanted.terms == Terms::Proposed {
            let by = (caller.user, now.timestamp_millis());
            rows::insert_proposed(tx.c(), (new.id, door.window), by).await?;
        }
        reach::jobs::tell_given(tx.c(), &new, (near_until, now)).await?;
        made.jobs.push((new.id, door));
    }
    Ok(made)
}

/// What whoever goes there reads: a window that is only proposed is to be agreed first.
fn request(window: Window, (offset, terms): (i32, Terms)) -> String {
    let key = match terms {
        Terms::Proposed => "due.request.proposed",
        Terms::Announced => "due.request.announced",
    };
    text(Language::Chinese, key, &window_places(window, offset, Language::Chinese))
}
