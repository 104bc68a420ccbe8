//! Changes offered twice, too early, and in any order.

use proptest::prelude::*;
use sync::chunk::chunk_hash;
use sync::device::{Record, Standing};
use sync::hub::reason;
use sync::limits;
use sync::message::{Offered, Reply, Request, Verdict};

use crate::world::World;

#[test]
fn s5_a_change_offered_twice_is_kept_once() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hash = world.note(0, world.jobs[0]).unwrap();
    let request = Request::decode(&world.phones[0].request()).unwrap();
    let mut twice = request.clone();
    twice.changes.extend(request.changes.clone());

    let first = offer(&mut world, &twice);
    let again = offer(&mut world, &request);

    let position = world.hall.position_of(hash).unwrap();
    assert!(matches!(first[..], [Verdict::Acked { position: at, .. }] if at == position));
    assert!(matches!(again[..], [Verdict::Duplicate { position: at, .. }] if at == position));
    let stored = world.hall.changes(world.jobs[0]).iter();
    assert_eq!(stored.filter(|change| chunk_hash(&change.bytes) == hash).count(), 1);
}

#[test]
fn s6_a_change_waits_until_what_it_builds_on_arrives() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hashes: Vec<_> = (0..3).map(|_| world.note(0, world.jobs[0]).unwrap()).collect();
    let request = Request::decode(&world.phones[0].request()).unwrap();
    let before = world.hall.job(world.jobs[0]).unwrap();

    let late = offer(&mut world, &part(&request, &[2, 1]));

    assert_eq!(late, [Verdict::Waiting, Verdict::Waiting]);
    assert_eq!(
        world.hall.job(world.jobs[0]).unwrap(),
        before,
        "nothing is shown before its causes"
    );
    assert!(world.hall.is_waiting(hashes[1]) && world.hall.is_waiting(hashes[2]));

    let first = offer(&mut world, &part(&request, &[0]));

    assert!(matches!(first[..], [Verdict::Acked { .. }]), "{first:?}");
    let positions: Vec<_> = hashes.iter().map(|hash| world.hall.position_of(*hash)).collect();
    assert!(positions[0] < positions[1] && positions[1] < positions[2], "{positions:?}");
    assert!(!world.hall.is_waiting(hashes[1]) && !world.hall.is_waiting(hashes[2]));
    world.heal();
    world.assert_converged();
}

#[test]
fn s6_a_change_that_waited_comes_back_acked() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hashes = [(); 2].map(|()| world.note(0, world.jobs[0]).unwrap());
    let request = Request::decode(&world.phones[0].request()).unwrap();
    let (writer, now) = (world.phones[0].writer, world.now());
    let reply = world.hall.exchange(writer, &part(&request, &[1]).encode(), now).unwrap();
    let received = world.phones[0].receive(&reply);
    world.phones[0].store(&received.records);
    let device = &world.phones[0].device;
    assert_eq!(device.standing_of(hashes[1]), Some(Standing::Waiting(world.hall.epoch())));
    assert_eq!((device.pending(), device.only_here()), (2, 1));

    world.rounds = 0;
    world.sync(0);

    assert_eq!(world.rounds, 1, "the hall keeps it, so it is not offered again");
    let standing = world.phones[0].device.standing_of(hashes[1]);
    assert!(matches!(standing, Some(Standing::Acked(..))), "{standing:?}");
    let received = world.phones[0].receive(&reply);
    world.phones[0].store(&received.records);
    assert_eq!(world.phones[0].device.standing_of(hashes[1]), standing, "late words are no news");
    world.assert_converged();
}

#[test]
fn s6_only_so_many_changes_of_a_job_wait() {
    let mut world = World::new(1, 1);
    world.sync(0);
    for _ in 0..limits::WAITING_PER_JOB + 3 {
        world.note(0, world.jobs[0]).unwrap();
    }
    world.rounds = 0;
    let mut verdicts = Vec::new();
    let all = all_offers(&world);
    for chunk in all[1..].chunks(limits::OFFERS) {
        let request = Request::decode(&world.phones[0].request()).unwrap();
        verdicts.extend(offer(&mut world, &Request { changes: chunk.to_vec(), ..request }));
    }

    let waiting = verdicts.iter().filter(|verdict| **verdict == Verdict::Waiting).count();

    assert_eq!(waiting, limits::WAITING_PER_JOB);
    assert_eq!(verdicts.len() - waiting, 2);
    let reason = reason::TOO_MANY_WAITING.to_owned();
    assert_eq!(verdicts.last(), Some(&Verdict::Quarantined { reason }));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn s9_any_order_repetition_and_partition_of_offers_ends_equal(
        order in proptest::collection::vec(0..12_usize, 0..40),
        cuts in proptest::collection::vec(1..5_usize, 1..40),
    ) {
        let mut world = World::new(2, 1);
        world.sync(0);
        world.assign(world.jobs[0], Some(1));
        world.sync(1);
        for index in 0..12 {
            world.note(index % 2, world.jobs[0]).unwrap();
        }
        let requests = [0, 1].map(|phone| Request::decode(&world.phones[phone].request()).unwrap());

        let mut order = order.into_iter();
        for cut in cuts {
            for index in order.by_ref().take(cut) {
                let one = part(&requests[index % 2], &[index / 2]);
                let writer = world.phones[index % 2].writer;
                let now = world.now();
                world.hall.exchange(writer, &one.encode(), now).unwrap();
            }
        }

        world.heal();
        world.assert_converged();
    }
}

/// Offers a request's changes; the verdicts in the order of the changes.
fn offer(world: &mut World, request: &Request) -> Vec<Verdict> {
    let (writer, now) = (world.phones[0].writer, world.now());
    let reply = world.hall.exchange(writer, &request.encode(), now).unwrap();
    Reply::decode(&reply).unwrap().verdicts.into_iter().map(|judged| judged.verdict).collect()
}

/// Every change of the first phone, though one request would not carry them all.
fn all_offers(world: &World) -> Vec<Offered> {
    let made = world.phones[0].log.iter().filter_map(|bytes| {
        let Record::Made(made) = Record::decode(bytes).unwrap() else { return None };
        Some(Offered { job: made.job, bytes: made.bytes, voucher: None })
    });
    made.collect()
}

fn part(request: &Request, indexes: &[usize]) -> Request {
    let changes = indexes.iter().filter_map(|index| request.changes.get(*index).cloned()).collect();
    Request { changes, ..request.clone() }
}
