//! The days on which offices rest and work (节假日安排), as the State Council's notice of each year names them.

use chrono::{Datelike as _, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};
use crate::calendar::Holiday;

/// The days on which offices rest and work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarRules {
    /// The last day for which a notice was published; later days are known by law and weekday alone.
    pub published_until: NaiveDate,
    /// Holidays, in the order of time.
    pub rest: Vec<Rest>,
    /// Weekend days on which offices work instead (调休上班), in the order of time.
    pub make_up: Vec<NaiveDate>,
    /// Notices, numbers and dates.
    pub source: String,
}

/// A holiday of one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// Which.
    pub holiday: Holiday,
    /// Its first day.
    pub from: NaiveDate,
    /// Its last day.
    pub until: NaiveDate,
}

impl CalendarRules {
    /// Whether offices work on a day.
    pub fn is_working(&self, day: NaiveDate) -> bool {
        if self.make_up.binary_search(&day).is_ok() {
            return true;
        }
        let rests = self.rest.iter().any(|rest| (rest.from..=rest.until).contains(&day));
        !rests && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// Whether a notice says what this day is; without one its working days may yet move.
    pub fn is_published(&self, day: NaiveDate) -> bool {
        day <= self.published_until
    }

    /// The first time that a holiday begins on or after a day, as far as the pack knows.
    pub fn next(&self, holiday: Holiday, day: NaiveDate) -> Option<Rest> {
        self.rest.iter().copied().find(|rest| rest.holiday == holiday && rest.from >= day)
    }

    /// What the days have to be.
    pub(super) fn checks(&self) -> Vec<Check> {
        let is_weekend = |day: &NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let follow = |pair: &[Rest]| pair[0].until < pair[1].from;
        vec![
            (
                "calendar.rest",
                "each from a day to the same or a later one",
                self.rest.iter().all(|rest| rest.from <= rest.until),
            ),
            (
                "calendar.rest",
                "the order of time, without overlap",
                self.rest.windows(2).all(follow),
            ),
            ("calendar.make_up", "days of weekends", self.make_up.iter().all(is_weekend)),
            (
                "calendar.make_up",
                "the order of time, each once",
                self.make_up.is_sorted_by(|a, b| a < b),
            ),
            ("calendar.source", "not empty", is_said(&self.source)),
        ]
    }
}
