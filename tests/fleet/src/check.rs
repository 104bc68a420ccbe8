//! The promises, held against the fleet after each event, and after it was healed.

mod account;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};
use domain::id::{FactId, JobId, VisitId};
use domain::job::Job;
use domain::visit::{Fact, live_facts};
use sync::chunk::chunk_hash;
use sync::hall::Hall;
use sync::hub::GrantState;
use uuid::Uuid;

use crate::world::{Broken, World, broken};

pub use rest::at_rest;

/// What a fact or message of a job says, as JSON; `None` when the job has no such.
pub fn content(job: &Job, id: Uuid) -> Option<String> {
    let facts = job.visits.values().flat_map(|visit| &visit.facts);
    let fact =
        facts.into_iter().find(|(fact, _)| fact.0 == id).map(|(_, it)| serde_json::to_string(it));
    let message = job.messages.iter().find(|(message, _)| message.0 == id);
    let message = message.map(|(_, it)| serde_json::to_string(it));
    fact.or(message)?.ok()
}

/// How much cash something that was recorded takes, in fen.
pub fn cash(content: &str) -> i64 {
    let recorded = serde_json::from_str::<domain::visit::Recorded>(content);
    match recorded.map(|it| it.fact) {
        Ok(Fact::CashTaken { amount, .. }) => amount.0,
        _ => 0,
    }
}

/// S1: what a phone called saved is on it, word for word, or was thrown away under a verified backup.
pub fn on_phone(world: &World, at: usize) -> Result<(), Broken> {
    let Some(phone) = world.phones[at].running.as_ref() else { return Ok(()) };
    let held: BTreeMap<Uuid, JobId> = phone.device().own().map(|own| (own.id, own.job)).collect();
    for (id, recorded) in world.oracle.recorded.iter().filter(|(_, it)| it.phone == at) {
        if recorded.destroyed.is_some() {
            continue;
        }
        let Some(job) = held.get(id) else {
            if world.was_purged(recorded) && recorded.acked.is_some() {
                continue;
            }
            return Err(broken(
                "S1",
                format!("phone {at} no longer holds {id}, which it had saved"),
            ));
        };
        let said = phone.device().job(*job).and_then(|job| content(job, *id));
        if said.is_some_and(|said| said != recorded.content) {
            return Err(broken(
                "S14",
                format!("{id} reads otherwise on phone {at} than when it was saved"),
            ));
        }
    }
    Ok(())
}

/// S2 and S13: what was acknowledged is there while its history goes on.
pub fn acks(world: &World) -> Result<(), Broken> {
    for (id, recorded) in &world.oracle.recorded {
        let is_missing = world.hall.position_of(recorded.hash).is_none();
        if recorded.acked == Some(world.hall.epoch()) && is_missing {
            let what = format!(
                "{id} of phone {} was acknowledged in this history and is not there",
                recorded.phone
            );
            return Err(broken("S2", what));
        }
    }
    Ok(())
}

/// S12: what left a phone during a session was acknowledged and is covered by a verified backup.
pub fn purged(world: &World, at: usize, before: &BTreeSet<ChangeHash>) -> Result<(), Broken> {
    let now = world.held(at);
    let gone = before.difference(&now).find(|hash| !world.oracle.covered.contains(*hash));
    match gone {
        Some(hash) => {
            Err(broken("S12", format!("phone {at} threw away {hash}, which no backup covers")))
        }
        None => Ok(()),
    }
}

/// S15: a phone holds jobs only that its technician was given at some time.
pub fn scope(world: &World, at: usize) -> Result<(), Broken> {
    let Some(phone) = world.phones[at].running.as_ref() else { return Ok(()) };
    let user = world.phones[at].writer.user;
    let given = |job: JobId| world.oracle.given.contains(&(user, job));
    match phone.device().jobs().find(|job| !given(job.id)) {
        Some(job) => {
            Err(broken("S15", format!("phone {at} holds {}, which nobody gave it", job.id)))
        }
        None => Ok(()),
    }
}

/// S7: after a session in which both said all, a phone that was not shut out holds what the hall holds.
pub fn complete(world: &World, at: usize) -> Result<(), Broken> {
    let fleet = &world.phones[at];
    let Some(phone) = fleet.running.as_ref().filter(|_| !fleet.is_shut_out) else { return Ok(()) };
    for job in world.hall.jobs() {
        if world.hall.grant_state(job, fleet.writer.user) != GrantState::Held {
            continue;
        }
        let stored: Vec<Change> = changes(world, job).collect();
        let hall: BTreeSet<ChangeHash> = stored.iter().map(Change::hash).collect();
        let built_on: BTreeSet<ChangeHash> =
            stored.iter().flat_map(|change| change.deps().iter().copied()).collect();
        let newest: BTreeSet<ChangeHash> = hall.difference(&built_on).copied().collect();
        let heads = phone.device().heads(job);
        let is_equal =
            heads.is_some_and(|heads| heads.into_iter().collect::<BTreeSet<_>>() == newest);
        // What is kept apart or waits is on the phone and not at the hall.
        let has_more = phone.device().own().any(|own| own.job == job && !hall.contains(&own.hash));
        if !is_equal && !has_more {
            return Err(broken("S7", format!("phone {at} has read all and lacks news of {job}")));
        }
    }
    Ok(())
}

fn changes(world: &World, job: JobId) -> impl Iterator<Item = Change> {
    world.hall.changes(job).iter().filter_map(|it| Change::from_bytes(it.bytes.clone()).ok())
}

/// Every change that a hall holds.
pub fn hashes(hall: &Hall) -> BTreeSet<ChangeHash> {
    let jobs = hall.jobs();
    jobs.flat_map(|job| hall.changes(job)).map(|change| chunk_hash(&change.bytes)).collect()
}

/// S22: a restored hall holds all that its backup held.
pub fn restored(world: &World) -> Result<(), Broken> {
    let held = hashes(&world.hall);
    match world.oracle.in_last_backup.difference(&held).next() {
        Some(hash) => Err(broken("S22", format!("{hash} was in the backup and is not restored"))),
        None => Ok(()),
    }
}

/// L5: whatever a phone holds has reached the hall after a session that nothing broke, also when its disk was full.
pub fn handed_in(world: &World, held: &BTreeSet<ChangeHash>, at: usize) -> Result<(), Broken> {
    let has = |hash: ChangeHash| {
        let hall = &world.hall;
        hall.position_of(hash).is_some()
            || hall.quarantined(hash).is_some()
            || hall.is_waiting(hash)
    };
    match held.iter().find(|hash| !has(**hash)) {
        Some(hash) => Err(broken("L5", format!("phone {at} kept {hash} from the hall"))),
        None => Ok(()),
    }
}

/// The hazards that visits of a job found and nobody took back.
pub fn hazards_found(job: &Job) -> Vec<(VisitId, FactId)> {
    let visits = job.visits.iter();
    let live = visits.flat_map(|(id, visit)| live_facts(visit).into_iter().map(|it| (*id, it)));
    let found = live.filter(|(_, (_, it))| matches!(it.fact, Fact::HazardFound { .. }));
    found.map(|(visit, (fact, _))| (visit, fact)).collect()
}
