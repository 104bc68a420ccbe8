//! What a phone keeps durably, one record at a time.

use automerge::ChangeHash;
use domain::id::{DeviceId, HallId, JobId, UserId};
use domain::stamp::{Anchor, BootId};
use minicbor::{Decode, Encode};
use uuid::Uuid;

use crate::message::{
    self, Cursor, DecodeError, Epoch, Fed, PackText, Position, ReceiptBlock, codec,
};
use crate::seal::Seal;

/// Whose phone it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Enrolment {
    /// The device, as the hall knows it.
    #[cbor(n(0), with = "codec")]
    pub device: DeviceId,
    /// The technician.
    #[cbor(n(1), with = "codec")]
    pub user: UserId,
    /// The hall.
    #[cbor(n(2), with = "codec")]
    pub hall: HallId,
}

/// A change made on this phone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Made {
    /// The document it changes.
    #[cbor(n(0), with = "codec")]
    pub job: JobId,
    /// The boot in which it was made.
    #[cbor(n(1), with = "codec")]
    pub boot: BootId,
    /// The fact or message in it.
    #[cbor(n(2), with = "codec")]
    pub id: Uuid,
    /// The raw change chunk.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// News of one document, from the hall.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Arrived {
    /// The document.
    #[cbor(n(0), with = "codec")]
    pub job: JobId,
    /// The history in which the hall holds it.
    #[n(1)]
    pub epoch: Epoch,
    /// An Automerge file that the changes continue.
    #[cbor(n(2), with = "minicbor::bytes", skip_if = "Option::is_none")]
    pub snapshot: Option<Vec<u8>>,
    /// Changes with their places and vouchers.
    #[cbor(n(3), skip_if = "Vec::is_empty")]
    pub changes: Vec<Fed>,
}

/// What the hall said of a change that was offered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Answered {
    /// The change.
    #[cbor(n(0), with = "codec")]
    pub hash: ChangeHash,
    /// The history in which it was said.
    #[n(1)]
    pub epoch: Epoch,
    /// What it said.
    #[n(2)]
    pub answer: Answer,
}

/// The hall's word on a change, as far as a phone has to remember it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// It has the change, durably.
    #[n(0)]
    Acked {
        /// Where in its feed.
        #[n(0)]
        position: Position,
        /// Its mark, with which it will take the change back after a restore.
        #[n(1)]
        seal: Seal,
    },
    /// It keeps the change until what it builds on arrives.
    #[n(1)]
    Waiting,
    /// It keeps the change apart.
    #[n(2)]
    Quarantined {
        /// The key of the reason in the catalogue.
        #[n(0)]
        reason: String,
    },
}

