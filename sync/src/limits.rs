//! The bounds on what a device may send and on what a document may hold.

/// How deep a value of the document may be nested; the deepest of a job has six levels.
pub const VALUE_DEPTH: usize = 16;

/// The bounds on one change chunk from a device, checked before Automerge sees it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the whole chunk; a fact has about 300.
    pub chunk_bytes: usize,
    /// Operations; a fact has about 20.
    pub ops: u64,
    /// Direct dependencies: heads of the document when the change was made.
    pub deps: usize,
    /// Other actors that the change refers to.
    pub actors: usize,
    /// Bytes of one actor id.
    pub actor_bytes: usize,
    /// Columns of operations; the format knows 13.
    pub columns: usize,
    /// Bytes of the commit message, which nobody reads.
    pub message_bytes: usize,
    /// Bytes of one map key; an id has 36.
    pub key_bytes: usize,
    /// Bytes of all map keys together once repetitions are written out.
    pub keys_bytes: u64,
    /// Bytes of one value; the longest is a remark.
    pub value_bytes: u64,
    /// Predecessors of all operations together.
    pub preds: u64,
    /// How far above the document's highest operation a change may count.
    pub counter_step: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_bytes: 64 * 1024,
            ops: 2_000,
            deps: 64,
            actors: 256,
            actor_bytes: 64,
            columns: 32,
            message_bytes: 256,
            key_bytes: 256,
            keys_bytes: 256 * 1024,
            value_bytes: 16 * 1024,
            preds: 2_000,
            counter_step: 1_000_000,
        }
    }
}

/// No operation of any document counts higher; Automerge's own end is at 2^32.
pub const COUNTER_MAX: u64 = 1 << 31;

/// How deep a value that a technician writes may be nested, counted from the fact itself.
pub const FACT_DEPTH: usize = 6;

/// Bytes of one text that a technician writes.
pub const TEXT_BYTES: usize = 8 * 1024;

/// Operations of one document after which technicians' changes are no longer let in.
///
/// A full visit has about a thousand; this bounds what loading one document can cost.
pub const DOCUMENT_OPS: u64 = 200_000;

/// Changes that a phone offers in one request.
pub const OFFERS: usize = 500;

/// Bytes of the changes that a phone offers in one request, about.
pub const OFFERS_BYTES: usize = 512 * 1024;

/// Bytes that the envelope of one offered change takes at most.
pub const OFFER_OVERHEAD_BYTES: usize = 64;

/// Bytes of documents that a phone takes in one reply, about.
pub const REPLY_BYTES: u32 = 4 * 1024 * 1024;

/// Anchors that a phone sends in one request: one for each boot with unsent facts.
pub const ANCHORS: usize = 64;

/// How long an anchor does before a new one is kept; between them crystals drift by some 60 ms.
pub const ANCHOR_EVERY_MS: i64 = 10 * 60 * 1000;

/// From how far on a wall clock that moved against the hall's was set by somebody: more than nodes of one hall differ.
pub const CLOCK_SET_MS: u64 = 15 * 60 * 1000;

/// Changes of one job that wait for others before further ones are kept apart instead.
pub const WAITING_PER_JOB: usize = 512;
