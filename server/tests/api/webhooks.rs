//! Webhooks: what happens is told to a real receiver, once it is committed, signed and for days.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertifiedKey, KeyPair};
use serde_json::{Value, json};
use server::config::Config;
use server::upkeep::prune;
use server::webhooks::signature::sign;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{Node, text};

const EVERY: [&str; 5] =
    ["job.created", "job.planned", "job.visited", "job.said", "reading.recorded"];

#[tokio::test]
async fn what_happens_is_told_with_ids_and_facts_and_without_names() {
    let (counter, mut receiver) = open().await;
    let hook = register(&counter, &receiver, &EVERY, false).await;

    let job = a_job(&counter.node, &counter.dispatcher).await;

    let message = receiver.next().await;
    assert_eq!(message.body["type"], "job.created");
    assert_eq!(message.body["data"]["job"], json!(job));
    assert_eq!(message.body["data"]["status"], "unassigned");
    let raw = message.raw.clone();
    for hidden in ["章思雨", "听江里", ACCOUNT, "05530200000"] {
        assert!(!raw.contains(hidden), "{raw}");
    }
    let log = deliveries(&counter, &hook).await;
    assert_eq!(log.as_array().unwrap().len(), 1);
    assert_eq!(log[0]["payload"], message.body);
    assert_eq!(format!("msg_{}", text(&log[0]["id"]).replace('-', "")), message.id);
}

#[tokio::test]
async fn a_hall_that_opts_in_is_told_names_and_only_the_kinds_it_asked_for() {
    let (counter, mut receiver) = open().await;
    register(&counter, &receiver, &["job.said"], true).await;
    let job = a_job(&counter.node, &counter.dispatcher).await;

    let path = format!("/api/jobs/{job}/messages");
    let said =
        counter.node.post(&path, Some(&counter.dispatcher), &json!({"text": "到了吗"})).await;

    assert_eq!(said.status, 201);
    let message = receiver.next().await;
    assert_eq!(message.body["type"], "job.said");
    assert_eq!(message.body["data"]["household"]["holder"], "章思雨");
    assert!(!message.raw.contains("到了吗"), "what was said stays in the hall");
}

