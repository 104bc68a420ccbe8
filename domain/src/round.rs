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

/// When people are sent out on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// From when until when.
    pub work: Window,
    /// The break, in which no visit begins.
    pub pause: Option<Window>,
}

impl Shift {
    /// The hours of the rules on the day that begins at an instant; `None` where the rules name none.
    pub fn of(rules: &TravelRules, day_start: Timestamp) -> Option<Self> {
        let span = |(from, to): (u8, u8)| {
            let at = |hour: u8| day_start + TimeDelta::hours(i64::from(hour));
            Window { start: at(from), end: at(to) }
        };
        Some(Self { work: span(rules.working_hours?), pause: rules.break_hours.map(span) })
    }

    /// When a visit begins that could begin at an instant: not before the working day unless a household agreed to it,
    /// and not in the break unless its window ends within it. An emergency waits for neither (B2).
    pub fn begins(&self, kind: JobKind, window: Option<Window>, at: Timestamp) -> Timestamp {
        if kind == JobKind::Emergency {
            return at;
        }
        let at = if window.is_none() { at.max(self.work.start) } else { at };
        let pause = self.pause.filter(|pause| pause.start <= at && at < pause.end);
        let pause = pause.filter(|pause| window.is_none_or(|window| window.end > pause.end));
        pause.map_or(at, |pause| pause.end)
    }
}

/// Walks the doors in the order in which the phone lists them, from a moment on.
///
/// Nobody is at a door before its window begins, for the household was told so (A2).
pub fn round(
    calls: Vec<Call>,
    begin: Timestamp,
    shift: Option<&Shift>,
    rules: &TravelRules,
) -> Vec<Leg> {
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
        // Where the first way of a day begins nobody knows: it counts as none.
        let way = if is_first { TimeDelta::zero() } else { travel(metres, rules) };
        legs.push(go(call, (metres, way), &mut now, (shift, rules)));
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
    (metres, way): (Option<f64>, TimeDelta),
    now: &mut Timestamp,
    (shift, rules): (Option<&Shift>, &TravelRules),
) -> Leg {
    let earliest = call.window.map_or(*now, |window| window.start);
    let could = (*now + way).max(earliest);
    let reached_at = shift.map_or(could, |shift| shift.begins(call.kind, call.window, could));
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

        let legs = round(calls, at(7, 0), None, &rules());

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

        let walk = |calls| round(calls, at(8, 0), None, &rules());
        let (before, after) = (walk(before), walk(after));

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

        let legs = round(vec![far, nowhere, here], at(9, 0), None, &rules());

        // 40 minutes here; 15 to where nobody surveyed, with 3 to the door; the rest has no window and comes last.
        assert_eq!(reached(&legs), [at(9, 0), at(9, 58), at(10, 55)]);
        assert_eq!(legs[0].job, here.job);
    }

    #[test]
    fn d2_no_visit_begins_in_the_break_unless_its_window_ends_there() {
        let shift = Shift::of(&rules(), at(0, 0)).unwrap();
        let window = |from, to| Some(Window { start: at(from, 0), end: at(to, 0) });
        let begins = |window, hour, minute| shift.begins(JobKind::Repair, window, at(hour, minute));

        assert_eq!(begins(window(10, 14), 11, 59), at(11, 59));
        assert_eq!(begins(window(10, 14), 12, 0), at(13, 0));
        assert_eq!(begins(window(10, 14), 13, 0), at(13, 0));
        assert_eq!(
            begins(window(11, 13), 12, 30),
            at(12, 30),
            "the household was promised it (A2)"
        );
        assert_eq!(begins(None, 12, 30), at(13, 0));
        assert_eq!(begins(None, 6, 0), at(8, 0), "before the working day nobody is sent out");
        assert_eq!(begins(window(6, 7), 6, 0), at(6, 0), "unless it was agreed");
        assert_eq!(shift.begins(JobKind::Emergency, None, at(12, 30)), at(12, 30));
        assert_eq!(shift.begins(JobKind::Emergency, None, at(3, 0)), at(3, 0));
    }

    #[test]
    fn d2_a_round_goes_on_behind_the_break() {
        let shift = Shift::of(&rules(), at(0, 0)).unwrap();
        let mut calls = vec![call(1, 11, 0.0), call(2, 11, 0.0)];
        calls[1].window = Some(Window { start: at(11, 0), end: at(14, 0) });
        let free = Call { window: None, ..call(3, 8, 0.0) };
        calls.push(free);

        let legs = round(calls, at(11, 20), Some(&shift), &rules());

        // 40 minutes from 11:20 and 3 to the next door are 12:03; then 40 and 3 again.
        assert_eq!(reached(&legs), [at(11, 20), at(13, 0), at(13, 43)]);
        assert_eq!(legs[1].set_out_at, at(12, 57));
    }
}
