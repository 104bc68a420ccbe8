//! One payload of the log: a record of the protocol, or something only this phone cares about.

use domain::id::JobId;
use sync::device::Record;
use uuid::Uuid;

/// A payload of the log. Tags are never reused: logs outlive versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A record of the protocol.
    Sync(Record),
    /// The technician has seen these entries of a job's plan and messages.
    Seen { job: JobId, ids: Vec<Uuid> },
    /// What this version cannot read, perhaps from a later one; kept as it is.
    Unreadable(Vec<u8>),
}

const SYNC: u8 = 0;
const SEEN: u8 = 1;

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Sync(record) => [&[SYNC], &record.encode()[..]].concat(),
            Self::Seen { job, ids } => {
                let uuids = std::iter::once(&job.0).chain(ids);
                std::iter::once(SEEN).chain(uuids.flat_map(|id| *id.as_bytes())).collect()
            }
            Self::Unreadable(bytes) => bytes.clone(),
        }
    }

    pub(crate) fn decode(bytes: Vec<u8>) -> Self {
        match bytes.split_first() {
            Some((&SYNC, rest)) => Record::decode(rest).ok().map(Self::Sync),
            Some((&SEEN, rest)) => decode_seen(rest),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_as_written() {
        let job = JobId(Uuid::from_u128(7));
        let entries = [
            Entry::Sync(Record::Counted { recorded: 41 }),
            Entry::Seen { job, ids: vec![Uuid::from_u128(1), Uuid::from_u128(2)] },
            Entry::Seen { job, ids: vec![] },
            Entry::Unreadable(vec![200, 1, 2]),
        ];

        for entry in entries {
            assert_eq!(Entry::decode(entry.encode()), entry);
        }
    }

    #[test]
    fn s18_what_a_later_version_wrote_is_kept_byte_for_byte() {
        for bytes in [vec![], vec![0], vec![0, 0x82, 0x18, 99, 0x80], vec![1, 2, 3]] {
            assert_eq!(Entry::decode(bytes.clone()), Entry::Unreadable(bytes));
        }
    }
}