#[tokio::test]
async fn messages_are_signed_and_after_a_rotation_by_both_secrets() {
    let (counter, mut receiver) = open().await;
    let hook = register(&counter, &receiver, &EVERY, false).await;
    let old = secret(&hook["secret"]);
    a_job(&counter.node, &counter.dispatcher).await;
    let first = receiver.next().await;
    assert_eq!(first.signature, sign(&[&old], (&first.id, first.timestamp), &first.raw));

    let path = format!("/api/webhooks/{}/secret", text(&hook["id"]));
    let rotated = counter.node.post(&path, Some(&counter.manager), &Value::Null).await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    let new = secret(&rotated.body["secret"]);
    a_job(&counter.node, &counter.dispatcher).await;
    let second = receiver.next().await;
    let both = sign(&[&new, &old], (&second.id, second.timestamp), &second.raw);
    assert_eq!(second.signature, both);

    counter.hall.wait_minutes(25 * 60);
    let dora = counter.node.sign_in("dora").await;
    a_job(&counter.node, &dora).await;
    let third = receiver.next().await;
    assert_eq!(third.signature, sign(&[&new], (&third.id, third.timestamp), &third.raw));
    let mara = counter.node.sign_in("mara").await;
    let listed = counter.node.get("/api/webhooks", &mara).await.body;
    assert_eq!(listed["webhooks"][0]["secret"], Value::Null, "shown once");
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_under_the_same_id_until_it_is() {
    let (counter, mut receiver) = open().await;
    let hook = register(&counter, &receiver, &EVERY, false).await;
    receiver.answer(StatusCode::SERVICE_UNAVAILABLE);
    a_job(&counter.node, &counter.dispatcher).await;
    let first = receiver.next().await;
    let log = logged(&counter, &hook, |it| it["last_status"] == 503).await;
    assert_eq!(log[0]["state"], "pending");
    assert!(log[0]["next_at"].as_i64() > Some(counter.hall.config.clock.now_ms()));

    receiver.answer(StatusCode::NO_CONTENT);
    counter.hall.wait_minutes(1);

    let second = receiver.next().await;
    assert_eq!((&second.id, &second.raw), (&first.id, &first.raw));
    let log = logged(&counter, &hook, |it| it["state"] == "sent").await;
    assert_eq!((&log[0]["attempts"], &log[0]["last_status"]), (&json!(2), &json!(204)));

    let delivery = text(&log[0]["id"]);
    let path = format!("/api/webhooks/{}/deliveries/{delivery}/replay", text(&hook["id"]));
    assert_eq!(counter.node.post(&path, Some(&counter.manager), &Value::Null).await.status, 204);
    assert_eq!(receiver.next().await.id, first.id, "replayed");
}

#[tokio::test]
async fn after_three_days_a_webhook_is_disabled_with_a_reason_and_can_be_enabled() {
    let (mut counter, mut receiver) = open().await;
    let hook = register(&counter, &receiver, &EVERY, false).await;
    receiver.answer(StatusCode::FOUND);
    a_job(&counter.node, &counter.dispatcher).await;
    receiver.next().await;
    logged(&counter, &hook, |it| it["last_status"] == 302).await;
    counter.hall.wait_minutes(3 * 24 * 60);
    receiver.next().await;
    counter.manager = counter.node.sign_in("mara").await;
    let log = logged(&counter, &hook, |it| it["state"] == "given_up").await;
    assert!(text(&log[0]["last_error"]).contains("redirects are not followed"), "{log}");

    let listed = counter.node.get("/api/webhooks", &counter.manager).await.body;
    let reason = text(&listed["webhooks"][0]["disabled_reason"]);
    assert!(reason.starts_with("no success for three days"), "{reason}");
    receiver.answer(StatusCode::OK);
    let path = format!("/api/webhooks/{}/enable", text(&hook["id"]));
    assert_eq!(counter.node.post(&path, Some(&counter.manager), &Value::Null).await.status, 204);
    let dora = counter.node.sign_in("dora").await;
    let job = a_job(&counter.node, &dora).await;
    assert_eq!(receiver.next().await.body["data"]["job"], json!(job));
}

#[tokio::test]
async fn messages_that_were_sent_leave_the_log_and_those_that_wait_stay() {
    let (mut counter, mut receiver) = open().await;
    let hook = register(&counter, &receiver, &EVERY, false).await;
    a_job(&counter.node, &counter.dispatcher).await;
    receiver.next().await;
    logged(&counter, &hook, |it| it["state"] == "sent").await;
    receiver.answer(StatusCode::SERVICE_UNAVAILABLE);
    counter.hall.wait_minutes(1);
    a_job(&counter.node, &counter.dispatcher).await;
    receiver.next().await;
    logged(&counter, &hook, |it| it["last_status"] == 503).await;
    counter.node.stop().await;

    let app = server::build(counter.hall.config.clone()).await.unwrap();
    assert_eq!(prune(&app.state).await.unwrap().deliveries, 0, "a month is not over");
    counter.hall.wait_minutes(31 * 24 * 60);
    assert_eq!(prune(&app.state).await.unwrap().deliveries, 1);
    let mut conn = counter.hall.db.read().await.unwrap();
    let left: (i64, String) =
        conn.c().q("select count(*), min(state) from webhook_delivery").one().await.unwrap();
    assert_eq!(left, (1, "pending".to_owned()));
}

/// A request that is refused tells nobody: the outbox is part of its transaction.
#[tokio::test]
async fn what_was_not_committed_is_not_told() {
    let (counter, mut receiver) = open().await;
    register(&counter, &receiver, &EVERY, false).await;
    let job = a_job(&counter.node, &counter.dispatcher).await;
    receiver.next().await;
    counter.hall.break_with("alter table live_event rename to live_event_away").await;
    let path = format!("/api/jobs/{job}/messages");
    let lost = counter.node.post(&path, Some(&counter.dispatcher), &json!({"text": "一"})).await;
    assert_eq!(lost.status, 500);
    counter.hall.break_with("alter table live_event_away rename to live_event").await;

    let kept = counter.node.post(&path, Some(&counter.dispatcher), &json!({"text": "二"})).await;

    assert_eq!(kept.status, 201);
    let message = receiver.next().await;
    let shown = counter.job(job.parse().unwrap()).await;
    assert_eq!(message.body["data"]["position"], shown["summary"]["position"]);
}

#[tokio::test]
async fn many_nodes_send_each_message_once() {
    let (counter, mut receiver) = open().await;
    register(&counter, &receiver, &EVERY, false).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(counter.hall.node().await);
    }
    let mut jobs = std::collections::BTreeSet::new();
    for _ in 0..30 {
        jobs.insert(a_job(&counter.node, &counter.dispatcher).await);
    }

    let mut told = Vec::new();
    for _ in 0..30 {
        told.push(text(&receiver.next().await.body["data"]["job"]));
    }

    assert_eq!(told.iter().cloned().collect::<std::collections::BTreeSet<_>>(), jobs);
    assert!(receiver.is_quiet(), "nothing is told twice");
}

