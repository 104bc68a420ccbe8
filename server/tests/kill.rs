//! S2: the real server killed right after it acknowledged, fifty times: nothing acknowledged is missing.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use domain::id::{FactId, JobId};
use domain::job::Job;
use mobile_core::link::{Link, LinkError};
use mobile_core::log::file::FileLog;
use mobile_core::native::{NativeClock, NativeDisk, NativeRng, open_log};
use mobile_core::phone::{Phone, SyncEnd};
use serde_json::{Value, json};
use sync::device::Enrolment;

const KILLS: u32 = 50;

type NativePhone = Phone<FileLog<NativeDisk>, NativeClock, NativeRng>;

#[tokio::test]
async fn s2_killed_right_after_each_ack_the_server_has_what_it_acknowledged() {
    let world = World::new().await;
    let mut phone = world.phone().await;
    let job = world.job;
    let mut acknowledged = BTreeSet::new();

    for kill in 1..=KILLS {
        let saved = phone.note(job, format!("第 {kill} 次")).await.expect("the note is saved");
        let mut server = Server::start(&world.database);
        // Every third time the kill comes while the request is under way: then there may be no reply.
        let moment = if kill % 3 == 0 { Moment::UnderWay } else { Moment::AfterReply };
        let token = world.token.clone();
        let mut link =
            KillingLink { base: server.base.clone(), token, server: server.child(), moment };
        let report = phone.sync(&mut link).await;
        server.wait();
        if phone.sync_state().only_here == 0 {
            acknowledged.insert(saved.fact);
        } else {
            assert!(matches!(report.end, SyncEnd::Stopped(_)), "{report:?}");
        }

        let restarted = Server::start(&world.database);
        let held = world.facts(&restarted).await;
        assert!(
            acknowledged.is_subset(&held),
            "after kill {kill}: {:?}",
            acknowledged.difference(&held)
        );
        let mut link = PlainLink { base: restarted.base.clone(), token: world.token.clone() };
        assert_eq!(phone.sync(&mut link).await.end, SyncEnd::Complete);
        acknowledged.insert(saved.fact);
    }

    let server = Server::start(&world.database);
    let held = world.facts(&server).await;
    assert_eq!(held.len(), KILLS as usize, "each fact once");
    assert_eq!(held, acknowledged);
}

/// A hall of the demo's files, with one enrolled phone.
struct World {
    folder: tempfile::TempDir,
    database: String,
    job: JobId,
    token: String,
    enrolment: Enrolment,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = cluster::fresh_database(folder.path()).expect("a database");
        let hall = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/hall");
        let imported = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .arg("import")
            .arg(hall)
            .args(["--database", &database])
            .stdout(Stdio::null())
            .status();
        assert!(imported.expect("the import runs").success());
        let server = Server::start(&database);
        let dispatcher = server.sign_in().await;
        let users = server.get("/api/users", &dispatcher).await;
        let users = users["users"].as_array().expect("users");
        let user = users.iter().find(|user| user["login"] == "jiang.hai").expect("a technician");
        let user = user["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/users/{user}/enrolment-code");
        let code = server.post(&path, Some(&dispatcher), &Value::Null).await;
        let body = json!({"login": "jiang.hai", "password": "demo-jiang.hai-2026",
                          "code": code["code"], "name": "phone"});
        let enrolled = server.post("/api/devices", None, &body).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let enrolment = Enrolment {
            device: text(&enrolled["device"]).parse().expect("a device"),
            user: user.parse().expect("a user"),
            hall: text(&enrolled["user"]["hall"]).parse().expect("a hall"),
        };
        let path = format!("/api/jobs?limit=1&technician={user}");
        let jobs = server.get(&path, &dispatcher).await;
        let job = text(&jobs["jobs"][0]["id"]).parse().expect("a job");
        Self { folder, database, job, token: text(&enrolled["token"]), enrolment }
    }

    async fn phone(&self) -> NativePhone {
        let store = self.folder.path().join("phone");
        std::fs::create_dir_all(&store).expect("a folder");
        let log = open_log(&store).expect("a log");
        let opened = Phone::open(log, NativeClock::start(), NativeRng).await.expect("a phone");
        let mut phone = opened.phone;
        phone.enrol(self.enrolment).await.expect("enrolled");
        let server = Server::start(&self.database);
        let mut link = PlainLink { base: server.base.clone(), token: self.token.clone() };
        assert_eq!(phone.sync(&mut link).await.end, SyncEnd::Complete);
        phone
    }

    /// The facts of the job as the server has them.
    async fn facts(&self, server: &Server) -> BTreeSet<FactId> {
        let dispatcher = server.sign_in().await;
        let mut detail = server.get(&format!("/api/jobs/{}", self.job), &dispatcher).await;
        let job: Job = serde_json::from_value(detail["job"].take()).expect("a job");
        job.visits.values().flat_map(|visit| visit.facts.keys().copied()).collect()
    }
}

