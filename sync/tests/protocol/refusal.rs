//! What the hall does not take, and that nobody else suffers from it.

use std::collections::BTreeMap;

use automerge::ChangeHash;
use domain::id::{DeviceId, FactId, JobId, UserId, VisitId};
use domain::visit::{Fact, Recorded};
use sync::authority::Writer;
use sync::chunk::chunk_hash;
use sync::device::{Made, Notice, Record, Standing};
use sync::document::{NewFact, Pen, fact_change, load};
use sync::hub::{GrantState, Ground, JobGround, Offer, Outcome, hall_actor, judge, reason};
use sync::limits::Limits;
use sync::message::{Offered, Reply, Request, Verdict};
use sync::seal::{Seal, SealKey, Voucher};

use crate::world::{Fate, World, uuid};

#[test]
fn s11_an_actor_of_another_device_is_refused_and_its_owner_goes_on() {
    let mut world = World::new(2, 2);
    world.heal();
    world.note(0, world.jobs[0]).unwrap();
    world.sync(0);
    world.assign(world.jobs[0], Some(1));
    world.sync(1);
    // The second phone writes with the actor of the first, with the number that comes next.
    let pen = world.pen(0);
    let forged = fact(&world, 1, world.jobs[0], &pen);

    let verdicts = world.offer_as(1, world.jobs[0], &[forged], None);

    assert_eq!(verdicts, [quarantined(reason::FORGED_ACTOR)]);
    assert_eq!(world.hall.owner(&pen.actor), Some(world.phones[0].writer.device));
    let next = world.note(0, world.jobs[0]).unwrap();
    world.sync(0);
    assert!(world.hall.position_of(next).is_some(), "the victim's own next change is taken");
}

#[test]
fn s11_the_halls_actor_is_refused_even_where_it_has_not_written_yet() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let pen = Pen { actor: hall_actor([77; 12]), at: world.now() };
    let forged = fact(&world, 0, world.jobs[0], &pen);

    let verdicts = world.offer_as(0, world.jobs[0], &[forged], None);

    assert_eq!(verdicts, [quarantined(reason::FORGED_ACTOR)]);
}

#[test]
fn s11_the_same_number_of_an_actor_is_taken_once() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let pen = world.pen(0);
    let one = fact(&world, 0, world.jobs[0], &pen);
    let later = Pen { at: world.now(), ..pen };
    let other = fact(&world, 0, world.jobs[0], &later);
    assert_ne!(one, other);

    let verdicts = world.offer_as(0, world.jobs[0], &[one.clone(), other], None);

    assert!(matches!(verdicts[0], Verdict::Acked { .. }), "{verdicts:?}");
    assert!(matches!(verdicts[1], Verdict::Quarantined { .. }), "{verdicts:?}");
    let stored = world.hall.changes(world.jobs[0]).iter();
    assert_eq!(stored.filter(|change| change.bytes == one).count(), 1);
}

#[test]
fn s11_a_voucher_that_the_hall_did_not_write_is_worth_nothing() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let pen = Pen { actor: hall_actor([77; 12]), at: world.now() };
    let forged = fact(&world, 0, world.jobs[0], &pen);
    let voucher = Voucher { device: None, seal: Seal([0; 16]) };

    let verdicts = world.offer_as(0, world.jobs[0], &[forged], Some(voucher));

    assert_eq!(verdicts, [quarantined(reason::FORGED_ACTOR)]);
}

