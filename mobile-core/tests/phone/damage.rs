//! A store that lies: flipped bits, older copies, evictions.

use std::collections::BTreeSet;

use mobile_core::log::Beginning;
use mobile_core::log::memory::{MemoryDisk, MemoryLog};
use mobile_core::phone::SyncEnd;
use pollster::block_on;
use sync::device::{Notice, Standing};
use uuid::Uuid;

use crate::jobs::jobs;
use crate::script::{tap, taps};
use crate::world::{ENROLMENT, TestPhone, World, held};

#[test]
fn s1_a_flipped_bit_at_any_byte_is_told_and_costs_one_record() {
    let (disk, saved) = one_visit(7);
    let whole = disk.log_bytes();
    let world = World::new(&jobs()[..1]);

    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.set_log_bytes(bytes);
        let (phone, report) = world.open(open(&disk), 3);
        assert!(!report.is_clean(), "byte {at}");
        let lost = saved.difference(&held(&phone)).count();
        let told = report.recovery.missing() > 0 || report.recovery.cut_tail.is_some();
        assert!(lost == 0 || (lost == 1 && told), "byte {at}: {lost} lost, {report:?}");
    }
}

#[test]
fn s7_news_that_a_flipped_bit_destroyed_are_asked_for_again() {
    let world = World::new(&jobs()[..2]);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    world.sync(&mut phone);
    drop(phone);
    let whole = disk.log_bytes();

    for at in (0..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.set_log_bytes(bytes);
        let (mut phone, _) = world.open(open(&disk), 3);
        if phone.enrolment().is_none() {
            block_on(phone.enrol(ENROLMENT)).unwrap();
        }
        world.sync(&mut phone);
        world.assert_equal(&phone, &BTreeSet::new());
    }
}

#[test]
fn s3_facts_after_a_lost_one_reach_the_hall_and_wait_there() {
    let (disk, saved) = one_visit(usize::MAX);
    let mut bytes = disk.log_bytes();
    let fact = bytes.windows(9).position(|it| it == b"withdrawn").unwrap();
    bytes[fact] ^= 1;
    disk.set_log_bytes(bytes);
    let world = World::new(&jobs()[..1]);

    let (mut phone, report) = world.open(open(&disk), 3);
    let kept = held(&phone);
    let synced = world.sync(&mut phone);

    assert_eq!((saved.len() - kept.len(), report.recovery.missing()), (1, 1));
    assert!(!report.set_aside.is_empty());
    assert_eq!(synced.end, SyncEnd::Complete);
    let state = phone.sync_state();
    assert_eq!((state.only_here, state.acked + state.waiting), (0, kept.len()));
    assert!(state.waiting > 0);
    assert_eq!(phone.sync_state().notices, []);
}

#[test]
fn a_store_put_back_from_an_older_copy_is_told_and_gets_everything_back() {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let day = taps(&all);
    let (morning, rest) = day.split_at(60);
    let (noon, evening) = rest.split_at(40);
    let mut saved = run(&mut phone, &world, morning);
    let backup = disk.backup();
    let made_by_then = phone.device().recorded();
    saved.extend(run(&mut phone, &world, noon));
    let before = phone.device().recorded();
    world.sync(&mut phone);
    drop(phone);
    disk.restore(&backup);

    let (mut phone, report) = world.open(open(&disk), 2);
    // The same taps again, before the phone can know that it did them already.
    let again = noon.iter().filter(|each| !matches!(each, crate::script::Tap::Sync));
    saved.extend(again.flat_map(|each| block_on(tap(&mut phone, &world, each)).unwrap()));
    let synced = world.sync(&mut phone);

    assert!(report.is_clean(), "nothing in the copy itself says that it is old");
    let missing = before - made_by_then;
    assert!(synced.notices.contains(&Notice::OlderStore { missing }), "{:?}", synced.notices);
    saved.extend(run(&mut phone, &world, evening));
    world.sync(&mut phone);
    world.assert_equal(&phone, &saved);
}

#[test]
fn an_evicted_store_is_told_and_the_hall_gives_back_what_it_has() {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let saved = run(&mut phone, &world, &taps(&all));
    drop(phone);
    disk.evict();

    let (mut phone, report) = world.open(open(&disk), 2);

    assert_eq!(report.recovery.beginning, Beginning::Gone);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let synced = world.sync(&mut phone);
    let missing = saved.len() as u64;
    assert_eq!(synced.notices, [Notice::OlderStore { missing }]);
    world.assert_equal(&phone, &saved);
}

#[test]
fn s11_a_store_copied_to_two_phones_wedges_neither() {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let day = taps(&all);
    let mut saved = run(&mut phone, &world, &day[..40]);
    let twin_disk = MemoryDisk::new();
    twin_disk.restore(&disk.backup());
    drop(phone);
    let (mut phone, _) = world.open(open(&disk), 2);
    let (mut twin, _) = world.open(open(&twin_disk), 3);

    saved.extend(run(&mut phone, &world, &day[40..60]));
    saved.extend(run(&mut twin, &world, &day[40..60]));
    for _ in 0..2 {
        world.sync(&mut phone);
        world.sync(&mut twin);
    }

    world.assert_equal(&phone, &saved);
    world.assert_equal(&twin, &saved);
    let standings = twin.device().own().map(|own| own.standing.clone());
    assert!(standings.into_iter().all(|it| matches!(it, Standing::Acked(..))));
}

/// A phone that did one visit and never met the hall again.
fn one_visit(count: usize) -> (MemoryDisk, BTreeSet<Uuid>) {
    let all = &jobs()[..1];
    let world = World::new(all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let mut day = taps(all);
    day.pop();
    day.truncate(count);
    let saved = run(&mut phone, &world, &day);
    (disk, saved)
}

fn run(
    phone: &mut TestPhone<MemoryLog>,
    world: &World,
    taps: &[crate::script::Tap],
) -> BTreeSet<Uuid> {
    taps.iter().flat_map(|each| block_on(tap(phone, world, each)).unwrap()).collect()
}

#[track_caller]
fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}
