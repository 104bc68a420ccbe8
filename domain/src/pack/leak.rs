//! How people are called to a leak (B2).

use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};

/// How people are called to a leak (B2). Calling is ours; the promise itself stands among the promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakRules {
    /// How many are called at once, nearest first.
    pub at_once: u32,
    /// Seconds in which somebody has to answer before the next person is called.
    pub acknowledge_seconds: i64,
    /// How many technicians are called at most before the crew leader is.
    pub people: u32,
    /// Seconds in which the crew leader has to answer before every console sounds the alarm.
    pub leader_seconds: i64,
    /// Where the numbers come from.
    pub source: String,
}

impl LeakRules {
    /// What the numbers have to be: nobody waits longer for an answer than a fraction of the half hour.
    pub(super) fn checks(&self) -> Vec<Check> {
        let is_short = |seconds: i64| (5..=600).contains(&seconds);
        vec![
            ("leak.acknowledge_seconds", "from 5 to 600", is_short(self.acknowledge_seconds)),
            ("leak.leader_seconds", "from 5 to 600", is_short(self.leader_seconds)),
            ("leak.at_once", "from 1 to people", (1..=self.people).contains(&self.at_once)),
            ("leak.people", "from 1 to 20", (1..=20).contains(&self.people)),
            ("leak.source", "not empty", is_said(&self.source)),
        ]
    }
}
