//! Cash that this phone took, and the receipt numbers that it has for more (B15).

use domain::cash;
use domain::id::JobId;
use domain::measure::Fen;
use domain::visit::{Fact, live_facts};
use serde::Serialize;
use sync::device::Standing as Held;

use super::Phone;
use crate::clock::{Clock, Rng};
use crate::log::LogStore;

/// A receipt that this phone wrote, while its job is on the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnReceipt {
    /// The job.
    pub job: JobId,
    /// The number.
    pub receipt: String,
    /// How much.
    pub amount: Fen,
    /// When, by the phone's own clock; Unix milliseconds.
    pub at: i64,
    /// Taken back: the number is used, and no money goes with it.
    pub is_void: bool,
    /// Whether the hall does not have it yet.
    pub only_here: bool,
}

/// What the form for cash needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CashOffer {
    /// Whether the household may pay so without a reason.
    pub is_entitled: bool,
    /// The number that the next receipt gets; none when all are used up.
    pub next_receipt: Option<String>,
    /// How many numbers are left.
    pub left: u64,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// The number for the next receipt (B15).
    ///
    /// What this device wrote counts as used also where the log lost that, or where it came back from the hall.
    pub fn next_receipt(&self) -> Option<u64> {
        let own = self.device.enrolment().map(|enrolment| enrolment.device);
        let visits = self.jobs().flat_map(|job| job.visits.values());
        let facts =
            visits.filter(|visit| Some(visit.device) == own).flat_map(|it| it.facts.values());
        let used = facts.filter_map(|recorded| {
            let Fact::CashTaken { receipt, .. } = &recorded.fact else { return None };
            cash::number(receipt)
        });
        self.device.next_receipt(used.max().unwrap_or(0))
    }

    /// What the form for cash of a job needs to know.
    pub fn cash_offer(&self, job: JobId) -> Result<CashOffer, super::CommandError> {
        let pack = self.pack_of(job)?;
        let groups = &self.held(job)?.briefing.household.groups;
        Ok(CashOffer {
            is_entitled: cash::is_entitled(groups, &pack),
            next_receipt: self.next_receipt().map(cash::receipt),
            left: self.device.receipts_left(),
        })
    }

    /// The receipts that this phone wrote, oldest first.
    pub fn own_receipts(&self) -> Vec<OwnReceipt> {
        let own = self.device.enrolment().map(|enrolment| enrolment.device);
        let mut receipts = Vec::new();
        for job in self.jobs() {
            for visit in job.visits.values().filter(|visit| Some(visit.device) == own) {
                let live = live_facts(visit);
                for (id, recorded) in &visit.facts {
                    let Fact::CashTaken { amount, receipt, .. } = &recorded.fact else { continue };
                    let standing = self.device.standing(job.id, id.0);
                    receipts.push(OwnReceipt {
                        job: job.id,
                        receipt: receipt.clone(),
                        amount: *amount,
                        at: recorded.stamp.wall_at.timestamp_millis(),
                        is_void: !live.iter().any(|(stands, _)| stands == id),
                        only_here: standing.is_some_and(|it| !matches!(it, Held::Acked(..))),
                    });
                }
            }
        }
        receipts.sort_by(|a, b| a.receipt.cmp(&b.receipt));
        receipts
    }
}
