//! One phone of the fleet: the real `mobile-core` on a disk with faults, and what its technician does.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::conduct::Phase;
use domain::household::HoseKind;
use domain::id::{DeviceId, FactId, JobId, UserId};
use domain::measure::{Fen, Volume};
use domain::stamp::{BootId, Timestamp};
use domain::visit::{Fact, Outcome, Subject};
use mobile_core::clock::{ManualClock, Moment, SeededRng};
use mobile_core::log::file::FileLog;
use mobile_core::log::memory::{Backup, Stop};
use mobile_core::phone::{CommandError, NewHose};
use mobile_core::{OpenReport, Phone};
use pollster::block_on;
use sync::authority::Writer;
use sync::device::Enrolment;
use uuid::Uuid;

use crate::disk::PhoneDisk;
use crate::event::Act;
use crate::homes::HALL;

/// A phone as it runs.
pub type Running = Phone<FileLog<PhoneDisk>, ManualClock, SeededRng>;

/// One phone of the fleet.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that befell the phone, in any mixture"
)]
pub struct FleetPhone {
    /// Who carries it, and its name at the hall.
    pub writer: Writer,
    /// Its disk, which outlives the process.
    pub disk: PhoneDisk,
    /// The process, while it runs.
    pub running: Option<Running>,
    /// Its clocks.
    pub clock: ManualClock,
    /// How far its wall clock is off.
    pub skew: TimeDelta,
    /// A copy of its store that a backup tool made.
    pub copy: Option<Backup>,
    /// Whether it was shut out.
    pub is_shut_out: bool,
    /// Whether its store was ever damaged, replaced or taken away.
    pub was_damaged: bool,
    /// Whether its store is on two phones.
    pub is_copy: bool,
    /// How its machine stops in one of its next operations, where it does.
    pub coming_stop: Option<Stop>,
    /// How far the visit at each job got.
    steps: BTreeMap<JobId, usize>,
    boots: u32,
    boot_at: Timestamp,
    seed: u64,
    /// Whether each start goes on with the chance of the first, which a bug may do.
    pub repeats_chance: bool,
    /// What the documents said when the process stopped last.
    said: Vec<u8>,
    /// Whether that is believed of documents that have changed, which a bug may do.
    pub believes_said: bool,
}

impl FleetPhone {
    /// A phone out of its box.
    pub fn new(number: u128, seed: u64, now: Timestamp) -> Self {
        let id = |part: u128| Uuid::from_u128(part << 16 | number);
        let writer = Writer { user: UserId(id(0x7ec)), device: DeviceId(id(0xde7)) };
        let moment = Moment { wall_at: now, boot: BootId(1), mono_ms: 0 };
        Self {
            writer,
            disk: PhoneDisk::default(),
            running: None,
            clock: ManualClock::at(moment),
            skew: TimeDelta::zero(),
            copy: None,
            is_shut_out: false,
            was_damaged: false,
            is_copy: false,
            coming_stop: None,
            steps: BTreeMap::new(),
            boots: 1,
            boot_at: now,
            seed: seed ^ u64::try_from(number).unwrap_or(0).wrapping_mul(0x1_0000_0001),
            repeats_chance: false,
            said: Vec::new(),
            believes_said: false,
        }
    }

    /// Puts its clocks where they are at a true time.
    pub fn tick(&self, now: Timestamp) {
        let mono_ms = (now - self.boot_at).num_milliseconds();
        let wall_at = now.checked_add_signed(self.skew).unwrap_or(now);
        self.clock.set(Moment { wall_at, boot: BootId(self.boots), mono_ms });
    }

    /// Lets the process or the whole machine stop.
    pub fn stop(&mut self, stop: Stop, now: Timestamp) {
        if let Some(phone) = self.running.take() {
            self.said = phone.said();
        }
        self.disk.memory.restart(stop);
        if matches!(stop, Stop::PowerLoss { .. }) {
            self.boots += 1;
            self.boot_at = now;
            self.tick(now);
        }
    }

    /// Starts the app, and enrols it where its store knows nothing; the report is that of the opening.
    pub fn start(&mut self) -> Result<OpenReport, String> {
        let disk = self.disk.clone();
        let log = FileLog::open(disk).map_err(|error| error.to_string())?;
        let draws = if self.repeats_chance { self.seed } else { self.next_draw() };
        let rng = SeededRng::new(draws);
        let opened = block_on(Phone::open(log, self.clock.clone(), rng));
        let opened = opened.map_err(|error| error.to_string())?;
        let mut phone = opened.phone;
        if self.believes_said {
            rename(&mut self.said, &phone.device().clone().said());
        }
        phone.lend(&self.said);
        if phone.enrolment().is_none() {
            let Writer { user, device } = self.writer;
            let enrolment = Enrolment { device, user, hall: HALL };
            block_on(phone.enrol(enrolment)).map_err(|error| error.to_string())?;
        }
        self.running = Some(phone);
        Ok(opened.report)
    }

