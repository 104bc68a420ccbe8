//! A reply as a phone takes it: bytes from a portal, cut, late or garbled cost nothing that was recorded (S1, S12).

use sync::device::{Device, Record};
use sync::limits::Limits;
use sync::message::Reply;
use sync::preflight::inspect;

use crate::Inputs;
use crate::message;
use crate::scene::{reseal, scene};

/// Shows the phone the reply with right checksums in its changes.
///
/// What the hall sends is the hall's word: it looked at each change, and its snapshots are its own. So a change that the
/// hall would not have let in, and a snapshot that it did not make, are left out.
pub(crate) fn run(bytes: &[u8]) {
    let Some(mut reply) = message::reply(bytes) else { return };
    for parcel in &mut reply.documents {
        parcel.snapshot = parcel.snapshot.take().filter(|it| snapshots().contains(it));
        parcel.changes.iter_mut().for_each(|fed| reseal(&mut fed.bytes));
        parcel.changes.retain(|fed| inspect(&fed.bytes, &Limits::default()).is_ok());
    }
    let scene = scene();
    let (before, written) = (&scene.phone, reply.encode());
    let received = before.receive(&written, scene.round()).expect("it reads");

    for kept in 0..=received.records.len() {
        // A crash may leave any first part of them.
        let mut phone = before.clone();
        for record in &received.records[..kept] {
            let read = Record::decode(&record.encode()).expect("what is kept reads");
            assert_eq!(read, *record);
            phone.replay(record);
        }
        let leaves = received.records[..kept].iter().any(|it| matches!(it, Record::Purged { .. }));
        assert!(
            leaves || phone.own().count() == before.own().count(),
            "nothing of its own is gone"
        );
        goes_on(&phone);
        if kept == received.records.len() {
            settles(&phone, &written);
        }
    }
}

/// The phone still speaks, and a compacted log makes the same one.
fn goes_on(phone: &Device) {
    let moment = scene().moment();
    let request = phone.request(moment);
    message::request(&request.encode());
    let mut replayed = Device::new();
    for record in phone.compact() {
        replayed.replay(&record);
    }
    assert_eq!(replayed.request(moment), request, "the shorter log says the same to the hall");
    assert!(replayed.jobs().eq(phone.jobs()), "and shows the same jobs");
    assert_eq!(replayed.recorded(), phone.recorded());
    assert_eq!(replayed.receipts_left(), phone.receipts_left());
}

/// The same reply once more, as a network repeats it, says nothing new.
fn settles(phone: &Device, reply: &[u8]) {
    let mut again = phone.clone();
    let received = again.receive(reply, scene().round()).expect("it was read before");
    for record in &received.records {
        again.replay(record);
    }
    assert_eq!(again.compact(), phone.compact(), "a repeated reply changes nothing");
}

/// The snapshots that the hall of the scene made.
fn snapshots() -> Vec<Vec<u8>> {
    let replies = scene().replies.iter().filter_map(|bytes| Reply::decode(bytes).ok());
    replies.flat_map(|reply| reply.documents).filter_map(|parcel| parcel.snapshot).collect()
}

/// Every reply of the scene, and what is no reply.
pub(crate) fn seeds() -> Inputs {
    let replies = scene().replies.iter().cloned().enumerate();
    let mut seeds: Inputs =
        replies.map(|(number, bytes)| (format!("reply-{number:02}"), bytes)).collect();
    seeds.push(("portal".to_owned(), b"<!DOCTYPE html><title>Wi-Fi</title>".to_vec()));
    seeds
}
