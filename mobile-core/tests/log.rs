//! The log against every crash, cut and flipped bit.

use mobile_core::log::memory::{Landing, MemoryDisk, MemoryLog, Stop};
use mobile_core::log::{Beginning, Found, Log, LogStore, OpenLogError, Opened, StoreError};
use mobile_core::native;
use mobile_core::photo::BlobStore;
use pollster::block_on;

#[test]
fn s1_every_saved_record_survives_a_crash_in_any_operation() {
    let quiet = MemoryDisk::new();
    write_records(&quiet, 12);
    let mut crashes = 0;

    for op in 1..=quiet.ops() {
        for landing in [Landing::Before, Landing::Torn(17), Landing::After] {
            for stop in stops() {
                let disk = MemoryDisk::new();
                disk.crash_at(op, landing);
                let saved = write_records(&disk, 12);
                assert!(disk.is_off());
                disk.restart(stop);
                let found = open(&disk).payloads;
                assert!(found.len() >= saved, "op {op} {landing:?} {stop:?}");
                assert!(found.iter().enumerate().all(|(n, bytes)| *bytes == record(n)));
                assert!(
                    write_records(&disk, 2) == 2 && open(&disk).payloads.len() == found.len() + 2
                );
                crashes += 1;
            }
        }
    }
    assert!(crashes > 250, "{crashes}");
}

/// A killed process leaves writes that nobody flushed; a phone shows what it reads, so that has to stay.
#[test]
fn s1_what_an_opening_reads_outlives_the_power() {
    let quiet = MemoryDisk::new();
    write_records(&quiet, 6);
    let mut unflushed = 0;

    for op in 1..=quiet.ops() {
        let disk = MemoryDisk::new();
        disk.crash_at(op, Landing::Before);
        let saved = write_records(&disk, 6);
        disk.restart(Stop::Kill);
        let read = open(&disk).payloads;
        disk.restart(Stop::PowerLoss { unflushed_bytes: 0 });
        assert_eq!(open(&disk).payloads, read, "op {op}");
        unflushed += usize::from(read.len() > saved);
    }
    assert!(unflushed > 3, "{unflushed}");
}

#[test]
fn s1_a_tail_torn_at_any_byte_is_cut_told_and_kept() {
    let disk = MemoryDisk::new();
    write_records(&disk, 3);
    let whole = disk.log_bytes();
    let fourth = {
        write_records(&disk, 1);
        disk.log_bytes().split_off(whole.len())
    };

    for cut in 1..fourth.len() {
        let disk = MemoryDisk::new();
        disk.set_log_bytes([&whole[..], &fourth[..cut]].concat());
        let mut opened = open(&disk);
        let tail = opened.recovery.cut_tail.unwrap();
        assert_eq!((opened.payloads.len(), tail.bytes, tail.may_have_been_saved), (3, cut, false));
        assert_eq!(disk.log_bytes(), whole);
        assert_eq!(block_on(opened.log.asides()).unwrap()[0].bytes, fourth[..cut]);
        drop(opened);
        assert!(open(&disk).recovery.is_clean());
    }
}

#[test]
fn s1_a_flipped_bit_anywhere_is_told_and_costs_one_record_at_most() {
    let disk = MemoryDisk::new();
    write_records(&disk, 8);
    let whole = disk.log_bytes();

    for bit in 0..whole.len() * 8 {
        let disk = MemoryDisk::new();
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        disk.set_log_bytes(bytes);
        let first = open(&disk);
        assert!(!first.recovery.is_clean(), "bit {bit}");
        assert!(first.payloads.len() >= 7, "bit {bit}");
        assert!(first.payloads.iter().all(|payload| (0..8).any(|n| *payload == record(n))));
        drop(first);

        let again = open(&disk);
        assert!(again.recovery.is_clean(), "bit {bit}: {:?}", again.recovery);
        assert!(again.payloads.len() >= 7);
        drop(again);
        assert_eq!(write_records(&disk, 1), 1);
        assert!(open(&disk).recovery.is_clean(), "bit {bit}");
    }
}

