//! The jobs of a fleet's hall: made up, one for each door.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::id::{EntryId, HallId, JobId, UserId};
use domain::job::{Appointment, Author, Briefing, Channel, Job, JobKind, Plan, Window};
use domain::pack::Pack;
use domain::stamp::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// The hall.
pub const HALL: HallId = HallId(Uuid::from_u128(0x4a11));

/// Who plans.
pub const DISPATCHER: UserId = UserId(Uuid::from_u128(0xd15));

/// The pack that judges; its text is read once.
pub fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(Pack::builtin)
}

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
    Job {
        schema: sync::document::SCHEMA,
        id: JobId(id(1)),
        hall: HALL,
        kind,
        pack: pack().id.clone(),
        created_at: now,
        plan: Plan { appointments: BTreeMap::from([(entry, appointment)]), ..Plan::default() },
        briefing: briefing(number, &id, &on),
        visits: BTreeMap::new(),
        messages: BTreeMap::new(),
    }
}

/// What is known of the door. Only what a fleet needs is said; the rest is what it is when nobody knows it.
fn briefing(number: u128, id: &dyn Fn(u128) -> Uuid, on: &dyn Fn(i64) -> NaiveDate) -> Briefing {
    let reading = |days, litres: i64| json!({"on": on(days), "register": litres});
    let known = json!({
        "household": {
            "id": id(2), "account": format!("3401{number:04}"), "holder": "李建国",
            "address": format!("文化路{number}号"), "phone": "05530200001", "groups": ["elderly"],
        },
        "meters": [{
            "id": id(3), "serial": format!("M{number}"), "size": "G4", "digits": 5,
            "readings": [reading(400, 300_000), reading(200, 410_000), reading(60, 500_000)],
        }],
        "hoses": [{"id": id(4), "kind": "rubber", "length_mm": 1_200, "installed_on": on(700)}],
    });
    serde_json::from_value(known).expect("a briefing as documents hold it")
}
