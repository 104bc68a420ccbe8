//! Bad networks, halls that refuse, jobs that leave: reported as data, and nothing is lost.

use std::collections::BTreeSet;

use domain::id::JobId;
use domain::job::{Author, Cancellation, PlanEntry};
use mobile_core::link::LinkError;
use mobile_core::log::StoreError;
use mobile_core::log::memory::{MemoryDisk, MemoryLog};
use mobile_core::phone::{CommandError, Rescue, SyncEnd, SyncError, Unseen, Wipe, WipeError};
use pollster::block_on;
use sync::device::Notice;
use sync::hub::hall_actor;
use sync::message::Epoch;
use uuid::Uuid;

use crate::jobs::{DISPATCHER, entry, jobs, morning};
use crate::script::{tap, taps};
use crate::world::{DEVICE, ENROLMENT, Fault, TestPhone, World, held, ids};

#[test]
fn s3_every_kind_of_bad_reply_leaves_everything_and_the_next_sync_completes() {
    let faults = [
        (Fault::Lost, "no connection: no route"),
        (Fault::ReplyLost, "no connection: reset"),
        (Fault::Portal, "the reply is not the hall's"),
        (Fault::ReplyCut(100), "the reply is not the hall's"),
        (Fault::Busy, "the hall is busy"),
        (Fault::NotAccepted, "the hall does not accept this phone"),
    ];
    for (fault, said) in faults {
        let (disk, world, saved) = part_of_the_day(40);
        let (mut phone, _) = world.open(open(&disk), 2);
        let (before, jobs_before) = (disk.log_bytes(), phone.sync_state().only_here);

        let report = block_on(phone.sync(&mut world.faulty_link(&[fault])));

        let SyncEnd::Stopped(error) = report.end else { panic!("{fault:?}: {report:?}") };
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!((report.rounds, disk.log_bytes()), (0, before), "{fault:?}");
        assert_eq!(phone.sync_state().only_here, jobs_before);
        assert_eq!(world.sync(&mut phone).end, SyncEnd::Complete);
        world.assert_equal(&phone, &saved);
    }
}

#[test]
fn s3_a_reply_cut_at_any_byte_is_no_reply() {
    let (disk, world, saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    let before = disk.log_bytes();

    for at in 0..600 {
        let mut link = world.faulty_link(&[Fault::ReplyCut(at)]);
        let report = block_on(phone.sync(&mut link));
        assert!(matches!(report.end, SyncEnd::Stopped(SyncError::NotAReply(_))), "cut at {at}");
    }

    assert_eq!(disk.log_bytes(), before);
    world.sync(&mut phone);
    world.assert_equal(&phone, &saved);
}

#[test]
fn a_refusal_names_what_the_app_has_to_do() {
    let (disk, world, _) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);

    let busy = block_on(phone.sync(&mut world.faulty_link(&[Fault::Busy]))).end;
    let refused = block_on(phone.sync(&mut world.faulty_link(&[Fault::NotAccepted]))).end;

    let busy_for = LinkError::Busy { retry_after_ms: Some(5_000) };
    assert_eq!(busy, SyncEnd::Stopped(SyncError::Link(busy_for)));
    assert_eq!(refused, SyncEnd::Stopped(SyncError::Link(LinkError::NotAccepted)));
}

#[test]
fn s12_a_withdrawn_job_stays_until_its_last_fact_is_acked_and_safe() {
    let (disk, world, saved) = part_of_the_day(20);
    let all = jobs();
    let (mut phone, _) = world.open(open(&disk), 2);
    let author = Author { by: DISPATCHER, at: morning() };
    world.hall.borrow_mut().assign(all[0].id, entry(120), None, author).unwrap();

    let report = block_on(phone.sync(&mut world.faulty_link(&[Fault::ReplyLost])));
    assert!(report.end != SyncEnd::Complete && phone.job(all[0].id).is_ok());
    let report = world.sync(&mut phone);

    assert!(report.notices.contains(&Notice::Withdrawn { job: all[0].id }));
    assert!(matches!(phone.job(all[0].id), Err(CommandError::NoSuchJob(_))));
    assert!(held(&phone).is_superset(&saved), "acked is not yet safe");
    world.hall.borrow_mut().mark_safe();
    world.sync(&mut phone);
    world.sync(&mut phone);
    assert!(held(&phone).is_disjoint(&saved), "safe and withdrawn: let go");
    assert!(saved.iter().all(|id| world.has(*id)));
}