#[test]
fn a_damaged_record_in_the_middle_costs_itself_only_and_stays_counted() {
    let disk = MemoryDisk::new();
    write_records(&disk, 5);
    let mut bytes = disk.log_bytes();
    let at = bytes.windows(8).position(|window| window == &record(2)[..8]).unwrap();
    bytes[at] ^= 1;
    disk.set_log_bytes(bytes);

    let mut opened = open(&disk);

    assert_eq!(opened.payloads, [record(0), record(1), record(3), record(4)]);
    assert_eq!((opened.recovery.missing(), opened.recovery.damages.len()), (1, 1));
    assert_eq!(opened.recovery.damages[0].bytes, 36 + record(2).len());
    assert_eq!(block_on(opened.log.asides()).unwrap().len(), 1);
    drop(opened);
    assert_eq!(open(&disk).recovery.missing_before, 1);
}

#[test]
fn damage_with_a_lost_header_and_first_record_says_that_nobody_knows_how_much() {
    let disk = MemoryDisk::new();
    write_records(&disk, 4);
    let mut bytes = disk.log_bytes();
    bytes[3] ^= 1;
    bytes[30] ^= 1;
    disk.set_log_bytes(bytes);

    let opened = open(&disk);

    assert_eq!(opened.payloads, [record(1), record(2), record(3)]);
    assert!(opened.recovery.header_damaged);
    assert_eq!(opened.recovery.damages[0].missing, None);
    drop(opened);
    let again = open(&disk);
    assert!(again.recovery.is_clean(), "{:?}", again.recovery);
    assert_eq!(again.payloads.len(), 3);
}

#[test]
fn a_record_of_another_log_in_the_middle_breaks_the_chain_and_is_told_once() {
    let (ours, theirs) = (MemoryDisk::new(), MemoryDisk::new());
    write_records(&ours, 3);
    let mut log = open(&theirs).log;
    for text in ["first", "second", "third"] {
        block_on(log.append(text.as_bytes())).unwrap();
    }
    let second = |first: usize, length: usize| (60 + first, 60 + first + 36 + length);
    let (from, to) = second(5, 6);
    let (start, end) = second(record(0).len(), record(1).len());
    let mut bytes = ours.log_bytes();
    bytes.splice(start..end, theirs.log_bytes()[from..to].iter().copied());
    ours.set_log_bytes(bytes);

    let opened = open(&ours);

    assert_eq!(opened.payloads, [record(0), b"second".to_vec(), record(2)]);
    assert_eq!((opened.recovery.chain_breaks, opened.recovery.is_clean()), (2, false));
    drop(opened);
    let again = open(&ours);
    assert!(again.recovery.is_clean(), "{:?}", again.recovery);
    assert_eq!(again.payloads, [record(0), b"second".to_vec(), record(2)]);
}

#[test]
fn s1_a_damaged_first_record_of_a_compacted_log_is_told_once() {
    let disk = MemoryDisk::new();
    write_records(&disk, 5);
    let short = [record(0), record(1)];
    block_on(open(&disk).log.replace_all(short.iter().map(Vec::as_slice))).unwrap();
    let mut bytes = disk.log_bytes();
    bytes[30] ^= 1;
    disk.set_log_bytes(bytes);

    let opened = open(&disk);
    assert_eq!((opened.payloads.len(), opened.recovery.missing()), (1, 1));
    drop(opened);

    assert!(open(&disk).recovery.is_clean());
    write_records(&disk, 1);
    assert!(open(&disk).recovery.is_clean());
}

#[test]
fn s1_a_log_compacted_to_nothing_goes_on() {
    let disk = MemoryDisk::new();
    write_records(&disk, 3);
    block_on(open(&disk).log.replace_all([])).unwrap();

    write_records(&disk, 2);

    let opened = open(&disk);
    assert!(opened.recovery.is_clean(), "{:?}", opened.recovery);
    assert_eq!((opened.payloads.len(), opened.log.last_seq()), (2, 5));
}

