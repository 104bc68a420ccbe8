//! What the hall does with a request, in one go.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use domain::id::{JobId, UserId};
use domain::job::{Job, Plan};
use domain::stamp::Timestamp;

use super::{Apart, Grant, Hall};
use crate::authority::Writer;
use crate::hub::{
    GrantState, Ground, JobGround, Judgement, Known, Offer, Outcome, Page, Stored, Supply, judge,
    page,
};
use crate::limits::Limits;
use crate::message::{DecodeError, Position, Reply, Request, VERSION};

impl Hall {
    /// Answers a request of an enrolled device.
    pub fn exchange(
        &mut self,
        writer: Writer,
        request: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, DecodeError> {
        let request = Request::decode(request)?;
        let offer = Offer::inspect(&request, self.epoch, &Limits::default());
        let judgement = judge(&offer, &self.ground(&offer, writer));
        let positions = self.commit(&judgement);
        let receipts = self.receipts(writer.device, &request);
        self.hear(writer, &request, now);
        let page = self.page(writer, &request, &offer.offered().collect());
        let lacks = |hash: &ChangeHash| !request.packs.contains(hash);
        let packs = self.packs.iter().filter(|(hash, _)| lacks(hash));
        let reply = Reply {
            version: VERSION,
            cursor: crate::message::Cursor { epoch: self.epoch, position: page.position },
            safe: self.safe,
            server_at: now,
            verdicts: judgement.verdicts(&positions, &self.key),
            documents: page.documents,
            withdrawn: page.withdrawn,
            packs: packs.map(|(_, pack)| pack.clone()).collect(),
            more: page.more,
            recorded: self.heard.get(&writer.device).map_or(0, |heard| heard.recorded),
            receipts,
        };
        Ok(reply.encode())
    }

    /// Lets a change out of quarantine, as far as what it does allows; `None` when it is not there.
    pub fn release(&mut self, hash: ChangeHash) -> Option<Outcome> {
        let apart = self.quarantine.get(&hash)?.clone();
        let offer = Offer::release(apart.job, apart.bytes, &Limits::default());
        let judgement = judge(&offer, &self.ground(&offer, apart.writer));
        if !judgement.quarantined.iter().any(|refused| refused.hash == hash) {
            self.quarantine.remove(&hash);
        }
        self.commit(&judgement);
        judgement.outcomes.into_iter().map(|(_, _, outcome)| outcome).next()
    }

    fn ground(&self, offer: &Offer, writer: Writer) -> Ground {
        let known = offer.hashes().into_iter();
        Ground {
            writer,
            is_revoked: self.revoked.contains(&writer.device),
            jobs: offer
                .jobs()
                .into_iter()
                .filter(|job| self.documents.contains_key(job))
                .map(|job| (job, self.job_ground(job, writer.user)))
                .collect(),
            known: known.filter_map(|hash| Some((hash, self.known(hash, writer)?))).collect(),
            actors: self.bindings.clone(),
            key: self.key.clone(),
        }
    }

    fn job_ground(&self, job: JobId, user: UserId) -> JobGround {
        let waiting = self.waiting.get(&job).into_iter().flatten();
        JobGround {
            snapshot: None,
            changes: self.changes(job).iter().map(|change| change.bytes.clone()).collect(),
            grant: self.grant_state(job, user),
            waiting: waiting.map(|(_, waiting)| waiting.clone()).collect(),
        }
    }

    fn known(&self, hash: ChangeHash, writer: Writer) -> Option<Known> {
        if let Some((job, position, device)) = self.changes.get(&hash).copied() {
            return Some(Known::Accepted { job, position, device });
        }
        let mut waiting = self.waiting.values().flatten();
        if waiting.any(|(known, waiting)| *known == hash && waiting.writer == writer) {
            return Some(Known::Waiting);
        }
        let apart = self.quarantine.get(&hash)?;
        Some(Known::Quarantined { reason: apart.reason.clone(), writer: apart.writer })
    }

    fn commit(&mut self, judgement: &Judgement) -> BTreeMap<ChangeHash, Position> {
        let mut positions = BTreeMap::new();
        for (job, change) in judgement.accepted() {
            positions.insert(change.hash, self.store(job, change.bytes.clone(), change.device));
            self.quarantine.remove(&change.hash);
        }
        let refused = judgement.quarantined.iter();
        let left: BTreeSet<_> = refused.clone().map(|it| (it.job, it.hash, it.writer)).collect();
        for (job, waiting) in &mut self.waiting {
            waiting.retain(|(hash, it)| {
                !positions.contains_key(hash) && !left.contains(&(*job, *hash, it.writer))
            });
        }
        for refused in refused {
            let (job, bytes, writer) = (refused.job, refused.bytes.clone(), refused.writer);
            let reason = refused.reason.clone();
            self.quarantine.insert(refused.hash, Apart { job, bytes, writer, reason });
        }
        for kept in &judgement.waiting {
            self.quarantine.remove(&kept.hash);
            self.waiting.entry(kept.job).or_default().push((kept.hash, kept.waiting.clone()));
        }
        for (actor, device) in &judgement.bindings {
            self.bindings.entry(actor.clone()).or_insert(*device);
        }
        for job in &judgement.jobs {
            if job.accepted.iter().any(|change| change.is_returned) {
                self.take_back(job.id, job.before.as_ref(), &job.after);
            }
        }
        positions
    }

    /// Who may hold a job is told by its plan; when a phone brought that back, so are the grants.
    fn take_back(&mut self, id: JobId, before: Option<&Job>, after: &Job) {
        let (assignments, calls) = (&after.plan.assignments, &after.plan.calls);
        let is_same = |before: &Plan| before.assignments == *assignments && before.calls == *calls;
        if before.is_some_and(|before| is_same(&before.plan)) {
            return;
        }
        // Those who held it once are told again that they lost it.
        for user in assignments.values().filter_map(|assignment| assignment.technician) {
            if self.grant_state(id, user) == GrantState::Never {
                self.grant(id, user);
            }
        }
        let newest = assignments.last_key_value();
        let holder = newest.and_then(|(_, assignment)| assignment.technician);
        self.hand_over(id, holder, &after.plan);
    }

    fn hear(&mut self, writer: Writer, request: &Request, now: Timestamp) {
        let heard = self.heard.entry(writer.device).or_default();
        heard.recorded = heard.recorded.max(request.recorded);
        heard.pending = request.pending;
        heard.at = Some(now);
        heard.anchors.extend(request.anchors.iter().copied());
    }

    fn page(&self, writer: Writer, request: &Request, offered: &BTreeSet<ChangeHash>) -> Page {
        if self.revoked.contains(&writer.device) {
            return Page { position: 0, ..Page::default() };
        }
        let cursor = request.cursor;
        let after = cursor.filter(|it| it.epoch == self.epoch).map_or(0, |it| it.position);
        let mut supplies = self.supplies(writer.user, after);
        if cursor.is_none() {
            // A phone that never read anything holds nothing that could be withdrawn.
            supplies.retain(|supply| !matches!(supply, Supply::Withdrawn { .. }));
        }
        supplies.sort_by_key(Supply::position);
        let limit_bytes = usize::try_from(request.limit_bytes).unwrap_or(usize::MAX);
        page(supplies, (self.position, false), limit_bytes, offered, &self.key)
    }

    /// What is new for a user after a position.
    fn supplies(&self, user: UserId, after: Position) -> Vec<Supply> {
        let mut supplies = Vec::new();
        for (job, grants) in self.grants.get(&user).into_iter().flatten() {
            let Some(Grant { from, to }) = grants.last().copied() else { continue };
            let job = *job;
            match to {
                Some(position) if position > after => {
                    supplies.push(Supply::Withdrawn { position, job });
                }
                Some(_) => {}
                None if from > after => {
                    let (snapshot, changes) = self.whole(job);
                    supplies.push(Supply::Whole { position: from, job, snapshot, changes });
                }
                None => supplies.extend(self.since(job, after)),
            }
        }
        supplies
    }

    fn since(&self, job: JobId, after: Position) -> impl Iterator<Item = Supply> {
        let changes = self.changes(job).iter().filter(move |change| change.position > after);
        changes.cloned().map(move |change: Stored| Supply::Change { job, change })
    }
}
