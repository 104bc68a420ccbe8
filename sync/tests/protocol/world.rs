//! A hall, its phones, and a network under the control of a test.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use domain::id::{DeviceId, EntryId, HallId, JobId, UserId, uuid_v7};
use domain::job::{Author, Call, Instruction, Job, PlanEntry};
use domain::stamp::Timestamp;
use sync::authority::Writer;
use sync::chunk::chunk_hash;
use sync::device::{Enrolment, Notice, Record, Standing};
use sync::hall::Hall;
use sync::hub::{GrantState, hall_actor};
use sync::message::Epoch;
use sync::seal::SealKey;
use uuid::Uuid;

use crate::phone::Phone;

/// What happens to a request and its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Good,
    RequestLost,
    ReplyLost,
    /// The reply arrives twice.
    ReplyTwice,
    /// The reply arrives when something else has happened.
    ReplyLate,
    /// A page of a captive portal arrives.
    Portal,
    /// The phone dies when so many records of the reply are stored.
    Death(usize),
}

pub(crate) struct World {
    pub(crate) hall: Hall,
    pub(crate) phones: Vec<Phone>,
    pub(crate) jobs: Vec<JobId>,
    /// Every change that a phone ever called saved, with the phone's place.
    pub(crate) made: Vec<(JobId, ChangeHash)>,
    /// Changes that somebody threw away with the store that held them.
    pub(crate) thrown_away: BTreeSet<ChangeHash>,
    pub(crate) notices: Vec<Notice>,
    /// Round trips so far.
    pub(crate) rounds: usize,
    /// Bytes sent and received in them.
    pub(crate) traffic: (usize, usize),
    pub(crate) backup: Hall,
    /// What verified backups cover.
    covered: BTreeSet<ChangeHash>,
    now_ms: i64,
    counter: u64,
}

impl World {
    /// A hall with phones, each of its own technician, and jobs, dealt out one after another.
    pub(crate) fn new(phones: usize, jobs: usize) -> Self {
        let hall = Hall::new(Epoch([1; 16]), SealKey::new([9; 32]), hall_actor([0; 12]));
        let mut world = Self {
            backup: hall.backup(),
            hall,
            phones: Vec::new(),
            jobs: Vec::new(),
            made: Vec::new(),
            thrown_away: BTreeSet::new(),
            notices: Vec::new(),
            rounds: 0,
            traffic: (0, 0),
            covered: BTreeSet::new(),
            now_ms: 1_795_392_000_000,
            counter: 0,
        };
        world.backup();
        for _ in 0..phones {
            world.enrol();
        }
        for index in 0..jobs {
            world.add_job(index % phones);
        }
        world
    }

    pub(crate) fn enrol(&mut self) -> usize {
        let number = u128::try_from(self.phones.len()).unwrap();
        let writer =
            Writer { user: UserId(uuid(0x100 + number)), device: DeviceId(uuid(0x200 + number)) };
        let Writer { user, device } = writer;
        let enrolment = Enrolment { device, user, hall: HallId(uuid(0xa1)) };
        let actor = self.next();
        self.phones.push(Phone::new(writer, enrolment, actor));
        self.phones.len() - 1
    }

    pub(crate) fn add_job(&mut self, phone: usize) -> JobId {
        let id = JobId(self.uuid());
        let mut job: Job = serde_json::from_str(include_str!("../hostile/job.json")).unwrap();
        job.id = id;
        job.plan.assignments.clear();
        let now = self.now();
        self.hall.create_job(&job, now).unwrap();
        self.jobs.push(id);
        self.assign(id, Some(phone));
        id
    }

    pub(crate) fn assign(&mut self, job: JobId, phone: Option<usize>) {
        let technician = phone.map(|phone| self.phones[phone].writer.user);
        let author = Author { by: UserId(uuid(0xd1)), at: self.now() };
        let entry = EntryId(self.uuid());
        // A restored hall may have forgotten the job; a dispatcher cannot find it then.
        let _ = self.hall.assign(job, entry, technician, author);
    }

