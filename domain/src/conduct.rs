//! The conduct checklist (行为规范): its three answers and its order (A3–A8).

use serde::{Deserialize, Serialize};

/// An answer to one item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done,
    /// The household waived it; the waiver is theirs and recorded as theirs (A5).
    Waived,
    /// It was not done, and why.
    NotDone {
        /// Why, in words.
        reason: String,
    },
}

/// Where in a visit an item belongs; the variants are in walking order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Outside, before anybody opens.
    AtTheDoor,
    /// The door is open, nobody has stepped in.
    BeforeEntering,
    /// The work is done, the tools are packed.
    BeforeLeaving,
}
