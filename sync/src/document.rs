//! The job document: an Automerge document that mirrors the serde shape of [`domain::job::Job`].
//!
//! The server makes the whole skeleton in one change ([`create`]); afterwards everybody only adds
//! map keys. Every edit returns the raw change chunk that travels and is stored, never a random
//! or clock-dependent byte: who writes and when comes in as a [`Pen`].

mod edit;
mod load;
mod read;
#[cfg(test)]
mod tests;
mod value;

pub use edit::{
    EditError, NewFact, Pen, briefing_change, create, fact_change, message_change, plan_change,
};
pub use load::{ApplyError, LoadError, SnapshotError, apply, load, snapshot};
pub use read::{Contents, ReadJobError, Unread, contents, read};
pub(crate) use read::{contents_of, parse_id};
pub(crate) use value::read_scalar;
pub use value::{ValueError, json};

/// The version of the document's shape that this code writes.
pub const SCHEMA: u32 = 1;

/// The keys at the root and below it that code outside serde has to name.
pub(crate) mod key {
    pub(crate) const SCHEMA: &str = "schema";
    pub(crate) const PLAN: &str = "plan";
    pub(crate) const BRIEFING: &str = "briefing";
    pub(crate) const VISITS: &str = "visits";
    pub(crate) const MESSAGES: &str = "messages";
    pub(crate) const FACTS: &str = "facts";
    pub(crate) const TECHNICIAN: &str = "technician";
    pub(crate) const DEVICE: &str = "device";
}
