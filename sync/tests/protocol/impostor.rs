//! A phone whose bytes somebody else hands in, in their own name, before it can.

use automerge::ChangeHash;
use sync::authority::Writer;
use sync::device::Standing;
use sync::hub::reason;
use sync::message::{Reply, Request, Verdict};

use crate::world::World;

const FACTS: usize = 3;

#[test]
fn s11_what_an_impostor_hands_in_first_is_still_taken_from_its_maker() {
    for own in 0..1 << FACTS {
        for stolen in 1..1 << FACTS {
            let mut theft = Theft::new();
            theft.offer(theft.owner, own);

            theft.offer(theft.impostor, stolen);
            theft.world.heal();

            theft.assert_taken(&format!("own {own:03b}, stolen {stolen:03b}"));
        }
    }
}

#[test]
fn s11_an_impostor_who_comes_again_and_again_changes_nothing() {
    for masks in [[0b100, 0b010, 0b001], [0b110, 0b100, 0b111], [0b010, 0b101, 0b010]] {
        let mut theft = Theft::new();
        for mask in masks {
            theft.offer(theft.impostor, mask);
            theft.offer(theft.owner, mask & 0b110);
            theft.offer(theft.impostor, mask);
        }

        theft.world.heal();

        theft.assert_taken(&format!("{masks:?}"));
    }
}

#[test]
fn s11_the_impostor_is_told_what_is_wrong_and_the_maker_is_not() {
    let mut theft = Theft::new();

    let refused = theft.offer(theft.impostor, 0b001);
    let again = theft.offer(theft.impostor, 0b001);
    let taken = theft.offer(theft.owner, 0b001);

    let others = Verdict::Quarantined { reason: "others_visit".to_owned() };
    assert_eq!((&refused[..], &again[..]), (&[others.clone()][..], &[others][..]));
    assert!(matches!(taken[..], [Verdict::Acked { .. }]), "{taken:?}");
    let late = theft.offer(theft.impostor, 0b010);
    let reason = reason::FORGED_ACTOR.to_owned();
    assert_eq!(late, [Verdict::Quarantined { reason }], "by now the hall knows whose actor it is");
}

/// A phone with facts that the hall has not got, and somebody who has their bytes and held the job too.
struct Theft {
    world: World,
    owner: Writer,
    impostor: Writer,
    request: Request,
    hashes: Vec<ChangeHash>,
}

impl Theft {
    fn new() -> Self {
        let mut world = World::new(2, 1);
        world.heal();
        let job = world.jobs[0];
        let hashes = (0..FACTS).map(|_| world.note(0, job).unwrap()).collect();
        let request = Request::decode(&world.phones[0].request()).unwrap();
        world.assign(job, Some(1));
        let (owner, impostor) = (world.phones[0].writer, world.phones[1].writer);
        Self { world, owner, impostor, request, hashes }
    }

    /// Hands in those of the facts whose bit is set; whatever the owner is told is lost on the way.
    fn offer(&mut self, writer: Writer, mask: usize) -> Vec<Verdict> {
        let mut request = self.request.clone();
        let all = request.changes.into_iter().enumerate();
        request.changes = all.filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, it)| it).collect();
        let now = self.world.now();
        let reply = self.world.hall.exchange(writer, &request.encode(), now).unwrap();
        Reply::decode(&reply).unwrap().verdicts.into_iter().map(|it| it.verdict).collect()
    }

    fn assert_taken(&self, how: &str) {
        for hash in &self.hashes {
            assert!(self.world.hall.position_of(*hash).is_some(), "{how}: {hash} is not taken");
            assert!(self.world.hall.quarantined(*hash).is_none(), "{how}: {hash} is kept apart");
            assert!(!self.world.hall.is_waiting(*hash), "{how}: {hash} still waits");
            let standing = self.world.phones[0].device.standing_of(*hash);
            assert!(matches!(standing, Some(Standing::Acked(..))), "{how}: {standing:?}");
        }
        assert_eq!(self.world.hall.quarantine().count(), 0, "{how}");
    }
}
