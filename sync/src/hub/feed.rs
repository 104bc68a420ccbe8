//! What a phone has not read yet, cut into pages.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use domain::id::{DeviceId, JobId};

use crate::chunk::chunk_hash;
use crate::limits;
use crate::message::{Fed, Parcel, Position};
use crate::seal::{SealKey, Voucher};

/// Something new for a user, at its place in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supply {
    /// The user got the job: the whole document, as it is now.
    Whole {
        /// Where the grant is.
        position: Position,
        /// The job.
        job: JobId,
        /// A snapshot; only one that [`wants_snapshot`] allows.
        snapshot: Option<Vec<u8>>,
        /// The changes after the snapshot, or all, in the order of their positions.
        changes: Vec<Stored>,
    },
    /// A change behind the cursor, of a job whose grant is not: a whole document has its own.
    Change {
        /// The job.
        job: JobId,
        /// The change.
        change: Stored,
    },
    /// The user lost the job.
    Withdrawn {
        /// Where the withdrawal is.
        position: Position,
        /// The job.
        job: JobId,
    },
}

/// A change as the hall holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The raw change chunk.
    pub bytes: Vec<u8>,
    /// Its place in the feed.
    pub position: Position,
    /// The device that made it; `None` when the hall did.
    pub device: Option<DeviceId>,
}

/// A page of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What is new, by document.
    pub documents: Vec<Parcel>,
    /// Jobs that the user lost.
    pub withdrawn: Vec<JobId>,
    /// Everything up to here is in this page or one before.
    pub position: Position,
    /// Whether there is more behind it.
    pub more: bool,
}

/// Whether a snapshot of `snapshot_bytes` that covers everything up to `position` is to be sent
/// in place of `changes_bytes` of changes.
///
/// Only what a verified backup covers may go without its changes: a phone gives changes back to
/// a restored hall, and a snapshot it cannot give back.
pub fn wants_snapshot(
    position: Position,
    safe: Position,
    snapshot_bytes: usize,
    changes_bytes: usize,
) -> bool {
    position <= safe && snapshot_bytes < changes_bytes
}

impl Supply {
    /// Its place in the feed.
    pub fn position(&self) -> Position {
        match self {
            Self::Whole { position, .. } | Self::Withdrawn { position, .. } => *position,
            Self::Change { change, .. } => change.position,
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Whole { snapshot, changes, .. } => {
                let snapshot = snapshot.as_ref().map_or(0, Vec::len);
                snapshot + changes.iter().map(Stored::size_bytes).sum::<usize>()
            }
            Self::Change { change, .. } => change.size_bytes(),
            Self::Withdrawn { .. } => 18,
        }
    }
}

impl Stored {
    fn size_bytes(&self) -> usize {
        self.bytes.len() + 60
    }
}

/// Packs supplies, sorted by position, into a page of about `limit_bytes`, at least one supply
/// and never more than [`limits::REPLY_BYTES`], whatever the phone asks for.
///
/// `end` is the hall's last position, or the last one that was loaded when the store loaded
/// less than all (`more`). What the phone offered in the same request is not sent back to it.
pub fn page(
    supplies: Vec<Supply>,
    (end, more): (Position, bool),
    limit_bytes: usize,
    offered: &BTreeSet<ChangeHash>,
    key: &SealKey,
) -> Page {
    let mut packer = Packer { key, offered, parcels: BTreeMap::new() };
    let mut page = Page { position: end, more, ..Page::default() };
    let limit_bytes = limit_bytes.min(limits::REPLY_BYTES as usize);
    let mut bytes = 0;
    let mut last = None;
    for supply in supplies {
        let position = supply.position();
        bytes += supply.size_bytes();
        if let Some(last) = last
            && bytes > limit_bytes
            && last < position
        {
            (page.position, page.more) = (last, true);
            break;
        }
        last = Some(position);
        match supply {
            Supply::Whole { job, snapshot, changes, .. } => {
                packer.add_whole(job, snapshot, changes);
            }
            Supply::Change { job, change } => packer.add(job, change),
            Supply::Withdrawn { job, .. } => page.withdrawn.push(job),
        }
    }
    page.documents = packer.parcels.into_values().collect();
    page
}

struct Packer<'a> {
    key: &'a SealKey,
    offered: &'a BTreeSet<ChangeHash>,
    parcels: BTreeMap<JobId, Parcel>,
}

impl Packer<'_> {
    fn add_whole(&mut self, job: JobId, snapshot: Option<Vec<u8>>, changes: Vec<Stored>) {
        self.parcels.insert(job, Parcel { job, snapshot, changes: Vec::new() });
        for change in changes {
            self.add(job, change);
        }
    }

    fn add(&mut self, job: JobId, change: Stored) {
        let hash = chunk_hash(&change.bytes);
        if self.offered.contains(&hash) {
            return;
        }
        let Stored { bytes, position, device } = change;
        let voucher = Voucher { device, seal: self.key.seal(job, hash, device) };
        let parcel = self.parcels.entry(job);
        let parcel = parcel.or_insert_with(|| Parcel { job, snapshot: None, changes: Vec::new() });
        parcel.changes.push(Fed { bytes, position, voucher });
    }
}
