//! Items of checklists: conduct (A3–A8) and the findings of a safety inspection.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::conduct::Phase;

/// One item of the conduct checklist (A3–A8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConductItem {
    /// Its key in facts.
    pub id: String,
    /// Where in a visit it belongs.
    pub phase: Phase,
    /// The rule of the rulebook.
    pub rule: String,
    /// Whether the household may waive it.
    #[serde(default)]
    pub waivable: bool,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

impl ConductItem {
    /// What refusals call it.
    pub fn name(&self) -> ItemName {
        ItemName { id: self.id.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }
}

/// An item of a pack as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemName {
    /// Its key in facts.
    pub id: String,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// A finding of a safety inspection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HazardRule {
    /// Its key in facts.
    pub id: String,
    /// Its level: 1 is gravest.
    pub level: u8,
    /// Days until it has to be gone; none for advice.
    #[serde(default)]
    pub deadline_days: Option<u32>,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
    /// Where the level comes from.
    pub source: String,
}

impl HazardRule {
    /// What refusals call it.
    pub fn name(&self) -> ItemName {
        ItemName { id: self.id.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }
}
