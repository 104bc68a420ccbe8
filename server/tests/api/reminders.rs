//! Reminders over HTTP: told once, put off, ended with their cause; the duties of those who lead a hall.

use domain::id::JobId;
use reqwest::Method;
use serde_json::{Value, json};
use server::App;
use server::identity::Role;
use server::reminders::keep;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{Reply, text};

/// A hall and a server that reminds when a test says so.
struct Reminding {
    counter: Counter,
    app: App,
}

impl Reminding {
    async fn open() -> Self {
        let counter = Counter::open().await;
        let app = server::build(counter.hall.config.clone()).await.expect("a server");
        Self { counter, app }
    }

    async fn keep(&self) -> usize {
        keep(&self.app.state).await.expect("a server")
    }

    /// What somebody is reminded of.
    async fn list(&self, token: &str) -> Vec<Value> {
        let reply = self.counter.node.get("/api/reminders", token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["reminders"].as_array().expect("a list").clone()
    }

    async fn abouts(&self, token: &str) -> Vec<String> {
        self.list(token).await.iter().map(|it| text(&it["about"])).collect()
    }

    async fn desk(&self) -> Vec<String> {
        self.abouts(&self.counter.dispatcher).await
    }

    async fn of_promises(&self) -> Vec<Value> {
        let all = self.list(&self.counter.dispatcher).await;
        all.into_iter().filter(|it| it["about"] == "promise_at_risk").collect()
    }

    async fn see_to(&self, token: &str, id: &Value, what: &str, body: Value) -> Reply {
        let path = format!("/api/reminders/{}/{what}", text(id));
        self.counter.node.post(&path, Some(token), &body).await
    }

    async fn record(&self, token: &str, day: &str, duty: &str, note: &str) -> Reply {
        let path = format!("/api/duties/{day}/{duty}");
        let body = json!({"note": note});
        self.counter.node.send(Method::PUT, &path, Some(token), Some(&body)).await
    }

    /// How each duty of a day stands.
    async fn duties(&self, day: &str) -> Vec<(String, String)> {
        let path = format!("/api/duties?from={day}&to={day}");
        let reply = self.counter.node.get(&path, &self.counter.dispatcher).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let duties = reply.body["duties"].as_array().expect("a list").clone();
        duties.iter().map(|it| (text(&it["duty"]["id"]), text(&it["state"]))).collect()
    }

    async fn state_of(&self, day: &str, duty: &str) -> String {
        let all = self.duties(day).await;
        all.into_iter().find(|(id, _)| id == duty).expect("a duty of that day").1
    }
}

#[tokio::test]
async fn a1_a_technician_is_reminded_once_to_phone_ahead_and_again_after_putting_it_off() {
    let mut here = Reminding::open().await;
    let mut ana = here.counter.hire("ana").await;
    let ben = here.counter.hire("ben").await;
    // From ten to twelve; it is nine.
    let job = here.counter.job_for(ana.user).await;
    here.keep().await;
    assert!(here.abouts(&ana.token).await.is_empty());

    here.counter.wait_minutes(25, &[&ana]).await;
    here.keep().await;
    assert_eq!(here.keep().await, 0, "told once");
    let told = here.list(&ana.token).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (text(&told[0]["about"]), text(&told[0]["job"])),
        ("phone_ahead".into(), job.to_string())
    );
    assert!(here.list(&ben.token).await.is_empty());
    assert!(!here.desk().await.contains(&"phone_ahead".to_owned()), "it is the technician's own");

    let put_off = here.see_to(&ana.token, &told[0]["id"], "snooze", json!({"minutes": 10})).await;
    assert_eq!(put_off.status, 204, "{put_off:?}");
    here.counter.wait_minutes(9, &[&ana]).await;
    assert_eq!(here.keep().await, 0);
    assert!(here.list(&ana.token).await[0]["snoozed_until"].is_i64());
    here.counter.wait_minutes(1, &[&ana]).await;
    assert_eq!(here.keep().await, 1, "it comes again");
    assert!(here.list(&ana.token).await[0]["snoozed_until"].is_null());

