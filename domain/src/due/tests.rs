//! What is due, rule by rule.

use super::*;
use crate::household::{ApplianceKind, HoseKind};
use crate::id::{HoseId, JobId};

const TODAY: &str = "2026-11-24";

#[test]
fn b7_a_home_with_gas_for_three_months_is_inspected_once_a_year() {
    for (gas_since, inspected_on, from, by, is_estimated) in [
        // Nothing is known: due today, and marked.
        (None, None, TODAY, TODAY, true),
        // Three months of gas make the duty, a year the end of it.
        (Some("2026-06-30"), None, "2027-04-01", "2027-06-30", false),
        (Some("2025-01-31"), None, "2025-11-02", "2026-01-31", false),
        (Some("2020-01-01"), Some("2026-02-10"), "2026-11-12", "2027-02-10", false),
        (None, Some("2024-02-29"), "2024-11-30", "2025-02-28", false),
    ] {
        let home = home(|home| {
            home.supply.gas_since = gas_since.map(day);
            home.supply.inspected_on = inspected_on.map(day);
        });
        let found = only(&home, What::Inspection);
        assert_eq!((found.from, found.by, found.is_estimated), (day(from), day(by), is_estimated));
        assert_eq!(found.kind, JobKind::SafetyInspection);
    }
}

#[test]
fn b7_the_inspection_that_was_done_takes_the_item_off_for_a_year() {
    let mut home = home(|home| home.supply.inspected_on = Some(day("2025-11-20")));
    assert_eq!(only(&home, What::Inspection).by, day("2026-11-20"), "overdue");

    home.done.insert(JobKind::SafetyInspection, day("2026-11-23"));
    assert_eq!(only(&home, What::Inspection).by, day("2027-11-23"));
    assert!(until(&home, "2027-11-22").iter().all(|it| it.what != What::Inspection));
}

#[test]
fn b7_gas_for_less_than_three_months_asks_for_no_inspection_yet() {
    let mut pack = pack();
    pack.due.as_mut().expect("the built-in pack says").inspection.opens_days = 366;
    let home = home(|home| home.supply.gas_since = Some(day("2026-10-01")));

    let items = due(&home, (day(TODAY), day("2028-01-01")), (&pack, &[]));
    let found = items.iter().find(|it| it.what == What::Inspection).expect("it is due");
    assert_eq!(found.from, day("2027-01-01"));
}

#[test]
fn b7_public_buildings_are_inspected_before_each_of_three_holidays() {
    let mut home = home(|home| {
        home.supply.used_for = Use::Public;
        home.supply.gas_since = Some(day("2020-01-01"));
    });
    let by = |home: &Home| -> Vec<NaiveDate> {
        let items = until(home, "2027-12-31");
        items.iter().filter(|it| it.what == What::PublicInspection).map(|it| it.by).collect()
    };

    // National Day of 2026 was missed.
    let all = ["2026-09-30", "2027-02-04", "2027-04-30", "2027-09-30"].map(day);
    assert_eq!(by(&home), all);
    assert!(until(&home, "2027-12-31").iter().all(|it| it.what != What::Inspection));

    // What was done too long before a holiday does not count for it, but ends what was missed.
    home.done.insert(JobKind::PublicInspection, day("2026-10-10"));
    assert_eq!(by(&home), all[1..]);
    home.done.insert(JobKind::PublicInspection, day("2027-01-20"));
    assert_eq!(by(&home), all[2..]);

    // Nobody is late with what nobody knows anything of.
    home.done.clear();
    home.supply.gas_since = None;
    assert_eq!(by(&home), all[1..]);
}

#[test]
fn c5_meters_are_read_every_two_months() {
    let meter = |read_on: Option<&str>| MeterLife {
        id: MeterId(Uuid::from_u128(1)),
        since: None,
        is_estimated: true,
        read_on: read_on.map(day),
    };
    for (read_on, by) in
        [(Some("2026-09-20"), "2026-11-20"), (Some("2026-12-31"), "2027-02-28"), (None, TODAY)]
    {
        let found = only(&home(|home| home.meters = vec![meter(read_on)]), What::Reading);
        assert_eq!((found.by, found.is_estimated), (day(by), read_on.is_none()));
        assert_eq!(found.about, Some(Uuid::from_u128(1)));
    }
}

#[test]
fn b8_a_leaflet_is_due_once_a_year_and_goes_with_the_inspection() {
    let mut home = home(|home| {
        home.supply.inspected_on = Some(day("2026-11-20"));
        home.leaflet_on = Some(day("2025-12-01"));
    });
    let found = |home: &Home, end: &str| {
        let items = until(home, end);
        items.into_iter().find(|it| it.what == What::Leaflet)
    };

    let alone = found(&home, "2026-12-31").expect("it is due");
    assert_eq!((alone.by, alone.kind), (day("2026-12-01"), JobKind::SafetyGuidance));
    home.supply.inspected_on = Some(day("2025-12-15"));
    assert_eq!(found(&home, "2026-12-31").map(|it| it.kind), Some(JobKind::SafetyInspection));

    home.leaflet_on = Some(day(TODAY));
    assert_eq!(found(&home, "2027-11-23"), None);
    home.leaflet_on = None;
    assert!(found(&home, TODAY).is_some_and(|it| it.is_estimated));
}

