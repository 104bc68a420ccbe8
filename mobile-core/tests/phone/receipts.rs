//! B15: receipt numbers belong to one phone, whatever becomes of its store, its replies and the hall.

use domain::conduct::Phase;
use domain::id::{DeviceId, JobId};
use domain::job::JobKind;
use domain::measure::Fen;
use domain::visit::{Fact, live_facts};
use mobile_core::log::LogStore;
use mobile_core::log::memory::{MemoryDisk, MemoryLog};
use mobile_core::phone::{CommandError, Saved};
use pollster::block_on;
use sync::authority::Writer;
use sync::device::Enrolment;
use sync::hub::hall_actor;
use sync::message::Epoch;
use uuid::Uuid;

use crate::jobs::{HALL, TECHNICIAN, job};
use crate::world::{ENROLMENT, Fault, TestPhone, World};

#[test]
fn b15_a_receipt_gets_the_next_number_of_this_phone_and_no_other() {
    let world = world();
    let mut phone = enrolled(&world, &MemoryDisk::new(), 1);
    let (mut fresh, _) = world.open(open(&MemoryDisk::new()), 9);
    block_on(fresh.enrol(ENROLMENT)).unwrap();
    let typed = |receipt: &str| Fact::CashTaken {
        amount: Fen(100),
        receipt: receipt.to_owned(),
        reason: String::new(),
    };

    let early = block_on(fresh.take_cash(door(), Fen(100), String::new()));
    enter(&world, &mut phone);
    let made_up = block_on(phone.record(door(), typed("R-0042")));
    let ahead = block_on(phone.record(door(), typed("00000002")));
    take(&mut phone).unwrap();
    let again = block_on(phone.record(door(), typed("00000001")));
    take(&mut phone).unwrap();

    assert!(matches!(early, Err(CommandError::NoSuchJob(_) | CommandError::NoReceiptLeft)));
    for refused in [made_up, ahead, again] {
        assert!(matches!(refused, Err(CommandError::OtherReceipt)), "{refused:?}");
    }
    assert_eq!(receipts(&phone), ["00000001", "00000002"]);
}

#[test]
fn b15_two_phones_of_one_technician_never_write_the_same_number() {
    let world = world();
    let other = World {
        writer: Writer { user: TECHNICIAN, device: DeviceId(Uuid::from_u128(0xde8)) },
        ..world.clone()
    };
    let mut first = enrolled(&world, &MemoryDisk::new(), 1);
    let mut second = enrolled(&other, &MemoryDisk::new(), 2);
    enter(&world, &mut first);
    enter(&other, &mut second);

    take(&mut first).unwrap();
    take(&mut second).unwrap();

    assert_eq!(receipts(&first), ["00000001"]);
    assert_eq!(receipts(&second), ["00000021"]);
}

#[test]
fn b15_a_used_up_block_says_so_and_the_next_contact_brings_new_numbers() {
    let world = world();
    let mut phone = enrolled(&world, &MemoryDisk::new(), 1);
    enter(&world, &mut phone);

    for _ in 0..20 {
        take(&mut phone).unwrap();
    }
    let refused = take(&mut phone).unwrap_err();
    world.sync(&mut phone);
    take(&mut phone).unwrap();

    assert!(matches!(refused, CommandError::NoReceiptLeft));
    assert_eq!(refused.sentences()[0].key, "phone.no_receipt_left");
    assert_eq!(receipts(&phone).last().unwrap(), "00000021");
}

#[test]
fn b15_a_phone_that_runs_low_has_new_numbers_before_the_old_ones_end() {
    let world = world();
    let mut phone = enrolled(&world, &MemoryDisk::new(), 1);
    enter(&world, &mut phone);
    for _ in 0..16 {
        take(&mut phone).unwrap();
    }

    world.sync(&mut phone);

    assert_eq!(phone.device().receipts_left(), 4 + 20);
    take(&mut phone).unwrap();
    assert_eq!(receipts(&phone).last().unwrap(), "00000017", "first the old ones");
}

#[test]
fn b15_a_lost_reply_brings_the_same_numbers_again() {
    let world = world();
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).unwrap();

    block_on(phone.sync(&mut world.faulty_link(&[Fault::ReplyLost])));
    world.sync(&mut phone);
    enter(&world, &mut phone);
    take(&mut phone).unwrap();

    assert_eq!(receipts(&phone), ["00000001"]);
}

#[test]
fn b15_numbers_and_what_is_used_of_them_outlive_a_restart_and_a_compaction() {
    let world = world();
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk, 1);
    enter(&world, &mut phone);
    take(&mut phone).unwrap();
    block_on(phone.compact()).unwrap();
    drop(phone);

    let (mut phone, _) = world.open(open(&disk), 2);
    take(&mut phone).unwrap();

    assert_eq!(receipts(&phone), ["00000001", "00000002"]);
}

