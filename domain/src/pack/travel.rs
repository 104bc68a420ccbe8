//! How long ways and work take. Plans are made with it; no verdict is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::KindRules;
use super::check::{Check, is_in_day, is_positive, is_said};
use crate::job::JobKind;

/// How long ways and work take. Plans are made with it; no verdict is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TravelRules {
    /// Metres of street in a minute.
    pub metres_per_minute: f64,
    /// Metres of street for a metre of straight line.
    pub detour: f64,
    /// Minutes from the saddle to the door, and back.
    pub park_minutes: i64,
    /// Minutes to a door whose place nobody surveyed.
    pub unsurveyed_minutes: i64,
    /// The windows that are offered on a day, as hours of the city's clock.
    pub offered_hours: Vec<(u8, u8)>,
    /// Minutes that a visit of each kind usually takes.
    pub takes_minutes: BTreeMap<JobKind, i64>,
    /// From which hour of the city's clock to which people are sent out; packs before it existed have none.
    #[serde(default)]
    pub working_hours: Option<(u8, u8)>,
    /// The hours of the break, in which no visit begins.
    #[serde(default)]
    pub break_hours: Option<(u8, u8)>,
    /// Metres of way that a plan makes to stay in somebody's own area.
    #[serde(default)]
    pub outside_area_metres: f64,
    /// Metres of way that a plan makes rather than take a job from whom it was given to.
    #[serde(default)]
    pub moved_metres: f64,
    /// Where the numbers come from.
    pub source: String,
}

impl TravelRules {
    /// What the numbers have to be; each kind that the pack names takes its time.
    pub(super) fn checks(&self, kinds: &BTreeMap<JobKind, KindRules>) -> Vec<Check> {
        let takes = |kind: &JobKind| self.takes_minutes.get(kind).copied();
        let is_whole = kinds.keys().all(|kind| takes(kind).is_some_and(is_in_day));
        let is_span = |(from, to): (u8, u8)| from < to && to <= 24;
        let is_inside = |(from, to): (u8, u8)| {
            let work = self.working_hours;
            is_span((from, to)) && work.is_some_and(|(begin, end)| begin <= from && to <= end)
        };
        let is_cost = |metres: f64| metres.is_finite() && metres >= 0.0;
        vec![
            ("travel.metres_per_minute", "above zero", is_positive(self.metres_per_minute)),
            ("travel.detour", "one or more", self.detour.is_finite() && self.detour >= 1.0),
            ("travel.park_minutes", "from 0 to 1440", is_in_day(self.park_minutes)),
            ("travel.unsurveyed_minutes", "from 0 to 1440", is_in_day(self.unsurveyed_minutes)),
            (
                "travel.offered_hours",
                "each from an hour to a later one of the day",
                self.offered_hours.iter().all(|hours| is_span(*hours)),
            ),
            ("travel.takes_minutes", "each kind, from 0 to 1440", is_whole),
            (
                "travel.working_hours",
                "from an hour to a later one of the day",
                self.working_hours.is_none_or(is_span),
            ),
            ("travel.break_hours", "within working_hours", self.break_hours.is_none_or(is_inside)),
            ("travel.outside_area_metres", "zero or more", is_cost(self.outside_area_metres)),
            ("travel.moved_metres", "zero or more", is_cost(self.moved_metres)),
            ("travel.source", "not empty", is_said(&self.source)),
        ]
    }
}
