//! What travels and what is kept: requests, replies and records in CBOR.

use sync::device::Record;
use sync::message::{Reply, Request};

use crate::{Inputs, exchange, phone};

/// A request that reads is read again as it was written, and written as it was read (S18).
pub(crate) fn request(bytes: &[u8]) {
    let Ok(request) = Request::decode(bytes) else { return };
    let written = request.encode();
    assert_eq!(Request::decode(&written).expect("what was written reads"), request);
    assert_eq!(Request::decode(&written).map(|it| it.encode()).ok(), Some(written));
    // A list takes no more memory than the bytes that it was read from can fill.
    assert!(request.changes.len() + request.packs.len() + request.anchors.len() <= bytes.len());
}

/// The same of a reply.
pub(crate) fn reply(bytes: &[u8]) -> Option<Reply> {
    let reply = Reply::decode(bytes).ok()?;
    let written = reply.encode();
    assert_eq!(Reply::decode(&written).expect("what was written reads"), reply);
    assert!(reply.documents.len() + reply.verdicts.len() + reply.packs.len() <= bytes.len());
    Some(reply)
}

/// The same of a record.
pub(crate) fn record(bytes: &[u8]) {
    let Ok(record) = Record::decode(bytes) else { return };
    let written = record.encode();
    assert_eq!(Record::decode(&written).expect("what was written reads"), record);
}

/// Requests of phones as they were sent.
pub(crate) fn requests() -> Inputs {
    exchange::seeds()
}

/// Records of phones as they were kept.
pub(crate) fn records() -> Inputs {
    let records = phone::story().into_iter().enumerate();
    records.map(|(number, record)| (format!("record-{number:02}"), record.encode())).collect()
}
