//! Calls to the hall: whether somebody answered as soon as was promised (B3).

use serde::{Deserialize, Serialize};

use crate::pack::CallRules;

/// How a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// Within the rings that staff are to keep to.
    Staff,
    /// Later, and within the rings that the public was promised.
    Public,
    /// Later still.
    Late,
    /// Nobody did.
    Lost,
}

impl Answered {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Staff, Self::Public, Self::Late, Self::Lost];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Public => "public",
            Self::Late => "late",
            Self::Lost => "lost",
        }
    }
}

/// Judges a call that rang so often before it was answered; a lost one counts as lost however often it rang (B3).
pub fn judge(rings: u32, answered: bool, rules: &CallRules) -> Answered {
    match answered {
        false => Answered::Lost,
        true if rings <= rules.staff_rings => Answered::Staff,
        true if rings <= rules.public_rings => Answered::Public,
        true => Answered::Late,
    }
}
