//! The jobs of a fleet's hall: made up, one for each door.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use chrono::TimeDelta;
use domain::calendar::city_day;
use domain::household::{Group, Hose, HoseKind, Household, Meter, PastReading};
use domain::id::{EntryId, HallId, HoseId, HouseholdId, JobId, MeterId, UserId};
use domain::job::{Appointment, Author, Briefing, Channel, Job, JobKind, Plan, Window};
use domain::measure::Volume;
use domain::pack::{Pack, PackId};
use domain::stamp::Timestamp;
use uuid::Uuid;

/// The hall.
pub const HALL: HallId = HallId(Uuid::from_u128(0x4a11));

/// Who plans.
pub const DISPATCHER: UserId = UserId(Uuid::from_u128(0xd15));

/// The pack that judges, whose text is read once.
static PACK: OnceLock<PackId> = OnceLock::new();

/// What the doors of a fleet need, one after another.
const KINDS: [JobKind; 6] = [
    JobKind::MeterReading,
    JobKind::SafetyInspection,
    JobKind::CashCollection,
    JobKind::Emergency,
    JobKind::HoseReplacement,
    JobKind::Repair,
];

/// A job for a door, with a window agreed.
pub fn job(number: u128, entry: EntryId, now: Timestamp) -> Job {
    let id = |part: u128| {
        Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0000 | number << 8 | part)
    };
    let today = city_day(now, 480);
    let on = |days: i64| today - TimeDelta::days(days);
    let kind = KINDS[usize::try_from(number).unwrap_or(0) % KINDS.len()];
    let window = Window { start: now, end: now + TimeDelta::hours(4) };
    let author = Author { by: DISPATCHER, at: now };
    let appointment = Appointment { window, channel: Channel::Phone, author };
    let reading = |days, litres| PastReading { on: on(days), register: Volume(litres) };
    Job {
        schema: sync::document::SCHEMA,
        id: JobId(id(1)),
        hall: HALL,
        kind,
        pack: PACK.get_or_init(|| Pack::builtin().id).clone(),
        created_at: now,
        plan: Plan { appointments: BTreeMap::from([(entry, appointment)]), ..Plan::default() },
        briefing: Briefing {
            household: Household {
                id: HouseholdId(id(2)),
                account: format!("3401{number:04}"),
                holder: "李建国".to_owned(),
                address: format!("文化路{number}号"),
                phone: "05530200001".to_owned(),
                place: None,
                groups: BTreeSet::from([Group::Elderly]),
                access: String::new(),
                unregistered: false,
            },
            meters: vec![Meter {
                id: MeterId(id(3)),
                serial: format!("M{number}"),
                size: "G4".to_owned(),
                digits: 5,
                readings: vec![reading(400, 300_000), reading(200, 410_000), reading(60, 500_000)],
            }],
            hoses: vec![Hose {
                id: HoseId(id(4)),
                kind: HoseKind::Rubber,
                length_mm: 1_200,
                installed_on: on(700),
                is_estimated: false,
                joints: None,
            }],
            replacements: Vec::new(),
            appliances: Vec::new(),
            attempts: Vec::new(),
            hazards: Vec::new(),
            request: String::new(),
            caller_phone: String::new(),
            also_due: Vec::new(),
        },
        visits: BTreeMap::new(),
        messages: BTreeMap::new(),
    }
}
