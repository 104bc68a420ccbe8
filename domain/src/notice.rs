//! What households are told by message (B13, A2): occasions, the places of their templates, and when it is too late at night.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveTime, TimeDelta, Timelike as _};
use serde::{Deserialize, Serialize};

use crate::catalogue::Language;
use crate::job::Window;
use crate::stamp::{Timestamp, shifted};

/// Why a household is told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A window was agreed, or agreed anew (A1).
    WindowAgreed,
    /// A window was announced to a household that nobody asked (A1).
    WindowAnnounced,
    /// The technician has set out.
    OnTheWay,
    /// The technician will not keep the window; a new time (A2).
    Late,
    /// The work is done; the household's copy.
    Done,
    /// Nobody opened.
    NoOneHome,
    /// The gas will be off (B13).
    OutagePlanned,
    /// The gas went off (B13).
    OutageUnforeseen,
    /// The gas will be off for longer than was said (B13).
    OutageProlonged,
    /// The gas is on again (B13).
    OutageEnded,
    /// The gas will not be off after all (B13).
    OutageCancelled,
}

impl Occasion {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 11] = [
        Self::WindowAgreed,
        Self::WindowAnnounced,
        Self::OnTheWay,
        Self::Late,
        Self::Done,
        Self::NoOneHome,
        Self::OutagePlanned,
        Self::OutageUnforeseen,
        Self::OutageProlonged,
        Self::OutageEnded,
        Self::OutageCancelled,
    ];

    /// The word used in rule packs, SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::WindowAgreed => "window_agreed",
            Self::WindowAnnounced => "window_announced",
            Self::OnTheWay => "on_the_way",
            Self::Late => "late",
            Self::Done => "done",
            Self::NoOneHome => "no_one_home",
            Self::OutagePlanned => "outage_planned",
            Self::OutageUnforeseen => "outage_unforeseen",
            Self::OutageProlonged => "outage_prolonged",
            Self::OutageEnded => "outage_ended",
            Self::OutageCancelled => "outage_cancelled",
        }
    }

    /// Finds the occasion with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.key() == key)
    }

    /// The places that a template of this occasion may have.
    pub fn places(self) -> &'static [&'static str] {
        match self {
            Self::WindowAgreed | Self::WindowAnnounced => &["hall", "kind", "day", "from", "to"],
            Self::OnTheWay => &["hall", "kind", "technician", "card", "time"],
            Self::Late => &["hall", "kind", "technician", "card", "day", "from", "to", "time"],
            Self::Done => &["hall", "kind", "technician", "card"],
            Self::NoOneHome => &["hall", "kind", "technician", "card", "day", "time"],
            Self::OutagePlanned
            | Self::OutageUnforeseen
            | Self::OutageProlonged
            | Self::OutageCancelled => &["hall", "area", "reason", "from", "until"],
            Self::OutageEnded => &["hall", "area", "time"],
        }
    }

    /// Whether a newer notice of one job makes a waiting one of this occasion pointless.
    pub fn passes(self) -> bool {
        matches!(self, Self::WindowAgreed | Self::WindowAnnounced | Self::OnTheWay | Self::Late)
    }
}

/// The names in braces of a template, in order; `None` when a brace is not closed or stands alone.
pub fn places(template: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let name = rest[at..].strip_prefix('{')?;
        let (name, after) = name.split_once('}')?;
        found.push(name);
        rest = after;
    }
    Some(found)
}

/// Fills a template's places in one pass, so that what is filled in is never read as a place.
pub fn fill(template: &str, values: &BTreeMap<&str, String>) -> String {
    let mut said = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        said.push_str(values.get(name).map_or("", String::as_str));
        rest = after;
    }
    said.push_str(rest);
    said
}

