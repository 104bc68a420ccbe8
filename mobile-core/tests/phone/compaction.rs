//! A shorter log says the same, and a crash while shortening loses nothing.

use std::collections::BTreeSet;

use mobile_core::log::memory::{Landing, MemoryDisk, MemoryLog, Stop};
use pollster::block_on;
use uuid::Uuid;

use crate::jobs::{day, jobs};
use crate::script::{tap, taps};
use crate::world::{ENROLMENT, TestPhone, World, held};

#[test]
fn s10_a_compacted_log_replays_to_the_same_phone() {
    for taps in [1, 30, 90, 140] {
        let (disk, world, saved) = part_of_the_day(taps);
        let (mut phone, _) = world.open(open(&disk), 2);
        let before = (phone.my_day(day()), phone.sync_state(), held(&phone));

        let gained = block_on(phone.compact()).unwrap();
        block_on(phone.compact()).unwrap();
        drop(phone);

        let (mut phone, report) = world.open(open(&disk), 3);
        assert!(report.is_clean());
        assert_eq!((phone.my_day(day()), phone.sync_state(), held(&phone)), before);
        assert!(gained.after_bytes <= gained.before_bytes + 200, "{gained:?}");
        world.sync(&mut phone);
        world.assert_equal(&phone, &saved);
    }
}

#[test]
fn s10_a_crash_in_any_step_of_a_compaction_loses_nothing() {
    let (disk, world, saved) = part_of_the_day(60);
    let backup = disk.backup();
    let mut phone = world.open(open(&disk), 2).0;
    let before = disk.ops();
    block_on(phone.compact()).unwrap();
    let ops = disk.ops() - before;
    assert!(ops >= 4);

    for op in 1..=ops {
        for landing in [Landing::Before, Landing::Torn(1_000), Landing::After] {
            for stop in [Stop::Kill, Stop::PowerLoss { unflushed_bytes: 500 }] {
                let (disk, world) = (MemoryDisk::new(), world.fork());
                disk.restore(&backup);
                let (mut phone, _) = world.open(open(&disk), 2);
                disk.crash_at(disk.ops() + op, landing);
                let done = block_on(phone.compact());
                drop(phone);
                disk.restart(stop);
                let (mut phone, report) = world.open(open(&disk), 3);
                assert!(report.is_clean(), "{op} {landing:?} {stop:?} {done:?} {report:?}");
                assert_eq!(held(&phone), saved, "{op} {landing:?} {stop:?}");
                world.sync(&mut phone);
                world.assert_equal(&phone, &saved);
            }
        }
    }
}

#[test]
fn l5_without_room_to_compact_the_log_stays_and_goes_on() {
    let (disk, world, mut saved) = part_of_the_day(60);
    let (mut phone, _) = world.open(open(&disk), 2);
    disk.fill_up(1);

    assert!(block_on(phone.compact()).is_err());

    for each in &taps(&jobs())[60..70] {
        saved.extend(block_on(tap(&mut phone, &world, each)).unwrap());
    }
    drop(phone);
    let (phone, report) = world.open(open(&disk), 3);
    assert!(report.is_clean());
    assert_eq!(held(&phone), saved);
}

#[test]
fn a_short_log_is_left_alone() {
    let (disk, world, _) = part_of_the_day(60);
    let mut phone: TestPhone<MemoryLog> = world.open(open(&disk), 2).0;

    assert_eq!(block_on(phone.compact_if_long()), Ok(None));
}

fn part_of_the_day(count: usize) -> (MemoryDisk, World, BTreeSet<Uuid>) {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let day = taps(&all);
    let taps = day.iter().take(count);
    let saved = taps.flat_map(|each| block_on(tap(&mut phone, &world, each)).unwrap()).collect();
    (disk, world, saved)
}

#[track_caller]
fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}
