//! A second account of what jobs come to, worked out of what was recorded and not of the hall's documents.

use std::collections::{BTreeMap, BTreeSet};

use domain::hazard::{Finding, open};
use domain::id::{FactId, JobId, VisitId};
use domain::job::Job;
use domain::stamp::Interval;
use domain::status::{Status, assigned, standing};
use domain::visit::Fact;
use serde_json::Value;
use sync::chunk::chunk_hash;
use sync::hub::GrantState;
use uuid::Uuid;

use super::hazards_found;
use super::rest::Jobs;
use crate::bug::Bug;
use crate::homes;
use crate::oracle::Recorded;
use crate::world::{Broken, World, broken};

/// S8 and S14: where jobs stand and which hazards are open is what the records at the hall say; who has a job by its
/// plan holds it.
pub(super) fn agrees(world: &World, jobs: &Jobs) -> Result<(), Broken> {
    for (id, job) in jobs.iter().filter(|(id, _)| !is_forged(world, **id)) {
        let there: Vec<(Uuid, &Recorded)> = world
            .oracle
            .recorded
            .iter()
            .filter(|(_, it)| it.job == *id && world.hall.position_of(it.hash).is_some())
            .map(|(id, it)| (*id, it))
            .collect();
        status_agrees(world, job, &there)?;
        hazards_agree(world, job, &there)?;
        holder_agrees(world, job)?;
    }
    Ok(())
}

/// Whether a hostile client has changed a job as its maker may.
fn is_forged(world: &World, job: JobId) -> bool {
    let made_up = &world.oracle.made_up;
    world.hall.changes(job).iter().any(|it| made_up.contains(&chunk_hash(&it.bytes)))
}

fn status_agrees(world: &World, job: &Job, there: &[(Uuid, &Recorded)]) -> Result<(), Broken> {
    let says = match world.bug {
        Some(Bug::StoredStatus) => stored_status(world, there).unwrap_or(standing(job).status),
        _ => standing(job).status,
    };
    let expected = expected_status(job, there);
    if says == expected {
        return Ok(());
    }
    let what = format!("{} is said to be {}, and is {}", job.id, says.key(), expected.key());
    Err(broken("S8", what))
}

/// What a careless hall stores: the status of the fact that arrived last.
fn stored_status(world: &World, there: &[(Uuid, &Recorded)]) -> Option<Status> {
    let reached = there
        .iter()
        .filter_map(|(_, it)| Some((world.hall.position_of(it.hash)?, reached(&said(it))?)));
    reached.max_by_key(|(position, _)| *position).map(|(_, status)| status)
}

/// Where a job stands by the records alone; only whom the hall sent and whether it called off is asked of the plan.
fn expected_status(job: &Job, there: &[(Uuid, &Recorded)]) -> Status {
    let taken_back = taken_back(there);
    let mut visits: BTreeMap<Uuid, Status> = BTreeMap::new();
    for (id, recorded) in there.iter().filter(|(id, _)| !taken_back.contains(&id.to_string())) {
        let Some(status) = reached(&said(recorded)) else { continue };
        let furthest = visits.entry(visit_of(job, *id)).or_insert(status);
        *furthest = status.max(*furthest);
    }
    let decisive = visits.values().find(|it| **it == Status::Done).or(visits.values().last());
    let stood_there = decisive.filter(|it| **it > Status::SetOut);
    match (decisive, job.plan.cancelled.is_empty()) {
        (_, false) => stood_there.copied().unwrap_or(Status::Cancelled),
        (Some(status), true) => *status,
        (None, true) if assigned(job).is_some() => Status::Assigned,
        (None, true) => Status::Unassigned,
    }
}

/// What was recorded, as JSON: the kind of fact under `type`; a message has none.
fn said(recorded: &Recorded) -> Value {
    serde_json::from_str(&recorded.content).unwrap_or_default()
}

/// The facts that others of the same job take back.
fn taken_back(there: &[(Uuid, &Recorded)]) -> BTreeSet<String> {
    let said = there.iter().map(|(_, it)| said(it)).filter(|it| it["type"] == "withdrawn");
    said.filter_map(|it| it["fact"].as_str().map(str::to_owned)).collect()
}

/// How far a fact brings its visit.
fn reached(fact: &Value) -> Option<Status> {
    Some(match fact["type"].as_str()? {
        "set_out" => Status::SetOut,
        "arrived" | "conduct" => Status::AtDoor,
        "closed" => Status::from_key(fact["outcome"]["outcome"].as_str()?)?,
        "read" | "tightness_tested" | "hose_replaced" | "hazard_found" | "cash_taken"
        | "signed" => Status::Working,
        _ => return None,
    })
}

fn visit_of(job: &Job, fact: Uuid) -> Uuid {
    let found = job.visits.iter().find(|(_, visit)| visit.facts.contains_key(&FactId(fact)));
    found.map_or(Uuid::nil(), |(VisitId(id), _)| *id)
}

/// S14: a hazard is open until somebody who knew of it clears it, whatever came meanwhile.
fn hazards_agree(world: &World, job: &Job, there: &[(Uuid, &Recorded)]) -> Result<(), Broken> {
    let pack = homes::pack();
    let found = hazards_found(job).into_iter().filter_map(|(visit, fact)| {
        let recorded = &job.visits[&visit].facts[&fact];
        let Fact::HazardFound { item, level, text } = &recorded.fact else { return None };
        let at = Interval::at(recorded.stamp.wall_at);
        let (id, item, text) = ((job.id, visit, fact), item.clone(), text.clone());
        Some(Finding { id, item, level: *level, text, at, pack })
    });
    let found: Vec<Finding<'_>> = found.collect();
    let open = open(&found, &[], &world.entries);
    let mut says: BTreeSet<Uuid> =
        open.iter().flat_map(|it| &it.findings).map(|(_, _, fact)| fact.0).collect();
    let is_cleared = |id: &Uuid| world.oracle.cleared.contains(id);
    if world.bug == Some(Bug::HazardClearedByConcurrency)
        && found.iter().any(|it| is_cleared(&it.id.2.0))
    {
        says.clear();
    }
    let taken_back = taken_back(there);
    let expected: BTreeSet<Uuid> = there
        .iter()
        .filter(|(id, it)| said(it)["type"] == "hazard_found" && !is_cleared(id))
        .filter(|(id, _)| !taken_back.contains(&id.to_string()))
        .map(|(id, _)| *id)
        .collect();
    if says == expected {
        return Ok(());
    }
    let what = format!("{} shows {} open hazards of {}", job.id, says.len(), expected.len());
    Err(broken("S14", what))
}

/// S8: whom the plan names holds the job.
fn holder_agrees(world: &World, job: &Job) -> Result<(), Broken> {
    let Some(technician) = assigned(job) else { return Ok(()) };
    if world.hall.grant_state(job.id, technician) == GrantState::Held {
        return Ok(());
    }
    Err(broken("S8", format!("{} is {technician}'s by its plan, who does not hold it", job.id)))
}
