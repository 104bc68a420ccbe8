//! Taking on cases and adding to them: the events, what they come to, and the live stream's word, in one transaction.

use domain::case::{self, Actor, CaseEvent, CaseKind, CaseStanding, CaseState, Happened, Nature};
use domain::id::{CaseId, HallId, JobId, UserId};
use domain::job::Channel;
use domain::pack::{CaseRules, Pack};
use domain::stamp::Timestamp;
use serde_json::json;
use sqlx::types::Json;

use crate::db::cases::{self, CaseRow, EventRow, ListedRow, NO_CLOCK, StandingRow};
use crate::db::live_events;
use crate::db::{C, is_unique_violation, users};
use crate::http::error::ApiError;

/// What the live stream calls news of a case.
pub const LIVE_KIND: &str = "case";

/// A case that somebody takes on and so owns (B4).
#[derive(Clone, Debug)]
pub struct NewCase {
    /// Its id.
    pub id: CaseId,
    /// The hall.
    pub hall: HallId,
    /// What somebody came with.
    pub kind: CaseKind,
    /// How.
    pub channel: Channel,
    /// Whose home it is about.
    pub household: Option<uuid::Uuid>,
    /// Who came: name and how to reach them.
    pub caller: (String, String),
    /// What they said.
    pub words: String,
    /// Whether they have to be called back.
    pub call_back: bool,
    /// The question at a door that it answers: job, visit, fact.
    pub asked: Option<(uuid::Uuid, uuid::Uuid, uuid::Uuid)>,
    /// Who takes it on.
    pub by: UserId,
}

/// A case with its history.
#[derive(Clone, Debug)]
pub struct Whole {
    /// As it is stored.
    pub row: ListedRow,
    /// What never changes and its rules ask.
    pub nature: Nature,
    /// Oldest first.
    pub history: Vec<Happened>,
    /// What the history comes to.
    pub standing: CaseStanding,
}

impl Whole {
    /// Somebody of the hall as the rules of this case see them.
    pub fn actor(&self, user: UserId, manages: bool) -> Actor {
        Actor { user, manages, owner_has_left: self.row.owner_left_at.is_some() }
    }
}

/// The rules of cases: a pack from before there were any says nothing of them.
pub fn rules(pack: &Pack) -> CaseRules {
    let builtin = || Pack::builtin().cases.expect("a test reads the built-in pack's cases");
    pack.cases.clone().unwrap_or_else(builtin)
}

/// Takes on a case; its taker owns it. Returns its number. The hall's row has to be held.
pub async fn open(
    mut c: C<'_>,
    new: &NewCase,
    (pack, now, position): (&Pack, Timestamp, i64),
) -> Result<i64, ApiError> {
    let rules = rules(pack);
    let promise = rules.promise(new.kind);
    let promise_minutes = promise.map(|it| it.minutes);
    let nature = Nature { kind: new.kind, call_back: new.call_back, promise_minutes };
    let opened = Happened { by: new.by, at: now, event: CaseEvent::Opened };
    let history = std::slice::from_ref(&opened);
    let standing = case::fold(nature, history).ok_or_else(not_opened)?;
    let number = cases::next_number(c.lend(), new.hall).await?;
    let is_secret = new.kind.hides_caller();
    let (name, contact) = if is_secret { ("", "") } else { (&*new.caller.0, &*new.caller.1) };
    let row = CaseRow {
        case_id: new.id.0,
        hall_id: new.hall.0,
        number,
        kind: new.kind.key().to_owned(),
        channel: new.channel.key().to_owned(),
        household_id: new.household,
        caller_name: name.to_owned(),
        caller_contact: contact.to_owned(),
        words: new.words.clone(),
        call_back: new.call_back,
        asked_job_id: new.asked.map(|(job, _, _)| job),
        asked_visit_id: new.asked.map(|(_, visit, _)| visit),
        asked_fact_id: new.asked.map(|(_, _, fact)| fact),
        pack_id: pack.id.0.clone(),
        promise_rule: promise.map(|it| it.rule.clone()),
        promise_minutes,
        opened_at: now.timestamp_millis(),
        standing: standing_row(nature, &standing, 1),
    };
    match cases::insert_case(c.lend(), &row).await {
        // Two who saw the same question: one of them has it.
        Err(error) if new.asked.is_some() && is_unique_violation(&error) => {
            return Err(ApiError::QuestionTaken);
        }
        inserted => inserted?,
    }
    if is_secret {
        let (name, contact) = &new.caller;
        cases::insert_reporter(c.lend(), new.id, (name, contact)).await?;
    }
    cases::insert_event(c.lend(), new.id, 1, &event_row(&opened)).await?;
    live_events::insert_hint(c, new.hall, (LIVE_KIND, new.id.0), (now, position)).await?;
    Ok(number)
}

