//! A supply that was stopped because of hazards, and the promise to restore it once they are gone.

use chrono::TimeDelta;

use super::{Act, Done, Finding, over_at};
use crate::ledger::Written;
use crate::pack::HazardCare;
use crate::promise::PromiseState;
use crate::stamp::{Heard, Interval, Timestamp};

/// The rule under which a restoring is counted: what inspections find is what stops a supply.
pub const RULE: &str = "B7";

/// A time without gas because of hazards, from the first stop on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stoppage {
    /// Since when; an inspection does not lift a stop, only gas that flows does.
    pub stopped_at: Timestamp,
    /// When gas flowed again, by the visit that turned it on.
    pub restored: Option<Interval>,
    /// The promise; none while anything severe is there.
    pub restoring: Option<Restoring>,
}

/// The promise to restore a supply: it runs from when the last severe hazard is seen to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restoring {
    /// Since when it runs.
    pub started_at: Timestamp,
    /// When it is broken.
    pub due_at: Timestamp,
    /// With so many minutes left the hall looks at it, where the pack says so.
    pub warn_minutes: Option<i64>,
}

impl Stoppage {
    /// How the promise stands; `heard` tells up to when the hall has the word of who is to turn the gas on.
    pub fn state(&self, now: Timestamp, heard: Heard) -> Option<PromiseState> {
        let due_at = self.restoring?.due_at;
        Some(PromiseState::of(self.restored, due_at, (now, heard)))
    }
}

/// The times without gas at a household, oldest first; `flows` says when visits turned the gas on.
///
/// At most the last of them lasts still.
pub fn stoppages(
    findings: &[Finding<'_>],
    acts: &[Act],
    entries: &[Written],
    flows: &[Interval],
) -> Vec<Stoppage> {
    let stops = acts.iter().filter(|act| act.done == Done::Stopped);
    let mut stops: Vec<Interval> = stops.map(|act| act.at).collect();
    stops.sort_by_key(|at| at.latest);
    let mut stoppages = Vec::new();
    while let Some(first) = stops.first().copied() {
        // Gas that may have flowed before the stop lifts nothing.
        let lifting = flows.iter().copied().filter(|on| on.earliest > first.latest);
        let restored = lifting.min_by_key(|on| (on.latest, on.earliest));
        stops.retain(|at| restored.is_some_and(|on| on.earliest <= at.latest));
        let holding = holding(findings, acts, (entries, restored));
        let restoring = restoring(&holding, first.latest);
        stoppages.push(Stoppage { stopped_at: first.latest, restored, restoring });
    }
    stoppages
}

/// A finding for which a supply stays stopped.
struct Holding<'a> {
    found_at: Timestamp,
    over_at: Option<Timestamp>,
    care: &'a HazardCare,
}

/// What is severe or was stopped for, and was found before gas flowed again.
fn holding<'a>(
    findings: &[Finding<'a>],
    acts: &[Act],
    (entries, restored): (&[Written], Option<Interval>),
) -> Vec<Holding<'a>> {
    let is_stopped =
        |it: &Finding<'_>| acts.iter().any(|act| act.of == it.id && act.done == Done::Stopped);
    let before = findings.iter().filter(|it| restored.is_none_or(|on| it.at.latest <= on.latest));
    let holding = before.filter_map(|it| {
        let care = it.pack.hazard_care.as_ref()?;
        let holds = it.level <= care.severe_level || is_stopped(it);
        let over_at = over_at(it.id, acts, entries);
        holds.then_some(Holding { found_at: it.at.latest, over_at, care })
    });
    holding.collect()
}

fn restoring(holding: &[Holding<'_>], stopped_at: Timestamp) -> Option<Restoring> {
    let mut over: Vec<(Timestamp, &HazardCare)> =
        holding.iter().filter_map(|it| Some((it.over_at?, it.care))).collect();
    over.sort_by_key(|(at, _)| *at);
    over.into_iter().find_map(|(at, care)| {
        // While a single severe one is there, nothing is restored.
        let is_gone = |it: &Holding<'_>| it.over_at.is_some_and(|over| over <= at);
        if !holding.iter().all(|it| it.found_at > at || is_gone(it)) {
            return None;
        }
        let started_at = at.max(stopped_at);
        let due_at = started_at + TimeDelta::hours(care.restore_hours);
        // What is found before the time is over stops the clock; what is found later mends no broken promise.
        let is_found = |it: &Holding<'_>| it.found_at > at && it.found_at <= due_at;
        let warn_minutes = care.restore_warn_minutes;
        let runs = Restoring { started_at, due_at, warn_minutes };
        (!holding.iter().any(is_found)).then_some(runs)
    })
}
