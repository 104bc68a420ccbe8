//! The changes of one job, let into a copy of its document one after another.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, Automerge, Change, ChangeHash};
use domain::id::{DeviceId, FactId, JobId, UserId, VisitId};
use domain::job::Job;

use super::ground::{GrantState, JobGround, Waiting};
use super::judgement::{Accepted, JobJudgement, Kept, Refused, maker};
use super::reason;
use crate::authority::{Authority, Refusal, Writer};
use crate::document::{apply, load, read};

/// A change on its way into a document.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) hash: ChangeHash,
    pub(super) has_waited: bool,
    change: Change,
    waiting: Waiting,
    /// Whether the grant still has to be looked at.
    needs_grant: bool,
}

impl Candidate {
    pub(super) fn new(change: Change, waiting: Waiting, needs_grant: bool) -> Self {
        Self { hash: change.hash(), has_waited: false, change, waiting, needs_grant }
    }

    /// One that was looked at when it came, up to its document.
    pub(super) fn waited(waiting: &Waiting) -> Option<Self> {
        let change = Change::from_bytes(waiting.bytes.clone()).ok()?;
        let hash = change.hash();
        Some(Self { hash, has_waited: true, change, waiting: waiting.clone(), needs_grant: false })
    }

    pub(super) fn into_refused(self, job: JobId, reason: String, detail: String) -> Refused {
        let Waiting { bytes, writer, .. } = self.waiting;
        Refused { job, hash: self.hash, bytes, writer, reason, detail, has_waited: self.has_waited }
    }

    pub(super) fn into_kept(self, job: JobId) -> Kept {
        let (actor, seq) = (self.change.actor_id().clone(), self.change.seq());
        Kept { job, hash: self.hash, actor, seq, waiting: self.waiting }
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.waiting.writer
    }

    fn into_accepted(self, left_waiting: &BTreeSet<ChangeHash>) -> Accepted {
        Accepted {
            leaves_waiting: self.has_waited || left_waiting.contains(&self.hash),
            hash: self.hash,
            actor: self.change.actor_id().clone(),
            seq: self.change.seq(),
            writer: self.waiting.writer,
            device: maker(&self.waiting),
            has_waited: self.has_waited,
            is_returned: self.waiting.voucher.is_some(),
            bytes: self.waiting.bytes,
        }
    }

    fn is_vouched(&self) -> bool {
        self.waiting.voucher.is_some()
    }
}

/// What was decided about the changes of one job.
pub(super) struct Decided {
    pub(super) judgement: Option<JobJudgement>,
    pub(super) waiting: Vec<Candidate>,
    pub(super) refused: Vec<(Candidate, String, String)>,
}

/// The document while changes are let in.
pub(super) struct Admission<'a> {
    id: JobId,
    /// What the store has of it does not load; nothing is let in on top.
    is_broken: bool,
    grant: GrantState,
    user: UserId,
    actors: &'a mut BTreeMap<ActorId, DeviceId>,
    /// `None` while the hall has no such job.
    doc: Option<Automerge>,
    before: Option<Job>,
    accepted: Vec<Candidate>,
    waiting: Vec<Candidate>,
    refused: Vec<(Candidate, String, String)>,
}

/// What one look at a change said.
enum Look {
    Ready,
    NotYet,
    Refused(String, String),
}