#[tokio::test]
async fn check_44_no_webhook_leads_to_what_stands_beside_the_server() {
    let counter = Counter::open().await;

    for url in [
        "http://1.1.1.1/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost:8080/",
        "ftp://x/",
        "x",
    ] {
        let body = json!({"url": url, "kinds": ["job.created"]});
        let refused = counter.node.post("/api/webhooks", Some(&counter.manager), &body).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (422, "webhook-url"), "{url}");
    }
}

/// What was allowed when it was saved is looked at again when something is sent.
#[tokio::test]
async fn check_44_a_webhook_is_looked_at_again_when_something_is_sent() {
    let (mut counter, mut receiver) = open().await;
    let hook = register(&counter, &receiver, &EVERY, false).await;
    let strict = Config { webhook_allowed: Vec::new(), ..counter.hall.config.clone() };
    counter.node.stop().await;
    let node = counter.hall.node_with(strict).await;
    let counter = Counter { node, ..counter };

    a_job(&counter.node, &counter.dispatcher).await;

    let log =
        logged(&counter, &hook, |it| it["attempts"] == 1 && !it["last_error"].is_null()).await;
    assert!(text(&log[0]["last_error"]).contains("https://"), "{log}");
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn over_tls_a_receiver_is_told_once_its_authority_is_trusted() {
    let mut counter = Counter::open().await;
    let named = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut receiver = Receiver::listen_with_tls(&named).await;
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    counter.hall.config.webhook_allowed = vec![receiver.address.clone()];
    counter.hall.config.webhook_ca = authority.display().to_string();
    counter.node.stop().await;
    counter.node = counter.hall.node().await;
    let url = format!("https://{}/hook", receiver.address);
    let body = json!({"url": url, "kinds": EVERY, "with_household": false});
    let hook = counter.node.post("/api/webhooks", Some(&counter.manager), &body).await.body;
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();

    let job = a_job(&counter.node, &counter.dispatcher).await;
    let log = logged(&counter, &hook, |it| !it["last_error"].is_null()).await;
    assert!(text(&log[0]["last_error"]).contains("webhook_ca cannot be read"), "{log}");
    std::fs::write(&authority, other.cert.pem()).unwrap();
    counter.hall.wait_minutes(1);
    let log = logged(&counter, &hook, |it| text(&it["last_error"]).contains("certificate")).await;
    assert!(receiver.is_quiet(), "{log}");
    std::fs::write(&authority, named.cert.pem()).unwrap();
    counter.hall.wait_minutes(1);

    assert_eq!(receiver.next().await.body["data"]["job"], json!(job));
    logged(&counter, &hook, |it| it["state"] == "sent").await;
}

/// A receiver on this machine, which the hall allows by name.
struct Receiver {
    address: String,
    messages: mpsc::UnboundedReceiver<Message>,
    answer: Arc<Mutex<StatusCode>>,
}

/// What it got.
#[derive(Debug)]
struct Message {
    id: String,
    timestamp: i64,
    signature: String,
    raw: String,
    body: Value,
}

type Ears = (mpsc::UnboundedSender<Message>, Arc<Mutex<StatusCode>>);

impl Receiver {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        Self::on(listener, address)
    }

    /// Is named `localhost` by this certificate.
    async fn listen_with_tls(named: &CertifiedKey<KeyPair>) -> Self {
        let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("localhost:{}", plain.local_addr().expect("an address").port());
        let key = PrivateKeyDer::try_from(named.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![named.cert.der().clone()], key)
            .expect("a certificate");
        Self::on(TlsListener { plain, tls: Arc::new(config).into() }, address)
    }

    fn on(listener: impl Listener<Addr = SocketAddr>, address: String) -> Self {
        let (sender, messages) = mpsc::unbounded_channel();
        let answer = Arc::new(Mutex::new(StatusCode::OK));
        let router = Router::new().fallback(hear).with_state((sender, answer.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, messages, answer }
    }

    fn answer(&self, status: StatusCode) {
        *self.answer.lock().expect("nobody panics with it") = status;
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(20), self.messages.recv());
        next.await.expect("a message in time").expect("the receiver lives")
    }

    fn is_quiet(&mut self) -> bool {
        self.messages.try_recv().is_err()
    }
}

