//! Cash at home (上门收费): who may pay so, receipt numbers, and what a day comes to, to the fen (B15).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::household::Group;
use crate::id::{FactId, HouseholdId, JobId, UserId, VisitId};
use crate::measure::Fen;
use crate::pack::{CashRules, Pack};

/// Digits of a receipt's number; longer numbers are written whole.
const DIGITS: usize = 8;

/// A receipt's number as it is printed.
pub fn receipt(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

/// The number of a receipt that the hall handed out; `None` for what somebody made up.
pub fn number(receipt: &str) -> Option<u64> {
    let is_whole = receipt.len() >= DIGITS && receipt.bytes().all(|byte| byte.is_ascii_digit());
    let number = receipt.parse().ok().filter(|_| is_whole)?;
    (receipt == self::receipt(number)).then_some(number)
}

/// Whether a household may pay cash at home without a reason of its own (B15).
///
/// Packs from before they could say it let everybody.
pub fn is_entitled(groups: &BTreeSet<Group>, pack: &Pack) -> bool {
    pack.cash.as_ref().is_none_or(|rules| !groups.is_disjoint(&rules.entitled))
}

/// Cash taken at a door, as a fact says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// The fact, with its job and visit.
    pub fact: (JobId, VisitId, FactId),
    /// Who took it.
    pub technician: UserId,
    /// Who paid.
    pub household: HouseholdId,
    /// How much.
    pub amount: Fen,
    /// The receipt's number.
    pub receipt: String,
    /// The city's day of the fact.
    pub day: NaiveDate,
    /// Taken back: the receipt is void and counts nothing.
    pub is_void: bool,
}

/// Cash that a technician laid on the hall's counter, counted there; only ever added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandIn {
    /// Who brought it.
    pub technician: UserId,
    /// The day whose cash it is.
    pub day: NaiveDate,
    /// What was counted; less than nothing corrects an earlier count.
    pub counted: Fen,
}

/// What a day's cash of one technician comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What the receipts that stand say.
    pub taken: Fen,
    /// How many receipts stand.
    pub receipts: u32,
    /// How many are void.
    pub void: u32,
    /// What was counted at the hall.
    pub handed_in: Fen,
}

impl Balance {
    /// Counted less taken: below nothing money is missing, or still carried.
    pub fn difference(&self) -> Fen {
        Fen(self.handed_in.0 - self.taken.0)
    }
}

/// The balances of days and technicians, to the fen (B15).
pub fn balances(takings: &[Taking], hand_ins: &[HandIn]) -> BTreeMap<(NaiveDate, UserId), Balance> {
    let mut balances: BTreeMap<_, Balance> = BTreeMap::new();
    for taking in takings {
        let balance = balances.entry((taking.day, taking.technician)).or_default();
        if taking.is_void {
            balance.void += 1;
        } else {
            balance.receipts += 1;
            balance.taken.0 += taking.amount.0;
        }
    }
    for hand_in in hand_ins {
        let balance = balances.entry((hand_in.day, hand_in.technician)).or_default();
        balance.handed_in.0 += hand_in.counted.0;
    }
    balances
}

/// Why two receipts cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// One bill was paid twice: the same household within the pack's span.
    PaidTwice,
    /// One number is on two receipts.
    SameNumber,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PaidTwice, Self::SameNumber];

    /// The word used in SQL and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::PaidTwice => "paid_twice",
            Self::SameNumber => "same_number",
        }
    }
}

/// The receipts that contradict one: somebody has to look at all of them together (B15).
///
/// A void receipt contradicts nothing, but its number is used all the same.
pub fn contradicting<'a>(
    one: &Taking,
    others: &'a [Taking],
    doubt: Doubt,
    rules: &CashRules,
) -> Vec<&'a Taking> {
    let contradicts = |other: &Taking| match doubt {
        Doubt::SameNumber => other.receipt == one.receipt,
        Doubt::PaidTwice => {
            let days = (other.day - one.day).num_days().abs();
            let counts = !one.is_void && !other.is_void;
            counts && other.household == one.household && days < rules.same_bill_days
        }
    };
    others.iter().filter(|other| other.fact != one.fact && contradicts(other)).collect()
}
