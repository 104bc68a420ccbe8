//! The receipt numbers that the hall handed to this phone, and which are used (B15).

use super::Record;
use crate::message::ReceiptBlock;

/// Blocks of numbers, oldest first; the newest is kept when it is used up, for it names what the hall gave last.
#[derive(Clone, Debug, Default)]
pub(super) struct Receipts {
    blocks: Vec<ReceiptBlock>,
    /// The highest number used.
    used: u64,
}

impl Receipts {
    pub(super) fn add(&mut self, block: ReceiptBlock) {
        let is_whole = block.first > 0 && block.first <= block.last;
        if is_whole && self.blocks.last().is_none_or(|newest| newest.last < block.first) {
            self.blocks.push(block);
            self.prune();
        }
    }

    pub(super) fn use_up(&mut self, number: u64) {
        self.used = self.used.max(number);
        self.prune();
    }

    /// Gives up every number: somebody may have used it on a copy of this store.
    pub(super) fn forget(&mut self) {
        self.blocks.clear();
    }

    pub(super) fn next(&self, used: u64) -> Option<u64> {
        let used = self.used.max(used);
        let block = self.blocks.iter().find(|block| block.last > used)?;
        Some(block.first.max(used + 1))
    }

    pub(super) fn left(&self) -> u64 {
        let left =
            |block: &ReceiptBlock| (block.last + 1).saturating_sub(block.first.max(self.used + 1));
        self.blocks.iter().map(left).sum()
    }

    /// The highest number held, when the phone runs low.
    pub(super) fn asks(&self) -> Option<u64> {
        let newest = self.blocks.last();
        let is_low = newest.is_none_or(|block| self.left() < u64::from(block.ask_below));
        is_low.then(|| newest.map_or(0, |block| block.last))
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let used = (self.used > 0).then_some(Record::ReceiptUsed { number: self.used });
        self.blocks.iter().copied().map(Record::Receipts).chain(used)
    }

    fn prune(&mut self) {
        let newest = self.blocks.last().map(|block| block.last);
        self.blocks.retain(|block| block.last > self.used || Some(block.last) == newest);
    }
}
