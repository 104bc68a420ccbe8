//! The order in which a day's doors are walked.

use crate::job::Window;
use crate::place::Place;

/// A door to go to, with what the caller wants back.
pub type Stop<T> = (Option<Window>, Option<Place>, T);

/// Puts stops in the order in which they make sense on foot, with the metres from the door before.
///
/// Windows decide, for they were promised (A2); among stops whose windows begin together the nearest is next, and what
/// has no surveyed place keeps its turn behind them. Stops without a window come last, nearest first.
pub fn on_foot<T>(mut here: Option<Place>, mut stops: Vec<Stop<T>>) -> Vec<(T, Option<f64>)> {
    stops.sort_by_key(|(window, ..)| (window.is_none(), window.map(|it| it.start)));
    let mut walked = Vec::with_capacity(stops.len());
    while let Some((window, ..)) = stops.first() {
        let start = window.map(|it| it.start);
        let together = stops.iter().take_while(|(it, ..)| it.map(|it| it.start) == start);
        let metres = |place: &Option<Place>| Some(place.as_ref()?.metres_to(here.as_ref()?));
        let far = |place: &Option<Place>| metres(place).unwrap_or(f64::MAX);
        let nearest = together.enumerate().min_by(|(_, a), (_, b)| far(&a.1).total_cmp(&far(&b.1)));
        let next = nearest.map_or(0, |(at, _)| at);
        let walk_m = metres(&stops[next].1);
        let (_, place, stop) = stops.remove(next);
        here = place.or(here);
        walked.push((stop, walk_m));
    }
    walked
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
        (window, east.map(|longitude| Place { latitude: 31.3, longitude }), name)
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
