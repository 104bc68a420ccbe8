//! Days as the hall's city counts them, and times that were promised in them.

use chrono::{Days, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::pack::Pack;
use crate::stamp::{Timestamp, shifted};

/// The calendar day of an instant in a city this many minutes east of UTC.
///
/// A fixed offset is enough: China has one time zone and no summer time.
pub fn city_day(at: Timestamp, utc_offset_minutes: i32) -> NaiveDate {
    shifted(at, i64::from(utc_offset_minutes).saturating_mul(60_000)).date_naive()
}

/// The last millisecond of a day in a city this many minutes east of UTC.
fn end_of(day: NaiveDate, utc_offset_minutes: i32) -> Timestamp {
    let midnight = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    let midnight = midnight.and_time(chrono::NaiveTime::MIN).and_utc();
    shifted(midnight, -i64::from(utc_offset_minutes).saturating_mul(60_000) - 1)
}

/// A length of time as it was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// So many minutes.
    Minutes(i64),
    /// To the end of so many days; the day on which it starts is not counted (Civil Code, art. 201).
    Days(u32),
    /// The same in days on which offices work.
    WorkingDays(u32),
}

/// A length of time as a pack writes it: one of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spans {
    /// So many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
    /// So many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// So many working days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<u32>,
}

impl Spans {
    /// The one that is written; `None` when it is none or several.
    pub fn span(self) -> Option<Span> {
        match (self.minutes, self.days, self.working_days) {
            (Some(minutes), None, None) => Some(Span::Minutes(minutes)),
            (None, Some(days), None) => Some(Span::Days(days)),
            (None, None, Some(days)) => Some(Span::WorkingDays(days)),
            _ => None,
        }
    }
}

impl Span {
    /// The shortest that it can be, in minutes.
    pub fn least_minutes(self) -> i64 {
        match self {
            Self::Minutes(minutes) => minutes,
            Self::Days(days) | Self::WorkingDays(days) => i64::from(days) * 24 * 60,
        }
    }

    /// The longest that it can be without a holiday, in minutes: five working days are a week.
    pub fn usual_minutes(self) -> i64 {
        match self {
            Self::Minutes(_) | Self::Days(_) => self.least_minutes(),
            Self::WorkingDays(days) => i64::from(days) * 7 * 24 * 60 / 5,
        }
    }
}

/// A time in which a promise's clock stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Still {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// When a promised time is over.
///
/// Minutes grow by as much as the clock stood still. A day is left out only when the clock stood still from its first
/// moment to its last: a pause of some hours takes no day from the household. `still` is in the order of time.
pub fn over_at(span: Span, start: Timestamp, still: &[Still], pack: &Pack) -> Timestamp {
    let offset = pack.time.utc_offset_minutes;
    match span {
        Span::Minutes(minutes) => {
            let over = start + TimeDelta::minutes(minutes);
            still.iter().fold(over, |over, it| {
                let from = it.from.max(start);
                if from < over && from < it.until { over + (it.until - from) } else { over }
            })
        }
        Span::Days(days) => last_day((start, offset), days, still, |_| true),
        Span::WorkingDays(days) => {
            let calendar = pack.calendar.as_ref();
            let works = |day| calendar.is_none_or(|calendar| calendar.is_working(day));
            last_day((start, offset), days, still, works)
        }
    }
}

/// The end of the last of so many days that count.
fn last_day(
    (start, offset): (Timestamp, i32),
    days: u32,
    still: &[Still],
    counts: impl Fn(NaiveDate) -> bool,
) -> Timestamp {
    let first = city_day(start, offset);
    let stood_still = |day: NaiveDate| {
        let before = day.pred_opt().unwrap_or(NaiveDate::MIN);
        let (begin, end) = (end_of(before, offset), end_of(day, offset));
        still.iter().any(|it| it.from <= begin && it.until > end)
    };
    let runs = first.iter_days().skip(1).filter(|day| counts(*day) && !stood_still(*day));
    let last = runs.take(days as usize).last();
    end_of(last.unwrap_or(first), offset)
}

/// A holiday of the whole nation (全国年节).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// 元旦
    NewYear,
    /// 春节
    SpringFestival,
    /// 清明节
    TombSweeping,
    /// 劳动节
    LabourDay,
    /// 端午节
    DragonBoat,
    /// 中秋节
    MidAutumn,
    /// 国庆节
    NationalDay,
}

impl Holiday {
    /// The word used in rule packs, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::NewYear => "new_year",
            Self::SpringFestival => "spring_festival",
            Self::TombSweeping => "tomb_sweeping",
            Self::LabourDay => "labour_day",
            Self::DragonBoat => "dragon_boat",
            Self::MidAutumn => "mid_autumn",
            Self::NationalDay => "national_day",
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike as _;

    use super::*;

    #[test]
    fn the_citys_day_begins_at_its_own_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();

        for (instant, minutes, expected) in [
            ("2026-12-31T15:59:59Z", 480, "2026-12-31"),
            ("2026-12-31T16:00:00Z", 480, "2027-01-01"),
            ("2026-03-01T02:59:00Z", -180, "2026-02-28"),
            ("2026-03-01T02:59:00Z", 0, "2026-03-01"),
        ] {
            assert_eq!(city_day(at(instant), minutes), day(expected), "{instant} {minutes}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_have_a_day_too() {
        for at in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            for minutes in [-720, 480] {
                assert_eq!(city_day(at, minutes).year(), at.year());
            }
        }
    }
}