    // A phone that had no network tells when it was told: the minutes run from then.
    let now_ms = here.counter.hall.config.clock.now_ms();
    for (ago, until) in [(12, None), (6, Some(4)), (-5, Some(10))] {
        let body = json!({"minutes": 10, "said_at": now_ms - ago * 60_000});
        let said = here.see_to(&ana.token, &told[0]["id"], "snooze", body).await;
        assert_eq!(said.status, 204, "{said:?}");
        let until = until.map(|minutes| now_ms + minutes * 60_000);
        assert_eq!(here.list(&ana.token).await[0]["snoozed_until"], json!(until), "{ago}");
    }

    ana.synced().await;
    ana.phone.phone_ahead(job, true).await.unwrap();
    ana.synced().await;
    here.keep().await;
    assert!(here.abouts(&ana.token).await.is_empty(), "it is over with its cause");
}

#[tokio::test]
async fn a2_who_should_be_on_the_way_is_reminded_and_the_desk_sees_it_once_the_window_began() {
    let mut here = Reminding::open().await;
    let mut ana = here.counter.hire("ana").await;
    let job = here.counter.job_for(ana.user).await;
    here.counter.wait_minutes(50, &[&ana]).await;
    here.keep().await;
    assert_eq!(here.abouts(&ana.token).await, ["phone_ahead", "set_out"]);
    assert!(!here.desk().await.contains(&"set_out".to_owned()));

    here.counter.wait_minutes(10, &[&ana]).await;
    here.keep().await;
    assert_eq!(here.abouts(&ana.token).await, ["set_out"], "nobody phones ahead of what began");
    assert!(here.desk().await.contains(&"set_out".to_owned()));

    ana.synced().await;
    ana.phone.set_out(job).await.unwrap();
    ana.synced().await;
    here.keep().await;
    assert!(here.abouts(&ana.token).await.is_empty());
    assert!(!here.desk().await.contains(&"set_out".to_owned()));
}

