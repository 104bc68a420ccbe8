//! One exchange with the hall, seen from the phone: a request out, records in.

use automerge::ChangeHash;
use domain::id::JobId;
use domain::stamp::{Anchor, BootId, Timestamp};

use super::{Answer, Answered, Arrived, Device, Held, Record, Standing};
use crate::chunk::chunk_hash;
use crate::limits;
use crate::message::{
    Cursor, DecodeError, Epoch, Judged, Offered, Parcel, Reply, Request, VERSION, Verdict,
};

/// The phone's monotonic clock in one of its boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The boot.
    pub boot: BootId,
    /// The monotonic clock.
    pub mono_ms: i64,
}

/// When a request went out and its reply came in, in one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// The boot of both.
    pub boot: BootId,
    /// The monotonic clock when the request was sent.
    pub sent_ms: i64,
    /// The monotonic clock when the reply was there.
    pub received_ms: i64,
    /// The wall clock when the reply was there.
    pub wall_at: Timestamp,
}

/// Something that a person has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The hall keeps a change apart until somebody has looked at it.
    Quarantined {
        /// The job.
        job: JobId,
        /// The change.
        hash: ChangeHash,
        /// The key of the reason in the catalogue.
        reason: String,
    },
    /// This device has made more changes than this store knows of: it is an older copy, or one of two.
    OlderStore {
        /// How many it does not know.
        missing: u64,
    },
    /// The hall was restored from a backup; everything held here is offered again.
    HallRestored,
    /// A job was given to somebody else.
    Withdrawn {
        /// The job.
        job: JobId,
    },
}

/// What a reply means: to be stored in this order, then replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Any first part of them leaves a phone that goes on well.
    pub records: Vec<Record>,
    /// What a person has to be told.
    pub notices: Vec<Notice>,
    /// Whether another round brings more, in either direction.
    pub again: bool,
}

