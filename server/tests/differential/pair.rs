//! A hall in memory and a server on a database, to which the same happens.

mod compare;
mod forge;
mod store;

use std::collections::BTreeSet;

use automerge::ChangeHash;
use chrono::TimeDelta;
use domain::id::{DeviceId, EntryId, HallId, HouseholdId, JobId, UserId};
use domain::job::{
    Assignment, Author, Cancellation, Channel, Instruction, JobKind, PlanEntry, Window,
};
use domain::pack::Pack;
use domain::stamp::Timestamp;
use server::audit::By;
use server::config::Config;
use server::exchange;
use server::http::error::ApiError;
use server::jobs::plan::{Addition, Terms, add};
use server::jobs::{NewJob, Scribe, create_job};
use server::state::AppState;
use sync::authority::Writer;
use sync::chunk::chunk_hash;
use sync::hall::Hall;
use sync::hub::{Outcome, hall_actor};
use sync::message::{Epoch, Offered, Request};
use sync::seal::SealKey;
use uuid::Uuid;

use crate::Tamper;
use crate::twins::{MODEL, SERVER, Twins};

const DISPATCHER: UserId = UserId(Uuid::from_u128(0xd1));
const HALL: HallId = HallId(Uuid::from_u128(0x4a11));
const HOME: HouseholdId = HouseholdId(Uuid::from_u128(0x40));

/// Both halls and everybody's phones.
pub(crate) struct Pair {
    pub(crate) phones: Vec<Twins>,
    pub(crate) jobs: Vec<JobId>,
    model: Hall,
    backup: Option<Hall>,
    server: Option<AppState>,
    config: Config,
    _folder: tempfile::TempDir,
    /// Every change that was ever offered.
    offered: BTreeSet<ChangeHash>,
    counter: u64,
}

impl Pair {
    pub(crate) async fn new(phones: usize, jobs: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = store::config(&folder);
        let server = store::open(&config, hall_actor([0; 12])).await;
        let model = Hall::new(Epoch([1; 16]), SealKey::new([9; 32]), hall_actor([0; 12]));
        let mut pair = Self {
            phones: Vec::new(),
            jobs: Vec::new(),
            model,
            backup: None,
            server: Some(server),
            config,
            _folder: folder,
            offered: BTreeSet::new(),
            counter: 0,
        };
        store::furnish(pair.server(), phones).await;
        for number in 0..phones {
            let (actor, now) = (pair.next(), pair.tick());
            pair.phones.push(Twins::new(writer(number), HALL, actor, now));
        }
        for number in 0..jobs {
            pair.add_job(number % phones).await;
        }
        pair
    }

    pub(crate) fn note(&mut self, phone: usize, job: JobId) {
        let now = self.tick();
        self.phones[phone].note(job, now);
    }

    pub(crate) fn message(&mut self, phone: usize, job: JobId) {
        let now = self.tick();
        self.phones[phone].message(job, now);
    }

    pub(crate) fn restart(&mut self, phone: usize) {
        let (actor, now) = (self.next(), self.tick());
        self.phones[phone].restart(actor, now);
    }

    pub(crate) async fn add_job(&mut self, phone: usize) {
        let now = self.tick();
        let id = JobId(Uuid::from_u128(0x1000 + u128::from(self.next())));
        let new = NewJob {
            id,
            hall: HALL,
            kind: JobKind::Repair,
            household: HOME,
            request: String::new(),
            caller_phone: String::new(),
            author: Author { by: DISPATCHER, at: now },
            appointment: Some((in_an_hour(now), Channel::Phone)),
            technician: Some(self.phones[phone].writer.user),
            also_due: Vec::new(),
            hazards: Vec::new(),
            attempts: Vec::new(),
        };
        let server = self.server();
        let mut tx = server.db.begin().await.unwrap();
        let pack = Pack::builtin();
        let near_until = now + TimeDelta::days(3650);
        let scribe =
            Scribe { actor: &server.actor, packs: &server.packs, pack: &pack, now, near_until };
        create_job(tx.c(), &scribe, &new).await.unwrap();
        tx.commit().await.unwrap();
        let job = self.stored_job(id).await.unwrap();
        self.model.create_job(&job, now).unwrap();
        self.model.grant(id, self.phones[phone].writer.user);
        self.jobs.push(id);
    }

    pub(crate) async fn assign(&mut self, job: JobId, phone: Option<usize>) {
        let technician = phone.map(|phone| self.phones[phone].writer.user);
        let author = Author { by: DISPATCHER, at: self.tick() };
        let entry = PlanEntry::Assignment(Assignment { technician, author });
        if let Some(id) = self.plan(job, entry).await {
            self.model.assign(job, id, technician, author).unwrap();
        }
    }

    pub(crate) async fn instruct(&mut self, job: JobId) {
        let author = Author { by: DISPATCHER, at: self.tick() };
        let text = self.counter.to_string();
        self.edit(job, PlanEntry::Instruction(Instruction { text, author }), author.at).await;
    }

    pub(crate) async fn cancel(&mut self, job: JobId) {
        let author = Author { by: DISPATCHER, at: self.tick() };
        let reason = "用户来电".to_owned();
        self.edit(job, PlanEntry::Cancellation(Cancellation { reason, author }), author.at).await;
    }

    async fn edit(&mut self, job: JobId, entry: PlanEntry, now: Timestamp) {
        if let Some(id) = self.plan(job, entry.clone()).await {
            self.model.edit_plan(job, id, &entry, now).unwrap();
        }
    }