#[tokio::test]
async fn b2_an_emergency_is_spoken_of_by_night_and_nothing_else_is() {
    let mut here = Reminding::open().await;
    // Ten at night.
    here.counter.wait_minutes(13 * 60, &[]).await;
    let body = json!({"kind": "emergency", "account": ACCOUNT, "request": "闻到燃气味"});
    let reply = here.counter.node.post("/api/jobs", Some(&here.counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let ana = here.counter.hall.person("ana", Role::Technician).await;
    let start = here.counter.hall.config.clock.now_ms() + 1_800_000;
    let body = json!({"kind": "repair", "account": ACCOUNT, "request": "灶火不旺", "technician": ana,
        "appointment": {"window": {"start": start, "end": start + 3_600_000}, "channel": "phone"}});
    let reply = here.counter.node.post("/api/jobs", Some(&here.counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");

    here.counter.wait_minutes(16, &[]).await;
    here.keep().await;

    assert_eq!(here.desk().await, ["promise_at_risk"]);
}

#[tokio::test]
async fn b6_a_promise_is_told_before_it_breaks_and_can_be_said_to_be_seen_to() {
    let mut here = Reminding::open().await;
    let body = json!({"kind": "ignition", "account": ACCOUNT, "request": "新房点火"});
    let reply = here.counter.node.post("/api/jobs", Some(&here.counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let job: JobId = text(&reply.body["id"]).parse().unwrap();
    // 48 hours are promised, and with 8 of them left somebody looks; at one in the morning nobody is disturbed.
    here.counter.wait_minutes(40 * 60, &[]).await;
    here.keep().await;
    assert!(here.of_promises().await.is_empty());
    here.counter.wait_minutes(6 * 60, &[]).await;
    here.keep().await;

    let told = here.of_promises().await;
    assert_eq!((told.len(), text(&told[0]["job"])), (1, job.to_string()));
    let done = here.see_to(&here.counter.dispatcher, &told[0]["id"], "done", json!({})).await;
    assert_eq!(done.status, 204, "{done:?}");
    here.counter.wait_minutes(5, &[]).await;
    here.keep().await;
    assert!(here.of_promises().await.is_empty());
}

#[tokio::test]
async fn a_phone_that_is_silent_while_its_owner_has_work_is_told_until_it_is_heard() {
    let mut here = Reminding::open().await;
    let mut ana = here.counter.hire("ana").await;
    here.counter.job_for(ana.user).await;
    ana.synced().await;
    here.counter.wait_minutes(2 * 60 + 29, &[&ana]).await;
    here.keep().await;
    assert!(!here.desk().await.contains(&"silent".to_owned()));
    here.counter.wait_minutes(1, &[&ana]).await;
    here.keep().await;
    assert!(here.desk().await.contains(&"silent".to_owned()));

    ana.synced().await;
    here.keep().await;
    assert!(!here.desk().await.contains(&"silent".to_owned()));
}

#[tokio::test]
async fn d5_duties_are_open_done_late_and_missed_and_the_first_record_stands() {
    let here = Reminding::open().await;
    // A Monday at nine.
    let day = "2026-03-02";
    here.keep().await;
    let all = here.duties(day).await;
    assert_eq!(all[0], ("before_opening".to_owned(), "missed".to_owned()));
    assert_eq!(here.state_of(day, "round_morning").await, "open");
    assert_eq!(here.state_of(day, "closing").await, "coming");
    assert_eq!(here.desk().await.iter().filter(|it| *it == "duty").count(), 2, "round and meeting");

    let manager = &here.counter.manager;
    assert_eq!(here.record(manager, day, "round_morning", "缴费岗缺人，已补").await.status, 204);
    let again = here.record(&here.counter.dispatcher, day, "round_morning", "").await;
    assert_eq!(again.status, 409, "{again:?}");
    assert_eq!(here.record(manager, day, "closing", "").await.status, 422, "its time has not come");
    assert_eq!(here.record(manager, day, "before_opening", "补记").await.status, 204);
    assert_eq!(here.record(manager, day, "weekly_plan", "").await.status, 404, "that is on Friday");
    assert_eq!(here.record(manager, "2026-02-27", "weekly_plan", "").await.status, 422);

    assert_eq!(here.state_of(day, "round_morning").await, "done");
    assert_eq!(here.state_of(day, "before_opening").await, "late");
    assert_eq!(here.desk().await.iter().filter(|it| *it == "duty").count(), 1);
    let path = format!("/api/duties?from={day}&to={day}");
    let reply = here.counter.node.get(&path, manager).await;
    let notes: Vec<String> = reply.body["duties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["note"]))
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(notes, ["补记", "缴费岗缺人，已补"]);
}

#[tokio::test]
async fn check_19_nobody_sees_to_what_others_are_reminded_of() {
    let mut here = Reminding::open().await;
    let ana = here.counter.hire("ana").await;
    let ben = here.counter.hire("ben").await;
    here.counter.job_for(ana.user).await;
    here.counter.wait_minutes(25, &[&ana]).await;
    here.keep().await;
    let told = here.list(&ana.token).await;

    let put_off = here.see_to(&ben.token, &told[0]["id"], "snooze", json!({"minutes": 10})).await;
    assert_eq!(put_off.status, 404, "{put_off:?}");
    let done = here.see_to(&ben.token, &told[0]["id"], "done", json!({})).await;
    assert_eq!(done.status, 404, "{done:?}");
    let long = here.see_to(&ana.token, &told[0]["id"], "snooze", json!({"minutes": 999})).await;
    assert_eq!(long.status, 422, "{long:?}");
    assert!(long.body["detail"].as_str().unwrap().contains("10, 30, 120"), "{long:?}");
}

#[tokio::test]
async fn two_servers_on_one_database_remind_once() {
    let mut here = Reminding::open().await;
    let other = server::build(here.counter.hall.config.clone()).await.unwrap();
    let ana = here.counter.hire("ana").await;
    here.counter.job_for(ana.user).await;
    // The duties of the desk.
    here.keep().await;
    here.counter.wait_minutes(25, &[&ana]).await;

    let (first, second) = tokio::join!(keep(&here.app.state), keep(&other.state));
    let begun = first.unwrap() + second.unwrap();

    assert_eq!(begun, 1);
    assert_eq!(here.abouts(&ana.token).await, ["phone_ahead"]);
}