#[test]
fn l5_a_full_disk_saves_nothing_and_later_appends_work() {
    for full_at in 0..6 {
        for calls in 1..=3 {
            let disk = MemoryDisk::new();
            let mut log = open(&disk).log;
            for n in 0..6 {
                if n == full_at {
                    disk.fill_up(calls);
                    for _ in 0..calls {
                        assert_eq!(block_on(log.append(b"not saved")), Err(StoreError::Full));
                    }
                }
                block_on(log.append(&record(n))).unwrap();
            }
            drop(log);
            let opened = open(&disk);
            assert!(opened.recovery.is_clean());
            assert_eq!(opened.payloads, (0..6).map(record).collect::<Vec<_>>());
        }
    }
}

#[test]
fn l5_a_torn_tail_on_a_full_disk_waits_for_room_and_is_never_dropped() {
    let disk = MemoryDisk::new();
    write_records(&disk, 3);
    let whole = disk.log_bytes();
    let torn = [&whole[..], b"\xd5Lg\x01 half a record"].concat();
    disk.set_log_bytes(torn.clone());
    disk.fill_up(2);

    let mut opened = open(&disk);

    assert_eq!(opened.recovery.repair_failed, Some(StoreError::Full));
    assert_eq!((opened.payloads.len(), disk.log_bytes()), (3, torn));
    assert_eq!(block_on(opened.log.asides()).unwrap()[0].bytes, b"\xd5Lg\x01 half a record");
    assert_eq!(block_on(opened.log.append(&record(3))), Err(StoreError::Full));
    block_on(opened.log.append(&record(3))).unwrap();
    drop(opened);
    let again = open(&disk);
    assert!(again.recovery.is_clean());
    assert_eq!(again.payloads.len(), 4);
}

#[test]
fn a_failed_flush_refuses_every_write_until_the_log_is_opened_again() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).log;
    block_on(log.append(&record(0))).unwrap();
    disk.fail_syncs(1);

    assert_eq!(block_on(log.append(&record(1))), Err(StoreError::Stuck));
    assert_eq!(block_on(log.append(&record(1))), Err(StoreError::Stuck));
    assert_eq!(block_on(log.replace_all([&b"x"[..]])), Err(StoreError::Stuck));

    drop(log);
    let mut log = open(&disk).log;
    block_on(log.append(&record(1))).unwrap();
}

#[test]
fn s1_what_is_read_after_a_failed_flush_also_survives_the_loss_of_power() {
    for stop in stops() {
        let disk = MemoryDisk::new();
        let mut log = open(&disk).log;
        block_on(log.append(&record(0))).unwrap();
        disk.fail_syncs(1);
        assert_eq!(block_on(log.append(&record(1))), Err(StoreError::Stuck));
        drop(log);

        let shown = open(&disk).payloads;
        assert_eq!(write_records(&disk, 1), 1);
        disk.restart(stop);

        let found = open(&disk);
        assert!(found.recovery.is_clean() && found.payloads.starts_with(&shown), "{stop:?}");
        assert_eq!(found.payloads.len(), shown.len() + 1);
    }
}

#[test]
fn a_disk_that_goes_on_failing_is_read_and_never_written() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).log;
    block_on(log.append(&record(0))).unwrap();
    disk.fail_syncs(9);
    block_on(log.append(&record(1))).unwrap_err();
    drop(log);

    let mut opened = open(&disk);

    assert_eq!(opened.payloads[0], record(0));
    assert_eq!(block_on(opened.log.append(&record(2))), Err(StoreError::Stuck));
}

