//! What is promised of cases (B5, B10).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};
use crate::case::CaseKind;

/// What is promised of cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRules {
    /// What a proven report of abuse earns, in yuan (B10).
    pub report_reward_yuan: u32,
    /// Clocks that end when the caller was told.
    pub promises: Vec<CasePromise>,
    /// Where the numbers come from.
    pub source: String,
}

/// A clock from taking a case to telling its caller the outcome (B5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePromise {
    /// The rule of the rulebook.
    pub rule: String,
    /// The kinds of case it binds.
    pub kinds: BTreeSet<CaseKind>,
    /// How long, in minutes.
    pub minutes: i64,
    /// With so many minutes left the hall looks at it; packs before it existed do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_minutes: Option<i64>,
    /// Where the number comes from.
    pub source: String,
}

/// The longest time in which the public was promised something, in minutes.
const A_YEAR: i64 = 366 * 24 * 60;

impl CaseRules {
    /// The promise that binds a kind of case.
    pub fn promise(&self, kind: CaseKind) -> Option<&CasePromise> {
        self.promises.iter().find(|promise| promise.kinds.contains(&kind))
    }

    /// What the numbers have to be.
    pub(super) fn checks(&self) -> Vec<Check> {
        let promises = &self.promises;
        let warns =
            |it: &CasePromise| it.warn_minutes.is_none_or(|warn| (1..=it.minutes).contains(&warn));
        vec![
            (
                "cases.promises",
                "minutes from 1 to a year",
                promises.iter().all(|it| (1..=A_YEAR).contains(&it.minutes)),
            ),
            (
                "cases.promises",
                "warn_minutes from 1 to the promise's own minutes",
                promises.iter().all(warns),
            ),
            ("cases.promises", "a source each", promises.iter().all(|it| is_said(&it.source))),
            ("cases.source", "not empty", is_said(&self.source)),
        ]
    }
}
