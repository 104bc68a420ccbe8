//! How many round trips and bytes things take.
#![expect(clippy::print_stdout, reason = "figures for people who run it with --nocapture")]

use proptest::prelude::*;
use sync::limits;

use crate::world::{Fate, World};

#[test]
fn l2_a_thousand_documents_arrive_in_two_round_trips_and_nothing_new_takes_one() {
    for jobs in [40, 1_000] {
        let mut world = World::new(1, jobs);

        world.sync(0);

        assert!(world.rounds <= 2, "{} round trips for {jobs} documents", world.rounds);
        assert_eq!(world.phones[0].device.jobs().count(), jobs);
        let (sent, received) = world.traffic;
        println!("{jobs} documents cold: {} rounds, {sent} + {received} bytes", world.rounds);

        (world.rounds, world.traffic) = (0, (0, 0));
        world.sync(0);

        assert_eq!(world.rounds, 1);
        let (sent, received) = world.traffic;
        println!("{jobs} documents, nothing new: {sent} + {received} bytes");
        assert!(received <= 50 && sent <= 80, "{sent} + {received} bytes");
    }
}

#[test]
fn l1_a_day_of_facts_leaves_in_one_round_trip() {
    let mut world = World::new(1, 40);
    world.sync(0);
    for _ in 0..10 {
        for job in world.jobs.clone() {
            world.note(0, job).unwrap();
        }
    }

    (world.rounds, world.traffic) = (0, (0, 0));
    world.sync(0);

    assert_eq!(world.rounds, 1);
    println!("400 facts: {} + {} bytes", world.traffic.0, world.traffic.1);
    assert!(world.traffic.1 < 30_000, "a phone is not sent what it has just said");
    world.assert_converged();
}

#[test]
fn l1_more_than_one_request_may_carry_goes_in_as_few_as_it_needs() {
    let mut world = World::new(1, 10);
    world.sync(0);
    let facts = 2 * limits::OFFERS + 1;
    for index in 0..facts {
        world.note(0, world.jobs[index % 10]).unwrap();
    }

    let request = sync::message::Request::decode(&world.phones[0].request()).unwrap();
    assert_eq!(request.changes.len(), limits::OFFERS);

    world.rounds = 0;
    world.sync(0);

    assert_eq!(world.rounds, 3);
    world.assert_converged();
}

#[test]
fn s7_small_pages_miss_nothing() {
    let mut world = World::new(1, 30);
    let limit = |bytes: Vec<u8>| {
        let mut request = sync::message::Request::decode(&bytes).unwrap();
        request.limit_bytes = 6_000;
        request.encode()
    };
    let mut pages = 0;
    loop {
        let request = limit(world.phones[0].request());
        let (writer, now) = (world.phones[0].writer, world.now());
        let reply = world.hall.exchange(writer, &request, now).unwrap();
        assert!(reply.len() < 12_000, "{} bytes", reply.len());
        let received = world.phones[0].receive(&reply);
        world.phones[0].store(&received.records);
        pages += 1;
        // Something happens in jobs of pages before and after.
        if pages < 10 {
            world.instruct(world.jobs[pages]);
            world.instruct(world.jobs[29 - pages]);
        }
        if !received.again {
            break;
        }
        assert!(pages < 100, "it does not come to rest");
    }

    assert!(pages > 5, "{pages} pages");
    world.assert_converged();
}

#[test]
fn a_snapshot_is_sent_where_it_is_smaller_and_covered_by_a_backup() {
    let mut world = World::new(3, 1);
    let job = world.jobs[0];
    world.sync(0);
    for _ in 0..40 {
        world.note(0, job).unwrap();
    }
    world.sync(0);
    let mut cold = |phone, is_covered| {
        world.assign(job, Some(phone));
        if is_covered {
            world.backup();
        }
        world.hall.make_snapshots();
        world.traffic = (0, 0);
        world.sync(phone);
        assert_eq!(world.phones[phone].device.heads(job), world.hall.heads(job));
        world.traffic.1
    };

    let raw = cold(1, false);
    let snapshot = cold(2, true);

    println!("a full visit cold: {raw} bytes as changes, {snapshot} as a snapshot");
    assert!(snapshot * 2 < raw, "{snapshot} against {raw} bytes");
}

#[test]
fn l5_a_portals_page_and_a_lost_reply_change_nothing() {
    let mut world = World::new(1, 2);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    let before = world.phones[0].device.compact();

    world.exchange(0, Fate::Portal);
    world.exchange(0, Fate::RequestLost);
    world.exchange(0, Fate::ReplyLost);

    assert_eq!(world.phones[0].device.compact(), before);
    world.sync(0);
    world.assert_converged();
}

#[test]
fn s15_a_phone_that_died_in_its_first_reply_hears_of_withdrawals() {
    let mut world = World::new(1, 4);
    world.exchange(0, Fate::Death(4));
    assert!(world.phones[0].device.jobs().count() > 0);
    for job in world.jobs.clone() {
        world.assign(job, None);
    }

    world.sync(0);

    assert_eq!(world.phones[0].device.jobs().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn s3_a_phone_that_dies_at_any_record_goes_on(kept in 0..40_usize, facts in 0..20_usize) {
        let mut world = World::new(1, 6);
        world.exchange(0, Fate::Death(kept));
        world.sync(0);
        for index in 0..facts {
            world.note(0, world.jobs[index % 6]).unwrap();
        }
        world.assign(world.jobs[5], None);
        world.exchange(0, Fate::Death(kept));
        world.heal();
        world.assert_converged();
    }
}
