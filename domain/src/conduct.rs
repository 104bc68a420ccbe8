//! The conduct checklist (行为规范): its three answers and its order (A3–A8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pack::{ConductItem, ItemName, Pack};
use crate::visit::{Fact, Visit, live_facts};

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

impl Phase {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 3] = [Self::AtTheDoor, Self::BeforeEntering, Self::BeforeLeaving];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::AtTheDoor => "at_the_door",
            Self::BeforeEntering => "before_entering",
            Self::BeforeLeaving => "before_leaving",
        }
    }
}

/// Why an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerConductError {
    /// The pack has no such item.
    #[error("the rule pack has no conduct item {0}")]
    UnknownItem(String),
    /// Only the items that the pack names can be waived.
    #[error("the household cannot waive {0}: answer done, or not done with a reason")]
    NotWaivable(ItemName),
    /// "Not done" needs a reason.
    #[error("{0} was not done: say why")]
    NoReason(ItemName),
    /// An item of an earlier phase has no answer yet.
    #[error("answer {0} first")]
    EarlierPhaseOpen(ItemName),
}

/// The answers that hold: of each item the newest that was not withdrawn.
pub fn answers(visit: &Visit) -> BTreeMap<&str, &Answer> {
    live_facts(visit)
        .into_iter()
        .filter_map(|(_, recorded)| {
            let Fact::Conduct { item, answer } = &recorded.fact else { return None };
            Some((item.as_str(), answer))
        })
        .collect()
}

/// The items of a phase that have no answer yet, in walking order.
pub fn missing<'a>(pack: &'a Pack, visit: &Visit, phase: Phase) -> Vec<&'a ConductItem> {
    let answered = answers(visit);
    let open = |item: &&ConductItem| !answered.contains_key(item.id.as_str());
    pack.conduct.iter().filter(|item| item.phase == phase).filter(open).collect()
}

/// Whether this answer can be taken now (A3–A8).
pub fn check_answer(
    pack: &Pack,
    visit: &Visit,
    item: &str,
    answer: &Answer,
) -> Result<(), AnswerConductError> {
    let Some(asked) = pack.conduct.iter().find(|asked| asked.id == item) else {
        return Err(AnswerConductError::UnknownItem(item.to_owned()));
    };
    match answer {
        Answer::Waived if !asked.waivable => {
            return Err(AnswerConductError::NotWaivable(asked.name()));
        }
        Answer::NotDone { reason } if reason.trim().is_empty() => {
            return Err(AnswerConductError::NoReason(asked.name()));
        }
        Answer::Done | Answer::Waived | Answer::NotDone { .. } => {}
    }
    let open = Phase::ALL.into_iter().filter(|phase| *phase < asked.phase);
    match open.flat_map(|phase| missing(pack, visit, phase)).next() {
        Some(first) => Err(AnswerConductError::EarlierPhaseOpen(first.name())),
        None => Ok(()),
    }
}
