//! Deals the day's 200 jobs to technicians and doors, before anything else is known of the doors.

use std::collections::BTreeSet;

use super::prng::Prng;
use super::quarter::{DOORS, QUARTERS};

/// What is to be done; the words stand in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Emergency,
    Ignition,
    Unsealing,
    Sealing,
    GasStop,
    MeterReading,
    SafetyInspection,
    HoseReplacement,
    CashCollection,
    Repair,
}

impl Kind {
    /// The word in the files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Emergency => "抢修",
            Self::Ignition => "点火",
            Self::Unsealing => "启封",
            Self::Sealing => "封表",
            Self::GasStop => "停气",
            Self::MeterReading => "抄表",
            Self::SafetyInspection => "安检",
            Self::HoseReplacement => "换软管",
            Self::CashCollection => "上门收费",
            Self::Repair => "维修",
        }
    }

    /// Whether the hall promises it within 48 hours of the request.
    pub(crate) fn is_urgent(self) -> bool {
        matches!(self, Self::Ignition | Self::Unsealing | Self::GasStop)
    }
}

/// How many of each kind the day has.
pub(crate) const MIX: [(Kind, usize); 10] = [
    (Kind::MeterReading, 70),
    (Kind::SafetyInspection, 45),
    (Kind::HoseReplacement, 25),
    (Kind::Ignition, 15),
    (Kind::Unsealing, 8),
    (Kind::Sealing, 6),
    (Kind::GasStop, 4),
    (Kind::CashCollection, 12),
    (Kind::Repair, 12),
    (Kind::Emergency, 3),
];

/// What a household that asks for a hose may expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// In a group, nothing had this year.
    Free,
    /// In a group, this year's free hose already had.
    UsedUp,
    /// In no group.
    Paid,
}

/// How a door gets its gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// Through a meter with a past.
    Old,
    /// Through a meter fitted this autumn that nobody has read yet.
    New,
    /// Not at all: the account is open, the pipe is not there.
    None,
}

/// How the door with this number in its neighbourhood gets its gas.
pub(crate) fn supply(door: usize) -> Supply {
    match door % 8 {
        1 | 5 => Supply::New,
        7 => Supply::None,
        _ => Supply::Old,
    }
}

/// A job at a door.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// The neighbourhood, and so the technician.
    pub(crate) quarter: usize,
    /// The door's number in it.
    pub(crate) door: usize,
    /// What is to be done.
    pub(crate) kind: Kind,
    /// For a hose: what the household may expect.
    pub(crate) claim: Option<Claim>,
}

/// Deals all jobs, in walking order within each neighbourhood.
pub(crate) fn deal(prng: &mut Prng) -> Vec<Task> {
    let mut kinds: Vec<Vec<Kind>> = vec![Vec::new(); QUARTERS.len()];
    let all = MIX.iter().flat_map(|&(kind, count)| std::iter::repeat_n(kind, count));
    for (number, kind) in all.enumerate() {
        kinds[number % QUARTERS.len()].push(kind);
    }
    let mut hoses = 0;
    let mut tasks = Vec::new();
    for (quarter, kinds) in kinds.into_iter().enumerate() {
        let mut dealt = deal_doors(prng, quarter, kinds, &mut hoses);
        dealt.sort_by_key(|task| (task.kind != Kind::Emergency, task.door, task.kind));
        tasks.append(&mut dealt);
    }
    tasks
}

fn deal_doors(prng: &mut Prng, quarter: usize, kinds: Vec<Kind>, hoses: &mut usize) -> Vec<Task> {
    let mut doors_of = |wanted: Supply| {
        let mut doors: Vec<usize> = (0..DOORS).filter(|&door| supply(door) == wanted).collect();
        prng.shuffle(&mut doors);
        doors.into_iter()
    };
    let (mut old, mut new) = (doors_of(Supply::Old), doors_of(Supply::New));
    let mut read = BTreeSet::new();
    let mut tasks: Vec<Task> = Vec::new();
    for kind in kinds {
        let claim = (kind == Kind::HoseReplacement).then(|| claim(hoses));
        let door = match kind {
            Kind::Ignition | Kind::Unsealing => new.next(),
            // The first hose of each neighbourhood is at a door where the meter is read as well.
            Kind::HoseReplacement if !read.is_empty() => read.pop_first(),
            Kind::Emergency
            | Kind::Sealing
            | Kind::GasStop
            | Kind::MeterReading
            | Kind::SafetyInspection
            | Kind::HoseReplacement
            | Kind::CashCollection
            | Kind::Repair => old.next(),
        };
        let door = door.expect("a neighbourhood has more doors than jobs");
        if kind == Kind::MeterReading && read.is_empty() && tasks.is_empty() {
            read.insert(door);
        }
        tasks.push(Task { quarter, door, kind, claim });
    }
    tasks
}

/// Of five hoses three are free, one is used up, one is paid for.
fn claim(hoses: &mut usize) -> Claim {
    *hoses += 1;
    match *hoses % 5 {
        3 => Claim::UsedUp,
        0 => Claim::Paid,
        _ => Claim::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technician_gets_twenty_jobs() {
        let tasks = deal(&mut Prng::new(1));

        for quarter in 0..QUARTERS.len() {
            assert_eq!(tasks.iter().filter(|task| task.quarter == quarter).count(), 20);
        }
    }

    #[test]
    fn the_mix_is_kept() {
        let tasks = deal(&mut Prng::new(1));

        for (kind, count) in MIX {
            assert_eq!(tasks.iter().filter(|task| task.kind == kind).count(), count);
        }
    }

    #[test]
    fn nobody_works_on_gas_at_a_door_without_gas() {
        let tasks = deal(&mut Prng::new(1));

        assert!(tasks.iter().all(|task| supply(task.door) != Supply::None));
    }
}
