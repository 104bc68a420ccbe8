//! The judgement: one outcome for each change offered, and what each job becomes.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, ChangeHash};
use domain::id::{DeviceId, FactId, JobId, VisitId};
use domain::job::Job;

use super::admission::{Admission, Candidate};
use super::ground::{Ground, Known, Waiting};
use super::offer::{Entry, Offer};
use super::{is_hall_actor, reason};
use crate::authority::Writer;
use crate::limits;
use crate::message::{Judged, Position, Verdict};
use crate::seal::{SealKey, Voucher};

/// What follows from an offer: to be written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// One for each change offered, in the order of the offer.
    pub outcomes: Vec<(ChangeHash, JobId, Outcome)>,
    /// The jobs that changed.
    pub jobs: Vec<JobJudgement>,
    /// Changes to keep until what they build on arrives; those of the ground stay as they are.
    pub waiting: Vec<Kept>,
    /// Changes to keep apart. One that waited before leaves the waiting.
    pub quarantined: Vec<Refused>,
    /// Actors that belong to a device from now on.
    pub bindings: BTreeMap<ActorId, DeviceId>,
}

/// What became of a change offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted; the store gives the position.
    Accepted,
    /// Accepted earlier.
    Duplicate {
        /// The job that has it.
        job: JobId,
        /// Where in the feed.
        position: Position,
        /// The device that made it; `None` when the hall did.
        device: Option<DeviceId>,
    },
    /// Kept until what it builds on arrives.
    Waiting,
    /// Kept apart, for this reason.
    Quarantined(String),
}

/// What one job becomes.
#[derive(Clone, Debug)]
pub struct JobJudgement {
    /// The job.
    pub id: JobId,
    /// As it was; `None` when the hall had forgotten it and a phone brought it back.
    pub before: Option<Job>,
    /// As it is now.
    pub after: Job,
    /// The changes to store, each after those it builds on. Positions are given in this order.
    pub accepted: Vec<Accepted>,
    /// Facts that are in the job now and were not before.
    pub new_facts: Vec<(VisitId, FactId)>,
}

/// A change to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its name.
    pub hash: ChangeHash,
    /// Its actor.
    pub actor: ActorId,
    /// Its place among that actor's changes of this job.
    pub seq: u64,
    /// The raw change chunk.
    pub bytes: Vec<u8>,
    /// Who offered it; of a change that came with a voucher somebody else may be the maker.
    pub writer: Writer,
    /// The device that made it; `None` when the hall did.
    pub device: Option<DeviceId>,
    /// Whether it has waited until now.
    pub has_waited: bool,
    /// Whether it waited in anybody's name and leaves the waiting.
    pub leaves_waiting: bool,
    /// Whether the hall held it before a restore.
    pub is_returned: bool,
}

/// A change to keep until what it builds on arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub hash: ChangeHash,
    /// Its actor.
    pub actor: ActorId,
    /// Its place among that actor's changes of this job.
    pub seq: u64,
    /// What has to be there when the job is judged again.
    pub waiting: Waiting,
}

/// A change to keep apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The job that it was offered for.
    pub job: JobId,
    /// Its name.
    pub hash: ChangeHash,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// Who offered it.
    pub writer: Writer,
    /// The key of the reason in the catalogue.
    pub reason: String,
    /// The reason in words, for the log; may quote what was written.
    pub detail: String,
    /// Whether it waited until now and leaves the waiting.
    pub has_waited: bool,
}

