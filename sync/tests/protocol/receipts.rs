//! Receipt numbers, on the phone and in the hall (B15).

use sync::device::Record;
use sync::message::{ReceiptBlock, Request};

use crate::phone::Phone;
use crate::world::World;

#[test]
fn b15_a_block_is_taken_once_and_only_a_whole_one_above_the_last() {
    let mut world = World::new(1, 1);
    let phone = &mut world.phones[0];
    let mut left = |first, last| {
        phone.store(&[block(first, last)]);
        phone.device.receipts_left()
    };

    assert_eq!((left(0, 5), left(9, 8)), (0, 0), "they are no blocks");
    assert_eq!((left(3, 3), left(3, 3), left(1, 2)), (1, 1, 1));
    assert_eq!(left(4, 6), 4);
}

#[test]
fn b15_numbers_go_on_in_the_next_block() {
    let mut world = World::new(1, 1);
    let phone = &mut world.phones[0];
    phone.store(&[block(1, 3), block(10, 12)]);

    let next = [0, 2, 3, 11, 12].map(|used| phone.device.next_receipt(used));

    assert_eq!(next, [Some(1), Some(3), Some(10), Some(12), None]);
}

#[test]
fn b15_a_block_that_is_used_up_goes_and_the_newest_stays() {
    let mut world = World::new(1, 1);
    let phone = &mut world.phones[0];
    phone.store(&[block(1, 3), block(10, 12)]);
    assert_eq!(kept(phone), [block(1, 3), block(10, 12)]);
    let mut after = |number| {
        phone.store(&[Record::ReceiptUsed { number }]);
        (phone.device.receipts_left(), kept(phone))
    };
    let used = |number| Record::ReceiptUsed { number };

    assert_eq!(after(2), (4, vec![block(1, 3), block(10, 12), used(2)]));
    assert_eq!(after(3), (3, vec![block(10, 12), used(3)]));
    assert_eq!(after(12), (0, vec![block(10, 12), used(12)]));
}

#[test]
fn b15_a_phone_that_runs_low_asks_and_says_what_it_has() {
    let mut world = World::new(1, 1);
    let phone = &mut world.phones[0];
    let mut asks = |records: &[Record]| {
        phone.store(records);
        Request::decode(&phone.request()).unwrap().receipts
    };

    assert_eq!(asks(&[]), Some(0));
    assert_eq!(asks(&[block(1, 12)]), None);
    assert_eq!(asks(&[Record::ReceiptUsed { number: 7 }]), None, "five are left");
    assert_eq!(asks(&[Record::ReceiptUsed { number: 8 }]), Some(12));
}

/// A block of a hall that wants to be asked when fewer than five numbers are left.
fn block(first: u64, last: u64) -> Record {
    Record::Receipts(ReceiptBlock { first, last, ask_below: 5 })
}

/// What a shorter log has of receipts.
fn kept(phone: &Phone) -> Vec<Record> {
    let records = phone.device.compact().into_iter();
    records.filter(|it| matches!(it, Record::Receipts(_) | Record::ReceiptUsed { .. })).collect()
}
