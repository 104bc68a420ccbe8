//! The phone's half of the protocol: a state made by replaying records, and nothing else.
//!
//! Whatever happens becomes [`Record`]s first. The caller stores them durably, and only then
//! replays them here; start-up replays the same records through the same function.

mod exchange;
mod make;
mod receipts;
mod record;
mod replica;
mod said;

use std::collections::BTreeMap;

use automerge::ChangeHash;
use domain::id::JobId;
use domain::job::Job;
use domain::stamp::{Anchor, BootId};
use uuid::Uuid;

pub use self::exchange::{Moment, Notice, ReceiveError, Received, Round};
pub use self::make::MakeError;
pub use self::record::{Answer, Answered, Arrived, Enrolment, Made, Record};
use self::replica::{Held, Replica};
pub use self::replica::{SetAside, Standing, View};
use crate::chunk::chunk_hash;
use crate::message::{Cursor, Epoch, PackText, Position};

/// What a phone knows: its documents, what it has for the hall, and how far it has read.
#[derive(Clone, Debug, Default)]
pub struct Device {
    enrolment: Option<Enrolment>,
    replicas: BTreeMap<JobId, Replica>,
    /// The document of each change that is held as a change.
    jobs: BTreeMap<ChangeHash, JobId>,
    cursor: Option<Cursor>,
    /// The highest watermark heard in each history.
    safe: BTreeMap<Epoch, Position>,
    packs: BTreeMap<ChangeHash, PackText>,
    anchor: Option<Anchor>,
    ahead_ms: i64,
    first_anchors: BTreeMap<BootId, Anchor>,
    recorded: u64,
    receipts: receipts::Receipts,
}

/// A change made on this phone, with what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own<'a> {
    /// The job.
    pub job: JobId,
    /// The fact or message in it.
    pub id: Uuid,
    /// The change's name.
    pub hash: ChangeHash,
    /// What the hall said of it.
    pub standing: &'a Standing,
}