    fn next_draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        self.seed
    }

    /// Does something at a door; tells what was saved.
    pub fn act(&mut self, job: JobId, act: Act, number: u64) -> Result<Uuid, CommandError> {
        let step = *self.steps.get(&job).unwrap_or(&0);
        let Some(phone) = self.running.as_mut() else {
            return Err(CommandError::NotEnrolled);
        };
        let text = || format!("记录{number}");
        let fact = match act {
            Act::Onward => {
                let done = onward(phone, job, step, number);
                let is_over = !matches!(done, Err(CommandError::Store(_)));
                if is_over && (done.is_ok() || step != 1) {
                    self.steps.insert(job, step + 1);
                }
                return done;
            }
            Act::Message => return block_on(phone.message(job, text())).map(|id| id.0),
            Act::Hazard => {
                return block_on(phone.find_hazard(job, "stove_near_wall", text()))
                    .map(|it| it.fact.0);
            }
            Act::TakeBack => {
                let fact = last_fact(phone, job);
                Fact::Withdrawn { fact, reason: text() }
            }
            Act::Note => Fact::Noted { text: text() },
            Act::Ask => Fact::Asked { question: text() },
            Act::Cash => {
                let amount = Fen(i64::try_from(number % 10_000).unwrap_or(0) + 1);
                return block_on(phone.take_cash(job, amount, text())).map(|it| it.fact.0);
            }
            Act::Close => {
                self.steps.remove(&job);
                let phone = self.running.as_mut().ok_or(CommandError::NotEnrolled)?;
                let outcome = Outcome::CannotFinish { reason: text(), follow_up: text() };
                return block_on(phone.close(job, outcome)).map(|it| it.fact.0);
            }
        };
        block_on(phone.record(job, fact)).map(|saved| saved.fact.0)
    }
}

/// One step of a visit in the order in which the trade walks it; a step that does not fit is refused and passed by.
fn onward(phone: &mut Running, job: JobId, step: usize, number: u64) -> Result<Uuid, CommandError> {
    let hash = |of: &str| blake3::hash(format!("{of}{number}").as_bytes()).to_hex().to_string();
    let phases = [Phase::AtTheDoor, Phase::BeforeEntering, Phase::BeforeLeaving];
    let conduct = |phone: &mut Running, phase: Phase| {
        let all = block_on(phone.answer_rest_as_done(job, phase))?;
        let nil = Uuid::nil();
        Ok(all.last().map_or(nil, |saved| saved.fact.0))
    };
    let meter = phone.device().job(job).and_then(|job| job.briefing.meters.first().map(|it| it.id));
    let hose = phone.device().job(job).and_then(|job| job.briefing.hoses.first().map(|it| it.id));
    match step % 14 {
        0 => block_on(phone.set_out(job)).map(|it| it.fact.0),
        1 => block_on(phone.arrive(job, None)).map(|it| it.fact.0),
        2 => conduct(phone, phases[0]),
        3 => conduct(phone, phases[1]),
        4 => {
            let meter = meter.ok_or(CommandError::NoSuchJob(job))?;
            let register = Volume(520_000 + i64::try_from(number % 9_000).unwrap_or(0));
            block_on(phone.read_meter(job, meter, Some(register))).map(|it| it.saved.fact.0)
        }
        5 => block_on(phone.test_tightness(job, true)).map(|it| it.fact.0),
        6 => block_on(phone.replace_hose(job, hose, NewHose::of(HoseKind::Corrugated, 1_500)))
            .map(|it| it.saved.fact.0),
        7 => block_on(phone.take_cash(job, Fen(12_350), String::new())).map(|it| it.fact.0),
        8 => block_on(phone.take_photo(job, hash("photo"), Subject::Meter)).map(|it| it.fact.0),
        9 => block_on(phone.note(job, format!("记录{number}"))).map(|it| it.fact.0),
        10 => conduct(phone, phases[2]),
        11 => block_on(phone.sign(job, hash("signature"))).map(|it| it.fact.0),
        12 => block_on(phone.close(job, Outcome::Done)).map(|it| it.fact.0),
        _ => block_on(phone.phone_ahead(job, true)).map(|it| it.fact.0),
    }
}

/// The newest fact of this phone at a job.
fn last_fact(phone: &Running, job: JobId) -> FactId {
    let own = phone.device().own().filter(|own| own.job == job);
    FactId(own.map(|own| own.id).max().unwrap_or(Uuid::nil()))
}

/// Gives what was kept of each document the name that the document has now.
fn rename(kept: &mut [u8], now: &[u8]) {
    // As they are written: the job's 16 bytes, then the name's 32 behind a head of two.
    const ENTRY: usize = 16 + 2 + 32;
    for from in 0..now.len().saturating_sub(ENTRY) {
        let (job, named) = now[from..from + ENTRY].split_at(16);
        if !named.starts_with(&[0x58, 0x20]) {
            continue;
        }
        if let Some(at) = kept.windows(16).position(|it| it == job) {
            kept[at + 16..at + ENTRY].copy_from_slice(named);
        }
    }
}
