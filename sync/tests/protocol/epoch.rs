//! A hall restored from a backup, and phones whose stores are not what they were.

use domain::stamp::BootId;
use sync::chunk::chunk_hash;
use sync::device::{Answer, Answered, Notice, Record, Standing};
use sync::message::{Epoch, Request};
use sync::seal::Seal;

use crate::phone::replayed;
use crate::world::{Fate, World};

#[test]
fn s13_what_a_restored_hall_forgot_comes_back_from_the_phones() {
    let mut world = World::new(2, 2);
    world.heal();
    world.backup();
    let (job, epoch) = (world.jobs[0], world.hall.epoch());
    let fact = world.note(0, job).unwrap();
    world.instruct(job);
    world.sync(0);
    let on_top = world.note(0, job).unwrap();
    world.sync(0);
    let young = world.add_job(0);
    world.sync(0);
    let in_young = world.note(0, young).unwrap();
    world.sync(0);
    let lost = [fact, on_top, in_young];
    assert!(lost.iter().all(|hash| world.hall.position_of(*hash).is_some()));
    let (heads, full) = (world.hall.heads(job), world.hall.job(job).unwrap());

    // Twice, because what came back from a phone must be able to come back again.
    for _ in 0..2 {
        world.restore();
        assert!(lost.iter().all(|hash| world.hall.position_of(*hash).is_none()));
        world.heal();
        assert!(lost.iter().all(|hash| world.hall.position_of(*hash).is_some()));
    }

    assert_ne!(world.hall.epoch(), epoch);
    assert_eq!(world.hall.heads(job), heads, "the hall's own forgotten plan is back, too");
    assert_eq!(world.hall.job(job).unwrap(), full);
    assert!(world.hall.job(young).is_ok(), "and a job that it had forgotten altogether");
    assert!(world.notices.contains(&Notice::HallRestored));
    world.assert_converged();
}

#[test]
fn s13_a_job_given_away_after_the_backup_comes_back_to_its_new_technician() {
    let mut world = World::new(2, 1);
    world.heal();
    world.backup();
    world.assign(world.jobs[0], Some(1));
    world.heal();
    let fact = world.note(1, world.jobs[0]).unwrap();

    world.restore();
    world.sync(1);

    assert!(world.hall.position_of(fact).is_some(), "the plan that came back says whose it is");
    world.heal();
    assert!(world.phones[0].device.job(world.jobs[0]).is_none());
    world.assert_converged();
}

#[test]
fn s13_who_held_a_job_only_after_the_backup_is_told_of_losing_it() {
    let mut world = World::new(3, 1);
    let job = world.jobs[0];
    world.heal();
    world.backup();
    world.assign(job, Some(1));
    world.sync(1);
    world.assign(job, Some(2));
    world.sync(2);
    world.restore();
    world.sync(2);
    assert!(world.phones[1].device.job(job).is_some(), "it has not heard of anything yet");

    world.sync(1);

    assert!(world.phones[1].device.job(job).is_none());
    world.heal();
    world.assert_converged();
}

#[test]
fn s13_a_phone_that_has_not_heard_of_the_restore_is_told_before_it_is_judged() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.backup();
    let young = world.add_job(0);
    world.sync(0);
    let fact = world.note(0, young).unwrap();
    world.restore();

    assert!(world.exchange(0, Fate::Good), "another round is wanted at once");
    assert_eq!(world.phones[0].device.standing_of(fact), Some(Standing::OnThisPhoneOnly));
    world.sync(0);

    world.assert_converged();
}

#[test]
fn s13_what_was_released_after_the_backup_comes_back_released() {
    let mut world = World::new(2, 1);
    world.heal();
    let hash = world.note(0, world.jobs[0]).unwrap();
    world.hall.revoke(world.phones[0].writer.device);
    world.sync(0);
    world.backup();
    world.hall.release(hash).unwrap();
    world.assign(world.jobs[0], Some(1));
    world.sync(1);

    world.restore();
    assert!(world.hall.quarantined(hash).is_some());
    world.sync(1);

    assert!(world.hall.position_of(hash).is_some() && world.hall.quarantined(hash).is_none());
}

