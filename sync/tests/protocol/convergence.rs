//! Whatever the network and the phones do, in the end all agree and nothing is missing.

use proptest::prelude::*;

use crate::world::{Fate, World};

/// Something that happens. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Note(usize, usize),
    Message(usize, usize),
    Instruct(usize),
    Assign(usize, usize),
    TakeBack(usize),
    AddJob(usize),
    Exchange(usize, Fate),
    DeliverLate(usize),
    Restart(usize),
    Compact(usize),
    Backup,
    Snapshots,
    Restore,
    KeepCopy(usize),
    FallBack,
    ClonePhone(usize),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s8_a_bad_network_and_dying_phones_end_equal(steps in steps(false)) {
        play(&steps);
    }

    #[test]
    fn s13_restored_halls_older_and_cloned_stores_end_equal(steps in steps(true)) {
        play(&steps);
    }
}

fn play(steps: &[Step]) {
    let mut world = World::new(3, 4);
    let mut copy = None;
    for step in steps {
        take(&mut world, &mut copy, step);
    }
    world.heal();
    world.assert_converged();
    let (rounds, phones) = (world.rounds, world.phones.len());
    for phone in 0..phones {
        world.sync(phone);
    }
    assert_eq!(world.rounds, rounds + phones, "at rest, each phone asks once");
}

fn take(world: &mut World, copy: &mut Option<(usize, Vec<Vec<u8>>)>, step: &Step) {
    let phones = world.phones.len();
    let job = |index: usize| world.jobs[index % world.jobs.len()];
    match *step {
        Step::Note(phone, index) => drop(world.note(phone % phones, job(index))),
        Step::Message(phone, index) => world.message(phone % phones, job(index)),
        Step::Instruct(index) => world.instruct(job(index)),
        Step::Assign(index, phone) => world.assign(job(index), Some(phone % phones)),
        Step::TakeBack(index) => world.assign(job(index), None),
        Step::AddJob(phone) => drop(world.add_job(phone % phones)),
        Step::Exchange(phone, fate) => drop(world.exchange(phone % phones, fate)),
        Step::DeliverLate(phone) => world.deliver_late(phone % phones),
        Step::Restart(phone) => world.restart(phone % phones),
        Step::Compact(phone) => world.phones[phone % phones].compact(),
        Step::Backup => world.backup(),
        Step::Snapshots => world.hall.make_snapshots(),
        Step::Restore => world.restore(),
        Step::KeepCopy(phone) => {
            let phone = phone % phones;
            *copy = Some((phone, world.phones[phone].log.clone()));
        }
        Step::FallBack => {
            if let Some((phone, log)) = copy.take() {
                world.fall_back(phone, log);
            }
        }
        Step::ClonePhone(phone) if phones < 5 => drop(world.clone_phone(phone % phones)),
        Step::ClonePhone(_) => {}
    }
}

fn steps(with_disasters: bool) -> impl Strategy<Value = Vec<Step>> {
    let index = || 0..64_usize;
    let fate = prop_oneof![
        6 => Just(Fate::Good),
        1 => Just(Fate::RequestLost),
        2 => Just(Fate::ReplyLost),
        1 => Just(Fate::ReplyTwice),
        1 => Just(Fate::ReplyLate),
        1 => Just(Fate::Portal),
        2 => (0..12_usize).prop_map(Fate::Death),
    ];
    let step = prop_oneof![
        12 => (index(), index()).prop_map(|(phone, job)| Step::Note(phone, job)),
        2 => (index(), index()).prop_map(|(phone, job)| Step::Message(phone, job)),
        3 => index().prop_map(Step::Instruct),
        3 => (index(), index()).prop_map(|(job, phone)| Step::Assign(job, phone)),
        1 => index().prop_map(Step::TakeBack),
        1 => index().prop_map(Step::AddJob),
        14 => (index(), fate).prop_map(|(phone, fate)| Step::Exchange(phone, fate)),
        2 => index().prop_map(Step::DeliverLate),
        2 => index().prop_map(Step::Restart),
        2 => index().prop_map(Step::Compact),
        2 => Just(Step::Backup),
        1 => Just(Step::Snapshots),
    ];
    let disaster = prop_oneof![
        1 => Just(Step::Restore),
        1 => index().prop_map(Step::KeepCopy),
        1 => Just(Step::FallBack),
        1 => index().prop_map(Step::ClonePhone),
    ];
    let weight = u32::from(with_disasters);
    let step =
        if weight == 0 { step.boxed() } else { prop_oneof![8 => step, weight => disaster].boxed() };
    proptest::collection::vec(step, 1..60)
}
