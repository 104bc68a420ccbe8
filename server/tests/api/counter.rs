//! A hall at work: a household, jobs, technicians with real phone cores.

use std::collections::BTreeSet;

use domain::household::Household;
use domain::id::{HouseholdId, JobId, UserId};
use domain::stamp::BootId;
use mobile_core::clock::{Clock as _, ManualClock, Moment, SeededRng};
use mobile_core::link::{Link, LinkError};
use mobile_core::log::file::FileLog;
use mobile_core::log::memory::MemoryDisk;
use mobile_core::phone::{Phone, SyncEnd, SyncReport};
use reqwest::Method;
use serde_json::{Value, json};
use server::db::households;
use server::identity::Role;
use sync::device::Enrolment;
use sync::message::Request;
use uuid::Uuid;

use crate::hall::{Hall, Node, Reply, text};

/// The household of every job.
pub(crate) const ACCOUNT: &str = "30100001";

/// A hall with a dispatcher, a manager and one household.
pub(crate) struct Counter {
    pub(crate) hall: Hall,
    pub(crate) node: Node,
    pub(crate) dispatcher: String,
    pub(crate) manager: String,
}

/// A technician with a phone.
pub(crate) struct Technician {
    pub(crate) user: UserId,
    pub(crate) token: String,
    pub(crate) device: String,
    pub(crate) phone: Phone<FileLog<MemoryDisk>, ManualClock, SeededRng>,
    clock: ManualClock,
    boot: BootId,
    pub(crate) base: String,
}

impl Counter {
    pub(crate) async fn open() -> Self {
        Self::of(Hall::new().await).await
    }

    /// The counter of an empty hall.
    pub(crate) async fn of(hall: Hall) -> Self {
        let household = Household {
            id: HouseholdId(Uuid::from_u128(0x40)),
            account: ACCOUNT.to_owned(),
            holder: "章思雨".to_owned(),
            address: "听江里1幢101室".to_owned(),
            phone: "05530200000".to_owned(),
            place: None,
            groups: BTreeSet::new(),
            access: String::new(),
            unregistered: false,
        };
        let mut tx = hall.db.begin().await.expect("a transaction");
        let stored = households::upsert_households(tx.c(), hall.id, &[household]).await;
        stored.expect("a household");
        tx.commit().await.expect("a commit");
        let node = hall.node().await;
        hall.person("dora", Role::Dispatcher).await;
        hall.person("mara", Role::Manager).await;
        let dispatcher = node.sign_in("dora").await;
        let manager = node.sign_in("mara").await;
        Self { hall, node, dispatcher, manager }
    }

    /// Hires a technician and enrols a phone.
    pub(crate) async fn hire(&self, login: &str) -> Technician {
        let user = self.hall.person(login, Role::Technician).await;
        let (token, device) = self.node.enrol(&self.dispatcher, login, user).await;
        let seed = login.bytes().fold(0_u64, |seed, byte| seed * 31 + u64::from(byte));
        let clock = ManualClock::at(self.moment());
        let log = FileLog::open(MemoryDisk::new()).expect("a log");
        let opened = Phone::open(log, clock.clone(), SeededRng::new(seed)).await.expect("a phone");
        let mut phone = opened.phone;
        let enrolment =
            Enrolment { device: device.parse().expect("a device"), user, hall: self.hall.id };
        phone.enrol(enrolment).await.expect("enrolled");
        let base = self.node.base.clone();
        Technician { user, token, device, phone, clock, boot: BootId(7), base }
    }

