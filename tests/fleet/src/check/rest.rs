//! What holds once all have met in peace.

use std::collections::{BTreeMap, BTreeSet};

use automerge::Automerge;
use domain::id::JobId;
use domain::job::Job;
use domain::visit::Fact;
use sync::chunk::chunk_hash;
use sync::device::Standing;
use sync::document;
use sync::hub::GrantState;
use uuid::Uuid;

use super::{account, changes, content};
use crate::dice::Dice;
use crate::oracle::Recorded;
use crate::world::{Broken, World, broken};

/// The hall's jobs, each read once: nothing changes any more.
pub(super) type Jobs = BTreeMap<JobId, Job>;

/// Everything that holds once all have met in peace: S3 to S6, S8 to S11, S14, S16.
pub fn at_rest(world: &World, dice: &mut Dice) -> Result<(), Broken> {
    let jobs: Jobs =
        world.hall.jobs().filter_map(|id| Some((id, world.hall.job(id).ok()?))).collect();
    nothing_lost(world, &jobs)?;
    no_phantom(world)?;
    counted_once(world, &jobs)?;
    no_receipt_twice(world)?;
    account::agrees(world, &jobs)?;
    for job in world.hall.jobs() {
        follows_its_ground(world, job)?;
        same_in_any_order(world, job, dice)?;
        crate::newer::survives(world, job)?;
    }
    for at in 0..world.phones.len() {
        converged(world, &jobs, at)?;
    }
    Ok(())
}

/// S3 and S14: whatever was saved is at the hall word for word, or kept apart with a reason, or was lost with its store.
fn nothing_lost(world: &World, jobs: &Jobs) -> Result<(), Broken> {
    for (id, it) in &world.oracle.recorded {
        if world.hall.position_of(it.hash).is_some() {
            let said = jobs.get(&it.job).and_then(|job| content(job, *id));
            if said.as_deref() != Some(it.content.as_str()) {
                return Err(broken(
                    "S14",
                    format!("{id} reads otherwise at the hall than when it was saved"),
                ));
            }
        } else if world.hall.quarantined(it.hash).is_some() {
            // Honest phones that were not shut out make nothing that has to be kept apart.
            let phone = &world.phones[it.phone];
            if !phone.is_shut_out && !phone.was_damaged {
                let reason = world.hall.quarantined(it.hash).map(|apart| apart.reason.clone());
                let what = format!(
                    "{id} of phone {} is kept apart: {}",
                    it.phone,
                    reason.unwrap_or_default()
                );
                return Err(broken("S3", what));
            }
        } else if !it.is_lost && !builds_on_what_is_lost(world, it) {
            let what = format!(
                "{id}, saved on phone {}, is nowhere (waits: {})",
                it.phone,
                world.hall.is_waiting(it.hash)
            );
            return Err(broken("S3", what));
        }
    }
    Ok(())
}

/// Whether a change waits for one that was lost with what its phone's store lost; it is kept, and shown as waiting.
fn builds_on_what_is_lost(world: &World, it: &Recorded) -> bool {
    world.hall.is_waiting(it.hash) && world.phones[it.phone].was_damaged
}

/// S4: the hall holds of phones only what some phone saved.
fn no_phantom(world: &World) -> Result<(), Broken> {
    for job in world.hall.jobs() {
        for stored in world.hall.changes(job).iter().filter(|it| it.device.is_some()) {
            let hash = chunk_hash(&stored.bytes);
            let known =
                world.oracle.hashes.contains_key(&hash) || world.oracle.made_up.contains(&hash);
            if !known {
                return Err(broken("S4", format!("the hall holds {hash}, which nobody saved")));
            }
        }
    }
    Ok(())
}

/// S5: the till, which reads the hall's jobs, has each taking of cash that reached the hall, once.
fn counted_once(world: &World, jobs: &Jobs) -> Result<(), Broken> {
    let oracle = &world.oracle.recorded;
    let there = oracle.values().filter(|it| world.hall.position_of(it.hash).is_some());
    let expected: i64 = there.map(|it| it.cash).sum();
    let read: i64 = jobs.values().map(|job| taken(world, job)).sum();
    let till = read + world.counted_again;
    if till == expected {
        return Ok(());
    }
    Err(broken("S5", format!("the till says {till} fen, and {expected} were taken")))
}

/// The cash of a job's visits, in fen; what a hostile client made up is not the phones'.
fn taken(world: &World, job: &Job) -> i64 {
    let facts = job.visits.values().flat_map(|visit| &visit.facts);
    let saved = facts.filter(|(id, _)| world.oracle.recorded.contains_key(&id.0));
    saved
        .map(|(_, it)| if let Fact::CashTaken { amount, .. } = it.fact { amount.0 } else { 0 })
        .sum()
}

