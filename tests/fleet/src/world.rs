//! A fleet as it runs: phones, a hall, the true time, and what each event does to them.

mod desk;
mod session;
mod store;
mod wipe;

use std::collections::BTreeSet;

use automerge::ChangeHash;
use chrono::{DateTime, TimeDelta};
use domain::id::{EntryId, JobId, uuid_v7};
use domain::job::{Author, Cancellation, Instruction, PlanEntry};
use domain::ledger::Written;
use domain::stamp::Timestamp;
use mobile_core::log::memory::Stop;
use mobile_core::phone::CommandError;
use sync::chunk::chunk_hash;
use sync::hall::Hall;
use sync::hub::hall_actor;
use sync::message::{Epoch, Offered};
use sync::seal::SealKey;
use uuid::Uuid;

use crate::bug::Bug;
use crate::check;
use crate::event::{Act, Event, Trick};
use crate::homes::DISPATCHER;
use crate::newer;
use crate::oracle::{Oracle, Recorded};
use crate::phone::FleetPhone;
use crate::script::Script;

/// When every fleet begins: 2026-11-23 08:00 in the hall's city.
const BEGIN_MS: i64 = 1_795_392_000_000;

/// A promise that was broken: which one, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The invariant's id, such as `S2`.
    pub rule: &'static str,
    /// What was found.
    pub what: String,
}

/// A fleet.
pub struct World {
    /// The phones.
    pub phones: Vec<FleetPhone>,
    /// The hall.
    pub hall: Hall,
    /// The jobs that were ever taken on, in order.
    pub jobs: Vec<JobId>,
    /// The account of what was recorded.
    pub oracle: Oracle,
    /// The bug that was planted, if any.
    pub bug: Option<Bug>,
    /// What a careless till counted again, in fen; nothing unless that bug is planted.
    pub counted_again: i64,
    /// What the desk wrote into the ledgers of households.
    pub entries: Vec<Written>,
    /// How many rounds the last session took.
    pub last_rounds: u32,
    nodes: Vec<i64>,
    off_hours: i32,
    backup: Backup,
    now: Timestamp,
    counter: u64,
}

/// What a verified backup of the hall holds.
struct Backup {
    hall: Hall,
    entries: Vec<Written>,
    cleared: BTreeSet<Uuid>,
}

/// How far the clocks of nodes are off, in seconds (F30).
const NODES: [i64; 3] = [0, 300, -300];

/// The hall's first history.
const FIRST: Epoch = Epoch([1; 16]);

/// What an event did, in a word for the story.
pub type Done = Result<String, Broken>;

impl World {
    /// A fleet at the beginning of a script.
    pub fn new(script: &Script, bug: Option<Bug>) -> Result<Self, Broken> {
        let mut hall = Hall::new(FIRST, SealKey::new([9; 32]), hall_actor([0; 12]));
        hall.give_receipts(20, 5);
        let now = DateTime::from_timestamp_millis(BEGIN_MS).unwrap_or_default();
        let mut world = Self {
            phones: Vec::new(),
            backup: Backup { hall: hall.backup(), entries: Vec::new(), cleared: BTreeSet::new() },
            hall,
            jobs: Vec::new(),
            oracle: Oracle::default(),
            bug,
            counted_again: 0,
            entries: Vec::new(),
            last_rounds: 0,
            nodes: NODES[..usize::from(script.nodes).clamp(1, NODES.len())].to_vec(),
            off_hours: script.off_hours,
            now,
            counter: 0,
        };
        for number in 0..script.phones {
            let mut phone = FleetPhone::new(u128::from(number) + 1, script.seed, now);
            phone.skew = world.off(usize::from(number));
            phone.tick(now);
            phone.disk.is_relaxed = bug == Some(Bug::RelaxedStorage);
            phone.repeats_chance = bug == Some(Bug::ActorReuse);
            phone.believes_said = bug == Some(Bug::SaidBelieved);
            phone
                .start()
                .map_err(|why| broken("S1", format!("a new phone does not start: {why}")))?;
            world.phones.push(phone);
        }
        for number in 0..script.jobs {
            world.take_on(number)?;
        }
        Ok(world)
    }

    /// Whether the hall ever went back in time.
    pub fn was_restored(&self) -> bool {
        self.hall.epoch() != FIRST
    }

