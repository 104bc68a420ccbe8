//! B3, D7: calls are recorded with their rings, judged for good, and counted against both promises.

use reqwest::Method;
use serde_json::{Value, json};

use crate::counter::Counter;
use crate::figures::{cells, cells_of, report};
use crate::hall::MORNING_MS;

const DAYS: &str = "from=2026-03-02&to=2026-03-06";

async fn record(counter: &Counter, body: Value) -> Value {
    let reply = counter.node.post("/api/calls", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{body}: {reply:?}");
    reply.body["answered_as"].clone()
}

#[tokio::test]
async fn b3_calls_are_counted_within_three_rings_within_five_and_lost_by_agent_hour_and_day() {
    let counter = Counter::open().await;
    let hour_ago = MORNING_MS - 3_600_000;
    for (body, judged) in [
        (json!({"rings": 3, "answered": true, "agent": "8001", "number_given": true}), "staff"),
        (json!({"rings": 5, "answered": true, "agent": "8001"}), "public"),
        (json!({"rings": 6, "answered": true, "agent": "8002"}), "late"),
        (json!({"rings": 9, "answered": false, "agent": "8002", "at": hour_ago}), "lost"),
    ] {
        assert_eq!(record(&counter, body).await, judged);
    }

    let agents = report(&counter, "calls", &format!("{DAYS}&by=technician")).await;
    let hours = report(&counter, "calls", &format!("{DAYS}&by=hour")).await;
    let days = report(&counter, "calls", &format!("{DAYS}&by=day")).await;

    assert_eq!(cells(&agents, "8001"), cells_of(&[("staff", 1), ("public", 1)]));
    assert_eq!(cells(&agents, "8002"), cells_of(&[("late", 1)]));
    assert_eq!(cells(&agents, ""), cells_of(&[("lost", 1)]), "nobody took the lost one");
    assert_eq!(agents["total"]["rates"], json!([0.25, 0.5, 0.25]));
    assert_eq!(cells(&hours, "08"), cells_of(&[("lost", 1)]));
    assert_eq!(cells(&days, "2026-03-02").len(), 4);
}

#[tokio::test]
async fn b3_the_halls_list_of_promises_shows_both_numbers_and_how_they_were_kept() {
    let counter = Counter::open().await;
    record(&counter, json!({"rings": 2, "answered": true, "agent": "8001"})).await;
    record(&counter, json!({"rings": 8, "answered": true, "agent": "8001"})).await;

    let promises = counter.node.get("/api/intake/promises", &counter.dispatcher).await.body;
    let kept = report(&counter, "promises", DAYS).await;

    assert_eq!(promises["calls"], json!({"staff_rings": 3, "public_rings": 5}));
    assert_eq!(cells(&kept["by_rule"], "B3"), cells_of(&[("kept", 1), ("broken", 1)]));
}

#[tokio::test]
async fn b3_a_call_that_cannot_be_is_refused_and_one_sent_twice_is_one() {
    let counter = Counter::open().await;
    for body in [
        json!({"rings": 101, "answered": true, "agent": "8001"}),
        json!({"rings": 1, "answered": true, "agent": " "}),
        json!({"rings": 1, "answered": true, "agent": "123456789012345678901"}),
        json!({"rings": 1, "answered": false, "at": MORNING_MS + 60_000}),
        json!({"rings": 1, "answered": false, "at": 5}),
    ] {
        let reply = counter.node.post("/api/calls", Some(&counter.dispatcher), &body).await;
        assert_eq!(reply.status, 422, "{body}");
    }
    let call = json!({"rings": 1, "answered": true, "agent": "8001"});
    let key = [("idempotency-key", "pbx-17")];
    for _ in 0..2 {
        let asked = (Method::POST, "/api/calls");
        let sent = counter.node.send_with(asked, &counter.dispatcher, &key, Some(&call)).await;
        assert_eq!(sent.status(), 201);
    }

    let days = report(&counter, "calls", &format!("{DAYS}&by=day")).await;
    assert_eq!(cells(&days, "2026-03-02"), cells_of(&[("staff", 1)]));
}

#[tokio::test]
async fn c5_the_desk_reads_answers_about_paying_with_the_months_of_the_pack() {
    let counter = Counter::open().await;

    let desk = counter.node.get("/api/counter", &counter.dispatcher).await.body;

    let answers = desk["payment"]["answers"].as_array().unwrap();
    let when = answers.iter().find(|it| it["id"] == "when").unwrap();
    assert_eq!(when["answer_zh"], "每 2 个月抄一次表，抄表当月内结清。");
    assert!(desk["payment"]["notice_zh"].as_str().unwrap().contains("{account}"));
    let sealing = desk["procedures"].as_array().unwrap().iter().find(|it| it["id"] == "sealing");
    assert_eq!(sealing.unwrap()["conditions"][0]["zh"], "外出 3 个月以上");
}
