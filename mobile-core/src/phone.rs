//! A phone: its log, what the log says, and the one path by which anything is saved.

mod call;
mod cash;
mod compact;
mod day;
mod error;
mod meters;
mod photos;
mod remind;
mod rescue;
mod steps;
mod sync_up;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use automerge::ActorId;
use chrono::{NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::cash::receipt as written;
use domain::id::{FactId, JobId, MessageId, VisitId, uuid_v7};
use domain::job::{Job, Message};
use domain::pack::{BUILTIN as BUILTIN_TEXT, Pack, PackId};
use domain::stamp::{Stamp, Timestamp};
use domain::visit::{Fact, Recorded, Visit, check, live_facts};
use sync::device::{Device, Enrolment, Notice, Record, SetAside};
use sync::document::{NewFact, Pen};
use sync::message::Cursor;
use uuid::Uuid;

pub use self::cash::{CashOffer, OwnReceipt};
pub use call::{CallPart, CallView};
pub use compact::{CompactError, Compaction};
pub use day::{DayJob, JobView, MeterHistory, Unseen};
pub use error::{CommandError, EnrolError, OpenError, WipeError};
pub use meters::{NewMeter, OldMeter};
pub use photos::{Carried, KeepPhotoError, PhotoReport, PhotoStop, WaitingPhoto, carry};
pub use remind::{DueReminder, ReminderAnswer, ReminderName, Said};
pub use rescue::{RESCUE_FORMAT, Rescue, RescuedChange, Wipe};
pub use steps::{Step, StepState, Steps};
pub use sync_up::{Offer, ROUNDS, Session, SyncEnd, SyncError, SyncReport, SyncState};
pub use visit::{NewHose, SavedHose, SavedReading};

use crate::clock::{Clock, Moment, Rng};
pub use crate::entry::Left;
use crate::entry::{Entry, PhotoName};
use crate::log::{Log, LogStore, Recovery, StoreError};

/// A phone without its skin.
#[derive(Debug)]
pub struct Phone<S, C, R> {
    log: Log<S>,
    device: Device,
    clock: C,
    rng: R,
    /// Drawn afresh at each opening: a store put back from a backup must not write under a name
    /// that has gone on elsewhere.
    actor: ActorId,
    packs: BTreeMap<PackId, Arc<Pack>>,
    seen: BTreeMap<JobId, BTreeSet<Uuid>>,
    /// Payloads that this version cannot read; they outlive compaction.
    unreadable: Vec<Vec<u8>>,
    notices: Vec<Notice>,
    /// Pictures that the hall does not have yet.
    photos: BTreeMap<PhotoName, photos::KeptPhoto>,
    /// Jobs that left for somebody else, and the technician has not seen it yet.
    left: BTreeMap<JobId, Left>,
    /// What the technician said to reminders.
    reminded: remind::Answers,
    compacted_bytes: u64,
}

/// A phone just opened, with what was found.
#[derive(Debug)]
pub struct OpenedPhone<S, C, R> {
    /// The phone.
    pub phone: Phone<S, C, R>,
    /// What has to be told, if anything.
    pub report: OpenReport,
}

/// What opening found. Nothing it names was thrown away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// What the log's bytes were like.
    pub recovery: Recovery,
    /// Records that this version cannot read; they are kept.
    pub unreadable: usize,
    /// Changes whose document cannot take them, because one that they build on is lost; kept.
    pub set_aside: Vec<(JobId, SetAside)>,
}

impl OpenReport {
    /// Whether there is nothing to tell.
    pub fn is_clean(&self) -> bool {
        self.recovery.is_clean() && self.unreadable == 0 && self.set_aside.is_empty()
    }
}