    /// The true time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets one thing happen, and looks whether every promise still holds.
    #[expect(clippy::too_many_lines, reason = "some lines for each thing that can happen")]
    pub fn happen(&mut self, event: Event) -> Done {
        self.pass(TimeDelta::seconds(7));
        match event {
            Event::Act { phone, job, act } => self.act(phone, job, act),
            Event::Sync { phone, fate } => self.sync(self.which(phone), fate),
            Event::Stop { phone, unflushed_bytes } => {
                let lost = unflushed_bytes.map(usize::from);
                let stop =
                    lost.map_or(Stop::Kill, |unflushed_bytes| Stop::PowerLoss { unflushed_bytes });
                self.restart(self.which(phone), stop)
            }
            Event::StopSoon { phone, operations, landing, loses_power } => {
                Ok(self.stop_soon(self.which(phone), (operations, landing, loses_power)))
            }
            Event::Full { phone, writes } => {
                self.phones[self.which(phone)].disk.memory.fill_up(u32::from(writes));
                Ok("its disk is full".to_owned())
            }
            Event::FlushFails { phone, times } => {
                let at = self.which(phone);
                if self.phones[at].coming_stop.is_some() {
                    return Ok("its machine stops first".to_owned());
                }
                self.phones[at].disk.memory.fail_syncs(u32::from(times));
                Ok("its disk will not flush".to_owned())
            }
            Event::Evict { phone } => self.evict(self.which(phone)),
            Event::CopyStore { phone } => {
                let at = self.which(phone);
                let copy = self.phones[at].disk.memory.backup();
                self.phones[at].copy = Some(copy);
                Ok("its store is copied".to_owned())
            }
            Event::FallBack { phone } => self.fall_back(self.which(phone)),
            Event::Clone { phone } => self.clone_phone(self.which(phone)),
            Event::Flip { phone, at } => self.flip(self.which(phone), at),
            Event::SecondTab { phone } => self.second_tab(self.which(phone)),
            Event::SetClock { phone, hours } => {
                let at = self.which(phone);
                self.phones[at].skew = TimeDelta::hours(i64::from(hours)) + self.off(at);
                self.phones[at].tick(self.now);
                Ok(format!("its clock is set {hours} h off"))
            }
            Event::Pass { minutes } => {
                self.pass(TimeDelta::minutes(i64::from(minutes)));
                Ok(format!("{minutes} minutes pass"))
            }
            Event::NewJob { phone } => self.take_on(phone),
            Event::Assign { job, phone } => Ok(self.assign(job, phone)),
            Event::Instruct { job } => {
                let text = "请先电话联系".to_owned();
                Ok(self.plan(job, |author| PlanEntry::Instruction(Instruction { text, author })))
            }
            Event::Cancel { job } => {
                let reason = "用户来电取消".to_owned();
                Ok(self
                    .plan(job, |author| PlanEntry::Cancellation(Cancellation { reason, author })))
            }
            Event::Clear { job } => Ok(self.clear(job)),
            Event::Upgrade { job, raises } => newer::upgrade(self, self.job(job), raises),
            Event::Wipe { phone, after_rescue } => self.wipe(self.which(phone), after_rescue),
            Event::BackUp => Ok(self.back_up()),
            Event::Restore => self.restore(),
            Event::Snapshots => {
                self.hall.make_snapshots();
                Ok("snapshots are made".to_owned())
            }
            Event::ShutOut { phone } => {
                let device = self.phones[self.which(phone)].writer.device;
                self.hall.revoke(device);
                for it in self.phones.iter_mut().filter(|it| it.writer.device == device) {
                    it.is_shut_out = true;
                }
                Ok("it is shut out".to_owned())
            }
            Event::Release => Ok(self.release()),
            Event::Hostile { phone, trick, at } => {
                crate::run::hostile(self, self.which(phone), trick, at)
            }
        }
    }

    /// How far a phone's clock is off when nobody set it: one ahead, the next behind, and none as far as another.
    pub fn off(&self, at: usize) -> TimeDelta {
        let times = i64::try_from(at).unwrap_or(0) + 1;
        let hours = i64::from(self.off_hours) * times;
        TimeDelta::hours(if at.is_multiple_of(2) { hours } else { -hours })
    }

    /// The phone that a number names.
    pub fn which(&self, number: u8) -> usize {
        usize::from(number) % self.phones.len()
    }

    /// Lets time pass for everybody.
    pub fn pass(&mut self, by: TimeDelta) {
        self.now += by;
        for phone in &self.phones {
            phone.tick(self.now);
        }
    }

    fn job(&self, number: u8) -> JobId {
        self.jobs[usize::from(number) % self.jobs.len()]
    }

    /// Whoever decides something, by the clock of the node that takes it.
    /// A number that no other thing of this run has.
    pub fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn author(&self) -> Author {
        let node = usize::try_from(self.counter).unwrap_or(0) % self.nodes.len();
        Author { by: DISPATCHER, at: self.now + TimeDelta::seconds(self.nodes[node]) }
    }

    /// An id for what is added to a job now: after everything that stands in it, whatever the node's clock says.
    fn entry(&mut self, job: Option<JobId>) -> EntryId {
        self.counter += 1;
        let mut random = [7; 10];
        random[..8].copy_from_slice(&self.counter.to_be_bytes());
        let known = job.and_then(|job| self.hall.job(job).ok());
        let newest_ms = known.map_or(0, |job| job.newest_ms());
        let after_ms = if self.bug == Some(Bug::PlanByNodeClock) { 0 } else { newest_ms + 1 };
        EntryId(uuid_v7(self.author().at.timestamp_millis().max(after_ms), random))
    }

