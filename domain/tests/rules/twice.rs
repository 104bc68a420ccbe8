//! B14: what two crews did twice, in jobs apart, is looked at by somebody.

use domain::hose::HoseChange;
use domain::household::{Hose, HoseKind};
use domain::id::{FactId, HoseId, JobId, MeterId, VisitId};
use domain::twice::{Done, Twice, Work, contradicting};
use uuid::Uuid;

use crate::build::*;
use crate::door::day;

#[test]
fn b14_one_hose_that_two_jobs_took_out_is_told_of_both_and_is_one_free_hose() {
    let all = [hose(1, Some(7), "2026-03-02", true), hose(2, Some(7), "2026-03-04", true)];

    assert_eq!(against(&all[0], &all, Twice::SameHose), [2]);
    assert_eq!(against(&all[1], &all, Twice::SameHose), [1]);
    assert!(against(&all[1], &all, Twice::FreeHose).is_empty(), "the entitlement was used once");
    let unknown = [hose(1, None, "2026-03-02", false), hose(2, None, "2026-03-04", false)];
    assert!(against(&unknown[0], &unknown, Twice::SameHose).is_empty(), "nobody knows which");
    let other = [hose(1, Some(7), "2026-03-02", false), hose(2, Some(8), "2026-03-02", false)];
    assert!(against(&other[0], &other, Twice::SameHose).is_empty());
}

#[test]
fn b14_more_free_hoses_than_a_year_has_are_told_whichever_hose_they_were_for() {
    let all = [
        hose(1, Some(7), "2026-03-02", true),
        hose(2, None, "2026-12-31", true),
        hose(3, Some(8), "2027-01-01", true),
        hose(4, Some(9), "2026-05-05", false),
    ];

    assert_eq!(against(&all[0], &all, Twice::FreeHose), [2]);
    assert_eq!(against(&all[1], &all, Twice::FreeHose), [1]);
    assert!(against(&all[2], &all, Twice::FreeHose).is_empty(), "another calendar year");
    assert!(against(&all[3], &all, Twice::FreeHose).is_empty(), "who paid used nothing");
}

#[test]
fn a9_one_meter_that_two_jobs_took_out_is_told_of_both() {
    let meter = |job: u128, id: u128| Work {
        fact: (JobId(Uuid::from_u128(job)), VisitId(Uuid::from_u128(job)), fact(job)),
        done: Done::Meter(MeterId(Uuid::from_u128(id))),
    };
    let all = [meter(1, 5), meter(2, 5), meter(3, 6), hose(4, Some(5), "2026-03-02", false)];

    assert_eq!(against(&all[0], &all, Twice::SameMeter), [2]);
    assert!(against(&all[2], &all, Twice::SameMeter).is_empty());
    assert!(against(&all[3], &all, Twice::SameMeter).is_empty(), "a hose is no meter");
    let same_job = [meter(1, 5), meter(1, 5)];
    assert!(against(&same_job[0], &same_job, Twice::SameMeter).is_empty(), "the job names it");
}

/// Numbers of the jobs that one piece of work contradicts.
fn against(one: &Work, all: &[Work], why: Twice) -> Vec<u128> {
    contradicting(one, all, why, &pack()).iter().map(|it| it.fact.0.0.as_u128()).collect()
}

fn hose(job: u128, removed: Option<u128>, on: &str, free: bool) -> Work {
    let installed = Hose {
        id: HoseId(Uuid::from_u128(job + 100)),
        kind: HoseKind::Corrugated,
        length_mm: 1200,
        installed_on: day(on),
        is_estimated: false,
        joints: None,
    };
    let removed = removed.map(|id| HoseId(Uuid::from_u128(id)));
    let job_id = JobId(Uuid::from_u128(job));
    Work {
        fact: (job_id, VisitId(Uuid::from_u128(job)), fact(job)),
        done: Done::Hose(HoseChange { job: job_id, removed, installed, free }),
    }
}

fn fact(number: u128) -> FactId {
    FactId(Uuid::from_u128(number))
}