    /// Takes on a repair with a window from ten to twelve, given to somebody.
    pub(crate) async fn job_for(&self, technician: UserId) -> JobId {
        let ten = self.hall.config.clock.now_ms() + 3_600_000;
        let body = json!({
            "kind": "repair", "account": ACCOUNT, "request": "灶火不旺", "technician": technician,
            "appointment": {"window": {"start": ten, "end": ten + 7_200_000}, "channel": "phone"},
        });
        let reply = self.node.post("/api/jobs", Some(&self.dispatcher), &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        text(&reply.body["id"]).parse().expect("a job")
    }

    /// Adds something to a job as the dispatcher.
    pub(crate) async fn add(&self, job: JobId, what: &str, body: &Value) -> Reply {
        let path = format!("/api/jobs/{job}/{what}");
        self.node.post(&path, Some(&self.dispatcher), body).await
    }

    /// Shows a job to the dispatcher.
    pub(crate) async fn job(&self, job: JobId) -> Value {
        let reply = self.node.get(&format!("/api/jobs/{job}"), &self.dispatcher).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    /// What the manager sees kept apart.
    pub(crate) async fn quarantine(&self) -> Vec<Value> {
        let reply = self.node.get("/api/quarantine", &self.manager).await;
        reply.body["changes"].as_array().expect("a list").clone()
    }

    /// Lets a change out.
    pub(crate) async fn release(&self, hash: &str) -> Reply {
        let path = format!("/api/quarantine/{hash}/release");
        self.node.send(Method::POST, &path, Some(&self.manager), None).await
    }

    /// Lets time pass for the hall and everybody's phones; people sign in again afterwards.
    pub(crate) async fn wait_minutes(&mut self, minutes: i64, phones: &[&Technician]) {
        self.hall.wait_minutes(minutes);
        self.dispatcher = self.node.sign_in("dora").await;
        self.manager = self.node.sign_in("mara").await;
        for technician in phones {
            technician.clock.set(Moment { boot: technician.boot, ..self.moment() });
        }
    }

    /// Lets seconds pass for the hall and everybody's phones.
    pub(crate) fn wait_seconds(&self, seconds: i64, phones: &[&Technician]) {
        let clock = &self.hall.config.clock;
        assert!(clock.set(clock.now_ms() + seconds * 1000), "the clock is manual");
        for technician in phones {
            technician.clock.set(Moment { boot: technician.boot, ..self.moment() });
        }
    }

    fn moment(&self) -> Moment {
        let now = self.hall.config.clock.now();
        Moment { wall_at: now, boot: BootId(7), mono_ms: now.timestamp_millis() % 1_000_000_000 }
    }
}

impl Technician {
    /// The phone has restarted; it shows so when time has passed.
    pub(crate) fn boot(&mut self, boot: BootId) {
        self.boot = boot;
    }

    /// Meets the hall.
    pub(crate) async fn sync(&mut self) -> SyncReport {
        let mut link = HttpLink { base: self.base.clone(), token: self.token.clone() };
        self.phone.sync(&mut link).await
    }

    /// Meets the hall, and nothing stops it.
    pub(crate) async fn synced(&mut self) {
        let report = self.sync().await;
        assert_eq!(report.end, SyncEnd::Complete, "{report:?}");
    }

    /// What the phone would say now.
    pub(crate) fn request(&self) -> Request {
        let now = self.clock.now();
        self.phone.device().request(sync::device::Moment { boot: now.boot, mono_ms: now.mono_ms })
    }

    /// Sends a request as it is.
    pub(crate) async fn exchange(&self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        HttpLink { base: self.base.clone(), token: self.token.clone() }.exchange(request).await
    }
}

/// A network that holds.
pub(crate) struct HttpLink {
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Link for HttpLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let offline = |error: reqwest::Error| LinkError::Offline(error.to_string());
        let sent = reqwest::Client::new()
            .post(format!("{}/api/sync", self.base))
            .bearer_auth(&self.token)
            .header("content-type", "application/cbor")
            .body(request)
            .send();
        let response = sent.await.map_err(offline)?;
        match response.status().as_u16() {
            200 => Ok(response.bytes().await.map_err(offline)?.to_vec()),
            status => Err(LinkError::Refused(status)),
        }
    }
}
