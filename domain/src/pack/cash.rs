//! Cash at home (B15): who may pay so, and how receipt numbers are handed out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::Check;
use crate::household::Group;

/// Who may pay cash at home, and how receipt numbers are handed out (B15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashRules {
    /// The weak groups; from anybody else cash is taken with a reason in words only.
    pub entitled: BTreeSet<Group>,
    /// How many receipt numbers a phone has for itself at once.
    pub block: u32,
    /// With fewer numbers left a phone asks for more.
    pub ask_below: u32,
    /// Two receipts of a household within fewer days than this are of one bill.
    pub same_bill_days: i64,
    /// Where the numbers come from.
    pub source: String,
}

impl CashRules {
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            ("cash.block", "from 1 to 1000", (1..=1_000).contains(&self.block)),
            ("cash.ask_below", "from 1 to block", (1..=self.block).contains(&self.ask_below)),
            ("cash.same_bill_days", "from 1 to 366", (1..=366).contains(&self.same_bill_days)),
            ("cash.source", "not empty", !self.source.trim().is_empty()),
        ]
    }
}
