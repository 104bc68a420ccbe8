//! A hall to test with: a database, people, and servers that share them.

use domain::id::{HallId, UserId};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::{Config, Secret};
use server::db::users::{self, UserRow};
use server::db::{Db, halls};
use server::identity::Role;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

/// Everybody's password, unless a test says otherwise.
pub(crate) const PASSWORD: &str = "kettle sings at noon";

/// What is kept of it; who signs in shows that it is the right one.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$2OT6U9dLnkgSpcDVBX9akw$Tt9mSP/CehZ9YP047Ju2pO4ayDieez59hcZGBtB8Cco";

/// 2026-03-02 09:00 in the hall's city.
pub(crate) const MORNING_MS: i64 = 1_772_413_200_000;

/// A database with a hall, and the clock of all servers on it.
pub(crate) struct Hall {
    pub(crate) id: HallId,
    pub(crate) db: Db,
    pub(crate) config: Config,
    folder: tempfile::TempDir,
}

/// A server on the hall's database.
pub(crate) struct Node {
    pub(crate) base: String,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

/// What a server replied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) body: Value,
    pub(crate) retry_after: Option<i64>,
}

impl Hall {
    /// An empty hall at nine in the morning.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = cluster::fresh_database(folder.path()).expect("a database");
        Self::on(database, folder).await
    }

    /// An empty hall on a database of one's own.
    pub(crate) async fn on(database: String, folder: tempfile::TempDir) -> Self {
        let morning = chrono::DateTime::from_timestamp_millis(MORNING_MS).expect("a time");
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            database: Secret(database),
            photo_store: folder.path().join("photos").display().to_string(),
            clock: Clock::manual(morning),
            // A test says when somebody is reminded.
            reminders: false,
            ..Config::default()
        };
        let db = Db::open(&config.database.0).await.expect("the database opens");
        let id = HallId(Uuid::from_u128(0x4a11));
        let mut tx = db.begin().await.expect("a transaction");
        halls::upsert_hall(tx.c(), id, "城东营业厅", 480).await.expect("a hall");
        tx.commit().await.expect("a commit");
        Self { id, db, config, folder }
    }

    /// Another hall on the same database, with the same clock.
    pub(crate) async fn beside(&self, id: HallId, name: &str) -> Self {
        let mut tx = self.db.begin().await.expect("a transaction");
        halls::upsert_hall(tx.c(), id, name, 480).await.expect("a hall");
        tx.commit().await.expect("a commit");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { id, db: self.db.clone(), config: self.config.clone(), folder }
    }

    /// Adds somebody with [`PASSWORD`].
    pub(crate) async fn person(&self, login: &str, role: Role) -> UserId {
        self.person_with_hash(login, role, HASH.to_owned()).await
    }

    /// Adds somebody with a password that was hashed elsewhere.
    pub(crate) async fn person_with_hash(&self, login: &str, role: Role, hash: String) -> UserId {
        self.insert_person(self.id, (login, role), hash).await
    }

    /// Adds somebody of another hall with [`PASSWORD`].
    pub(crate) async fn person_in(&self, hall: HallId, login: &str, role: Role) -> UserId {
        self.insert_person(hall, (login, role), HASH.to_owned()).await
    }

    async fn insert_person(
        &self,
        hall: HallId,
        (login, role): (&str, Role),
        hash: String,
    ) -> UserId {
        let user = UserRow {
            user_id: Uuid::new_v5(&hall.0, login.as_bytes()),
            hall_id: hall.0,
            login: login.to_owned(),
            name: login.to_uppercase(),
            role: role.key().to_owned(),
            password_hash: Some(hash),
            created_at: MORNING_MS,
            disabled_at: None,
        };
        let mut tx = self.db.begin().await.expect("a transaction");
        users::insert_user(tx.c(), &user).await.expect("a new person");
        tx.commit().await.expect("a commit");
        UserId(user.user_id)
    }

    /// Starts a server.
    pub(crate) async fn node(&self) -> Node {
        self.node_with(self.config.clone()).await
    }

    /// Starts a server that is set up in its own way.
    pub(crate) async fn node_with(&self, config: Config) -> Node {
        let app = server::build(config).await.expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            app.serve(listener, stopped).await.expect("the server serves");
        });
        Node { base, http: reqwest::Client::new(), stop: Some(stop), task }
    }

    /// Lets time pass for every server.
    pub(crate) fn wait_minutes(&self, minutes: i64) {
        let clock = &self.config.clock;
        assert!(clock.set(clock.now_ms() + minutes * 60_000), "the clock is manual");
    }

    /// Runs a statement that breaks something on purpose.
    pub(crate) async fn break_with(&self, sql: &'static str) {
        let mut tx = self.db.begin().await.expect("a transaction");
        tx.c().q(sql).execute().await.expect("the statement runs");
        tx.commit().await.expect("a commit");
    }

    /// Everything the database's files hold, or nothing when it has none of its own.
    pub(crate) fn files(&self) -> Vec<u8> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file())
            .flat_map(|path| std::fs::read(path).expect("a file"))
            .collect()
    }
}

