//! One steady clock of a browser's two: one stands still while the phone sleeps, the other can be set by anybody.

use std::cell::Cell;
use std::rc::Rc;

use chrono::DateTime;
use domain::stamp::{BootId, Timestamp};
use mobile_core::clock::{Clock, Moment};

/// Both clocks may differ by so much and still tell the same: wall clocks are nudged all day.
const NUDGE_MS: i64 = 2_000;

/// A longer sleep is not told from a clock that was set.
const LONGEST_SLEEP_MS: i64 = 2 * 60 * 60 * 1_000;

/// One look at a browser's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// `Date.now()`: anybody can set it.
    pub wall_ms: i64,
    /// `performance.now()`: goes on only while the phone is awake, and begins anew with the app.
    pub awake_ms: i64,
}

/// A clock that only goes forward.
///
/// It follows the awake clock. Where the wall clock has gone further, the phone was taken to sleep, for two hours at
/// most; two words of the hall, one before and one after, show whether that was so. Where the wall clock went back, or
/// too far, nobody knows how long it was: another boot begins, whose readings compare with none before.
#[derive(Clone, Debug)]
pub struct CarriedClock(Rc<Cell<(Moment, Looks)>>);

impl CarriedClock {
    /// Goes on from what an earlier run of the app left; `fresh_boot` names the boot if that cannot be.
    pub fn go_on(left: Option<Moment>, now: Looks, fresh_boot: BootId) -> Self {
        let begun = Moment { wall_at: wall(now), boot: fresh_boot, mono_ms: 0 };
        let carried = left.and_then(|left| {
            let away_ms = now.wall_ms - left.wall_at.timestamp_millis();
            let mono_ms = left.mono_ms + away_ms;
            (0..=LONGEST_SLEEP_MS).contains(&away_ms).then_some(Moment { mono_ms, ..begun })
        });
        let moment = carried.zip(left).map_or(begun, |(it, left)| Moment { boot: left.boot, ..it });
        Self(Rc::new(Cell::new((moment, now))))
    }

    /// Looks at the clocks again.
    pub fn look(&self, now: Looks) -> Moment {
        let (last, seen) = self.0.get();
        let awake_ms = (now.awake_ms - seen.awake_ms).max(0);
        let away_ms = now.wall_ms - seen.wall_ms;
        let beyond_ms = away_ms - awake_ms;
        let moment = if beyond_ms.abs() <= NUDGE_MS {
            Moment { mono_ms: last.mono_ms + awake_ms, ..last }
        } else if (0..=LONGEST_SLEEP_MS).contains(&beyond_ms) {
            Moment { mono_ms: last.mono_ms + away_ms, ..last }
        } else {
            Moment { boot: another(last.boot), mono_ms: 0, ..last }
        };
        let moment = Moment { wall_at: wall(now), ..moment };
        self.0.set((moment, now));
        moment
    }
}

/// What was seen last; whoever keeps a record looks first.
impl Clock for CarriedClock {
    fn now(&self) -> Moment {
        self.0.get().0
    }
}

fn wall(looks: Looks) -> Timestamp {
    DateTime::from_timestamp_millis(looks.wall_ms).unwrap_or(DateTime::UNIX_EPOCH)
}

/// A name that no boot of this phone has had lately.
fn another(boot: BootId) -> BootId {
    BootId(boot.0.wrapping_mul(2_654_435_761).wrapping_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1_000;
    const BEGUN: Looks = Looks { wall_ms: 1_000_000_000, awake_ms: 500 };

    fn clock() -> CarriedClock {
        CarriedClock::go_on(None, BEGUN, BootId(7))
    }

    fn after(awake_ms: i64, wall_ms: i64) -> Looks {
        Looks { wall_ms: BEGUN.wall_ms + wall_ms, awake_ms: BEGUN.awake_ms + awake_ms }
    }

    #[test]
    fn awake_it_follows_the_clock_that_nobody_sets() {
        let moment = clock().look(after(60_000, 61_500));

        assert_eq!((moment.boot, moment.mono_ms), (BootId(7), 60_000));
    }

    #[test]
    fn asleep_it_follows_the_wall_clock() {
        let moment = clock().look(after(10, HOUR));

        assert_eq!((moment.boot, moment.mono_ms), (BootId(7), HOUR));
    }

    #[test]
    fn f9_a_clock_set_back_or_two_days_ahead_begins_another_boot() {
        for moved in [-48 * HOUR, -60_000, 48 * HOUR] {
            let moment = clock().look(after(1_000, 1_000 + moved));

            assert_ne!(moment.boot, BootId(7), "{moved}");
            assert_eq!(moment.mono_ms, 0, "{moved}");
        }
    }

    #[test]
    fn an_app_opened_again_goes_on_from_where_it_was() {
        let left = clock().look(after(60_000, 60_000));
        let now = Looks { wall_ms: BEGUN.wall_ms + 90_000, awake_ms: 3 };

        let moment = CarriedClock::go_on(Some(left), now, BootId(9)).now();

        assert_eq!((moment.boot, moment.mono_ms), (BootId(7), 90_000));
    }

    #[test]
    fn an_app_opened_the_next_day_or_before_it_was_left_begins_another_boot() {
        let left = clock().look(after(60_000, 60_000));
        for wall_ms in [BEGUN.wall_ms + 10 * HOUR, BEGUN.wall_ms] {
            let now = Looks { wall_ms, awake_ms: 3 };

            let moment = CarriedClock::go_on(Some(left), now, BootId(9)).now();

            assert_eq!((moment.boot, moment.mono_ms), (BootId(9), 0));
        }
    }
}
