//! Time that can be trusted: when something happened, as an interval.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::UserId;

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

/// Up to when the hall has all that a technician's phone recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nobody had the job, so there is nobody to wait for.
    Nobody,
    /// The phone has not been heard yet.
    Never,
    /// Everything recorded until then.
    Until(Timestamp),
}

impl Heard {
    /// What is known of this technician's phone.
    pub fn of(technician: Option<UserId>, until: Option<Timestamp>) -> Self {
        match (technician, until) {
            (None, _) => Self::Nobody,
            (Some(_), Some(until)) => Self::Until(until),
            (Some(_), None) => Self::Never,
        }
    }

    /// Whether nothing recorded up to this moment can still arrive.
    pub fn covers(self, moment: Timestamp) -> bool {
        match self {
            Self::Nobody => true,
            Self::Never => false,
            Self::Until(until) => until >= moment,
        }
    }
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

impl Anchor {
    /// Between which instants a moment of the same boot lies, going by this anchor alone.
    ///
    /// The server spoke somewhere in the round trip, and the monotonic clock may drift.
    fn places(&self, mono_ms: i64, drift_ppm: i64) -> Interval {
        let since = mono_ms.saturating_sub(self.mono_ms);
        let drift = since.saturating_abs().saturating_mul(drift_ppm) / 1_000_000;
        let spoken_before = since.saturating_add(self.round_trip_ms.max(0));
        Interval {
            earliest: shifted(self.server_at, since.saturating_sub(drift)),
            latest: shifted(self.server_at, spoken_before.saturating_add(drift)),
        }
    }
}

impl Stamp {
    /// Resolves the stamp to the interval in which it was made.
    ///
    /// Every anchor of the same boot narrows it, whether heard before or after; an anchor of an earlier boot
    /// says only that it was later than that. `bounds` is what is known from outside: not before the job
    /// existed, not after the server had it. Anchors outweigh bounds where they contradict.
    pub fn resolve(&self, anchors: &[Anchor], bounds: Interval, drift_ppm: i64) -> Interval {
        let mut found = bounds;
        if let Some(earlier) = self.anchor.filter(|anchor| anchor.boot != self.boot) {
            found.earliest = found.earliest.max(earlier.server_at);
        }
        let same_boot = self.anchor.iter().chain(anchors).filter(|it| it.boot == self.boot);
        for anchor in same_boot {
            let placed = anchor.places(self.mono_ms, drift_ppm);
            let narrowed = Interval {
                earliest: found.earliest.max(placed.earliest),
                latest: found.latest.min(placed.latest),
            };
            found = if narrowed.earliest <= narrowed.latest { narrowed } else { placed };
        }
        if found.earliest > found.latest { Interval::at(found.latest) } else { found }
    }

    /// How far the wall clock was off at least, in milliseconds; zero when it may have been right.
    pub fn skew_ms(&self, resolved: Interval) -> i64 {
        if self.wall_at < resolved.earliest {
            (self.wall_at - resolved.earliest).num_milliseconds()
        } else if self.wall_at > resolved.latest {
            (self.wall_at - resolved.latest).num_milliseconds()
        } else {
            0
        }
    }
}

/// Whether somebody moved the wall clock between two stamps of one boot.
pub fn clock_stepped(first: &Stamp, second: &Stamp, tolerance_ms: i64) -> bool {
    let by_wall = (second.wall_at - first.wall_at).num_milliseconds();
    let by_mono = second.mono_ms.saturating_sub(first.mono_ms);
    let moved = by_wall.saturating_sub(by_mono).saturating_abs();
    first.boot == second.boot && moved > tolerance_ms
}

/// Moves an instant, and stops at the calendar's ends: a phone may claim any number.
pub fn shifted(at: Timestamp, by_ms: i64) -> Timestamp {
    let end = if by_ms < 0 { Timestamp::MIN_UTC } else { Timestamp::MAX_UTC };
    let by = TimeDelta::try_milliseconds(by_ms);
    by.and_then(|by| at.checked_add_signed(by)).unwrap_or(end)
}