#[test]
fn what_was_given_to_somebody_else_is_told_until_it_was_seen_and_what_was_over_is_not() {
    let (disk, world, _) = part_of_the_day(20);
    let all = jobs();
    let (given, over) = (&all[0], &all[5]);
    let (mut phone, _) = world.open(open(&disk), 2);
    world.sync(&mut phone);
    let author = Author { by: DISPATCHER, at: morning() };
    let cancelled = Cancellation { reason: "用户来电".to_owned(), author };
    world
        .hall
        .borrow_mut()
        .edit_plan(over.id, entry(121), &PlanEntry::Cancellation(cancelled), morning())
        .unwrap();
    world.sync(&mut phone);
    for job in [given.id, over.id] {
        world.hall.borrow_mut().assign(job, entry(120), None, author).unwrap();
    }
    world.sync(&mut phone);
    let mine = phone.left().clone();
    drop(phone);

    let (mut phone, _) = world.open(open(&disk), 3);
    assert_eq!(*phone.left(), mine, "told again by a phone that was killed");
    block_on(phone.mark_seen(given.id)).unwrap();

    assert_eq!(mine.keys().collect::<Vec<_>>(), [&given.id]);
    let left = &mine[&given.id];
    assert_eq!((left.kind, &left.address), (given.kind, &given.briefing.household.address));
    assert!(left.recorded > 0 && left.arrived_at.is_some());
    assert!(phone.left().is_empty());
    drop(phone);
    assert!(world.open(open(&disk), 4).0.left().is_empty());
}

#[test]
fn s12_no_more_is_safe_than_acked_and_no_more_acked_than_saved() {
    let (disk, world, saved) = part_of_the_day(90);
    let (mut phone, _) = world.open(open(&disk), 2);
    world.sync(&mut phone);
    let acked = phone.sync_state();
    world.hall.borrow_mut().mark_safe();
    world.sync(&mut phone);
    let note = block_on(phone.note(jobs()[7].id, "到楼下了".to_owned())).unwrap();

    let state = phone.sync_state();

    assert_eq!((acked.acked, acked.safe, acked.only_here), (saved.len(), 0, 0));
    assert_eq!((state.acked, state.safe, state.only_here), (saved.len(), saved.len(), 1));
    assert!(!saved.contains(&note.fact.0));
}

