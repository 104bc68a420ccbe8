//! The jobs of one day at one hall.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta, TimeZone, Utc};
use domain::household::{Group, Hose, HoseKind, Household, Meter, PastReading};
use domain::id::{EntryId, HallId, HoseId, HouseholdId, JobId, MeterId, UserId, uuid_v7};
use domain::job::{Appointment, Assignment, Author, Briefing, Channel, Job, JobKind, Plan, Window};
use domain::measure::Volume;
use domain::pack::Pack;
use domain::reading::ReadingState;
use domain::stamp::Timestamp;
use uuid::Uuid;

pub(crate) const TECHNICIAN: UserId = UserId(Uuid::from_u128(0x7ec));
pub(crate) const DISPATCHER: UserId = UserId(Uuid::from_u128(0xd15));
pub(crate) const HALL: HallId = HallId(Uuid::from_u128(0x4a11));

/// 2026-11-23 08:00 in the hall's city.
pub(crate) fn morning() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 23, 0, 0, 0).unwrap()
}

pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

/// Eight jobs of one day.
pub(crate) fn jobs() -> Vec<Job> {
    let kinds = [
        JobKind::MeterReading,
        JobKind::HoseReplacement,
        JobKind::Ignition,
        JobKind::Sealing,
        JobKind::SafetyInspection,
        JobKind::CashCollection,
        JobKind::Emergency,
        JobKind::MeterReading,
    ];
    kinds.into_iter().zip(1..).map(|(kind, n)| job(n, kind)).collect()
}

pub(crate) fn window(from_hour: i64) -> Window {
    let start = morning() + TimeDelta::hours(from_hour - 8);
    Window { start, end: start + TimeDelta::hours(2) }
}

pub(crate) fn author(minute: i64) -> Author {
    Author { by: DISPATCHER, at: morning() - TimeDelta::days(1) + TimeDelta::minutes(minute) }
}

pub(crate) fn entry(minute: i64) -> EntryId {
    let at = author(minute).at.timestamp_millis();
    EntryId(uuid_v7(at, [u8::try_from(minute % 200).unwrap(); 10]))
}

pub(crate) fn job(n: u8, kind: JobKind) -> Job {
    let id = |kind: u8| Uuid::from_u128(u128::from(n) << 8 | u128::from(kind));
    let on = |days: i64| day() - TimeDelta::days(days);
    let reading = |days: i64, litres: i64| PastReading {
        on: on(days),
        register: Volume(litres),
        state: ReadingState::Seen,
    };
    let appointment =
        Appointment { window: window(9), channel: Channel::Counter, author: author(i64::from(n)) };
    let assignment = Assignment { technician: Some(TECHNICIAN), author: author(i64::from(n)) };
    Job {
        schema: 1,
        id: JobId(id(1)),
        hall: HALL,
        kind,
        pack: Pack::builtin().id,
        created_at: morning() - TimeDelta::days(1),
        plan: Plan {
            appointments: BTreeMap::from([(entry(i64::from(n)), appointment)]),
            assignments: BTreeMap::from([(entry(i64::from(n) + 50), assignment)]),
            ..Plan::default()
        },
        briefing: Briefing {
            household: Household {
                id: HouseholdId(id(2)),
                account: format!("3401{n:04}"),
                holder: format!("用户{n}"),
                address: format!("镜湖区{n}号楼"),
                phone: "05531234567".to_owned(),
                place: None,
                groups: BTreeSet::from([Group::Elderly]),
                access: String::new(),
                unregistered: false,
            },
            meters: vec![Meter {
                readings: vec![reading(400, 300_000), reading(200, 410_000), reading(60, 500_000)],
                ..Meter::new(MeterId(id(3)), &format!("M{n}"), "G4", 5)
            }],
            season: None,
            hoses: vec![Hose {
                id: HoseId(id(4)),
                kind: HoseKind::Rubber,
                length_mm: 1_200,
                installed_on: on(700),
                is_estimated: false,
                joints: None,
            }],
            appliances: Vec::new(),
            replacements: Vec::new(),
            caller_phone: String::new(),
            request: String::new(),
            also_due: Vec::new(),
            hazards: Vec::new(),
            attempts: Vec::new(),
        },
        visits: BTreeMap::new(),
        messages: BTreeMap::new(),
    }
}
