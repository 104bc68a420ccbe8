//! A job's history: who added what, when it happened, and when it reached the hall.

use serde_json::{Value, json};

use crate::counter::Counter;
use crate::hall::{MORNING_MS, text};

const MINUTE_MS: i64 = 60_000;

async fn changes(counter: &Counter, job: &str) -> Vec<Value> {
    let reply = counter.node.get(&format!("/api/jobs/{job}/history"), &counter.dispatcher).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["changes"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn each_change_tells_who_made_it_when_it_happened_and_how_much_later_it_came() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    counter.wait_minutes(70, &[&ana]).await;
    let saved = ana.phone.arrive(job, None).await.unwrap();
    counter.wait_minutes(50, &[&ana]).await;
    counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await;
    ana.synced().await;

    let changes = changes(&counter, &job.to_string()).await;

    let added = |change: &Value| -> Vec<String> {
        change["adds"].as_array().unwrap().iter().map(|it| text(&it["what"])).collect()
    };
    let all: Vec<_> = changes.iter().map(added).collect();
    assert_eq!(all[0], ["job", "appointment", "assignment"]);
    assert_eq!(all.last().unwrap(), &["fact"]);
    let (cancelled, arrived) = (&changes[changes.len() - 2], changes.last().unwrap());
    assert_eq!(added(cancelled), ["cancellation"]);
    assert_eq!(
        (&cancelled["device"], text(&arrived["device"])),
        (&Value::Null, ana.device.clone())
    );
    let fact = &arrived["adds"][0];
    assert_eq!(text(&fact["id"]), saved.fact.to_string());
    let happened = MORNING_MS + 70 * MINUTE_MS;
    let (earliest, latest) = (fact["earliest"].as_i64().unwrap(), fact["latest"].as_i64().unwrap());
    assert!((earliest..=latest).contains(&happened), "{fact}");
    assert_eq!(arrived["received_at"], happened + 50 * MINUTE_MS);
}

#[tokio::test]
async fn a_job_is_shown_as_the_technician_saw_it_at_that_moment() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    let cancelled = counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await;
    assert_eq!(cancelled.status, 201);
    counter.wait_minutes(70, &[&ana]).await;
    ana.phone.arrive(job, None).await.unwrap();
    ana.synced().await;
    let arrived = changes(&counter, &job.to_string()).await.pop().unwrap();

    let path = format!("/api/jobs/{job}/history/{}", text(&arrived["hash"]));
    let seen = counter.node.get(&path, &counter.dispatcher).await;
    let nothing = format!("/api/jobs/{job}/history/{}", "0".repeat(64));
    let nothing = counter.node.get(&nothing, &counter.dispatcher).await;

    assert_eq!(seen.body["job"]["plan"]["cancelled"], json!({}), "nobody had told the phone");
    assert_eq!(seen.body["standing"]["status"], "at_door");
    assert_eq!(counter.job(job).await["job"]["plan"]["cancelled"].as_object().unwrap().len(), 1);
    assert_eq!(nothing.status, 404);
}

#[tokio::test]
async fn a_jobs_pack_names_what_its_visits_speak_of() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let pack = text(&counter.job(job).await["job"]["pack"]);

    let known = counter.node.get(&format!("/api/packs/{pack}"), &counter.dispatcher).await;
    let unknown = counter.node.get("/api/packs/nothing", &counter.dispatcher).await;

    assert_eq!(known.body["id"], pack);
    assert_eq!(known.body["conduct"][0]["zh"], "工装整洁，佩戴胸牌");
    assert_eq!(unknown.status, 404);
}
