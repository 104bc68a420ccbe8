//! Gas hoses (燃气软管): who gets a new one free, and how often (B14).

use std::collections::BTreeSet;

use chrono::{Datelike as _, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::household::{Group, Hose};
use crate::id::{HoseId, JobId};
use crate::job::Job;
use crate::pack::Pack;
use crate::visit::{Fact, live_facts};

/// A hose that was replaced at a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The job in which it was done, when it was done as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// The hose put in.
    pub installed: HoseId,
    /// The day, in the hall's city.
    pub on: NaiveDate,
    /// Whether it was free for the household.
    pub free: bool,
}

/// Whether a household gets a new hose free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entitlement", rename_all = "snake_case")]
pub enum Entitlement {
    /// Free, for this group.
    Free {
        /// The group that entitles.
        group: Group,
    },
    /// Entitled, but this calendar year's free one is used up.
    UsedUp {
        /// When it was used.
        on: NaiveDate,
    },
    /// In none of the entitled groups.
    NotInGroup,
}

/// The replacements that a job knows of its household: those of the briefing, and its own.
pub fn replacements(job: &Job) -> Vec<Replacement> {
    let facts = job.visits.values().flat_map(live_facts);
    let own = facts.filter_map(|(_, recorded)| {
        let Fact::HoseReplaced { installed, free, .. } = &recorded.fact else { return None };
        let (job, on) = (Some(job.id), installed.installed_on);
        Some(Replacement { job, installed: installed.id, on, free: *free })
    });
    job.briefing.replacements.iter().copied().chain(own).collect()
}

/// Judges the entitlement on a day in the hall's city (B14: once a calendar year a household).
pub fn entitlement(
    groups: &BTreeSet<Group>,
    replacements: &[Replacement],
    on: NaiveDate,
    pack: &Pack,
) -> Entitlement {
    let Some(&group) = groups.iter().find(|group| pack.hose.entitled.contains(group)) else {
        return Entitlement::NotInGroup;
    };
    let mut this_year: Vec<NaiveDate> = replacements
        .iter()
        .filter(|done| done.free && done.on.year() == on.year())
        .map(|done| done.on)
        .collect();
    this_year.sort_unstable();
    let allowed = usize::try_from(pack.hose.free_per_year).unwrap_or(usize::MAX);
    match this_year.last() {
        Some(&last) if this_year.len() >= allowed => Entitlement::UsedUp { on: last },
        _ => Entitlement::Free { group },
    }
}

/// The last day of a hose's life, where the pack gives its kind one.
pub fn ends_on(hose: &Hose, pack: &Pack) -> Option<NaiveDate> {
    let life = pack.hose.life_months.get(&hose.kind).map(|months| Months::new(*months));
    life.and_then(|life| hose.installed_on.checked_add_months(life))
}

/// Whether a hose has outlived its kind's span on a day.
pub fn is_overdue(hose: &Hose, on: NaiveDate, pack: &Pack) -> bool {
    ends_on(hose, pack).is_some_and(|ends| on > ends)
}

/// A hose put in at a door, and the one taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoseChange {
    /// The job in which it was done.
    pub job: JobId,
    /// The hose taken out, when it was known.
    pub removed: Option<HoseId>,
    /// The hose put in.
    pub installed: Hose,
    /// Whether it was free for the household.
    pub free: bool,
}

/// The hoses that hang at a household, oldest first: those of the register and those put in, less those taken out.
pub fn hanging(register: &[Hose], changes: &[HoseChange]) -> Vec<Hose> {
    let removed: BTreeSet<HoseId> = changes.iter().filter_map(|change| change.removed).collect();
    let known: BTreeSet<HoseId> = register.iter().map(|hose| hose.id).collect();
    let put_in = changes.iter().map(|change| change.installed);
    let put_in = put_in.filter(|hose| !known.contains(&hose.id));
    let mut all: Vec<Hose> = register.iter().copied().chain(put_in).collect();
    all.retain(|hose| !removed.contains(&hose.id));
    all.sort_by_key(|hose| (hose.installed_on, hose.id));
    all
}

/// The replacements that a household has had, oldest first, each once (B14).
pub fn had(register: &[Replacement], changes: &[HoseChange]) -> Vec<Replacement> {
    let known: BTreeSet<HoseId> = register.iter().map(|done| done.installed).collect();
    let done = changes.iter().filter(|change| !known.contains(&change.installed.id));
    let done = done.map(|change| {
        let (job, on) = (Some(change.job), change.installed.installed_on);
        Replacement { job, installed: change.installed.id, on, free: change.free }
    });
    let mut all: Vec<Replacement> = register.iter().copied().chain(done).collect();
    all.sort_by_key(|done| (done.on, done.installed));
    all
}
