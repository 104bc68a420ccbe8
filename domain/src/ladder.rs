//! No one home, refused, empty: a ladder for each household and kind of job, across crews and jobs (field notes 3.1, 3.5).
//!
//! Absence and refusal are counted apart and never added up, for law acts on refusal only. Somebody who was let in ends
//! both.

use serde::{Deserialize, Serialize};

use crate::id::VisitId;
use crate::job::Job;
use crate::pack::{LadderRules, LadderStep, Pack};
use crate::stamp::Timestamp;
use crate::visit::{Fact, Outcome, live_facts};

/// How an attempt ended, as far as the ladder asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// Nobody opened.
    NoOneHome,
    /// Somebody opened and refused.
    Refused,
    /// Nobody lives there.
    Empty,
    /// Somebody let the technician in.
    LetIn,
}

impl Met {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoOneHome, Self::Refused, Self::Empty, Self::LetIn];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::NoOneHome => "no_one_home",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::LetIn => "let_in",
        }
    }

    /// What an outcome says; a wrong address says nothing of the household.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::NoOneHome => Some(Self::NoOneHome),
            Outcome::Refused { .. } => Some(Self::Refused),
            Outcome::Empty => Some(Self::Empty),
            Outcome::Done | Outcome::CannotFinish { .. } => Some(Self::LetIn),
            Outcome::WrongAddress { .. } => None,
        }
    }
}

/// An attempt at a household's door, by whichever crew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The visit.
    pub visit: VisitId,
    /// When it ended.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// How.
    pub met: Met,
}

/// Where a household stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rung {
    /// How often nobody opened since somebody was let in.
    pub absent: u32,
    /// How often somebody refused since somebody was let in; absences between neither count nor end the row.
    pub refused: u32,
    /// How often it was found empty since somebody was let in.
    pub empty: u32,
    /// How the newest attempt ended, and when.
    pub last: Option<(Met, Timestamp)>,
    /// What is done next; none when nothing is.
    pub next: Option<LadderStep>,
    /// The steps of each ladder that it stands on, also those that come later.
    pub steps: Vec<RungStep>,
}

/// A step of a ladder that a household stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungStep {
    /// The step.
    pub step: LadderStep,
    /// Whether it has come so far.
    pub is_reached: bool,
    /// When the hall wrote down last that it was done, since somebody was let in.
    pub done_at: Option<Timestamp>,
}

/// Why a step of a ladder is not written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// It has not come so far.
    #[error("this household does not stand on that step: it comes after more attempts")]
    NotReached,
    /// Only a visit can do it.
    #[error("this step is done at the door, not at the desk")]
    AtTheDoor,
}

/// Whether the desk may write down that a step was done.
pub fn check(rung: &Rung, step: &str) -> Result<(), LadderError> {
    let reached = rung.steps.iter().find(|it| it.is_reached && it.step.id == step);
    match reached {
        None => Err(LadderError::NotReached),
        Some(it) if it.step.at_the_door => Err(LadderError::AtTheDoor),
        Some(_) => Ok(()),
    }
}

impl Rung {
    /// How often an attempt ended so since somebody was let in.
    pub fn count(&self, met: Met) -> u32 {
        match met {
            Met::NoOneHome => self.absent,
            Met::Refused => self.refused,
            Met::Empty => self.empty,
            Met::LetIn => 0,
        }
    }
}

/// Folds the attempts of one kind at one household; `done` are the steps that the hall wrote down since somebody was let in.
pub fn stand(
    attempts: &[Attempt],
    done: &[(String, Timestamp)],
    rules: &LadderRules,
    now: Timestamp,
) -> Rung {
    let mut sorted = attempts.to_vec();
    sorted.sort_by_key(|it| (it.at, it.visit));
    sorted.dedup_by_key(|it| it.visit);
    let oldest = now - chrono::TimeDelta::days(i64::from(rules.counts_days));
    let mut rung = Rung::default();
    let mut began = oldest;
    for attempt in sorted.iter().filter(|it| it.at >= oldest) {
        match attempt.met {
            Met::LetIn => {
                rung = Rung::default();
                began = attempt.at;
            }
            Met::NoOneHome => rung.absent += 1,
            Met::Refused => rung.refused += 1,
            Met::Empty => rung.empty += 1,
        }
        rung.last = Some((attempt.met, attempt.at));
    }
    let done_at = |id: &str| {
        let steps = done.iter().filter(|(step, at)| step == id && *at >= began);
        steps.map(|(_, at)| *at).max()
    };
    rung.next = next(&rung, rules, &done_at).cloned();
    let on_it = rules.steps.iter().filter(|it| rung.count(it.after) > 0);
    let steps = on_it.map(|step| RungStep {
        step: step.clone(),
        is_reached: step.times <= rung.count(step.after),
        done_at: done_at(&step.id),
    });
    let mut steps: Vec<RungStep> = steps.collect();
    steps.sort_by_key(|it| (it.step.after, it.step.times));
    rung.steps = steps;
    rung
}

/// Where the household of a job stands, by its briefing and the visits of the job itself; none where its kind has no ladder.
///
/// The time of a fact is its phone's own: the order of attempts matters here, not the minute.
pub fn of_job(job: &Job, pack: &Pack) -> Option<Rung> {
    let rules = pack.ladder.as_ref().filter(|rules| rules.kinds.contains(&job.kind))?;
    let ended = job.visits.iter().filter_map(|(id, visit)| {
        live_facts(visit).into_iter().find_map(|(_, it)| {
            let Fact::Closed { outcome } = &it.fact else { return None };
            Some(Attempt { visit: *id, at: it.stamp.wall_at, met: Met::of(outcome)? })
        })
    });
    let attempts: Vec<Attempt> = job.briefing.attempts.iter().copied().chain(ended).collect();
    let newest = attempts.iter().map(|it| it.at).max()?;
    Some(stand(&attempts, &[], rules, newest.max(job.created_at)))
}

/// The step of the newest attempt's own ladder: the highest one reached, or the one that has to come before it.
///
/// What has to come before counts once somebody came again after it: who got a notice may still open.
fn next<'a>(
    rung: &Rung,
    rules: &'a LadderRules,
    done_at: &dyn Fn(&str) -> Option<Timestamp>,
) -> Option<&'a LadderStep> {
    let (met, last_at) = rung.last?;
    let count = rung.count(met);
    let is_done = |id: &str| done_at(id).is_some_and(|at| at < last_at);
    let reached = rules.steps.iter().filter(|step| step.after == met && step.times <= count);
    let mut step = reached.max_by_key(|step| step.times)?;
    while let Some(before) = step.needs.as_deref().filter(|id| !is_done(id)) {
        step = rules.steps.iter().find(|it| it.id == before)?;
    }
    Some(step)
}