/// Finds a case of a hall with its history.
pub async fn find(mut c: C<'_>, hall: HallId, id: CaseId) -> Result<Whole, ApiError> {
    let row = cases::find_case(c.lend(), hall, id).await?.ok_or(ApiError::NotFound("case"))?;
    let nature = nature(&row.case)?;
    let rows = cases::list_events(c, id).await?;
    let history = rows.into_iter().map(happened).collect::<anyhow::Result<Vec<_>>>()?;
    let standing = case::fold(nature, &history).ok_or_else(not_opened)?;
    Ok(Whole { row, nature, history, standing })
}

/// Adds an event to a case when its rules allow it; returns how many there are now. The hall's row has to be held.
pub async fn add(
    mut c: C<'_>,
    whole: &Whole,
    (event, actor): (CaseEvent, Actor),
    (now, position): (Timestamp, i64),
) -> Result<i64, ApiError> {
    case::check(whole.nature, &whole.standing, &event, actor)?;
    let (hall, id) = (HallId(whole.row.case.hall_id), CaseId(whole.row.case.case_id));
    if let CaseEvent::Offered { to, .. } = &event {
        check_owner(c.lend(), hall, *to).await?;
    }
    if let CaseEvent::JobMade { job } = &event {
        cases::insert_job(c.lend(), id, *job).await?;
    }
    let next = Happened { by: actor.user, at: now, event };
    let mut history = whole.history.clone();
    history.push(next.clone());
    let version = i64::try_from(history.len()).unwrap_or(i64::MAX);
    let standing = case::fold(whole.nature, &history).ok_or_else(not_opened)?;
    cases::insert_event(c.lend(), id, version, &event_row(&next)).await?;
    let row = standing_row(whole.nature, &standing, version);
    cases::update_standing(c.lend(), id, &row).await?;
    live_events::insert_hint(c, hall, (LIVE_KIND, id.0), (now, position)).await?;
    Ok(version)
}

/// Notes in a case that a job was born of it.
pub async fn link_job(
    mut c: C<'_>,
    (hall, id): (HallId, CaseId),
    (job, by): (JobId, UserId),
    (now, position): (Timestamp, i64),
) -> Result<(), ApiError> {
    let whole = find(c.lend(), hall, id).await?;
    let actor = whole.actor(by, false);
    add(c, &whole, (CaseEvent::JobMade { job }, actor), (now, position)).await.map(drop)
}

/// Derives anew what the events of a case come to.
pub async fn rederive(mut c: C<'_>, hall: HallId, id: CaseId) -> Result<(), ApiError> {
    let whole = find(c.lend(), hall, id).await?;
    let version = i64::try_from(whole.history.len()).unwrap_or(i64::MAX);
    let row = standing_row(whole.nature, &whole.standing, version);
    Ok(cases::update_standing(c, id, &row).await?)
}

/// Who owns cases works at the hall, and is there.
async fn check_owner(c: C<'_>, hall: HallId, user: UserId) -> Result<(), ApiError> {
    let found = users::find_user(c, user).await?.filter(|row| row.hall_id == hall.0);
    let found = found.ok_or(ApiError::NotFound("person"))?;
    if found.role != "technician" && found.disabled_at.is_none() {
        return Ok(());
    }
    let what = "offer the case to somebody of the hall's staff who is not disabled";
    Err(ApiError::Unprocessable(what.to_owned()))
}

/// What the rules ask of a stored case.
pub fn nature(row: &CaseRow) -> anyhow::Result<Nature> {
    let kind = CaseKind::from_key(&row.kind)
        .ok_or_else(|| anyhow::anyhow!("case {} is of no known kind", row.case_id))?;
    Ok(Nature { kind, call_back: row.call_back, promise_minutes: row.promise_minutes })
}

fn standing_row(nature: Nature, it: &CaseStanding, version: i64) -> StandingRow {
    let due_at = it.due_at(nature).map(|at| at.timestamp_millis());
    let runs = it.state() != CaseState::Closed && it.told_at.is_none();
    StandingRow {
        owner_id: it.owner.0,
        offered_to: it.offered_to.map(|user| user.0),
        state: it.state().key().to_owned(),
        due_at,
        told_at: it.told_at.map(|at| at.timestamp_millis()),
        closed_at: it.closed_at.map(|at| at.timestamp_millis()),
        clock_at: due_at.filter(|_| runs).unwrap_or(NO_CLOCK),
        call_back_owed: it.owes_call_back(nature),
        version,
    }
}

fn event_row(happened: &Happened) -> EventRow {
    EventRow {
        author_id: happened.by.0,
        at: happened.at.timestamp_millis(),
        body: Json(json!(happened.event)),
    }
}

fn happened(row: EventRow) -> anyhow::Result<Happened> {
    let at = chrono::DateTime::from_timestamp_millis(row.at);
    let at = at.ok_or_else(|| anyhow::anyhow!("{} is no time", row.at))?;
    Ok(Happened { by: UserId(row.author_id), at, event: serde_json::from_value(row.body.0)? })
}

fn not_opened() -> ApiError {
    ApiError::Internal(anyhow::anyhow!("the events of a case do not begin with its opening"))
}