/// From when on something may be sent that must not come at night: now, or the end of the quiet hours.
///
/// `quiet` is the first quiet hour and the hour that ends it, of the city's clock; it may go over midnight.
pub fn send_at(now: Timestamp, quiet: (u8, u8), utc_offset_minutes: i32) -> Timestamp {
    let offset_ms = i64::from(utc_offset_minutes).saturating_mul(60_000);
    let local = shifted(now, offset_ms);
    let (from, to) = (u32::from(quiet.0), u32::from(quiet.1));
    let hour = local.hour();
    let is_quiet = if from <= to { (from..to).contains(&hour) } else { hour >= from || hour < to };
    if !is_quiet {
        return now;
    }
    let days = i64::from(from > to && hour >= from);
    let morning = NaiveTime::from_hms_opt(to % 24, 0, 0).unwrap_or_default();
    let days = if to == 24 { 1 } else { days };
    let ends = local.date_naive().and_time(morning).and_utc();
    let ends = ends.checked_add_signed(TimeDelta::days(days)).unwrap_or(ends);
    shifted(ends, -offset_ms)
}

/// A day as people say it.
pub fn say_day(at: Timestamp, utc_offset_minutes: i32, language: Language) -> String {
    let local = shifted(at, i64::from(utc_offset_minutes).saturating_mul(60_000));
    match language {
        Language::Chinese => format!("{}月{}日", local.month(), local.day()),
        Language::English => local.format("%-d %B").to_string(),
    }
}

/// A time of day.
pub fn say_time(at: Timestamp, utc_offset_minutes: i32) -> String {
    let local = shifted(at, i64::from(utc_offset_minutes).saturating_mul(60_000));
    local.format("%H:%M").to_string()
}

/// A day with its time.
pub fn say_moment(at: Timestamp, utc_offset_minutes: i32, language: Language) -> String {
    let (day, time) = (say_day(at, utc_offset_minutes, language), say_time(at, utc_offset_minutes));
    match language {
        Language::Chinese => format!("{day}{time}"),
        Language::English => format!("{day}, {time}"),
    }
}

/// The places that a window fills: `day`, `from` and `to`.
pub fn window_places(
    window: Window,
    utc_offset_minutes: i32,
    language: Language,
) -> [(&'static str, String); 3] {
    [
        ("day", say_day(window.start, utc_offset_minutes, language)),
        ("from", say_time(window.start, utc_offset_minutes)),
        ("to", say_time(window.end, utc_offset_minutes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_sent_at_night_but_in_the_morning_after_it() {
        for (now, quiet, then) in [
            ("2026-03-02T12:59:59Z", (21, 8), "2026-03-02T12:59:59Z"),
            ("2026-03-02T13:00:00Z", (21, 8), "2026-03-03T00:00:00Z"),
            ("2026-03-02T20:30:00Z", (21, 8), "2026-03-03T00:00:00Z"),
            ("2026-03-03T00:00:00Z", (21, 8), "2026-03-03T00:00:00Z"),
            ("2026-03-02T17:00:00Z", (0, 7), "2026-03-02T23:00:00Z"),
            ("2026-03-02T13:30:00Z", (21, 24), "2026-03-02T16:00:00Z"),
            ("2026-03-02T13:30:00Z", (8, 8), "2026-03-02T13:30:00Z"),
        ] {
            assert_eq!(send_at(at(now), quiet, 480), at(then), "{now} {quiet:?}");
        }
    }

    #[test]
    fn places_are_found_and_filled_once() {
        assert_eq!(places("{hall}：{day} {from}–{to}"), Some(vec!["hall", "day", "from", "to"]));
        for broken in ["{hall", "hall}", "{ha{ll}"] {
            let found = places(broken);
            assert!(found.is_none_or(|it| it == ["ha{ll"]), "{broken}");
        }
        let values = BTreeMap::from([("reason", "{hall}".to_owned()), ("hall", "城东".to_owned())]);
        assert_eq!(fill("{hall}：{reason}{gone}。", &values), "城东：{hall}。");
    }

    #[test]
    fn a_key_is_the_word_in_json() {
        for occasion in Occasion::ALL {
            assert_eq!(serde_json::to_value(occasion).unwrap(), occasion.key());
            assert_eq!(Occasion::from_key(occasion.key()), Some(occasion));
        }
    }

    #[test]
    fn days_are_said_in_both_languages() {
        let late = at("2026-03-02T17:05:00Z");
        assert_eq!(say_moment(late, 480, Language::Chinese), "3月3日01:05");
        assert_eq!(say_moment(late, 480, Language::English), "3 March, 01:05");
    }
}
