//! A server on a temporary SQLite file, with phones that count what travels.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use domain::household::Household;
use domain::id::{DeviceId, HallId, HouseholdId, JobId, UserId};
use domain::job::{Channel, JobKind, Window};
use domain::pack::Pack;
use mobile_core::link::{Link, LinkError};
use mobile_core::log::file::FileLog;
use mobile_core::log::memory::MemoryDisk;
use mobile_core::native::{NativeClock, NativeRng};
use mobile_core::phone::{Phone, SyncEnd};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use server::config::{Config, Secret};
use server::db::users::{self, UserRow};
use server::db::{halls, households};
use server::ids::fresh_uuid;
use server::jobs::{NewJob, Scribe, create_job};
use server::reach::{News, NewsKind};
use server::state::AppState;
use sync::device::Enrolment;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::figures::now;

const PASSWORD: &str = "bench password of nobody";

/// What the hall is called.
pub(crate) const HALL: &str = "测试营业厅";

/// A server in this process, and what is needed to fill its hall.
pub(crate) struct Stage {
    state: AppState,
    hall: HallId,
    household: HouseholdId,
    dispatcher: UserId,
    hash: String,
    base: String,
    token: String,
    http: Client,
    database: String,
}

/// A technician with a phone in memory.
pub(crate) struct Technician {
    pub(crate) user: UserId,
    token: String,
    pub(crate) phone: Phone<FileLog<MemoryDisk>, NativeClock, NativeRng>,
}

impl Stage {
    /// Starts a server on an empty hall in an empty database.
    pub(crate) async fn set(database: String) -> anyhow::Result<Self> {
        Self::of(config(&database)).await
    }

    /// Starts one that may push to a service of our own.
    pub(crate) async fn pushing(database: String, service: String) -> anyhow::Result<Self> {
        Self::of(Config { push_allowed: vec![service], ..config(&database) }).await
    }

    async fn of(config: Config) -> anyhow::Result<Self> {
        let database = config.database.0.clone();
        let app = server::build(config).await?;
        let state = app.state.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        tokio::spawn(app.serve(listener, std::future::pending()));
        let hash = state.passwords.hash(PASSWORD).await?;
        let (hall, household) = (HallId(Uuid::from_u128(1)), HouseholdId(Uuid::from_u128(2)));
        let dispatcher = UserId(Uuid::from_u128(3));
        let mut tx = state.db.begin().await?;
        halls::upsert_hall(tx.c(), hall, HALL, 480).await?;
        let door = Household {
            id: household,
            account: "30100001".to_owned(),
            holder: "章思雨".to_owned(),
            address: "芜湖市镜湖区吉和街听江里1幢1单元101室".to_owned(),
            phone: "05530200000".to_owned(),
            place: None,
            groups: BTreeSet::new(),
            access: "无电梯，工具少带".to_owned(),
            unregistered: false,
        };
        households::upsert_households(tx.c(), hall, &[door]).await?;
        tx.commit().await?;
        let (http, token) = (Client::new(), String::new());
        let mut it = Self { state, hall, household, dispatcher, hash, base, token, http, database };
        it.add_user(dispatcher, "dora", "dispatcher").await?;
        let body = json!({"login": "dora", "password": PASSWORD});
        it.token = text(&it.post("/api/session", None, &body).await?["token"])?;
        Ok(it)
    }

    /// Hires a technician and enrols a phone.
    pub(crate) async fn hire(&self, login: &str) -> anyhow::Result<Technician> {
        let user = UserId(fresh_uuid(self.state.clock.now()));
        self.add_user(user, login, "technician").await?;
        let path = format!("/api/users/{user}/enrolment-code");
        let code = self.post(&path, Some(&self.token), &Value::Null).await?;
        let body =
            json!({"login": login, "password": PASSWORD, "code": code["code"], "name": "phone"});
        let enrolled = self.post("/api/devices", None, &body).await?;
        let log = FileLog::open(MemoryDisk::new())?;
        let opened = Phone::open(log, NativeClock::start(), NativeRng).await?;
        let mut phone = opened.phone;
        let device: DeviceId = text(&enrolled["device"])?.parse()?;
        phone.enrol(Enrolment { device, user, hall: self.hall }).await?;
        Ok(Technician { user, token: text(&enrolled["token"])?, phone })
    }

