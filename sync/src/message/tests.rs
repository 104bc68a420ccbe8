//! The bytes of each message, so that a change of the wire is noticed.

use domain::id::JobId;
use domain::stamp::{Anchor, BootId, Timestamp};
use uuid::Uuid;

use super::*;

const REQUEST: &str = "
    aa000101a20050010101010101010101010101010101010119012c02040319ee4804818403051b000001a205b3
    d00018780518280602078158200505050505050505050505050505050505050505050505050505050505050505
    0882a20050020202020202020202020202020202020142856fa300500202020202020202020202020202020201
    414a02a2005003030303030303030303030303030303015004040404040404040404040404040404091a000f42
    40";
const REPLY: &str = "
    aa000101a20050010101010101010101010101010101010119012d021878031b000001a205b3d0000484825820
    060606060606060606060606060606060606060606060606060606060606060682008219012d50040404040404
    040404040404040404048258200606060606060606060606060606060606060606060606060606060606060606
    8201820c5004040404040404040404040404040404825820060606060606060606060606060606060606060606
    060606060606060606060682028082582006060606060606060606060606060606060606060606060606060606
    060606068203816b6e6f745f6772616e7465640582a30050020202020202020202020202020202020142010202
    81a30041850119012c02a200500303030303030303030303030303030301500404040404040404040404040404
    0404a20050020202020202020202020202020202020281a30041850119012c02a1015004040404040404040404
    040404040404068150020202020202020202020202020202020781a20058200505050505050505050505050505
    05050505050505050505050505050505050501686964203d2022782208f5091828";
const NOTHING_NEW: &str = "
    a5000101a20050010101010101010101010101010101010119012d021878031b000001a205b3d000091828";

#[test]
fn a_request_has_these_bytes() {
    check(&request(), REQUEST, Request::decode);
}

#[test]
fn a_reply_has_these_bytes() {
    check(&reply(), REPLY, Reply::decode);
}

#[test]
fn a_reply_with_nothing_new_takes_some_tens_of_bytes() {
    check(&nothing_new(), NOTHING_NEW, Reply::decode);
    assert!(nothing_new().encode().len() <= 50, "{}", nothing_new().encode().len());
}

#[test]
fn b15_receipt_numbers_have_these_bytes() {
    let block = ReceiptBlock { first: 300, last: 319, ask_below: 5 };
    check(&block, "a30019012c0119013f0205", |bytes| decode(bytes));
    let asks = Request { receipts: Some(319), ..request() };
    assert_eq!(Request::decode(&asks.encode()).unwrap(), asks);
    let gives = Reply { receipts: Some(block), ..reply() };
    assert_eq!(Reply::decode(&gives.encode()).unwrap(), gives);
}

#[test]
fn s18_unknown_keys_are_skipped_and_absent_ones_read_as_empty() {
    let mut newer = minicbor::Encoder::new(Vec::new());
    newer.map(6).unwrap();
    newer.u8(0).unwrap().u8(2).unwrap();
    newer.u8(1).unwrap().map(2).unwrap();
    newer.u8(0).unwrap().bytes(&[1; 16]).unwrap().u8(1).unwrap().u8(7).unwrap();
    newer.u8(2).unwrap().u8(3).unwrap().u8(3).unwrap().i64(NOW_MS).unwrap();
    newer.u8(9).unwrap().u8(4).unwrap();
    newer.u8(99).unwrap().array(2).unwrap().str("from").unwrap().bytes(b"later").unwrap();

    let reply = Reply::decode(&newer.into_writer()).unwrap();

    let cursor = Cursor { epoch: Epoch([1; 16]), position: 7 };
    assert_eq!(reply, Reply { version: 2, cursor, safe: 3, recorded: 4, ..nothing_new() });
}

#[test]
fn s17_foreign_bytes_are_no_message() {
    let page = b"<!DOCTYPE html><html><head><title>Wi-Fi</title></head></html>";
    assert!(matches!(Reply::decode(page), Err(DecodeError::Malformed(_))));
    assert!(matches!(Reply::decode(b""), Err(DecodeError::Malformed(_))));
    assert!(matches!(Request::decode(&reply().encode()), Err(DecodeError::Malformed(_))));
    let mut longer = nothing_new().encode();
    longer.push(0);
    assert!(matches!(Reply::decode(&longer), Err(DecodeError::LeftOver(1))));
}