#[test]
fn s5_what_waits_for_its_cause_and_comes_from_another_phone_as_well_is_stored_once() {
    let mut world = World::new(2, 1);
    world.heal();
    world.backup();
    let job = world.jobs[0];
    let hashes = [(); 2].map(|()| world.note(0, job).unwrap());
    world.sync(0);
    world.assign(job, Some(1));
    world.sync(1);
    world.restore();
    world.exchange(0, Fate::Good);
    let mut second = Request::decode(&world.phones[0].request()).unwrap();
    second.changes.retain(|offered| chunk_hash(&offered.bytes) == hashes[1]);
    let (writer, now) = (world.phones[0].writer, world.now());
    world.hall.exchange(writer, &second.encode(), now).unwrap();
    assert!(world.hall.is_waiting(hashes[1]), "the first is not there yet");

    world.sync(1);

    let stored: Vec<_> =
        world.hall.changes(job).iter().map(|change| chunk_hash(&change.bytes)).collect();
    for hash in hashes {
        assert_eq!(stored.iter().filter(|it| **it == hash).count(), 1, "{stored:?}");
        assert!(!world.hall.is_waiting(hash));
    }
    world.heal();
    world.assert_converged();
}

#[test]
fn s3_an_older_copy_of_the_store_is_noticed_and_gets_back_what_the_hall_has() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    world.sync(0);
    let older = world.phones[0].log.clone();
    let kept = world.note(0, world.jobs[0]).unwrap();
    world.sync(0);
    let lost = world.note(0, world.jobs[0]).unwrap();
    // The hall hears of two changes, but only one arrives.
    let mut request = Request::decode(&world.phones[0].request()).unwrap();
    request.changes.clear();
    let (writer, now) = (world.phones[0].writer, world.now());
    world.hall.exchange(writer, &request.encode(), now).unwrap();

    world.fall_back(0, older);
    assert!(world.thrown_away.contains(&lost));
    world.sync(0);

    assert!(world.notices.contains(&Notice::OlderStore { missing: 2 }));
    assert_eq!(world.phones[0].device.recorded(), 3, "said once, then known");
    assert!(world.hall.position_of(kept).is_some());
    world.note(0, world.jobs[0]).unwrap();
    world.notices.clear();
    world.heal();
    assert_eq!(world.notices, []);
    world.assert_converged();
}

#[test]
fn s11_a_cloned_store_goes_on_as_two_that_agree() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    let copy = world.clone_phone(0);
    for phone in [0, copy, 0, copy] {
        world.note(phone, world.jobs[0]).unwrap();
    }

    world.heal();

    world.assert_converged();
    assert_eq!(world.made.len(), 5);
}

#[test]
fn s4_the_hall_holds_the_very_bytes_that_were_made() {
    let mut world = World::new(2, 2);
    world.heal();
    for phone in [0, 1, 0, 1] {
        world.note(phone, world.jobs[phone]).unwrap();
    }
    let made: Vec<_> = world.phones.iter().flat_map(|phone| phone.log.iter()).collect();
    let made = made.into_iter().filter_map(|bytes| {
        let Record::Made(made) = Record::decode(bytes).unwrap() else { return None };
        Some(made.bytes)
    });
    let mut made: Vec<_> = made.collect();

    world.heal();

    let stored = world.jobs.iter().flat_map(|job| world.hall.changes(*job));
    let stored = stored.filter(|change| change.device.is_some());
    let mut stored: Vec<_> = stored.map(|change| change.bytes.clone()).collect();
    made.sort();
    stored.sort();
    assert_eq!(made, stored);
}

#[test]
fn s10_a_shorter_log_makes_the_same_phone() {
    let mut world = World::new(2, 3);
    world.heal();
    for index in 0..12 {
        world.note(index % 2, world.jobs[index % 3]);
    }
    world.sync(0);
    world.assign(world.jobs[0], Some(1));
    world.sync(0);
    world.note(0, world.jobs[2]);
    let phone = &mut world.phones[0];
    let (jobs, request, records) =
        (phone.device.jobs().cloned().collect::<Vec<_>>(), phone.request(), phone.log.len());

    phone.compact();

    assert!(phone.log.len() < records, "{} records of {records}", phone.log.len());
    assert_eq!(phone.device.jobs().cloned().collect::<Vec<_>>(), jobs);
    assert_eq!(phone.request(), request);
}

