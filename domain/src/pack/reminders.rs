//! When somebody is reminded, and of which duties.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::stamp::{Timestamp, shifted};

/// When somebody is reminded (A1, A2, B2–B7), and the duties of those who lead a hall (D5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderRules {
    /// So many minutes before a window the technician should have phoned the household (A1).
    pub phone_ahead_minutes: i64,
    /// So many minutes before a window the technician should be on the way (A2).
    pub set_out_minutes: i64,
    /// So many days before its deadline somebody looks at a hazard.
    pub hazard_days: u32,
    /// After so many hours work that only a phone has is asked for.
    pub unsent_hours: i64,
    /// After so many minutes without a word from a phone with work today somebody asks.
    pub silent_minutes: i64,
    /// From which hour of the city's clock to which nobody is disturbed but for emergencies; it may go past midnight.
    pub night_hours: (u8, u8),
    /// For how many minutes a reminder can be put off.
    pub snooze_minutes: Vec<i64>,
    /// What those who lead a hall have to do, and when (D5).
    #[serde(default)]
    pub duties: Vec<Duty>,
    /// Where the numbers come from.
    pub source: String,
}

/// Something to be done at a fixed time of the hall's clock (D5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Its key.
    pub id: String,
    /// On which days.
    pub every: Every,
    /// From when on it should be done.
    pub from: NaiveTime,
    /// From then on it is missed.
    pub until: NaiveTime,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

/// The days of a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Each day.
    Day,
    /// One day a week, Monday 1 to Sunday 7.
    Week(u32),
    /// One day a month; a shorter month has it on its last day.
    Month(u32),
}

impl Every {
    /// Whether a day is one of them.
    pub fn has(self, day: NaiveDate) -> bool {
        match self {
            Self::Day => true,
            Self::Week(weekday) => day.weekday().number_from_monday() == weekday,
            Self::Month(of) => {
                let is_last = day.checked_add_days(Days::new(1)).is_none_or(|it| it.day() == 1);
                day.day() == of || (is_last && day.day() < of)
            }
        }
    }

    fn is_whole(self) -> bool {
        match self {
            Self::Day => true,
            Self::Week(weekday) => (1..=7).contains(&weekday),
            Self::Month(day) => (1..=31).contains(&day),
        }
    }
}

impl ReminderRules {
    /// Whether nobody is disturbed now but for emergencies.
    pub fn is_night(&self, at: Timestamp, utc_offset_minutes: i32) -> bool {
        use chrono::Timelike as _;
        let hour = shifted(at, i64::from(utc_offset_minutes) * 60_000).hour();
        let (from, until) = (u32::from(self.night_hours.0), u32::from(self.night_hours.1));
        if from <= until { (from..until).contains(&hour) } else { hour >= from || hour < until }
    }

    /// What is wrong with the rules, as key and what it needs.
    pub(super) fn checks(&self) -> Vec<(&'static str, &'static str, bool)> {
        let a_day = 1..=24 * 60;
        let (from, until) = self.night_hours;
        let says = |text: &str| !text.trim().is_empty();
        let is_whole = |duty: &Duty| {
            duty.every.is_whole()
                && duty.from < duty.until
                && [&duty.id, &duty.zh, &duty.en].into_iter().all(|it| says(it))
        };
        vec![
            (
                "reminders.phone_ahead_minutes",
                "from 1 to 1440",
                a_day.contains(&self.phone_ahead_minutes),
            ),
            ("reminders.set_out_minutes", "from 1 to 1440", a_day.contains(&self.set_out_minutes)),
            ("reminders.hazard_days", "at most 366", self.hazard_days <= 366),
            ("reminders.unsent_hours", "from 1 to 240", (1..=240).contains(&self.unsent_hours)),
            ("reminders.silent_minutes", "from 1 to 1440", a_day.contains(&self.silent_minutes)),
            ("reminders.night_hours", "hours from 0 to 24", from <= 24 && until <= 24),
            (
                "reminders.snooze_minutes",
                "one to five, each from 1 to 1440",
                (1..=5).contains(&self.snooze_minutes.len())
                    && self.snooze_minutes.iter().all(|it| a_day.contains(it)),
            ),
            (
                "reminders.duties",
                "a day that there is, a time before another, a key and words each",
                self.duties.iter().all(is_whole),
            ),
            ("reminders.source", "not empty", says(&self.source)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Pack;

    #[test]
    fn d5_a_duty_of_the_30th_falls_on_the_last_day_of_a_shorter_month() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();

        for (every, on, expected) in [
            (Every::Month(30), "2027-02-28", true),
            (Every::Month(30), "2028-02-28", false),
            (Every::Month(30), "2028-02-29", true),
            (Every::Month(30), "2026-11-30", true),
            (Every::Month(30), "2026-12-31", false),
            (Every::Week(5), "2026-11-27", true),
            (Every::Week(5), "2026-11-26", false),
            (Every::Day, "2026-11-26", true),
        ] {
            assert_eq!(every.has(day(on)), expected, "{every:?} {on}");
        }
    }

    #[test]
    fn the_night_may_go_past_midnight() {
        let mut rules = Pack::builtin().reminders.expect("the built-in pack reminds");
        let is_night = |rules: &ReminderRules, text: &str| {
            rules.is_night(text.parse::<Timestamp>().unwrap(), 480)
        };

        rules.night_hours = (21, 7);
        for (at, expected) in [
            ("2026-11-25T20:59:59+08:00", false),
            ("2026-11-25T21:00:00+08:00", true),
            ("2026-11-26T00:30:00+08:00", true),
            ("2026-11-26T06:59:59+08:00", true),
            ("2026-11-26T07:00:00+08:00", false),
        ] {
            assert_eq!(is_night(&rules, at), expected, "{at}");
        }
        rules.night_hours = (12, 14);
        assert!(is_night(&rules, "2026-11-25T13:00:00+08:00"));
        assert!(!is_night(&rules, "2026-11-25T14:00:00+08:00"));
    }
}
