//! Time that can be trusted: when something happened, as an interval.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// An instant in UTC; the domain counts in whole milliseconds.
pub type Timestamp = DateTime<Utc>;

/// Names one boot of a device; monotonic readings compare only within one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub u32);

/// The server's word on the time, as one device heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Anchor {
    /// The boot in which the reply arrived.
    pub boot: BootId,
    /// The device's monotonic clock when the reply arrived.
    pub mono_ms: i64,
    /// What the server said the time was.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub server_at: Timestamp,
    /// How long the exchange took; the server spoke somewhere in it.
    pub round_trip_ms: i64,
}

/// What a device knew of the time when it recorded a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The device's wall clock: a claim, shown but never used to judge or to order.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub wall_at: Timestamp,
    /// The boot session of the monotonic reading.
    pub boot: BootId,
    /// The device's monotonic clock.
    pub mono_ms: i64,
    /// The last server time the device had heard, possibly in an earlier boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
}

/// The true time lies somewhere in here, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The earliest it can have been.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub earliest: Timestamp,
    /// The latest it can have been.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub latest: Timestamp,
}

impl Interval {
    /// An instant known exactly, as the server knows its own.
    pub fn at(instant: Timestamp) -> Self {
        Self { earliest: instant, latest: instant }
    }

    /// How far apart the ends are.
    pub fn width(&self) -> TimeDelta {
        self.latest - self.earliest
    }
}
