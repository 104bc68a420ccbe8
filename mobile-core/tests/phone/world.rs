//! A hall in memory, a link to it that can fail, and a technician's whole day as a list of taps.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{NaiveDate, TimeDelta, TimeZone, Utc};
use domain::conduct::{Answer, Phase};
use domain::household::{Group, Hose, HoseKind, Household, Meter, PastReading};
use domain::id::{DeviceId, EntryId, HallId, HoseId, HouseholdId, JobId, MeterId, UserId, uuid_v7};
use domain::job::{Appointment, Assignment, Author, Briefing, Channel, Job, JobKind, Plan, Window};
use domain::measure::{Fen, Volume};
use domain::pack::Pack;
use domain::reading::Measure;
use domain::stamp::{BootId, Timestamp};
use domain::visit::{Fact, Outcome, Subject, live_facts};
use mobile_core::clock::{ManualClock, Moment, SeededRng};
use mobile_core::link::{Link, LinkError};
use mobile_core::log::LogStore;
use mobile_core::phone::{CommandError, SyncEnd, SyncReport};
use mobile_core::{OpenReport, Phone};
use pollster::block_on;
use sync::authority::Writer;
use sync::device::Enrolment;
use sync::hall::Hall;
use sync::hub::hall_actor;
use sync::message::Epoch;
use sync::seal::SealKey;
use uuid::Uuid;

pub(crate) type TestPhone<S> = Phone<S, ManualClock, SeededRng>;

pub(crate) const TECHNICIAN: UserId = UserId(Uuid::from_u128(0x7ec));
pub(crate) const DISPATCHER: UserId = UserId(Uuid::from_u128(0xd15));
pub(crate) const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xde7));
pub(crate) const HALL: HallId = HallId(Uuid::from_u128(0x4a11));
pub(crate) const ENROLMENT: Enrolment = Enrolment { device: DEVICE, user: TECHNICIAN, hall: HALL };

/// 2026-11-23 08:00 in the hall's city.
pub(crate) fn morning() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 23, 0, 0, 0).unwrap()
}

pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(Moment { wall_at: morning(), boot: BootId(1), mono_ms: 1_000_000 })
}

/// The hall and the way to it; clones are the same hall.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) hall: Rc<RefCell<Hall>>,
    pub(crate) clock: ManualClock,
    pub(crate) writer: Writer,
}

/// What happens to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Lost,
    ReplyLost,
    ReplyCut(usize),
    Portal,
    Busy,
    NotAccepted,
}

/// The way to the hall; the first fault befalls the first exchange, and so on.
pub(crate) struct HallLink {
    pub(crate) world: World,
    pub(crate) faults: Vec<Fault>,
    pub(crate) exchanges: usize,
}

impl World {
    pub(crate) fn new(jobs: &[Job]) -> Self {
        let mut hall = Hall::new(Epoch([1; 16]), SealKey::new([2; 32]), hall_actor([3; 12]));
        for job in jobs {
            hall.create_job(job, morning()).unwrap();
            hall.grant(job.id, TECHNICIAN);
        }
        let writer = Writer { user: TECHNICIAN, device: DEVICE };
        Self { hall: Rc::new(RefCell::new(hall)), clock: clock(), writer }
    }

    /// Another hall that stands where this one stands.
    pub(crate) fn fork(&self) -> Self {
        let hall = Rc::new(RefCell::new(self.hall.borrow().clone()));
        let clock = clock();
        clock.set(mobile_core::clock::Clock::now(&self.clock));
        Self { hall, clock, writer: self.writer }
    }

    pub(crate) fn link(&self) -> HallLink {
        self.faulty_link(&[])
    }

    pub(crate) fn faulty_link(&self, faults: &[Fault]) -> HallLink {
        HallLink { world: self.clone(), faults: faults.to_vec(), exchanges: 0 }
    }

    /// Opens a phone with an actor of its own for each seed.
    #[track_caller]
    pub(crate) fn open<S: LogStore>(&self, store: S, seed: u64) -> (TestPhone<S>, OpenReport) {
        let opened = Phone::open(store, self.clock.clone(), SeededRng::new(seed));
        let opened = block_on(opened).expect("the phone opens");
        (opened.phone, opened.report)
    }

    pub(crate) fn sync<S: LogStore>(&self, phone: &mut TestPhone<S>) -> SyncReport {
        block_on(phone.sync(&mut self.link()))
    }

