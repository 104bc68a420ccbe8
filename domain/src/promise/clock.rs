//! What starts a promise's clock, and when it stands still.

use crate::calendar::Still;
use crate::job::{ClockEvent, Job, Tick};
use crate::pack::{Pack, Start};
use crate::stamp::Timestamp;

/// Why an entry is not made in a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// Nothing was promised of such a job.
    #[error("nothing is promised of this kind of job, so there is no clock")]
    NothingPromised,
    /// The clock runs since the job was taken on.
    #[error("this clock runs since the job was taken on: it is not started by hand")]
    StartsByItself,
    /// It has not started.
    #[error("this clock has not started: enter first when papers and payment were complete")]
    NotStarted,
    /// It is entered ahead of time.
    #[error("enter it when it has happened, not before")]
    Ahead,
    /// It is older than what came before it.
    #[error("this is before the clock's last entry: enter what happened after it")]
    BeforeTheLast,
    /// It stands still already.
    #[error("the clock stands still already")]
    PausedAlready,
    /// It runs.
    #[error("the clock is running: there is nothing to resume")]
    Running,
    /// The pause ends before it begins.
    #[error("a pause ends after it begins")]
    EndsFirst,
    /// Nobody says why.
    #[error("say why in words")]
    NoReason,
}

/// When papers and payment were complete, as it was entered last.
pub(super) fn started_at(job: &Job) -> Option<Timestamp> {
    let mut starts = job.plan.clock.values().filter(|it| it.event == ClockEvent::Started);
    starts.next_back().map(|it| it.at)
}

/// When the clock stood still, in the order of time, and since when it does, if nobody says until when.
pub(super) fn stood_still(job: &Job) -> (Vec<Still>, Option<Timestamp>) {
    let mut ticks: Vec<&Tick> = job.plan.clock.values().collect();
    ticks.sort_by_key(|it| it.at);
    let mut still = Vec::new();
    let mut open: Option<(Timestamp, Option<Timestamp>)> = None;
    for tick in ticks {
        // A pause with an end is over by itself.
        if let Some((from, Some(until))) =
            open.filter(|(_, until)| until.is_some_and(|it| it <= tick.at))
        {
            still.push(Still { from, until });
            open = None;
        }
        match (&tick.event, open) {
            (ClockEvent::Paused { until, .. }, None) => open = Some((tick.at, *until)),
            (ClockEvent::Resumed, Some((from, _))) => {
                still.push(Still { from, until: tick.at });
                open = None;
            }
            _ => {}
        }
    }
    if let Some((from, Some(until))) = open {
        still.push(Still { from, until });
        open = None;
    }
    (still, open.map(|(from, _)| from))
}

/// Whether an entry may be made in the clock of a job's promise.
pub fn check(job: &Job, tick: &Tick, now: Timestamp, pack: &Pack) -> Result<(), ClockError> {
    let rule = pack.promise(job.kind).ok_or(ClockError::NothingPromised)?;
    if tick.at > now {
        return Err(ClockError::Ahead);
    }
    let by_papers = rule.starts == Start::PapersComplete;
    if tick.event == ClockEvent::Started {
        return if by_papers { Ok(()) } else { Err(ClockError::StartsByItself) };
    }
    let started_at = if by_papers { started_at(job) } else { Some(job.created_at) };
    let started_at = started_at.ok_or(ClockError::NotStarted)?;
    let last = job.plan.clock.values().map(|it| it.at).max();
    if tick.at < started_at.max(last.unwrap_or(started_at)) {
        return Err(ClockError::BeforeTheLast);
    }
    let (still, open) = stood_still(job);
    let stands_still = open.is_some() || still.iter().any(|it| it.until > tick.at);
    match &tick.event {
        ClockEvent::Paused { reason, .. } if reason.trim().is_empty() => Err(ClockError::NoReason),
        ClockEvent::Paused { until: Some(until), .. } if *until <= tick.at => {
            Err(ClockError::EndsFirst)
        }
        ClockEvent::Paused { .. } if stands_still => Err(ClockError::PausedAlready),
        ClockEvent::Resumed if !stands_still => Err(ClockError::Running),
        ClockEvent::Started | ClockEvent::Paused { .. } | ClockEvent::Resumed => Ok(()),
    }
}
