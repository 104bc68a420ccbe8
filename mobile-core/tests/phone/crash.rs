//! The phone killed, unplugged and filled up at every write of a whole day.

use std::collections::BTreeSet;

use mobile_core::log::StoreError;
use mobile_core::log::memory::{Backup, Landing, MemoryDisk, MemoryLog, Stop};
use mobile_core::phone::{CommandError, Rescue, SyncEnd, SyncError};
use pollster::block_on;
use uuid::Uuid;

use crate::jobs::jobs;
use crate::script::{Tap, tap, taps};
use crate::world::{ENROLMENT, World, held};

/// The day just before one of its taps.
struct Moment {
    tap: Tap,
    disk: Backup,
    world: World,
    saved: BTreeSet<Uuid>,
    /// How many operations of the disk the tap takes.
    ops: u64,
}

#[test]
fn s1_s3_a_crash_in_any_write_of_the_day_loses_nothing_saved() {
    let mut crashes = 0;
    for (n, moment) in whole_day().iter().enumerate() {
        for op in 1..=moment.ops {
            for landing in [Landing::Before, Landing::Torn(29), Landing::After] {
                let stop = [
                    Stop::Kill,
                    Stop::PowerLoss { unflushed_bytes: 0 },
                    Stop::PowerLoss { unflushed_bytes: 61 },
                ][crashes % 3];
                // Meeting the hall costs most of the time: the taps take turns at it.
                let meets_hall = crashes % 7 == 0 || n % 50 == 0;
                crash_in(moment, op, landing, stop, meets_hall);
                crashes += 1;
            }
        }
    }
    assert!(crashes > 900, "{crashes}");
}

#[test]
fn s1_a_write_torn_at_any_byte_loses_nothing_saved() {
    let day = whole_day();
    let single = |moment: &&Moment| moment.ops == 2;

    let moment = day.iter().skip(9).find(single).unwrap();
    for bytes in 0..moment.written_bytes() {
        crash_in(moment, 1, Landing::Torn(bytes), Stop::Kill, false);
    }
    let moment = day.iter().skip(12).find(single).unwrap();
    for unflushed_bytes in 0..moment.written_bytes() {
        let stop = Stop::PowerLoss { unflushed_bytes };
        crash_in(moment, 2, Landing::Before, stop, false);
    }
}

#[test]
fn l5_a_full_disk_refuses_every_tap_and_still_reads_exports_and_pushes() {
    for (n, moment) in whole_day().iter().enumerate() {
        let (disk, world) = (moment.disk(), moment.world.fork());
        let (mut phone, _) = world.open(open(&disk), 7);
        disk.fill_up(u32::MAX);
        let before = disk.log_bytes();

        let refused = block_on(tap(&mut phone, &world, &moment.tap));

        assert!(
            matches!(refused, Err(CommandError::Store(StoreError::Full))) || moment.ops == 0,
            "{:?}: {refused:?}",
            moment.tap
        );
        assert_eq!(held(&phone), moment.saved);
        if n % 12 == 0 {
            assert!(jobs().iter().filter(|job| phone.job(job.id).is_ok()).count() == 8 || n == 0);
            let rescue: Rescue = serde_json::from_slice(&block_on(phone.rescue())).unwrap();
            let own = phone.device().own();
            let might_be_missed = own.filter(|it| !phone.device().is_covered(it.standing)).count();
            assert_eq!(rescue.changes.len(), might_be_missed);
            assert!(might_be_missed >= phone.sync_state().only_here);
            let report = world.sync(&mut phone);
            let full = SyncError::Store(StoreError::Full);
            assert_eq!(report.end, SyncEnd::Stopped(full));
            assert!(moment.saved.iter().all(|id| world.has(*id)));
        }
        assert_eq!(disk.log_bytes()[..before.len()], before);

        disk.fill_up(0);
        let saved = block_on(tap(&mut phone, &world, &moment.tap)).unwrap();
        drop(phone);
        let (phone, report) = world.open(open(&disk), 8);
        assert!(report.is_clean(), "{report:?}");
        assert!(saved.iter().chain(&moment.saved).all(|id| held(&phone).contains(id)));
    }
}