    /// Adds to the server's plan; `None` when both halls have forgotten the job.
    async fn plan(&mut self, job: JobId, entry: PlanEntry) -> Option<EntryId> {
        let added = (&Addition::Entry(entry), &Terms::default());
        match add(self.server(), (HALL, DISPATCHER), job, added).await {
            Ok(added) => Some(EntryId(added.entry)),
            Err(ApiError::NotFound(_)) => {
                assert!(self.model.job(job).is_err(), "the model has a job that the server lacks");
                None
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// One round trip of a phone with both halls, in which other changes come along.
    pub(crate) async fn exchange(&mut self, phone: usize, tamper: &Tamper, more: &[Offered]) {
        self.round(phone, tamper, more).await;
    }

    /// Lets everything arrive.
    pub(crate) async fn heal(&mut self) {
        for _ in 0..4 {
            for phone in 0..self.phones.len() {
                for _ in 0..6 {
                    if !self.round(phone, &Tamper::Nothing, &[]).await {
                        break;
                    }
                }
            }
        }
    }

    async fn round(&mut self, phone: usize, tamper: &Tamper, more: &[Offered]) -> bool {
        let now = self.tick();
        let mut requests = self.phones[phone].requests();
        for request in &mut requests {
            self.tamper(request, tamper);
            request.changes.extend_from_slice(more);
        }
        assert_eq!(offers(&requests[MODEL]), offers(&requests[SERVER]), "the twins differ");
        let hashes = requests[MODEL].changes.iter().map(|it| chunk_hash(&it.bytes));
        self.offered.extend(hashes);
        let writer = self.phones[phone].writer;
        let by_model = self.model.exchange(writer, &requests[MODEL].encode(), now).unwrap();
        let sender = self.sender(writer).await;
        let request = requests[SERVER].encode();
        let by_server = exchange::exchange(self.server(), &sender, &request).await.unwrap();
        let replies = [by_model, by_server];
        compare::replies(&replies);
        if matches!(tamper, Tamper::ReplyLost) {
            return false;
        }
        self.phones[phone].receive(&replies)
    }

    fn tamper(&self, request: &mut Request, tamper: &Tamper) {
        match *tamper {
            Tamper::Nothing | Tamper::ReplyLost => {}
            Tamper::Only(mask) => {
                let mut index = 0;
                request.changes.retain(|_| {
                    index += 1;
                    mask & (1 << (index % 8)) != 0
                });
            }
            Tamper::Reversed => request.changes.reverse(),
            Tamper::OtherJob(index) => {
                let job = self.jobs[index % self.jobs.len()];
                request.changes.iter_mut().for_each(|it| it.job = job);
            }
            Tamper::NoJob => {
                request.changes.iter_mut().for_each(|it| it.job = JobId(Uuid::from_u128(0xdead)));
            }
            Tamper::Bent => {
                let last = request.changes.iter_mut().filter_map(|it| it.bytes.last_mut());
                last.for_each(|byte| *byte ^= 1);
            }
        }
    }

    pub(crate) async fn revoke(&mut self, phone: usize) {
        let device = self.phones[phone].writer.device;
        store::revoke(self.server(), device).await;
        self.model.revoke(device);
    }

    /// A manager lets one change out.
    pub(crate) async fn release(&mut self, which: usize) {
        let now = self.tick();
        let apart: Vec<ChangeHash> = self.model.quarantine().map(|(hash, _)| *hash).collect();
        if apart.is_empty() {
            return;
        }
        let hash = apart[which % apart.len()];
        let by_model = self.model.release(hash).unwrap();
        let by = By { hall: Some(HALL), user: Some(DISPATCHER), ..By::server() };
        let by_server = exchange::release(self.server(), HALL, hash, by).await;
        let expected = match &by_model {
            Outcome::Accepted | Outcome::Duplicate { .. } => Some("accepted"),
            Outcome::Waiting => Some("waiting"),
            Outcome::Quarantined(_) => None,
        };
        match by_server {
            Ok(verdict) => assert_eq!(Some(verdict), expected, "{by_model:?} at {now}"),
            Err(ApiError::Unprocessable(_)) => assert_eq!(expected, None, "{by_model:?}"),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// How many changes the model keeps apart.
    pub(crate) fn count_apart(&self) -> usize {
        self.model.quarantine().count()
    }

    /// How many changes wait in the model.
    pub(crate) fn count_waiting(&self) -> usize {
        self.offered.iter().filter(|hash| self.model.is_waiting(**hash)).count()
    }

    fn server(&self) -> &AppState {
        self.server.as_ref().expect("the server is open")
    }

    /// A second passes.
    fn tick(&mut self) -> Timestamp {
        self.wait(TimeDelta::seconds(1));
        self.config.clock.now()
    }

    /// Time passes for everybody.
    pub(crate) fn wait(&mut self, time: TimeDelta) {
        let clock = &self.config.clock;
        assert!(clock.set(clock.now_ms() + time.num_milliseconds()));
        let now = clock.now();
        self.phones.iter_mut().for_each(|phone| phone.pass_to(now));
    }

    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

fn in_an_hour(now: Timestamp) -> Window {
    Window { start: now + TimeDelta::hours(1), end: now + TimeDelta::hours(2) }
}

fn writer(number: usize) -> Writer {
    let number = u128::try_from(number).unwrap();
    Writer {
        user: UserId(Uuid::from_u128(0x100 + number)),
        device: DeviceId(Uuid::from_u128(0x200 + number)),
    }
}

fn offers(request: &Request) -> Vec<(JobId, ChangeHash, bool)> {
    let changes = request.changes.iter();
    changes.map(|it| (it.job, chunk_hash(&it.bytes), it.voucher.is_some())).collect()
}
