//! Who may change what in a job document, decided by what each operation of a change does.
//!
//! A technician only ever adds: new map keys, with nothing replaced and nothing removed. Each
//! operation is looked at, not the state after it, because an operation that loses against a
//! concurrent one changes nothing today and everything after the winner is gone. Changes are
//! checked before they are applied; the server's own never come through here.

mod additions;
mod ground;

use automerge::{AutomergeError, ChangeHash};
use domain::id::{DeviceId, FactId, MessageId, UserId, VisitId};

pub use self::ground::Authority;

/// A technician who pushes, as the server knows both person and device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// The person who is logged in.
    pub user: UserId,
    /// The device that is enrolled.
    pub device: DeviceId,
}

/// Where in the document a key is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `visits`
    Visits,
    /// `visits/<visit>/facts`
    Facts(VisitId),
    /// `messages`
    Messages,
    /// Everywhere else: the root, the plan, the briefing, inside a visit, a fact or a message.
    Elsewhere,
}

/// What somebody may add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adds {
    /// A visit of the writer's own, made on the writer's device, with its first facts.
    OwnVisit,
    /// A fact to a visit of the writer's own, unless its closing was known.
    FactOfOwnVisit(VisitId),
    /// A message signed by the writer.
    OwnMessage,
}

/// The table: what a technician may add, by path. The server may add anything anywhere.
pub(crate) fn technician_adds(place: Place) -> Option<Adds> {
    match place {
        Place::Visits => Some(Adds::OwnVisit),
        Place::Facts(visit) => Some(Adds::FactOfOwnVisit(visit)),
        Place::Messages => Some(Adds::OwnMessage),
        Place::Elsewhere => None,
    }
}

/// What an admitted change adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The visits it opens.
    pub visits: Vec<VisitId>,
    /// The facts it adds, also those of visits it opens.
    pub facts: Vec<(VisitId, FactId)>,
    /// The messages it adds.
    pub messages: Vec<MessageId>,
}

/// Why a technician's change is not let into the document.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It adds where only the server may.
    #[error("technicians may not write {0}")]
    Forbidden(String),
    /// It replaces, removes or counts up something.
    #[error("operation {0} is not an addition")]
    NotAnAddition(u64),
    /// It makes a list, a text, a mark or a value that has no place in a fact.
    #[error("operation {0} writes a kind of value that technicians do not write")]
    StrangeValue(u64),
    /// It writes into an object that the document does not have.
    #[error("operation {0} writes into an unknown object")]
    UnknownObject(u64),
    /// What it adds is there already.
    #[error("{0} is taken")]
    Taken(String),
    /// A key is not an id as ids are written.
    #[error("a new key is not an id")]
    NotAnId,
    /// It adds to a visit of somebody else, or of another device.
    #[error("visit {0} belongs to somebody else")]
    OthersVisit(VisitId),
    /// It adds to a visit after its closing.
    #[error("visit {0} is closed")]
    Closed(VisitId),
    /// It speaks for somebody else.
    #[error("message {0} is signed by somebody else")]
    OthersName(MessageId),
    /// A visit, fact or message cannot be read as one.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Where it would lie.
        path: String,
        /// What the reader stumbled over; may quote what was written.
        #[source]
        cause: serde_json::Error,
    },
    /// A text is longer than any that is typed at a door.
    #[error("operation {0} writes too long a text")]
    TextTooLong(u64),
    /// A value is nested deeper than any fact.
    #[error("operation {0} nests too deep")]
    TooDeep(u64),
    /// It does nothing.
    #[error("change has no operations")]
    Empty,
    /// It builds on changes that the document does not have.
    #[error("{} dependencies are missing", .0.len())]
    Missing(Vec<ChangeHash>),
    /// It builds on nothing, so it was not made for this document.
    #[error("change builds on nothing")]
    Rootless,
    /// Its actor has another change with this sequence number, or skips one.
    #[error("change has sequence number {found} instead of {expected}")]
    Sequence {
        /// The next number of this actor.
        expected: u64,
        /// The change's.
        found: u64,
    },
    /// It does not build on its actor's change before it.
    #[error("change does not build on its actor's last one")]
    Detached,
    /// Its operations are not counted on from what it builds on.
    #[error("change counts from {found} instead of {expected}")]
    Counter {
        /// One above all it builds on.
        expected: u64,
        /// The change's.
        found: u64,
    },
    /// The document has as many operations as one may have.
    #[error("document is full")]
    Full,
    /// The document itself cannot be read.
    #[error(transparent)]
    Automerge(#[from] AutomergeError),
}

impl Refusal {
    /// The word for this reason in messages, tables and catalogues.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotAnAddition(_) => "not_an_addition",
            Self::StrangeValue(_) => "strange_value",
            Self::UnknownObject(_) => "unknown_object",
            Self::Taken(_) => "taken",
            Self::NotAnId => "not_an_id",
            Self::OthersVisit(_) => "others_visit",
            Self::Closed(_) => "closed",
            Self::OthersName(_) => "others_name",
            Self::Unreadable { .. } => "unreadable",
            Self::TextTooLong(_) => "text_too_long",
            Self::TooDeep(_) => "too_deep",
            Self::Empty => "empty",
            Self::Missing(_) => "missing",
            Self::Rootless => "rootless",
            Self::Sequence { .. } => "sequence",
            Self::Detached => "detached",
            Self::Counter { .. } => "counter",
            Self::Full => "full",
            Self::Automerge(_) => "document",
        }
    }
}
