//! A second account of what was recorded, kept by who watches and not by who records.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use domain::id::{JobId, UserId};
use sync::message::Epoch;
use uuid::Uuid;

use crate::check;

/// A fact or message that a phone called saved, or that was found on it after it stopped in the middle.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The job.
    pub job: JobId,
    /// Whose phone.
    pub phone: usize,
    /// The change that carries it.
    pub hash: ChangeHash,
    /// What it says, as JSON.
    pub content: String,
    /// How much cash it takes, in fen.
    pub cash: i64,
    /// How the phone's store that held it was destroyed, if it was.
    pub destroyed: Option<&'static str>,
    /// Whether nobody held it at some time: no phone any more, and no hall yet or any more.
    pub is_lost: bool,
    /// The last history in which the hall said that it has it.
    pub acked: Option<Epoch>,
}

impl Recorded {
    /// Something just saved on a phone, which nobody else has yet.
    pub fn new((job, phone): (JobId, usize), hash: ChangeHash, content: String) -> Self {
        let cash = check::cash(&content);
        Self { job, phone, hash, content, cash, destroyed: None, is_lost: false, acked: None }
    }
}

/// The account.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// Everything that was saved, by the id of its fact or message.
    pub recorded: BTreeMap<Uuid, Recorded>,
    /// Which changes those are.
    pub hashes: BTreeMap<ChangeHash, Uuid>,
    /// Changes that a hostile client made up and the hall took, because their maker may make such.
    pub made_up: BTreeSet<ChangeHash>,
    /// Who was ever given which job.
    pub given: BTreeSet<(UserId, JobId)>,
    /// Changes that some verified backup covers.
    pub covered: BTreeSet<ChangeHash>,
    /// Changes in the last of them.
    pub in_last_backup: BTreeSet<ChangeHash>,
    /// What nodes of a newer release wrote: the job, the change, and the text in it.
    pub newer: Vec<(JobId, ChangeHash, String)>,
    /// Findings of hazards that the desk knew and cleared.
    pub cleared: BTreeSet<Uuid>,
}

impl Oracle {
    /// Notes something saved.
    pub fn note(&mut self, id: Uuid, recorded: Recorded) {
        self.hashes.insert(recorded.hash, id);
        self.recorded.entry(id).or_insert(recorded);
    }

    /// Notes that a phone's store was destroyed, all but what it still holds; what the hall does not have is lost.
    pub fn destroy(
        &mut self,
        phone: usize,
        still_held: &BTreeSet<ChangeHash>,
        how: &'static str,
        hall_has: impl Fn(ChangeHash) -> bool,
    ) {
        let own = self.recorded.values_mut().filter(|it| it.phone == phone);
        for recorded in own.filter(|it| !still_held.contains(&it.hash)) {
            recorded.destroyed.get_or_insert(how);
            recorded.is_lost |= !hall_has(recorded.hash);
        }
    }

    /// Notes that the hall went back in time: what it forgot and no phone holds is lost.
    pub fn restored(&mut self, hall_has: impl Fn(ChangeHash) -> bool) {
        for recorded in self.recorded.values_mut() {
            recorded.is_lost |= recorded.destroyed.is_some() && !hall_has(recorded.hash);
        }
    }
}