#[test]
fn b15_a_number_stays_used_when_its_job_has_left_the_phone() {
    let world = world();
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk, 1);
    enter(&world, &mut phone);
    take(&mut phone).unwrap();
    world.sync(&mut phone);
    world.hall.borrow_mut().mark_safe();
    world.hall.borrow_mut().withdraw(door(), TECHNICIAN);
    world.sync(&mut phone);
    world.sync(&mut phone);
    assert!(phone.job(door()).is_err());
    block_on(phone.compact()).unwrap();
    drop(phone);

    let (phone, _) = world.open(open(&disk), 2);

    assert_eq!(phone.next_receipt(), Some(2));
}

#[test]
fn b15_an_older_copy_of_a_store_gives_up_its_numbers_and_gets_new_ones() {
    let world = world();
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk, 1);
    enter(&world, &mut phone);
    let older = MemoryDisk::new();
    older.restore(&disk.backup());
    take(&mut phone).unwrap();
    world.sync(&mut phone);

    let (mut copy, _) = world.open(open(&older), 2);
    assert_eq!(copy.next_receipt(), Some(1));
    world.sync(&mut copy);
    world.sync(&mut copy);

    assert_eq!(copy.next_receipt(), Some(21));
}

#[test]
fn b15_an_older_copy_that_made_as_much_again_passes_over_what_comes_back_from_the_hall() {
    let world = world();
    let disk = MemoryDisk::new();
    let mut phone = enrolled(&world, &disk, 1);
    enter(&world, &mut phone);
    let older = MemoryDisk::new();
    older.restore(&disk.backup());
    take(&mut phone).unwrap();
    world.sync(&mut phone);

    let (mut copy, _) = world.open(open(&older), 2);
    block_on(copy.note(door(), "同样多的记录".to_owned())).unwrap();
    world.sync(&mut copy);
    take(&mut copy).unwrap();

    assert_eq!(receipts(&copy), ["00000001", "00000002"]);
}

#[test]
fn b15_a_restored_hall_hands_out_no_number_that_it_has_forgotten() {
    let world = world();
    let backup = world.hall.borrow().backup();
    let mut first = enrolled(&world, &MemoryDisk::new(), 1);
    enter(&world, &mut first);
    take(&mut first).unwrap();
    *world.hall.borrow_mut() = backup.restore(Epoch([9; 16]), hall_actor([9; 12]));
    let other = World {
        writer: Writer { user: TECHNICIAN, device: DeviceId(Uuid::from_u128(0xde8)) },
        ..world.clone()
    };

    let mut second = enrolled(&other, &MemoryDisk::new(), 2);
    enter(&other, &mut second);
    take(&mut second).unwrap();

    assert_eq!(receipts(&first), ["00000001"]);
    assert_ne!(receipts(&second), receipts(&first));
}

fn door() -> JobId {
    job(1, JobKind::CashCollection).id
}

fn world() -> World {
    World::new(&[job(1, JobKind::CashCollection)])
}

fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}

/// A phone that has met the hall.
fn enrolled(world: &World, disk: &MemoryDisk, seed: u64) -> TestPhone<MemoryLog> {
    let (mut phone, _) = world.open(open(disk), seed);
    block_on(phone.enrol(Enrolment { device: world.writer.device, user: TECHNICIAN, hall: HALL }))
        .unwrap();
    world.sync(&mut phone);
    phone
}

fn enter<S: LogStore>(world: &World, phone: &mut TestPhone<S>) {
    block_on(phone.arrive(door(), None)).unwrap();
    for phase in [Phase::AtTheDoor, Phase::BeforeEntering] {
        block_on(phone.answer_rest_as_done(door(), phase)).unwrap();
    }
    world.sync(phone);
}

fn take<S: LogStore>(phone: &mut TestPhone<S>) -> Result<Saved, CommandError> {
    block_on(phone.take_cash(door(), Fen(12_350), String::new()))
}

/// The receipts that a phone wrote, in their order.
fn receipts<S: LogStore>(phone: &TestPhone<S>) -> Vec<String> {
    let own = phone.enrolment().unwrap().device;
    let view = phone.job(door()).unwrap();
    let visits = view.job.visits.values().filter(|visit| visit.device == own);
    let facts = visits.flat_map(live_facts).filter_map(|(_, it)| {
        let Fact::CashTaken { receipt, .. } = &it.fact else { return None };
        Some(receipt.clone())
    });
    facts.collect()
}
