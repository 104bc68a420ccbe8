//! What a phone says of itself, and what it takes and gives in one round.

use chrono::TimeDelta;
use domain::stamp::BootId;
use domain::visit::Fact;
use sync::chunk::chunk_hash;
use sync::device::{Device, Made, Record, Round, Standing};
use sync::limits;
use sync::message::{Cursor, Reply, Request};

use crate::phone::replayed;
use crate::world::{Fate, World, uuid};

#[test]
fn a_phone_says_of_itself_what_its_log_says() {
    let mut world = World::new(1, 1);
    let job = world.jobs[0];
    world.phones[0].mono_ms = 10_000;
    world.sync(0);
    let taken = world.note(0, job).unwrap();
    world.sync(0);
    world.backup();
    world.sync(0);
    let kept = world.note(0, job).unwrap();

    let (device, hall) = (&world.phones[0].device, &world.hall);

    let cursor = Cursor { epoch: hall.epoch(), position: hall.position() };
    assert!(hall.position() >= hall.position_of(taken).unwrap());
    assert_eq!((device.cursor(), device.safe()), (Some(cursor), Some(cursor.position)));
    assert_eq!(device.enrolment().map(|it| it.device), Some(world.phones[0].writer.device));
    assert_eq!(device.anchor().map(|it| (it.boot, it.round_trip_ms)), Some((BootId(1), 2_000)));
    assert!(!device.is_withdrawn(job));
    let own: Vec<_> = device.own().map(|own| (own.hash, own.id)).collect();
    let standing = |hash| {
        let (_, id) = own.iter().find(|(known, _)| *known == hash).unwrap();
        device.standing(job, *id).cloned()
    };
    assert!(matches!(standing(taken), Some(Standing::Acked(..))));
    assert_eq!(standing(kept), Some(Standing::OnThisPhoneOnly));
}

#[test]
fn s8_what_a_start_kept_of_the_documents_holds_for_those_that_are_as_they_were() {
    let mut world = World::new(1, 3);
    let job = world.jobs[0];
    world.sync(0);
    world.note(0, job).unwrap();
    assert_eq!(world.phones[0].device.jobs().count(), 3);
    let kept = world.phones[0].device.said();

    let mut same = replayed(&world.phones[0].log);
    assert_eq!(same.lend(&kept), 3);
    assert_eq!(same.lend(&kept), 0, "it has them");
    assert!(same.jobs().eq(world.phones[0].device.jobs()));
    assert_eq!(same.said(), kept, "what was lent is kept on");

    world.note(0, job).unwrap();
    let mut later = replayed(&world.phones[0].log);
    assert_eq!(later.lend(&kept), 2);
    assert!(later.jobs().eq(world.phones[0].device.jobs()));
    assert_eq!(Device::new().lend(&kept), 0, "a phone without them takes none");
}

#[test]
fn s8_a_document_that_could_not_be_brought_in_whole_is_read_anew_each_time() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    world.phones[0].restart(7);
    let made = world.note(0, world.jobs[0]).unwrap();
    let without = |hash| {
        let records = world.phones[0].log.iter().map(|bytes| Record::decode(bytes).unwrap());
        let others =
            records.filter(|it| !matches!(it, Record::Made(it) if chunk_hash(&it.bytes) == hash));
        others.map(|it| it.encode()).collect::<Vec<_>>()
    };
    let first = world.phones[0].device.own().map(|own| own.hash).find(|it| *it != made).unwrap();

    let mut damaged = replayed(&without(first));
    let aside = damaged.view(world.jobs[0]).unwrap().set_aside.len();
    let kept = damaged.said();

    assert_eq!((aside, damaged.lend(&kept)), (1, 0));
}

#[test]
fn b15_numbers_go_one_by_one_and_only_a_count_that_is_news_costs_them() {
    let mut world = World::new(1, 1);
    world.hall.give_receipts(20, 5);
    world.sync(0);
    let phone = &mut world.phones[0];
    assert_eq!((phone.device.next_receipt(0), phone.device.receipts_left()), (Some(1), 20));

    phone.store(&[Record::ReceiptUsed { number: 3 }]);
    let recorded = phone.device.recorded();
    phone.store(&[Record::Counted { recorded }]);
    assert_eq!((phone.device.next_receipt(0), phone.device.receipts_left()), (Some(4), 17));

    phone.store(&[Record::Counted { recorded: recorded + 1 }]);
    assert_eq!((phone.device.next_receipt(0), phone.device.receipts_left()), (None, 0));
}

#[test]
fn a_request_takes_as_many_changes_as_its_bytes_allow() {
    let mut world = World::new(1, 1);
    world.sync(0);
    for _ in 0..limits::OFFERS_BYTES / 8_000 + 2 {
        let (job, now, text) = (world.jobs[0], world.now(), "x".repeat(8_000));
        world.phones[0].fact(job, now, Fact::Noted { text }).unwrap();
    }

    let request = Request::decode(&world.phones[0].request()).unwrap();

    let size = |bytes: &Vec<u8>| bytes.len() + limits::OFFER_OVERHEAD_BYTES;
    let taken: usize = request.changes.iter().map(|it| size(&it.bytes)).sum();
    assert!(taken <= limits::OFFERS_BYTES, "{taken} bytes");
    assert!(taken + 9_000 > limits::OFFERS_BYTES, "{taken} bytes");
}

