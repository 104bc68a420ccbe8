//! What households are told: once, in their language, not at night, and by a gateway that may fail (B13, A1, A4).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::conduct::Answer;
use domain::id::JobId;
use domain::measure::Fen;
use domain::pack::Pack;
use domain::visit::{Fact, Outcome, Subject};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::hall::{MORNING_MS, Reply, text};

/// The household of every job.
const HOME: &str = "00000000-0000-0000-0000-000000000040";

const HOUR_MS: i64 = 3_600_000;

#[tokio::test]
async fn b13_a_window_agreed_is_told_once_with_a_link_that_is_kept_nowhere() {
    let (counter, gateway) = open().await;

    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let told = gateway.told(1).await;

    let data = &told[0].1["data"];
    assert_eq!(told[0].1["type"], "household.notice");
    assert_eq!((&data["phone"], &data["job"]), (&json!("05530200000"), &json!(job)));
    let words = text(&data["text"]);
    assert!(words.starts_with("【城东营业厅】您的维修上门已约定：3月2日10:00–12:00。"), "{words}");
    let link = text(&data["link"]);
    let token = link.strip_prefix("https://gas.example/t/").expect("a link");
    assert!(words.ends_with(&link) && token.len() == 32, "{words}");
    let seen = noted(&counter, job, "sent").await;
    assert_eq!(
        (&seen["notices"][0]["occasion"], &seen["listens"]),
        (&json!("window_agreed"), &json!(true))
    );
    assert!(!seen.to_string().contains(token), "the record has no link");
    let path = format!("%{token}%");
    let mut conn = counter.hall.db.read().await.unwrap();
    let kept: i64 = conn
        .c()
        .q("select count(*) from webhook_delivery where payload like $1")
        .bind(path)
        .scalar()
        .await
        .unwrap();
    assert_eq!(kept, 0, "nor has what was sent");
    drop(conn);
    let of_home =
        counter.node.get(&format!("/api/households/{HOME}/notices"), &counter.dispatcher).await;
    assert_eq!(of_home.body["notices"], seen["notices"]);
}

#[tokio::test]
async fn b13_what_changes_beside_the_window_is_not_told_again_and_a_new_window_is() {
    let (counter, gateway) = open().await;
    let ana = counter.hire("ana").await;
    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    gateway.told(1).await;

    assert_eq!(counter.add(job, "assignments", &json!({"technician": ana.user})).await.status, 201);
    assert_eq!(counter.add(job, "instructions", &json!({"text": "狗凶"})).await.status, 201);
    let window = json!({"start": MORNING_MS + 5 * HOUR_MS, "end": MORNING_MS + 7 * HOUR_MS});
    let anew =
        counter.add(job, "appointments", &json!({"window": window, "channel": "phone"})).await;
    assert_eq!(anew.status, 201);
    let told = gateway.told(2).await;

    assert!(text(&told[1].1["data"]["text"]).contains("14:00–16:00"), "{told:?}");
    assert_ne!(told[0].0, told[1].0, "each has an id of its own");
    assert_eq!(gateway.count(), 2);
}

#[tokio::test]
async fn b13_a_household_is_told_in_its_language() {
    let (counter, gateway) = open().await;
    assert_eq!(wrote(&counter, json!({"what": "language", "language": "en"})).await.status, 201);
    let home = counter.node.get(&format!("/api/households/{HOME}"), &counter.dispatcher).await;
    assert_eq!(home.body["language"], "en");

    agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;

    let words = text(&gateway.told(1).await[0].1["data"]["text"]);
    assert!(words.contains("your visit (Repair) is agreed for 2 March, 10:00–12:00."), "{words}");
}

#[tokio::test]
async fn b13_who_wants_no_messages_gets_none_but_of_an_emergency() {
    let (counter, gateway) = open().await;
    let no = json!({"what": "consent_withdrawn", "purpose": "messages", "channel": "phone"});
    assert_eq!(wrote(&counter, no).await.status, 201);

    let quiet = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let seen = noted(&counter, quiet, "opted_out").await;
    assert_eq!(seen["notices"][0]["state"], "opted_out");
    let urgent = agreed(&counter, "emergency", MORNING_MS + HOUR_MS).await;

    let told = gateway.told(1).await;
    assert_eq!(told[0].1["data"]["job"], json!(urgent));
}