    /// Calls a technician to a job as to an emergency.
    pub(crate) fn call(&mut self, job: JobId, phone: usize) {
        let technician = self.phones[phone].writer.user;
        let author = Author { by: UserId(uuid(0xd1)), at: self.now() };
        let call = Call { technician, name: "孙敏".to_owned(), until: author.at, author };
        let (id, now) = (EntryId(self.uuid()), self.now());
        self.hall.edit_plan(job, id, &PlanEntry::Call(call), now).unwrap();
        self.hall.grant(job, technician);
    }

    pub(crate) fn instruct(&mut self, job: JobId) {
        let author = Author { by: UserId(uuid(0xd1)), at: self.now() };
        let entry = PlanEntry::Instruction(Instruction { text: self.counter.to_string(), author });
        let id = EntryId(self.uuid());
        let _ = self.hall.edit_plan(job, id, &entry, author.at);
    }

    /// A technician notes something; nothing happens when the job is not on the phone.
    pub(crate) fn note(&mut self, phone: usize, job: JobId) -> Option<ChangeHash> {
        let now = self.now();
        let hash = self.phones[phone].note(job, now).ok()?;
        self.made.push((job, hash));
        Some(hash)
    }

    pub(crate) fn message(&mut self, phone: usize, job: JobId) {
        let now = self.now();
        if let Ok(hash) = self.phones[phone].message(job, now) {
            self.made.push((job, hash));
        }
    }

    /// One round trip; returns whether the phone wants another.
    pub(crate) fn exchange(&mut self, phone: usize, fate: Fate) -> bool {
        let request = self.phones[phone].request();
        if fate == Fate::RequestLost {
            return false;
        }
        let (writer, now) = (self.phones[phone].writer, self.now());
        let reply = self.hall.exchange(writer, &request, now).unwrap();
        self.rounds += 1;
        self.traffic = (self.traffic.0 + request.len(), self.traffic.1 + reply.len());
        match fate {
            Fate::Good => self.deliver(phone, &reply, usize::MAX),
            Fate::RequestLost | Fate::ReplyLost => false,
            Fate::ReplyTwice => {
                self.deliver(phone, &reply, usize::MAX);
                self.deliver(phone, &reply, usize::MAX)
            }
            Fate::ReplyLate => {
                self.phones[phone].late = Some(reply);
                false
            }
            Fate::Portal => {
                let round = sync::device::Round {
                    boot: domain::stamp::BootId(1),
                    sent_ms: 0,
                    received_ms: 1,
                    wall_at: now,
                };
                let page = b"<!DOCTYPE html><html><body>Log in to Free Wi-Fi</body></html>";
                assert!(self.phones[phone].device.receive(page, round).is_err());
                false
            }
            Fate::Death(kept) => {
                self.deliver(phone, &reply, kept);
                self.restart(phone);
                false
            }
        }
    }

    pub(crate) fn deliver_late(&mut self, phone: usize) {
        if let Some(reply) = self.phones[phone].late.take() {
            self.deliver(phone, &reply, usize::MAX);
        }
    }

    /// Rounds until the phone wants no more; at most 40.
    pub(crate) fn sync(&mut self, phone: usize) {
        for _ in 0..40 {
            if !self.exchange(phone, Fate::Good) {
                return;
            }
        }
        panic!("phone {phone} does not come to rest");
    }

    /// Lets everything arrive. Some phones speak of what others must hear, hence more than once.
    pub(crate) fn heal(&mut self) {
        for _ in 0..4 {
            for phone in 0..self.phones.len() {
                self.deliver_late(phone);
                self.sync(phone);
            }
        }
    }

    pub(crate) fn restart(&mut self, phone: usize) {
        let actor = self.next();
        self.phones[phone].restart(actor);
    }

