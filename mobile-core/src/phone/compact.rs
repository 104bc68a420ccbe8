//! A shorter log: exchanged for the long one only when both replay to the same phone.

use std::collections::BTreeSet;

use domain::id::JobId;
use sync::chunk::chunk_hash;
use sync::device::{Answer, Answered, Device, Moment, Record};

use super::Phone;
use crate::clock::{Clock, Rng};
use crate::entry::Entry;
use crate::log::{LogStore, StoreError};

/// Below this a log is read in no time, and compacting it gains nothing.
const WORTH_BYTES: u64 = 4 << 20;

/// What a compaction gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// How long the log was.
    pub before_bytes: u64,
    /// How long it is.
    pub after_bytes: u64,
}

/// Why the log was not compacted; it is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompactError {
    /// The short log would not replay to the same phone.
    #[error("the compacted log replays differently: {0}")]
    Differs(&'static str),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Compacts the log when it has grown long enough to be worth it.
    pub async fn compact_if_long(&mut self) -> Result<Option<Compaction>, CompactError> {
        let long = self.log.size_bytes() > WORTH_BYTES.max(2 * self.compacted_bytes);
        if long { self.compact().await.map(Some) } else { Ok(None) }
    }

    /// Exchanges the log for the shortest that replays to the same phone.
    pub async fn compact(&mut self) -> Result<Compaction, CompactError> {
        let before_bytes = self.log.size_bytes();
        let records = slim(self.device.compact()).into_iter();
        let mut payloads: Vec<_> = records.map(|record| Entry::Sync(record).encode()).collect();
        let mut replayed = Device::new();
        for payload in &payloads {
            let Entry::Sync(record) = Entry::decode(payload.clone()) else {
                return Err(CompactError::Differs("record"));
            };
            replayed.replay(&record);
        }
        self.compare(&replayed)?;
        payloads.extend(self.seen.iter().map(|(job, ids)| {
            Entry::Seen { job: *job, ids: ids.iter().copied().collect() }.encode()
        }));
        payloads.extend(self.photo_entries().iter().map(Entry::encode));
        let left =
            self.left.iter().map(|(job, left)| Entry::Left { job: *job, left: left.clone() });
        payloads.extend(left.map(|entry| entry.encode()));
        payloads.extend(self.reminder_entries().iter().map(Entry::encode));
        payloads.extend(self.unreadable.iter().cloned());
        self.log.replace_all(payloads.iter().map(Vec::as_slice)).await?;
        let after_bytes = self.log.size_bytes();
        self.compacted_bytes = after_bytes;
        Ok(Compaction { before_bytes, after_bytes })
    }

    /// Compares everything that a phone can be asked.
    fn compare(&self, replayed: &Device) -> Result<(), CompactError> {
        let kept = &self.device;
        let now = self.clock.now();
        let now = Moment { boot: now.boot, mono_ms: now.mono_ms };
        let same = [
            ("enrolment", kept.enrolment() == replayed.enrolment()),
            ("cursor", kept.cursor() == replayed.cursor() && kept.safe() == replayed.safe()),
            ("anchor", kept.anchor() == replayed.anchor()),
            ("clock", kept.ahead_ms() == replayed.ahead_ms()),
            ("count", kept.recorded() == replayed.recorded()),
            ("packs", kept.packs().eq(replayed.packs())),
            ("changes", kept.own().eq(replayed.own())),
            ("jobs", kept.jobs().eq(replayed.jobs())),
            ("offers", kept.request(now) == replayed.request(now)),
            ("leaving", kept.leaving() == replayed.leaving()),
            ("records", kept.compact() == replayed.compact()),
        ];
        if let Some((what, _)) = same.into_iter().find(|(_, is_same)| !is_same) {
            return Err(CompactError::Differs(what));
        }
        let differs = |job: &JobId| {
            let (ours, theirs) = (kept.view(*job), replayed.view(*job));
            let read = |view: &sync::device::View| (view.unread.clone(), view.set_aside.clone());
            kept.heads(*job) != replayed.heads(*job)
                || ours.map(read) != theirs.map(read)
                || kept.is_withdrawn(*job) != replayed.is_withdrawn(*job)
        };
        if documents(kept).iter().any(differs) {
            return Err(CompactError::Differs("documents"));
        }
        Ok(())
    }
}

/// Leaves out the second copy of each change that was made here and that the hall has: its answer
/// says as much as its return does. What this would get wrong, the comparison finds.
fn slim(records: Vec<Record>) -> Vec<Record> {
    let own_device = records.iter().find_map(|record| {
        let Record::Enrolled(enrolment) = record else { return None };
        Some(enrolment.device)
    });
    let mut made = BTreeSet::new();
    let mut slim = Vec::with_capacity(records.len());
    for record in records {
        if let Record::Made(own) = &record {
            made.insert(chunk_hash(&own.bytes));
        }
        let Record::Arrived(mut arrived) = record else {
            slim.push(record);
            continue;
        };
        let mut answers = Vec::new();
        arrived.changes.retain(|fed| {
            let hash = chunk_hash(&fed.bytes);
            let is_told = made.contains(&hash) && fed.voucher.device == own_device;
            if is_told {
                let answer = Answer::Acked { position: fed.position, seal: fed.voucher.seal };
                answers.push(Record::Answered(Answered { hash, epoch: arrived.epoch, answer }));
            }
            !is_told
        });
        if arrived.snapshot.is_some() || !arrived.changes.is_empty() {
            slim.push(Record::Arrived(arrived));
        }
        slim.extend(answers);
    }
    slim
}

/// Every document on the phone, those that the technician may no longer see included.
fn documents(device: &Device) -> BTreeSet<JobId> {
    let records = device.compact();
    let made = records.iter().filter_map(|record| match record {
        Record::Made(made) => Some(made.job),
        Record::Arrived(arrived) => Some(arrived.job),
        Record::Enrolled(_)
        | Record::Answered(_)
        | Record::Read { .. }
        | Record::Withdrawn { .. }
        | Record::Purged { .. }
        | Record::Pack(_)
        | Record::Anchored { .. }
        | Record::Receipts(_)
        | Record::ReceiptUsed { .. }
        | Record::Counted { .. } => None,
    });
    made.collect()
}
