//! What is done about households that are not reached: a ladder for absence, one for refusal, one for empty homes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ItemName;
use super::check::Check;
use crate::job::JobKind;
use crate::ladder::Met;

/// What is done about households that are not reached (field notes 3.1, 3.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderRules {
    /// The kinds of job whose attempts are counted, each kind by itself.
    pub kinds: BTreeSet<JobKind>,
    /// Attempts longer ago than so many days count no more.
    pub counts_days: u32,
    /// The steps.
    pub steps: Vec<LadderStep>,
    /// Where the numbers come from.
    pub source: String,
}

/// What is done after so many attempts that ended in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderStep {
    /// Its key.
    pub id: String,
    /// On which ladder.
    pub after: Met,
    /// After how many of them.
    pub times: u32,
    /// The step that the hall has to have written down before.
    #[serde(default)]
    pub needs: Option<String>,
    /// Whether the next visit sniffs at the door's gap (门缝检漏) when nobody opens again.
    #[serde(default)]
    pub sniff: bool,
    /// Whether supply may be suspended; on the ladder of refusal only, after a step in writing.
    #[serde(default)]
    pub suspends: bool,
    /// Whether only a visit does it; all others the desk may write down as done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_the_door: bool,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

impl LadderStep {
    /// What screens call it.
    pub fn name(&self) -> ItemName {
        ItemName { id: self.id.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }
}

impl LadderRules {
    pub(super) fn checks(&self) -> Vec<Check> {
        let says = |text: &str| !text.trim().is_empty();
        let steps = &self.steps;
        let is_known = |step: &LadderStep| {
            // A step stands only on lower ones of its own ladder, so that looking for the first one ends.
            step.needs.as_ref().is_none_or(|id| {
                let lower = |it: &LadderStep| it.after == step.after && it.times < step.times;
                steps.iter().any(|it| it.id == *id && lower(it))
            })
        };
        let is_lawful = |step: &LadderStep| {
            !step.suspends || (step.after == Met::Refused && step.needs.is_some())
        };
        let is_once = |step: &LadderStep| {
            let same = |it: &&LadderStep| {
                it.id == step.id || (it.after == step.after && it.times == step.times)
            };
            steps.iter().filter(same).count() == 1
        };
        vec![
            ("ladder.counts_days", "from 1 to 3660", (1..=3660).contains(&self.counts_days)),
            ("ladder.steps", "times of one or more", steps.iter().all(|it| it.times >= 1)),
            ("ladder.steps", "an id and a number of times once each", steps.iter().all(is_once)),
            ("ladder.steps", "to need lower steps of their ladder", steps.iter().all(is_known)),
            (
                "ladder.steps",
                "to suspend after refusals only, and after a step in writing",
                steps.iter().all(is_lawful),
            ),
            (
                "ladder.steps",
                "to say nothing after who was let in",
                steps.iter().all(|it| it.after != Met::LetIn),
            ),
            (
                "ladder.steps",
                "words each",
                steps.iter().all(|it| says(&it.id) && says(&it.zh) && says(&it.en)),
            ),
            ("ladder.source", "not empty", says(&self.source)),
        ]
    }
}
