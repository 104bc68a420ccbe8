//! A home's past as periods between readings: across changes of its meter, without what was guessed or misread.

use chrono::NaiveDate;

use super::state::{ReadingState, Trust};
use crate::household::{Meter, PastReading};
use crate::measure::Volume;
use crate::pack::Pack;

/// A period between two readings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// The day of the earlier reading.
    pub(super) from: NaiveDate,
    /// The day of the later one.
    pub(super) to: NaiveDate,
    /// Gas used.
    pub(super) cubic_metres: f64,
    /// Whether somebody of the company saw the wheels at both ends.
    pub(super) is_seen: bool,
}

/// The periods of a home up to a day, oldest first. A change of the meter ends one and begins the next, so that
/// the home's habit is known on a new meter, too.
pub(super) fn periods(meter: &Meter, until: NaiveDate, pack: &Pack) -> Vec<Period> {
    let before = meter.before.iter().map(|it| (&it.readings, it.digits, it.size.as_str()));
    let all = before.chain([(&meter.readings, meter.digits, meter.size.as_str())]);
    let mut periods = Vec::new();
    for (readings, digits, size) in all {
        let believed: Vec<PastReading> = believed(readings, digits, until);
        periods.extend(believed.windows(2).filter_map(|pair| {
            let used = used_between(pair[0].register, pair[1].register, digits);
            let days = (pair[1].on - pair[0].on).num_days();
            let is_possible =
                used.0 >= 0 && most_possible(size, days, pack).is_none_or(|most| used <= most);
            is_possible.then(|| Period {
                from: pair[0].on,
                to: pair[1].on,
                cubic_metres: used.cubic_metres(),
                is_seen: pair.iter().all(|it| it.state.trust() == Trust::Seen),
            })
        }));
    }
    periods.sort_by_key(|period| (period.from, period.to));
    periods
}

/// The readings that a past can be built on: guesses are left out, and of two that contradict each other the one
/// that their neighbours do not bear out. Where none does, the register began anew.
fn believed(readings: &[PastReading], digits: u8, until: NaiveDate) -> Vec<PastReading> {
    let seen: Vec<PastReading> = readings
        .iter()
        .filter(|it| it.state.trust() > Trust::Guessed && it.on <= until)
        .copied()
        .collect();
    let fits = |from: &PastReading, to: &PastReading| {
        used_between(from.register, to.register, digits).0 >= 0
    };
    let mut kept: Vec<PastReading> = Vec::new();
    for (at, reading) in seen.iter().enumerate() {
        let contradicts = |last: &&PastReading| !fits(last, reading);
        if let Some(last) = kept.last().filter(contradicts) {
            if kept.iter().rev().nth(1).is_some_and(|before| fits(before, reading)) {
                kept.pop();
            } else if seen.get(at + 1).is_none_or(|next| fits(last, next)) {
                continue;
            }
        }
        kept.push(*reading);
    }
    kept
}

/// The reading from which use is counted: the newest of those that are believed most.
///
/// Whoever saw the wheels is compared with the last time that somebody saw them, so that a guess in between can
/// neither hide gas nor make a home look like a thief.
pub(super) fn anchor(meter: &Meter, on: NaiveDate, state: ReadingState) -> Option<PastReading> {
    let earlier = || meter.readings.iter().rev().filter(|past| past.on < on);
    let at_least = |trust: Trust| earlier().find(|past| past.state.trust() >= trust).copied();
    let wanted = if state.trust() == Trust::Seen { Trust::Seen } else { Trust::Told };
    at_least(wanted).or_else(|| at_least(Trust::Told)).or_else(|| at_least(Trust::Guessed))
}

/// The newest reading before a day, however it came to be known.
pub(super) fn newest(meter: &Meter, on: NaiveDate) -> Option<PastReading> {
    meter.readings.iter().rfind(|past| past.on < on).copied()
}

/// Gas used between two registers; below zero when the register went back.
pub(super) fn used_between(from: Volume, to: Volume, digits: u8) -> Volume {
    let difference = to.0.saturating_sub(from.0);
    Volume(if has_rolled_over(from, to, digits) {
        difference + full_turn(digits)
    } else {
        difference
    })
}

/// Whether a register passed its last digit: it shows a small value after one near its end.
pub(super) fn has_rolled_over(from: Volume, to: Volume, digits: u8) -> bool {
    let difference = to.0.saturating_sub(from.0);
    let full_turn = full_turn(digits);
    difference < 0 && difference.saturating_add(full_turn) < full_turn / 10
}

fn full_turn(digits: u8) -> i64 {
    10_i64.saturating_pow(u32::from(digits)).saturating_mul(1000)
}

/// The most that a meter of this size can pass in so many days; `None` for a size that the pack does not know.
pub(super) fn most_possible(size: &str, days: i64, pack: &Pack) -> Option<Volume> {
    let flow = pack.meter.as_ref()?.flow(size)?;
    // Read early on the first day and late on the last.
    let hours = days.max(0).saturating_add(1).saturating_mul(24);
    #[expect(clippy::cast_precision_loss, reason = "a period has far fewer than 2^52 hours")]
    let most = super::litres(flow * hours as f64);
    Some(most)
}
