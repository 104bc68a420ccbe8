//! Units of the trade as exact whole numbers: gas volume and money.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A register value or a volume of gas, in litres (a thousandth of a cubic metre).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Volume(pub i64);

impl Volume {
    /// The volume in cubic metres, for arithmetic that needs no exactness.
    #[expect(clippy::cast_precision_loss, reason = "registers stay far below 2^52 litres")]
    pub fn cubic_metres(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

/// Writes cubic metres with at most three decimals: `1234.5`.
impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let litres = self.0.unsigned_abs();
        let decimals = format!("{:03}", litres % 1000);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{decimals}", litres / 1000)
    }
}

/// An amount of money in fen (a hundredth of a yuan).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// More than anybody pays at a door; sums of it stay far below the end of their numbers.
    pub const MOST: Self = Self(1_000_000_000_000);
}

/// Writes yuan with two decimals: `12.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}