impl Device {
    /// A phone that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one record; the same twice changes nothing, and one that fits nothing is passed over.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Enrolled(enrolment) => self.enrolment = Some(*enrolment),
            Record::Made(made) => {
                let hash = chunk_hash(&made.bytes);
                if self.replicas.entry(made.job).or_default().add_made(hash, made) {
                    self.jobs.insert(hash, made.job);
                    self.recorded += 1;
                }
            }
            Record::Arrived(arrived) => {
                let replica = self.replicas.entry(arrived.job).or_default();
                replica.add_arrived(arrived);
                for fed in &arrived.changes {
                    self.jobs.insert(chunk_hash(&fed.bytes), arrived.job);
                }
            }
            Record::Answered(Answered { hash, epoch, answer }) => {
                let device = self.enrolment.map(|enrolment| enrolment.device);
                if let Some(replica) = self.replica_of(*hash) {
                    replica.answer(*hash, *epoch, answer, device);
                }
            }
            Record::Read { cursor, safe } => {
                self.cursor = Some(*cursor);
                let known = self.safe.entry(cursor.epoch).or_insert(*safe);
                *known = (*known).max(*safe);
            }
            Record::Withdrawn { job } => {
                if let Some(replica) = self.replicas.get_mut(job) {
                    replica.withdrawn = true;
                }
            }
            Record::Purged { job } => {
                for hash in self.replicas.remove(job).map(|gone| gone.order).unwrap_or_default() {
                    self.jobs.remove(&hash);
                }
            }
            Record::Pack(pack) => drop(self.packs.insert(pack.hash, pack.clone())),
            Record::Anchored { anchor, ahead_ms } => {
                self.anchor = Some(*anchor);
                self.ahead_ms = *ahead_ms;
                self.first_anchors.entry(anchor.boot).or_insert(*anchor);
            }
            Record::Receipts(block) => self.receipts.add(*block),
            Record::ReceiptUsed { number } => self.receipts.use_up(*number),
            Record::Counted { recorded } => {
                // What this store has lost may have used numbers: those it has are not to be trusted.
                if *recorded > self.recorded {
                    self.recorded = *recorded;
                    self.receipts.forget();
                }
            }
        }
    }

    /// Whose phone it is.
    pub fn enrolment(&self) -> Option<&Enrolment> {
        self.enrolment.as_ref()
    }

    /// The jobs that the technician may see, in the order of their ids.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        let seen = self.replicas.values().filter(|replica| !self.has_left(replica));
        seen.filter_map(|replica| replica.view().job.as_ref())
    }

    /// A job that the technician may see.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        let replica = self.replicas.get(&id).filter(|replica| !self.has_left(replica))?;
        replica.view().job.as_ref()
    }

    /// All that a document says, with what could not be read of it.
    pub fn view(&self, id: JobId) -> Option<&View> {
        self.replicas.get(&id).map(Replica::view)
    }

    /// Whether the job was given to somebody else; it leaves once the hall has everything of it.
    pub fn is_withdrawn(&self, id: JobId) -> bool {
        self.replicas.get(&id).is_some_and(|replica| replica.withdrawn)
    }

    /// The heads of a document, for comparing two copies.
    pub fn heads(&self, id: JobId) -> Option<Vec<ChangeHash>> {
        self.replicas.get(&id).map(|replica| replica.doc().get_heads())
    }

    /// Every change that was made here and is still held, by job and in the order of making.
    pub fn own(&self) -> impl Iterator<Item = Own<'_>> {
        self.replicas.keys().flat_map(|job| self.own_of(*job))
    }

    /// The changes of a job that were made on this phone, in their order.
    pub fn own_of(&self, job: JobId) -> impl Iterator<Item = Own<'_>> {
        let changes = self.replicas.get(&job).into_iter().flat_map(Replica::changes);
        changes.filter_map(move |(hash, held)| {
            let (_, id) = held.own?;
            Some(Own { job, id, hash, standing: &held.standing })
        })
    }

    /// What became of a fact or message that was made here.
    pub fn standing(&self, job: JobId, id: Uuid) -> Option<&Standing> {
        let mut changes = self.replicas.get(&job)?.changes();
        let mine = |held: &Held| held.own.is_some_and(|(_, own)| own == id);
        changes.find(|(_, held)| mine(held)).map(|(_, held)| &held.standing)
    }

    /// What the hall said of a change that is held here.
    pub fn standing_of(&self, hash: ChangeHash) -> Option<Standing> {
        let replica = self.replicas.get(self.jobs.get(&hash)?)?;
        replica.held.get(&hash).map(|held| held.standing.clone())
    }

    /// How many changes made here the hall has not taken: unsent, waiting or kept apart.
    pub fn pending(&self) -> usize {
        self.own().filter(|own| !self.is_acked(own.standing)).count()
    }

    /// How many changes are on this phone only.
    pub fn only_here(&self) -> usize {
        self.own().filter(|own| self.is_unknown_to_hall(own.standing)).count()
    }

    /// How far the phone has read.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The watermark of the current history: a verified backup covers every position up to here.
    pub fn safe(&self) -> Option<Position> {
        self.cursor.and_then(|cursor| self.safe.get(&cursor.epoch).copied())
    }

    /// The hall's last word on the time.
    pub fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// How far the phone's wall clock was ahead of the hall's when it last heard it, in milliseconds.
    pub fn ahead_ms(&self) -> i64 {
        self.ahead_ms
    }

    /// The rule packs on the phone.
    pub fn packs(&self) -> impl Iterator<Item = &PackText> {
        self.packs.values()
    }

    /// How many changes this device has ever made, as far as this store knows.
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    /// The number for the next receipt, above one that is known to be used; `None` when all that the hall handed out
    /// are used (B15).
    pub fn next_receipt(&self, used: u64) -> Option<u64> {
        self.receipts.next(used)
    }

    /// How many receipt numbers are left.
    pub fn receipts_left(&self) -> u64 {
        self.receipts.left()
    }

    /// The fewest records that replay to this state, for a shorter log.
    pub fn compact(&self) -> Vec<Record> {
        let mut records: Vec<_> = self.enrolment.map(Record::Enrolled).into_iter().collect();
        records.extend(self.packs.values().cloned().map(Record::Pack));
        let heard = self.first_anchors.values().copied().chain(self.anchor);
        let ahead_ms = self.ahead_ms;
        records.extend(heard.map(|anchor| Record::Anchored { anchor, ahead_ms }));
        for (job, replica) in &self.replicas {
            records.extend(replica.records(*job));
        }
        records.push(Record::Counted { recorded: self.recorded });
        records.extend(self.receipts.records());
        if let Some(cursor) = self.cursor {
            records.extend(self.safe.iter().filter(|(epoch, _)| **epoch != cursor.epoch).map(
                |(epoch, safe)| {
                    let cursor = Cursor { epoch: *epoch, position: 0 };
                    Record::Read { cursor, safe: *safe }
                },
            ));
            let safe = self.safe.get(&cursor.epoch).copied().unwrap_or(0);
            records.push(Record::Read { cursor, safe });
        }
        records
    }

    /// Whether a withdrawn job has nothing left that the hall might not have.
    fn has_left(&self, replica: &Replica) -> bool {
        replica.withdrawn
            && replica
                .changes()
                .all(|(_, held)| held.own.is_none() || self.is_acked(&held.standing))
    }

    /// Whether all bytes of a document are covered by a verified backup of the hall.
    fn is_safe(&self, replica: &Replica) -> bool {
        replica.changes().all(|(_, held)| self.is_covered(&held.standing))
    }

    /// Whether a verified backup of the hall covers a change that stands so: no restore makes the hall forget it.
    pub fn is_covered(&self, standing: &Standing) -> bool {
        matches!(standing, Standing::Acked(epoch, position) if self.covers(*epoch, *position))
    }

    fn covers(&self, epoch: Epoch, position: Position) -> bool {
        self.safe.get(&epoch).is_some_and(|safe| position <= *safe)
    }

    /// Whether the hall of today, not one from before a restore, has the change.
    fn is_acked(&self, standing: &Standing) -> bool {
        matches!(standing, Standing::Acked(epoch, _) if self.is_current(*epoch))
    }

    fn is_unknown_to_hall(&self, standing: &Standing) -> bool {
        match standing {
            Standing::OnThisPhoneOnly => true,
            Standing::Waiting(epoch)
            | Standing::Quarantined(epoch, _)
            | Standing::Acked(epoch, _) => !self.is_current(*epoch),
        }
    }

    fn is_current(&self, epoch: Epoch) -> bool {
        self.cursor.is_some_and(|cursor| cursor.epoch == epoch)
    }

    fn replica_of(&mut self, hash: ChangeHash) -> Option<&mut Replica> {
        let job = self.jobs.get(&hash)?;
        self.replicas.get_mut(job)
    }
}
