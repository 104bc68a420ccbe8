//! Files that leave the hall: tables for spreadsheets and billing, a calendar, a map.

mod behind;
pub mod calendar;
mod cash;
mod due;
mod household;
mod lists;
pub mod map;
mod outages;
mod tables;
mod write;

use chrono::{DateTime, DurationRound as _, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};
use domain::catalogue::{self, Language};
use domain::measure::{Fen, Volume};

pub use self::behind::behind;
pub use self::cash::{cash_balances, cash_receipts};
pub use self::due::due;
pub use self::household::household;
pub use self::lists::{OpenPromises, open_promises, phones};
pub use self::outages::outage_record;
pub use self::tables::{Table, TooManyRows, rows};
pub use self::write::{csv, xlsx};

/// The most rows of one file: what spreadsheets still open with pleasure.
pub const MOST_ROWS: i64 = 200_000;

/// What a time in a table is cut to: seconds decide nothing there.
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// What stands in a cell; never a formula.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing is known.
    Empty,
    /// Text, also numbers that are names: accounts, telephone numbers.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Cubic metres with three decimals.
    Volume(Volume),
    /// Yuan with two decimals.
    Money(Fen),
    /// A day in the hall's city.
    Day(NaiveDate),
    /// A day with a time there, to the minute.
    Minute(NaiveDateTime),
    /// A part of a whole, from 0 to 1.
    Share(f64),
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    pub(crate) fn maybe(text: Option<String>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    pub(crate) fn instant(ms: Option<i64>, offset: FixedOffset) -> Self {
        let local =
            ms.and_then(DateTime::from_timestamp_millis).map(|at| at.with_timezone(&offset));
        let minute = local.and_then(|at| at.naive_local().duration_trunc(MINUTE).ok());
        minute.map_or(Self::Empty, Self::Minute)
    }

    pub(crate) fn word(language: Language, what: &str, key: &str) -> Self {
        Self::text(catalogue::text(language, &format!("{what}.{key}"), &[]))
    }
}

/// A table ready to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What it is called.
    pub title: String,
    /// Its headers.
    pub headers: Vec<String>,
    /// Its rows, each as long as the headers.
    pub rows: Vec<Vec<Value>>,
}
