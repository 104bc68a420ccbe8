//! Gas hoses (燃气软管): who gets a new one free, and how often (B14).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::here;
use crate::household::{Group, Hose};
use crate::id::{HoseId, JobId};
use crate::job::Job;
use crate::pack::Pack;

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
    had(&job.briefing.replacements, &here::hose_changes(job))
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

/// A hose that somebody saw at a door, as it was there or was not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoseSighting {
    /// The hose.
    pub hose: Hose,
    /// Whether it is not there any more.
    pub is_gone: bool,
}

/// The hoses that hang at a household, oldest first: those of the register, put in or seen, less those taken out or
/// gone. Sightings come oldest first; of each hose the newest word holds.
pub fn hanging(register: &[Hose], changes: &[HoseChange], seen: &[HoseSighting]) -> Vec<Hose> {
    let removed = changes.iter().filter_map(|change| change.removed);
    let mut removed: BTreeSet<HoseId> = removed.collect();
    let mut all: BTreeMap<HoseId, Hose> = register.iter().map(|hose| (hose.id, *hose)).collect();
    // Who took out what somebody else had taken out put one more in its place.
    let (counted, again): (Vec<&HoseChange>, Vec<&HoseChange>) =
        changes.iter().partition(|it| counts(it, changes));
    removed.extend(again.iter().map(|change| change.installed.id));
    for change in counted {
        all.entry(change.installed.id).or_insert(change.installed);
    }
    for sighting in seen {
        all.insert(sighting.hose.id, sighting.hose);
        if sighting.is_gone {
            removed.insert(sighting.hose.id);
        }
    }
    let mut all: Vec<Hose> = all.into_values().filter(|it| !removed.contains(&it.id)).collect();
    all.sort_by_key(|hose| (hose.installed_on, hose.id));
    all
}

/// The replacements that a household has had, oldest first, each once (B14): two crews that took out one hose without
/// knowing of each other replaced it once.
pub fn had(register: &[Replacement], changes: &[HoseChange]) -> Vec<Replacement> {
    let known: BTreeSet<HoseId> = register.iter().map(|done| done.installed).collect();
    let done = changes.iter().filter(|change| !known.contains(&change.installed.id));
    let done = done.filter(|change| counts(change, changes)).map(|change| {
        let (job, on) = (Some(change.job), change.installed.installed_on);
        Replacement { job, installed: change.installed.id, on, free: change.free }
    });
    let mut all: Vec<Replacement> = register.iter().copied().chain(done).collect();
    all.sort_by_key(|done| (done.on, done.installed));
    all
}

/// Whether a change is the first that took its hose out; a free one goes before one that was paid.
pub fn counts(change: &HoseChange, changes: &[HoseChange]) -> bool {
    let rank = |it: &HoseChange| (!it.free, it.installed.installed_on, it.installed.id);
    let of_same = |it: &&HoseChange| change.removed.is_some() && it.removed == change.removed;
    changes.iter().filter(of_same).all(|it| rank(change) <= rank(it))
}