#[tokio::test]
async fn b13_nothing_comes_at_night_and_in_the_morning_only_the_newest() {
    let (mut counter, gateway) = open().await;
    let later = MORNING_MS + 30 * HOUR_MS;
    counter.wait_minutes(13 * 60, &[]).await;
    let job = agreed(&counter, "repair", later).await;
    counter.hall.wait_minutes(1);
    let window = json!({"start": later + HOUR_MS, "end": later + 3 * HOUR_MS});
    let anew = json!({"window": window, "channel": "phone"});
    assert_eq!(counter.add(job, "appointments", &anew).await.status, 201);
    let eight = MORNING_MS + 23 * HOUR_MS;
    let waiting = noted(&counter, job, "waiting").await;
    assert_eq!(waiting["notices"][0]["send_at"], eight);
    assert_eq!(waiting["notices"][1]["state"], "overtaken");
    assert_eq!(gateway.count(), 0);

    counter.wait_minutes(10 * 60, &[]).await;

    let told = gateway.told(1).await;
    assert!(text(&told[0].1["data"]["text"]).contains("16:00–18:00"), "{told:?}");
    noted(&counter, job, "sent").await;
    assert_eq!(gateway.count(), 1);
}

#[tokio::test]
async fn b13_a_job_that_was_cancelled_in_the_night_is_told_to_nobody_in_the_morning() {
    let (mut counter, gateway) = open().await;
    counter.wait_minutes(13 * 60, &[]).await;
    let job = agreed(&counter, "repair", MORNING_MS + 30 * HOUR_MS).await;
    noted(&counter, job, "waiting").await;

    assert_eq!(counter.add(job, "cancellations", &json!({"reason": "来电取消"})).await.status, 201);

    noted(&counter, job, "overtaken").await;
    counter.wait_minutes(10 * 60, &[]).await;
    let after = agreed(&counter, "repair", MORNING_MS + 32 * HOUR_MS).await;
    assert_eq!(gateway.told(1).await[0].1["data"]["job"], json!(after), "the first that is told");
}

#[tokio::test]
async fn a2_who_will_be_late_says_so_with_a_new_time_and_once() {
    let (mut counter, gateway) = open().await;
    let app = server::build(counter.hall.config.clone()).await.expect("a server");
    let keep = || async { server::told::late::keep(&app.state).await.expect("a server") };
    let ana = counter.hire("ana").await;
    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    assert_eq!(counter.add(job, "assignments", &json!({"technician": ana.user})).await.status, 201);
    gateway.told(1).await;
    counter.wait_minutes(2 * 60 + 30, &[&ana]).await;
    assert_eq!(keep().await, 0, "half an hour is left");

    counter.wait_minutes(45, &[&ana]).await;
    assert_eq!(keep().await, 1);
    assert_eq!(keep().await, 1);

    let told = gateway.told(2).await;
    let data = &told[1].1["data"];
    assert_eq!(data["occasion"], "late");
    let words = text(&data["text"]);
    assert!(words.contains("3月2日10:00–12:00的维修会晚到，预计12:15"), "{words}");
    assert!(words.contains("工作人员ANA"), "{words}");
    let seen = noted(&counter, job, "sent").await;
    assert_eq!(
        seen["notices"].as_array().map(Vec::len),
        Some(2),
        "once, however often it is looked at"
    );
}

#[tokio::test]
async fn b13_a_gateway_that_fails_and_recovers_is_told_the_same_under_the_same_id() {
    let (mut counter, gateway) = open().await;
    gateway.answer(StatusCode::SERVICE_UNAVAILABLE);
    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let first = gateway.told(1).await;
    let failing = noted(&counter, job, "sending").await;
    assert!(failing["notices"][0]["state"] == "sending", "{failing}");

    gateway.answer(StatusCode::OK);
    counter.wait_minutes(1, &[]).await;
    let both = gateway.told(2).await;

    assert_eq!(first[0], both[1], "same id, same words, same link");
    noted(&counter, job, "sent").await;
    assert_eq!(gateway.count(), 2);
}

