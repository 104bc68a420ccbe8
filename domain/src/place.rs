//! Where something is, and how far a fix is from a door.

use geo::{Distance as _, Haversine, Point};
use serde::{Deserialize, Serialize};

/// A point in WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// What the phone's positioning said; "no fix" is an honest answer indoors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// Where it says the phone is.
    pub place: Place,
    /// Radius of its own doubt.
    pub accuracy_m: f64,
    /// How old the fix was when recorded.
    pub age_ms: i64,
}

impl Place {
    /// Metres to another place along the surface.
    pub fn metres_to(&self, other: &Place) -> f64 {
        let point = |place: &Place| Point::new(place.longitude, place.latitude);
        Haversine.distance(point(self), point(other))
    }
}

impl Fix {
    /// How far the phone surely was from a door, in metres; zero when it may have stood there.
    pub fn surely_away_m(&self, door: &Place) -> f64 {
        (self.place.metres_to(door) - self.accuracy_m).max(0.0)
    }
}