#[test]
fn changes_that_fill_a_request_to_its_last_byte_go_in_it() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let half = limits::OFFERS_BYTES / 2 - limits::OFFER_OVERHEAD_BYTES;
    for (number, size_bytes) in [(1, half), (2, half), (3, 1)] {
        let bytes = vec![number; size_bytes];
        let id = uuid(0x900 + u128::from(number));
        let made = Made { job: world.jobs[0], boot: BootId(1), id, bytes };
        world.phones[0].store(&[Record::Made(made)]);
    }

    let request = Request::decode(&world.phones[0].request()).unwrap();

    assert_eq!(request.changes.len(), 2);
}

#[test]
fn l2_a_hall_that_settles_nothing_is_not_asked_again_at_once() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    let (writer, request, now) = (world.phones[0].writer, world.phones[0].request(), world.now());
    let reply = world.hall.exchange(writer, &request, now).unwrap();
    let silent = Reply { verdicts: Vec::new(), ..Reply::decode(&reply).unwrap() };

    assert!(!world.phones[0].receive(&silent.encode()).again);
}

#[test]
fn s19_how_far_the_clock_is_ahead_of_the_hall_is_kept() {
    let mut world = World::new(1, 1);
    let (writer, request, now) = (world.phones[0].writer, world.phones[0].request(), world.now());
    let reply = world.hall.exchange(writer, &request, now).unwrap();
    let wall_at = now - TimeDelta::milliseconds(90_000);
    let round = Round { boot: BootId(1), sent_ms: 0, received_ms: 2_000, wall_at };

    let received = world.phones[0].device.receive(&reply, round).unwrap();
    world.phones[0].store(&received.records);

    assert_eq!(world.phones[0].device.ahead_ms(), -90_000);
}

#[test]
fn s19_the_halls_time_is_kept_when_it_is_closer_or_the_last_is_old_or_the_clock_was_set() {
    let mut world = World::new(1, 1);
    let (writer, request, now) = (world.phones[0].writer, world.phones[0].request(), world.now());
    let reply = world.hall.exchange(writer, &request, now).unwrap();
    let hear = |world: &World, sent_ms, received_ms, ahead_ms| {
        let wall_at = now + TimeDelta::milliseconds(ahead_ms);
        let round = Round { boot: BootId(1), sent_ms, received_ms, wall_at };
        let records = world.phones[0].device.receive(&reply, round).unwrap().records;
        records.into_iter().find(|it| matches!(it, Record::Anchored { .. }))
    };
    let first = hear(&world, 100_000, 102_000, 0).unwrap();
    world.phones[0].store(&[first]);
    let is_kept = |sent, received, ahead| hear(&world, sent, received, ahead).is_some();

    assert!(is_kept(110_000, 111_999, 0), "closer");
    assert!(!is_kept(110_000, 112_000, 0) && !is_kept(110_000, 112_001, 0));
    let due = 102_000 + limits::ANCHOR_EVERY_MS;
    assert!(is_kept(due - 2_000, due, 0), "the last is old");
    assert!(!is_kept(due - 2_001, due - 1, 0));
    let set = i64::try_from(limits::CLOCK_SET_MS).unwrap();
    assert!(is_kept(110_000, 112_000, set) && is_kept(110_000, 112_000, -set), "it was set");
    assert!(!is_kept(110_000, 112_000, set - 1) && !is_kept(110_000, 112_000, 1 - set));
}

#[test]
fn s19_facts_of_a_boot_wait_for_its_time_and_those_of_an_earlier_one_do_not() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    world.restart(0);
    let offers = |world: &World| Request::decode(&world.phones[0].request()).unwrap().changes.len();
    assert_eq!(offers(&world), 1);

    world.note(0, world.jobs[0]).unwrap();

    assert_eq!(offers(&world), 0, "this boot has not heard the time");
    assert!(world.exchange(0, Fate::Good));
    assert_eq!(offers(&world), 2);
}

#[test]
fn s13_what_a_backup_covers_is_not_given_back_to_a_restored_hall() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.backup();
    world.sync(0);
    world.restore();

    world.exchange(0, Fate::Good);

    assert_eq!(Request::decode(&world.phones[0].request()).unwrap().changes, []);
}

#[test]
fn s12_what_a_reply_repeats_is_stored_once() {
    let mut world = World::new(2, 1);
    let job = world.jobs[0];
    world.sync(0);
    for _ in 0..40 {
        world.note(0, job).unwrap();
    }
    world.sync(0);
    world.hall.add_pack("# a pack".to_owned());
    world.backup();
    world.hall.make_snapshots();
    world.note(0, job).unwrap();
    world.sync(0);
    world.assign(job, Some(1));
    world.phones[1].mono_ms = 500_000;
    let (writer, request, now) = (world.phones[1].writer, world.phones[1].request(), world.now());
    let reply = world.hall.exchange(writer, &request, now).unwrap();
    let first = world.phones[1].receive(&reply);
    world.phones[1].store(&first.records);
    assert_eq!(world.phones[1].device.packs().count(), 1);
    assert_eq!(world.phones[1].device.heads(job), world.hall.heads(job));

    let mut again = Reply::decode(&reply).unwrap();
    assert!(again.documents[0].snapshot.is_some());
    assert_eq!(again.documents[0].changes.len(), 2, "what the snapshot has does not go with it");
    again.cursor.position += 1;
    let repeated = world.phones[1].receive(&again.encode());

    let is_read = |it: &Record| matches!(it, Record::Read { .. });
    assert!(repeated.records.iter().all(is_read), "{:?}", repeated.records);
}
