//! The live stream: a snapshot, then everything once and in order, however often a reader comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};

use crate::counter::Counter;

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
    let readers = (0..20).map(reading);
    let ((), heard) = tokio::join!(writing, join_all(readers));

    for positions in &heard {
        assert!(positions.is_sorted(), "in order");
        assert_eq!(positions.iter().collect::<BTreeSet<_>>().len(), EVENTS, "each once");
        assert_eq!(positions, &heard[0], "everybody hears the same");
    }
}

#[tokio::test]
async fn an_id_that_is_no_position_is_refused_in_words() {
    let counter = Counter::open().await;

    let response = connect(&counter, Some("yesterday")).await;

    assert_eq!(response.status(), 400);
}

async fn connect(counter: &Counter, after: Option<&str>) -> Response {
    let url = format!("{}/api/live", counter.node.base);
    let mut request = reqwest::Client::new().get(url).bearer_auth(&counter.dispatcher);
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after);
    }
    request.send().await.expect("the server replies")
}

struct Reader {
    response: Response,
    buffer: String,
}

impl Reader {
    async fn open(counter: &Counter, after: Option<i64>) -> Self {
        let after = after.map(|after| after.to_string());
        let response = connect(counter, after.as_deref()).await;
        assert_eq!(response.status(), 200);
        Self { response, buffer: String::new() }
    }

    /// The next event: its position, its name, its data.
    async fn next(&mut self) -> (i64, String, Value) {
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
                    let id = id.parse().expect("a position");
                    return (id, name, serde_json::from_str(&data).expect("JSON"));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            let chunk = chunk.await.expect("something happens").expect("the stream holds");
            let chunk = chunk.expect("the stream goes on");
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}
