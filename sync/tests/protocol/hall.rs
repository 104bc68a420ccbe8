//! What the hall in memory holds and hands out.

use domain::id::{EntryId, JobId, UserId};
use domain::job::{Author, Instruction, PlanEntry};
use sync::device::Record;
use sync::document::{Pen, load, plan_change};
use sync::hall::HallError;
use sync::hub::hall_actor;
use sync::message::{Epoch, ReceiptBlock, Reply};

use crate::world::{World, uuid};

#[test]
fn what_another_node_wrote_is_stored_where_the_hall_has_the_job() {
    let mut world = World::new(1, 1);
    world.sync(0);
    let job = world.jobs[0];
    let changes: Vec<_> = world.hall.changes(job).iter().map(|it| &it.bytes).collect();
    let mut doc = load(None, &changes).unwrap();
    let author = Author { by: UserId(uuid(0xd1)), at: world.now() };
    let entry = PlanEntry::Instruction(Instruction { text: "Two keys".to_owned(), author });
    let pen = Pen { actor: hall_actor([77; 12]), at: author.at };
    let bytes = plan_change(&mut doc, &pen, EntryId(uuid(0xe1)), &entry).unwrap();

    let nowhere = world.hall.take_in(JobId(uuid(0x999)), bytes.clone());
    let position = world.hall.take_in(job, bytes.clone()).unwrap();

    assert!(matches!(nowhere, Err(HallError::NoJob(_))), "{nowhere:?}");
    assert_eq!(position, world.hall.position());
    assert_eq!(world.hall.changes(job).last().map(|it| &it.bytes), Some(&bytes));
    world.sync(0);
    world.assert_converged();
}

#[test]
fn s7_a_withdrawal_is_told_until_it_is_read_and_not_again() {
    let mut world = World::new(1, 1);
    let job = world.jobs[0];
    world.sync(0);
    world.assign(job, None);

    let (first, lost) = (ask(&mut world, 0).withdrawn, ask(&mut world, 0).withdrawn);
    world.sync(0);

    assert_eq!((first, lost), (vec![job], vec![job]));
    assert_eq!(world.phones[0].device.cursor().map(|it| it.position), Some(world.hall.position()));
    assert_eq!(ask(&mut world, 0).withdrawn, []);
}

#[test]
fn s7_a_change_is_sent_until_it_is_read_and_not_again() {
    let mut world = World::new(1, 1);
    world.sync(0);
    world.instruct(world.jobs[0]);

    let (first, lost) = (ask(&mut world, 0).documents, ask(&mut world, 0).documents);
    world.sync(0);

    assert_eq!((first.len(), first), (1, lost));
    assert_eq!(ask(&mut world, 0).documents, []);
}

#[test]
fn b15_a_block_whose_reply_was_lost_is_given_again_to_the_same_phone_alone() {
    let mut world = World::new(2, 2);
    world.hall.give_receipts(20, 5);
    let mut given = |phone: usize, records: &[Record]| {
        world.phones[phone].store(records);
        ask(&mut world, phone).receipts
    };

    assert_eq!([given(0, &[]), given(1, &[])], [Some(block(1, 20)), Some(block(21, 40))]);
    assert_eq!([given(0, &[]), given(1, &[])], [Some(block(1, 20)), Some(block(21, 40))]);
    let read = [Record::Receipts(block(1, 20)), Record::ReceiptUsed { number: 15 }];
    assert_eq!(given(0, &read), None, "five are left");
    assert_eq!(given(0, &[Record::ReceiptUsed { number: 16 }]), Some(block(41, 60)));
}

#[test]
fn b15_an_older_store_gets_numbers_of_its_own_and_nobody_else_loses_any() {
    let mut world = World::new(2, 2);
    world.hall.give_receipts(20, 5);
    let older = world.phones[0].log.clone();
    world.sync(0);
    assert_eq!(ask(&mut world, 1).receipts, Some(block(21, 40)));
    world.note(0, world.jobs[0]).unwrap();
    world.sync(0);

    world.fall_back(0, older);

    assert_eq!(ask(&mut world, 0).receipts, Some(block(41, 60)));
    assert_eq!(ask(&mut world, 1).receipts, Some(block(21, 40)));
    world.sync(1);
    world.phones[1].store(&[Record::ReceiptUsed { number: 40 }]);
    assert_eq!(ask(&mut world, 1).receipts, Some(block(61, 80)));
    world.note(1, world.jobs[1]).unwrap();
    assert_eq!(ask(&mut world, 1).receipts, Some(block(61, 80)), "more facts are no older store");
}

#[test]
fn b15_a_restored_hall_begins_above_all_that_it_may_have_given() {
    let mut world = World::new(1, 1);
    world.hall.give_receipts(20, 5);
    world.hall = world.hall.backup().restore(Epoch([3; 16]), hall_actor([77; 12]));

    let first = (3 * 24 + 1) * 10_000 + 1;

    assert_eq!(ask(&mut world, 0).receipts, Some(block(first, first + 19)));
}

/// What the hall answers, though the reply is lost.
fn ask(world: &mut World, phone: usize) -> Reply {
    let (writer, now) = (world.phones[phone].writer, world.now());
    let request = world.phones[phone].request();
    Reply::decode(&world.hall.exchange(writer, &request, now).unwrap()).unwrap()
}

fn block(first: u64, last: u64) -> ReceiptBlock {
    ReceiptBlock { first, last, ask_below: 5 }
}
