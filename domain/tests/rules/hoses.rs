//! B14: who gets a hose free, how often, and how long one lasts.

use domain::hose::{Entitlement, Replacement, entitlement, is_overdue};
use domain::household::{Group, Hose, HoseKind};
use domain::id::HoseId;
use domain::job::JobKind;
use domain::visit::Fact;
use domain::visit::check::{RecordError, check};
use uuid::Uuid;

use crate::build::*;
use crate::door::*;

#[test]
fn b14_a_hose_is_free_once_a_calendar_year_for_entitled_groups() {
    let replaced = |on: &str, free: bool| Replacement {
        job: None,
        installed: HoseId(Uuid::from_u128(1)),
        on: day(on),
        free,
    };
    let free = Entitlement::Free { group: Group::Elderly };
    let used_up = |on: &str| Entitlement::UsedUp { on: day(on) };
    for (groups, past, on, expected) in [
        (vec![Group::Elderly], vec![], "2026-11-24", free),
        (vec![], vec![], "2026-11-24", Entitlement::NotInGroup),
        (
            vec![Group::Elderly],
            vec![replaced("2026-01-01", true)],
            "2026-12-31",
            used_up("2026-01-01"),
        ),
        (vec![Group::Elderly], vec![replaced("2025-12-31", true)], "2026-01-01", free),
        (vec![Group::Elderly], vec![replaced("2026-03-01", false)], "2026-11-24", free),
    ] {
        let groups = groups.into_iter().collect();
        assert_eq!(entitlement(&groups, &past, day(on), &pack()), expected, "{on} {past:?}");
    }
    for group in [Group::Elderly, Group::Disabled, Group::MartyrFamily, Group::SoldierFamily] {
        let found = entitlement(&[group].into(), &[], day("2026-11-24"), &pack());
        assert_eq!(found, Entitlement::Free { group });
    }
}

#[test]
fn b14_a_hose_has_a_longest_length_and_a_life() {
    let too_long = RecordError::HoseTooLong { length_mm: 2001, max_mm: 2000 };
    let visit = visit(ANA, entered_facts());
    assert_eq!(try_fact(&visit, hose(2001)), Err(too_long));
    assert_eq!(try_fact(&visit, hose(2000)), Ok(()));

    let jointed = Fact::HoseReplaced {
        removed: None,
        installed: Hose { joints: Some(1), ..new_hose(1500) },
        free: false,
        lot: "2026-A7".to_owned(),
    };
    assert_eq!(try_fact(&visit, jointed), Err(RecordError::HoseJointed(1)));

    let rubber = Hose {
        id: HoseId(Uuid::from_u128(1)),
        kind: HoseKind::Rubber,
        length_mm: 1500,
        installed_on: day("2025-01-31"),
        is_estimated: false,
        joints: None,
    };
    assert!(!is_overdue(&rubber, day("2026-07-31"), &pack()));
    assert!(is_overdue(&rubber, day("2026-08-01"), &pack()));
}

#[test]
fn b14_a_hose_is_recorded_free_only_for_who_is_entitled() {
    let free = Fact::HoseReplaced {
        removed: None,
        installed: new_hose(1500),
        free: true,
        lot: String::new(),
    };
    let in_visit = |job: JobBuilder, fact: &Fact| {
        let visit = visit(ANA, entered_facts());
        check(&planned_by(job), Some(&visit), fact, &pack())
    };
    let elderly = || job(JobKind::HoseReplacement).group(Group::Elderly);
    let had_it = || elderly().visit(1, BEN, vec![("09:00", free.clone())]);
    let not_in_group = RecordError::NotFree(Entitlement::NotInGroup);
    let used_up = RecordError::NotFree(Entitlement::UsedUp { on: day("2026-11-24") });

    assert_eq!(in_visit(elderly(), &free), Ok(()));
    assert_eq!(in_visit(job(JobKind::HoseReplacement), &free), Err(not_in_group));
    assert_eq!(in_visit(had_it(), &free), Err(used_up));
    for paying in [job(JobKind::HoseReplacement), had_it()] {
        assert_eq!(in_visit(paying, &hose(1500)), Ok(()));
    }
}
