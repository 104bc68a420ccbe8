//! When things happened: what the hall knows, and that it never knows less later.

use domain::stamp::BootId;
use serde_json::{Value, json};
use sync::message::Request;

use crate::counter::{ACCOUNT, Counter};

#[tokio::test]
async fn a2_what_is_handed_in_later_does_not_blur_an_earlier_arrival() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    counter.wait_minutes(65, &[&ana]).await;
    ana.synced().await;

    // The phone restarts and hears no time until it has restarted again.
    ana.boot(BootId(8));
    counter.wait_minutes(20, &[&ana]).await;
    ana.phone.arrive(job, None).await.unwrap();
    ana.boot(BootId(9));
    counter.wait_minutes(20, &[&ana]).await;
    ana.synced().await;
    assert_eq!(verdict(&counter).await["on_time"], 1, "between 10:05 and 10:45");

    counter.wait_minutes(180, &[&ana]).await;
    ana.phone.note(job, "补记".to_owned()).await.unwrap();
    ana.synced().await;

    assert_eq!(verdict(&counter).await["on_time"], 1, "what was known is still known");
}

#[tokio::test]
async fn a2_nobody_missed_a_window_while_their_phone_still_holds_work() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    counter.job_for(ana.user).await;
    ana.synced().await;
    counter.wait_minutes(24 * 60, &[&ana]).await;
    let counts = |row: Value| (row["not_heard"].clone(), row["missed"].clone());

    // Its first request of three: the arrival may be in one of the others.
    let request = Request { pending: 3, recorded: 3, ..ana.request() };
    ana.exchange(request.encode()).await.unwrap();
    assert_eq!(counts(verdict(&counter).await), (json!(1), json!(0)));

    ana.exchange(Request { pending: 0, recorded: 3, ..ana.request() }.encode()).await.unwrap();
    assert_eq!(counts(verdict(&counter).await), (json!(0), json!(1)));
}

#[tokio::test]
async fn a_phone_that_handed_everything_in_holds_nothing_alone() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    for number in 0..3 {
        ana.phone.note(job, format!("第 {number} 条")).await.unwrap();
    }

    let request = ana.request();
    assert_eq!(request.pending, 3);
    ana.exchange(request.encode()).await.unwrap();

    let devices = counter.node.get("/api/devices", &counter.dispatcher).await;
    let shown = &devices.body["devices"][0];
    assert_eq!((&shown["pending"], &shown["recorded"]), (&json!(0), &json!(3)));
}

#[tokio::test]
async fn b2_a_promise_that_nobody_touched_breaks_when_its_time_is_over() {
    let mut counter = Counter::open().await;
    let body = json!({"kind": "emergency", "account": ACCOUNT, "request": "闻到燃气味"});
    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let state = |job: &Value| job["promise"]["state"].clone();
    let list = counter.node.get("/api/jobs", &counter.dispatcher).await;
    assert_eq!(state(&list.body["jobs"][0]), "running");

    counter.wait_minutes(60, &[]).await;

    let list = counter.node.get("/api/jobs", &counter.dispatcher).await;
    assert_eq!(state(&list.body["jobs"][0]), "broken");
    let id = made.body["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(state(&counter.job(id).await["summary"]), "broken");
}

#[tokio::test]
async fn a2_a_job_shows_how_each_of_its_appointments_turned_out() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let two = counter.hall.config.clock.now_ms() + 5 * 3_600_000;
    let anew = json!({"window": {"start": two, "end": two + 3_600_000}, "channel": "phone"});
    assert_eq!(counter.add(job, "appointments", &anew).await.status, 201);
    ana.synced().await;
    counter.wait_minutes(5 * 60 + 10, &[&ana]).await;
    ana.phone.arrive(job, None).await.unwrap();
    ana.synced().await;

    let seen = counter.job(job).await;

    let shown = seen["verdicts"].as_array().unwrap();
    let words: Vec<_> = shown.iter().map(|it| it["punctuality"].as_str().unwrap()).collect();
    assert_eq!(words, ["released", "on_time"]);
    assert_eq!(shown[1]["window"], json!({"start": two, "end": two + 3_600_000}));
    assert_eq!(shown[1]["technician"], json!(ana.user));
}

async fn verdict(counter: &Counter) -> Value {
    let path = "/api/reports/punctuality?from=2026-03-02&to=2026-03-02&by=day";
    let report = counter.node.get(path, &counter.dispatcher).await;
    assert_eq!(report.status, 200, "{report:?}");
    report.body["rows"].get(0).cloned().unwrap_or(json!({}))
}
