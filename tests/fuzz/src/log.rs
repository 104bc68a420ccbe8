//! The bytes of a phone's log: whatever they are, opening loses nothing and mends for good (S1, S3).

use mobile_core::log::frame::{self, Frame, Kind};
use mobile_core::log::{Log, OpenLogError, Opened};
use pollster::block_on;

use crate::store::Store;
use crate::{Inputs, phone};

/// Opens the bytes as a log.
pub(crate) fn run(bytes: &[u8]) {
    let opened = match block_on(Log::open(Store::of(bytes))) {
        Ok(opened) => opened,
        Err(OpenLogError::TooNew(_) | OpenLogError::NotALog { .. }) => return,
        Err(OpenLogError::Store(error)) => panic!("the store has no faults: {error}"),
    };
    let Opened { log, payloads, recovery } = opened;
    assert_eq!(payloads.len() as u64, recovery.records);
    assert!(recovery.repair_failed.is_none());
    let last = log.last_seq();
    let store = log.into_store();
    each_byte_is_somewhere(bytes, &store, recovery.is_clean());
    if last > u64::MAX - 2 {
        // 2^64 records were never written by anybody; a log that says so is still read.
        return;
    }

    let again = open(store);
    assert!(again.recovery.is_clean(), "mended once: {:?}", again.recovery);
    assert_eq!(again.payloads, payloads, "a mended log reads as the damaged one did");
    assert_eq!(again.log.last_seq(), last, "numbers are not given twice");

    let mut log = again.log;
    block_on(log.append(b"one more")).expect("the store has no faults");
    let more = open(log.into_store());
    assert!(more.recovery.is_clean(), "{:?}", more.recovery);
    assert_eq!(more.payloads.split_last(), Some((&b"one more".to_vec(), &payloads[..])));
}

fn open(store: Store) -> Opened<Store> {
    block_on(Log::open(store)).expect("a log that was opened once opens again")
}

/// What is no longer in the log was set aside, byte for byte.
fn each_byte_is_somewhere(bytes: &[u8], store: &Store, is_clean: bool) {
    if is_clean {
        assert_eq!(store.bytes, bytes, "a whole log is not touched");
        assert!(store.asides.is_empty());
        return;
    }
    for aside in &store.asides {
        let is_there = bytes.windows(aside.bytes.len().max(1)).any(|it| it == aside.bytes);
        assert!(is_there || aside.bytes.is_empty(), "what is set aside was found");
    }
    let mut at = 0;
    while at < bytes.len() {
        match frame::read_frame(bytes, at) {
            Some(whole) => {
                // A record whose chain was broken is chained anew, so only its content stays as it was.
                let (frame, payload) = (&bytes[whole.range.clone()], &bytes[whole.payload.clone()]);
                let is_in =
                    |place: &[u8], kept: &[u8]| place.windows(kept.len()).any(|it| it == kept);
                let is_somewhere = payload.is_empty()
                    || is_in(&store.bytes, payload)
                    || store.asides.iter().any(|it| is_in(&it.bytes, frame));
                assert!(is_somewhere, "the whole record at {at} is neither kept nor set aside");
                at = whole.range.end;
            }
            None => at += 1,
        }
    }
}

/// Logs as phones write them: whole, cut, mended, compacted.
pub(crate) fn seeds() -> Inputs {
    let payloads: Vec<Vec<u8>> = phone::story().iter().take(6).map(phone::entry).collect();
    let whole = written(&payloads, 0);
    let mut flipped = whole.clone();
    flipped[70] ^= 4;
    let mended = block_on(Log::open(Store::of(&flipped))).expect("it opens").log.into_store().bytes;
    let mut headless = whole.clone();
    headless[3] ^= 1;
    let (empty, _) = frame::header(0);
    let cut = whole[..whole.len() - 5].to_vec();
    let compacted = written(&payloads[..2], 41);
    let named = [
        ("whole", whole),
        ("flipped", flipped),
        ("mended", mended),
        ("headless", headless),
        ("empty", empty),
        ("cut", cut),
        ("compacted", compacted),
        ("nothing", Vec::new()),
        ("page", b"<!DOCTYPE html>".to_vec()),
    ];
    named.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}

/// The bytes of a log with these payloads, its first frame numbered after `base`.
pub(crate) fn written(payloads: &[Vec<u8>], base: u64) -> Vec<u8> {
    let (mut bytes, mut chain) = frame::header(base);
    for (seq, payload) in (base + 1..).zip(payloads) {
        chain = Frame { kind: Kind::Record, seq, payload }.write(chain, &mut bytes);
    }
    bytes
}
