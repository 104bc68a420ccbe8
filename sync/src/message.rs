//! What travels between a phone and the hall: one request, one reply, in CBOR with integer keys.
//!
//! Unknown keys are skipped and absent ones read as empty, so that versions of different ages
//! talk. A key is never reused, and its meaning never changes.

pub mod codec;
#[cfg(test)]
mod tests;

use automerge::ChangeHash;
use domain::id::JobId;
use domain::stamp::{Anchor, BootId, Timestamp};
use minicbor::{Decode, Encode};

use crate::seal::{Seal, Voucher};

/// The version of the messages that this code writes.
pub const VERSION: u32 = 1;

/// The oldest version that a hall still reads.
pub const OLDEST: u32 = 1;

/// A place in a hall's feed; positions grow in the order of commits.
pub type Position = i64;

/// Names the hall's history; another one begins when the hall is restored from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Epoch(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

/// How far a phone has read in which history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cursor {
    /// The history.
    #[n(0)]
    pub epoch: Epoch,
    /// Everything up to here is on the phone.
    #[n(1)]
    pub position: Position,
}

/// A change that a phone offers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Offered {
    /// The document it was made for.
    #[cbor(n(0), with = "codec")]
    pub job: JobId,
    /// The raw change chunk.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// The hall's own word that it held this change before.
    #[n(2)]
    pub voucher: Option<Voucher>,
}

/// Consecutive receipt numbers that one phone has for itself (B15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReceiptBlock {
    /// The first number.
    #[n(0)]
    pub first: u64,
    /// The last number.
    #[n(1)]
    pub last: u64,
    /// With fewer numbers left the phone asks for more.
    #[n(2)]
    pub ask_below: u32,
}

/// What a phone says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// The version that the phone writes.
    #[n(0)]
    pub version: u32,
    /// How far it has read; `None` when it has read nothing yet.
    #[n(1)]
    pub cursor: Option<Cursor>,
    /// The phone's boot when it sent this.
    #[cbor(n(2), with = "codec")]
    pub boot: BootId,
    /// The phone's monotonic clock when it sent this.
    #[n(3)]
    pub mono_ms: i64,
    /// The first anchor of each boot that has facts unknown to the hall.
    #[cbor(n(4), with = "codec", skip_if = "Vec::is_empty")]
    pub anchors: Vec<Anchor>,
    /// How many changes this store has ever made.
    #[n(5)]
    pub recorded: u64,
    /// How many changes the phone holds that the hall has not taken.
    #[n(6)]
    pub pending: u64,
    /// Content hashes of the rule packs that the phone holds.
    #[cbor(n(7), with = "codec", skip_if = "Vec::is_empty")]
    pub packs: Vec<ChangeHash>,
    /// Changes for the hall, in the order in which they build on each other.
    #[cbor(n(8), skip_if = "Vec::is_empty")]
    pub changes: Vec<Offered>,
    /// How many bytes of documents the reply may carry, about.
    #[n(9)]
    pub limit_bytes: u32,
    /// The highest receipt number that the phone has, zero for none; said when it runs low (B15).
    #[n(10)]
    pub receipts: Option<u64>,
}

/// What became of an offered change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Verdict {
    /// The hall has it, durably.
    #[n(0)]
    Acked {
        /// Where in the feed.
        #[n(0)]
        position: Position,
        /// The hall's mark on it.
        #[n(1)]
        seal: Seal,
    },
    /// The hall has had it already, durably.
    #[n(1)]
    Duplicate {
        /// Where in the feed.
        #[n(0)]
        position: Position,
        /// The hall's mark on it.
        #[n(1)]
        seal: Seal,
    },
    /// The hall keeps it until the changes it builds on arrive.
    #[n(2)]
    Waiting,
    /// The hall keeps it apart, for a person to look at.
    #[n(3)]
    Quarantined {
        /// The key of the reason in the catalogue.
        #[n(0)]
        reason: String,
    },
}

/// A verdict with the change it is about.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Judged {
    /// The change's name, see [`crate::chunk::chunk_hash`].
    #[cbor(n(0), with = "codec")]
    pub hash: ChangeHash,
    /// What became of it.
    #[n(1)]
    pub verdict: Verdict,
}

/// A change that the hall sends.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Fed {
    /// The raw change chunk.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Its place in the feed.
    #[n(1)]
    pub position: Position,
    /// The hall's own word that it held this change, for the day it has forgotten.
    #[n(2)]
    pub voucher: Voucher,
}

/// What is new in one document.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Parcel {
    /// The document.
    #[cbor(n(0), with = "codec")]
    pub job: JobId,
    /// An Automerge file that `changes` continue; holds only what a verified backup covers.
    #[cbor(n(1), with = "minicbor::bytes", skip_if = "Option::is_none")]
    pub snapshot: Option<Vec<u8>>,
    /// Changes in the order in which they build on each other.
    #[cbor(n(2), skip_if = "Vec::is_empty")]
    pub changes: Vec<Fed>,
}

/// A rule pack as the text that the hall read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PackText {
    /// SHA-256 of the text.
    #[cbor(n(0), with = "codec")]
    pub hash: ChangeHash,
    /// The TOML.
    #[n(1)]
    pub toml: String,
}

/// What the hall answers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Reply {
    /// The version that the hall writes.
    #[n(0)]
    pub version: u32,
    /// How far the phone has read once it has kept this reply.
    #[n(1)]
    pub cursor: Cursor,
    /// A verified backup covers every position up to here.
    #[n(2)]
    pub safe: Position,
    /// The hall's clock when it answered.
    #[cbor(n(3), with = "codec")]
    pub server_at: Timestamp,
    /// One verdict for each change that was looked at.
    #[cbor(n(4), skip_if = "Vec::is_empty")]
    pub verdicts: Vec<Judged>,
    /// What is new for this user.
    #[cbor(n(5), skip_if = "Vec::is_empty")]
    pub documents: Vec<Parcel>,
    /// Jobs that the user may no longer hold.
    #[cbor(n(6), with = "codec", skip_if = "Vec::is_empty")]
    pub withdrawn: Vec<JobId>,
    /// Rule packs that the phone lacks.
    #[cbor(n(7), skip_if = "Vec::is_empty")]
    pub packs: Vec<PackText>,
    /// Whether there is more to read from the new cursor on.
    #[cbor(n(8), skip_if = "is_false")]
    pub more: bool,
    /// The highest [`Request::recorded`] that the hall ever heard from this device.
    #[n(9)]
    pub recorded: u64,
    /// Receipt numbers for this phone alone, when it asked for some (B15).
    #[n(10)]
    pub receipts: Option<ReceiptBlock>,
}

/// Why bytes are no message; a captive portal's page ends here.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// They are not CBOR of this shape.
    #[error("not a message of this protocol: {0}")]
    Malformed(#[from] minicbor::decode::Error),
    /// A message, and something behind it.
    #[error("{0} bytes are left over")]
    LeftOver(usize),
}

impl Request {
    /// Writes the request.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a request.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}

impl Reply {
    /// Writes the reply.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a reply.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}

impl PackText {
    /// Names a text by its content.
    pub fn new(toml: String) -> Self {
        use sha2::{Digest, Sha256};
        Self { hash: ChangeHash(Sha256::digest(toml.as_bytes()).into()), toml }
    }
}

pub(crate) fn encode<T: Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).expect("memory takes all bytes, and no field refuses to be written")
}

pub(crate) fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode()?;
    match bytes.len() - decoder.position() {
        0 => Ok(message),
        left => Err(DecodeError::LeftOver(left)),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the derive passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