#[test]
fn s1_each_record_twice_makes_the_same_phone() {
    let mut world = World::new(1, 2);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    world.assign(world.jobs[1], None);
    world.sync(0);
    let log = &world.phones[0].log;
    let doubled: Vec<_> = log.iter().flat_map(|bytes| [bytes.clone(), bytes.clone()]).collect();

    assert_eq!(replayed(&doubled).compact(), world.phones[0].device.compact());
}

#[test]
fn s10_a_row_that_does_not_fit_is_set_aside_and_the_rest_is_read() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let job = world.jobs[0];
    world.note(0, job).unwrap();
    let known = world.phones[0].device.job(job).cloned();
    world.instruct(job);
    let reply = {
        let request = world.phones[0].request();
        let (writer, now) = (world.phones[0].writer, world.now());
        world.hall.exchange(writer, &request, now).unwrap()
    };
    let mut reply = sync::message::Reply::decode(&reply).unwrap();
    reply.documents[0].changes[0].bytes[40] ^= 1;

    let received = world.phones[0].receive(&reply.encode());
    world.phones[0].store(&received.records);

    let view = world.phones[0].device.view(job).unwrap();
    assert_eq!(view.job, known);
    assert_eq!(view.set_aside.len(), 1);
    world.note(0, job).unwrap();
    world.sync(0);
    assert_eq!(world.phones[0].device.pending(), 0, "facts go on");
}

#[test]
fn s13_what_a_restored_hall_did_not_take_back_at_once_outlives_a_shorter_log() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let (job, epoch) = (world.jobs[0], Epoch([9; 16]));
    let hash = chunk_hash(&world.hall.changes(job)[0].bytes);
    let answered = Answered { hash, epoch, answer: Answer::Waiting };
    world.phones[0].store(&[Record::Answered(answered)]);
    let known = world.phones[0].device.job(job).cloned();

    world.phones[0].compact();

    assert_eq!(world.phones[0].device.standing_of(hash), Some(Standing::Waiting(epoch)));
    assert_eq!((world.phones[0].device.job(job), known.is_some()), (known.as_ref(), true));
}

#[test]
fn s13_a_shorter_log_says_of_each_change_in_which_history_it_was_taken() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let changes = world.hall.changes(world.jobs[0]).iter();
    let hashes: Vec<_> = changes.map(|it| chunk_hash(&it.bytes)).collect();
    let (hash, epoch) = (hashes[0], Epoch([9; 16]));
    let answer = Answer::Acked { position: 1, seal: Seal([0; 16]) };
    world.phones[0].store(&[Record::Answered(Answered { hash, epoch, answer })]);
    let standings = |world: &World| {
        let device = &world.phones[0].device;
        hashes.iter().map(|hash| device.standing_of(*hash)).collect::<Vec<_>>()
    };
    let before = standings(&world);

    world.phones[0].compact();

    assert_eq!((standings(&world).len(), standings(&world)), (2, before));
}

#[test]
fn s19_the_first_anchor_of_a_boot_goes_with_its_unsent_facts() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.restart(0);
    world.note(0, world.jobs[0]).unwrap();
    let boot = |request: &[u8]| {
        let anchors = Request::decode(request).unwrap().anchors;
        anchors.into_iter().map(|anchor| anchor.boot).collect::<Vec<_>>()
    };
    assert_eq!(boot(&world.phones[0].request()), [], "no anchor of this boot yet");

    world.exchange(0, Fate::Good);
    world.note(0, world.jobs[0]).unwrap();

    assert_eq!(boot(&world.phones[0].request()), [BootId(2)]);
    world.sync(0);
    assert_eq!(boot(&world.phones[0].request()), []);
    let heard = world.hall.heard(world.phones[0].writer.device).unwrap();
    assert_eq!(heard.anchors.len(), 1);
    assert_eq!(heard.recorded, 2);
}
