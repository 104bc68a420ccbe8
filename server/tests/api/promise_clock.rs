//! The clock of a promise that starts with complete papers, stands still at the household's wish, and is judged by it.

use domain::conduct::Phase;
use domain::id::JobId;
use domain::job::JobKind;
use serde_json::{Value, json};

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{MORNING_MS, Reply, text};
use crate::packs::{add, open, pack};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Midnight of the day of [`MORNING_MS`] in the hall's city, which is a Monday.
const MIDNIGHT_MS: i64 = MORNING_MS - 9 * HOUR_MS;

#[tokio::test]
async fn b1_an_installation_runs_from_complete_papers_and_stands_still_at_the_households_wish() {
    let mut counter = Counter::open().await;
    let job = take_on(&counter, "installation").await;
    let waiting = counter.job(job).await;
    assert_eq!(waiting["clock"]["starts"], "papers_complete");
    assert_eq!(waiting["clock"]["due_at"], Value::Null);
    assert_eq!(waiting["summary"]["promise"], Value::Null, "nothing is promised before");

    let started = counter.add(job, "clock", &tick("started", MORNING_MS)).await;
    assert_eq!(started.status, 201, "{started:?}");
    let running = counter.job(job).await;
    assert_eq!(running["clock"]["due_at"], MIDNIGHT_MS + 6 * DAY_MS - 1);
    assert_eq!(running["clock"]["guide_due_at"], MIDNIGHT_MS + 8 * DAY_MS - 1);
    assert_eq!(running["summary"]["promise"]["state"], "running");

    counter.wait_minutes(24 * 60, &[]).await;
    let wish = json!({"event": "paused", "at": MORNING_MS + DAY_MS, "reason": "用户下周才回来"});
    assert_eq!(counter.add(job, "clock", &wish).await.status, 201);
    counter.wait_minutes(20 * 24 * 60, &[]).await;
    let still = counter.job(job).await;
    assert_eq!(still["clock"]["paused_since"], MORNING_MS + DAY_MS);
    assert_eq!(still["summary"]["promise"]["state"], "paused", "no clock that stands still breaks");

    let on = tick("resumed", MORNING_MS + 21 * DAY_MS);
    assert_eq!(counter.add(job, "clock", &on).await.status, 201);
    let again = counter.job(job).await;
    // The 4th to the 22nd stood still from morning to night; the 3rd and the 23rd did not.
    assert_eq!(again["clock"]["due_at"], MIDNIGHT_MS + 25 * DAY_MS - 1);
    assert_eq!(again["summary"]["promise"]["state"], "running");
    counter.wait_minutes(4 * 24 * 60, &[]).await;
    let late = counter.job(job).await;
    assert_ne!(late["summary"]["promise"]["state"], "running");
}

#[tokio::test]
async fn b6_a_clock_refuses_what_cannot_have_happened_and_keeps_nothing_of_it() {
    let counter = Counter::open().await;
    let ignition = take_on(&counter, "ignition").await;
    let reading = take_on(&counter, "meter_reading").await;
    let paused = |at: i64, reason: &str| json!({"event": "paused", "at": at, "reason": reason});
    for (job, body, status, problem) in [
        (ignition, tick("started", MORNING_MS), 409, "clock-refused"),
        (reading, paused(MORNING_MS, "外出"), 409, "clock-refused"),
        (ignition, tick("resumed", MORNING_MS), 409, "clock-refused"),
        (ignition, paused(MORNING_MS + DAY_MS, "外出"), 409, "clock-refused"),
        (ignition, paused(MORNING_MS, " "), 422, "unprocessable"),
        (ignition, paused(i64::MAX, "外出"), 422, "unprocessable"),
        (
            ignition,
            json!({"event": "resumed", "at": MORNING_MS, "reason": "x"}),
            422,
            "unprocessable",
        ),
        (ignition, json!({"event": "stopped", "at": MORNING_MS}), 400, "bad-request"),
    ] {
        let reply: Reply = counter.add(job, "clock", &body).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (status, problem), "{body} {reply:?}");
    }
    assert_eq!(counter.job(ignition).await["job"]["plan"]["clock"], json!({}));
}