#[test]
fn the_second_opener_is_refused_in_memory_and_on_a_real_disk() {
    let disk = MemoryDisk::new();
    let first = open(&disk);
    assert_eq!(MemoryLog::open(disk.clone()).err(), Some(StoreError::InUse));
    drop(first);
    assert!(MemoryLog::open(disk).is_ok());

    let folder = tempfile::tempdir().unwrap();
    let first = native::open_log(folder.path()).unwrap();
    assert_eq!(native::open_log(folder.path()).err(), Some(StoreError::InUse));
    drop(first);
    assert!(native::open_log(folder.path()).is_ok());
}

#[test]
fn a_log_on_a_real_disk_reads_back_and_tells_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er");
    let mut log = block_on(Log::open(native::open_log(&path).unwrap())).unwrap().log;
    for n in 0..5 {
        block_on(log.append(&record(n))).unwrap();
    }
    block_on(log.replace_all([&record(7)[..], &record(8)])).unwrap();
    block_on(log.append(&record(9))).unwrap();
    drop(log);
    let file = path.join("phone.log");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();

    let opened = block_on(Log::open(native::open_log(&path).unwrap())).unwrap();

    assert_eq!(opened.payloads, [record(7), record(8)]);
    assert!(opened.recovery.cut_tail.unwrap().may_have_been_saved);
    assert_eq!(opened.log.last_seq(), 7);
}

#[test]
fn a_store_that_is_gone_new_or_foreign_is_told_apart() {
    let disk = MemoryDisk::new();
    assert_eq!(open(&disk).recovery.beginning, Beginning::New);
    assert_eq!(open(&disk).recovery.beginning, Beginning::Resumed);
    disk.evict();
    assert_eq!(open(&disk).recovery.beginning, Beginning::Gone);
    assert_eq!(open(&disk).recovery.beginning, Beginning::Resumed);

    disk.set_log_bytes(b"not a log at all".to_vec());
    let refused = block_on(Log::open(MemoryLog::open(disk.clone()).unwrap()));
    assert_eq!(refused.err(), Some(OpenLogError::NotALog { size_bytes: 16 }));
    assert_eq!(disk.log_bytes(), b"not a log at all");
}

#[test]
fn s10_a_crash_in_any_step_of_a_compaction_leaves_the_old_log_or_the_new() {
    let quiet = MemoryDisk::new();
    write_records(&quiet, 6);
    let before = quiet.ops();
    compact(&quiet);

    for op in before + 1..=quiet.ops() {
        for landing in [Landing::Before, Landing::Torn(40), Landing::After] {
            for stop in stops() {
                let disk = MemoryDisk::new();
                write_records(&disk, 6);
                disk.crash_at(op, landing);
                let is_done = compact(&disk);
                disk.restart(stop);
                let found = open(&disk);
                assert!(found.recovery.is_clean());
                let is_new = found.payloads == [record(9)];
                assert!(is_new || found.payloads == (0..6).map(record).collect::<Vec<_>>());
                assert!(is_new || !is_done, "op {op} {landing:?} {stop:?}");
            }
        }
    }
}

#[test]
fn s1_what_is_appended_to_a_compacted_log_survives_the_loss_of_power() {
    for stop in stops() {
        let disk = MemoryDisk::new();
        write_records(&disk, 6);
        assert!(compact(&disk));
        let mut log = open(&disk).log;
        block_on(log.append(&record(10))).unwrap();
        drop(log);

        disk.restart(stop);

        let found = open(&disk);
        assert!(found.recovery.is_clean());
        assert_eq!(found.payloads, [record(9), record(10)], "{stop:?}");
    }
}

#[test]
fn erasing_leaves_a_phone_as_new() {
    let disk = MemoryDisk::new();
    write_records(&disk, 2);
    let mut log = open(&disk).log;

    block_on(log.erase()).unwrap();

    block_on(log.append(&record(5))).unwrap();
    drop(log);
    assert_eq!(open(&disk).payloads, [record(5)]);
    disk.restart(Stop::PowerLoss { unflushed_bytes: 0 });
    assert_eq!(open(&disk).payloads, [record(5)]);
}