/// Shakes hands first; whoever breaks that off is forgotten.
struct TlsListener {
    plain: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.plain.accept().await.expect("a connection");
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.plain.local_addr()
    }
}

async fn hear(
    State((sender, answer)): State<Ears>,
    headers: HeaderMap,
    bytes: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let raw = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let message = Message {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().expect("seconds"),
        signature: header("webhook-signature"),
        body: serde_json::from_str(&raw).expect("JSON"),
        raw,
    };
    sender.send(message).expect("the test listens");
    let status = *answer.lock().expect("nobody panics with it");
    (status, [("location", "http://127.0.0.1:1/")])
}

/// A counter whose hall may tell a receiver on this machine.
async fn open() -> (Counter, Receiver) {
    let receiver = Receiver::listen().await;
    let mut counter = Counter::open().await;
    counter.hall.config.webhook_allowed = vec![receiver.address.clone()];
    counter.node.stop().await;
    counter.node = counter.hall.node().await;
    (counter, receiver)
}

async fn register(
    counter: &Counter,
    receiver: &Receiver,
    kinds: &[&str],
    with_household: bool,
) -> Value {
    let url = format!("http://{}/hook", receiver.address);
    let body = json!({"url": url, "kinds": kinds, "with_household": with_household});
    let made = counter.node.post("/api/webhooks", Some(&counter.manager), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body
}

async fn a_job(node: &Node, dispatcher: &str) -> String {
    let body = json!({"kind": "repair", "account": ACCOUNT});
    let made = node.post("/api/jobs", Some(dispatcher), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    text(&made.body["id"])
}

async fn deliveries(counter: &Counter, hook: &Value) -> Value {
    let path = format!("/api/webhooks/{}/deliveries", text(&hook["id"]));
    let reply = counter.node.get(&path, &counter.manager).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["deliveries"].clone()
}

/// The log once its newest line is as expected.
async fn logged(counter: &Counter, hook: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let log = deliveries(counter, hook).await;
            if is_so(&log[0]) {
                return log;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("the log says so in time")
}

fn secret(shown: &Value) -> Vec<u8> {
    let shown = text(shown);
    STANDARD.decode(shown.strip_prefix("whsec_").expect("a secret")).expect("base64")
}