/// The name of something saved: it is in the log, flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The job.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// The fact.
    pub fact: FactId,
    /// Its stamp.
    pub stamp: Stamp,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Opens a phone from its store.
    pub async fn open(store: S, clock: C, mut rng: R) -> Result<OpenedPhone<S, C, R>, OpenError> {
        let opened = Log::open(store).await?;
        let actor = draw_actor(&mut rng);
        let mut phone = Self {
            log: opened.log,
            device: Device::new(),
            clock,
            rng,
            actor,
            packs: BTreeMap::new(),
            seen: BTreeMap::new(),
            unreadable: Vec::new(),
            notices: Vec::new(),
            photos: BTreeMap::new(),
            left: BTreeMap::new(),
            reminded: remind::Answers::new(),
            compacted_bytes: 0,
        };
        phone.take_pack(builtin_pack());
        for payload in opened.payloads {
            phone.replay(Entry::decode(payload));
        }
        if !opened.recovery.is_clean() {
            phone.read_anew().await;
        }
        let report = phone.report(opened.recovery);
        Ok(OpenedPhone { phone, report })
    }

    /// Asks the hall for everything again: what is missing from the log may have been its news.
    async fn read_anew(&mut self) {
        let Some(cursor) = self.device.cursor() else { return };
        let record = Record::Read { cursor: Cursor { position: 0, ..cursor }, safe: 0 };
        if self.keep(vec![Entry::Sync(record.clone())]).await.is_err() {
            // Without room for it, this opening asks; the damage is mended no earlier than there is room.
            self.device.replay(&record);
        }
    }

    /// Makes this the phone of a technician.
    pub async fn enrol(&mut self, enrolment: Enrolment) -> Result<(), EnrolError> {
        match self.device.enrolment() {
            Some(known) if *known == enrolment => return Ok(()),
            Some(_) => return Err(EnrolError::EnrolledAlready),
            None => {}
        }
        Ok(self.keep(vec![Entry::Sync(Record::Enrolled(enrolment))]).await?)
    }

    /// Whose phone it is.
    pub fn enrolment(&self) -> Option<&Enrolment> {
        self.device.enrolment()
    }

    /// Saves a fact: rule, change, durable record, memory, in this order. Every tap ends here.
    pub async fn record(&mut self, job: JobId, fact: Fact) -> Result<Saved, CommandError> {
        let enrolment = *self.device.enrolment().ok_or(CommandError::NotEnrolled)?;
        let pack = self.pack_of(job)?;
        let held = self.held(job)?;
        let known = visit_for(held, &fact, &enrolment);
        check::check_by(held, enrolment.user, &fact)?;
        check::check(held, known.and_then(|id| held.visits.get(&id)), &fact, &pack)?;
        let used = self.receipt_of(&fact)?;
        let floor_ms = held.newest_ms();
        let now = self.clock.now();
        let pen = self.pen(now);
        let (visit, opens) = match known {
            Some(visit) => (visit, None),
            None => {
                (VisitId(self.new_id_after(floor_ms)), Some((enrolment.user, enrolment.device)))
            }
        };
        let id = FactId(self.new_id_after(floor_ms));
        let recorded = Recorded { stamp: self.stamp(now), fact };
        let new = NewFact { visit, opens, id, recorded: &recorded };
        let made = self.device.make_fact(&pen, now.boot, job, &new)?;
        // A number is used before it is written on anything: what breaks off between leaves a gap, never two receipts.
        let used = used.map(|number| Entry::Sync(Record::ReceiptUsed { number }));
        self.keep(used.into_iter().chain([Entry::Sync(made)]).collect()).await?;
        Ok(Saved { job, visit, fact: id, stamp: recorded.stamp })
    }

    /// The number that a fact uses up: the next of those that the hall handed to this phone, and no other (B15).
    fn receipt_of(&self, fact: &Fact) -> Result<Option<u64>, CommandError> {
        let Fact::CashTaken { receipt, .. } = fact else { return Ok(None) };
        let next = self.next_receipt().ok_or(CommandError::NoReceiptLeft)?;
        if *receipt == written(next) { Ok(Some(next)) } else { Err(CommandError::OtherReceipt) }
    }

    /// Writes to the hall about a job.
    pub async fn message(&mut self, job: JobId, text: String) -> Result<MessageId, CommandError> {
        let author = self.device.enrolment().ok_or(CommandError::NotEnrolled)?.user;
        let floor_ms = self.held(job)?.newest_ms();
        let now = self.clock.now();
        let pen = self.pen(now);
        let id = MessageId(self.new_id_after(floor_ms));
        let message = Message { author, stamp: self.stamp(now), text };
        let made = self.device.make_message(&pen, now.boot, job, (id, &message))?;
        self.keep(vec![Entry::Sync(made)]).await?;
        Ok(id)
    }

    /// What the documents say, for whoever keeps it until the next start; see [`Self::lend`].
    pub fn said(&self) -> Vec<u8> {
        self.device.said()
    }

    /// Takes what an earlier start kept, so that documents are not read again that are as they were; tells of how many.
    pub fn lend(&mut self, kept: &[u8]) -> usize {
        self.device.lend(kept)
    }

    /// What the log says, for whoever compares phones.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Gives the store back, so that it can be opened again.
    pub fn into_store(self) -> S {
        self.log.into_store()
    }

    /// Stores entries durably and only then takes them in; on failure nothing in memory changes.
    async fn keep(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let payloads: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect();
        self.log.append_all(payloads.iter().map(Vec::as_slice)).await?;
        for entry in entries {
            self.replay(entry);
        }
        Ok(())
    }

    fn replay(&mut self, entry: Entry) {
        match entry {
            Entry::Sync(record) => {
                if let Record::Pack(text) = &record
                    && let Some(pack) = shared_pack(&text.toml)
                {
                    self.take_pack(pack);
                }
                self.device.replay(&record);
            }
            Entry::Left { job, left } => {
                self.left.insert(job, left);
            }
            Entry::Seen { job, ids } => {
                self.left.remove(&job);
                self.seen.insert(job, ids.into_iter().collect());
            }
            Entry::Reminded { name, answer, is_told } => {
                self.replay_answer(name, answer, is_told);
            }
            Entry::Unreadable(bytes) => self.unreadable.push(bytes),
            photo @ (Entry::PhotoKept { .. }
            | Entry::PhotoHeld { .. }
            | Entry::PhotoRefused { .. }) => self.replay_photo(photo),
        }
    }

    fn take_pack(&mut self, pack: Arc<Pack>) {
        self.packs.insert(pack.id.clone(), pack);
    }

    /// Looks into the documents only when the log was damaged: reading all of them costs time.
    fn report(&self, recovery: Recovery) -> OpenReport {
        let damaged = !recovery.is_clean() || recovery.missing_before > 0;
        let own: BTreeSet<JobId> = self.device.own().map(|own| own.job).collect();
        let jobs = own.into_iter().chain(self.device.jobs().map(|job| job.id));
        let jobs: BTreeSet<JobId> = if damaged { jobs.collect() } else { BTreeSet::new() };
        let set_aside = jobs.iter().filter_map(|job| Some((job, self.device.view(*job)?)));
        let set_aside = set_aside
            .flat_map(|(job, view)| view.set_aside.iter().map(|aside| (*job, aside.clone())))
            .collect();
        OpenReport { recovery, unreadable: self.unreadable.len(), set_aside }
    }

    fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.device.jobs()
    }

    fn held(&self, job: JobId) -> Result<&Job, CommandError> {
        match (self.device.job(job), self.device.view(job)) {
            (Some(held), _) => Ok(held),
            (None, Some(view)) if view.job.is_none() => Err(CommandError::Unreadable(job)),
            (None, _) => Err(CommandError::NoSuchJob(job)),
        }
    }

    /// The rule pack that a job is judged by.
    pub fn pack_of(&self, job: JobId) -> Result<Arc<Pack>, CommandError> {
        let id = &self.held(job)?.pack;
        self.packs.get(id).cloned().ok_or_else(|| CommandError::NoPack(id.clone()))
    }

    /// This phone's visit that is not over.
    fn open_visit(&self, job: JobId) -> Result<Option<VisitId>, CommandError> {
        let enrolment = self.device.enrolment().ok_or(CommandError::NotEnrolled)?;
        let held = self.held(job)?;
        Ok(visit_for(held, &Fact::SetOut, enrolment))
    }

    fn pen(&self, now: Moment) -> Pen {
        Pen { actor: self.actor.clone(), at: now.wall_at }
    }

    fn stamp(&self, now: Moment) -> Stamp {
        let anchor = self.device.anchor();
        Stamp { wall_at: now.wall_at, boot: now.boot, mono_ms: now.mono_ms, anchor }
    }

    /// The hall's clock carried on by the monotonic one; in a boot that has not heard the hall by the wall clock, as far
    /// off as it was when it last did (S19).
    pub fn hall_now(&self) -> Timestamp {
        let now = self.clock.now();
        match self.device.anchor() {
            Some(anchor) if anchor.boot == now.boot => {
                let since_ms = now.mono_ms - anchor.mono_ms + anchor.round_trip_ms / 2;
                anchor.server_at + TimeDelta::milliseconds(since_ms)
            }
            Some(anchor) => {
                let ahead = TimeDelta::try_milliseconds(self.device.ahead_ms());
                let set_right = ahead.and_then(|ahead| now.wall_at.checked_sub_signed(ahead));
                set_right.unwrap_or(now.wall_at).max(anchor.server_at)
            }
            None => now.wall_at,
        }
    }

    fn today(&self, pack: &Pack) -> NaiveDate {
        city_day(self.hall_now(), pack.time.utc_offset_minutes)
    }

    fn new_id(&mut self) -> Uuid {
        self.new_id_after(0)
    }

    /// Draws an id that sorts after everything known of a job, also when the clock is behind.
    fn new_id_after(&mut self, floor_ms: i64) -> Uuid {
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        uuid_v7(self.hall_now().timestamp_millis().max(floor_ms + 1), random)
    }
}

