//! A hall in memory and a link to it that can fail.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use chrono::TimeDelta;
use domain::id::DeviceId;
use domain::job::Job;
use domain::stamp::BootId;
use mobile_core::clock::{Clock, ManualClock, Moment, SeededRng};
use mobile_core::link::{Link, LinkError};
use mobile_core::log::LogStore;
use mobile_core::phone::SyncReport;
use mobile_core::{OpenReport, Phone};
use pollster::block_on;
use sync::authority::Writer;
use sync::device::Enrolment;
use sync::hall::Hall;
use sync::hub::hall_actor;
use sync::message::Epoch;
use sync::seal::SealKey;
use uuid::Uuid;

use crate::jobs::{HALL, TECHNICIAN, morning};

pub(crate) type TestPhone<S> = Phone<S, ManualClock, SeededRng>;

pub(crate) const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xde7));
pub(crate) const ENROLMENT: Enrolment = Enrolment { device: DEVICE, user: TECHNICIAN, hall: HALL };

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(Moment { wall_at: morning(), boot: BootId(1), mono_ms: 1_000_000 })
}

/// The hall and the way to it; clones are the same hall.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) hall: Rc<RefCell<Hall>>,
    pub(crate) clock: ManualClock,
    /// How far that clock is ahead of the hall's.
    pub(crate) ahead: TimeDelta,
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
        hall.give_receipts(20, 5);
        for job in jobs {
            hall.create_job(job, morning()).unwrap();
            hall.grant(job.id, TECHNICIAN);
        }
        let writer = Writer { user: TECHNICIAN, device: DEVICE };
        let hall = Rc::new(RefCell::new(hall));
        Self { hall, clock: clock(), ahead: TimeDelta::zero(), writer }
    }

    /// Another hall that stands where this one stands.
    pub(crate) fn fork(&self) -> Self {
        let hall = Rc::new(RefCell::new(self.hall.borrow().clone()));
        let clock = clock();
        clock.set(self.clock.now());
        Self { hall, clock, ..*self }
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
        let now = self.world.clock.now().wall_at - self.world.ahead;
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
