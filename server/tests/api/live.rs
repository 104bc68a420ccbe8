//! The live stream: a snapshot, then everything once and in order, however often a reader comes back.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use domain::id::HallId;
use futures_util::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::db::halls;
use server::db::jobs::{self, JobRow};
use server::db::live_events::{LiveEventRow, insert_events, list_events};
use sqlx::types::Json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::counter::Counter;
use crate::hall::MORNING_MS;
use crate::reports::{another_hall, document};

/// Events written while readers come and go.
const EVENTS: usize = 60;

#[tokio::test]
async fn the_stream_begins_with_a_snapshot_and_goes_on_with_what_happens() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let mut reader = Reader::open(&counter, None).await;

    let (position, name, snapshot) = reader.next().await;
    assert_eq!((name.as_str(), &snapshot["jobs"][0]["id"]), ("snapshot", &json!(job)));
    counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await;
    let (next, name, event) = reader.next().await;

    assert_eq!((name.as_str(), &event["job"]["status"]), ("job", &json!("cancelled")));
    assert!(next > position && event["position"] == next);
}

#[tokio::test]
async fn a_snapshot_leaves_out_what_was_over_long_ago_and_nothing_open() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let open = counter.job_for(ana.user).await;
    let over = counter.job_for(ana.user).await;
    counter.add(over, "cancellations", &json!({"reason": "用户来电"})).await;
    let listed = async |since: i64| {
        let (_, _, snapshot) = Reader::since(&counter, since).await.next().await;
        let jobs = snapshot["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };

    let window = counter.node.get(&format!("/api/jobs/{over}"), &counter.dispatcher).await;
    let start = window.body["summary"]["window"]["start"].as_i64().unwrap();
    // Both were taken on within one millisecond, so their ids sort either way.
    assert_eq!(listed(start).await, [open.to_string(), over.to_string()].into());
    assert_eq!(listed(start + 1).await, [open.to_string()].into());
}

#[tokio::test]
async fn readers_who_come_back_at_any_moment_miss_nothing_and_hear_nothing_twice() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let (start, _, _) = Reader::open(&counter, None).await.next().await;
    let writing = async {
        for number in 0..EVENTS {
            counter.add(job, "messages", &json!({"text": format!("第 {number} 条")})).await;
        }
    };
    let reading = |seed: usize| {
        let counter = &counter;
        async move {
            let mut heard = Vec::new();
            let mut after = start;
            let mut stay = seed % 5 + 1;
            while heard.len() < EVENTS {
                let mut reader = Reader::open(counter, Some(after)).await;
                for _ in 0..stay.min(EVENTS - heard.len()) {
                    let (position, name, _) = reader.next().await;
                    assert_eq!(name, "job", "no snapshot after a position");
                    heard.push(position);
                    after = position;
                }
                stay = (stay * 7 + seed) % 11 + 1;
            }
            heard
        }
    };
    let readers = (0..50).map(reading);
    let ((), heard) = tokio::join!(writing, join_all(readers));
    let mut conn = counter.hall.db.read().await.unwrap();
    let rows = list_events(conn.c(), counter.hall.id, start, 1_000).await.unwrap();
    let happened: Vec<i64> = rows.iter().map(|row| row.position).collect();

    for positions in &heard {
        assert_eq!(positions, &happened, "each once and in order");
    }
}

#[tokio::test]
async fn a_backlog_of_many_pages_is_told_whole_and_in_order() {
    let counter = Counter::open().await;
    let mut tx = counter.hall.db.begin().await.unwrap();
    insert_events(tx.c(), &events(counter.hall.id, 1..451, "busy")).await.unwrap();
    tx.commit().await.unwrap();

    let mut reader = Reader::open(&counter, Some(0)).await;
    let mut heard = Vec::new();
    while heard.len() < 450 {
        heard.push(reader.next().await.0);
    }

    assert_eq!(heard, (1..451).collect::<Vec<i64>>());
}

#[tokio::test]
async fn an_id_that_is_no_position_is_refused_in_words() {
    let counter = Counter::open().await;

    let epoch = epoch(&counter).await.simple().to_string();
    let ids = ["", "-1", "1.5", "1000000"].map(|place| format!("{epoch}-{place}"));
    for id in ids.into_iter().chain(["yesterday", "", "7"].map(str::to_owned)) {
        let response = connect(&counter, Some(&id)).await;
        assert_eq!(response.status(), 400, "{id}");
        let problem: Value = response.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("or none for a snapshot"), "{id}: {detail}");
    }
}

