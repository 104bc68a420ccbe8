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

/// Whether a hose has outlived its kind's span on a day.
pub fn is_overdue(hose: &Hose, on: NaiveDate, pack: &Pack) -> bool {
    let life = pack.hose.life_months.get(&hose.kind).map(|months| Months::new(*months));
    let ends = life.and_then(|life| hose.installed_on.checked_add_months(life));
    ends.is_some_and(|ends| on > ends)
}
