//! A rule pack as somebody wrote it: refused, or one by which everything can be worked out.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{Days, NaiveDate};
use domain::calendar::{city_day, over_at};
use domain::due::{Home, MeterLife, due};
use domain::hose;
use domain::id::{DeviceId, UserId};
use domain::job::{Job, JobKind};
use domain::ladder;
use domain::measure::Volume;
use domain::meter;
use domain::outage::{self, OutageKind};
use domain::pack::{BUILTIN, Pack, compare, looser};
use domain::reading::{ReadingState, Shown, judge, learn};
use domain::reminder;
use domain::round::{Call, Shift, round};
use domain::status::Status;
use domain::visit::check::missing_to_close;
use domain::visit::{Outcome, Visit};
use toml::Value;
use uuid::Uuid;

use crate::Inputs;
use crate::scene::{job, now};

/// What edits put in the place of numbers and words.
const NUMBERS: [i64; 12] =
    [0, 1, -1, 2, 24, 1440, 527_040, 527_041, i32::MAX as i64, u32::MAX as i64, i64::MAX, i64::MIN];

/// The same for measures.
const FLOATS: [f64; 8] = [0.0, -1.0, 1e-300, 1e-9, 1e9, 1e300, f64::INFINITY, f64::NAN];

/// Tries the bytes as the text of a pack, and as edits of the program's own.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        look(text);
    }
    let mut edited = builtin().clone();
    for edit in bytes.chunks_exact(4).take(4) {
        change(&mut edited, [edit[0], edit[1], edit[2], edit[3]]);
    }
    look(&edited.to_string());
}

fn look(text: &str) {
    let Ok(pack) = Pack::parse(text) else { return };
    let written = toml::to_string(&pack).expect("a pack is a table");
    assert_eq!(Pack::parse(&written).ok().as_ref(), Some(&pack), "it reads as it was written");
    let own = Pack::builtin();
    assert_eq!(compare(&pack, &pack), []);
    let _ = (compare(&own, &pack), looser(&pack));
    let job = job(1);
    promises(&pack, &job);
    rules(&pack, &job);
    home(&pack, &job);
    travel(&pack, &job);
}

/// Every clock that a pack starts runs out.
fn promises(pack: &Pack, job: &Job) {
    let now = now();
    for rule in &pack.promises {
        let over = over_at(rule.span(), now, &[], pack);
        assert!(over > now, "a promise ends after it began");
        reminder::of_promise(over, rule.warn_minutes.unwrap_or(0));
    }
    if let Some(rules) = &pack.notices {
        outage::due_at(OutageKind::Planned, now, rules);
        outage::due_at(OutageKind::Unforeseen, now, rules);
    }
    if let Some(care) = &pack.hazard_care {
        for step in &care.steps {
            step.due_at(now, pack.time.utc_offset_minutes);
        }
    }
    if let Some(rules) = &pack.reminders {
        let today = city_day(now, pack.time.utc_offset_minutes);
        let window = job.plan.appointments.values().next().map(|it| it.window);
        let window = window.expect("the job has a window");
        reminder::of_window(window, (Status::Assigned, false), rules);
        reminder::of_hazard(today, pack.time.utc_offset_minutes, rules);
        reminder::of_unsent(now, rules);
        reminder::of_silence(Some(now), window, rules);
        let duties = reminder::duties(today, pack.time.utc_offset_minutes, rules);
        assert!(duties.count() <= rules.duties.len());
        rules.is_night(now, pack.time.utc_offset_minutes);
    }
}

/// What a visit lacks and what a reading means can be said under it.
fn rules(pack: &Pack, job: &Job) {
    let (technician, device) = (UserId(Uuid::nil()), DeviceId(Uuid::nil()));
    let visit = Visit { technician, device, facts: BTreeMap::new() };
    missing_to_close(job, &visit, &Outcome::Done, pack);
    ladder::of_job(job, pack);
    let meters = &job.briefing.meters;
    let on = today(pack);
    let season = learn(meters, on, pack);
    for register in [0, 1_270_500, u64::MAX >> 1] {
        let register = i64::try_from(register).ok().map(Volume);
        let shown = Shown { on, register, state: ReadingState::Seen };
        judge(&meters[0], season.as_ref(), &shown, pack);
    }
}

