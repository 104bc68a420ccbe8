//! A hall of the demo's files, servers in processes of their own, and phones that reach them over HTTP.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use domain::id::{DeviceId, FactId, JobId};
use domain::job::Job;
use mobile_core::link::{Link, LinkError};
use mobile_core::log::file::FileLog;
use mobile_core::native::{NativeClock, NativeDisk, NativeRng, open_log};
use mobile_core::phone::{Phone, SyncEnd};
use serde_json::{Value, json};
use sync::device::Enrolment;

pub(crate) type NativePhone = Phone<FileLog<NativeDisk>, NativeClock, NativeRng>;

/// Where the hall's database is.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) url: String,
    /// The servers that it may be on, separated by commas; empty for the URL's own.
    pub(crate) hosts: String,
}

/// A technician's phone with a job, and the way in.
pub(crate) struct Carrier {
    pub(crate) phone: NativePhone,
    pub(crate) job: JobId,
    pub(crate) token: String,
    _folder: tempfile::TempDir,
}

/// A server process of its own.
pub(crate) struct Server {
    child: Arc<Mutex<Child>>,
    pub(crate) base: String,
}

impl Database {
    /// Loads the demo hall.
    pub(crate) fn fill(&self) {
        let hall = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/hall");
        let imported = self.doorstep("import").arg(hall).stdout(Stdio::null()).status();
        assert!(imported.expect("the import runs").success());
    }

    pub(crate) fn doorstep(&self, command: &str) -> Command {
        let mut doorstep = Command::new(env!("CARGO_BIN_EXE_doorstep"));
        doorstep.env("DOORSTEP_DATABASE_HOSTS", &self.hosts);
        doorstep.args([command, "--database", &self.url]);
        doorstep
    }
}

impl Carrier {
    /// Enrols a phone for a technician of the demo hall, and lets it hear of its jobs.
    pub(crate) async fn enrol(server: &Server, login: &str) -> Self {
        let enrolled = admit(server, login, None).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let user = text(&enrolled["user"]["id"]);
        let enrolment = Enrolment {
            device: text(&enrolled["device"]).parse().expect("a device"),
            user: user.parse().expect("a user"),
            hall: text(&enrolled["user"]["hall"]).parse().expect("a hall"),
        };
        let dispatcher = server.sign_in().await;
        let jobs = server.get(&format!("/api/jobs?limit=1&technician={user}"), &dispatcher).await;
        let job = text(&jobs["jobs"][0]["id"]).parse().expect("a job");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = open_log(folder.path()).expect("a log");
        let opened = Phone::open(log, NativeClock::start(), NativeRng).await.expect("a phone");
        let mut phone = opened.phone;
        phone.enrol(enrolment).await.expect("enrolled");
        let token = text(&enrolled["token"]);
        let mut carrier = Self { phone, job, token, _folder: folder };
        assert_eq!(carrier.sync(&server.base).await, SyncEnd::Complete);
        carrier
    }

    /// Lets a phone go on whose session is over, under the id that it had.
    pub(crate) async fn again(
        server: &Server,
        login: &str,
        (phone, job): (NativePhone, JobId),
        folder: tempfile::TempDir,
    ) -> Self {
        let device = phone.enrolment().expect("it was enrolled").device;
        let enrolled = admit(server, login, Some(device)).await;
        let token = enrolled["token"].as_str().expect("a token").to_owned();
        Self { phone, job, token, _folder: folder }
    }

    /// Hands in what the phone has, over a network that holds.
    pub(crate) async fn sync(&mut self, base: &str) -> SyncEnd {
        let mut link = PlainLink { base: base.to_owned(), token: self.token.clone() };
        self.phone.sync(&mut link).await.end
    }
}

impl Server {
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    /// Starts a server that is set up in its own way.
    pub(crate) fn start_with(database: &Database, variables: &[(&str, &str)]) -> Self {
        let mut child = database
            .doorstep("serve")
            .envs(variables.iter().copied())
            .args(["--listen", "127.0.0.1:0"])
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

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.lock().expect("no test panics with it").id()
    }

    pub(crate) fn child(&self) -> Arc<Mutex<Child>> {
        Arc::clone(&self.child)
    }

    /// Waits until the killed process is gone, and with it its hold on the files.
    pub(crate) fn wait(&mut self) {
        let mut child = self.child.lock().expect("no test panics with it");
        child.wait().expect("the process ends");
    }

    /// Every fact of a job as the server has them.
    pub(crate) async fn facts(&self, job: JobId) -> BTreeSet<FactId> {
        let dispatcher = self.sign_in().await;
        let mut detail = self.get(&format!("/api/jobs/{job}"), &dispatcher).await;
        let job: Job = serde_json::from_value(detail["job"].take()).expect("a job");
        job.visits.values().flat_map(|visit| visit.facts.keys().copied()).collect()
    }

    pub(crate) async fn sign_in(&self) -> String {
        self.sign_in_as("he.jing").await
    }

    /// Signs somebody of the demo hall in; returns their token.
    pub(crate) async fn sign_in_as(&self, login: &str) -> String {
        let body = json!({"login": login, "password": format!("demo-{login}-2026")});
        let session = self.post("/api/session", None, &body).await;
        session["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base)).bearer_auth(token);
        answered(request).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
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

/// Enrols a phone of a technician with a fresh code; tells what it is given.
async fn admit(server: &Server, login: &str, device: Option<DeviceId>) -> Value {
    let dispatcher = server.sign_in().await;
    let users = server.get("/api/users", &dispatcher).await;
    let users = users["users"].as_array().expect("users");
    let user = users.iter().find(|user| user["login"] == login).expect("a technician");
    let user = user["id"].as_str().expect("an id");
    let path = format!("/api/users/{user}/enrolment-code");
    let code = server.post(&path, Some(&dispatcher), &Value::Null).await;
    let body = json!({"login": login, "password": format!("demo-{login}-2026"),
                      "code": code["code"], "name": "phone", "device": device});
    server.post("/api/devices", None, &body).await
}

/// Prints a figure for the page of claims.
#[expect(clippy::print_stdout, reason = "the page of claims is made of such lines")]
pub(crate) fn claim(figures: &str) {
    println!("claim {figures}");
}

async fn answered(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{response:?}");
    response.json().await.expect("JSON")
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

pub(crate) fn send(
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