/// Why a reply was not taken; nothing changed, and the next round starts as this one did.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It is no reply of the hall.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Device {
    /// What to say to the hall now. Bounded; the rest goes in the rounds after.
    pub fn request(&self, now: Moment) -> Request {
        let mut changes = Vec::new();
        let mut bytes = 0;
        let lacks_time = self.lacks_time(now.boot);
        for (job, _, held) in self.offers().filter(|_| !lacks_time) {
            bytes += held.bytes.len() + limits::OFFER_OVERHEAD_BYTES;
            if changes.len() == limits::OFFERS
                || (bytes > limits::OFFERS_BYTES && !changes.is_empty())
            {
                break;
            }
            // A voucher tells a restored hall that it held this before.
            changes.push(Offered { job, bytes: held.bytes.clone(), voucher: held.voucher });
        }
        Request {
            version: VERSION,
            cursor: self.cursor,
            boot: now.boot,
            mono_ms: now.mono_ms,
            anchors: self.anchors_of_unsent(),
            recorded: self.recorded,
            pending: self.pending() as u64,
            packs: self.packs.keys().copied().collect(),
            changes,
            limit_bytes: limits::REPLY_BYTES,
            receipts: self.receipts.asks(),
        }
    }

    /// Reads a reply as records. Lost, repeated or late replies do no harm.
    pub fn receive(&self, reply: &[u8], round: Round) -> Result<Received, ReceiveError> {
        let reply = Reply::decode(reply)?;
        let mut received = Received::default();
        if self.cursor.is_none() {
            // The hall tells withdrawals to those who have read something, and from the next
            // record on this phone has.
            let cursor = Cursor { epoch: reply.cursor.epoch, position: 0 };
            received.records.push(Record::Read { cursor, safe: 0 });
        }
        // A late reply tells of documents as they were: what this phone has read since is newer.
        let is_late = self.cursor.is_some_and(|known| {
            known.epoch == reply.cursor.epoch && known.position >= reply.cursor.position
        });
        if !is_late {
            self.documents(&reply, &mut received);
        }
        let packs = reply.packs.iter().filter(|pack| !self.packs.contains_key(&pack.hash));
        received.records.extend(packs.cloned().map(Record::Pack));
        let mut settled = 0;
        for judged in &reply.verdicts {
            settled += usize::from(self.answered(judged, reply.cursor.epoch, &mut received));
        }
        received.records.extend(self.anchored(&reply, round));
        self.read(&reply, &mut received);
        // After the count of what was lost, which throws away the numbers from before.
        received.records.extend(reply.receipts.map(Record::Receipts));
        let stays = |job| reply.documents.iter().any(|parcel| parcel.job == job);
        let leaving = self.leaving_jobs().filter(|job| !stays(*job));
        received.records.extend(leaving.map(|job| Record::Purged { job }));
        let is_left = settled > 0 && settled < self.offers().count();
        received.again = reply.more || is_left || self.lacks_time(round.boot);
        if self.cursor.is_some_and(|cursor| cursor.epoch != reply.cursor.epoch) {
            received.again = true;
        }
        Ok(received)
    }

    /// Withdrawn jobs whose every byte a verified backup of the hall covers, to be let go.
    pub fn leaving(&self) -> Vec<Record> {
        self.leaving_jobs().map(|job| Record::Purged { job }).collect()
    }

    fn leaving_jobs(&self) -> impl Iterator<Item = JobId> {
        let left = self.replicas.iter().filter(|(_, it)| self.has_left(it) && self.is_safe(it));
        left.map(|(job, _)| *job)
    }

    /// Everything that the hall of today may not have.
    ///
    /// Changes of others come back to a restored hall too, but only those that no backup covers.
    fn offers(&self) -> impl Iterator<Item = (JobId, ChangeHash, &Held)> {
        let every = self.replicas.iter().flat_map(|(job, replica)| {
            replica.changes().map(move |(hash, held)| (*job, hash, held))
        });
        every.filter(|(_, _, held)| {
            self.is_unknown_to_hall(&held.standing)
                && (held.own.is_some() || !self.was_covered(&held.standing))
        })
    }

    /// Whether facts of this boot would reach the hall before the phone has heard its time in this boot.
    ///
    /// One round without them first: its anchor then places them, which their arrival alone could not.
    fn lacks_time(&self, boot: BootId) -> bool {
        let is_of_boot = |held: &Held| held.own.is_some_and(|(made_in, _)| made_in == boot);
        !self.first_anchors.contains_key(&boot)
            && self.offers().any(|(_, _, held)| is_of_boot(held))
    }

    fn was_covered(&self, standing: &Standing) -> bool {
        matches!(standing, Standing::Acked(epoch, position) if self.covers(*epoch, *position))
    }

    /// Facts made before the first anchor of their boot are resolved by it.
    fn anchors_of_unsent(&self) -> Vec<Anchor> {
        let mut boots: Vec<_> = self.offers().filter_map(|(_, _, held)| held.own).collect();
        boots.sort_unstable();
        boots.dedup_by_key(|(boot, _)| *boot);
        let firsts = boots.iter().filter_map(|(boot, _)| self.first_anchors.get(boot));
        firsts.copied().take(limits::ANCHORS).collect()
    }

    fn documents(&self, reply: &Reply, received: &mut Received) {
        for parcel in &reply.documents {
            received.records.extend(self.arrived(parcel, reply.cursor.epoch));
        }
        for job in &reply.withdrawn {
            if self.replicas.get(job).is_some_and(|replica| !replica.withdrawn) {
                received.records.push(Record::Withdrawn { job: *job });
                received.notices.push(Notice::Withdrawn { job: *job });
            }
        }
    }

    /// What of a parcel is new here.
    fn arrived(&self, parcel: &Parcel, epoch: Epoch) -> Option<Record> {
        let replica = self.replicas.get(&parcel.job);
        let is_known = |bytes: &[u8]| {
            let held = replica.and_then(|replica| replica.held.get(&chunk_hash(bytes)));
            held.is_some_and(
                |held| matches!(held.standing, Standing::Acked(known, _) if known == epoch),
            )
        };
        let changes: Vec<_> =
            parcel.changes.iter().filter(|fed| !is_known(&fed.bytes)).cloned().collect();
        let snapshot = parcel
            .snapshot
            .clone()
            .filter(|bytes| replica.is_none_or(|replica| replica.snapshot.as_ref() != Some(bytes)));
        let is_back = replica.is_some_and(|replica| replica.withdrawn);
        if changes.is_empty() && snapshot.is_none() && !is_back {
            return None;
        }
        Some(Record::Arrived(Arrived { job: parcel.job, epoch, snapshot, changes }))
    }

    /// Notes a verdict; returns whether it settles an offer.
    fn answered(&self, judged: &Judged, epoch: Epoch, received: &mut Received) -> bool {
        let Judged { hash, verdict } = judged;
        let Some(job) = self.jobs.get(hash) else { return false };
        let Some(held) = self.replicas.get(job).and_then(|replica| replica.held.get(hash)) else {
            return false;
        };
        let (answer, standing) = match verdict {
            Verdict::Acked { position, seal } | Verdict::Duplicate { position, seal } => (
                Answer::Acked { position: *position, seal: *seal },
                Standing::Acked(epoch, *position),
            ),
            Verdict::Waiting => (Answer::Waiting, Standing::Waiting(epoch)),
            Verdict::Quarantined { reason } => {
                let reason = reason.clone();
                let standing = Standing::Quarantined(epoch, reason.clone());
                if held.standing != standing && held.own.is_some() {
                    let (job, hash, reason) = (*job, *hash, reason.clone());
                    received.notices.push(Notice::Quarantined { job, hash, reason });
                }
                (Answer::Quarantined { reason }, standing)
            }
        };
        // A late reply must not take back what a newer one said: acked stays acked.
        let is_acked = matches!(held.standing, Standing::Acked(known, _) if known == epoch);
        if held.standing != standing && !is_acked {
            received.records.push(Record::Answered(Answered { hash: *hash, epoch, answer }));
        }
        true
    }

    /// Keeps an anchor when it tells more than the last one.
    fn anchored(&self, reply: &Reply, round: Round) -> Option<Record> {
        let anchor = Anchor {
            boot: round.boot,
            mono_ms: round.received_ms,
            server_at: reply.server_at,
            round_trip_ms: round.received_ms - round.sent_ms,
        };
        let ahead_ms = (round.wall_at - reply.server_at).num_milliseconds();
        let is_better = self.anchor.is_none_or(|last| {
            last.boot != anchor.boot
                || anchor.round_trip_ms < last.round_trip_ms
                || anchor.mono_ms - last.mono_ms >= limits::ANCHOR_EVERY_MS
                || ahead_ms.abs_diff(self.ahead_ms) >= limits::CLOCK_SET_MS
        });
        is_better.then_some(Record::Anchored { anchor, ahead_ms })
    }

    fn read(&self, reply: &Reply, received: &mut Received) {
        if reply.recorded > self.recorded {
            let missing = reply.recorded - self.recorded;
            received.notices.push(Notice::OlderStore { missing });
            received.records.push(Record::Counted { recorded: reply.recorded });
        }
        let mut cursor = reply.cursor;
        match self.cursor {
            Some(known) if known.epoch == cursor.epoch => {
                // A late reply must not make the phone read everything again.
                cursor.position = cursor.position.max(known.position);
                let safe = self.safe.get(&known.epoch).copied().unwrap_or(0);
                if known == cursor && safe >= reply.safe {
                    return;
                }
            }
            Some(_) => received.notices.push(Notice::HallRestored),
            None => {}
        }
        received.records.push(Record::Read { cursor, safe: reply.safe });
    }
}