#[test]
fn s23_erasing_leaves_nothing_and_cut_short_it_looks_like_no_eviction() {
    let damaged = || {
        let disk = MemoryDisk::new();
        write_records(&disk, 2);
        let mut bytes = disk.log_bytes();
        bytes[40] ^= 1;
        disk.set_log_bytes(bytes);
        // What was damaged lies beside the log, and is erased with it.
        let log = open(&disk).log;
        (disk, log)
    };
    let (whole, mut log) = damaged();
    let before = whole.ops();
    block_on(log.erase()).unwrap();
    let steps = whole.ops() - before;
    drop(log);
    let mut store = MemoryLog::open(whole).unwrap();
    assert_eq!(block_on(store.read()), Ok(Found::Nothing));
    assert_eq!(block_on(store.asides()), Ok(Vec::new()));

    for step in 1..=steps {
        let (disk, mut log) = damaged();
        disk.crash_at(disk.ops() + step, Landing::After);
        assert!(block_on(log.erase()).is_err());
        drop(log);
        disk.restart(Stop::Kill);
        assert_ne!(open(&disk).recovery.beginning, Beginning::Gone, "step {step} of {steps}");
    }
}

#[test]
fn s1_what_a_failed_write_left_does_not_stand_behind_the_next() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk).log;
    disk.fill_up(1);
    assert_eq!(block_on(log.append(&[7; 500])), Err(StoreError::Full));

    block_on(log.append(b"short")).unwrap();

    assert_eq!(log.size_bytes(), disk.log_bytes().len() as u64);
    drop(log);
    let opened = open(&disk);
    assert!(opened.recovery.is_clean(), "{:?}", opened.recovery);
    assert_eq!(opened.payloads, [b"short"]);
}

#[test]
fn s1_a_picture_that_was_kept_is_there_after_the_loss_of_power() {
    let disk = MemoryDisk::new();
    let mut store = MemoryLog::open(disk.clone()).unwrap();
    for (name, bytes) in [("one", b"old".to_vec()), ("two", b"2".to_vec()), ("one", b"1".to_vec())]
    {
        block_on(store.keep_blob(name, &bytes)).unwrap();
    }
    drop(store);
    disk.restart(Stop::PowerLoss { unflushed_bytes: 0 });

    let mut store = MemoryLog::open(disk).unwrap();
    assert_eq!(block_on(store.blob_names()), Ok(vec!["one".to_owned(), "two".to_owned()]));
    assert_eq!(block_on(store.read_blob("one")), Ok(Some(b"1".to_vec())));
    block_on(store.remove_blob("one")).unwrap();
    assert_eq!(block_on(store.read_blob("one")), Ok(None));
    assert_eq!(block_on(store.blob_names()), Ok(vec!["two".to_owned()]));
}

fn stops() -> [Stop; 3] {
    [Stop::Kill, Stop::PowerLoss { unflushed_bytes: 0 }, Stop::PowerLoss { unflushed_bytes: 5 }]
}

fn record(n: usize) -> Vec<u8> {
    format!("{n}: what happened at door number {n}").into_bytes()
}

#[track_caller]
fn open(disk: &MemoryDisk) -> Opened<MemoryLog> {
    let store = MemoryLog::open(disk.clone()).expect("nobody else has it open");
    block_on(Log::open(store)).expect("the log opens")
}

/// Appends records until one fails; says how many were saved.
fn write_records(disk: &MemoryDisk, count: usize) -> usize {
    let Ok(store) = MemoryLog::open(disk.clone()) else { return 0 };
    let Ok(mut opened) = block_on(Log::open(store)) else { return 0 };
    let first = opened.payloads.len();
    (first..first + count).take_while(|&n| block_on(opened.log.append(&record(n))).is_ok()).count()
}

fn compact(disk: &MemoryDisk) -> bool {
    let mut log = open(disk).log;
    block_on(log.replace_all([&record(9)[..]])).is_ok() && log.size_bytes() > 0
}