    fn act(&mut self, phone: u8, job: u8, act: Act) -> Done {
        let (at, job) = (self.which(phone), self.job(job));
        if self.phones[at].running.is_none() {
            return self.restart(at, Stop::Kill);
        }
        self.counter += 1;
        let done = self.phones[at].act(job, act, self.counter);
        let off = self.phones[at].disk.memory.is_off();
        let said = match &done {
            Ok(_) => "saved".to_owned(),
            Err(error) => format!("not saved: {error}"),
        };
        if let (Err(CommandError::Store(_)), Some(Bug::SavedThoughRefused)) = (&done, self.bug) {
            let hash = ChangeHash([7; 32]);
            let lie = Recorded::new((job, at), hash, String::new());
            self.oracle.note(Uuid::from_u128(u128::from(self.counter)), lie);
        }
        if off {
            return self.restart(at, Stop::Kill).map(|then| format!("{said}; {then}"));
        }
        newer::act_is_allowed(self, (at, job), done.is_ok())?;
        self.take_note(at);
        let is_stuck =
            matches!(done, Err(CommandError::Store(mobile_core::log::StoreError::Stuck)));
        if is_stuck {
            return self.restart(at, Stop::Kill).map(|then| format!("{said}; {then}"));
        }
        check::on_phone(self, at)?;
        Ok(said)
    }

    /// Notes what a phone holds and nobody has noted yet.
    pub fn take_note(&mut self, at: usize) {
        let Some(phone) = self.phones[at].running.as_ref() else { return };
        let known = &self.oracle.recorded;
        let new: Vec<_> = phone
            .device()
            .own()
            .filter(|own| !known.contains_key(&own.id))
            .map(|own| (own.id, own.job, own.hash))
            .collect();
        for (id, job, hash) in new {
            let Some(content) = phone.device().job(job).and_then(|job| check::content(job, id))
            else {
                continue;
            };
            self.oracle.note(id, Recorded::new((job, at), hash, content));
        }
    }

    /// Stops a phone and starts it again; what it finds is held against what it had called saved.
    pub fn restart(&mut self, at: usize, stop: Stop) -> Done {
        let stop = self.phones[at].coming_stop.take().unwrap_or(stop);
        self.phones[at].stop(stop, self.now);
        if self.bug == Some(Bug::CutTooMuch) {
            let mut bytes = self.phones[at].disk.memory.log_bytes();
            bytes.truncate(bytes.len().saturating_sub(40));
            self.phones[at].disk.memory.set_log_bytes(bytes);
        }
        let report = self.phones[at].start();
        let report =
            report.map_err(|why| broken("S1", format!("phone {at} does not start: {why}")))?;
        self.take_note(at);
        check::on_phone(self, at)?;
        Ok(if report.is_clean() { "started again" } else { "started again, and tells of damage" }
            .to_owned())
    }

    /// Whether a phone may have thrown a change away: a verified backup covers it.
    pub fn was_purged(&self, recorded: &Recorded) -> bool {
        self.oracle.covered.contains(&recorded.hash)
    }

    /// What a phone holds of its own.
    pub fn held(&self, at: usize) -> BTreeSet<ChangeHash> {
        let phone = self.phones[at].running.as_ref();
        phone.into_iter().flat_map(|phone| phone.device().own()).map(|own| own.hash).collect()
    }

    /// Notes a change that a hostile client made up: its maker may make such, so the hall may take it.
    pub fn note_forged(&mut self, hash: Option<ChangeHash>) {
        self.oracle.made_up.extend(hash);
    }

    /// A change that the hall has given out, as a hostile client offers it again; with its hash where that is new.
    pub fn seen_change(&self, trick: Trick, place: usize) -> Option<(Option<ChangeHash>, Offered)> {
        let job = self.jobs[place % self.jobs.len()];
        let seen = self.hall.changes(job);
        let mut bytes = seen.get(place % seen.len().max(1))?.bytes.clone();
        let mut offered = Offered { job, bytes: Vec::new(), voucher: None };
        let mut forged = None;
        match trick {
            Trick::ForgeChange => {
                crate::run::forge(&mut bytes, place);
                forged = Some(chunk_hash(&bytes));
            }
            Trick::OtherJob => offered.job = self.jobs[(place + 1) % self.jobs.len()],
            Trick::FlipBit | Trick::Cut | Trick::Steal => {}
        }
        offered.bytes = bytes;
        Some((forged, offered))
    }
}

/// A broken promise.
pub fn broken(rule: &'static str, what: impl Into<String>) -> Broken {
    Broken { rule, what: what.into() }
}
