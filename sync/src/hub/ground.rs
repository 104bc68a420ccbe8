//! What the store knows of what an offer touches, loaded inside its transaction.

use std::collections::BTreeMap;

use automerge::{ActorId, ChangeHash};
use domain::id::{DeviceId, JobId};

use crate::authority::Writer;
use crate::message::Position;
use crate::seal::{SealKey, Voucher};

/// What the store knows.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Who offers: the user who is logged in, and the enrolled device.
    pub writer: Writer,
    /// Whether the device was shut out or its user disabled.
    pub is_revoked: bool,
    /// Of [`super::Offer::jobs`], those that exist in the hall.
    pub jobs: BTreeMap<JobId, JobGround>,
    /// Of [`super::Offer::hashes`], those that the store has seen.
    pub known: BTreeMap<ChangeHash, Known>,
    /// The bindings of [`super::Offer::actors`] and of the actors of waiting changes.
    pub actors: BTreeMap<ActorId, DeviceId>,
    /// The hall's secret for seals.
    pub key: SealKey,
}

/// What the store knows of one job.
#[derive(Clone, Debug, Default)]
pub struct JobGround {
    /// A snapshot, if there is one.
    pub snapshot: Option<Vec<u8>>,
    /// The accepted changes after the snapshot, or all, in the order of their positions.
    pub changes: Vec<Vec<u8>>,
    /// Whether the user holds the job.
    pub grant: GrantState,
    /// All changes of the job that wait for others, in the order of their arrival.
    pub waiting: Vec<Waiting>,
}

/// Whether a user holds a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrantState {
    /// Never did.
    #[default]
    Never,
    /// Does now.
    Held,
    /// Did once; what happened at the door then is still taken.
    Withdrawn,
}

/// A change that waits for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The raw change chunk.
    pub bytes: Vec<u8>,
    /// Who offered it.
    pub writer: Writer,
    /// The hall's own word, when it came with one that holds.
    pub voucher: Option<Voucher>,
}

/// What the store has already done with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Accepted.
    Accepted {
        /// The job.
        job: JobId,
        /// Its place in the feed.
        position: Position,
        /// The device that made it; `None` when the hall did.
        device: Option<DeviceId>,
    },
    /// Kept under the name of who offers now, until what it builds on arrives.
    Waiting,
    /// Kept apart and not released.
    Quarantined {
        /// The key of the reason.
        reason: String,
        /// In whose name; what was refused of one may be right of another.
        writer: Writer,
    },
}
