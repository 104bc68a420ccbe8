//! A hall in memory: the model that a stored hall is compared with, and the peer in phones' tests.
//!
//! It holds what a store would hold and does in one call what a store does in one transaction.

mod exchange;
mod receipts;

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, Automerge, ChangeHash};
use domain::id::{DeviceId, EntryId, JobId, UserId};
use domain::job::{Assignment, Author, Job, Plan, PlanEntry};
use domain::stamp::{Anchor, Timestamp};

use crate::authority::Writer;
use crate::chunk::chunk_hash;
use crate::document::{self, EditError, LoadError, Pen, ReadJobError};
use crate::hub::{GrantState, Stored, Waiting, wants_snapshot};
use crate::message::{Epoch, PackText, Position};
use crate::seal::SealKey;

/// A hall in memory.
#[derive(Clone, Debug)]
pub struct Hall {
    epoch: Epoch,
    key: SealKey,
    actor: ActorId,
    position: Position,
    safe: Position,
    documents: BTreeMap<JobId, Vec<Stored>>,
    snapshots: BTreeMap<JobId, (Position, Vec<u8>)>,
    changes: BTreeMap<ChangeHash, (JobId, Position, Option<DeviceId>)>,
    grants: BTreeMap<UserId, BTreeMap<JobId, Vec<Grant>>>,
    waiting: BTreeMap<JobId, Vec<(ChangeHash, Waiting)>>,
    quarantine: BTreeMap<ChangeHash, Apart>,
    bindings: BTreeMap<ActorId, DeviceId>,
    revoked: BTreeSet<DeviceId>,
    heard: BTreeMap<DeviceId, Heard>,
    packs: BTreeMap<ChangeHash, PackText>,
    receipts: receipts::Receipts,
}

/// From where to where a user holds a job.
#[derive(Clone, Copy, Debug)]
struct Grant {
    from: Position,
    to: Option<Position>,
}

/// A change kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The job that it was offered for.
    pub job: JobId,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// Who offered it.
    pub writer: Writer,
    /// The key of the reason.
    pub reason: String,
}

/// What a device last said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The highest count of changes that it ever said it made.
    pub recorded: u64,
    /// How many the hall had not taken when it spoke last.
    pub pending: u64,
    /// When it spoke last, by the hall's clock.
    pub at: Option<Timestamp>,
    /// The anchors that it sent.
    pub anchors: BTreeSet<Anchor>,
}

/// Why the hall's own edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum HallError {
    /// There is no such job.
    #[error("no job {0}")]
    NoJob(JobId),
    /// There is such a job already.
    #[error("job {0} is there")]
    JobIsThere(JobId),
    /// The document does not take the edit.
    #[error(transparent)]
    Edit(Box<EditError>),
    /// The document does not load.
    #[error(transparent)]
    Load(Box<LoadError>),
    /// The document is no job.
    #[error(transparent)]
    Read(Box<ReadJobError>),
}

impl From<EditError> for HallError {
    fn from(error: EditError) -> Self {
        Self::Edit(Box::new(error))
    }
}

impl From<LoadError> for HallError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

impl From<ReadJobError> for HallError {
    fn from(error: ReadJobError) -> Self {
        Self::Read(Box::new(error))
    }
}

impl Hall {
    /// A hall that has nothing. The actor is one of [`crate::hub::hall_actor`].
    pub fn new(epoch: Epoch, key: SealKey, actor: ActorId) -> Self {
        Self {
            epoch,
            key,
            actor,
            position: 0,
            safe: 0,
            documents: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            changes: BTreeMap::new(),
            grants: BTreeMap::new(),
            waiting: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            bindings: BTreeMap::new(),
            revoked: BTreeSet::new(),
            heard: BTreeMap::new(),
            packs: BTreeMap::new(),
            receipts: receipts::Receipts::default(),
        }
    }