#[test]
fn s15_who_never_held_a_job_writes_nothing_in_it() {
    let mut world = World::new(2, 1);
    world.heal();
    let before = world.hall.heads(world.jobs[0]);
    let pen = world.pen(1);
    let foreign = fact(&world, 1, world.jobs[0], &pen);

    let verdicts = world.offer_as(1, world.jobs[0], std::slice::from_ref(&foreign), None);
    let nowhere = world.offer_as(1, JobId(uuid(0x999)), std::slice::from_ref(&foreign), None);

    assert_eq!(verdicts, [quarantined(reason::NOT_GRANTED)]);
    assert_eq!(nowhere, [quarantined(reason::NOT_GRANTED)], "kept apart once, for one reason");
    let hash = chunk_hash(&foreign);
    assert_eq!(world.hall.heads(world.jobs[0]), before);
    world.sync(1);
    assert!(world.phones[1].device.job(world.jobs[0]).is_none());
    assert_eq!(world.hall.release(hash), Some(Outcome::Accepted), "unless somebody says so");
}

#[test]
fn a_job_that_the_hall_does_not_know_is_kept_apart() {
    let mut other = World::new(1, 2);
    other.sync(0);
    let pen = other.pen(0);
    let unknown = other.jobs[1];
    let change = fact(&other, 0, unknown, &pen);
    let mut world = World::new(1, 1);
    world.sync(0);

    let verdicts = world.offer_as(0, unknown, &[change], None);

    assert_eq!(verdicts, [quarantined(reason::UNKNOWN_JOB)]);
    assert!(world.hall.job(unknown).is_err());
}

#[test]
fn a_change_of_another_document_is_never_applied() {
    let mut world = World::new(1, 2);
    world.sync(0);
    let before = world.hall.heads(world.jobs[1]);
    let pen = world.pen(0);
    let change = fact(&world, 0, world.jobs[0], &pen);

    let verdicts = world.offer_as(0, world.jobs[1], &[change], None);

    assert_eq!(verdicts, [quarantined(reason::WRONG_DOCUMENT)]);
    assert_eq!(world.hall.heads(world.jobs[1]), before);
}

#[test]
fn a_stored_document_that_does_not_load_takes_nothing_and_says_so() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.note(0, world.jobs[0]).unwrap();
    let request = Request::decode(&world.phones[0].request()).unwrap();
    let offer = Offer::inspect(&request, world.hall.epoch(), &Limits::default());
    let changes = vec![b"a bad sector".to_vec()];
    let job = JobGround { changes, grant: GrantState::Held, ..JobGround::default() };
    let ground = Ground {
        writer: world.phones[0].writer,
        is_revoked: false,
        jobs: [(world.jobs[0], job)].into(),
        known: BTreeMap::new(),
        actors: BTreeMap::new(),
        key: SealKey::new([9; 32]),
    };

    let judgement = judge(&offer, &ground);

    assert_eq!(judgement.quarantined[0].reason, reason::DOCUMENT);
    assert!(judgement.jobs.is_empty());
}

#[test]
fn a_withdrawn_grant_still_takes_what_happened_at_the_door() {
    let mut world = World::new(2, 1);
    world.heal();
    let hash = world.note(0, world.jobs[0]).unwrap();
    world.assign(world.jobs[0], Some(1));

    world.heal();

    assert!(world.hall.position_of(hash).is_some());
    world.assert_converged();
    assert!(world.notices.contains(&Notice::Withdrawn { job: world.jobs[0] }));
}

#[test]
fn s16_a_revoked_device_gets_nothing_and_what_it_pushes_can_be_released() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hash = world.note(0, world.jobs[0]).unwrap();
    world.hall.revoke(world.phones[0].writer.device);
    world.instruct(world.jobs[0]);
    let heads = world.phones[0].device.heads(world.jobs[0]);

    world.sync(0);

    assert_eq!(world.hall.quarantined(hash).unwrap().reason, reason::REVOKED);
    assert_eq!(world.phones[0].device.heads(world.jobs[0]), heads, "nothing was pulled");
    assert_eq!(world.hall.release(hash), Some(Outcome::Accepted));
    assert!(world.hall.position_of(hash).is_some() && world.hall.quarantined(hash).is_none());
}