/// S5: no receipt number stands on two receipts, whatever became of phones and halls in between (B15).
fn no_receipt_twice(world: &World) -> Result<(), Broken> {
    let mut seen: BTreeMap<String, Uuid> = BTreeMap::new();
    for (id, it) in &world.oracle.recorded {
        let Some(number) = receipt(&it.content) else { continue };
        if let Some(other) = seen.insert(number.clone(), *id)
            && !world.phones[it.phone].was_damaged
            && !world.phones[it.phone].is_copy
        {
            return Err(broken("S5", format!("receipt {number} stands on {other} and on {id}")));
        }
    }
    Ok(())
}

/// The number of a receipt.
fn receipt(content: &str) -> Option<String> {
    let recorded = serde_json::from_str::<domain::visit::Recorded>(content).ok()?;
    let Fact::CashTaken { receipt, .. } = recorded.fact else { return None };
    Some(receipt)
}

/// S6: nothing stands in the feed before what it builds on.
fn follows_its_ground(world: &World, job: JobId) -> Result<(), Broken> {
    let mut known = BTreeSet::new();
    for change in changes(world, job) {
        if !change.deps().iter().all(|it| known.contains(it)) {
            let what = format!("{} of {job} comes before what it builds on", change.hash());
            return Err(broken("S6", what));
        }
        known.insert(change.hash());
    }
    Ok(())
}

/// S9, S10 and S11: the same changes in any order make the same job, a snapshot reads as they do, actors count their own.
fn same_in_any_order(world: &World, job: JobId, dice: &mut Dice) -> Result<(), Broken> {
    let mut stored: Vec<Vec<u8>> =
        world.hall.changes(job).iter().map(|it| it.bytes.clone()).collect();
    let straight =
        document::load(None, &stored).map_err(|error| broken("S9", error.to_string()))?;
    if let Err(error) = document::snapshot(&straight, &stored) {
        return Err(broken("S10", format!("{job}: {error}")));
    }
    for at in (1..stored.len()).rev() {
        let other = usize::try_from(dice.below(at as u64 + 1)).unwrap_or(0);
        stored.swap(at, other);
    }
    let shuffled =
        document::load(None, &stored).map_err(|error| broken("S9", error.to_string()))?;
    if !reads_the_same(&straight, &shuffled) {
        return Err(broken("S9", format!("{job} depends on the order of its changes")));
    }
    let mut numbers = BTreeSet::new();
    for change in changes(world, job) {
        let (actor, seq) = (change.actor_id().clone(), change.seq());
        if !numbers.insert((actor.clone(), seq)) {
            let twins = changes(world, job).filter(|it| *it.actor_id() == actor && it.seq() == seq);
            let made_up = |hash| world.oracle.made_up.contains(&hash);
            let twins: Vec<_> = twins.map(|it| (it.hash(), made_up(it.hash()))).collect();
            let what = format!("{job} has two changes {seq} of {actor}, made up: {twins:?}");
            return Err(broken("S11", what));
        }
    }
    Ok(())
}

fn reads_the_same(one: &Automerge, other: &Automerge) -> bool {
    one.get_heads() == other.get_heads() && document::read(one).ok() == document::read(other).ok()
}

/// S8, L1 and S16: a phone has nothing left to say and holds what it may hold, as the hall holds it.
fn converged(world: &World, jobs: &Jobs, at: usize) -> Result<(), Broken> {
    let fleet = &world.phones[at];
    let Some(phone) = fleet.running.as_ref() else {
        return Err(broken("L1", format!("phone {at} does not run")));
    };
    let device = phone.device();
    if fleet.is_shut_out {
        return Ok(());
    }
    let stays = device.own().filter(|own| *own.standing == Standing::OnThisPhoneOnly).count();
    if stays > 0 {
        return Err(broken(
            "L1",
            format!("phone {at} still has {stays} changes that the hall never judged"),
        ));
    }
    for job in world.hall.jobs() {
        let is_held = world.hall.grant_state(job, fleet.writer.user) == GrantState::Held;
        let holds = device.job(job).is_some();
        // A damaged log may have lost the plan that a restored hall forgot as well: nobody can give it back.
        let is_forgotten = fleet.was_damaged && world.was_restored();
        if holds != is_held && !is_kept(device, job) && !(holds && is_forgotten) {
            return Err(broken(
                "S8",
                format!("phone {at} and the hall disagree on who holds {job}"),
            ));
        }
        if is_held && device.job(job) != jobs.get(&job) && !is_kept(device, job) {
            return Err(broken("S8", format!("phone {at} reads {job} otherwise than the hall")));
        }
    }
    Ok(())
}

/// Whether a phone keeps a job although it was withdrawn, or reads more in it than the hall: it holds what the hall does not take.
fn is_kept(device: &sync::device::Device, job: JobId) -> bool {
    device.own().any(|own| own.job == job && !matches!(own.standing, Standing::Acked(..)))
}
