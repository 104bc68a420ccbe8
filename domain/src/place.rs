//! Where something is, and how far a fix is from a door.

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
