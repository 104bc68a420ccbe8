//! Groups with their evidence, consents that can be taken back, hazards cleared, hoses that hang (B14, PIPL 15 and 29).

use std::collections::BTreeSet;

use domain::hose::{HoseChange, HoseSighting, Replacement, ends_on, had, hanging};
use domain::household::{Group, Hose, HoseKind};
use domain::id::{EntryId, FactId, HoseId, JobId, UserId, VisitId};
use domain::job::{Author, Channel};
use domain::ledger::{
    Consent, Entry, Evidence, LedgerError, Purpose, Written, check, clearance, consent, evidence,
    shown_groups,
};
use domain::stamp::Timestamp;
use uuid::Uuid;

use crate::build::pack;
use crate::door::day;

fn written(entries: Vec<Entry>) -> Vec<Written> {
    let author = Author { by: UserId(Uuid::from_u128(1)), at: Timestamp::UNIX_EPOCH };
    let numbered = entries.into_iter().zip(1..);
    let all = numbered.map(|(entry, n)| Written { id: EntryId(Uuid::from_u128(n)), author, entry });
    all.collect()
}

fn shown(group: Group, until: Option<&str>) -> Entry {
    Entry::GroupShown { group, paper: "老年证".to_owned(), until: until.map(day) }
}

fn gone(group: Group) -> Entry {
    Entry::GroupWithdrawn { group, reason: "已搬走".to_owned() }
}

fn given(purpose: Purpose) -> Entry {
    Entry::ConsentGiven { purpose, version: "2026-01".to_owned(), channel: Channel::Counter }
}

fn taken_back(purpose: Purpose) -> Entry {
    Entry::ConsentWithdrawn { purpose, channel: Channel::Phone }
}

#[test]
fn b14_a_group_holds_by_a_paper_that_is_not_over_or_by_the_register() {
    let register: BTreeSet<Group> = [Group::Elderly].into();
    for (entries, expected) in [
        (vec![], vec![(Group::Elderly, Evidence::RegisterOnly)]),
        (vec![shown(Group::Elderly, None)], vec![(Group::Elderly, Evidence::Seen)]),
        (
            vec![shown(Group::Elderly, Some("2026-11-23"))],
            vec![(Group::Elderly, Evidence::Expired)],
        ),
        (vec![shown(Group::Elderly, Some("2026-11-24"))], vec![(Group::Elderly, Evidence::Seen)]),
        (vec![gone(Group::Elderly)], vec![(Group::Elderly, Evidence::Withdrawn)]),
        (
            vec![gone(Group::Elderly), shown(Group::Elderly, None)],
            vec![(Group::Elderly, Evidence::Seen)],
        ),
        (
            vec![shown(Group::Disabled, None)],
            vec![(Group::Elderly, Evidence::RegisterOnly), (Group::Disabled, Evidence::Seen)],
        ),
    ] {
        let entries = written(entries);
        let known = evidence(&register, &entries, day("2026-11-24"));
        let holding = shown_groups(&register, &entries, day("2026-11-24"));
        assert_eq!(Vec::from_iter(known.clone()), expected, "{entries:?}");
        let expected: BTreeSet<Group> =
            known.into_iter().filter(|(_, it)| it.holds()).map(|(group, _)| group).collect();
        assert_eq!(holding, expected);
    }
}

#[test]
fn check_65_a_consent_taken_back_stops_showing_groups_until_it_is_given_again() {
    let register: BTreeSet<Group> = [Group::Elderly].into();
    for (entries, state, count) in [
        (vec![], None, 1),
        (vec![given(Purpose::Groups)], Some(Consent::Given), 1),
        (vec![given(Purpose::Groups), taken_back(Purpose::Groups)], Some(Consent::Withdrawn), 0),
        (vec![taken_back(Purpose::Photos)], None, 1),
        (
            vec![taken_back(Purpose::Groups), shown(Group::Disabled, None)],
            Some(Consent::Withdrawn),
            0,
        ),
        (vec![taken_back(Purpose::Groups), given(Purpose::Groups)], Some(Consent::Given), 1),
    ] {
        let entries = written(entries);
        assert_eq!(consent(&entries, Purpose::Groups), state, "{entries:?}");
        let holding = shown_groups(&register, &entries, day("2026-11-24"));
        assert_eq!(holding.len(), count, "{entries:?}");
    }
}

