//! Days as the hall's city counts them.

use chrono::{FixedOffset, NaiveDate};

use crate::stamp::Timestamp;

/// The calendar day of an instant in a city this many minutes east of UTC.
///
/// A fixed offset is enough: China has one time zone and no summer time.
pub fn city_day(at: Timestamp, utc_offset_minutes: i32) -> NaiveDate {
    match FixedOffset::east_opt(utc_offset_minutes * 60) {
        Some(offset) => at.with_timezone(&offset).date_naive(),
        None => at.date_naive(),
    }
}
