//! How a feed is cut into pages, and when a snapshot goes in place of changes.

use std::collections::BTreeSet;

use domain::id::JobId;
use sync::hub::{Page, Stored, Supply, page, wants_snapshot};
use sync::message::Position;
use sync::seal::SealKey;

use crate::world::uuid;

/// What the envelope of a change is counted as, in bytes.
const ENVELOPE: usize = 60;

#[test]
fn s7_a_page_takes_what_its_limit_reaches_and_says_that_there_is_more() {
    let two = || vec![change(1, 100), change(2, 100)];
    let both = 2 * (100 + ENVELOPE);

    let whole = cut(two(), both);
    let part = cut(two(), both - 1);

    assert_eq!((whole.position, whole.more, changes(&whole)), (9, false, 2));
    assert_eq!((part.position, part.more, changes(&part)), (1, true, 1));
}

#[test]
fn s7_a_page_of_a_store_that_loaded_less_than_all_says_that_there_is_more() {
    let page = page(Vec::new(), (9, true), 0, &BTreeSet::new(), &SealKey::new([9; 32]));

    assert_eq!((page.position, page.more), (9, true));
}

#[test]
fn s7_what_shares_a_position_is_never_parted() {
    let page = cut(vec![change(1, 100), change(1, 100), change(2, 100)], 0);

    assert_eq!((page.position, page.more, changes(&page)), (1, true, 2));
}

#[test]
fn s12_a_snapshot_goes_where_it_is_smaller_and_covered() {
    assert!(wants_snapshot(5, 5, 99, 100));
    assert!(!wants_snapshot(5, 5, 100, 100));
    assert!(!wants_snapshot(6, 5, 99, 100), "no backup covers it");
}

fn cut(supplies: Vec<Supply>, limit_bytes: usize) -> Page {
    page(supplies, (9, false), limit_bytes, &BTreeSet::new(), &SealKey::new([9; 32]))
}

fn change(position: Position, size_bytes: usize) -> Supply {
    let job = JobId(uuid(1));
    let bytes = vec![u8::try_from(position).unwrap(); size_bytes];
    Supply::Change { job, change: Stored { bytes, position, device: None } }
}

fn changes(page: &Page) -> usize {
    page.documents.iter().map(|parcel| parcel.changes.len()).sum()
}
