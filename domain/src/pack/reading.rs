//! When a reading is abnormal, and what a home is expected to use (A9).

use serde::{Deserialize, Serialize};

use super::check::{Check, is_positive, is_said};

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
        let doubts = [fit.mix_doubt, fit.use_doubt, fit.doubt_m3_per_30_days];
        vec![
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
        ]
    }
}
