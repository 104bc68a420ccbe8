//! The server's clock: the only place that asks the operating system for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use domain::stamp::Timestamp;

/// Where the server takes its time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// From the operating system.
    #[default]
    System,
    /// From whoever sets it, in Unix milliseconds, so that a day can be played in a minute.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows this instant until it is set.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.timestamp_millis())))
    }

    /// The time, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        DateTime::from_timestamp_millis(self.now_ms()).expect("clocks show years before 262000")
    }

    /// The time in Unix milliseconds.
    #[expect(clippy::disallowed_methods, reason = "this is the place that asks the time")]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => {
                let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
            }
            Self::Manual(now_ms) => now_ms.load(Ordering::SeqCst),
        }
    }

    /// Whether somebody sets this clock.
    pub fn is_manual(&self) -> bool {
        matches!(self, Self::Manual(_))
    }

    /// Sets a manual clock; returns whether it is one and the time can be shown.
    pub fn set(&self, now_ms: i64) -> bool {
        match self {
            Self::Manual(clock) if DateTime::from_timestamp_millis(now_ms).is_some() => {
                clock.store(now_ms, Ordering::SeqCst);
                true
            }
            Self::Manual(_) | Self::System => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_shows_what_it_was_set_to() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);

        assert_eq!(clock.now_ms(), 0);
        assert!(clock.set(86_400_000));
        assert_eq!(clock.now().to_rfc3339(), "1970-01-02T00:00:00+00:00");
    }

    #[test]
    fn nobody_sets_the_system_clock_nor_an_impossible_time() {
        assert!(!Clock::System.set(0));
        assert!(!Clock::manual(DateTime::UNIX_EPOCH).set(i64::MAX));
    }
}
