//! A phone on a log whose records are whole and whose contents are anything: it opens, keeps all and gives it out (S1, S18).

use domain::stamp::BootId;
use mobile_core::clock::{ManualClock, Moment, SeededRng};
use mobile_core::phone::Phone;
use pollster::block_on;
use sync::device::Record;
use sync::limits::Limits;
use sync::preflight::inspect;

use crate::log::written;
use crate::scene::{now, reseal, scene};
use crate::store::Store;
use crate::{Inputs, rescue};

/// A phone without a disk under it.
pub(crate) type Opened = Phone<Store, ManualClock, SeededRng>;

/// How a payload of the log begins that is a record of the protocol.
const SYNC: u8 = 0;

/// Opens a phone on a log with these payloads, each with its length in two bytes before it.
pub(crate) fn run(input: &[u8]) {
    let payloads: Vec<Vec<u8>> = split(input).filter_map(believable).collect();
    let store = Store::of(&written(&payloads, 0));
    let mut phone = open(store.clone());
    let rescued = block_on(phone.rescue());
    rescue::run(&rescued);
    look(&phone);

    let is_compacted = block_on(phone.compact()).is_ok();
    let kept = phone.into_store();
    // It compares before it exchanges, and refuses where a shorter log would not be the same.
    assert!(is_compacted || kept == store, "a log that is not compacted is as it was");
    let mut again = open(kept);
    look(&again);
    let rescued_again = block_on(again.rescue());
    assert_eq!(
        rescue::sorted(&rescued_again),
        rescue::sorted(&rescued),
        "compaction loses nothing"
    );
}

/// Asks what screens ask.
fn look(phone: &Opened) {
    let _ = (phone.my_day(phone.city_today()), phone.reminders(), phone.sync_state());
    let _ = (phone.reminder_answers(), phone.next_receipt(), phone.own_receipts());
    for job in phone.my_day(phone.city_today()) {
        let _ = (phone.job(job.job), phone.steps(job.job));
    }
}

/// A phone on a log with these payloads.
pub(crate) fn opened(payloads: &[Vec<u8>]) -> Opened {
    open(Store::of(&written(payloads, 0)))
}

fn open(store: Store) -> Opened {
    let moment = Moment { wall_at: now(), boot: BootId(1), mono_ms: 1_000_000 };
    let opened = block_on(Phone::open(store, ManualClock::at(moment), SeededRng::new(7)));
    let opened = opened.expect("a log of whole records opens");
    assert!(opened.report.recovery.is_clean());
    opened.phone
}

fn split(mut input: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        let (length, rest) = input.split_first_chunk::<2>()?;
        let (payload, rest) =
            rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        input = rest;
        Some(payload.to_vec())
    })
}

/// A phone keeps only changes that it made itself or that its hall looked at.
fn believable(payload: Vec<u8>) -> Option<Vec<u8>> {
    let is_let_in = |bytes: &mut Vec<u8>| {
        reseal(bytes);
        inspect(bytes, &Limits::default()).is_ok()
    };
    let record = match payload.split_first() {
        Some((&SYNC, rest)) => Record::decode(rest).ok(),
        Some(_) | None => None,
    };
    match record {
        Some(Record::Made(mut made)) => {
            is_let_in(&mut made.bytes).then(|| entry(&Record::Made(made)))
        }
        Some(Record::Arrived(mut arrived)) => {
            arrived.snapshot = None;
            arrived.changes.retain_mut(|fed| is_let_in(&mut fed.bytes));
            Some(entry(&Record::Arrived(arrived)))
        }
        Some(_) | None => Some(payload),
    }
}

/// A record as a payload of the log.
pub(crate) fn entry(record: &Record) -> Vec<u8> {
    [&[SYNC], &record.encode()[..]].concat()
}

/// The records of a phone's days.
pub(crate) fn story() -> Vec<Record> {
    scene().records.clone()
}

/// The log of the scene, and the entries that only a phone writes.
pub(crate) fn seeds() -> Inputs {
    let story: Vec<Vec<u8>> = story().iter().map(entry).collect();
    let job = scene().jobs[0].0;
    let left = r#"{"kind":"repair","address":"听江里1幢","recorded":3,"arrived_at":7}"#;
    let name = format!(r#"{{"about":"set_out","job":"{job}","due_at":7}}"#);
    let later = format!(r#"[{name},{{"said":{{"later":{{"minutes":10}}}},"at":8}},true]"#);
    let own = vec![
        [&[1], &job.as_bytes()[..], &[7; 16]].concat(),
        [&[2], &[7; 32][..], job.as_bytes(), &9_000_u64.to_le_bytes()].concat(),
        [&[3], &[7; 32][..]].concat(),
        [&[4], &[8; 32][..], "太大".as_bytes()].concat(),
        [&[5], &job.as_bytes()[..], left.as_bytes()].concat(),
        [&[6], later.as_bytes()].concat(),
        vec![200, 1, 2],
    ];
    let mut seeds = vec![("own".to_owned(), joined(&own)), ("story".to_owned(), joined(&story))];
    seeds.push(("both".to_owned(), joined(&[story, own].concat())));
    seeds
}

fn joined(payloads: &[Vec<u8>]) -> Vec<u8> {
    let length = |payload: &Vec<u8>| u16::try_from(payload.len()).unwrap_or(u16::MAX).to_le_bytes();
    payloads.iter().flat_map(|it| [&length(it)[..], it].concat()).collect()
}
