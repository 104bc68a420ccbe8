//! A supply that was stopped because of a hazard is restored within its promise (B7).

use domain::hazard::NoticeAnswer;
use domain::id::JobId;
use domain::visit::{Outcome, Subject};
use serde_json::{Value, json};
use server::reminders;

use crate::counter::{Counter, Technician};
use crate::hazards::{HOME, enter, find, given, hazards};

const REPORT: &str = "/api/reports/promises?from=2026-03-02&to=2026-03-06&lang=en";

#[tokio::test]
async fn b7_a_restoring_is_at_risk_then_not_heard_and_settled_by_the_stamp_of_a_visit_days_later() {
    let mut counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let unsealing = given(&counter, &ben, "unsealing").await;
    ben.synced().await;
    stopped_and_gone(&counter, &mut ana).await;

    let calm = stop(&counter).await;
    assert_eq!((&calm["state"], &calm["is_at_risk"]), (&json!("running"), &json!(false)));
    assert_eq!(calm["technician_name"], "BEN");
    let gone_at = calm["gone_at"].as_i64().expect("it is there");
    assert_eq!(calm["restore_by"], gone_at + 24 * 3_600_000);
    assert!(reminded(&counter).await.is_empty());

    counter.wait_minutes(17 * 60, &[&ana, &ben]).await;
    assert_eq!(stop(&counter).await["is_at_risk"], true);
    let open = promises(&counter).await["open_supplies"][0].clone();
    assert_eq!((&open["household"], &open["is_at_risk"]), (&json!(HOME), &json!(true)));
    counter.wait_minutes(6 * 60, &[&ana, &ben]).await;
    let list = reminded(&counter).await;
    assert_eq!((list.len(), &list[0]["about"]), (1, &json!("promise_at_risk")));

    turn_on(&mut ben, unsealing).await;
    counter.wait_minutes(2 * 60, &[&ana, &ben]).await;
    assert_eq!(stop(&counter).await["state"], "not_heard", "ben's phone may know better");
    let file = counter.node.get("/api/exports/lists/open_promises?format=csv", &counter.dispatcher);
    assert_eq!(file.await.status, 200);

    counter.wait_minutes(2 * 24 * 60, &[&ana, &ben]).await;
    ben.synced().await;
    assert_eq!(hazards(&counter).await["stopped"], json!([]));
    let settled = promises(&counter).await;
    assert_eq!(settled["open_supplies"], json!([]));
    assert_eq!(cells(&settled), [1, 0, 0, 0, 0, 0], "kept by when it was done");
    assert!(reminded(&counter).await.is_empty());
}

#[tokio::test]
async fn b7_a_restoring_to_which_nobody_is_sent_is_broken_after_a_day_and_stays_so() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    stopped_and_gone(&counter, &mut ana).await;

    counter.wait_minutes(24 * 60 + 1, &[&ana]).await;
    let late = stop(&counter).await;
    assert_eq!((&late["state"], &late["technician_name"]), (&json!("broken"), &Value::Null));
    assert_eq!(cells(&promises(&counter).await), [0, 0, 1, 0, 0, 0]);

    let unsealing = given(&counter, &ana, "unsealing").await;
    ana.synced().await;
    turn_on(&mut ana, unsealing).await;
    ana.synced().await;
    assert_eq!(hazards(&counter).await["stopped"], json!([]));
    assert_eq!(cells(&promises(&counter).await), [0, 0, 1, 0, 0, 0], "late is late");
    let behind = "/api/exports/figures/promises/behind?from=2026-03-02&to=2026-03-06&line=B7&column=broken&format=csv";
    assert_eq!(counter.node.get(behind, &counter.dispatcher).await.status, 200);
}

/// A leak is found, the supply is stopped, and a recheck sees that it is gone.
async fn stopped_and_gone(counter: &Counter, ana: &mut Technician) {
    let job = given(counter, ana, "safety_inspection").await;
    ana.synced().await;
    let found = find(ana, job, "leak").await;
    ana.phone.stop_supply(job, found).await.expect("it is there");
    let refused = NoticeAnswer::RefusedToSign { reason: "户主拒签".to_owned() };
    ana.phone.give_notice(job, found, refused).await.expect("it is there");
    ana.synced().await;
    assert_eq!(stop(counter).await["state"], Value::Null, "while a severe one is there");
    let recheck = given(counter, ana, "hazard_recheck").await;
    ana.synced().await;
    enter(ana, recheck).await;
    let kitchen = "c3".repeat(32);
    let seen = (true, Some(kitchen.clone()));
    ana.phone.recheck(recheck, "leak", seen).await.expect("it is there");
    ana.phone.test_tightness(recheck, true).await.expect("it is there");
    ana.phone.take_photo(recheck, kitchen.clone(), Subject::Hazard).await.expect("it is there");
    ana.phone.sign(recheck, kitchen).await.expect("it is there");
    ana.phone.close(recheck, Outcome::Done).await.expect("it is there");
    ana.synced().await;
}

async fn turn_on(technician: &mut Technician, job: JobId) {
    enter(technician, job).await;
    technician.phone.switch_gas(job, true).await.expect("it is there");
}

async fn stop(counter: &Counter) -> Value {
    hazards(counter).await["stopped"][0].clone()
}

async fn promises(counter: &Counter) -> Value {
    let reply = counter.node.get(REPORT, &counter.manager).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// What the report counts of restoring: kept, excused, broken, not heard, cannot tell, running.
fn cells(report: &Value) -> Vec<u64> {
    let lines = report["by_rule"]["lines"].as_array().expect("it is there");
    let line = lines.iter().find(|it| it["key"] == "B7").expect("it is there");
    let cells = line["cells"].as_array().expect("it is there");
    cells.iter().map(|it| it["count"].as_u64().expect("it is there")).collect()
}

/// Reminds, and gives what the desk is reminded of about households.
async fn reminded(counter: &Counter) -> Vec<Value> {
    let app = server::build(counter.hall.config.clone()).await.expect("it is there");
    reminders::keep(&app.state).await.expect("it is there");
    let list = counter.node.get("/api/reminders", &counter.dispatcher).await.body;
    let list = list["reminders"].as_array().expect("it is there").clone();
    list.into_iter().filter(|it| it["about"] == "promise_at_risk" && it["job"].is_null()).collect()
}
