//! The hall's half of the protocol: what was offered, what is known, and what follows from both.
//!
//! Nothing here reads, writes or asks the time. The store inspects an [`Offer`], loads the
//! [`Ground`] that it names inside the transaction that will commit, calls [`judge`], writes what
//! the [`Judgement`] says, and answers.

mod admission;
mod feed;
mod ground;
mod isolation;
mod judgement;
mod offer;
mod receipts;

pub use self::feed::{Page, Stored, Supply, page, wants_snapshot};
pub use self::ground::{GrantState, Ground, JobGround, Known, Waiting};
pub use self::isolation::judge_apart;
pub use self::judgement::{Accepted, JobJudgement, Judgement, Kept, Outcome, Refused, judge};
pub use self::offer::Offer;
pub use self::receipts::{RECEIPTS_BEGAN_MS, first_free};

/// Actors of the hall start with this; a device that uses such a one is lying.
const HALL_ACTOR: [u8; 4] = *b"hall";

/// Makes an actor for the hall's own changes: fresh per process start, from random bytes.
pub fn hall_actor(random: [u8; 12]) -> automerge::ActorId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&HALL_ACTOR);
    bytes[4..].copy_from_slice(&random);
    automerge::ActorId::from(bytes)
}

fn is_hall_actor(actor: &automerge::ActorId) -> bool {
    actor.to_bytes().starts_with(&HALL_ACTOR)
}

/// The keys of the reasons for quarantine that are decided here; [`crate::authority`] has its own.
pub mod reason {
    /// The chunk did not pass the preflight.
    pub const MALFORMED: &str = "malformed";
    /// The hall has no such job.
    pub const UNKNOWN_JOB: &str = "unknown_job";
    /// The device was shut out.
    pub const REVOKED: &str = "revoked";
    /// The user never held the job.
    pub const NOT_GRANTED: &str = "not_granted";
    /// The actor belongs to another device or to the hall.
    pub const FORGED_ACTOR: &str = "forged_actor";
    /// The change was made for another document.
    pub const WRONG_DOCUMENT: &str = "wrong_document";
    /// Too many changes of the job wait for others.
    pub const TOO_MANY_WAITING: &str = "too_many_waiting";
    /// It passed every check, and the document does not take it all the same.
    pub const DOCUMENT: &str = "document";

    /// All of them, for catalogues.
    pub const ALL: [&str; 8] = [
        MALFORMED,
        UNKNOWN_JOB,
        REVOKED,
        NOT_GRANTED,
        FORGED_ACTOR,
        WRONG_DOCUMENT,
        TOO_MANY_WAITING,
        DOCUMENT,
    ];
}