/// One thing that a phone keeps. Numbers are never reused: logs outlive versions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// The phone was enrolled.
    #[n(0)]
    Enrolled(#[n(0)] Enrolment),
    /// A change was made here.
    #[n(1)]
    Made(#[n(0)] Made),
    /// News of a document arrived.
    #[n(2)]
    Arrived(#[n(0)] Arrived),
    /// The hall answered an offer.
    #[n(3)]
    Answered(#[n(0)] Answered),
    /// Everything up to here is on the phone.
    #[n(4)]
    Read {
        /// The new place.
        #[n(0)]
        cursor: Cursor,
        /// A verified backup covers every position up to here.
        #[n(1)]
        safe: Position,
    },
    /// The job was given to somebody else.
    #[n(5)]
    Withdrawn {
        /// The job.
        #[cbor(n(0), with = "codec")]
        job: JobId,
    },
    /// The bytes of a withdrawn job were let go.
    #[n(6)]
    Purged {
        /// The job.
        #[cbor(n(0), with = "codec")]
        job: JobId,
    },
    /// A rule pack arrived.
    #[n(7)]
    Pack(#[n(0)] PackText),
    /// The hall said what time it is.
    #[n(8)]
    Anchored {
        /// Its word.
        #[cbor(n(0), with = "codec")]
        anchor: Anchor,
        /// How far the phone's wall clock was ahead of it, in milliseconds; older releases did not write it.
        #[n(1)]
        #[cbor(default)]
        ahead_ms: i64,
    },
    /// Receipt numbers arrived, for this phone alone (B15).
    #[n(10)]
    Receipts(#[n(0)] ReceiptBlock),
    /// A receipt number is used, whatever became of the fact it was for.
    #[n(11)]
    ReceiptUsed {
        /// The number.
        #[n(0)]
        number: u64,
    },
    /// This device has made so many changes, also those that this store has lost.
    #[n(9)]
    Counted {
        /// How many.
        #[n(0)]
        recorded: u64,
    },
}

impl Record {
    /// Writes the record for the log.
    pub fn encode(&self) -> Vec<u8> {
        message::encode(self)
    }

    /// Reads a record from the log. One of a newer version may be unreadable; its bytes are to be
    /// kept and the rest goes on.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        message::decode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use domain::stamp::Timestamp;

    use super::*;
    use crate::seal::Voucher;

    type Case = (&'static str, fn() -> Record);

    /// Logs on phones are in these bytes; a new version must still read them.
    const RECORDS: [Case; 13] = [
        (
            "820081a3005001010101010101010101010101010101015002020202020202020202020202020202025003030303030303030303030303030303",
            || {
                Record::Enrolled(Enrolment {
                    device: DeviceId(id(1)),
                    user: UserId(id(2)),
                    hall: HallId(id(3)),
                })
            },
        ),
        (
            "820181a400500404040404040404040404040404040401020250050505050505050505050505050505050342856f",
            || {
                Record::Made(Made {
                    job: job(),
                    boot: BootId(2),
                    id: id(5),
                    bytes: vec![0x85, 0x6f],
                })
            },
        ),
        (
            "820281a40050040404040404040404040404040404040150060606060606060606060606060606060241010381a3004185010702a1015007070707070707070707070707070707",
            || {
                Record::Arrived(Arrived {
                    job: job(),
                    epoch: EPOCH,
                    snapshot: Some(vec![1]),
                    changes: vec![fed()],
                })
            },
        ),
        (
            "820381a300582008080808080808080808080808080808080808080808080808080808080808080150060606060606060606060606060606060282008219012c5007070707070707070707070707070707",
            || answered(Answer::Acked { position: 300, seal: Seal([7; 16]) }),
        ),
        (
            "820381a3005820080808080808080808080808080808080808080808080808080808080808080801500606060606060606060606060606060602820180",
            || answered(Answer::Waiting),
        ),
        (
            "820381a3005820080808080808080808080808080808080808080808080808080808080808080801500606060606060606060606060606060602820281677265766f6b6564",
            || answered(Answer::Quarantined { reason: "revoked".to_owned() }),
        ),
        ("820482a20050060606060606060606060606060606060119012c1878", || Record::Read {
            cursor: Cursor { epoch: EPOCH, position: 300 },
            safe: 120,
        }),
        ("8205815004040404040404040404040404040404", || Record::Withdrawn { job: job() }),
        ("8206815004040404040404040404040404040404", || Record::Purged { job: job() }),
        ("8208828402051b000001a205b3d00018783a0a4cb7ff", || Record::Anchored {
            anchor: anchor(),
            ahead_ms: -2 * 86_400_000,
        }),
        ("820a81a30019012c0119013f0205", || {
            Record::Receipts(ReceiptBlock { first: 300, last: 319, ask_below: 5 })
        }),
        ("820b8119012c", || Record::ReceiptUsed { number: 300 }),
        ("8209811828", || Record::Counted { recorded: 40 }),
    ];

    #[test]
    fn records_have_these_bytes() {
        for (expected, record) in RECORDS {
            let record = record();
            let bytes = record.encode();
            assert_eq!(hex(&bytes), expected, "{record:?}");
            assert_eq!(Record::decode(&bytes).unwrap(), record);
        }
        let pack = Record::Pack(PackText::new("id = 1".to_owned()));
        assert_eq!(Record::decode(&pack.encode()).unwrap(), pack);
    }

    #[test]
    fn s18_an_anchor_of_an_older_release_is_read() {
        let bytes =
            [&[0x82, 8, 0x81, 0x84, 2, 5, 0x1b, 0, 0, 1, 0xa2, 5, 0xb3, 0xd0, 0, 0x18, 0x78][..]];
        let read = Record::decode(&bytes.concat()).unwrap();
        assert_eq!(read, Record::Anchored { anchor: anchor(), ahead_ms: 0 });
    }

    #[test]
    fn s18_a_record_of_a_newer_version_is_no_record_of_this_one() {
        assert!(Record::decode(&[0x82, 0x18, 0x63, 0x80]).is_err());
    }

    const EPOCH: Epoch = Epoch([6; 16]);

    fn id(byte: u8) -> Uuid {
        Uuid::from_bytes([byte; 16])
    }

    fn job() -> JobId {
        JobId(id(4))
    }

    fn fed() -> Fed {
        let voucher = Voucher { device: None, seal: Seal([7; 16]) };
        Fed { bytes: vec![0x85], position: 7, voucher }
    }

    fn anchor() -> Anchor {
        let server_at = Timestamp::from_timestamp_millis(1_795_392_000_000).unwrap();
        Anchor { boot: BootId(2), mono_ms: 5, server_at, round_trip_ms: 120 }
    }

    fn answered(answer: Answer) -> Record {
        Record::Answered(Answered { hash: ChangeHash([8; 32]), epoch: EPOCH, answer })
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write;
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }
}