    /// Takes on jobs for a technician.
    pub(crate) async fn jobs_for(
        &self,
        technician: &Technician,
        count: usize,
    ) -> anyhow::Result<Vec<JobId>> {
        let now = self.state.clock.now();
        let pack = Pack::builtin();
        let window = Window { start: now, end: now + chrono::TimeDelta::hours(2) };
        let (actor, packs, near_until) = (&self.state.actor, &self.state.packs, window.end);
        let scribe = Scribe { actor, packs, pack: &pack, now, near_until };
        let author = server::jobs::plan::author(self.dispatcher, now);
        let mut jobs = Vec::with_capacity(count);
        let mut tx = self.state.db.begin().await?;
        for _ in 0..count {
            let new = NewJob {
                id: JobId(fresh_uuid(now)),
                hall: self.hall,
                kind: JobKind::Repair,
                household: self.household,
                request: "灶火不旺，请检查".to_owned(),
                caller_phone: String::new(),
                author,
                appointment: Some((window, Channel::Phone)),
                technician: Some(technician.user),
                also_due: Vec::new(),
                attempts: Vec::new(),
                hazards: Vec::new(),
            };
            create_job(tx.c(), &scribe, &new).await?;
            jobs.push(new.id);
        }
        tx.commit().await?;
        Ok(jobs)
    }

    /// Turns the lock screen of a phone on.
    pub(crate) async fn subscribe(
        &self,
        phone: &Technician,
        endpoint: &str,
        (p256dh, auth): (&str, &str),
    ) -> anyhow::Result<()> {
        let url = |path: &str| format!("{}/api/push/{path}", self.base);
        let key = self.http.get(url("key")).bearer_auth(&phone.token).send().await?;
        let key: Value = key.error_for_status()?.json().await?;
        let body = json!({"endpoint": endpoint, "p256dh": p256dh, "auth": auth,
            "public_key": key["public_key"], "language": "zh", "scope": format!("{}/m/", self.base)});
        let put = self.http.put(url("subscription")).bearer_auth(&phone.token).json(&body);
        put.send().await?.error_for_status()?;
        Ok(())
    }

    /// Takes on one job for a technician as a dispatcher does.
    pub(crate) async fn give(&self, technician: &Technician) -> anyhow::Result<()> {
        let now_ms = self.state.clock.now_ms();
        let window = json!({"start": now_ms, "end": now_ms + 7_200_000});
        let body = json!({"kind": "repair", "account": "30100001", "request": "灶火不旺",
            "technician": technician.user, "appointment": {"window": window, "channel": "phone"}});
        self.post("/api/jobs", Some(&self.token), &body).await.map(drop)
    }

    /// Something that one person has to hear within the hour.
    pub(crate) fn news(&self, to: UserId, kind: NewsKind) -> News {
        let expires_at = self.state.clock.now() + chrono::TimeDelta::hours(1);
        News { hall: self.hall, to, job: None, kind, expires_at, data: Value::Null }
    }

    /// Writes news down and rings.
    pub(crate) async fn tell(&self, news: &[News]) -> anyhow::Result<()> {
        let mut tx = self.state.db.begin().await?;
        server::reach::tell(tx.c(), news, self.state.clock.now()).await?;
        tx.commit().await?;
        self.state.bell.nudge(self.hall);
        Ok(())
    }

    /// Where the hall is kept.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// The job's document as a file.
    pub(crate) async fn document(&self, job: JobId) -> anyhow::Result<Vec<u8>> {
        let url = format!("{}/api/jobs/{job}/document", self.base);
        let response = self.http.get(url).bearer_auth(&self.token).send().await?;
        Ok(response.error_for_status()?.bytes().await?.to_vec())
    }