#[test]
fn l5_one_full_write_in_a_day_costs_one_tap() {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let mut saved = BTreeSet::new();

    for (n, each) in taps(&all).iter().enumerate() {
        if n % 5 == 2 {
            disk.fill_up(1);
        }
        let first = block_on(tap(&mut phone, &world, each));
        let got = first.or_else(|_| block_on(tap(&mut phone, &world, each)));
        // What a phase had already answered before the disk was full is not answered again.
        saved.extend(got.unwrap());
        disk.fill_up(0);
    }
    world.sync(&mut phone);

    assert!(held(&phone).is_superset(&saved) && saved.len() > 140);
    world.assert_equal(&phone, &saved);
}

#[test]
fn a_failed_flush_saves_nothing_more_until_the_phone_is_opened_again() {
    let day = whole_day();
    let moment = &day[40];
    let (disk, world) = (moment.disk(), moment.world.fork());
    let (mut phone, _) = world.open(open(&disk), 7);
    disk.fail_syncs(1);

    for _ in 0..3 {
        let refused = block_on(tap(&mut phone, &world, &moment.tap));
        assert!(matches!(refused, Err(CommandError::Store(StoreError::Stuck))));
        assert_eq!(held(&phone), moment.saved);
    }

    drop(phone);
    let (phone, _) = world.open(open(&disk), 8);
    assert!(held(&phone).is_superset(&moment.saved));
}

/// Crashes in one operation of a tap, opens the phone again, and looks.
#[track_caller]
fn crash_in(moment: &Moment, op: u64, landing: Landing, stop: Stop, meets_hall: bool) {
    let (disk, world) = (moment.disk(), moment.world.fork());
    let (mut phone, _) = world.open(open(&disk), 7);
    disk.crash_at(disk.ops() + op, landing);
    let mut saved = moment.saved.clone();
    let told = block_on(tap(&mut phone, &world, &moment.tap));
    drop(phone);
    disk.restart(stop);

    let (mut phone, _) = world.open(open(&disk), 8);

    // A tap may have been stopped in its last flush: then it is there, though nobody said so.
    saved.extend(told.into_iter().flatten());
    let case = (&moment.tap, op, landing, stop);
    assert!(held(&phone).is_superset(&saved), "{case:?}");
    if meets_hall {
        let report = world.sync(&mut phone);
        assert_eq!(report.end, SyncEnd::Complete, "{case:?}");
        world.assert_equal(&phone, &held(&phone));
    }
}

/// Lives through the day once, keeping the moment before each tap.
fn whole_day() -> Vec<Moment> {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let mut moments = Vec::new();
    let mut saved = BTreeSet::new();
    for each in taps(&all) {
        let (backup, before, ops) = (disk.backup(), world.fork(), disk.ops());
        let got = block_on(tap(&mut phone, &world, &each)).unwrap();
        let ops = disk.ops() - ops;
        moments.push(Moment { tap: each, disk: backup, world: before, saved: saved.clone(), ops });
        saved.extend(got);
    }
    assert!(saved.len() >= 150, "{}", saved.len());
    moments
}

impl Moment {
    fn disk(&self) -> MemoryDisk {
        let disk = MemoryDisk::new();
        disk.restore(&self.disk);
        disk
    }

    /// How many bytes the tap writes.
    fn written_bytes(&self) -> usize {
        let (disk, world) = (self.disk(), self.world.fork());
        let before = disk.log_bytes().len();
        block_on(tap(&mut world.open(open(&disk), 7).0, &world, &self.tap)).unwrap();
        disk.log_bytes().len() - before
    }
}

#[track_caller]
fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}
