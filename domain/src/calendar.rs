//! Days as the hall's city counts them.

use chrono::NaiveDate;

use crate::stamp::{Timestamp, shifted};

/// The calendar day of an instant in a city this many minutes east of UTC.
///
/// A fixed offset is enough: China has one time zone and no summer time.
pub fn city_day(at: Timestamp, utc_offset_minutes: i32) -> NaiveDate {
    shifted(at, i64::from(utc_offset_minutes).saturating_mul(60_000)).date_naive()
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