#[test]
fn s17_no_cut_message_is_read_and_no_bent_one_panics() {
    let bytes = reply().encode();
    for len in 0..bytes.len() {
        assert!(Reply::decode(&bytes[..len]).is_err(), "{len} bytes");
    }
    for at in 0..bytes.len() {
        for value in 0..=u8::MAX {
            let mut bent = bytes.clone();
            bent[at] = value;
            let _ = Reply::decode(&bent);
        }
    }
}

#[test]
fn s17_a_claimed_length_takes_no_memory() {
    // A request whose lists claim 2^32 items each.
    for list in [4, 7, 8] {
        let mut bytes = vec![0xa1, list];
        bytes.extend([0x9a, 0xff, 0xff, 0xff, 0xff]);
        assert!(Request::decode(&bytes).is_err());
    }
}

const NOW_MS: i64 = 1_795_392_000_000;

fn check<T: Encode<()> + PartialEq + std::fmt::Debug>(
    message: &T,
    expected: &str,
    decode: fn(&[u8]) -> Result<T, DecodeError>,
) {
    let bytes = encode(message);
    assert_eq!(hex(&bytes), expected.replace(['\n', ' '], ""));
    assert_eq!(decode(&bytes).unwrap(), *message);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn request() -> Request {
    let server_at = Timestamp::from_timestamp_millis(NOW_MS).unwrap();
    Request {
        version: VERSION,
        cursor: Some(Cursor { epoch: Epoch([1; 16]), position: 300 }),
        boot: BootId(4),
        mono_ms: 61_000,
        anchors: vec![Anchor { boot: BootId(3), mono_ms: 5, server_at, round_trip_ms: 120 }],
        recorded: 40,
        pending: 2,
        packs: vec![ChangeHash([5; 32])],
        changes: vec![
            Offered { job: job(), bytes: vec![0x85, 0x6f], voucher: None },
            Offered { job: job(), bytes: vec![0x4a], voucher: Some(voucher()) },
        ],
        limit_bytes: 1_000_000,
        receipts: None,
    }
}

fn reply() -> Reply {
    let seal = voucher().seal;
    let verdicts = [
        Verdict::Acked { position: 301, seal },
        Verdict::Duplicate { position: 12, seal },
        Verdict::Waiting,
        Verdict::Quarantined { reason: "not_granted".to_owned() },
    ];
    let fed = Fed { bytes: vec![0x85], position: 300, voucher: voucher() };
    let by_hall = Voucher { device: None, ..voucher() };
    Reply {
        verdicts: verdicts
            .map(|verdict| Judged { hash: ChangeHash([6; 32]), verdict })
            .into_iter()
            .collect(),
        documents: vec![
            Parcel { job: job(), snapshot: Some(vec![1, 2]), changes: vec![fed.clone()] },
            Parcel { job: job(), snapshot: None, changes: vec![Fed { voucher: by_hall, ..fed }] },
        ],
        withdrawn: vec![job()],
        packs: vec![PackText { hash: ChangeHash([5; 32]), toml: "id = \"x\"".to_owned() }],
        more: true,
        ..nothing_new()
    }
}

fn nothing_new() -> Reply {
    Reply {
        version: VERSION,
        cursor: Cursor { epoch: Epoch([1; 16]), position: 301 },
        safe: 120,
        server_at: Timestamp::from_timestamp_millis(NOW_MS).unwrap(),
        verdicts: Vec::new(),
        documents: Vec::new(),
        withdrawn: Vec::new(),
        packs: Vec::new(),
        more: false,
        recorded: 40,
        receipts: None,
    }
}

fn job() -> JobId {
    JobId(Uuid::from_bytes([2; 16]))
}

fn voucher() -> Voucher {
    let device = Some(domain::id::DeviceId(Uuid::from_bytes([3; 16])));
    Voucher { device, seal: Seal([4; 16]) }
}
