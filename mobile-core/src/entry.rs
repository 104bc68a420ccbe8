//! One payload of the log: a record of the protocol, or something only this phone cares about.

use std::fmt;

use domain::id::JobId;
use domain::job::JobKind;
use serde::{Deserialize, Serialize};
use sync::device::Record;
use uuid::Uuid;

use crate::phone::{ReminderAnswer, ReminderName};

/// A payload of the log. Tags are never reused: logs outlive versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A record of the protocol.
    Sync(Record),
    /// The technician has seen these entries of a job's plan and messages.
    Seen { job: JobId, ids: Vec<Uuid> },
    /// A picture was kept beside the log.
    PhotoKept { name: PhotoName, job: JobId, size_bytes: u64 },
    /// The hall has a picture: it may go.
    PhotoHeld { name: PhotoName },
    /// The hall will not take a picture.
    PhotoRefused { name: PhotoName, reason: String },
    /// A job left this phone for somebody else; told until it was seen.
    Left { job: JobId, left: Left },
    /// The technician said something to a reminder; `is_told` once the hall has heard it.
    Reminded { name: ReminderName, answer: ReminderAnswer, is_told: bool },
    /// What this version cannot read, perhaps from a later one; kept as it is.
    Unreadable(Vec<u8>),
}

/// A job that was given to somebody else, as far as its technician has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// What was to be done.
    pub kind: JobKind,
    /// Where.
    pub address: String,
    /// How many facts this phone had recorded in it.
    pub recorded: usize,
    /// When this phone stood at the door, by its own clock; Unix milliseconds.
    pub arrived_at: Option<i64>,
}

const SYNC: u8 = 0;
const SEEN: u8 = 1;
const PHOTO_KEPT: u8 = 2;
const PHOTO_HELD: u8 = 3;
const PHOTO_REFUSED: u8 = 4;
const LEFT: u8 = 5;
const REMINDED: u8 = 6;

/// The name of a picture: its SHA-256, written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PhotoName(pub(crate) [u8; 32]);

impl PhotoName {
    /// Reads what [`fmt::Display`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut name = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            return None;
        }
        for (at, byte) in name.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(name))
    }
}

impl fmt::Display for PhotoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Sync(record) => [&[SYNC], &record.encode()[..]].concat(),
            Self::Seen { job, ids } => {
                let uuids = std::iter::once(&job.0).chain(ids);
                std::iter::once(SEEN).chain(uuids.flat_map(|id| *id.as_bytes())).collect()
            }
            Self::PhotoKept { name, job, size_bytes } => {
                [&[PHOTO_KEPT][..], &name.0, job.0.as_bytes(), &size_bytes.to_le_bytes()].concat()
            }
            Self::PhotoHeld { name } => [&[PHOTO_HELD], &name.0[..]].concat(),
            Self::PhotoRefused { name, reason } => {
                [&[PHOTO_REFUSED], &name.0[..], reason.as_bytes()].concat()
            }
            Self::Left { job, left } => {
                let told = serde_json::to_vec(left).expect("it has string keys only");
                [&[LEFT], &job.0.as_bytes()[..], &told].concat()
            }
            Self::Reminded { name, answer, is_told } => {
                let said = serde_json::to_vec(&(name, answer, is_told));
                [&[REMINDED], &said.expect("it has string keys only")[..]].concat()
            }
            Self::Unreadable(bytes) => bytes.clone(),
        }
    }

    pub(crate) fn decode(bytes: Vec<u8>) -> Self {
        match bytes.split_first() {
            Some((&SYNC, rest)) => Record::decode(rest).ok().map(Self::Sync),
            Some((&SEEN, rest)) => decode_seen(rest),
            Some((&PHOTO_KEPT, rest)) => decode_kept(rest),
            Some((&PHOTO_HELD, rest)) => {
                rest.try_into().ok().map(|name| Self::PhotoHeld { name: PhotoName(name) })
            }
            Some((&PHOTO_REFUSED, rest)) => decode_refused(rest),
            Some((&LEFT, rest)) => decode_left(rest),
            Some((&REMINDED, rest)) => decode_reminded(rest),
            Some(_) | None => None,
        }
        .unwrap_or(Self::Unreadable(bytes))
    }
}