#[test]
fn s16_what_is_released_before_its_causes_waits_for_them() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let hashes = [(); 3].map(|()| world.note(0, world.jobs[0]).unwrap());
    world.hall.revoke(world.phones[0].writer.device);
    world.sync(0);

    assert_eq!(world.hall.release(hashes[2]), Some(Outcome::Waiting));
    assert_eq!(world.hall.release(hashes[1]), Some(Outcome::Waiting));
    assert_eq!(world.hall.release(hashes[0]), Some(Outcome::Accepted));

    let positions = hashes.map(|hash| world.hall.position_of(hash).unwrap());
    assert!(positions.is_sorted(), "{positions:?}");
    assert_eq!(world.hall.quarantine().count(), 0);
}

#[test]
fn what_is_released_is_judged_again_by_what_it_does() {
    let mut world = World::new(2, 1);
    world.sync(0);
    let visit = VisitId(uuid(0x777));
    let pen = world.pen(0);
    let others = fact_of(&world, 0, world.jobs[0], &pen, (visit, world.phones[1].writer));
    let hash = chunk_hash(&others);
    let before = world.hall.heads(world.jobs[0]);

    let verdicts = world.offer_as(0, world.jobs[0], &[others], None);

    assert_eq!(verdicts, [quarantined("others_visit")]);
    let released = world.hall.release(hash);
    assert_eq!(released, Some(Outcome::Quarantined("others_visit".to_owned())));
    assert_eq!(world.hall.heads(world.jobs[0]), before);
    assert!(world.hall.quarantined(hash).is_some(), "nothing recorded is destroyed");
}

#[test]
fn s16_what_is_released_and_was_taken_for_its_own_job_is_not_kept_any_longer() {
    let mut world = World::new(2, 2);
    world.heal();
    let hashes = [(); 2].map(|()| world.note(0, world.jobs[0]).unwrap());
    let mut request = Request::decode(&world.phones[0].request()).unwrap();
    let second = request.changes[1].bytes.clone();
    assert_eq!(world.offer_as(0, world.jobs[0], &[second], None), [Verdict::Waiting]);
    // What it waited for comes together with itself, offered for somebody else's job.
    request.changes[1].job = world.jobs[1];
    let (writer, now) = (world.phones[0].writer, world.now());
    world.hall.exchange(writer, &request.encode(), now).unwrap();
    assert!(
        world.hall.position_of(hashes[1]).is_some() && world.hall.quarantined(hashes[1]).is_some()
    );

    let released = world.hall.release(hashes[1]);

    assert!(matches!(released, Some(Outcome::Duplicate { .. })), "{released:?}");
    assert_eq!(world.hall.quarantine().count(), 0);
}

#[test]
fn l3_a_refused_change_holds_nobody_up_but_what_builds_on_it() {
    let mut world = World::new(1, 3);
    world.sync(0);
    // A fact that no hall takes, with an honest one on top of it, between honest neighbours.
    let first = world.note(0, world.jobs[0]).unwrap();
    let bad = world.strange(0, world.jobs[1]);
    let on_top = world.note(0, world.jobs[1]).unwrap();
    let last = world.note(0, world.jobs[2]).unwrap();

    world.sync(0);

    assert!(world.hall.position_of(first).is_some());
    assert!(world.hall.position_of(last).is_some());
    assert_eq!(world.hall.quarantined(bad).unwrap().reason, "others_visit");
    assert!(world.hall.is_waiting(on_top), "it builds on what is kept apart");
    let quarantined = world.notices.iter().filter(|it| matches!(it, Notice::Quarantined { .. }));
    assert_eq!(quarantined.count(), 1);
    assert_eq!(world.phones[0].device.pending(), 2);
    assert_eq!(world.phones[0].device.only_here(), 0);
    let rounds = world.rounds;
    world.sync(0);
    assert_eq!(world.rounds, rounds + 1, "nothing is offered again and again");
}