impl Judgement {
    /// The verdicts for the reply, once the store has given positions.
    pub fn verdicts(
        &self,
        positions: &BTreeMap<ChangeHash, Position>,
        key: &SealKey,
    ) -> Vec<Judged> {
        let devices: BTreeMap<_, _> = self
            .jobs
            .iter()
            .flat_map(|job| job.accepted.iter().map(|change| (change.hash, change.device)))
            .collect();
        let verdict = |hash: &ChangeHash, job: &JobId, outcome: &Outcome| match outcome {
            Outcome::Accepted => {
                let position = *positions.get(hash)?;
                let seal = key.seal(*job, *hash, devices.get(hash).copied().flatten());
                Some(Verdict::Acked { position, seal })
            }
            Outcome::Duplicate { job, position, device } => {
                let seal = key.seal(*job, *hash, *device);
                Some(Verdict::Duplicate { position: *position, seal })
            }
            Outcome::Waiting => Some(Verdict::Waiting),
            Outcome::Quarantined(reason) => Some(Verdict::Quarantined { reason: reason.clone() }),
        };
        let judged = self.outcomes.iter().filter_map(|(hash, job, outcome)| {
            verdict(hash, job, outcome).map(|verdict| Judged { hash: *hash, verdict })
        });
        judged.collect()
    }

    /// How many changes are to be stored.
    pub fn accepted(&self) -> impl Iterator<Item = (JobId, &Accepted)> {
        self.jobs.iter().flat_map(|job| job.accepted.iter().map(|change| (job.id, change)))
    }
}

/// Judges an offer on its ground. Reads no clock and stores nothing.
pub fn judge(offer: &Offer, ground: &Ground) -> Judgement {
    let mut judge = Judge {
        ground,
        is_released: offer.is_released,
        actors: ground.actors.clone(),
        judgement: Judgement::default(),
        outcomes: BTreeMap::new(),
    };
    let mut by_job: BTreeMap<JobId, Vec<Candidate>> = BTreeMap::new();
    for entry in &offer.entries {
        match judge.screen(entry) {
            Ok(candidate) => by_job.entry(entry.job).or_default().push(candidate),
            Err(outcome) => judge.settle(entry, outcome),
        }
    }
    for (job, candidates) in by_job {
        judge.judge_job(job, candidates);
    }
    let Judge { mut judgement, mut outcomes, .. } = judge;
    for entry in &offer.entries {
        if let Some(outcome) = outcomes.remove(&entry.hash) {
            judgement.outcomes.push((entry.hash, entry.job, outcome));
        }
    }
    judgement
}

/// Why a change does not come as far as its document.
enum Screened {
    /// Its fate is known.
    Known(Outcome),
    /// It goes to quarantine.
    Refused(&'static str, String),
}

struct Judge<'a> {
    ground: &'a Ground,
    is_released: bool,
    actors: BTreeMap<ActorId, DeviceId>,
    judgement: Judgement,
    outcomes: BTreeMap<ChangeHash, Outcome>,
}

