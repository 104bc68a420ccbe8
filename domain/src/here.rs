//! What hangs and stands at a door as a job knows it: the briefing with what its visits put in, took out and saw.

use crate::hose::{self, HoseChange, HoseSighting};
use crate::household::{Appliance, Hose, appliances_there};
use crate::id::FactId;
use crate::job::Job;
use crate::visit::{Fact, live_facts};

/// The hoses on the wall, oldest first.
pub fn hoses(job: &Job) -> Vec<Hose> {
    let facts = facts(job);
    let seen = facts.iter().filter_map(|(_, fact)| {
        let Fact::HoseSeen { hose, gone, .. } = fact else { return None };
        Some(HoseSighting { hose: *hose, is_gone: *gone })
    });
    hose::hanging(&job.briefing.hoses, &hose_changes(job), &seen.collect::<Vec<_>>())
}

/// What burns gas there.
pub fn appliances(job: &Job) -> Vec<Appliance> {
    let facts = facts(job);
    let seen = facts.iter().filter_map(|(_, fact)| {
        let Fact::ApplianceSeen { appliance, gone, .. } = fact else { return None };
        Some((appliance.clone(), *gone))
    });
    appliances_there(&job.briefing.appliances, &seen.collect::<Vec<_>>())
}

/// The hoses that its visits put in.
pub fn hose_changes(job: &Job) -> Vec<HoseChange> {
    let facts = facts(job);
    let changes = facts.iter().filter_map(|(_, fact)| {
        let Fact::HoseReplaced { removed, installed, free, .. } = fact else { return None };
        Some(HoseChange { job: job.id, removed: *removed, installed: *installed, free: *free })
    });
    changes.collect()
}

/// The facts of all its visits that stand, in the order of their ids.
fn facts(job: &Job) -> Vec<(FactId, &Fact)> {
    let live = job.visits.values().flat_map(live_facts);
    let mut all: Vec<_> = live.map(|(id, recorded)| (id, &recorded.fact)).collect();
    all.sort_by_key(|(id, _)| *id);
    all
}