#[tokio::test]
async fn another_halls_jobs_and_events_are_not_seen() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let elsewhere = another_hall(&counter.hall).await;
    let foreign = document(&counter.hall, elsewhere).await;
    let mut tx = counter.hall.db.begin().await.unwrap();
    let row = jobs::find_job(tx.c(), counter.hall.id, job).await.unwrap().unwrap();
    let row = JobRow {
        job_id: foreign.job_id,
        hall_id: elsewhere.0,
        household_id: foreign.household_id,
        ..row
    };
    jobs::upsert_jobs(tx.c(), &[row]).await.unwrap();
    insert_events(tx.c(), &events(elsewhere, 1..100, "elsewhere")).await.unwrap();
    tx.commit().await.unwrap();

    let (start, _, snapshot) = Reader::open(&counter, None).await.next().await;
    counter.add(job, "messages", &json!({"text": "在吗"})).await;
    let mut heard = Vec::new();
    let mut reader = Reader::open(&counter, Some(0)).await;
    while heard.last().is_none_or(|(position, _)| *position <= start) {
        let (position, _, event) = reader.next().await;
        heard.push((position, event["job"]["id"].clone()));
    }

    assert_eq!(snapshot["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(snapshot["jobs"][0]["id"], json!(job));
    assert!(heard.iter().all(|(_, about)| *about == json!(job)), "{heard:?}");
}

#[tokio::test]
async fn a_technician_may_not_follow_the_hall() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;

    assert_eq!(counter.node.get("/api/live", &ana.token).await.status, 403);
}

#[tokio::test]
async fn check_14_whoever_signs_out_sees_nothing_more_however_busy_the_hall() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let other = counter.node.sign_in("dora").await;
    let mut reader = Reader::open(&counter, None).await;
    assert_eq!(reader.next().await.1, "snapshot");

    let path = "/api/session";
    let gone = counter.node.send(Method::DELETE, path, Some(&counter.dispatcher), None).await;
    assert_eq!(gone.status, 204);

    let busy = async {
        let path = format!("/api/jobs/{job}/messages");
        for number in 0.. {
            let body = json!({"text": format!("第 {number} 条")});
            assert_eq!(counter.node.post(&path, Some(&other), &body).await.status, 201);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let end = async { while reader.response.chunk().await.expect("a whole reply").is_some() {} };
    tokio::select! {
        () = end => {}
        () = busy => unreachable!("it writes on and on"),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("the stream goes on"),
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_a_stream_in_the_middle_of_a_backlog() {
    let mut counter = Counter::open().await;
    let backlog = events(counter.hall.id, 1..5_001, &"x".repeat(3_000));
    let mut tx = counter.hall.db.begin().await.unwrap();
    insert_events(tx.c(), &backlog).await.unwrap();
    tx.commit().await.unwrap();
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    counter.node.base = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(app.serve(listener, async { drop(stopped.await) }));
    let mut reader = Reader::open(&counter, Some(0)).await;
    let first = reader.next().await.0;

    stop.send(()).unwrap();
    let rest = tokio::time::timeout(Duration::from_secs(20), reader.response.text());
    let rest = rest.await.expect("the stream ends").expect("a whole reply");

    assert_eq!(first, 1);
    let told = rest.matches("event: job").count();
    assert!(told < backlog.len() - 1, "it did not wait until all was told");
    serving.await.unwrap().expect("it stopped by itself");
}

/// Events as a busy hall writes them.
fn events(hall: HallId, positions: Range<i64>, what: &str) -> Vec<LiveEventRow> {
    let event = |position| LiveEventRow {
        hall_id: hall.0,
        position,
        kind: "job".to_owned(),
        job_id: None,
        at: MORNING_MS,
        body: Json(json!({"what": what, "job": {"id": null}})),
    };
    positions.map(event).collect()
}

pub(crate) async fn epoch(counter: &Counter) -> Uuid {
    let mut conn = counter.hall.db.read().await.expect("a connection");
    halls::find_epoch(conn.c()).await.expect("an epoch")
}

pub(crate) async fn connect(counter: &Counter, after: Option<&str>) -> Response {
    let url = format!("{}/api/live", counter.node.base);
    let mut request = reqwest::Client::new().get(url).bearer_auth(&counter.dispatcher);
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after);
    }
    request.send().await.expect("the server replies")
}

pub(crate) struct Reader {
    response: Response,
    buffer: String,
}

impl Reader {
    pub(crate) async fn open(counter: &Counter, after: Option<i64>) -> Self {
        let after = match after {
            Some(after) => Some(format!("{}-{after}", epoch(counter).await.simple())),
            None => None,
        };
        let response = connect(counter, after.as_deref()).await;
        Self::of(response)
    }

    /// A stream whose snapshot leaves out what was over before.
    async fn since(counter: &Counter, since: i64) -> Self {
        let url = format!("{}/api/live?since={since}", counter.node.base);
        let request = reqwest::Client::new().get(url).bearer_auth(&counter.dispatcher);
        Self::of(request.send().await.expect("the server replies"))
    }

    /// Reads on from a reply.
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        Self { response, buffer: String::new() }
    }

    /// The next event: its position, its name, its data.
    pub(crate) async fn next(&mut self) -> (i64, String, Value) {
        // Around all of it: comments that keep the connection open are no events.
        let event = tokio::time::timeout(Duration::from_secs(20), self.read());
        event.await.expect("something happens")
    }

    async fn read(&mut self) -> (i64, String, Value) {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim().to_owned())
                };
                let parts = (field("id:"), field("event:"), field("data:"));
                let rest = rest.to_owned();
                self.buffer = rest;
                if let (Some(id), Some(name), Some(data)) = parts {
                    let (_, position) = id.split_once('-').expect("an epoch and a position");
                    let position = position.parse().expect("a position");
                    return (position, name, serde_json::from_str(&data).expect("JSON"));
                }
                continue;
            }
            let chunk = self.response.chunk().await.expect("the stream holds");
            let chunk = chunk.expect("the stream goes on");
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}