#[tokio::test]
async fn every_kind_of_job_is_taken_on_under_the_pack_that_comes_with_the_program() {
    let counter = Counter::open().await;
    for kind in JobKind::ALL {
        let job = take_on(&counter, kind.key()).await;
        assert_eq!(counter.job(job).await["summary"]["kind"], kind.key());
    }
}

#[tokio::test]
async fn a_kind_that_the_pack_does_not_offer_is_not_taken_on() {
    let (mut counter, admin) = open().await;
    let without = [("[kinds.cash_collection]\nneeds = [\"cash\", \"signature\"]\n\n", "")];
    let added = add(&counter, &admin, &pack("no-cash", "2026-03-03", &without)).await;
    assert_eq!(added.status, 201, "{added:?}");
    counter.wait_minutes(24 * 60, &[]).await;
    let body = json!({"kind": "cash_collection", "account": ACCOUNT, "request": ""});

    let refused = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    let offered = counter.node.get("/api/intake/promises", &counter.dispatcher).await;

    assert_eq!((refused.status.as_u16(), refused.problem()), (422, "unprocessable"));
    assert!(text(&refused.body["detail"]).contains("no-cash does not offer"), "{refused:?}");
    let kinds = offered.body["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), JobKind::ALL.len() - 1);
    assert!(!kinds.contains(&json!("cash_collection")));
}

#[tokio::test]
async fn b13_a_pack_looser_than_the_law_is_taken_with_a_warning_that_names_both() {
    let (counter, admin) = open().await;
    let shorter = [("outage_ahead_minutes = 2880", "outage_ahead_minutes = 1440")];

    let added = add(&counter, &admin, &pack("shorter", "2026-12-01", &shorter)).await;

    assert_eq!(added.status, 201, "{added:?}");
    let looser = &added.body["looser"];
    assert_eq!(looser.as_array().unwrap().len(), 1, "{looser}");
    assert_eq!(looser[0]["rule"], "B13");
    assert_eq!(
        (&looser[0]["figure"], &looser[0]["law"]),
        (&json!({"minutes": 1440}), &json!({"minutes": 2880}))
    );
    assert!(text(&looser[0]["law_source"]).contains("art. 20"));
}

#[tokio::test]
async fn b6_what_was_done_in_time_keeps_the_promise_when_its_phone_comes_back_days_later() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let ten = MORNING_MS + HOUR_MS;
    let body = json!({
        "kind": "ignition", "account": ACCOUNT, "request": "请上门", "technician": ana.user,
        "appointment": {"window": {"start": ten, "end": ten + 2 * HOUR_MS}, "channel": "phone"},
    });
    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    let job: JobId = text(&made.body["id"]).parse().expect("a job");
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    ana.phone.arrive(job, None).await.expect("saved");
    for phase in [Phase::AtTheDoor, Phase::BeforeEntering] {
        ana.phone.answer_rest_as_done(job, phase).await.expect("saved");
    }
    ana.phone.switch_gas(job, true).await.expect("saved");
    counter.wait_minutes(10 * 24 * 60, &[&ana]).await;
    let silent = counter.job(job).await["summary"]["promise"]["state"].clone();

    ana.synced().await;

    assert_eq!(silent, "not_heard", "nobody can know, and nobody is blamed");
    assert_eq!(counter.job(job).await["summary"]["promise"]["state"], "kept");
}

fn tick(event: &str, at: i64) -> Value {
    json!({"event": event, "at": at})
}

async fn take_on(counter: &Counter, kind: &str) -> JobId {
    let body = json!({"kind": kind, "account": ACCOUNT, "request": "请上门"});
    let reply = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{kind} {reply:?}");
    text(&reply.body["id"]).parse().expect("a job")
}