#[test]
fn s13_a_hall_put_back_from_a_backup_gets_everything_again() {
    let (disk, world, saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    let backup = world.hall.borrow().backup();
    world.sync(&mut phone);
    let restored = backup.restore(Epoch([9; 16]), hall_actor([9; 12]));
    *world.hall.borrow_mut() = restored;
    assert!(saved.iter().any(|id| !world.has(*id)));

    let report = world.sync(&mut phone);

    assert_eq!(report.notices, [Notice::HallRestored]);
    world.assert_equal(&phone, &saved);
}

#[test]
fn s16_what_the_hall_keeps_apart_is_told_with_its_reason() {
    let (disk, world, saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    world.hall.borrow_mut().revoke(DEVICE);

    let report = world.sync(&mut phone);

    let told = phone.sync_state().quarantined;
    let unsent = told.len();
    assert!(unsent > 0 && told.iter().all(|(_, _, reason)| !reason.is_empty()));
    assert_eq!(report.notices.len(), unsent);
    assert!(held(&phone).is_superset(&saved));
    assert_eq!(world.hall.borrow().quarantine().count(), unsent);
    drop(phone);
    assert_eq!(world.open(open(&disk), 3).0.sync_state().quarantined, told);
}

#[test]
fn logging_out_is_refused_while_something_is_only_here() {
    let (disk, world, saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    let count = phone.sync_state().only_here;

    let refused = block_on(phone.wipe(Wipe::IfNothingIsOnlyHere));
    assert_eq!(refused, Err(WipeError::OnlyHere { count }));
    assert!(count > 0 && held(&phone).is_superset(&saved));

    world.sync(&mut phone);
    block_on(phone.wipe(Wipe::IfNothingIsOnlyHere)).unwrap();
    assert_eq!((phone.enrolment(), held(&phone).len()), (None, 0));
    drop(phone);
    let (phone, report) = world.open(open(&disk), 3);
    assert_eq!((phone.enrolment(), report.recovery.records), (None, 0));
}

#[test]
fn l5_a_rescue_file_holds_every_unsent_fact_also_on_a_full_disk() {
    let (disk, world, saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    disk.fill_up(u32::MAX);
    let refused = block_on(phone.note(jobs()[0].id, "满了".to_owned()));
    assert!(matches!(refused, Err(CommandError::Store(StoreError::Full))));

    let rescue: Rescue = serde_json::from_slice(&block_on(phone.rescue())).unwrap();

    assert_eq!(rescue.changes.len(), saved.len());
    assert!(rescue.changes.iter().all(|it| it.fact.is_some() && it.household.is_some()));
    assert!(rescue.changes.iter().all(|it| it.chunk.starts_with("856f4a83")));
    block_on(phone.wipe(Wipe::AfterRescue)).unwrap();
}

#[test]
fn more_than_one_request_can_carry_goes_in_several_rounds() {
    let (disk, world, mut saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    saved.extend(six_hundred_messages(&mut phone));

    let report = world.sync(&mut phone);

    assert!(report.rounds > 1 && report.end == SyncEnd::Complete, "{report:?}");
    world.assert_equal(&phone, &saved);
}

#[test]
fn l5_more_than_one_request_can_carry_is_pushed_also_from_a_full_disk() {
    let (disk, world, mut saved) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    saved.extend(six_hundred_messages(&mut phone));
    let before = phone.sync_state().only_here;
    disk.fill_up(u32::MAX);

    let report = world.sync(&mut phone);

    assert!(report.unkept.is_some() && report.rounds > 1, "{report:?}");
    assert_eq!(phone.sync_state().only_here, before);
    let hall = world.hall.borrow().jobs().flat_map(|id| known(&world, id)).collect();
    assert!(saved.is_subset(&hall));
    disk.fill_up(0);
    world.sync(&mut phone);
    world.assert_equal(&phone, &saved);
}

#[test]
fn what_the_hall_changed_stands_out_until_it_is_seen() {
    let (disk, world, _) = part_of_the_day(20);
    let (mut phone, _) = world.open(open(&disk), 2);
    let job = &jobs()[2];
    assert_eq!(phone.job(job.id).unwrap().unseen, []);
    let entry = entry(130);
    let instruction = PlanEntry::Instruction(domain::job::Instruction {
        text: "小心狗".to_owned(),
        author: Author { by: DISPATCHER, at: morning() },
    });
    world.hall.borrow_mut().edit_plan(job.id, entry, &instruction, morning()).unwrap();

    world.sync(&mut phone);

    assert_eq!(phone.job(job.id).unwrap().unseen, [Unseen::Instruction(entry.0)]);
    block_on(phone.mark_seen(job.id)).unwrap();
    drop(phone);
    let (phone, _) = world.open(open(&disk), 3);
    assert_eq!(phone.job(job.id).unwrap().unseen, []);
}

fn known(world: &World, id: JobId) -> Vec<Uuid> {
    ids(&world.hall.borrow().job(id).unwrap()).collect()
}

/// More than one request carries, spread over the jobs.
fn six_hundred_messages(phone: &mut TestPhone<MemoryLog>) -> Vec<Uuid> {
    let all = jobs();
    let each = (0..600).zip(all.iter().cycle());
    each.map(|(n, job)| block_on(phone.message(job.id, format!("第{n}句"))).unwrap().0).collect()
}

fn part_of_the_day(count: usize) -> (MemoryDisk, World, BTreeSet<Uuid>) {
    let all = jobs();
    let world = World::new(&all);
    let disk = MemoryDisk::new();
    let (mut phone, _): (TestPhone<MemoryLog>, _) = world.open(open(&disk), 1);
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
