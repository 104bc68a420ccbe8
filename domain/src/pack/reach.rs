//! How urgent each kind of news is, and when the next layer carries it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::Check;

/// How people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachRules {
    /// From which hour to which of the city's clock nobody is told what can wait; may go past midnight.
    pub night_hours: (u8, u8),
    /// By the kind of news; a reminder of its own goes before `reminder`, and `other` is for what is not named.
    pub kinds: BTreeMap<String, ReachKind>,
    /// Where the numbers come from.
    pub source: String,
}

/// How one kind of news is carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachKind {
    /// How hard a push service tries.
    pub urgency: Urgency,
    /// Whether it is told at night.
    #[serde(default)]
    pub at_night: bool,
    /// How long the app that is open has to show it before a push is sent as well, in seconds.
    #[serde(default)]
    pub push_after_seconds: i64,
    /// How long until a gateway is told what nobody was shown, in seconds; none never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_after_seconds: Option<i64>,
}

/// How hard a push service tries (RFC 8030, 5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// On mains power or Wi-Fi.
    Low,
    /// As it comes.
    #[default]
    Normal,
    /// Even when the battery is low.
    High,
}

impl Urgency {
    /// The word in JSON and headers.
    pub fn key(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

impl ReachRules {
    /// How a kind is carried.
    pub fn kind(&self, key: &str) -> ReachKind {
        let family = key.split_once('.').map_or(key, |(family, _)| family);
        let found = [key, family, "other"].into_iter().find_map(|key| self.kinds.get(key));
        found.copied().unwrap_or_default()
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let (from, to) = self.night_hours;
        let is_wait = |seconds: i64| (0..=86_400).contains(&seconds);
        let mut kinds = self.kinds.values();
        let waits = kinds.all(|kind| {
            is_wait(kind.push_after_seconds) && kind.gateway_after_seconds.is_none_or(is_wait)
        });
        vec![
            ("reach.night_hours", "two hours of the day", from < 24 && to < 24),
            ("reach.kinds", "waits from 0 to 86400 seconds", waits),
            ("reach.source", "not empty", !self.source.trim().is_empty()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Pack;

    #[test]
    fn what_is_not_named_is_carried_as_its_family_or_as_the_rest() {
        let rules = Pack::builtin().reach.unwrap();

        assert_eq!(rules.kind("leak_call").urgency, Urgency::High);
        assert!(rules.kind("leak_call").at_night);
        assert_eq!(rules.kind("reminder.phone_ahead"), rules.kind("reminder"));
        assert_eq!(rules.kind("unheard_of"), rules.kind("other"));
    }
}
