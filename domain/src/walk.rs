//! The order in which a day's doors are walked.

use std::iter;

use crate::job::Window;
use crate::place::Place;
use crate::stamp::Timestamp;

/// A door to go to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop<T> {
    /// An emergency, which waits for no window (B2).
    pub is_emergency: bool,
    /// The window agreed.
    pub window: Option<Window>,
    /// Where.
    pub place: Option<Place>,
    /// What the caller wants back.
    pub what: T,
}

impl<T> Stop<T> {
    /// Stops with equal turns are walked by nearness alone.
    fn turn(&self) -> (bool, bool, Option<Timestamp>) {
        let start = self.window.filter(|_| !self.is_emergency).map(|it| it.start);
        (!self.is_emergency, start.is_none(), start)
    }
}

/// Puts stops in the order in which they make sense on foot, with the metres from the door before.
///
/// Emergencies come first (B2). Then windows decide, for they were promised (A2); among stops whose windows begin
/// together the nearest is next, and what has no surveyed place keeps its turn behind them. Stops without a window come
/// last, nearest first.
pub fn on_foot<T>(mut here: Option<Place>, mut stops: Vec<Stop<T>>) -> Vec<(T, Option<f64>)> {
    stops.sort_by_key(Stop::turn);
    let mut walked = Vec::with_capacity(stops.len());
    let mut stops = stops.into_iter().peekable();
    while let Some(turn) = stops.peek().map(Stop::turn) {
        let together = iter::from_fn(|| stops.next_if(|it| it.turn() == turn));
        let mut together: Vec<_> = together.map(Some).collect();
        let spot = |stop: &Option<Stop<T>>| stop.as_ref()?.place.map(Spot::of);
        let mut left: Vec<_> = together.iter().map(spot).enumerate().collect();
        while !left.is_empty() {
            let from = here.map(Spot::of);
            let far = |spot: &Option<Spot>| Some(spot.as_ref()?.chord_to(from.as_ref()?));
            let far = left.iter().map(|(_, spot)| far(spot).unwrap_or(f64::MAX));
            let nearest = far.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
            let (next, _) = left.remove(nearest.map_or(0, |(at, _)| at));
            let Some(Stop { place, what, .. }) = together[next].take() else { continue };
            let walk_m = place.zip(here).map(|(place, here)| place.metres_to(&here));
            here = place.or(here);
            walked.push((what, walk_m));
        }
    }
    walked
}

/// A place on a globe of radius one: who compares hundreds of doors has no time for the way along the surface.
struct Spot([f64; 3]);

impl Spot {
    fn of(place: Place) -> Self {
        let (north, east) = (place.latitude.to_radians(), place.longitude.to_radians());
        Self([north.cos() * east.cos(), north.cos() * east.sin(), north.sin()])
    }

    /// The square of the way through the globe, which grows with the way along its surface.
    fn chord_to(&self, other: &Self) -> f64 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn stop(hour: Option<i64>, east: Option<f64>, name: &str) -> Stop<&str> {
        let window = hour.map(|hour| {
            let start = DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
            Window { start, end: start + TimeDelta::hours(2) }
        });
        let place = east.map(|longitude| Place { latitude: 31.3, longitude });
        Stop { is_emergency: false, window, place, what: name }
    }

    fn names<'a>(walked: &[(&'a str, Option<f64>)]) -> Vec<&'a str> {
        walked.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn a2_windows_decide_before_nearness() {
        let walked = on_foot(
            None,
            vec![
                stop(None, Some(118.0), "whenever"),
                stop(Some(10), Some(118.0), "near, later"),
                stop(Some(8), Some(118.0), "first"),
                stop(Some(8), Some(119.0), "far, soon"),
            ],
        );

        assert_eq!(names(&walked), ["first", "far, soon", "near, later", "whenever"]);
    }

    #[test]
    fn b2_an_emergency_is_walked_to_before_any_window() {
        let leak = Stop { is_emergency: true, ..stop(Some(12), Some(118.5), "leak") };

        let walked = on_foot(None, vec![stop(Some(8), Some(118.0), "first"), leak]);

        assert_eq!(names(&walked), ["leak", "first"]);
    }

    #[test]
    fn together_the_nearest_is_next_and_the_way_is_told() {
        let walked = on_foot(
            None,
            vec![
                stop(Some(8), Some(118.000), "a"),
                stop(Some(8), Some(118.020), "far"),
                stop(Some(8), Some(118.001), "near"),
                stop(Some(8), None, "unsurveyed"),
            ],
        );

        assert_eq!(names(&walked), ["a", "near", "far", "unsurveyed"]);
        let metres: Vec<_> = walked.iter().map(|(_, walk_m)| walk_m.map(f64::round)).collect();
        assert_eq!(metres, [None, Some(95.0), Some(1805.0), None]);
    }
}
