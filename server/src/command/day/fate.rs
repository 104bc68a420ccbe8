//! How each technician's phone fares in the day: networks that are not there, reboots, wrong clocks, kills.

use chrono::TimeDelta;
use domain::stamp::Timestamp;

use super::script::{Deed, Turn};

/// What befalls a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phone {
    /// Meets the network after each visit.
    Online,
    /// Spends the morning and the afternoon in the old quarters.
    OldQuarters,
    /// Is switched off and on twice, with no network in between.
    Rebooted,
    /// Its wall clock is two days slow, and it is offline in the morning.
    WrongClock,
    /// Its process is killed in the middle of a visit.
    Killed,
}

/// One technician's day as far as the phone goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// The technician's number in the crew.
    pub(crate) technician: usize,
    /// What befalls the phone.
    pub(crate) phone: Phone,
    /// When the crew signs in.
    pub(crate) opens_at: Timestamp,
}

impl Fate {
    /// Deals the fates by number; a crew larger than ten begins again.
    pub(crate) fn of(technician: usize, opens_at: Timestamp) -> Self {
        let phone = match technician % 10 {
            0..=2 => Phone::Online,
            7 => Phone::Rebooted,
            8 => Phone::WrongClock,
            9 => Phone::Killed,
            _ => Phone::OldQuarters,
        };
        Self { technician, phone, opens_at }
    }

    /// How far the phone's wall clock is off.
    pub(crate) fn clock_error(&self) -> TimeDelta {
        if self.phone == Phone::WrongClock { TimeDelta::days(-2) } else { TimeDelta::zero() }
    }

    /// What happens to the phone itself: first sync, reboots, and a sync where a network comes back.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        let technician = self.technician;
        let opening = Turn { at: self.opens_at, deed: Deed::Sync { technician } };
        let reboots = self.reboots().into_iter().map(|at| (at, Deed::Reboot { technician }));
        let back = self.outages().into_iter().map(|(_, end)| (end, Deed::Sync { technician }));
        let rest = reboots.chain(back).map(|(at, deed)| Turn { at, deed });
        std::iter::once(opening).chain(rest).collect()
    }

    /// Whether the phone has no network now.
    pub(crate) fn is_offline(&self, at: Timestamp) -> bool {
        self.outages().into_iter().any(|(start, end)| start <= at && at < end)
    }

    /// Whether the phone's process is killed in this visit of the round.
    pub(crate) fn is_killed_in(&self, number: usize) -> bool {
        self.phone == Phone::Killed && (number == 3 || number == 11)
    }

    /// Between which instants the hall can place something that happened now.
    ///
    /// A boot that never heard the hall is known only to lie between the last word before it and the first after it.
    pub(crate) fn known(&self, at: Timestamp) -> (Timestamp, Timestamp) {
        match (self.reboots().as_slice(), self.outages().first()) {
            ([first, second], Some(&(start, end))) if *first <= at && at < *second => {
                // The last word was heard at the latest visit's end before the outage began.
                (start, end)
            }
            _ => (at, at),
        }
    }

    fn outages(&self) -> Vec<(Timestamp, Timestamp)> {
        let hours: &[(i64, i64)] = match self.phone {
            Phone::Online => &[],
            Phone::OldQuarters => &[(120, 360), (420, 630)],
            Phone::Rebooted => &[(130, 340)],
            Phone::WrongClock => &[(90, 300)],
            Phone::Killed => &[(150, 250), (500, 560)],
        };
        hours.iter().map(|&(start, end)| (self.after(start), self.after(end))).collect()
    }

    fn reboots(&self) -> Vec<Timestamp> {
        let minutes: &[i64] = if self.phone == Phone::Rebooted { &[150, 270] } else { &[] };
        minutes.iter().map(|&minute| self.after(minute)).collect()
    }

    fn after(&self, minutes: i64) -> Timestamp {
        self.opens_at + TimeDelta::minutes(minutes)
    }
}