impl<'a> Admission<'a> {
    pub(super) fn new(
        id: JobId,
        ground: Option<&JobGround>,
        user: UserId,
        actors: &'a mut BTreeMap<ActorId, DeviceId>,
    ) -> Self {
        let doc = ground.and_then(|it| load(it.snapshot.as_deref(), &it.changes).ok());
        let before = doc.as_ref().and_then(|doc| read(doc).ok());
        let is_broken = ground.is_some() && before.is_none();
        let grant = ground.map_or(GrantState::Never, |ground| ground.grant);
        let (accepted, waiting, refused) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, is_broken, grant, user, actors, doc, before, accepted, waiting, refused }
    }

    /// Lets in what can be let in, in as many passes as it takes.
    pub(super) fn run(&mut self, candidates: Vec<Candidate>) {
        if self.is_broken {
            for candidate in candidates {
                self.refuse_document(candidate, "the stored document does not load".to_owned());
            }
            return;
        }
        self.waiting = candidates;
        // What the hall held before goes first: it may be the plan that the rest builds on.
        while self.pass_vouched() || self.pass_offered() {}
        if self.doc.is_none() {
            for candidate in std::mem::take(&mut self.waiting) {
                let detail = "the hall has no such job".to_owned();
                self.refused.push((candidate, reason::UNKNOWN_JOB.to_owned(), detail));
            }
        }
    }

    pub(super) fn finish(self) -> Decided {
        let Self { id, doc, before, accepted, mut waiting, mut refused, .. } = self;
        // Bytes that were right in one name need no answer in another.
        let done: BTreeSet<ChangeHash> = accepted.iter().map(|it| it.hash).collect();
        let others = waiting.iter().chain(refused.iter().map(|(candidate, ..)| candidate));
        let left_waiting: BTreeSet<ChangeHash> = others
            .filter(|it| it.has_waited && done.contains(&it.hash))
            .map(|it| it.hash)
            .collect();
        waiting.retain(|it| !done.contains(&it.hash));
        refused.retain(|(candidate, ..)| !done.contains(&candidate.hash));
        let after = doc.as_ref().and_then(|doc| read(doc).ok()).filter(|_| !accepted.is_empty());
        let judgement = after.map(|after| JobJudgement {
            id,
            new_facts: new_facts(before.as_ref(), &after),
            before,
            after,
            accepted: accepted.into_iter().map(|it| it.into_accepted(&left_waiting)).collect(),
        });
        Decided { judgement, waiting, refused }
    }

    /// Lets in returned changes whose causes are there; returns whether there was one.
    fn pass_vouched(&mut self) -> bool {
        let mut progress = false;
        for candidate in std::mem::take(&mut self.waiting) {
            let deps = candidate.change.deps();
            // One that waited may come from another phone as well, and is let in once (S5).
            let is_in = self.accepted.iter().any(|it| it.hash == candidate.hash);
            if is_in || !candidate.is_vouched() || !deps.iter().all(|dep| self.has(dep)) {
                self.waiting.push(candidate);
                continue;
            }
            progress = true;
            match self.with(std::slice::from_ref(&candidate.change)) {
                Ok(next) => {
                    self.doc = Some(next);
                    self.bind(&candidate);
                    self.accepted.push(candidate);
                }
                Err(detail) => self.refuse_document(candidate, detail),
            }
        }
        progress
    }

    /// Lets in what technicians offer, all at once when that works; returns whether something was.
    fn pass_offered(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let Some(doc) = self.doc.clone() else { return false };
        let ready = self.look(&doc);
        if ready.is_empty() {
            return false;
        }
        let changes: Vec<_> = ready.iter().map(|candidate| candidate.change.clone()).collect();
        if let Ok(next) = self.with(&changes) {
            self.doc = Some(next);
            self.accepted.extend(ready);
            return true;
        }
        self.one_by_one(ready)
    }

    /// The document with the changes, if it is still this job; else what is wrong.
    fn with(&self, changes: &[Change]) -> Result<Automerge, String> {
        let next = match &self.doc {
            Some(doc) => apply(doc, changes),
            None => apply(&Automerge::new(), changes),
        };
        let next = next.map_err(|error| error.to_string())?;
        match read(&next) {
            Ok(job) if job.id == self.id => Ok(next),
            Ok(job) => Err(format!("it would become job {}", job.id)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn has(&self, hash: &ChangeHash) -> bool {
        self.doc.as_ref().is_some_and(|doc| doc.get_change_meta_by_hash(hash).is_some())
    }

    /// Passes every check on each candidate; those that may go in are returned in causal order.
    fn look(&mut self, doc: &Automerge) -> Vec<Candidate> {
        let mut ready = Vec::new();
        let mut authority = match Authority::new(doc) {
            Ok(authority) => authority,
            Err(error) => {
                for candidate in std::mem::take(&mut self.waiting) {
                    self.refuse_document(candidate, error.to_string());
                }
                return ready;
            }
        };
        loop {
            let before = ready.len();
            for candidate in std::mem::take(&mut self.waiting) {
                match self.look_at(&candidate, &mut authority) {
                    Look::Ready => {
                        self.bind(&candidate);
                        ready.push(candidate);
                    }
                    // Nothing is known yet of whose actor it is.
                    Look::NotYet => self.waiting.push(candidate),
                    Look::Refused(reason, detail) => self.refused.push((candidate, reason, detail)),
                }
            }
            if ready.len() == before {
                return ready;
            }
        }
    }

    fn look_at(&self, candidate: &Candidate, authority: &mut Authority<'_>) -> Look {
        if candidate.is_vouched() {
            return Look::NotYet;
        }
        let writer = &candidate.waiting.writer;
        let owner = self.actors.get(candidate.change.actor_id());
        if owner.is_some_and(|owner| *owner != writer.device) {
            let detail = "the actor belongs to another device".to_owned();
            return Look::Refused(reason::FORGED_ACTOR.to_owned(), detail);
        }
        if candidate.needs_grant && !self.may_write() {
            let detail = "the user never held the job".to_owned();
            return Look::Refused(reason::NOT_GRANTED.to_owned(), detail);
        }
        match authority.admit(&candidate.change, writer) {
            Ok(_) => Look::Ready,
            Err(Refusal::Missing(_)) => Look::NotYet,
            Err(refusal) => Look::Refused(refusal.key().to_owned(), refusal.to_string()),
        }
    }

    /// Whether the user holds the job, did, or was given it in a plan that came back.
    fn may_write(&self) -> bool {
        match self.grant {
            GrantState::Held | GrantState::Withdrawn => true,
            GrantState::Never => {
                let returned = self.accepted.iter().any(Candidate::is_vouched);
                let job = self.doc.as_ref().filter(|_| returned).and_then(|doc| read(doc).ok());
                job.is_some_and(|job| {
                    let plan = &job.plan;
                    plan.assignments.values().any(|it| it.technician == Some(self.user))
                        || plan.calls.values().any(|it| it.technician == self.user)
                })
            }
        }
    }

    /// One of them breaks the document: the others go on without it.
    fn one_by_one(&mut self, ready: Vec<Candidate>) -> bool {
        let mut progress = false;
        for candidate in ready {
            if !candidate.change.deps().iter().all(|dep| self.has(dep)) {
                self.waiting.push(candidate);
                continue;
            }
            match self.with(std::slice::from_ref(&candidate.change)) {
                Ok(next) => {
                    self.doc = Some(next);
                    progress = true;
                    self.accepted.push(candidate);
                }
                Err(detail) => self.refuse_document(candidate, detail),
            }
        }
        progress
    }

    fn bind(&mut self, candidate: &Candidate) {
        let Some(device) = maker(&candidate.waiting) else { return };
        self.actors.entry(candidate.change.actor_id().clone()).or_insert(device);
    }

    fn refuse_document(&mut self, candidate: Candidate, detail: String) {
        self.refused.push((candidate, reason::DOCUMENT.to_owned(), detail));
    }
}

fn new_facts(before: Option<&Job>, after: &Job) -> Vec<(VisitId, FactId)> {
    let was_there = |visit: &VisitId, fact: &FactId| {
        let visit = before.and_then(|job| job.visits.get(visit));
        visit.is_some_and(|visit| visit.facts.contains_key(fact))
    };
    let facts = after
        .visits
        .iter()
        .flat_map(|(id, visit)| visit.facts.keys().map(move |fact| (*id, *fact)));
    facts.filter(|(visit, fact)| !was_there(visit, fact)).collect()
}

#[cfg(test)]
mod tests {
    use automerge::ROOT;
    use automerge::transaction::Transactable;
    use domain::id::DeviceId;
    use uuid::Uuid;

    use super::*;
    use crate::document::{Pen, create};

    #[test]
    fn s17_one_change_that_the_document_does_not_take_leaves_the_others_alone() {
        let json = include_str!("../../tests/hostile/job.json");
        let job: Job = serde_json::from_str(json).unwrap();
        let pen = Pen { actor: ActorId::from(b"hall"), at: job.created_at };
        let changes = vec![create(&job, &pen).unwrap()];
        let doc = load(None, &changes).unwrap();
        let ground = JobGround { changes, grant: GrantState::Held, ..JobGround::default() };
        let id = Uuid::from_bytes([9; 16]).to_string();
        let ready = vec![
            put(&doc, b"one", "a", "1"),
            put(&doc, b"two", "id", &id),
            put(&doc, b"3", "b", "2"),
        ];
        let (one, bad, three) = (ready[0].hash, ready[1].hash, ready[2].hash);
        let mut actors = BTreeMap::new();
        let user = UserId(Uuid::from_bytes([1; 16]));
        let mut admission = Admission::new(job.id, Some(&ground), user, &mut actors);

        assert!(
            admission.with(&ready.iter().map(|it| it.change.clone()).collect::<Vec<_>>()).is_err()
        );
        assert!(admission.one_by_one(ready));

        let decided = admission.finish();
        let accepted = decided.judgement.unwrap().accepted;
        assert_eq!(accepted.iter().map(|it| it.hash).collect::<Vec<_>>(), [one, three]);
        assert_eq!(decided.refused[0].0.hash, bad);
        assert_eq!(decided.refused[0].1, reason::DOCUMENT);
    }

    /// A change that no gate would let through, as if the gate had a hole.
    fn put(doc: &Automerge, actor: &[u8], key: &str, value: &str) -> Candidate {
        let mut doc = doc.clone().with_actor(ActorId::from(actor));
        let mut tx = doc.transaction();
        tx.put(ROOT, key, value).unwrap();
        tx.commit();
        let change = doc.get_last_local_change().unwrap();
        let nobody = Uuid::from_bytes([1; 16]);
        let writer = Writer { user: UserId(nobody), device: DeviceId(nobody) };
        let bytes = change.raw_bytes().to_vec();
        Candidate::new(change, Waiting { bytes, writer, voucher: None }, false)
    }
}