/// What is due at a home can be listed.
fn home(pack: &Pack, job: &Job) {
    let today = today(pack);
    let (hoses, meters) = (job.briefing.hoses.clone(), &job.briefing.meters);
    for it in &hoses {
        let _ = (hose::ends_on(it, pack), hose::is_overdue(it, today, pack));
    }
    for it in meters {
        let _ = (meter::ends_on(it, pack), meter::is_overdue(it, today, pack));
    }
    let since = today.checked_sub_days(Days::new(4_000));
    let life = MeterLife { id: meters[0].id, since, is_estimated: true, read_on: since };
    let home = Home { hoses, meters: vec![life], ..Home::default() };
    let until = today.checked_add_days(Days::new(90)).unwrap_or(today);
    due(&home, (today, until), (pack, &pack.feasts()));
}

/// A day's round can be walked.
fn travel(pack: &Pack, job: &Job) {
    let Some(rules) = &pack.travel else { return };
    let shift = Shift::of(rules, now());
    let call = |kind| Call {
        job: job.id,
        kind,
        window: job.plan.appointments.values().next().map(|it| it.window),
        place: job.briefing.household.place,
        is_there: false,
    };
    let calls = JobKind::ALL.into_iter().filter(|kind| pack.offers(*kind)).map(call).collect();
    round(calls, now(), shift.as_ref(), rules);
}

fn today(pack: &Pack) -> NaiveDate {
    city_day(now(), pack.time.utc_offset_minutes)
}

fn builtin() -> &'static toml::Table {
    static TABLE: OnceLock<toml::Table> = OnceLock::new();
    TABLE.get_or_init(|| BUILTIN.parse().expect("the program's own pack is TOML"))
}

/// Changes one leaf of the pack: another number, another word, twice the same, or none.
fn change(pack: &mut toml::Table, [high, low, kind, which]: [u8; 4]) {
    let leaf = usize::from(u16::from_be_bytes([high, low])) % count(pack);
    let mut left = leaf;
    visit(pack, &mut left, &mut |leaf| match (kind % 4, &mut *leaf) {
        (0, _) => *leaf = Value::Integer(NUMBERS[usize::from(which) % NUMBERS.len()]),
        (1, _) => *leaf = Value::Float(FLOATS[usize::from(which) % FLOATS.len()]),
        (2, Value::Array(items)) => items.clear(),
        (2, _) => *leaf = Value::String(String::new()),
        (_, Value::Integer(number)) => *number = number.wrapping_add(i64::from(which) - 128),
        (_, Value::String(text)) => text.push(char::from(which)),
        (_, Value::Float(number)) => *number = -*number,
        (_, Value::Boolean(is)) => *is = !*is,
        (_, Value::Array(items)) => items.extend(items.last().cloned()),
        (_, Value::Datetime(_) | Value::Table(_)) => {}
    });
}

fn count(pack: &mut toml::Table) -> usize {
    let mut left = usize::MAX;
    visit(pack, &mut left, &mut |_| {});
    usize::MAX - left
}

/// Goes through all values that are no tables, and shows the one at which `left` is used up.
fn visit(table: &mut toml::Table, left: &mut usize, show: &mut dyn FnMut(&mut Value)) {
    table.iter_mut().for_each(|(_, value)| visit_value(value, left, show));
}

fn visit_value(value: &mut Value, left: &mut usize, show: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Table(table) => return visit(table, left, show),
        Value::Array(items) => items.iter_mut().for_each(|item| visit_value(item, left, show)),
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => {}
    }
    if *left == 0 {
        show(value);
    }
    *left = left.wrapping_sub(1);
}

/// Edits of each kind at places all over the pack, and a small text.
pub(crate) fn seeds() -> Inputs {
    let edit = |at: u16, kind: u8, which: u8| [&at.to_be_bytes()[..], &[kind, which]].concat();
    let mut seeds: Inputs = (0..16)
        .map(|number: u16| {
            let [_, kind] = number.to_be_bytes();
            (format!("edit-{number:02}"), edit(number * 37, kind, kind * 17))
        })
        .collect();
    seeds.push(("text".to_owned(), b"id = \"x\"\nsource = \"y\"\n".to_vec()));
    seeds
}