#[tokio::test]
async fn a4_who_sets_out_is_told_by_name_and_card_and_what_was_done_by_a_copy() {
    let (mut counter, gateway) = open().await;
    let mut ana = counter.hire("ana").await;
    let card = format!("/api/users/{}/work-card", ana.user);
    let body = json!({"number": "RQ-0173", "has_portrait": false});
    let set = counter.node.send(Method::PUT, &card, Some(&counter.manager), Some(&body)).await;
    assert_eq!((set.status.as_u16(), &set.body), (200, &body));
    let job = agreed(&counter, "cash_collection", MORNING_MS + HOUR_MS).await;
    counter.add(job, "assignments", &json!({"technician": ana.user})).await;
    ana.synced().await;
    gateway.told(1).await;

    ana.phone.record(job, Fact::SetOut).await.unwrap();
    ana.synced().await;
    let on_the_way = text(&gateway.told(2).await[1].1["data"]["text"]);
    assert!(
        on_the_way.contains("工作人员ANA（工作证号RQ-0173）已出发，预计10:00到达"),
        "{on_the_way}"
    );
    counter.wait_minutes(90, &[&ana]).await;
    finish(&mut ana, job).await;
    ana.synced().await;

    let done = &gateway.told(3).await[2].1["data"];
    assert_eq!(done["occasion"], "done");
    assert!(text(&done["text"]).contains("上门收费已完成，工作人员ANA"), "{done}");
    let thirty_days = counter.hall.config.clock.now_ms() + 720 * HOUR_MS;
    assert!((done["link_until"].as_i64().unwrap() - thirty_days).abs() < HOUR_MS, "{done}");
}

#[tokio::test]
async fn a2_news_from_a_door_that_comes_too_late_is_not_told_and_no_one_home_is() {
    let (mut counter, gateway) = open().await;
    let mut ana = counter.hire("ana").await;
    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    counter.add(job, "assignments", &json!({"technician": ana.user})).await;
    ana.synced().await;
    gateway.told(1).await;

    ana.phone.record(job, Fact::SetOut).await.unwrap();
    counter.wait_minutes(120, &[&ana]).await;
    ana.synced().await;
    noted(&counter, job, "too_late").await;
    ana.phone.arrive(job, None).await.unwrap();
    let hash = "a1".repeat(32);
    let photo = Fact::PhotoTaken { hash, subject: Subject::NoticeOnDoor };
    ana.phone.record(job, photo).await.unwrap();
    ana.phone.close(job, Outcome::NoOneHome).await.unwrap();
    ana.synced().await;

    let told = gateway.told(2).await;
    assert!(
        text(&told[1].1["data"]["text"]).contains("3月2日11:00我们上门维修，家中无人"),
        "{told:?}"
    );
}

#[tokio::test]
async fn b13_where_nobody_listens_nothing_is_written_and_the_pages_say_so() {
    let counter = Counter::open().await;

    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;

    let path = format!("/api/jobs/{job}/notices");
    let seen = counter.node.get(&path, &counter.dispatcher).await.body;
    assert_eq!(seen, json!({"notices": [], "listens": false}));
}

#[tokio::test]
async fn a4_a_work_card_is_a_technicians() {
    let (counter, _) = open().await;
    let ana = counter.hire("ana").await;
    let put = async |who: &str, number: &str| {
        let path = format!("/api/users/{who}/work-card");
        let body = json!({"number": number});
        counter
            .node
            .send(Method::PUT, &path, Some(&counter.manager), Some(&body))
            .await
            .status
            .as_u16()
    };
    let dora = counter.node.get("/api/me", &counter.dispatcher).await.body["user"]["id"].clone();

    assert_eq!(put(&ana.user.to_string(), "<b>1</b>").await, 422);
    assert_eq!(put(&ana.user.to_string(), &"1".repeat(41)).await, 422);
    assert_eq!(put(dora.as_str().unwrap_or(&counter.hall.id.to_string()), "1").await / 100, 4);
    assert_eq!(put(&ana.user.to_string(), " 京A-17 ").await, 200);
    let path = format!("/api/users/{}/work-card/portrait", ana.user);
    let png = crate::photos::picture(7);
    for wrong in [b"no picture".to_vec(), png] {
        let put = reqwest::Client::new().put(format!("{}{path}", counter.node.base));
        let sent = crate::hall::reply(put.bearer_auth(&counter.manager).body(wrong)).await;
        assert_eq!(sent.status, 422, "{sent:?}");
    }
    assert_eq!(counter.node.get(&path, &counter.manager).await.status, 404);
}

