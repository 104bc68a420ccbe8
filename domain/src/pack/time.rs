//! Time in the hall's city, and when an arrival is on time (A2).

use serde::{Deserialize, Serialize};

use super::check::{Check, is_in_day, is_said};

/// Time in the hall's city, and how far clocks are trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRules {
    /// Minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// How fast a phone's monotonic clock may drift, in parts per million.
    pub drift_ppm: i64,
    /// A wall clock further off than this is flagged, in minutes.
    pub skew_flag_minutes: i64,
    /// Where the numbers come from.
    pub source: String,
}

/// When an arrival is on time (A2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PunctualityRules {
    /// Minutes before the window that still count as inside it.
    pub early_grace_minutes: i64,
    /// Minutes after the window that still count as inside it.
    pub late_grace_minutes: i64,
    /// Where the numbers come from.
    pub source: String,
}

/// A city is at most this many minutes from UTC.
const MOST_OFFSET_MINUTES: u32 = 14 * 60;

impl TimeRules {
    /// What the numbers have to be.
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            (
                "time.utc_offset_minutes",
                "within 14 hours of UTC",
                self.utc_offset_minutes.unsigned_abs() <= MOST_OFFSET_MINUTES,
            ),
            ("time.drift_ppm", "from 0 to 100000", (0..=100_000).contains(&self.drift_ppm)),
            ("time.skew_flag_minutes", "zero or more", self.skew_flag_minutes >= 0),
            ("time.source", "not empty", is_said(&self.source)),
        ]
    }
}

impl PunctualityRules {
    /// What the numbers have to be.
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            (
                "punctuality.early_grace_minutes",
                "from 0 to 1440",
                is_in_day(self.early_grace_minutes),
            ),
            (
                "punctuality.late_grace_minutes",
                "from 0 to 1440",
                is_in_day(self.late_grace_minutes),
            ),
            ("punctuality.source", "not empty", is_said(&self.source)),
        ]
    }
}
