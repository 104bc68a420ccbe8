//! A real log and what a disk may do to it: every record that the damage left whole is read (S1).

use mobile_core::log::Log;
use mobile_core::log::frame::{self, HEADER_LEN};
use pollster::block_on;

use crate::Inputs;
use crate::log::written;
use crate::mutate::Dice;
use crate::store::Store;

/// Reads the input as a count of records and acts of damage, and opens what they leave.
pub(crate) fn run(input: &[u8]) {
    let Some((&count, acts)) = input.split_first() else { return };
    let payloads: Vec<Vec<u8>> = (0..usize::from(count % 24)).map(payload).collect();
    let whole = written(&payloads, u64::from(count / 24));
    let mut bytes = whole.clone();
    for act in acts.chunks_exact(4).take(12) {
        damage(&mut bytes, [act[0], act[1], act[2], act[3]]);
    }
    let survivors = survivors(&whole, &payloads, &bytes);
    let Ok(opened) = block_on(Log::open(Store::of(&bytes))) else {
        assert!(survivors.is_empty(), "a log with whole records opens");
        assert!(bytes != whole, "a whole log opens");
        return;
    };

    let read = &opened.payloads;
    assert_eq!(read, &survivors, "the whole records, in their order, and no other");
    if bytes == whole {
        assert!(opened.recovery.is_clean());
    }
    let has_header = bytes.starts_with(&whole[..HEADER_LEN]);
    if has_header && let Some(last) = survivors.last() {
        let reached = payloads.iter().position(|it| it == last).map_or(0, |it| it + 1);
        let missing = opened.recovery.missing();
        assert_eq!(missing, (reached - survivors.len()) as u64, "what is missing is counted");
    }
}

/// Payloads that differ from each other in length and content.
fn payload(number: usize) -> Vec<u8> {
    let mut dice = Dice::new(number as u64);
    let noise = (0..number * 7 % 60).map(|_| dice.byte());
    [&[u8::try_from(number).unwrap_or(0)][..], &noise.collect::<Vec<_>>()].concat()
}

/// Flips a bit, overwrites, zeroes, deletes, inserts, or cuts the end off.
fn damage(bytes: &mut Vec<u8>, [kind, high, low, size]: [u8; 4]) {
    if bytes.is_empty() {
        return;
    }
    let at = usize::from(u16::from_be_bytes([high, low])) % bytes.len();
    let end = (at + usize::from(size) + 1).min(bytes.len());
    let mut dice = Dice::new(u64::from(u32::from_le_bytes([kind, high, low, size])));
    match kind % 6 {
        0 => bytes[at] ^= 1 << (size % 8),
        1 => bytes[at..end].fill_with(|| dice.byte()),
        2 => bytes[at..end].fill(0),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let noise: Vec<u8> = (0..=size / 4).map(|_| dice.byte()).collect();
            bytes.splice(at..at, noise);
        }
        _ => bytes.truncate(at),
    }
}

/// The payloads of the records that still stand in the bytes whole, one after another.
fn survivors(whole: &[u8], payloads: &[Vec<u8>], bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut at, mut reached) = (HEADER_LEN, 0);
    let mut survivors = Vec::new();
    for payload in payloads {
        let frame = frame::read_frame(whole, at).expect("it was just written").range;
        at = frame.end;
        let frame = &whole[frame];
        if let Some(found) = bytes[reached..].windows(frame.len()).position(|it| it == frame) {
            reached += found + frame.len();
            survivors.push(payload.clone());
        }
    }
    survivors
}

/// One act of each kind, and several.
pub(crate) fn seeds() -> Inputs {
    let mut seeds: Inputs =
        (0..6).map(|kind| (format!("act-{kind}"), vec![12, kind, 1, 40, 9])).collect();
    seeds.push(("none".to_owned(), vec![23]));
    seeds.push(("header".to_owned(), vec![30, 0, 0, 3, 1]));
    let several = [[0, 1, 3, 2], [3, 1, 200, 40], [4, 0, 90, 33], [5, 2, 200, 0]].concat();
    seeds.push(("several".to_owned(), [&[20][..], &several].concat()));
    seeds
}
