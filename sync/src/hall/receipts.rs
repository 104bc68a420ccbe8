//! The receipt numbers that the hall in memory hands out (B15).

use chrono::TimeDelta;
use domain::id::DeviceId;
use domain::stamp::Timestamp;

use super::Hall;
use crate::hub::{RECEIPTS_BEGAN_MS, first_free};
use crate::message::{Epoch, ReceiptBlock, Request};

/// What was handed out, and how much at once; a hall that was told no size hands out nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Receipts {
    size: Option<(u32, u32)>,
    restored_at: Option<Timestamp>,
    given: Vec<Given>,
}

#[derive(Clone, Copy, Debug)]
struct Given {
    device: DeviceId,
    block: ReceiptBlock,
    is_void: bool,
}

impl Receipts {
    /// Begins above all that the hall can have handed out before it was restored; epochs stand for days here.
    pub(super) fn restored(&mut self, epoch: Epoch) {
        let at = Timestamp::from_timestamp_millis(RECEIPTS_BEGAN_MS);
        self.restored_at = at.map(|at| at + TimeDelta::days(i64::from(epoch.0[0])));
    }
}

impl Hall {
    /// Hands out so many receipt numbers at once, to phones with fewer than `ask_below` left.
    pub fn give_receipts(&mut self, numbers: u32, ask_below: u32) {
        self.receipts.size = Some((numbers, ask_below));
    }

    pub(super) fn receipts(&mut self, device: DeviceId, request: &Request) -> Option<ReceiptBlock> {
        let known = self.heard.get(&device).map_or(0, |heard| heard.recorded);
        let own = self.receipts.given.iter_mut().filter(|given| given.device == device);
        if request.recorded < known {
            own.for_each(|given| given.is_void = true);
        }
        let (numbers, ask_below) = self.receipts.size?;
        let has = request.receipts?;
        let mut own = self.receipts.given.iter().filter(|it| it.device == device && !it.is_void);
        if let Some(newest) = own.next_back().filter(|newest| newest.block.last > has) {
            return Some(newest.block);
        }
        let last = self.receipts.given.last().map(|given| given.block.last);
        let first = first_free(last, self.receipts.restored_at);
        let block = ReceiptBlock { first, last: first + u64::from(numbers) - 1, ask_below };
        self.receipts.given.push(Given { device, block, is_void: false });
        Some(block)
    }
}
