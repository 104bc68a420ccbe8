//! Hoses: who gets one free, how long one may be and how long it lives (B14).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};
use crate::household::{Group, HoseKind};

/// Hoses (B14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoseRules {
    /// Free replacements a household has in a calendar year.
    pub free_per_year: u32,
    /// The groups that are entitled.
    pub entitled: BTreeSet<Group>,
    /// The longest hose allowed.
    pub max_length_mm: u32,
    /// Months after which a hose of each kind is overdue.
    pub life_months: BTreeMap<HoseKind, u32>,
    /// Where the numbers come from.
    pub source: String,
}

impl HoseRules {
    /// What the numbers have to be.
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            ("hose.max_length_mm", "above zero", self.max_length_mm > 0),
            ("hose.source", "not empty", is_said(&self.source)),
        ]
    }
}
