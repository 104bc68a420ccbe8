//! What a judgement tells its store besides the outcomes.

use std::collections::BTreeMap;

use domain::id::{FactId, JobId, VisitId};
use sync::chunk::chunk_hash;
use sync::hub::{
    GrantState, Ground, JobGround, Judgement, Offer, Waiting, judge, judge_apart, reason,
};
use sync::limits::Limits;
use sync::message::{Offered, Reply, Request, Verdict};
use sync::seal::SealKey;

use crate::world::{Fate, World};

#[test]
fn new_facts_are_those_that_were_not_there_before() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    world.sync(0);
    let known = facts(&world);
    world.note(0, world.jobs[0]).unwrap();

    let judged = judged(&world, &[0], &[]);

    let new: Vec<_> = facts(&world).into_iter().filter(|it| !known.contains(it)).collect();
    assert_eq!((new.len(), &judged.jobs[0].new_facts), (1, &new));
}

#[test]
fn s5_what_waited_leaves_the_waiting_when_it_is_taken_and_what_did_not_is_not_looked_for_there() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hashes = [(); 2].map(|()| world.note(0, world.jobs[0]).unwrap());

    let judged = judged(&world, &[0], &[1]);

    let accepted = &judged.jobs[0].accepted;
    let said: Vec<_> =
        accepted.iter().map(|it| (it.hash, it.has_waited, it.leaves_waiting)).collect();
    assert_eq!(said, [(hashes[0], false, false), (hashes[1], true, true)]);
}

#[test]
fn s17_judging_apart_says_what_judging_says() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hash = world.note(0, world.jobs[0]).unwrap();
    let (offer, ground) = offer(&world, &[0], &[]);

    let apart = judge_apart(offer, &ground);

    assert_eq!(apart.outcomes, judged(&world, &[0], &[]).outcomes);
    assert_eq!(apart.jobs[0].accepted[0].hash, hash);
}

#[test]
fn s15_a_plan_that_came_back_lets_in_whom_it_names_and_nobody_else() {
    lets_in_whom_it_names(|world, job| world.assign(job, Some(1)));
}

#[test]
fn s15_a_plan_that_came_back_lets_in_whom_it_calls_and_nobody_else() {
    lets_in_whom_it_names(|world, job| world.call(job, 1));
}

/// The plan names the second phone after the backup was made; only that phone still has it.
fn lets_in_whom_it_names(name: impl Fn(&mut World, JobId)) {
    let mut world = World::new(3, 1);
    let job = world.jobs[0];
    world.heal();
    world.backup();
    name(&mut world, job);
    world.heal();
    let ours = world.note(1, job).unwrap();
    world.restore();
    world.exchange(1, Fate::Good);
    let request = Request::decode(&world.phones[1].request()).unwrap();
    let (plan, mine): (Vec<_>, Vec<_>) =
        request.changes.iter().cloned().partition(|it| it.voucher.is_some());
    assert_eq!((plan.len(), chunk_hash(&mine[0].bytes)), (1, ours));

    let theirs = hand_in(&mut world, 2, plan.iter().chain(&mine));
    let named = hand_in(&mut world, 1, mine.iter());

    let reason = reason::NOT_GRANTED.to_owned();
    assert_eq!(theirs.last(), Some(&Verdict::Quarantined { reason }));
    assert!(matches!(named[..], [Verdict::Acked { .. }]), "{named:?}");
}

#[test]
fn s16_what_waits_of_a_phone_that_is_shut_out_goes_on_waiting() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hashes = [(); 2].map(|()| world.note(0, world.jobs[0]).unwrap());
    let offered = Request::decode(&world.phones[0].request()).unwrap().changes;
    let first = hand_in(&mut world, 0, offered[1..].iter());
    world.hall.revoke(world.phones[0].writer.device);

    let again = hand_in(&mut world, 0, offered[1..].iter());

    assert_eq!((first, again), (vec![Verdict::Waiting], vec![Verdict::Waiting]));
    assert!(world.hall.is_waiting(hashes[1]) && world.hall.quarantined(hashes[1]).is_none());
}

#[test]
fn an_offer_names_what_has_to_be_loaded_for_it() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hash = world.note(0, world.jobs[0]).unwrap();
    let pen = world.now();
    let actor = world.phones[0].pen(pen).actor;

    let (some, _) = offer(&world, &[0], &[]);
    let (none, _) = offer(&world, &[], &[]);

    assert_eq!((some.is_empty(), none.is_empty()), (false, true));
    assert_eq!(some.actors().into_iter().collect::<Vec<_>>(), [actor]);
    assert_eq!(some.jobs().into_iter().collect::<Vec<_>>(), [world.jobs[0]]);
    assert!(some.hashes().contains(&hash) && some.hashes().len() > 1, "and what it builds on");
}

/// Hands in changes in a phone's name, as if it had read nothing yet.
fn hand_in<'a>(
    world: &mut World,
    phone: usize,
    changes: impl Iterator<Item = &'a Offered>,
) -> Vec<Verdict> {
    let request = Request::decode(&world.phones[phone].request()).unwrap();
    let request = Request { cursor: None, changes: changes.cloned().collect(), ..request };
    let (writer, now) = (world.phones[phone].writer, world.now());
    let reply = world.hall.exchange(writer, &request.encode(), now).unwrap();
    Reply::decode(&reply).unwrap().verdicts.into_iter().map(|it| it.verdict).collect()
}

/// The facts of the first job as its phone has them.
fn facts(world: &World) -> Vec<(VisitId, FactId)> {
    let job = world.phones[0].device.job(world.jobs[0]).unwrap();
    let visits = job.visits.iter();
    visits.flat_map(|(id, visit)| visit.facts.keys().map(|fact| (*id, *fact))).collect()
}

/// Of what the first phone has to hand in, these are offered, and those wait already.
fn offer(world: &World, offered: &[usize], waiting: &[usize]) -> (Offer, Ground) {
    let request = Request::decode(&world.phones[0].request()).unwrap();
    let of = |at: &[usize]| at.iter().map(|at| request.changes[*at].clone()).collect::<Vec<_>>();
    let writer = world.phones[0].writer;
    let wait = |it: Offered| Waiting { bytes: it.bytes, writer, voucher: None };
    let job = JobGround {
        snapshot: None,
        changes: world.hall.changes(world.jobs[0]).iter().map(|it| it.bytes.clone()).collect(),
        grant: GrantState::Held,
        waiting: of(waiting).into_iter().map(wait).collect(),
    };
    let ground = Ground {
        writer,
        is_revoked: false,
        jobs: [(world.jobs[0], job)].into(),
        known: BTreeMap::new(),
        actors: BTreeMap::new(),
        key: SealKey::new([9; 32]),
    };
    let request = Request { changes: of(offered), ..request };
    (Offer::inspect(&request, world.hall.epoch(), &Limits::default()), ground)
}

fn judged(world: &World, offered: &[usize], waiting: &[usize]) -> Judgement {
    let (offer, ground) = offer(world, offered, waiting);
    judge(&offer, &ground)
}
