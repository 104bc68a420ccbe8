//! Deals the day's 200 jobs to technicians and doors, before anything else is known of the doors.

use std::collections::BTreeSet;

use domain::catalogue::{Language, text};
use domain::job::JobKind;

use super::prng::Prng;
use super::quarter::{DOORS, QUARTERS};

/// The word in the files.
pub(crate) fn word(kind: JobKind) -> String {
    text(Language::Chinese, &format!("kind.{kind}"), &[])
}

/// Whether the hall promises it within 48 hours of the request.
pub(crate) fn is_urgent(kind: JobKind) -> bool {
    matches!(kind, JobKind::Ignition | JobKind::Unsealing | JobKind::GasStop)
}

/// How many of each kind the day has.
pub(crate) const MIX: [(JobKind, usize); 10] = [
    (JobKind::MeterReading, 70),
    (JobKind::SafetyInspection, 45),
    (JobKind::HoseReplacement, 25),
    (JobKind::Ignition, 15),
    (JobKind::Unsealing, 8),
    (JobKind::Sealing, 6),
    (JobKind::GasStop, 4),
    (JobKind::CashCollection, 12),
    (JobKind::Repair, 12),
    (JobKind::Emergency, 3),
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
    pub(crate) kind: JobKind,
    /// For a hose: what the household may expect.
    pub(crate) claim: Option<Claim>,
}

/// Deals all jobs, in walking order within each neighbourhood.
pub(crate) fn deal(prng: &mut Prng) -> Vec<Task> {
    let mut kinds: Vec<Vec<JobKind>> = vec![Vec::new(); QUARTERS.len()];
    let all = MIX.iter().flat_map(|&(kind, count)| std::iter::repeat_n(kind, count));
    for (number, kind) in all.enumerate() {
        kinds[number % QUARTERS.len()].push(kind);
    }
    let mut hoses = 0;
    let mut tasks = Vec::new();
    for (quarter, kinds) in kinds.into_iter().enumerate() {
        let mut dealt = deal_doors(prng, quarter, kinds, &mut hoses);
        dealt.sort_by_key(|task| (task.kind != JobKind::Emergency, task.door, task.kind));
        tasks.append(&mut dealt);
    }
    tasks
}

fn deal_doors(
    prng: &mut Prng,
    quarter: usize,
    kinds: Vec<JobKind>,
    hoses: &mut usize,
) -> Vec<Task> {
    let mut doors_of = |wanted: Supply| {
        let mut doors: Vec<usize> = (0..DOORS).filter(|&door| supply(door) == wanted).collect();
        prng.shuffle(&mut doors);
        doors.into_iter()
    };
    let (mut old, mut new) = (doors_of(Supply::Old), doors_of(Supply::New));
    let mut read = BTreeSet::new();
    let mut tasks: Vec<Task> = Vec::new();
    for kind in kinds {
        let claim = (kind == JobKind::HoseReplacement).then(|| claim(hoses));
        let door = match kind {
            JobKind::Ignition | JobKind::Unsealing => new.next(),
            // The first hose of each neighbourhood is at a door where the meter is read as well.
            JobKind::HoseReplacement if !read.is_empty() => read.pop_first(),
            JobKind::Emergency
            | JobKind::Sealing
            | JobKind::GasStop
            | JobKind::MeterReading
            | JobKind::SafetyInspection
            | JobKind::HoseReplacement
            | JobKind::CashCollection
            | JobKind::Repair
            | JobKind::InstallationSurvey
            | JobKind::Installation
            | JobKind::Relocation
            | JobKind::Removal
            | JobKind::MeterReplacement
            | JobKind::PublicInspection
            | JobKind::HazardRecheck
            | JobKind::SafetyGuidance => old.next(),
        };
        let door = door.expect("a neighbourhood has more doors than jobs");
        if kind == JobKind::MeterReading && read.is_empty() && tasks.is_empty() {
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
