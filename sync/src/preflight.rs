//! The check of a foreign change chunk before Automerge sees it.
//!
//! Automerge 0.12 expands whatever a chunk claims: 113 bytes can cost minutes and gigabytes, and
//! a change that counts close to 2^32 spoils its document for good. So a chunk from outside is
//! first measured here, run by run, without expanding anything; only then parsed; and at last
//! written again, because Automerge keeps operations and not bytes: a chunk that is not the one
//! way to write its operations could never be told from another later on.

mod columns;
mod input;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{ActorId, Change, ChangeHash, LoadChangeError};

use self::columns::Bounds;
use self::input::Input;
use crate::limits::{COUNTER_MAX, Limits};

/// A change chunk that may be shown to Automerge.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The parsed change.
    pub change: Change,
    /// Its hash, computed from the bytes.
    pub hash: ChangeHash,
    /// Who wrote it.
    pub actor: ActorId,
    /// The how-manyth of its actor, from 1.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u64,
    /// How many operations it has.
    pub ops: u64,
    /// The changes it builds on, sorted.
    pub deps: Vec<ChangeHash>,
    /// When, by the writer's clock, in whole seconds; nothing is judged by it.
    pub time: i64,
    /// How long the chunk is.
    pub bytes_len: usize,
}

/// Why a chunk was not shown to Automerge.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// It is longer than a change may be.
    #[error("chunk has {0} bytes")]
    TooLong(usize),
    /// It does not begin as Automerge chunks do.
    #[error("chunk has no magic bytes")]
    NoMagic,
    /// It is a document, a deflated change, a bundle, or nothing known.
    #[error("chunk is of kind {0}, not an uncompressed change")]
    WrongKind(u8),
    /// It ends early, or goes on after its end.
    #[error("chunk is cut or has bytes left over")]
    WrongLength,
    /// A number in it is not written as it should be.
    #[error("number is malformed")]
    BadNumber,
    /// Its checksum is not that of its content.
    #[error("checksum does not match")]
    Checksum,
    /// It has more of something than any change needs.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// It refers to an actor that it does not list, or lists one in a wrong way.
    #[error("actors are malformed")]
    BadActors,
    /// A column of operations is unknown, deflated or out of order.
    #[error("column {0:#x} is not expected here")]
    BadColumn(u64),
    /// The columns of operations disagree about how many there are.
    #[error("column {0:#x} has another number of rows")]
    UnevenColumns(u64),
    /// It counts operations from zero, or too high.
    #[error("operation counter is out of range")]
    Counter,
    /// It counts its actor's changes from zero, or too high.
    #[error("sequence number is out of range")]
    Sequence,
    /// It lists a dependency twice.
    #[error("dependency is listed twice")]
    DependencyTwice,
    /// Automerge does not parse it.
    #[error("automerge does not parse it: {0}")]
    Automerge(#[from] LoadChangeError),
    /// Automerge panicked on it.
    #[error("automerge panicked")]
    Panicked,
    /// It is not the one way to write its operations.
    #[error("chunk is not in canonical form")]
    NotCanonical,
}

/// Checks a foreign chunk in time and memory bounded by its own length.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspected, PreflightError> {
    measure(bytes, limits)?;
    // Unwind safety: the closure owns all it makes, and a panic throws it away.
    let change = match catch_unwind(AssertUnwindSafe(|| parse(bytes))) {
        Ok(parsed) => parsed?,
        Err(_) => return Err(PreflightError::Panicked),
    };
    let hash = change.hash();
    Ok(Inspected {
        hash,
        actor: change.actor_id().clone(),
        seq: change.seq(),
        start_op: change.start_op().get(),
        ops: change.len() as u64,
        deps: change.deps().to_vec(),
        time: change.timestamp(),
        bytes_len: bytes.len(),
        change,
    })
}

/// Checks that a change does not burn the counter of a document whose highest operation is `max_op`.
pub fn check_counter(
    inspected: &Inspected,
    max_op: u64,
    limits: &Limits,
) -> Result<(), PreflightError> {
    let end = inspected.start_op.saturating_add(inspected.ops);
    if end > max_op.saturating_add(limits.counter_step) || end > COUNTER_MAX {
        return Err(PreflightError::Counter);
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Change, PreflightError> {
    let change = Change::from_bytes(bytes.to_vec())?;
    // Automerge computes the hash but does not compare it with the chunk's own checksum.
    if bytes[4..8] != change.hash().0[..4] {
        return Err(PreflightError::Checksum);
    }
    if Change::from(change.decode()).raw_bytes() != bytes {
        return Err(PreflightError::NotCanonical);
    }
    Ok(change)
}

/// Walks the chunk without expanding anything.
fn measure(bytes: &[u8], limits: &Limits) -> Result<(), PreflightError> {
    if bytes.len() > limits.chunk_bytes {
        return Err(PreflightError::TooLong(bytes.len()));
    }
    let mut input = Input::new(bytes);
    if input.take(4)? != [0x85, 0x6f, 0x4a, 0x83] {
        return Err(PreflightError::NoMagic);
    }
    input.take(4)?;
    match input.byte()? {
        1 => {}
        other => return Err(PreflightError::WrongKind(other)),
    }
    if input.unsigned()? != input.left() as u64 {
        return Err(PreflightError::WrongLength);
    }
    measure_body(&mut input, limits)
}

fn measure_body(input: &mut Input<'_>, limits: &Limits) -> Result<(), PreflightError> {
    let deps = input.count(limits.deps, "dependencies")?;
    let mut seen = BTreeSet::new();
    for _ in 0..deps {
        if !seen.insert(input.take(32)?) {
            return Err(PreflightError::DependencyTwice);
        }
    }
    let actor = actor(input, limits)?;
    if !(1..=COUNTER_MAX).contains(&input.unsigned()?) {
        return Err(PreflightError::Sequence);
    }
    let start_op = input.unsigned()?;
    if !(1..=COUNTER_MAX).contains(&start_op) {
        return Err(PreflightError::Counter);
    }
    input.signed()?;
    let message = input.count(limits.message_bytes, "message bytes")?;
    input.take(message)?;
    let others = input.count(limits.actors, "actors")?;
    let mut last: &[u8] = &[];
    for _ in 0..others {
        let other = self::actor(input, limits)?;
        if other <= last || other == actor {
            return Err(PreflightError::BadActors);
        }
        last = other;
    }
    let bounds = Bounds { limits, actors: others as u64 + 1 };
    let ops = columns::measure(input, &bounds)?;
    if start_op + ops > COUNTER_MAX {
        return Err(PreflightError::Counter);
    }
    Ok(())
}

fn actor<'a>(input: &mut Input<'a>, limits: &Limits) -> Result<&'a [u8], PreflightError> {
    let len = input.count(limits.actor_bytes, "actor bytes")?;
    if len == 0 {
        return Err(PreflightError::BadActors);
    }
    input.take(len)
}