#[test]
fn a_hazard_is_cleared_by_an_entry_that_names_it() {
    let hazard =
        (JobId(Uuid::from_u128(1)), VisitId(Uuid::from_u128(2)), FactId(Uuid::from_u128(3)));
    let (job, visit, fact) = hazard;
    let entries =
        written(vec![Entry::HazardCleared { job, visit, fact, text: "复查合格".to_owned() }]);

    assert_eq!(clearance(&entries, hazard), Some((entries[0].author, "复查合格")));
    assert_eq!(clearance(&entries, (job, visit, FactId(Uuid::from_u128(4)))), None);
}

#[test]
fn b14_what_hangs_and_what_was_had_follow_from_register_and_visits() {
    let hose = |number: u128, on: &str| Hose {
        id: HoseId(Uuid::from_u128(number)),
        kind: HoseKind::Rubber,
        length_mm: 1500,
        installed_on: day(on),
        is_estimated: false,
        joints: None,
    };
    let job = JobId(Uuid::from_u128(9));
    let (old, new) = (hose(1, "2024-01-31"), hose(2, "2026-11-24"));
    let change = HoseChange { job, removed: Some(old.id), installed: new, free: true };
    let first = Replacement { job: None, installed: old.id, on: day("2024-01-31"), free: true };

    assert_eq!(hanging(&[old], &[], &[]), [old]);
    assert_eq!(hanging(&[old], &[change], &[]), [new]);
    assert_eq!(hanging(&[old, new], &[change], &[]), [new], "the register learnt of it too");
    let done = Replacement { job: Some(job), installed: new.id, on: day("2026-11-24"), free: true };
    assert_eq!(had(&[first], &[change]), [first, done]);
    assert_eq!(had(&[first, done], &[change]), [first, done]);
    assert_eq!(ends_on(&old, &pack()), Some(day("2025-07-31")));

    // Another crew took the same hose out, offline: it was replaced once.
    let other = Hose { id: HoseId(Uuid::from_u128(3)), ..new };
    let again = HoseChange { installed: other, free: false, ..change };
    for both in [[change, again], [again, change]] {
        assert_eq!(had(&[first], &both), [first, done]);
        assert_eq!(hanging(&[old], &both, &[]), [new]);
    }
}

#[test]
fn b14_what_somebody_saw_at_the_door_holds_over_the_register() {
    let hose = |number: u128, length_mm: u32| Hose {
        id: HoseId(Uuid::from_u128(number)),
        kind: HoseKind::Rubber,
        length_mm,
        installed_on: day("2024-01-31"),
        is_estimated: false,
        joints: None,
    };
    let seen = |hose: Hose, is_gone: bool| HoseSighting { hose, is_gone };
    let (known, unknown) = (hose(1, 1500), hose(2, 1800));
    let longer = Hose { length_mm: 2400, joints: Some(1), is_estimated: true, ..known };

    assert_eq!(hanging(&[known], &[], &[seen(longer, false)]), [longer]);
    assert_eq!(hanging(&[known], &[], &[seen(longer, false), seen(known, false)]), [known]);
    assert_eq!(hanging(&[known], &[], &[seen(known, true), seen(unknown, false)]), [unknown]);
}

#[test]
fn what_the_ledger_refuses_says_why() {
    let register: BTreeSet<Group> = [Group::Elderly].into();
    let cleared = || Entry::HazardCleared {
        job: JobId(Uuid::from_u128(1)),
        visit: VisitId(Uuid::from_u128(2)),
        fact: FactId(Uuid::from_u128(3)),
        text: "复查合格".to_owned(),
    };
    for (before, entry, expected) in [
        (vec![], gone(Group::Elderly), Ok(())),
        (vec![], gone(Group::Disabled), Err(LedgerError::NotInGroup)),
        (vec![gone(Group::Elderly)], gone(Group::Elderly), Err(LedgerError::NotInGroup)),
        (vec![], shown(Group::Elderly, Some("2026-11-23")), Err(LedgerError::PaperOver)),
        (
            vec![taken_back(Purpose::Groups)],
            shown(Group::Elderly, None),
            Err(LedgerError::NoConsent),
        ),
        (vec![], taken_back(Purpose::Groups), Ok(())),
        (
            vec![taken_back(Purpose::Groups)],
            taken_back(Purpose::Groups),
            Err(LedgerError::WithdrawnAlready),
        ),
        (vec![cleared()], cleared(), Err(LedgerError::ClearedAlready)),
    ] {
        let before = written(before);
        assert_eq!(check(&register, &before, &entry, day("2026-11-24")), expected, "{entry:?}");
    }
}
