//! Changes offered twice, too early, and in any order.

use proptest::prelude::*;
use sync::chunk::chunk_hash;
use sync::message::{Reply, Request, Verdict};

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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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

fn part(request: &Request, indexes: &[usize]) -> Request {
    let changes = indexes.iter().filter_map(|index| request.changes.get(*index).cloned()).collect();
    Request { changes, ..request.clone() }
}
