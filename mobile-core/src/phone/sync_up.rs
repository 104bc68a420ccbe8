//! Meeting the hall: rounds until nothing is left, each reply durable before it is used.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use chrono::TimeDelta;
use domain::id::JobId;
use domain::stamp::{Anchor, Interval};
use sync::chunk::chunk_hash;
use sync::device::{self, Device, Notice, Received, Record, Round, Standing};
use sync::message::Epoch;

use super::{CompactError, Compaction, Phone, builtin_pack};
use crate::clock::{Clock, Moment, Rng};
use crate::entry::Entry;
use crate::link::{Link, LinkError};
use crate::log::{LogStore, StoreError};

/// Rounds of one sync; a day of jobs takes two or three.
pub const ROUNDS: u32 = 200;

/// Why a sync stopped. What was saved before is untouched, and the next sync goes on from there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// There was no reply.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// There was a reply, but not one of the hall: a captive portal, or one cut short.
    #[error("the reply is not the hall's: {0}")]
    NotAReply(String),
    /// The reply could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The phone was restarted between request and reply, says its clock.
    #[error("the phone was restarted during the exchange")]
    Restarted,
}

/// How a sync ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SyncEnd {
    /// Nothing is left to say on either side.
    #[default]
    Complete,
    /// The bound on rounds was reached; sync again.
    MoreLeft,
    /// It stopped.
    Stopped(SyncError),
}

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Exchanges that had a reply.
    pub rounds: u32,
    /// Changes offered, repetitions counted.
    pub offered: usize,
    /// Changes that the hall has now and had not before.
    pub acked: usize,
    /// Documents of which news arrived.
    pub arrived: usize,
    /// What a person has to be told.
    pub notices: Vec<Notice>,
    /// Why the phone could keep no reply, while the hall got everything.
    pub unkept: Option<StoreError>,
    /// What became of the log when it had grown long.
    pub compaction: Option<Result<Compaction, CompactError>>,
    /// How it ended.
    pub end: SyncEnd,
}

/// A sync under way: what it did so far.
#[derive(Debug, Default)]
pub struct Session {
    /// With the store full, offers go on from a copy that is thrown away at the end.
    ahead: Option<Device>,
    report: SyncReport,
}

/// A request on its way to the hall.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What travels.
    pub bytes: Vec<u8>,
    changes: usize,
    sent: Moment,
}

