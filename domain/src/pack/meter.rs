//! Meters: what each size can pass, and how long one may hang (A9).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::{Check, is_positive, is_said};
use crate::meter::Gas;

/// Meters (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterRules {
    /// What flows in the city's pipes.
    pub gas: Gas,
    /// Months after which a meter is overdue, by what flows through it.
    pub life_months: BTreeMap<Gas, u32>,
    /// The most that a meter of each size passes, in cubic metres an hour; sizes such as `G4`.
    pub most_m3_per_hour: BTreeMap<String, f64>,
    /// The fewest and the most whole digits of a register.
    pub digits: (u8, u8),
    /// Where the numbers come from.
    pub source: String,
}

impl MeterRules {
    /// The most that this size passes in an hour, in cubic metres.
    pub fn flow(&self, size: &str) -> Option<f64> {
        self.most_m3_per_hour.get(&size.trim().to_uppercase()).copied()
    }

    /// What the numbers have to be.
    pub(super) fn checks(&self) -> Vec<Check> {
        let flows = &self.most_m3_per_hour;
        let (fewest, most) = self.digits;
        vec![
            (
                "meter.life_months",
                "one or more for the city's gas",
                self.life_months.get(&self.gas).is_some_and(|months| *months > 0),
            ),
            (
                "meter.most_m3_per_hour",
                "sizes in capitals, each above zero",
                flows.iter().all(|(size, flow)| *size == size.to_uppercase() && is_positive(*flow)),
            ),
            ("meter.digits", "from 1 to 12", 1 <= fewest && fewest <= most && most <= 12),
            ("meter.source", "not empty", is_said(&self.source)),
        ]
    }
}