#[test]
fn l3_one_malformed_change_in_a_request_leaves_the_others_alone() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let pen = world.pen(0);
    let good = fact(&world, 0, world.jobs[0], &pen);
    let mut bad = good.clone();
    bad.truncate(40);

    let verdicts = world.offer_as(0, world.jobs[0], &[bad, good], None);

    assert_eq!(verdicts[0], quarantined(reason::MALFORMED));
    assert!(matches!(verdicts[1], Verdict::Acked { .. }), "{verdicts:?}");
}

#[test]
fn a_change_that_is_kept_apart_is_shown_and_stays_on_the_phone() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let bad = world.strange(0, world.jobs[0]);

    assert!(!world.exchange(0, Fate::ReplyTwice));
    assert_eq!(world.notices.len(), 1, "{:?}", world.notices);
    world.phones[0].compact();

    let apart: Vec<_> = world.hall.quarantine().map(|(hash, it)| (*hash, it.job)).collect();
    assert_eq!(apart, [(bad, world.jobs[0])]);
    let own: Vec<_> = world.phones[0].device.own().collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].hash, bad);
    let epoch = world.hall.epoch();
    assert_eq!(*own[0].standing, Standing::Quarantined(epoch, "others_visit".to_owned()));
}

/// What only a phone that is not honest does.
impl World {
    /// Offers bytes in the name of a phone.
    fn offer_as(
        &mut self,
        phone: usize,
        job: JobId,
        changes: &[Vec<u8>],
        voucher: Option<Voucher>,
    ) -> Vec<Verdict> {
        let mut request = Request::decode(&self.phones[phone].request()).unwrap();
        let offered = |bytes: &Vec<u8>| Offered { job, bytes: bytes.clone(), voucher };
        request.changes = changes.iter().map(offered).collect();
        let (writer, now) = (self.phones[phone].writer, self.now());
        let reply = self.hall.exchange(writer, &request.encode(), now).unwrap();
        Reply::decode(&reply).unwrap().verdicts.into_iter().map(|judged| judged.verdict).collect()
    }

    /// Lets a phone make a visit in the name of somebody else.
    fn strange(&mut self, phone: usize, job: JobId) -> ChangeHash {
        let pen = self.pen(phone);
        let somebody = Writer { user: UserId(uuid(0x666)), device: DeviceId(uuid(0x667)) };
        let bytes = fact_of(self, phone, job, &pen, (VisitId(uuid(0x777)), somebody));
        let hash = chunk_hash(&bytes);
        let made = Made { job, boot: domain::stamp::BootId(1), id: uuid(0x901), bytes };
        self.phones[phone].store(&[Record::Made(made)]);
        hash
    }

    fn pen(&mut self, phone: usize) -> Pen {
        let now = self.now();
        self.phones[phone].pen(now)
    }
}

fn quarantined(reason: &str) -> Verdict {
    Verdict::Quarantined { reason: reason.to_owned() }
}

/// A fact in a new visit of the phone's own, on the document as the hall holds it.
fn fact(world: &World, phone: usize, job: JobId, pen: &Pen) -> Vec<u8> {
    let visit = VisitId(uuid(0x900 + u128::try_from(phone).unwrap()));
    fact_of(world, phone, job, pen, (visit, world.phones[phone].writer))
}

fn fact_of(
    world: &World,
    phone: usize,
    job: JobId,
    pen: &Pen,
    (visit, owner): (VisitId, Writer),
) -> Vec<u8> {
    let changes: Vec<_> = world.hall.changes(job).iter().map(|change| &change.bytes).collect();
    let mut doc = load(None, &changes).unwrap();
    let recorded = Recorded { stamp: world.phones[phone].stamp(pen.at), fact: Fact::SetOut };
    let Writer { user, device } = owner;
    let opens: Option<(UserId, DeviceId)> = Some((user, device));
    let fact = NewFact { visit, opens, id: FactId(uuid(0x901)), recorded: &recorded };
    fact_change(&mut doc, pen, &fact).unwrap()
}