#[test]
fn b14_an_entitled_household_has_its_free_hose_once_a_calendar_year() {
    let rubber = |number: u128, on: &str| Hose {
        id: HoseId(Uuid::from_u128(number)),
        kind: HoseKind::Rubber,
        length_mm: 1500,
        installed_on: day(on),
        is_estimated: false,
        joints: None,
    };
    // Lives of 18 months end on 2026-06-15 and 2027-03-01.
    let mut home = home(|home| home.hoses = vec![rubber(1, "2024-12-15"), rubber(2, "2025-09-01")]);
    let hoses = |home: &Home| -> Vec<(What, NaiveDate)> {
        let items = until(home, "2027-12-31");
        let hoses = items.iter().filter(|it| matches!(it.what, What::Hose | What::FreeHose));
        hoses.map(|it| (it.what, it.by)).collect()
    };
    let (first, second) = (day("2026-06-15"), day("2027-03-01"));

    assert_eq!(hoses(&home), [(What::Hose, first), (What::Hose, second)]);
    home.groups.insert(Group::Elderly);
    assert_eq!(hoses(&home), [(What::FreeHose, first), (What::Hose, second)]);
    home.replacements = vec![Replacement {
        job: Some(JobId(Uuid::from_u128(9))),
        installed: HoseId(Uuid::from_u128(7)),
        on: day("2026-03-01"),
        free: true,
    }];
    assert_eq!(hoses(&home), [(What::Hose, first), (What::Hose, second)], "used up this year");
}

#[test]
fn b14_the_life_of_an_appliance_starts_on_the_day_of_sale() {
    let stove = |sold_on: Option<&str>, installed_on: Option<&str>| Appliance {
        id: ApplianceId(Uuid::from_u128(5)),
        kind: ApplianceKind::Stove,
        brand: "华帝".to_owned(),
        model: String::new(),
        installed_on: installed_on.map(day),
        sold_on: sold_on.map(day),
        is_estimated: false,
        flame_out: None,
    };
    for (sold_on, installed_on, expected) in [
        (Some("2018-10-01"), Some("2019-05-01"), Some(("2026-10-01", false))),
        (None, Some("2019-05-01"), Some(("2027-05-01", true))),
        (None, None, None),
    ] {
        let home = home(|home| home.appliances = vec![stove(sold_on, installed_on)]);
        let items = until(&home, "2030-01-01");
        let found = items.iter().find(|it| it.what == What::Appliance);
        let expected = expected.map(|(by, is_estimated)| (day(by), is_estimated));
        assert_eq!(found.map(|it| (it.by, it.is_estimated)), expected);
    }

    // Whose owner was told is told again only after a year.
    let mut home = home(|home| home.appliances = vec![stove(Some("2016-01-01"), None)]);
    home.done.insert(JobKind::SafetyGuidance, day("2026-05-05"));
    let items = until(&home, "2030-01-01");
    let found = items.iter().find(|it| it.what == What::Appliance).expect("again");
    assert_eq!(found.by, day("2027-05-05"));
}

#[test]
fn b7_hazards_and_meters_are_due_by_their_days_and_a_visit_that_found_one_still_there_takes_nothing_off()
 {
    let mut home = home(|home| {
        home.hazards = vec![OpenHazard {
            id: FactId(Uuid::from_u128(3)),
            name: name("灶具超期", "Stove overdue"),
            found_on: day("2026-11-01"),
            deadline: day("2026-12-01"),
        }];
        home.meters = vec![MeterLife {
            id: MeterId(Uuid::from_u128(1)),
            since: Some(day("2017-01-10")),
            is_estimated: true,
            read_on: Some(day(TODAY)),
        }];
        // Gas that was turned off asks for no visits, but what is wrong stays wrong.
        home.supply.is_off = true;
    });

    let items = until(&home, "2027-12-31");
    let found: Vec<_> = items.iter().map(|it| (it.what, it.by, it.is_estimated)).collect();
    let meter = (What::Meter, day("2027-01-10"), true);
    assert_eq!(found, [(What::Hazard, day("2026-12-01"), false), meter]);
    home.done.insert(JobKind::HazardRecheck, day("2026-11-15"));
    assert!(until(&home, "2027-12-31").iter().any(|it| it.what == What::Hazard));
}

#[test]
fn a_pack_of_before_makes_nothing_due() {
    let mut pack = pack();
    pack.due = None;
    assert_eq!(due(&home(|_| ()), (day(TODAY), day("2030-01-01")), (&pack, &[])), []);
}

/// A home of which nothing is due but what a test makes so.
fn home(change: impl FnOnce(&mut Home)) -> Home {
    let mut home = Home { leaflet_on: Some(day("2200-01-01")), ..Home::default() };
    change(&mut home);
    home
}

fn until(home: &Home, end: &str) -> Vec<Item> {
    due(home, (day(TODAY), day(end)), (&pack(), &pack().feasts()))
}

fn only(home: &Home, what: What) -> Item {
    let found = until(home, "2030-01-01").into_iter().filter(|it| it.what == what);
    let found: Vec<Item> = found.collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn name(zh: &str, en: &str) -> ItemName {
    ItemName { id: en.to_owned(), zh: zh.to_owned(), en: en.to_owned() }
}

fn pack() -> Pack {
    Pack::builtin()
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests write days")
}