    /// Whether the hall's documents hold a fact or message.
    pub(crate) fn has(&self, id: Uuid) -> bool {
        let hall = self.hall.borrow();
        hall.jobs().any(|job| ids(&hall.job(job).unwrap()).any(|known| known == id))
    }

    /// Everything that was saved is at the hall, and both have the same documents.
    #[track_caller]
    pub(crate) fn assert_equal<S: LogStore>(&self, phone: &TestPhone<S>, saved: &BTreeSet<Uuid>) {
        let hall = self.hall.borrow();
        let mut found = BTreeSet::new();
        for id in hall.jobs() {
            assert_eq!(hall.heads(id), phone.device().heads(id), "{id}");
            let job = hall.job(id).unwrap();
            found.extend(ids(&job));
        }
        assert_eq!(saved.difference(&found).count(), 0, "saved facts are missing at the hall");
        assert_eq!(hall.quarantine().count(), 0);
        assert_eq!(phone.sync_state().only_here, 0);
    }
}

/// The ids of the facts and messages of a job.
pub(crate) fn ids(job: &Job) -> impl Iterator<Item = Uuid> {
    let facts = job.visits.values().flat_map(|visit| visit.facts.keys().map(|id| id.0));
    facts.chain(job.messages.keys().map(|id| id.0))
}

/// The ids of everything that a phone made and holds.
pub(crate) fn held<S: LogStore>(phone: &TestPhone<S>) -> BTreeSet<Uuid> {
    phone.device().own().map(|own| own.id).collect()
}

impl Link for HallLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let fault = self.faults.get(self.exchanges).copied().unwrap_or(Fault::None);
        self.exchanges += 1;
        match fault {
            Fault::Lost => return Err(LinkError::Offline("no route".to_owned())),
            Fault::Busy => return Err(LinkError::Busy { retry_after_ms: Some(5_000) }),
            Fault::NotAccepted => return Err(LinkError::NotAccepted),
            Fault::Portal => return Ok(b"<html><body>Welcome to our Wi-Fi</body></html>".to_vec()),
            Fault::None | Fault::ReplyLost | Fault::ReplyCut(_) => {}
        }
        self.world.clock.pass_ms(80);
        let now = mobile_core::clock::Clock::now(&self.world.clock).wall_at;
        let answered = self.world.hall.borrow_mut().exchange(self.world.writer, &request, now);
        let mut reply = answered.expect("the phone speaks the protocol");
        match fault {
            Fault::ReplyLost => return Err(LinkError::Offline("reset".to_owned())),
            Fault::ReplyCut(at) => reply.truncate(at.min(reply.len() - 1)),
            Fault::None | Fault::Lost | Fault::Portal | Fault::Busy | Fault::NotAccepted => {}
        }
        Ok(reply)
    }
}

