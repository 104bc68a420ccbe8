//! Clocks that the public was promised (服务承诺), and the law that they may not be looser than.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};
use crate::calendar::{Span, Spans};
use crate::job::JobKind;

/// A clock that the public was promised on a job (B1, B2, B6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromiseRule {
    /// The rule of the rulebook.
    pub rule: String,
    /// The kinds of job it binds.
    pub kinds: BTreeSet<JobKind>,
    /// How long, as so many minutes from its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minutes: Option<i64>,
    /// How long, in days; the day of the start is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    /// How long, in working days of the pack's calendar; the day of the start is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    working_days: Option<u32>,
    /// The other, looser figure where the rulebook gives two; it is shown and judges nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<Spans>,
    /// What starts the clock; packs before it existed mean the taking on of the job.
    #[serde(default)]
    pub starts: Start,
    /// What stops the clock.
    pub stops: Stop,
    /// With so many minutes left the hall looks at it; packs before it existed do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_minutes: Option<i64>,
    /// Whether a blocked road excuses, when it was recorded with evidence.
    #[serde(default)]
    pub road_blockage_excuses: bool,
    /// Where the number comes from.
    pub source: String,
}

/// What starts a promise's clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The hall takes the job on.
    #[default]
    Taken,
    /// The household's papers are complete and what it owes is paid (B1).
    PapersComplete,
}

impl Start {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Taken, Self::PapersComplete];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::PapersComplete => "papers_complete",
        }
    }
}

/// What stops a promise's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Somebody stands at the door.
    Arrival,
    /// Gas flows, or does not any more, as was asked; a visit closed as done says so too.
    GasSwitched,
    /// The work is done.
    Done,
}

impl PromiseRule {
    /// How long the hall has.
    pub fn span(&self) -> Span {
        self.spans().span().expect("parse refuses a promise without one span")
    }

    fn spans(&self) -> Spans {
        Spans { minutes: self.minutes, days: self.days, working_days: self.working_days }
    }
}

/// Whose law it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The nation's.
    Nation,
    /// The city's or the province's.
    City,
}

impl Scope {
    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Nation => "nation",
            Self::City => "city",
        }
    }
}

/// A figure of the law for something that the company promises too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawRule {
    /// The rule of the rulebook that it is compared with, such as `B13`.
    pub rule: String,
    /// Whose law.
    pub scope: Scope,
    /// The figure; for B13 the least time ahead, for all others the longest time.
    pub within: Spans,
    /// Law, article and edition.
    pub source: String,
}

/// The longest time in which the public was promised something, in minutes.
const A_YEAR: i64 = 366 * 24 * 60;

/// What the numbers have to be; working days need a calendar.
pub(super) fn checks(promises: &[PromiseRule], laws: &[LawRule], has_calendar: bool) -> Vec<Check> {
    let is_span =
        |it: Spans| it.span().is_some_and(|span| (1..=A_YEAR).contains(&span.least_minutes()));
    let counts = |it: Spans| has_calendar || it.working_days.is_none();
    let warns = |rule: &PromiseRule| {
        let least = rule.spans().span().map_or(0, Span::least_minutes);
        rule.warn_minutes.is_none_or(|warn| (1..=least).contains(&warn))
    };
    let guides = || promises.iter().filter_map(|rule| rule.guide);
    let of_laws = || laws.iter().map(|law| law.within);
    vec![
        (
            "promises",
            "one of minutes, days and working_days, from 1 to a year",
            promises.iter().map(PromiseRule::spans).chain(guides()).all(is_span),
        ),
        (
            "promises",
            "warn_minutes from 1 to the promise's own minutes",
            promises.iter().all(warns),
        ),
        ("promises", "a source each", promises.iter().all(|rule| is_said(&rule.source))),
        ("laws", "one of minutes, days and working_days, from 1 to a year", of_laws().all(is_span)),
        ("laws", "a source each", laws.iter().all(|law| is_said(&law.source))),
        (
            "calendar",
            "to be there where working_days are counted",
            promises.iter().map(PromiseRule::spans).chain(guides()).chain(of_laws()).all(counts),
        ),
    ]
}