/// A gateway on this machine; remembers each message with its id.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
    answer: Arc<Mutex<StatusCode>>,
}

impl Gateway {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let answer = Arc::new(Mutex::new(StatusCode::OK));
        let gateway = Self { address, heard: Arc::default(), answer };
        let router = Router::new().fallback(hear).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        gateway
    }

    pub(crate) fn answer(&self, status: StatusCode) {
        *self.answer.lock().expect("nobody panics with it") = status;
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().expect("nobody panics with it").len()
    }

    /// Everything heard, once it is so much.
    pub(crate) async fn told(&self, count: usize) -> Vec<(String, Value)> {
        let waiting = async {
            while self.count() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        let heard = self.heard.lock().expect("nobody panics with it").clone();
        assert!(waited.is_ok(), "{count} messages in time, not {heard:?}");
        heard
    }
}

async fn hear(State(gateway): State<Gateway>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let id = headers["webhook-id"].to_str().expect("text").to_owned();
    let body = serde_json::from_slice(&bytes).expect("JSON");
    gateway.heard.lock().expect("nobody panics with it").push((id, body));
    *gateway.answer.lock().expect("nobody panics with it")
}

/// A counter whose households are told by a gateway on this machine.
pub(crate) async fn open() -> (Counter, Gateway) {
    let gateway = Gateway::listen().await;
    let mut counter = Counter::open().await;
    counter.hall.config.webhook_allowed = vec![gateway.address.clone()];
    counter.hall.config.public_url = String::from("https://gas.example");
    counter.node.stop().await;
    counter.node = counter.hall.node().await;
    let url = format!("http://{}/sms", gateway.address);
    let body = json!({"url": url, "kinds": ["household.notice"], "with_household": false});
    let made = counter.node.post("/api/webhooks", Some(&counter.manager), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    (counter, gateway)
}

/// A job with a window of two hours from an instant on.
pub(crate) async fn agreed(counter: &Counter, kind: &str, start: i64) -> JobId {
    let window = json!({"start": start, "end": start + 2 * HOUR_MS});
    let appointment = json!({"window": window, "channel": "phone"});
    let body = json!({"kind": kind, "account": ACCOUNT, "appointment": appointment});
    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    text(&made.body["id"]).parse().expect("a job")
}

async fn wrote(counter: &Counter, entry: Value) -> Reply {
    let path = format!("/api/households/{HOME}/entries");
    counter.node.post(&path, Some(&counter.dispatcher), &entry).await
}

/// The record of a job once its newest notice is as expected.
async fn noted(counter: &Counter, job: JobId, state: &str) -> Value {
    let path = format!("/api/jobs/{job}/notices");
    let looking = async {
        loop {
            let seen = counter.node.get(&path, &counter.dispatcher).await.body;
            if seen["notices"][0]["state"] == state {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(20), looking).await;
    seen.unwrap_or_else(|_| panic!("the record never said {state}"))
}

/// Takes the money, and goes.
pub(crate) async fn finish(technician: &mut Technician, job: JobId) {
    technician.phone.arrive(job, None).await.expect("at the door");
    for item in Pack::builtin().conduct {
        let fact = Fact::Conduct { item: item.id, answer: Answer::Done };
        technician.phone.record(job, fact).await.expect("saved");
    }
    let paid = technician.phone.take_cash(job, Fen(12_050), "扫码付不了".to_owned());
    paid.await.expect("saved");
    let signed = Fact::Signed { hash: "b2".repeat(32) };
    technician.phone.record(job, signed).await.expect("saved");
    technician.phone.close(job, Outcome::Done).await.expect("done");
}
