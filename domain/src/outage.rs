//! Outages of the gas supply: what can be done with one, and whether households were told in time (B13).
//!
//! An outage begins as a draft, which nobody was told of but whose clock runs. Announced, it comes, runs, and is over
//! when somebody says that the gas is on again; time alone ends none.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::address;
use crate::job::Window;
use crate::notice::{Occasion, send_at};
use crate::pack::NoticeRules;
use crate::stamp::{Timestamp, shifted};

/// The rule of the rulebook.
pub const RULE: &str = "B13";

/// A longer one is a slip of the pen.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// Whether anybody could know of it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageKind {
    /// Work that was planned.
    Planned,
    /// It happened.
    Unforeseen,
}

impl OutageKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Planned, Self::Unforeseen];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unforeseen => "unforeseen",
        }
    }

    /// On which occasion households are told first.
    pub fn occasion(self) -> Occasion {
        match self {
            Self::Planned => Occasion::OutagePlanned,
            Self::Unforeseen => Occasion::OutageUnforeseen,
        }
    }
}

/// Whose gas is off: roads and buildings by the beginning of their addresses, households by their accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Addresses up to the end of their road, as [`address::road`] cuts them.
    #[serde(default)]
    pub roads: BTreeSet<String>,
    /// Addresses up to the end of their building, as [`address::building`] cuts them.
    #[serde(default)]
    pub buildings: BTreeSet<String>,
    /// Account numbers.
    #[serde(default)]
    pub accounts: BTreeSet<String>,
}

impl Area {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.roads.is_empty() && self.buildings.is_empty() && self.accounts.is_empty()
    }

    /// Whether a household lies in it.
    pub fn covers(&self, account: &str, at: &str) -> bool {
        address::road(at).is_some_and(|road| self.roads.contains(road))
            || self.buildings.contains(address::building(at))
            || self.accounts.contains(account)
    }

    /// Roads and buildings as a text for households, without the city; a proposal that somebody may reword.
    pub fn words(&self) -> String {
        let outside = |it: &&String| !self.roads.iter().any(|road| it.starts_with(road.as_str()));
        let named = self.roads.iter().chain(self.buildings.iter().filter(outside));
        named.map(|it| address::short(it)).collect::<Vec<_>>().join("、")
    }
}

/// An outage as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Whether anybody could know of it before.
    pub kind: OutageKind,
    /// From when until when, as was said last.
    pub span: Window,
    /// When households were to be told.
    pub announced_at: Option<Timestamp>,
    /// When the gas was on again.
    pub ended_at: Option<Timestamp>,
    /// When it was called off.
    pub cancelled_at: Option<Timestamp>,
}

/// How an outage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageState {
    /// Written down, and nobody was told.
    Draft,
    /// Announced, and the gas is still on.
    Coming,
    /// The gas is off.
    Running,
    /// It should be over, and nobody said so.
    Overdue,
    /// The gas is on again.
    Ended,
    /// It was called off.
    Cancelled,
}

impl OutageState {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 6] =
        [Self::Overdue, Self::Running, Self::Draft, Self::Coming, Self::Ended, Self::Cancelled];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Coming => "coming",
            Self::Running => "running",
            Self::Overdue => "overdue",
            Self::Ended => "ended",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What an outage does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutageError {
    /// It ends before it begins.
    #[error("let it end after it begins")]
    Backwards,
    /// It is longer than any.
    #[error("let it end within {} days of its begin", LONGEST.num_days())]
    TooLong,
    /// It would be over.
    #[error("say an end that is still to come")]
    OverAlready,
    /// A planned one begins ahead.
    #[error("a planned outage begins in the future: move it, or make it an unforeseen one")]
    BegunAlready,
    /// An unforeseen one is there.
    #[error("an unforeseen outage has begun: make it a planned one, or say when it began")]
    NotBegun,
    /// It breaks the promise, and nobody said why.
    #[error("this breaks the promise of B13: move it, or say why in `why`")]
    WhyMissing,
    /// Households were told of it.
    #[error("it was announced: prolong, end or cancel it")]
    AnnouncedAlready,
    /// Nobody was told of it.
    #[error("it was not announced yet")]
    NotAnnounced,
    /// It is over.
    #[error("it is over")]
    Closed,
    /// Prolonged to no later end.
    #[error("say a later end than before")]
    NotLater,
    /// The gas was on again before it was off, or will be.
    #[error("say when the gas was on again: after it went off, and no later than now")]
    NoEnd,
    /// It has not begun.
    #[error("it has not begun: cancel it")]
    CancelInstead,
    /// Nobody has to hear that the gas is on yet.
    #[error("the gas is off: end or cancel it first")]
    NotOver,
    /// Notices cannot have gone up then.
    #[error("say when the notices went up: after it was known, and no later than now")]
    NoDoors,
}