    /// Starts another server process on the same database.
    pub(crate) fn separate_server(&self) -> anyhow::Result<Separate> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &self.database])
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("the child's output is piped")?;
        let line = BufReader::new(out).lines().next().context("the server says nothing")??;
        Ok(Separate { child, base: line })
    }

    async fn add_user(&self, user: UserId, login: &str, role: &str) -> anyhow::Result<()> {
        let row = UserRow {
            user_id: user.0,
            hall_id: self.hall.0,
            login: login.to_owned(),
            name: login.to_owned(),
            role: role.to_owned(),
            password_hash: Some(self.hash.clone()),
            created_at: self.state.clock.now_ms(),
            disabled_at: None,
        };
        let mut tx = self.state.db.begin().await?;
        users::insert_user(tx.c(), &row).await?;
        Ok(tx.commit().await?)
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

impl Technician {
    /// Records so many facts at the first of its jobs.
    pub(crate) async fn record(&mut self, facts: usize) -> anyhow::Result<()> {
        let job = self.phone.device().jobs().next().context("the phone has a job")?.id;
        for number in 0..facts {
            self.phone.note(job, format!("第 {number} 条")).await?;
        }
        Ok(())
    }

    /// Meets the hall, and nothing stops it.
    pub(crate) async fn sync(&mut self, link: &mut CountingLink) -> anyhow::Result<()> {
        let report = self.phone.sync(link).await;
        anyhow::ensure!(report.end == SyncEnd::Complete, "{report:?}");
        Ok(())
    }
}

/// The way to the hall, counting what travels before HTTP compresses it.
pub(crate) struct CountingLink {
    http: Client,
    url: String,
    token: String,
    pub(crate) rounds: usize,
    pub(crate) sent: usize,
    pub(crate) received: usize,
}

impl CountingLink {
    /// Begins to count at zero.
    pub(crate) fn new(stage: &Stage, technician: &Technician) -> Self {
        let url = format!("{}/api/sync", stage.base);
        let (http, token) = (stage.http.clone(), technician.token.clone());
        Self { http, url, token, rounds: 0, sent: 0, received: 0 }
    }
}

impl Link for CountingLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let offline = |error: reqwest::Error| LinkError::Offline(error.to_string());
        self.rounds += 1;
        self.sent += request.len();
        let post = self.http.post(&self.url).bearer_auth(&self.token);
        let post = post.header("content-type", "application/cbor").body(request);
        let response = post.send().await.map_err(offline)?;
        if response.status() != 200 {
            return Err(LinkError::Refused(response.status().as_u16()));
        }
        let reply = response.bytes().await.map_err(offline)?.to_vec();
        self.received += reply.len();
        Ok(reply)
    }
}

/// An open live stream.
pub(crate) struct Live {
    response: Response,
    buffer: Vec<u8>,
}

impl Live {
    /// Opens it and reads the snapshot away.
    pub(crate) async fn open(stage: &Stage) -> anyhow::Result<Self> {
        let url = format!("{}/api/live", stage.base);
        let response = stage.http.get(url).bearer_auth(&stage.token).send().await?;
        let mut live = Self { response: response.error_for_status()?, buffer: Vec::new() };
        live.next().await?;
        Ok(live)
    }

    /// Waits for the next event.
    pub(crate) async fn next(&mut self) -> anyhow::Result<()> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if block.starts_with(b":") {
                    continue;
                }
                return Ok(());
            }
            let chunk = self.response.chunk().await?.context("the stream ended")?;
            self.buffer.extend_from_slice(&chunk);
        }
    }
}

/// A server process of its own.
pub(crate) struct Separate {
    child: Child,
    base: String,
}

impl Separate {
    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads every page of the job list.
    pub(crate) async fn show_all_jobs(&self, stage: &Stage) -> anyhow::Result<()> {
        let mut path = "/api/jobs?limit=500".to_owned();
        loop {
            let url = format!("{}{path}", self.base);
            let page: Value =
                stage.http.get(url).bearer_auth(&stage.token).send().await?.json().await?;
            match page["next"].as_str() {
                Some(next) => path = format!("/api/jobs?limit=500&after={next}"),
                None => return Ok(()),
            }
        }
    }
}

impl Drop for Separate {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// Serves a database until the process is killed; prints where.
#[expect(clippy::print_stdout, reason = "the parent process reads the address")]
pub(crate) async fn serve(database: &str) -> anyhow::Result<()> {
    let app = server::build(config(database)).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    app.serve(listener, std::future::pending()).await
}

/// Commits of one row each to an empty database, one after the other, over the server's own facade.
pub(crate) async fn bare_commits(database: &str) -> anyhow::Result<u32> {
    let db = server::db::Db::open(database).await?;
    let hall = HallId(Uuid::from_u128(9));
    let mut tx = db.begin().await?;
    halls::upsert_hall(tx.c(), hall, "裸", 480).await?;
    tx.commit().await?;
    let began = now();
    let mut commits = 0;
    while began.elapsed().as_millis() < 2_000 {
        let mut tx = db.begin().await?;
        halls::take_positions(tx.c(), hall, 1).await?;
        tx.commit().await?;
        commits += 1;
    }
    Ok(commits / 2)
}

fn config(database: &str) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Secret(database.to_owned()),
        ..Config::default()
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().with_context(|| format!("{value} is no text"))?.to_owned())
}