/// The pack that the app was built with, for jobs whose own has not arrived.
fn builtin_pack() -> Arc<Pack> {
    static BUILTIN: OnceLock<Arc<Pack>> = OnceLock::new();
    let read = || Arc::new(read_pack(BUILTIN_TEXT).expect("a test reads the built-in pack"));
    Arc::clone(BUILTIN.get_or_init(read))
}

/// Reads what every phone needs, while there is none to open yet.
pub fn read_ahead() {
    builtin_pack();
}

/// The pack of a hall; reading one takes a phone longer than its whole log.
fn shared_pack(text: &str) -> Option<Arc<Pack>> {
    if text == BUILTIN_TEXT { Some(builtin_pack()) } else { read_pack(text).map(Arc::new) }
}

/// Reads a pack that its hall has checked; nothing where this app cannot.
///
/// It goes through a tree of values: a reader of TOML for each type of a pack adds 670 kB to the program of a browser.
fn read_pack(text: &str) -> Option<Pack> {
    let tree: serde_json::Value = toml::from_str(text).ok()?;
    serde_json::from_value(tree).ok()
}

fn draw_actor(rng: &mut impl Rng) -> ActorId {
    let mut actor = [0; 16];
    rng.fill(&mut actor);
    ActorId::from(actor)
}

/// The visit of this phone that a fact belongs to; `None` opens a new one.
fn visit_for(job: &Job, fact: &Fact, enrolment: &Enrolment) -> Option<VisitId> {
    let mut own = job.visits.iter().rev().filter(|(_, visit)| {
        visit.technician == enrolment.user && visit.device == enrolment.device
    });
    let (id, visit) = own.next()?;
    (!is_closed(visit) || !begins_visit(fact)).then_some(*id)
}

fn is_closed(visit: &Visit) -> bool {
    live_facts(visit).iter().any(|(_, it)| matches!(it.fact, Fact::Closed { .. }))
}

/// Whether a fact after a closed visit is the first of a new attempt.
fn begins_visit(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::PhonedAhead { .. }
            | Fact::AgreedAnew { .. }
            | Fact::CallAccepted
            | Fact::CallDeclined { .. }
            | Fact::SetOut
            | Fact::Arrived { .. }
    )
}
