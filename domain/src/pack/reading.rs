//! When a reading is abnormal, and what a home is expected to use (A9).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::{Check, is_positive, is_said};
use crate::reading::ReadingState;

/// When a reading is abnormal (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingRules {
    /// How much of a heating home's use falls on each month, January first; only the ratios matter.
    pub season_weights: Vec<f64>,
    /// Use above this many times the expected is high.
    pub high_coefficient: f64,
    /// Use below this part of the expected is low.
    pub low_coefficient: f64,
    /// Cubic metres a month of doubt that widen both limits.
    pub slack_m3_per_30_days: f64,
    /// Use below this many litres a period is zero.
    pub zero_below_litres: i64,
    /// Fewer days of history than this, and only backwards is judged.
    pub least_history_days: i64,
    /// Where the numbers come from.
    pub source: String,
    /// How a home's past becomes the use to expect of it.
    #[serde(default)]
    pub fit: FitRules,
    /// How readings that nobody of the company saw are treated; packs before it existed believe all alike.
    #[serde(default)]
    pub states: Option<StateRules>,
    /// How neighbours tell the season; packs before it existed keep to their own.
    #[serde(default)]
    pub season: Option<SeasonRules>,
}

/// How readings that nobody of the company saw are treated (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRules {
    /// States in which little use, or no register at all, is no alarm.
    pub exempt: BTreeSet<ReadingState>,
    /// How many times the doubt of a seen period one has that a household told.
    pub told_doubt: f64,
    /// Where the numbers come from.
    pub source: String,
}

/// How the neighbours' registers tell the season (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeasonRules {
    /// How many months back it is learnt.
    pub months: u32,
    /// Fewer homes than this tell nothing.
    pub least_homes: u32,
    /// A home that used less than this in those months says nothing of the season, in cubic metres.
    pub least_m3: f64,
    /// The pack's own season weighs as much as so many homes.
    pub prior_homes: f64,
    /// At most so many meters are asked.
    pub most_meters: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// How a home's past becomes the use to expect of it (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitRules {
    /// The part of the season's mean weight that homes burn on any day, heated or not.
    pub base_weight: f64,
    /// How far a home's mix of base and heat may be from the usual one, as a multiple of the usual base.
    pub mix_doubt: f64,
    /// How far a period may be from its home's own habit, as a part of the use.
    pub use_doubt: f64,
    /// The same in cubic metres a month, which decides where little is used.
    pub doubt_m3_per_30_days: f64,
    /// Where the numbers come from.
    pub source: String,
}

/// What packs meant before they could say it.
impl Default for FitRules {
    fn default() -> Self {
        Self {
            base_weight: 0.15,
            mix_doubt: 2.0,
            use_doubt: 0.2,
            doubt_m3_per_30_days: 6.0,
            source: "our choice, as in the pack city-gas-2026-11-01".to_owned(),
        }
    }
}

impl ReadingRules {
    /// What the numbers have to be; the season has an error of its own.
    pub(super) fn checks(&self) -> Vec<Check> {
        let fit = &self.fit;
        let mut checks = self.states.iter().flat_map(StateRules::checks).collect::<Vec<_>>();
        checks.extend(self.season.iter().flat_map(SeasonRules::checks));
        let doubts = [fit.mix_doubt, fit.use_doubt, fit.doubt_m3_per_30_days];
        checks.extend([
            (
                "reading.high_coefficient",
                "one or more",
                self.high_coefficient.is_finite() && self.high_coefficient >= 1.0,
            ),
            ("reading.low_coefficient", "from 0 to 1", (0.0..=1.0).contains(&self.low_coefficient)),
            (
                "reading.slack_m3_per_30_days",
                "zero or more",
                self.slack_m3_per_30_days.is_finite() && self.slack_m3_per_30_days >= 0.0,
            ),
            ("reading.least_history_days", "one or more", self.least_history_days >= 1),
            (
                "reading.fit.base_weight",
                "above 0 and below 1",
                fit.base_weight > 0.0 && fit.base_weight < 1.0,
            ),
            ("reading.fit", "doubts above zero", doubts.into_iter().all(is_positive)),
            ("reading.source", "not empty", is_said(&self.source)),
            ("reading.fit.source", "not empty", is_said(&fit.source)),
        ]);
        checks
    }
}

impl StateRules {
    fn checks(&self) -> Vec<Check> {
        vec![
            (
                "reading.states.told_doubt",
                "one or more",
                self.told_doubt.is_finite() && self.told_doubt >= 1.0,
            ),
            (
                "reading.states.exempt",
                "states of which seen, self-reported and estimated are none",
                self.exempt.iter().all(|it| !it.is_judged()),
            ),
            ("reading.states.source", "not empty", is_said(&self.source)),
        ]
    }
}

impl SeasonRules {
    fn checks(&self) -> Vec<Check> {
        vec![
            ("reading.season.months", "from 1 to 36", (1..=36).contains(&self.months)),
            ("reading.season.least_homes", "one or more", self.least_homes >= 1),
            ("reading.season.least_m3", "above zero", is_positive(self.least_m3)),
            ("reading.season.prior_homes", "above zero", is_positive(self.prior_homes)),
            ("reading.season.most_meters", "one or more", self.most_meters >= 1),
            ("reading.season.source", "not empty", is_said(&self.source)),
        ]
    }
}