/// One tap of the technician, or one meeting with the network.
#[derive(Clone, Debug)]
pub(crate) enum Tap {
    Sync,
    Seen(JobId),
    Message(JobId),
    Do(JobId, Act),
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Phone,
    Agree,
    SetOut,
    Arrive,
    Answer(&'static str, Answer),
    Rest(Phase),
    Read(MeterId, i64),
    Tell,
    Measure,
    Hose(HoseId),
    Tight,
    Gas(bool),
    Hazard,
    Cash,
    Photo(Subject),
    Sign,
    Ask,
    Note,
    WithdrawLast,
    Close(Outcome),
}

/// Taps; returns what was saved.
pub(crate) async fn tap<S: LogStore>(
    phone: &mut TestPhone<S>,
    world: &World,
    tap: &Tap,
) -> Result<Vec<Uuid>, CommandError> {
    world.clock.pass_ms(45_000);
    match tap {
        Tap::Sync => match phone.sync(&mut world.link()).await.end {
            SyncEnd::Stopped(mobile_core::phone::SyncError::Store(error)) => Err(error.into()),
            SyncEnd::Complete | SyncEnd::MoreLeft | SyncEnd::Stopped(_) => Ok(Vec::new()),
        },
        Tap::Seen(job) => phone.mark_seen(*job).await.map(|()| Vec::new()),
        Tap::Message(job) => Ok(vec![phone.message(*job, "快到了".to_owned()).await?.0]),
        Tap::Do(job, act) => Ok(act_on(phone, *job, act).await?.into_iter().collect()),
    }
}

async fn act_on<S: LogStore>(
    phone: &mut TestPhone<S>,
    job: JobId,
    act: &Act,
) -> Result<Vec<Uuid>, CommandError> {
    let hash = "ab".repeat(32);
    let saved = match act {
        Act::Phone => phone.phone_ahead(job, true).await?,
        Act::Agree => phone.agree_anew(job, window(9), Channel::Phone).await?,
        Act::SetOut => phone.set_out(job).await?,
        Act::Arrive => phone.arrive(job, None).await?,
        Act::Answer(item, answer) => phone.answer_conduct(job, item, answer.clone()).await?,
        Act::Rest(phase) => {
            let all = phone.answer_rest_as_done(job, *phase).await?;
            return Ok(all.into_iter().map(|saved| saved.fact.0).collect());
        }
        Act::Read(meter, litres) => {
            phone.read_meter(job, *meter, Some(Volume(*litres))).await?.saved
        }
        Act::Tell => {
            let reading = last_fact(phone, job, |fact| matches!(fact, Fact::Read { .. }));
            phone.tell_household(job, reading).await?
        }
        Act::Measure => {
            let reading = last_fact(phone, job, |fact| matches!(fact, Fact::Read { .. }));
            phone.take_measure(job, reading, Measure::MeterCheck).await?
        }
        Act::Hose(old) => {
            phone.replace_hose(job, Some(*old), HoseKind::Corrugated, 1500).await?.saved
        }
        Act::Tight => phone.test_tightness(job, true).await?,
        Act::Gas(on) => phone.switch_gas(job, *on).await?,
        Act::Hazard => phone.find_hazard(job, "leak", "灶具接口".to_owned()).await?,
        Act::Cash => phone.take_cash(job, Fen(12_500), "R-0042".to_owned()).await?,
        Act::Photo(subject) => phone.take_photo(job, hash, *subject).await?,
        Act::Sign => phone.sign(job, hash).await?,
        Act::Ask => phone.ask(job, "能否改线".to_owned()).await?,
        Act::Note => phone.note(job, "门铃坏了，请敲门".to_owned()).await?,
        Act::WithdrawLast => {
            let last = last_fact(phone, job, |fact| matches!(fact, Fact::Noted { .. }));
            phone.withdraw(job, last, "记错".to_owned()).await?
        }
        Act::Close(outcome) => phone.close(job, outcome.clone()).await?,
    };
    Ok(vec![saved.fact.0])
}

fn last_fact<S: LogStore>(
    phone: &TestPhone<S>,
    job: JobId,
    is_it: impl Fn(&Fact) -> bool,
) -> domain::id::FactId {
    let view = phone.job(job).unwrap();
    let facts = view.job.visits.values().flat_map(live_facts);
    facts.filter(|(_, it)| is_it(&it.fact)).last().unwrap().0
}

/// Eight jobs of one day.
pub(crate) fn jobs() -> Vec<Job> {
    let kinds = [
        JobKind::MeterReading,
        JobKind::HoseReplacement,
        JobKind::Ignition,
        JobKind::Sealing,
        JobKind::SafetyInspection,
        JobKind::CashCollection,
        JobKind::Emergency,
        JobKind::MeterReading,
    ];
    kinds.into_iter().zip(1..).map(|(kind, n)| job(n, kind)).collect()
}

/// The taps of the whole day: the morning's sync, every visit, one sync at noon and one at night.
pub(crate) fn taps(jobs: &[Job]) -> Vec<Tap> {
    let mut taps = vec![Tap::Sync];
    taps.extend(jobs.iter().map(|job| Tap::Seen(job.id)));
    for (n, job) in jobs.iter().enumerate() {
        let acts = if n == 7 { nobody_home() } else { visit(job) };
        taps.extend(acts.into_iter().map(|act| Tap::Do(job.id, act)));
        if n == 3 {
            taps.extend([Tap::Sync, Tap::Message(job.id)]);
        }
    }
    taps.push(Tap::Sync);
    taps
}

fn visit(job: &Job) -> Vec<Act> {
    let hose = job.briefing.hoses[0].id;
    let meter = job.briefing.meters[0].id;
    let work = match job.kind {
        JobKind::HoseReplacement => {
            vec![Act::Hose(hose), Act::Tight, Act::Photo(Subject::Hose), Act::Sign]
        }
        JobKind::Ignition => {
            vec![
                Act::Read(meter, 300_000),
                Act::Tell,
                Act::Measure,
                Act::Tight,
                Act::Gas(true),
                Act::Sign,
            ]
        }
        JobKind::Sealing => {
            vec![Act::Read(meter, 300_000), Act::Tell, Act::Measure, Act::Gas(false), Act::Sign]
        }
        JobKind::SafetyInspection => vec![
            Act::Hazard,
            Act::Tight,
            Act::Photo(Subject::Hazard),
            Act::Photo(Subject::Meter),
            Act::Sign,
        ],
        JobKind::CashCollection => vec![Act::Cash, Act::Sign],
        JobKind::Emergency => vec![Act::Hazard, Act::Tight],
        JobKind::MeterReading | JobKind::Unsealing | JobKind::GasStop | JobKind::Repair => {
            vec![Act::Read(meter, 300_000), Act::Tell, Act::Measure]
        }
    };
    let mut acts = vec![
        Act::Phone,
        Act::Agree,
        Act::SetOut,
        Act::Arrive,
        Act::Rest(Phase::AtTheDoor),
        Act::Answer("shoe_covers", Answer::Waived),
        Act::Rest(Phase::BeforeEntering),
        Act::Note,
        Act::WithdrawLast,
        Act::Ask,
    ];
    acts.extend(work);
    acts.extend([Act::Rest(Phase::BeforeLeaving), Act::Close(Outcome::Done)]);
    acts
}

fn nobody_home() -> Vec<Act> {
    vec![
        Act::SetOut,
        Act::Arrive,
        Act::Photo(Subject::NoticeOnDoor),
        Act::Close(Outcome::NoOneHome),
        Act::Phone,
        Act::Agree,
        Act::SetOut,
    ]
}

pub(crate) fn window(from_hour: i64) -> Window {
    let start = morning() + TimeDelta::hours(from_hour - 8);
    Window { start, end: start + TimeDelta::hours(2) }
}

pub(crate) fn author(minute: i64) -> Author {
    Author { by: DISPATCHER, at: morning() - TimeDelta::days(1) + TimeDelta::minutes(minute) }
}

pub(crate) fn entry(minute: i64) -> EntryId {
    let at = author(minute).at.timestamp_millis();
    EntryId(uuid_v7(at, [u8::try_from(minute % 200).unwrap(); 10]))
}

pub(crate) fn job(n: u8, kind: JobKind) -> Job {
    let id = |kind: u8| Uuid::from_u128(u128::from(n) << 8 | u128::from(kind));
    let on = |days: i64| day() - TimeDelta::days(days);
    let reading = |days: i64, litres: i64| PastReading { on: on(days), register: Volume(litres) };
    let appointment =
        Appointment { window: window(9), channel: Channel::Counter, author: author(i64::from(n)) };
    let assignment = Assignment { technician: Some(TECHNICIAN), author: author(i64::from(n)) };
    Job {
        schema: 1,
        id: JobId(id(1)),
        hall: HALL,
        kind,
        pack: Pack::builtin().id,
        created_at: morning() - TimeDelta::days(1),
        plan: Plan {
            appointments: BTreeMap::from([(entry(i64::from(n)), appointment)]),
            assignments: BTreeMap::from([(entry(i64::from(n) + 50), assignment)]),
            ..Plan::default()
        },
        briefing: Briefing {
            household: Household {
                id: HouseholdId(id(2)),
                account: format!("3401{n:04}"),
                holder: format!("用户{n}"),
                address: format!("镜湖区{n}号楼"),
                phone: "05531234567".to_owned(),
                place: None,
                groups: BTreeSet::from([Group::Elderly]),
                access: String::new(),
            },
            meters: vec![Meter {
                id: MeterId(id(3)),
                serial: format!("M{n}"),
                size: "G4".to_owned(),
                digits: 5,
                readings: vec![reading(400, 300_000), reading(200, 410_000), reading(60, 500_000)],
            }],
            hoses: vec![Hose {
                id: HoseId(id(4)),
                kind: HoseKind::Rubber,
                length_mm: 1_200,
                installed_on: on(700),
            }],
            replacements: Vec::new(),
            request: String::new(),
            also_due: Vec::new(),
        },
        visits: BTreeMap::new(),
        messages: BTreeMap::new(),
    }
}