impl OutageError {
    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Backwards => "backwards",
            Self::TooLong => "too_long",
            Self::OverAlready => "over_already",
            Self::BegunAlready => "begun_already",
            Self::NotBegun => "not_begun",
            Self::WhyMissing => "why_missing",
            Self::AnnouncedAlready => "announced_already",
            Self::NotAnnounced => "not_announced",
            Self::Closed => "closed",
            Self::NotLater => "not_later",
            Self::NoEnd => "no_end",
            Self::CancelInstead => "cancel_instead",
            Self::NotOver => "not_over",
            Self::NoDoors => "no_doors",
        }
    }

    /// Whether another state of the outage, and not another request, would allow it.
    pub fn is_of_state(self) -> bool {
        matches!(
            self,
            Self::AnnouncedAlready
                | Self::NotAnnounced
                | Self::Closed
                | Self::CancelInstead
                | Self::NotOver
        )
    }
}

/// What announcing now would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// By when households were promised to be told.
    pub due_at: Timestamp,
    /// When messages would go out: now, or in the morning.
    pub tells_at: Timestamp,
    /// The first begin that would keep the promise; only for a planned one.
    pub earliest_begin: Option<Timestamp>,
}

impl Check {
    /// Whether the promise would be kept.
    pub fn is_in_time(&self) -> bool {
        self.tells_at <= self.due_at
    }
}

/// By when households were promised to be told (B13).
pub fn due_at(kind: OutageKind, begin: Timestamp, rules: &NoticeRules) -> Timestamp {
    let minutes = match kind {
        OutageKind::Planned => -rules.outage_ahead_minutes,
        OutageKind::Unforeseen => rules.outage_within_minutes,
    };
    shifted(begin, minutes.saturating_mul(60_000))
}

/// Judges an outage before anybody is told of it, as if it were announced now (B13).
///
/// # Errors
/// When its times cannot be.
pub fn check(
    (kind, span): (OutageKind, Window),
    now: Timestamp,
    (rules, utc_offset_minutes): (&NoticeRules, i32),
) -> Result<Check, OutageError> {
    if span.end <= span.start {
        return Err(OutageError::Backwards);
    }
    if span.end - span.start > LONGEST {
        return Err(OutageError::TooLong);
    }
    if span.end <= now {
        return Err(OutageError::OverAlready);
    }
    match kind {
        OutageKind::Planned if span.start <= now => return Err(OutageError::BegunAlready),
        OutageKind::Unforeseen if span.start > now => return Err(OutageError::NotBegun),
        OutageKind::Planned | OutageKind::Unforeseen => {}
    }
    let is_urgent = rules.template(kind.occasion()).is_some_and(|it| it.urgent);
    let tells_at =
        if is_urgent { now } else { send_at(now, rules.quiet_hours, utc_offset_minutes) };
    let ahead_ms = rules.outage_ahead_minutes.saturating_mul(60_000);
    let earliest_begin = (kind == OutageKind::Planned).then(|| shifted(tells_at, ahead_ms));
    Ok(Check { due_at: due_at(kind, span.start, rules), tells_at, earliest_begin })
}

impl Outage {
    /// How it stands.
    pub fn state(&self, now: Timestamp) -> OutageState {
        match self {
            Self { cancelled_at: Some(_), .. } => OutageState::Cancelled,
            Self { ended_at: Some(_), .. } => OutageState::Ended,
            Self { announced_at: None, .. } => OutageState::Draft,
            Self { span, .. } if now < span.start => OutageState::Coming,
            Self { span, .. } if now < span.end => OutageState::Running,
            Self { .. } => OutageState::Overdue,
        }
    }

