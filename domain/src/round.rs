//! A technician's round (路线) as planned: when each door is reached, and whom a change makes late.
//!
//! Estimates for who plans; what was promised is judged by arrivals alone.

use chrono::TimeDelta;

use crate::id::JobId;
use crate::job::{JobKind, Window};
use crate::pack::TravelRules;
use crate::place::Place;
use crate::stamp::Timestamp;
use crate::walk::{Stop, on_foot};

/// A door that is still to be seen to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// The job.
    pub job: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// The window agreed; for an emergency from its call until its promise is broken.
    pub window: Option<Window>,
    /// Where.
    pub place: Option<Place>,
    /// Whether the technician is there already.
    pub is_there: bool,
}

/// One door of a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// The job.
    pub job: JobId,
    /// Straight metres from the door before, where both places are known.
    pub metres: Option<f64>,
    /// When the technician has to leave for it; the same as `reached_at` where no way is counted.
    pub set_out_at: Timestamp,
    /// When the technician is expected at the door.
    pub reached_at: Timestamp,
    /// When the work is expected to end.
    pub left_at: Timestamp,
    /// How long after the window's end the door is reached; zero when in time.
    pub late: TimeDelta,
}

/// Walks the doors in the order in which the phone lists them, from a moment on.
///
/// Nobody is at a door before its window begins, for the household was told so (A2).
pub fn round(calls: Vec<Call>, begin: Timestamp, rules: &TravelRules) -> Vec<Leg> {
    let (there, ahead): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(|call| call.is_there);
    let here = there.last().and_then(|call| call.place);
    let stops = ahead.into_iter().map(|call| Stop {
        is_emergency: call.kind == JobKind::Emergency,
        window: call.window,
        place: call.place,
        what: call,
    });
    let mut now = begin;
    let mut legs: Vec<Leg> = there.into_iter().map(|call| stand(call, &mut now, rules)).collect();
    for (call, metres) in on_foot(here, stops.collect()) {
        let is_first = legs.is_empty();
        legs.push(go(call, (metres, is_first), &mut now, rules));
    }
    legs
}

/// The visit that goes on: how long it has been is not asked, so it takes its whole time from now.
fn stand(call: Call, now: &mut Timestamp, rules: &TravelRules) -> Leg {
    let reached_at = *now;
    *now = reached_at + takes(call.kind, rules);
    let (left_at, late) = (*now, TimeDelta::zero());
    Leg { job: call.job, metres: None, set_out_at: reached_at, reached_at, left_at, late }
}

fn go(
    call: Call,
    (metres, is_first): (Option<f64>, bool),
    now: &mut Timestamp,
    rules: &TravelRules,
) -> Leg {
    // Where the first way of a day begins nobody knows: it counts as none.
    let way = if is_first { TimeDelta::zero() } else { travel(metres, rules) };
    let earliest = call.window.map_or(*now, |window| window.start);
    let reached_at = (*now + way).max(earliest);
    let late = call.window.map_or(TimeDelta::zero(), |window| reached_at - window.end);
    *now = reached_at + takes(call.kind, rules);
    let (left_at, late) = (*now, late.max(TimeDelta::zero()));
    Leg { job: call.job, metres, set_out_at: reached_at - way, reached_at, left_at, late }
}

/// How long it takes to the next door.
pub fn travel(metres: Option<f64>, rules: &TravelRules) -> TimeDelta {
    let minutes = metres.map_or_else(
        || TimeDelta::minutes(rules.unsurveyed_minutes),
        |metres| {
            let minutes = metres * rules.detour / rules.metres_per_minute;
            // No city is so wide that its ways in seconds leave this type; what is no number becomes none.
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
            TimeDelta::seconds((minutes * 60.0).round() as i64)
        },
    );
    minutes + TimeDelta::minutes(rules.park_minutes)
}

/// How long a visit of this kind usually takes.
pub fn takes(kind: JobKind, rules: &TravelRules) -> TimeDelta {
    TimeDelta::minutes(rules.takes_minutes.get(&kind).copied().unwrap_or(0))
}

/// Who is reached later than before and late by it: job, late before, late after.
pub fn newly_late(before: &[Leg], after: &[Leg]) -> Vec<(JobId, TimeDelta, TimeDelta)> {
    let was = |job| before.iter().find(|leg| leg.job == job).map(|leg| leg.late);
    let later = after.iter().filter_map(|leg| {
        let was = was(leg.job).unwrap_or(TimeDelta::zero());
        (leg.late > was).then_some((leg.job, was, leg.late))
    });
    later.collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::pack::Pack;

    fn at(hour: i64, minute: i64) -> Timestamp {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour) + TimeDelta::minutes(minute)
    }

    fn call(n: u128, hour: i64, north_m: f64) -> Call {
        let place = Place { latitude: 31.3 + north_m / 111_195.0, longitude: 118.4 };
        Call {
            job: JobId(Uuid::from_u128(n)),
            kind: JobKind::Repair,
            window: Some(Window { start: at(hour, 0), end: at(hour + 2, 0) }),
            place: Some(place),
            is_there: false,
        }
    }

    fn rules() -> TravelRules {
        Pack::builtin().travel.unwrap()
    }

    fn reached(legs: &[Leg]) -> Vec<Timestamp> {
        legs.iter().map(|leg| leg.reached_at).collect()
    }

    #[test]
    fn a2_a_door_is_reached_after_work_and_way_and_never_before_its_window() {
        let calls = vec![call(3, 14, 0.0), call(1, 8, 0.0), call(2, 8, 1_000.0)];

        let legs = round(calls, at(7, 0), &rules());

        // 40 minutes of repair, 1 km of 1.4 at 200 m a minute, 3 to the door; then the window of the afternoon.
        assert_eq!(reached(&legs), [at(8, 0), at(8, 50), at(14, 0)]);
        assert_eq!(legs[1].set_out_at, at(8, 40));
        assert!(legs.iter().all(|leg| leg.late.is_zero()));
        assert!((legs[1].metres.unwrap() - 1_000.0).abs() < 1.0);
    }

    #[test]
    fn a2_what_is_too_much_for_a_window_makes_the_last_ones_late() {
        let before: Vec<Call> = (1..=3).map(|n| call(n, 8, 0.0)).collect();
        let mut after = before.clone();
        after.push(call(4, 8, 0.0));

        let (before, after) = (round(before, at(8, 0), &rules()), round(after, at(8, 0), &rules()));

        assert!(before.iter().all(|leg| leg.late.is_zero()));
        assert_eq!(newly_late(&before, &before), []);
        let late = newly_late(&before, &after);
        assert_eq!(late, [(JobId(Uuid::from_u128(4)), TimeDelta::zero(), TimeDelta::minutes(9))]);
    }

    #[test]
    fn the_way_begins_where_the_technician_is() {
        let here = Call { is_there: true, ..call(1, 8, 0.0) };
        let far = Call { window: None, ..call(2, 8, 2_000.0) };
        let nowhere = Call { place: None, ..call(3, 8, 0.0) };

        let legs = round(vec![far, nowhere, here], at(9, 0), &rules());

        // 40 minutes here; 15 to where nobody surveyed, with 3 to the door; the rest has no window and comes last.
        assert_eq!(reached(&legs), [at(9, 0), at(9, 58), at(10, 55)]);
        assert_eq!(legs[0].job, here.job);
    }
}