fn decode_seen(bytes: &[u8]) -> Option<Entry> {
    let (uuids, []) = bytes.as_chunks::<16>() else { return None };
    let mut uuids = uuids.iter().map(|id| Uuid::from_bytes(*id));
    let job = JobId(uuids.next()?);
    Some(Entry::Seen { job, ids: uuids.collect() })
}

fn decode_kept(bytes: &[u8]) -> Option<Entry> {
    let (name, rest) = bytes.split_first_chunk::<32>()?;
    let (job, size) = rest.split_first_chunk::<16>()?;
    let size_bytes = u64::from_le_bytes(size.try_into().ok()?);
    let job = JobId(Uuid::from_bytes(*job));
    Some(Entry::PhotoKept { name: PhotoName(*name), job, size_bytes })
}

fn decode_refused(bytes: &[u8]) -> Option<Entry> {
    let (name, reason) = bytes.split_first_chunk::<32>()?;
    let reason = String::from_utf8(reason.to_vec()).ok()?;
    Some(Entry::PhotoRefused { name: PhotoName(*name), reason })
}

fn decode_left(bytes: &[u8]) -> Option<Entry> {
    let (job, told) = bytes.split_first_chunk::<16>()?;
    let left = serde_json::from_slice(told).ok()?;
    Some(Entry::Left { job: JobId(Uuid::from_bytes(*job)), left })
}

fn decode_reminded(bytes: &[u8]) -> Option<Entry> {
    let (name, answer, is_told) = serde_json::from_slice(bytes).ok()?;
    Some(Entry::Reminded { name, answer, is_told })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Said;

    #[test]
    fn entries_read_back_as_written() {
        let job = JobId(Uuid::from_u128(7));
        let entries = [
            Entry::Sync(Record::Counted { recorded: 41 }),
            Entry::Seen { job, ids: vec![Uuid::from_u128(1), Uuid::from_u128(2)] },
            Entry::Seen { job, ids: vec![] },
            Entry::PhotoKept { name: PhotoName([7; 32]), job, size_bytes: 1 << 33 },
            Entry::PhotoHeld { name: PhotoName([8; 32]) },
            Entry::PhotoRefused { name: PhotoName([9; 32]), reason: "太大".to_owned() },
            Entry::Left {
                job,
                left: Left {
                    kind: JobKind::Repair,
                    address: "听江里1幢".to_owned(),
                    recorded: 3,
                    arrived_at: Some(7),
                },
            },
            Entry::Reminded {
                name: ReminderName { about: "set_out".to_owned(), job: Some(job), due_at: 7 },
                answer: ReminderAnswer { said: Said::Later { minutes: 10 }, at: 8 },
                is_told: true,
            },
            Entry::Reminded {
                name: ReminderName { about: "unsent".to_owned(), job: None, due_at: 7 },
                answer: ReminderAnswer { said: Said::Done, at: 8 },
                is_told: false,
            },
            Entry::Unreadable(vec![200, 1, 2]),
        ];

        for entry in entries {
            assert_eq!(Entry::decode(entry.encode()), entry);
        }
    }

    #[test]
    fn s18_what_a_later_version_wrote_is_kept_byte_for_byte() {
        for bytes in [
            vec![],
            vec![0],
            vec![0, 0x82, 0x18, 99, 0x80],
            vec![1, 2, 3],
            vec![2, 2],
            vec![3; 40],
            vec![4],
            vec![5; 20],
            vec![6; 20],
        ] {
            assert_eq!(Entry::decode(bytes.clone()), Entry::Unreadable(bytes));
        }
    }
}
