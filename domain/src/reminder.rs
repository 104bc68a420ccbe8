//! Reminders: what somebody should do soon, worked out from what is known; each has a beginning and an end.
//!
//! Nothing is stored here: the same facts give the same reminders, so one is over as soon as its cause is.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

use crate::job::Window;
use crate::pack::{Duty, ReminderRules};
use crate::stamp::{Timestamp, shifted};
use crate::status::Status;

/// What somebody is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// To phone a household before its window (A1).
    PhoneAhead,
    /// To be on the way: a window is about to begin (A2).
    SetOut,
    /// A promise that will be broken soon (B2, B5, B6, B13).
    PromiseAtRisk,
    /// A hazard whose deadline is near.
    HazardDue,
    /// Work that only a phone has, for hours.
    Unsent,
    /// A phone without a word, whose owner has work today.
    Silent,
    /// An outage that should be over, and nobody said that it is or that it takes longer (B13).
    OutageOver,
    /// A duty of those who lead the hall (D5).
    Duty,
}

impl About {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 8] = [
        Self::PromiseAtRisk,
        Self::OutageOver,
        Self::Silent,
        Self::Unsent,
        Self::PhoneAhead,
        Self::SetOut,
        Self::HazardDue,
        Self::Duty,
    ];

    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::PhoneAhead => "phone_ahead",
            Self::SetOut => "set_out",
            Self::PromiseAtRisk => "promise_at_risk",
            Self::HazardDue => "hazard_due",
            Self::Unsent => "unsent",
            Self::Silent => "silent",
            Self::OutageOver => "outage_over",
            Self::Duty => "duty",
        }
    }

    /// Whether a technician is reminded, not the hall's desk.
    pub fn is_for_technician(self) -> bool {
        matches!(self, Self::PhoneAhead | Self::SetOut)
    }
}

/// From when to when somebody is reminded of something; the end is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Of what.
    pub about: About,
    /// From when on.
    pub from: Timestamp,
    /// What it counts down to: a window's begin, a deadline.
    pub due_at: Timestamp,
    /// From then on nobody is reminded any more.
    pub until: Timestamp,
}

impl Reminder {
    /// Whether somebody is to be reminded now.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// What the technician of a job with a window is reminded of (A1, A2).
///
/// `phoned` says whether the household was phoned ahead.
pub fn of_window(
    window: Window,
    (status, phoned): (Status, bool),
    rules: &ReminderRules,
) -> Vec<Reminder> {
    if status != Status::Assigned {
        return Vec::new();
    }
    let before = |minutes: i64| shifted(window.start, minutes.saturating_mul(-60_000));
    let due_at = window.start;
    let phone = Reminder {
        about: About::PhoneAhead,
        from: before(rules.phone_ahead_minutes),
        due_at,
        until: window.start,
    };
    let set_out = Reminder {
        about: About::SetOut,
        from: before(rules.set_out_minutes),
        due_at,
        until: window.end,
    };
    let phone = (!phoned).then_some(phone);
    phone.into_iter().chain([set_out]).collect()
}

/// What the desk is reminded of while a promise runs (B2, B5, B6).
pub fn of_promise(due_at: Timestamp, warn_minutes: i64) -> Reminder {
    let from = shifted(due_at, warn_minutes.saturating_mul(-60_000));
    Reminder { about: About::PromiseAtRisk, from, due_at, until: due_at }
}

/// What the desk is reminded of when an outage should be over: until somebody ends or prolongs it.
pub fn of_outage(until: Timestamp) -> Reminder {
    Reminder { about: About::OutageOver, from: until, due_at: until, until: Timestamp::MAX_UTC }
}

/// What the desk is reminded of before a hazard's deadline, a day of the city; until that day is over.
pub fn of_hazard(deadline: NaiveDate, utc_offset_minutes: i32, rules: &ReminderRules) -> Reminder {
    let first = deadline.checked_sub_days(Days::new(u64::from(rules.hazard_days)));
    let over = deadline.checked_add_days(Days::new(1)).unwrap_or(deadline);
    let begins = |day| at(day, NaiveTime::MIN, utc_offset_minutes);
    let (from, until) = (begins(first.unwrap_or(deadline)), begins(over));
    Reminder { about: About::HazardDue, from, due_at: until, until }
}

/// What the desk is reminded of when a phone keeps work to itself: `heard_at` is when it last said so.
pub fn of_unsent(heard_at: Timestamp, rules: &ReminderRules) -> Reminder {
    let from = shifted(heard_at, rules.unsent_hours.saturating_mul(3_600_000));
    Reminder { about: About::Unsent, from, due_at: from, until: Timestamp::MAX_UTC }
}

/// What the desk is reminded of when a phone is silent while its owner has work: until the last window is over.
///
/// Silence counts from when it was last heard, and no earlier than from when the first window began.
pub fn of_silence(
    heard_at: Option<Timestamp>,
    work: Window,
    rules: &ReminderRules,
) -> Option<Reminder> {
    let since = heard_at.map_or(work.start, |at| at.max(work.start));
    let from = shifted(since, rules.silent_minutes.saturating_mul(60_000));
    let reminder = Reminder { about: About::Silent, from, due_at: from, until: work.end };
    (from < work.end).then_some(reminder)
}

/// The duties of a day of the city, each with its time (D5).
pub fn duties(
    day: NaiveDate,
    utc_offset_minutes: i32,
    rules: &ReminderRules,
) -> impl Iterator<Item = (&Duty, Reminder)> {
    let on_day = rules.duties.iter().filter(move |duty| duty.every.has(day));
    on_day.map(move |duty| {
        let from = at(day, duty.from, utc_offset_minutes);
        let until = at(day, duty.until, utc_offset_minutes);
        (duty, Reminder { about: About::Duty, from, due_at: until, until })
    })
}

/// The instant at which a city's clock shows a time on a day.
fn at(day: NaiveDate, time: NaiveTime, utc_offset_minutes: i32) -> Timestamp {
    day.and_time(time).and_utc() - TimeDelta::minutes(i64::from(utc_offset_minutes))
}
