//! What was found once in the server's parsers, by name; what was found elsewhere has its test beside its cause.
#![cfg(feature = "server")]

use fuzz::corpus;
use server::reach::message::takes_messages;

#[test]
fn check_44_a_browsers_key_is_a_point_written_out_and_nothing_else() {
    let keys = corpus("push").expect("a corpus");
    let (_, example) = keys.iter().find(|(name, _)| name == "seed-example").expect("RFC 8291's");
    let (point, auth) = example[1..].split_at(65);
    let takes =
        |point: &[u8], auth: &[u8]| takes_messages("https://fcm.googleapis.com/x", point, auth);
    // The same point in its short form is as good a key to OpenSSL, and made the encryption panic.
    let compressed = [&[2 + point[64] % 2], &point[1..33]].concat();
    let hybrid = [&[6 + point[64] % 2], &point[1..]].concat();

    assert!(takes(point, auth));
    assert!(!takes(&compressed, auth));
    assert!(!takes(&hybrid, auth));
    assert!(!takes(&[0], auth));
    assert!(!takes(point, &auth[..15]));
}