impl Node {
    /// Stops as a signal would have it, and lets the database go.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.task).await.expect("the server stops");
    }

    /// Sends a request, signed in when there is a token.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        reply(request).await
    }

    /// Sends a request and looks at the status alone.
    pub(crate) async fn status(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> u16 {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let sent = request.bearer_auth(token).json(body).send().await;
        sent.expect("the server replies").status().as_u16()
    }

    /// Sends a request with headers of its own and gives the response as it came.
    pub(crate) async fn send_with(
        &self,
        (method, path): (Method, &str),
        token: &str,
        headers: &[(&'static str, &str)],
        body: Option<&Value>,
    ) -> reqwest::Response {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let mut request = request.bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.expect("the server replies")
    }

    /// Reads a resource.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(Method::GET, path, Some(token), None).await
    }

    /// Posts a body.
    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Reply {
        self.send(Method::POST, path, token, Some(body)).await
    }

    /// Tries to sign in.
    pub(crate) async fn try_sign_in(&self, login: &str, password: &str) -> Reply {
        self.post("/api/session", None, &json!({"login": login, "password": password})).await
    }

    /// Signs somebody of the hall in; returns their token.
    pub(crate) async fn sign_in(&self, login: &str) -> String {
        let reply = self.try_sign_in(login, PASSWORD).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        text(&reply.body["token"])
    }

    /// Makes a code for a technician.
    pub(crate) async fn code(&self, dispatcher: &str, technician: UserId) -> String {
        let path = format!("/api/users/{technician}/enrolment-code");
        let reply = self.post(&path, Some(dispatcher), &Value::Null).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        text(&reply.body["code"])
    }

    /// Tries to enrol a phone.
    pub(crate) async fn try_enrol(&self, login: &str, code: &str) -> Reply {
        let body = json!({"login": login, "password": PASSWORD, "code": code, "name": "phone"});
        self.post("/api/devices", None, &body).await
    }

    /// Enrols a phone; returns its token and id.
    pub(crate) async fn enrol(
        &self,
        dispatcher: &str,
        login: &str,
        user: UserId,
    ) -> (String, String) {
        let reply = self.try_enrol(login, &self.code(dispatcher, user).await).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        (text(&reply.body["token"]), text(&reply.body["device"]))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reply {
    /// The stable end of the problem's type.
    pub(crate) fn problem(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:doorstep:").unwrap_or("no problem")
    }
}

/// Sends a request and reads the whole reply.
pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.expect("the server replies");
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().expect("a header").to_owned())
    };
    let kind = header("content-type").unwrap_or_default();
    let retry_after = header("retry-after").map(|value| value.parse().expect("seconds"));
    let status = response.status();
    let body = response.bytes().await.expect("a body");
    Reply { status, kind, body: serde_json::from_slice(&body).unwrap_or_default(), retry_after }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