    /// Takes on a job; its plan may have entries already.
    pub fn create_job(&mut self, job: &Job, now: Timestamp) -> Result<Position, HallError> {
        if self.documents.contains_key(&job.id) {
            return Err(HallError::JobIsThere(job.id));
        }
        let bytes = document::create(job, &self.pen(now))?;
        Ok(self.store(job.id, bytes, None))
    }

    /// Adds an entry to a job's plan.
    pub fn edit_plan(
        &mut self,
        job: JobId,
        id: EntryId,
        entry: &PlanEntry,
        now: Timestamp,
    ) -> Result<Position, HallError> {
        let mut doc = self.load(job)?;
        let bytes = document::plan_change(&mut doc, &self.pen(now), id, entry)?;
        Ok(self.store(job, bytes, None))
    }

    /// Stores a change that another node of the hall wrote, perhaps one of a newer release.
    pub fn take_in(&mut self, job: JobId, bytes: Vec<u8>) -> Result<Position, HallError> {
        if !self.documents.contains_key(&job) {
            return Err(HallError::NoJob(job));
        }
        Ok(self.store(job, bytes, None))
    }

    /// Gives a job to a technician, or takes it back: in the plan, and in who may hold it.
    pub fn assign(
        &mut self,
        job: JobId,
        id: EntryId,
        technician: Option<UserId>,
        author: Author,
    ) -> Result<(), HallError> {
        let entry = PlanEntry::Assignment(Assignment { technician, author });
        self.edit_plan(job, id, &entry, author.at)?;
        let plan = self.job(job).map(|job| job.plan).unwrap_or_default();
        self.hand_over(job, technician, &plan);
        Ok(())
    }

    /// Lets a user hold a job.
    pub fn grant(&mut self, job: JobId, user: UserId) {
        if self.grant_state(job, user) != GrantState::Held {
            let from = self.next_position();
            let grants = self.grants.entry(user).or_default().entry(job).or_default();
            grants.push(Grant { from, to: None });
        }
    }

    /// Takes a job from a user.
    pub fn withdraw(&mut self, job: JobId, user: UserId) {
        if self.grant_state(job, user) == GrantState::Held {
            let to = self.next_position();
            let grants = self.grants.get_mut(&user).and_then(|jobs| jobs.get_mut(&job));
            if let Some(last) = grants.and_then(|grants| grants.last_mut()) {
                last.to = Some(to);
            }
        }
    }

    /// Shuts a device out.
    pub fn revoke(&mut self, device: DeviceId) {
        self.revoked.insert(device);
    }

    /// Adds a rule pack.
    pub fn add_pack(&mut self, toml: String) {
        let pack = PackText::new(toml);
        self.packs.insert(pack.hash, pack);
    }

    /// Says that a verified backup covers everything so far.
    pub fn mark_safe(&mut self) {
        self.safe = self.position;
    }

    /// Makes a snapshot of every document that is covered by a backup as it stands.
    pub fn make_snapshots(&mut self) {
        for (job, stored) in &self.documents {
            let position = stored.last().map_or(0, |last| last.position);
            let changes: Vec<_> = stored.iter().map(|change| &change.bytes).collect();
            let Ok(doc) = document::load(None, &changes) else { continue };
            if let Ok(bytes) = document::snapshot(&doc, &changes) {
                self.snapshots.insert(*job, (position, bytes));
            }
        }
    }

    /// A copy of everything, as a backup has it.
    #[must_use]
    pub fn backup(&self) -> Self {
        self.clone()
    }

    /// Starts again from this backup: another history, and an actor never used before.
    #[must_use]
    pub fn restore(mut self, epoch: Epoch, actor: ActorId) -> Self {
        self.receipts.restored(epoch);
        self.epoch = epoch;
        self.actor = actor;
        self
    }

    /// The history.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last position given.
    pub fn position(&self) -> Position {
        self.position
    }

    /// A job as it stands.
    pub fn job(&self, id: JobId) -> Result<Job, HallError> {
        Ok(document::read(&self.load(id)?)?)
    }