    /// The phone's store is exchanged for an older copy of it.
    pub(crate) fn fall_back(&mut self, phone: usize, log: Vec<Vec<u8>>) {
        let now_held: BTreeSet<_> = self.held_by(phone);
        self.phones[phone].log = log;
        self.restart(phone);
        let still_held = self.held_by(phone);
        self.thrown_away.extend(now_held.difference(&still_held));
    }

    /// A second phone with the same store, as a migration tool makes it.
    pub(crate) fn clone_phone(&mut self, phone: usize) -> usize {
        let copy = self.phones[phone].clone();
        self.phones.push(copy);
        let copy = self.phones.len() - 1;
        self.restart(copy);
        copy
    }

    pub(crate) fn backup(&mut self) {
        self.hall.mark_safe();
        self.backup = self.hall.backup();
        let jobs: Vec<_> = self.hall.jobs().collect();
        for job in jobs {
            let hashes = self.hall.changes(job).iter().map(|change| chunk_hash(&change.bytes));
            self.covered.extend(hashes);
        }
    }

    pub(crate) fn restore(&mut self) {
        let number = self.next();
        let mut random = [0; 12];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let mut epoch = [2; 16];
        epoch[..8].copy_from_slice(&number.to_be_bytes());
        self.hall = self.backup.clone().restore(Epoch(epoch), hall_actor(random));
    }

    /// S3, S8: nothing made is lost, and who may hold a job holds what the hall holds.
    pub(crate) fn assert_converged(&self) {
        for (job, hash) in &self.made {
            let is_there = self.hall.position_of(*hash).is_some();
            assert!(
                is_there || self.thrown_away.contains(hash),
                "a change of {job} is lost: waiting {}, {:?}",
                self.hall.is_waiting(*hash),
                self.hall.quarantined(*hash).map(|apart| &apart.reason),
            );
        }
        assert_eq!(self.hall.quarantine().count(), 0, "honest phones make nothing to keep apart");
        for (index, phone) in self.phones.iter().enumerate() {
            assert_eq!(phone.device.pending(), 0, "phone {index}");
            for job in self.hall.jobs() {
                let is_held = self.hall.grant_state(job, phone.writer.user) == GrantState::Held;
                assert_eq!(phone.device.job(job).is_some(), is_held, "phone {index}, job {job}");
                if is_held {
                    assert_eq!(phone.device.heads(job), self.hall.heads(job), "phone {index}");
                    assert_eq!(phone.device.job(job), self.hall.job(job).ok().as_ref());
                }
            }
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        self.now_ms += 1_000;
        Timestamp::from_timestamp_millis(self.now_ms).unwrap()
    }

    fn deliver(&mut self, phone: usize, reply: &[u8], kept: usize) -> bool {
        let received = self.phones[phone].receive(reply);
        for record in received.records.iter().take(kept) {
            self.check_watermark(phone, record);
            self.phones[phone].store(std::slice::from_ref(record));
        }
        self.notices.extend(received.notices);
        received.again
    }

    /// S12: what leaves a phone is covered by a verified backup.
    fn check_watermark(&self, phone: usize, record: &Record) {
        let Record::Purged { job } = record else { return };
        for own in self.phones[phone].device.own().filter(|own| own.job == *job) {
            assert!(matches!(own.standing, Standing::Acked(..)), "{:?}", own.standing);
            assert!(self.covered.contains(&own.hash), "a purged change is in no backup");
        }
    }

    fn held_by(&self, phone: usize) -> BTreeSet<ChangeHash> {
        self.phones[phone].device.own().map(|own| own.hash).collect()
    }

    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn uuid(&mut self) -> Uuid {
        let mut random = [7; 10];
        random[..8].copy_from_slice(&self.next().to_be_bytes());
        uuid_v7(self.now_ms, random)
    }
}

/// An id that a test can name.
pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0000 | number)
}