    /// Whether its words and times may still be changed: nobody was told of them.
    ///
    /// # Errors
    /// When somebody was, or it is over.
    pub fn revise(&self) -> Result<(), OutageError> {
        self.not_closed()?;
        if self.announced_at.is_some() { Err(OutageError::AnnouncedAlready) } else { Ok(()) }
    }

    /// Announces it; what breaks the promise needs a reason (B13).
    ///
    /// # Errors
    /// When that cannot be.
    pub fn announce(
        &self,
        why: &str,
        now: Timestamp,
        rules: (&NoticeRules, i32),
    ) -> Result<Check, OutageError> {
        self.revise()?;
        let check = check((self.kind, self.span), now, rules)?;
        if !check.is_in_time() && why.trim().is_empty() {
            return Err(OutageError::WhyMissing);
        }
        Ok(check)
    }

    /// Lets it end later than was said.
    ///
    /// # Errors
    /// When that cannot be.
    pub fn prolong(&self, until: Timestamp, now: Timestamp) -> Result<(), OutageError> {
        self.told()?;
        if until <= self.span.end || until <= now {
            return Err(OutageError::NotLater);
        }
        if until - self.span.start > LONGEST {
            return Err(OutageError::TooLong);
        }
        Ok(())
    }

    /// Ends it: the gas is on again since then.
    ///
    /// # Errors
    /// When that cannot be.
    pub fn end(&self, at: Timestamp, now: Timestamp) -> Result<(), OutageError> {
        self.told()?;
        if now < self.span.start {
            return Err(OutageError::CancelInstead);
        }
        if at < self.span.start || at > now { Err(OutageError::NoEnd) } else { Ok(()) }
    }

    /// Calls it off.
    ///
    /// # Errors
    /// When it is over.
    pub fn cancel(&self) -> Result<(), OutageError> {
        self.not_closed()
    }

    fn told(&self) -> Result<(), OutageError> {
        self.not_closed()?;
        if self.announced_at.is_none() { Err(OutageError::NotAnnounced) } else { Ok(()) }
    }

    fn not_closed(&self) -> Result<(), OutageError> {
        let is_closed = self.ended_at.is_some() || self.cancelled_at.is_some();
        if is_closed { Err(OutageError::Closed) } else { Ok(()) }
    }

    /// How its promise stands; none for what was called off (B13).
    pub fn clock(&self, told: &Told, rules: &NoticeRules, now: Timestamp) -> Option<Clock> {
        if self.cancelled_at.is_some() {
            return None;
        }
        let due_at = due_at(self.kind, self.span.start, rules);
        let state = match told.last_at.filter(|_| told.is_everybody()) {
            Some(last_at) if last_at <= due_at => ClockState::Kept,
            None if now <= due_at => ClockState::Running,
            Some(_) | None => ClockState::Broken,
        };
        let warn = TimeDelta::minutes(rules.outage_warn_minutes.unwrap_or(0));
        let is_at_risk =
            rules.outage_warn_minutes.map(|_| state == ClockState::Running && due_at - now <= warn);
        Some(Clock { due_at, state, is_at_risk })
    }
}

/// Who was told that the gas will be, or went, off: by message or by a notice on the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Households whose gas is off.
    pub households: u64,
    /// How many of them were told.
    pub told: u64,
    /// When the last of them was.
    pub last_at: Option<Timestamp>,
}

impl Told {
    /// Whether nobody is left.
    pub fn is_everybody(&self) -> bool {
        self.households > 0 && self.told >= self.households
    }
}

/// A promise's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// When it is broken.
    pub due_at: Timestamp,
    /// How it stands.
    pub state: ClockState,
    /// Whether so little is left that somebody should look; none where the pack does not say how little.
    pub is_at_risk: Option<bool>,
}

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// Somebody is still to be told, and there is time.
    Running,
    /// Everybody was told in time.
    Kept,
    /// Somebody was not.
    Broken,
}

impl ClockState {
    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Kept => "kept",
            Self::Broken => "broken",
        }
    }
}

#[cfg(test)]
mod tests;