    /// The jobs, by id.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> {
        self.documents.keys().copied()
    }

    /// The heads of a document, for comparing two copies.
    pub fn heads(&self, id: JobId) -> Option<Vec<ChangeHash>> {
        self.load(id).ok().map(|doc| doc.get_heads())
    }

    /// The accepted changes of a job, in the order of their positions.
    pub fn changes(&self, id: JobId) -> &[Stored] {
        self.documents.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Where a change is in the feed.
    pub fn position_of(&self, hash: ChangeHash) -> Option<Position> {
        self.changes.get(&hash).map(|(_, position, _)| *position)
    }

    /// A change that is kept apart.
    pub fn quarantined(&self, hash: ChangeHash) -> Option<&Apart> {
        self.quarantine.get(&hash)
    }

    /// All changes that are kept apart.
    pub fn quarantine(&self) -> impl Iterator<Item = (&ChangeHash, &Apart)> {
        self.quarantine.iter()
    }

    /// Whether a change waits for others.
    pub fn is_waiting(&self, hash: ChangeHash) -> bool {
        self.waiting.values().flatten().any(|(known, _)| *known == hash)
    }

    /// The device that an actor belongs to.
    pub fn owner(&self, actor: &ActorId) -> Option<DeviceId> {
        self.bindings.get(actor).copied()
    }

    /// What a device last said of itself.
    pub fn heard(&self, device: DeviceId) -> Option<&Heard> {
        self.heard.get(&device)
    }

    /// Whether a user holds a job.
    pub fn grant_state(&self, job: JobId, user: UserId) -> GrantState {
        let last = self.grants.get(&user).and_then(|jobs| jobs.get(&job)?.last());
        match last {
            None => GrantState::Never,
            Some(Grant { to: None, .. }) => GrantState::Held,
            Some(Grant { to: Some(_), .. }) => GrantState::Withdrawn,
        }
    }

    fn pen(&self, now: Timestamp) -> Pen {
        Pen { actor: self.actor.clone(), at: now }
    }

    fn next_position(&mut self) -> Position {
        self.position += 1;
        self.position
    }

    fn load(&self, job: JobId) -> Result<Automerge, HallError> {
        let stored = self.documents.get(&job).ok_or(HallError::NoJob(job))?;
        let changes: Vec<_> = stored.iter().map(|change| &change.bytes).collect();
        Ok(document::load(None, &changes)?)
    }

    fn store(&mut self, job: JobId, bytes: Vec<u8>, device: Option<DeviceId>) -> Position {
        let position = self.next_position();
        self.changes.insert(chunk_hash(&bytes), (job, position, device));
        self.documents.entry(job).or_default().push(Stored { bytes, position, device });
        position
    }

    /// Makes one technician, or nobody, the holder of a job; those who are called to it come to help.
    fn hand_over(&mut self, job: JobId, technician: Option<UserId>, plan: &Plan) {
        let mut team: BTreeSet<_> = plan.calls.values().map(|call| call.technician).collect();
        team.extend(technician);
        let users: Vec<_> = self.grants.keys().copied().collect();
        for user in users.into_iter().filter(|user| !team.contains(user)) {
            self.withdraw(job, user);
        }
        for user in team {
            self.grant(job, user);
        }
    }

    /// The snapshot to send and the changes behind it.
    fn whole(&self, job: JobId) -> (Option<Vec<u8>>, Vec<Stored>) {
        let all = self.changes(job);
        let Some((position, bytes)) = self.snapshots.get(&job) else {
            return (None, all.to_vec());
        };
        let covered = all.iter().filter(|change| change.position <= *position);
        let covered_bytes = covered.map(|change| change.bytes.len()).sum();
        if !wants_snapshot(*position, self.safe, bytes.len(), covered_bytes) {
            return (None, all.to_vec());
        }
        let rest = all.iter().filter(|change| change.position > *position);
        (Some(bytes.clone()), rest.cloned().collect())
    }
}
