//! What a phone offers, measured before anything is loaded for it.

use std::collections::BTreeSet;

use automerge::{ActorId, ChangeHash};
use domain::id::JobId;

use crate::chunk::chunk_hash;
use crate::limits::{self, Limits};
use crate::message::{Epoch, Offered, Request};
use crate::preflight::{Inspected, PreflightError, inspect};
use crate::seal::Voucher;

/// The changes of one request, each inspected.
#[derive(Debug)]
pub struct Offer {
    pub(super) entries: Vec<Entry>,
    /// A person looked at it and said that its maker may be trusted.
    pub(super) is_released: bool,
}

/// One change of an offer.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: JobId,
    pub(super) hash: ChangeHash,
    pub(super) bytes: Vec<u8>,
    pub(super) voucher: Option<Voucher>,
    pub(super) inspected: Result<Inspected, PreflightError>,
}

impl Offer {
    /// Inspects every change of a request. Those beyond [`limits::OFFERS`] get no verdict.
    ///
    /// A phone that has not heard of a restore yet gets no verdicts at all, only the new epoch: it
    /// offers again, beginning with what the hall forgot and the rest builds on.
    pub fn inspect(request: &Request, epoch: Epoch, limits: &Limits) -> Self {
        if request.cursor.is_some_and(|cursor| cursor.epoch != epoch) {
            return Self { entries: Vec::new(), is_released: false };
        }
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for offered in request.changes.iter().take(limits::OFFERS) {
            let entry = Entry::inspect(offered, limits);
            if seen.insert(entry.hash) {
                entries.push(entry);
            }
        }
        Self { entries, is_released: false }
    }

    /// Inspects one change that a person lets out of quarantine.
    ///
    /// The questions about its maker are answered by that; what it does is judged as ever.
    pub fn release(job: JobId, bytes: Vec<u8>, limits: &Limits) -> Self {
        let offered = Offered { job, bytes, voucher: None };
        Self { entries: vec![Entry::inspect(&offered, limits)], is_released: true }
    }

    /// Whether nothing is offered, so that nothing has to be loaded or judged.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The jobs to load.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        let sound = self.entries.iter().filter(|entry| entry.inspected.is_ok());
        sound.map(|entry| entry.job).collect()
    }

    /// The changes to look up: those offered, and what they build on.
    pub fn hashes(&self) -> BTreeSet<ChangeHash> {
        let deps = self.entries.iter().filter_map(|entry| entry.inspected.as_ref().ok());
        let deps = deps.flat_map(|inspected| inspected.deps.iter().copied());
        self.offered().chain(deps).collect()
    }

    /// The actors whose bindings to look up.
    pub fn actors(&self) -> BTreeSet<ActorId> {
        let sound = self.entries.iter().filter_map(|entry| entry.inspected.as_ref().ok());
        sound.map(|inspected| inspected.actor.clone()).collect()
    }

    /// The changes offered; a reply need not send them back.
    pub fn offered(&self) -> impl Iterator<Item = ChangeHash> {
        self.entries.iter().map(|entry| entry.hash)
    }
}

impl Entry {
    fn inspect(offered: &Offered, limits: &Limits) -> Self {
        Self {
            job: offered.job,
            hash: chunk_hash(&offered.bytes),
            bytes: offered.bytes.clone(),
            voucher: offered.voucher,
            inspected: inspect(&offered.bytes, limits),
        }
    }
}
