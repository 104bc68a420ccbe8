//! Promises to the public (服务承诺): clocks that run from a job's taking on, or from complete papers (B1, B2, B6).

mod clock;

pub use self::clock::{ClockError, check};

use serde::{Deserialize, Serialize};

use crate::calendar::{self, Spans};
use crate::id::UserId;
use crate::job::Job;
use crate::pack::{Pack, PromiseRule, Start, Stop};
use crate::stamp::{Heard, Interval, Stamp, Timestamp};
use crate::status;
use crate::visit::{Fact, Outcome, live_facts};

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PromiseState {
    /// The clock runs, and there is time left.
    Running,
    /// Kept.
    Kept,
    /// Broken.
    Broken,
    /// The time is over, and the phone that could tell has not been heard since.
    NotHeard,
    /// The clock stands still, because the household cannot be served yet.
    Paused,
    /// Late because the road was blocked, with evidence.
    Excused,
    /// What is known of the time is too wide to say.
    CannotTell {
        /// How wide.
        width_ms: i64,
    },
}

impl PromiseState {
    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::NotHeard => "not_heard",
            Self::Paused => "paused",
            Self::Excused => "excused",
            Self::CannotTell { .. } => "cannot_tell",
        }
    }

    /// How a clock stands that was stopped once, or is to be.
    pub fn of(
        stopped: Option<Interval>,
        due_at: Timestamp,
        (now, heard): (Timestamp, Heard),
    ) -> Self {
        match stopped {
            Some(at) if at.latest <= due_at => Self::Kept,
            Some(at) if at.earliest > due_at => Self::Broken,
            Some(at) => Self::CannotTell { width_ms: at.width().num_milliseconds() },
            None => Self::Running.read_at(due_at, now, heard),
        }
    }

    /// The same state read at another time: a clock that ran then may have run out since.
    ///
    /// `heard` tells up to when the hall has the word of who is to stop the clock.
    #[must_use]
    pub fn read_at(self, due_at: Timestamp, now: Timestamp, heard: Heard) -> Self {
        match self {
            Self::Running | Self::NotHeard if now <= due_at => Self::Running,
            Self::Running | Self::NotHeard if heard.covers(due_at) => Self::Broken,
            Self::Running | Self::NotHeard => Self::NotHeard,
            Self::Paused | Self::Kept | Self::Broken | Self::Excused | Self::CannotTell { .. } => {
                self
            }
        }
    }
}

/// A promise on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseVerdict {
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub due_at: Timestamp,
    /// Who had the job when the time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answerable: Option<UserId>,
    /// How it stands.
    #[serde(flatten)]
    pub state: PromiseState,
}

/// A promise's clock on one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock<'a> {
    /// What was promised.
    pub rule: &'a PromiseRule,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// When the promise is broken; while the clock stands still, as if it had not stopped.
    pub due_at: Timestamp,
    /// When the time of the rulebook's other figure is over, where it gives two.
    pub guide_due_at: Option<Timestamp>,
    /// Since when it stands still, until somebody says that it runs on.
    pub paused_since: Option<Timestamp>,
}

/// The promise that binds this job; `None` where nothing was promised or its clock has not started yet.
pub fn clock<'a>(job: &Job, pack: &'a Pack) -> Option<Clock<'a>> {
    let rule = pack.promise(job.kind)?;
    let started_at = match rule.starts {
        Start::Taken => job.created_at,
        Start::PapersComplete => clock::started_at(job)?,
    };
    let (still, open) = clock::stood_still(job);
    let over_at = |span| calendar::over_at(span, started_at, &still, pack);
    let due_at = over_at(rule.span());
    let guide_due_at = rule.guide.and_then(Spans::span).map(over_at);
    // Who stops a clock that has run out does not bring the time back.
    let paused_since = open.filter(|since| *since < due_at);
    Some(Clock { rule, started_at, due_at, guide_due_at, paused_since })
}

/// Judges the promise that binds this job (B1, B2, B6); `None` where nothing was promised.
///
/// A cancelled job that nobody had to stand at any more counts as kept while its clock ran.
pub fn judge(
    job: &Job,
    times: &dyn Fn(&Stamp) -> Interval,
    (now, heard): (Timestamp, Heard),
    pack: &Pack,
) -> Option<PromiseVerdict> {
    let Clock { rule, due_at, paused_since, .. } = clock(job, pack)?;
    let cancelled_at = job.plan.cancelled.values().map(|it| Interval::at(it.author.at));
    // Whichever of them was first stopped the clock.
    let stopped = stops(job, rule, times).chain(cancelled_at).reduce(|a, b| Interval {
        earliest: a.earliest.min(b.earliest),
        latest: a.latest.min(b.latest),
    });
    let excused = rule.road_blockage_excuses && has_blocked_road(job);
    let state = match (PromiseState::of(stopped, due_at, (now, heard)), paused_since) {
        (_, Some(_)) if stopped.is_some() => PromiseState::Kept,
        (PromiseState::Kept, _) => PromiseState::Kept,
        _ if excused => PromiseState::Excused,
        (_, Some(_)) => PromiseState::Paused,
        (state, None) => state,
    };
    let answerable = status::assigned_at(job, due_at);
    Some(PromiseVerdict { rule: rule.rule.clone(), due_at, answerable, state })
}

fn stops<'a>(
    job: &'a Job,
    rule: &'a PromiseRule,
    times: &'a dyn Fn(&Stamp) -> Interval,
) -> impl Iterator<Item = Interval> + 'a {
    let facts = job.visits.values().flat_map(live_facts).map(|(_, recorded)| recorded);
    let stops = facts.filter(|recorded| match (rule.stops, &recorded.fact) {
        (Stop::Arrival, Fact::Arrived { .. }) => true,
        (Stop::GasSwitched, Fact::GasSwitched { on }) => *on == job.kind.opens_gas(),
        (Stop::GasSwitched | Stop::Done, Fact::Closed { outcome }) => *outcome == Outcome::Done,
        _ => false,
    });
    stops.map(|recorded| times(&recorded.stamp))
}

/// A blocked road counts with a photo only (B2).
fn has_blocked_road(job: &Job) -> bool {
    let mut facts = job.visits.values().flat_map(live_facts);
    facts.any(|(_, recorded)| matches!(recorded.fact, Fact::RoadBlocked { photo: Some(_), .. }))
}