/// A server process of its own.
struct Server {
    child: Arc<Mutex<Child>>,
    base: String,
}

impl Server {
    fn start(database: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let said = lines.map_while(Result::ok).find_map(|line| {
            line.split_once("listening on ").map(|(_, base)| base.trim().to_owned())
        });
        let base = said.expect("the server says where it listens");
        Self { child: Arc::new(Mutex::new(child)), base }
    }

    fn child(&self) -> Arc<Mutex<Child>> {
        Arc::clone(&self.child)
    }

    /// Waits until the killed process is gone, and with it its hold on the files.
    fn wait(&mut self) {
        let mut child = self.child.lock().expect("no test panics with it");
        child.wait().expect("the process ends");
    }

    async fn sign_in(&self) -> String {
        let body = json!({"login": "he.jing", "password": "demo-he.jing-2026"});
        let session = self.post("/api/session", None, &body).await;
        session["token"].as_str().expect("a token").to_owned()
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base)).bearer_auth(token);
        answered(request).await
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let mut request = reqwest::Client::new().post(format!("{}{path}", self.base)).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answered(request).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut child = self.child.lock().expect("no test panics with it");
        let _gone_already = child.kill();
        let _reaped_already = child.wait();
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{response:?}");
    response.json().await.expect("JSON")
}

#[derive(Clone, Copy)]
enum Moment {
    AfterReply,
    UnderWay,
}

/// A network at whose other end the server is killed with the first exchange that hands something in.
struct KillingLink {
    base: String,
    token: String,
    server: Arc<Mutex<Child>>,
    moment: Moment,
}

impl KillingLink {
    fn kill(&self) {
        self.server.lock().expect("no test panics with it").kill().expect("SIGKILL is sent");
    }
}

impl Link for KillingLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let sending = send(&self.base, &self.token, request);
        match self.moment {
            Moment::AfterReply => {
                let reply = sending.await;
                self.kill();
                reply
            }
            Moment::UnderWay => {
                let sending = tokio::spawn(sending);
                tokio::task::yield_now().await;
                self.kill();
                sending.await.expect("no panic")
            }
        }
    }
}

/// A network that holds.
struct PlainLink {
    base: String,
    token: String,
}

impl Link for PlainLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        send(&self.base, &self.token, request).await
    }
}

fn send(
    base: &str,
    token: &str,
    request: Vec<u8>,
) -> impl Future<Output = Result<Vec<u8>, LinkError>> + Send + 'static {
    let request = reqwest::Client::new()
        .post(format!("{base}/api/sync"))
        .bearer_auth(token)
        .header("content-type", "application/cbor")
        .body(request);
    async move {
        let offline = |error: reqwest::Error| LinkError::Offline(error.to_string());
        let response = request.send().await.map_err(offline)?;
        if response.status() != 200 {
            return Err(LinkError::Refused(response.status().as_u16()));
        }
        Ok(response.bytes().await.map_err(offline)?.to_vec())
    }
}
