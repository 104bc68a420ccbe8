//! What crews who knew nothing of each other did twice at one household, in jobs apart: somebody looks at both (B14).
//!
//! Within one job the job's own clashes name it; what counts is told by [`hose::had`] and [`crate::meter::hanging`].

use chrono::Datelike as _;
use serde::{Deserialize, Serialize};

use crate::hose::{self, HoseChange};
use crate::id::{FactId, JobId, MeterId, VisitId};
use crate::pack::Pack;

/// Why two pieces of work cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twice {
    /// Two jobs say that they took out the same hose.
    SameHose,
    /// Two jobs say that they took out the same meter.
    SameMeter,
    /// A household got more free hoses in a calendar year than it is entitled to.
    FreeHose,
}

impl Twice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SameHose, Self::SameMeter, Self::FreeHose];

    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::SameHose => "same_hose",
            Self::SameMeter => "same_meter",
            Self::FreeHose => "free_hose",
        }
    }
}

/// Something put in or taken out at a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The fact that says so.
    pub fact: (JobId, VisitId, FactId),
    /// What was done.
    pub done: Done,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A hose was replaced.
    Hose(HoseChange),
    /// A meter was taken out.
    Meter(MeterId),
}

impl Work {
    fn hose(&self) -> Option<&HoseChange> {
        match &self.done {
            Done::Hose(change) => Some(change),
            Done::Meter(_) => None,
        }
    }

    fn meter(&self) -> Option<MeterId> {
        match self.done {
            Done::Meter(meter) => Some(meter),
            Done::Hose(_) => None,
        }
    }
}

/// The work of other jobs that cannot be right together with this; `all` is everything at the household.
pub fn contradicting<'a>(one: &Work, all: &'a [Work], why: Twice, pack: &Pack) -> Vec<&'a Work> {
    let elsewhere = all.iter().filter(|other| other.fact.0 != one.fact.0);
    match why {
        Twice::SameHose => {
            let removed = |it: &Work| it.hose().and_then(|change| change.removed);
            let of_same = |it: &&Work| removed(it).is_some() && removed(it) == removed(one);
            elsewhere.filter(of_same).collect()
        }
        Twice::SameMeter => {
            let of_same = |it: &&Work| it.meter().is_some() && it.meter() == one.meter();
            elsewhere.filter(of_same).collect()
        }
        Twice::FreeHose => {
            let changes: Vec<HoseChange> = all.iter().filter_map(Work::hose).copied().collect();
            let Some(year) = free_in(one, &changes) else { return Vec::new() };
            let in_year = |it: &&Work| free_in(it, &changes) == Some(year);
            let allowed = usize::try_from(pack.hose.free_per_year).unwrap_or(usize::MAX);
            let used = all.iter().filter(in_year).count();
            if used > allowed { elsewhere.filter(in_year).collect() } else { Vec::new() }
        }
    }
}

/// The calendar year whose entitlement this used; one hose that two crews replaced used it once.
fn free_in(work: &Work, changes: &[HoseChange]) -> Option<i32> {
    let change = work.hose().filter(|it| it.free && hose::counts(it, changes))?;
    Some(change.installed.installed_on.year())
}