/// What the phone knows of the hall, and the hall of the phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// Facts on this phone only.
    pub only_here: usize,
    /// Facts that the hall keeps until those arrive that they build on.
    pub waiting: usize,
    /// Facts that the hall has; those under a verified backup are counted in `safe` too.
    pub acked: usize,
    /// Facts that a verified backup of the hall covers.
    pub safe: usize,
    /// Facts that the hall keeps apart, with the reason's key in the catalogue.
    pub quarantined: Vec<(JobId, ChangeHash, String)>,
    /// The hall's last word.
    pub heard: Option<Anchor>,
    /// How long ago that was; `None` when the phone was restarted since.
    pub heard_ago_ms: Option<i64>,
    /// How far the wall clock is off at least; `None` when nothing is known in this boot.
    pub clock_skew_ms: Option<i64>,
    /// What was told since the phone was opened.
    pub notices: Vec<Notice>,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Exchanges with the hall until nothing is left. Whatever happens is in the report.
    pub async fn sync(&mut self, link: &mut impl Link) -> SyncReport {
        let mut session = Session::default();
        let mut end = SyncEnd::MoreLeft;
        for _ in 0..ROUNDS {
            match self.round(link, &mut session).await {
                Ok(true) => {}
                Ok(false) => {
                    end = SyncEnd::Complete;
                    break;
                }
                Err(error) => {
                    end = SyncEnd::Stopped(error);
                    break;
                }
            }
        }
        self.finish_sync(session, end).await
    }

    /// How things stand between this phone and the hall.
    pub fn sync_state(&self) -> SyncState {
        let epoch = self.device.cursor().map(|cursor| cursor.epoch);
        let safe = self.device.safe().unwrap_or(0);
        let is_current = |known: &Epoch| epoch == Some(*known);
        let mut state = SyncState { notices: self.notices.clone(), ..SyncState::default() };
        for own in self.device.own() {
            match own.standing {
                Standing::Waiting(known) if is_current(known) => state.waiting += 1,
                Standing::Quarantined(known, reason) if is_current(known) => {
                    state.quarantined.push((own.job, own.hash, reason.clone()));
                }
                Standing::Acked(known, position) if is_current(known) => {
                    state.acked += 1;
                    state.safe += usize::from(*position <= safe);
                }
                Standing::OnThisPhoneOnly
                | Standing::Waiting(_)
                | Standing::Quarantined(..)
                | Standing::Acked(..) => state.only_here += 1,
            }
        }
        let now = self.clock.now();
        state.heard = self.device.anchor();
        if let Some(anchor) = state.heard.filter(|anchor| anchor.boot == now.boot) {
            state.heard_ago_ms = Some(now.mono_ms - anchor.mono_ms);
            let drift_ppm = builtin_pack().time.drift_ppm;
            let around = |days| anchor.server_at + TimeDelta::days(days);
            let bounds = Interval { earliest: anchor.server_at, latest: around(3650) };
            let stamp = self.stamp(now);
            state.clock_skew_ms = Some(stamp.skew_ms(stamp.resolve(&[], bounds, drift_ppm)));
        }
        state
    }

    /// What to say to the hall now. Nothing is held while it travels: taps go on being saved.
    pub fn offer(&self, session: &Session) -> Offer {
        let sent = self.clock.now();
        let speaker = session.ahead.as_ref().unwrap_or(&self.device);
        let request = speaker.request(device::Moment { boot: sent.boot, mono_ms: sent.mono_ms });
        Offer { bytes: request.encode(), changes: request.changes.len(), sent }
    }

    /// Takes the hall's reply to an offer; `Ok(true)` when another round brings more.
    pub async fn take_reply(
        &mut self,
        session: &mut Session,
        offer: &Offer,
        reply: &[u8],
    ) -> Result<bool, SyncError> {
        let back = self.clock.now();
        if back.boot != offer.sent.boot {
            return Err(SyncError::Restarted);
        }
        let (sent_ms, received_ms) = (offer.sent.mono_ms, back.mono_ms);
        let round = Round { boot: back.boot, sent_ms, received_ms, wall_at: back.wall_at };
        let speaker = session.ahead.as_ref().unwrap_or(&self.device);
        let mut received = speaker
            .receive(reply, round)
            .map_err(|error| SyncError::NotAReply(error.to_string()))?;
        received.notices.extend(forgotten(speaker, &received));
        let report = &mut session.report;
        report.rounds += 1;
        report.offered += offer.changes;
        if let Some(ahead) = &mut session.ahead {
            received.records.iter().for_each(|record| ahead.replay(record));
            return Ok(received.again);
        }
        let left = received.notices.iter().filter_map(|notice| match notice {
            Notice::Withdrawn { job } => self.leaving(*job),
            Notice::Quarantined { .. } | Notice::OlderStore { .. } | Notice::HallRestored => None,
        });
        let left: Vec<Entry> = left.collect();
        let records = received.records.iter().cloned().map(Entry::Sync);
        let entries = records.chain(left).collect();
        match self.keep(entries).await {
            Ok(()) => {}
            Err(error @ (StoreError::Full | StoreError::Emptied)) => {
                let mut copy = self.device.clone();
                received.records.iter().for_each(|record| copy.replay(record));
                session.ahead = Some(copy);
                report.unkept = Some(error);
                return Ok(received.again);
            }
            Err(error) => return Err(error.into()),
        }
        report.count(&received.records);
        report.notices.extend(received.notices.iter().cloned());
        self.notices.extend(received.notices);
        Ok(received.again)
    }

    /// Ends a session: `end` is how its last round went.
    pub async fn finish_sync(&mut self, session: Session, end: SyncEnd) -> SyncReport {
        let mut report = SyncReport { end, ..session.report };
        if let (Some(error), SyncEnd::Complete) = (&report.unkept, &report.end) {
            report.end = SyncEnd::Stopped(SyncError::Store(error.clone()));
        }
        if report.end == SyncEnd::Complete {
            report.compaction = self.compact_if_long().await.transpose();
        }
        report
    }

    async fn round(
        &mut self,
        link: &mut impl Link,
        session: &mut Session,
    ) -> Result<bool, SyncError> {
        let offer = self.offer(session);
        let reply = link.exchange(offer.bytes.clone()).await?;
        self.take_reply(session, &offer, &reply).await
    }
}

/// Finds that this device made changes which its store does not know.
///
/// The hall's count of them misses an older copy that has since made as many others.
fn forgotten(speaker: &Device, received: &Received) -> Option<Notice> {
    let device = speaker.enrolment()?.device;
    // A restored hall sends things again under new positions, known ones among them.
    let is_told =
        |notice: &Notice| matches!(notice, Notice::OlderStore { .. } | Notice::HallRestored);
    if received.notices.iter().any(is_told) {
        return None;
    }
    let own: BTreeSet<ChangeHash> = speaker.own().map(|own| own.hash).collect();
    let arrived = received.records.iter().filter_map(|record| {
        let Record::Arrived(arrived) = record else { return None };
        Some(&arrived.changes)
    });
    let made_here = arrived.flatten().filter(|fed| fed.voucher.device == Some(device));
    let missing = made_here.filter(|fed| !own.contains(&chunk_hash(&fed.bytes))).count() as u64;
    (missing > 0).then_some(Notice::OlderStore { missing })
}

impl SyncReport {
    fn count(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Answered(answered) => {
                    let is_ack = matches!(answered.answer, device::Answer::Acked { .. });
                    self.acked += usize::from(is_ack);
                }
                Record::Arrived(_) => self.arrived += 1,
                Record::Enrolled(_)
                | Record::Made(_)
                | Record::Read { .. }
                | Record::Withdrawn { .. }
                | Record::Purged { .. }
                | Record::Pack(_)
                | Record::Anchored { .. }
                | Record::Receipts(_)
                | Record::ReceiptUsed { .. }
                | Record::Counted { .. } => {}
            }
        }
    }
}
