//! Doors that did not open: where each household stands, what the desk did about it, and what comes next (A2).

use std::collections::BTreeMap;

use domain::id::{HallId, HouseholdId, VisitId};
use domain::job::{Author, JobKind};
use domain::ladder::{Attempt, LadderError, Met, Rung, check, stand};
use domain::ledger::{Entry, Written};
use domain::pack::{LadderRules, LadderStep, Pack};
use domain::stamp::Timestamp;

use crate::db::hazards::{self as rows, EndedRow};
use crate::db::{C, Result};
use crate::http::error::ApiError;
use crate::ledger;
use crate::packs::Packs;

/// A household that was not reached, for one kind of job.
#[derive(Debug)]
pub struct Unreached {
    /// Whose door.
    pub household: HouseholdId,
    /// For what.
    pub kind: JobKind,
    /// Where it stands.
    pub rung: Rung,
    /// What the desk wrote down, oldest first.
    pub done: Vec<StepDone>,
}

/// A step that the desk wrote down.
#[derive(Clone, Debug)]
pub struct StepDone {
    /// The step's key.
    pub step: String,
    /// Who did it, and when.
    pub author: Author,
    /// What came of it.
    pub text: String,
}

/// The newest visit of a kind at a household, where it did not get in.
#[derive(Clone, Debug)]
pub struct Tried {
    /// How it ended.
    pub met: Met,
    /// When.
    pub at: Timestamp,
    /// What is done next, where its kind has a ladder.
    pub next: Option<LadderStep>,
}

/// Earlier attempts of one kind at a household, oldest first.
pub async fn attempts(
    c: C<'_>,
    (hall, household): (HallId, HouseholdId),
    kind: JobKind,
    (pack, now): (&Pack, Timestamp),
) -> Result<Vec<Attempt>> {
    let rules = pack.ladder.as_ref().filter(|rules| rules.kinds.contains(&kind));
    let Some(rules) = rules else { return Ok(Vec::new()) };
    let mut doors = doors(c, hall, Some(household), since(rules, now)).await?;
    Ok(doors.remove(&(household, kind)).unwrap_or_default())
}

/// Households of a hall whose newest attempt did not get in, with what is done next; the longest ago first.
pub async fn list(
    packs: &Packs,
    mut c: C<'_>,
    (hall, household): (HallId, Option<HouseholdId>),
    now: Timestamp,
) -> anyhow::Result<Vec<Unreached>> {
    let pack = packs.in_force(c.lend(), now).await?;
    let Some(rules) = &pack.ladder else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for ((household, kind), attempts) in doors(c.lend(), hall, household, since(rules, now)).await?
    {
        let is_shut = newest(&attempts).is_some_and(|it| it.met != Met::LetIn);
        if !is_shut || !rules.kinds.contains(&kind) {
            continue;
        }
        let done = done(&ledger::entries(c.lend(), household).await?, kind);
        let steps: Vec<_> = done.iter().map(|it| (it.step.clone(), it.author.at)).collect();
        let rung = stand(&attempts, &steps, rules, now);
        if rung.next.is_some() {
            found.push(Unreached { household, kind, rung, done });
        }
    }
    found.sort_by_key(|it| (it.rung.last.map(|(_, at)| at), it.household));
    Ok(found)
}

/// The newest visit of each kind at each household of a hall, where it did not get in.
pub async fn tried(
    packs: &Packs,
    mut c: C<'_>,
    hall: HallId,
    now: Timestamp,
) -> anyhow::Result<BTreeMap<(HouseholdId, JobKind), Tried>> {
    let pack = packs.in_force(c.lend(), now).await?;
    let Some(rules) = &pack.ladder else { return Ok(BTreeMap::new()) };
    let doors = doors(c.lend(), hall, None, since(rules, now)).await?;
    let newest = doors.iter().filter_map(|(door, attempts)| Some((*door, newest(attempts)?)));
    let shut = newest.filter(|(_, it)| it.met != Met::LetIn);
    let mut tried: BTreeMap<_, _> =
        shut.map(|(door, it)| (door, Tried { met: it.met, at: it.at, next: None })).collect();
    for it in list(packs, c, (hall, None), now).await? {
        if let Some(tried) = tried.get_mut(&(it.household, it.kind)) {
            tried.next = it.rung.next;
        }
    }
    Ok(tried)
}

/// Whether the desk may write down that a step was done.
pub async fn check_step(
    packs: &Packs,
    c: C<'_>,
    (hall, household): (HallId, HouseholdId),
    (kind, step): (JobKind, &str),
    now: Timestamp,
) -> std::result::Result<(), ApiError> {
    let stands = list(packs, c, (hall, Some(household)), now).await?;
    let stands = stands.iter().find(|it| it.kind == kind).ok_or(LadderError::NotReached)?;
    Ok(check(&stands.rung, step)?)
}

/// The attempts at each door that once stayed shut, oldest first.
async fn doors(
    c: C<'_>,
    hall: HallId,
    household: Option<HouseholdId>,
    since: i64,
) -> Result<BTreeMap<(HouseholdId, JobKind), Vec<Attempt>>> {
    let mut doors: BTreeMap<_, Vec<Attempt>> = BTreeMap::new();
    for row in rows::list_ended(c, hall, (since, household)).await? {
        if let (Some(kind), Some(attempt)) = (JobKind::from_key(&row.kind), attempt(&row)) {
            doors.entry((HouseholdId(row.household_id), kind)).or_default().push(attempt);
        }
    }
    Ok(doors)
}

fn newest(attempts: &[Attempt]) -> Option<&Attempt> {
    attempts.iter().max_by_key(|it| (it.at, it.visit))
}

fn done(entries: &[Written], kind: JobKind) -> Vec<StepDone> {
    let steps = entries.iter().filter_map(|written| {
        let Entry::LadderStepDone { kind: of, step, text } = &written.entry else { return None };
        let done = StepDone { step: step.clone(), author: written.author, text: text.clone() };
        (*of == kind).then_some(done)
    });
    steps.collect()
}

fn since(rules: &LadderRules, now: Timestamp) -> i64 {
    (now - chrono::TimeDelta::days(i64::from(rules.counts_days))).timestamp_millis()
}

fn attempt(row: &EndedRow) -> Option<Attempt> {
    let met = match row.outcome.as_str() {
        "no_one_home" => Met::NoOneHome,
        "refused" => Met::Refused,
        "empty" => Met::Empty,
        "done" | "cannot_finish" => Met::LetIn,
        _ => return None,
    };
    let at = Timestamp::from_timestamp_millis(row.ended_at).unwrap_or_default();
    Some(Attempt { visit: VisitId(row.visit_id), at, met })
}