impl Judge<'_> {
    /// Asks all that can be asked without the document.
    fn screen(&self, entry: &Entry) -> Result<Candidate, Screened> {
        let refused = |reason, detail: &str| Err(Screened::Refused(reason, detail.to_owned()));
        let inspected = match &entry.inspected {
            Ok(inspected) => inspected,
            Err(error) => return refused(reason::MALFORMED, &error.to_string()),
        };
        let key = &self.ground.key;
        let voucher = entry.voucher.filter(|voucher| key.verify(entry.job, entry.hash, voucher));
        match self.ground.known.get(&entry.hash) {
            Some(Known::Accepted { job, position, device }) => {
                let (job, position, device) = (*job, *position, *device);
                return Err(Screened::Known(Outcome::Duplicate { job, position, device }));
            }
            Some(Known::Waiting) if self.ground.is_revoked => {
                return Err(Screened::Known(Outcome::Waiting));
            }
            Some(Known::Quarantined { reason, writer })
                if *writer == self.ground.writer && voucher.is_none() && !self.is_released =>
            {
                return Err(Screened::Known(Outcome::Quarantined(reason.clone())));
            }
            Some(Known::Waiting | Known::Quarantined { .. }) | None => {}
        }
        if self.ground.is_revoked && !self.is_released {
            return refused(reason::REVOKED, "the device was shut out");
        }
        let is_elsewhere = |dep: &ChangeHash| {
            let known = self.ground.known.get(dep);
            matches!(known, Some(Known::Accepted { job, .. }) if *job != entry.job)
        };
        if inspected.deps.iter().any(is_elsewhere) {
            return refused(reason::WRONG_DOCUMENT, "it builds on a change of another job");
        }
        if voucher.is_none() && is_hall_actor(&inspected.actor) {
            return refused(reason::FORGED_ACTOR, "the actor is the hall's");
        }
        let bytes = entry.bytes.clone();
        let waiting = Waiting { bytes, writer: self.ground.writer, voucher };
        let needs_grant = !self.is_released;
        Ok(Candidate::new(inspected.change.clone(), waiting, needs_grant))
    }

    fn settle(&mut self, entry: &Entry, screened: Screened) {
        match screened {
            Screened::Known(outcome) => drop(self.outcomes.insert(entry.hash, outcome)),
            Screened::Refused(reason, detail) => self.refuse(Refused {
                job: entry.job,
                hash: entry.hash,
                bytes: entry.bytes.clone(),
                writer: self.ground.writer,
                reason: reason.to_owned(),
                detail,
                has_waited: false,
            }),
        }
    }

    fn refuse(&mut self, refused: Refused) {
        // What waited in another's name may be the very bytes that are offered now.
        if refused.writer == self.ground.writer {
            let outcome = Outcome::Quarantined(refused.reason.clone());
            self.outcomes.insert(refused.hash, outcome);
        }
        self.judgement.quarantined.push(refused);
    }

    /// Judges what was offered for one job, together with what waits there.
    fn judge_job(&mut self, job: JobId, offered: Vec<Candidate>) {
        let ground = self.ground.jobs.get(&job);
        let mut candidates = Vec::new();
        let mut waited = BTreeSet::new();
        for waiting in ground.map(|ground| ground.waiting.as_slice()).unwrap_or_default() {
            if let Some(candidate) = Candidate::waited(waiting) {
                if waiting.writer == self.ground.writer {
                    waited.insert(candidate.hash);
                }
                candidates.push(candidate);
            }
        }
        let count = candidates.len();
        candidates.extend(offered.into_iter().filter(|it| !waited.contains(&it.hash)));
        let mut admission = Admission::new(job, ground, self.ground.writer.user, &mut self.actors);
        admission.run(candidates);
        let decided = admission.finish();
        for (candidate, reason, detail) in decided.refused {
            self.refuse(candidate.into_refused(job, reason, detail));
        }
        self.keep_waiting(job, decided.waiting, count);
        if let Some(judgement) = decided.judgement {
            for change in &judgement.accepted {
                self.outcomes.insert(change.hash, Outcome::Accepted);
            }
            self.judgement.jobs.push(judgement);
        }
        let bound = self.actors.iter().filter(|(actor, _)| !self.ground.actors.contains_key(actor));
        self.judgement.bindings.extend(bound.map(|(actor, device)| (actor.clone(), *device)));
    }

    fn keep_waiting(&mut self, job: JobId, waiting: Vec<Candidate>, mut count: usize) {
        for candidate in waiting {
            if !candidate.has_waited && count >= limits::WAITING_PER_JOB {
                let detail = format!("{count} changes of the job wait already");
                let reason = reason::TOO_MANY_WAITING.to_owned();
                self.refuse(candidate.into_refused(job, reason, detail));
                continue;
            }
            if *candidate.writer() == self.ground.writer {
                self.outcomes.insert(candidate.hash, Outcome::Waiting);
            }
            if !candidate.has_waited {
                count += 1;
                self.judgement.waiting.push(candidate.into_kept(job));
            }
        }
    }
}

/// The device that made an accepted change.
pub(super) fn maker(waiting: &Waiting) -> Option<DeviceId> {
    let device = Some(waiting.writer.device);
    waiting.voucher.map_or(device, |Voucher { device, .. }| device)
}
