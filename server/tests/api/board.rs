//! The dispatch board: rounds as they are likely to go, and whom a move would make late.

use std::collections::BTreeSet;

use domain::id::{JobId, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{MORNING_MS, Reply, text};

const HOUR_MS: i64 = 3_600_000;

/// A repair of 40 minutes with a window of one hour that begins so many hours from now.
async fn repair(counter: &Counter, technician: Option<UserId>, hours: i64) -> JobId {
    let start = MORNING_MS + hours * HOUR_MS;
    let body = json!({
        "kind": "repair", "account": ACCOUNT, "request": "灶火不旺", "technician": technician,
        "appointment": {"window": {"start": start, "end": start + HOUR_MS}, "channel": "phone"},
    });
    let reply = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    text(&reply.body["id"]).parse().expect("a job")
}

async fn check(counter: &Counter, body: &Value) -> Reply {
    counter.node.post("/api/board/check", Some(&counter.dispatcher), body).await
}

#[tokio::test]
async fn a2_a_round_tells_when_each_door_is_reached_and_who_is_late() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let mut jobs = [JobId(Uuid::nil()); 3];
    for job in &mut jobs {
        *job = repair(&counter, Some(ana.user), 1).await;
    }

    let reply = counter.node.get("/api/board/rounds?day=2026-03-02", &counter.dispatcher).await;

    let rounds = &reply.body["rounds"];
    assert_eq!(rounds.as_array().unwrap().len(), 1, "{reply:?}");
    assert_eq!(rounds[0]["technician"], ana.user.to_string());
    let legs = rounds[0]["legs"].as_array().unwrap();
    let told: Vec<_> = legs.iter().map(|leg| (&leg["reached_at"], &leg["late_minutes"])).collect();
    // 40 minutes each, 18 to a door that nobody surveyed; the window ends at eleven.
    let minute = |minutes: i64| json!(MORNING_MS + HOUR_MS + minutes * 60_000);
    assert_eq!(
        told,
        [(&minute(0), &json!(0)), (&minute(58), &json!(0)), (&minute(116), &json!(56))]
    );
    let known: BTreeSet<_> = legs.iter().map(|leg| text(&leg["job"])).collect();
    assert_eq!(known, jobs.map(|job| job.to_string()).into());
    let over = counter.node.get("/api/board/rounds?day=2026-03-01", &counter.dispatcher).await;
    assert_eq!(over.body, json!({"rounds": [], "stays": []}), "a day that is over has no plan");
}

#[tokio::test]
async fn a_round_goes_on_from_the_door_where_the_technician_stands() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let (first, next) =
        (repair(&counter, Some(ana.user), 1).await, repair(&counter, Some(ana.user), 1).await);
    ana.synced().await;
    counter.wait_minutes(70, &[&ana]).await;
    ana.phone.arrive(first, None).await.unwrap();
    ana.synced().await;

    let reply = counter.node.get("/api/board/rounds?day=2026-03-02", &counter.dispatcher).await;

    let stays = reply.body["stays"].as_array().unwrap();
    assert_eq!((stays.len(), &stays[0]["job"]), (1, &json!(first)));
    assert!(stays[0]["arrived_at"].as_i64().unwrap() <= MORNING_MS + 70 * 60_000);
    assert_eq!(stays[0]["ended_at"], Value::Null);
    let legs = reply.body["rounds"][0]["legs"].as_array().unwrap();
    assert_eq!((&legs[0]["job"], &legs[1]["job"]), (&json!(first), &json!(next)));
    assert_eq!(legs[0]["reached_at"], MORNING_MS + 70 * 60_000);
    assert_eq!(legs[1]["reached_at"], MORNING_MS + (70 + 40 + 18) * 60_000);
}

#[tokio::test]
async fn a_move_is_tried_on_paper_and_says_whom_it_makes_late() {
    let counter = Counter::open().await;
    let (ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let hers =
        [repair(&counter, Some(ana.user), 1).await, repair(&counter, Some(ana.user), 1).await];
    let his = repair(&counter, Some(ben.user), 1).await;
    let free = repair(&counter, None, 1).await;
    let before = counter.job(free).await;

    let crowded = check(&counter, &json!({"job": free, "technician": ana.user})).await;
    let fits = check(&counter, &json!({"job": free, "technician": ben.user})).await;
    let swapped = check(&counter, &json!({"job": hers[0], "technician": ben.user})).await;

    let late = crowded.body["late"].as_array().unwrap();
    assert_eq!(late.len(), 1, "{crowded:?}");
    assert_eq!((&late[0]["was_minutes"], &late[0]["will_minutes"]), (&json!(0), &json!(56)));
    assert!(crowded.body["reached_at"].is_i64());
    assert_eq!((&fits.body["late"], &swapped.body["late"]), (&json!([]), &json!([])));
    assert_eq!(counter.job(free).await, before, "nothing changed");
    assert_eq!(counter.job(his).await["summary"]["technician"], ben.user.to_string());
}

#[tokio::test]
async fn a1_another_window_needs_the_households_word_and_a_job_without_one_says_so() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = repair(&counter, Some(ana.user), 1).await;
    let bare = json!({"kind": "repair", "account": ACCOUNT, "request": "灶火不旺"});
    let bare = counter.node.post("/api/jobs", Some(&counter.dispatcher), &bare).await;
    let tomorrow = MORNING_MS + 24 * HOUR_MS;
    let window = json!({"start": tomorrow, "end": tomorrow + HOUR_MS});

    let same = check(&counter, &json!({"job": job, "technician": ana.user})).await.body;
    let other = json!({"job": job, "technician": ana.user, "window": window});
    let other = check(&counter, &other).await.body;
    let none = check(&counter, &json!({"job": bare.body["id"], "technician": ana.user})).await.body;
    let backwards = json!({"job": job, "technician": null, "window": {"start": 2, "end": 1}});
    let backwards = check(&counter, &backwards).await;

    assert_eq!((&same["needs_agreement"], &same["lacks_window"]), (&json!(false), &json!(false)));
    assert_eq!((&other["needs_agreement"], &other["reached_at"]), (&json!(true), &json!(tomorrow)));
    assert_eq!(none["lacks_window"], true);
    assert_eq!(backwards.status, 422);
}

#[tokio::test]
async fn a_job_that_is_over_or_of_another_hall_cannot_be_moved() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = repair(&counter, Some(ana.user), 1).await;
    let cancelled = counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await;
    assert_eq!(cancelled.status, 201);

    let over = check(&counter, &json!({"job": job, "technician": ana.user})).await;
    let nobodys = check(&counter, &json!({"job": ana.user, "technician": ana.user})).await;

    assert_eq!((over.status.as_u16(), nobodys.status.as_u16()), (404, 404));
}

#[tokio::test]
async fn free_windows_name_who_fits_and_leave_out_who_would_make_somebody_late() {
    let counter = Counter::open().await;
    let (ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    // Ana has three doors from ten to twelve, the last one in time; a fourth would be late.
    for _ in 0..3 {
        let start = MORNING_MS + HOUR_MS;
        let window = json!({"start": start, "end": start + 2 * HOUR_MS});
        let body = json!({
            "kind": "repair", "account": ACCOUNT, "technician": ana.user,
            "appointment": {"window": window, "channel": "phone"},
        });
        let reply = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    let ask = async |kind: &str, day: &str| {
        let body = json!({"account": ACCOUNT, "kind": kind, "day": day});
        counter.node.post("/api/board/offers", Some(&counter.dispatcher), &body).await.body
    };

    let today = ask("repair", "2026-03-02").await;
    let yesterday = ask("repair", "2026-03-01").await;
    let emergency = ask("emergency", "2026-03-02").await;

    let windows = today["windows"].as_array().unwrap();
    let fitting: Vec<_> = windows.iter().map(|it| it["fitting"].as_u64().unwrap()).collect();
    assert_eq!(fitting, [2, 1, 2, 2], "{today}");
    assert_eq!(windows[1]["offers"][0]["technician"], ben.user.to_string());
    assert_eq!(yesterday, json!({"windows": [], "nearest": []}));
    let nearest = emergency["nearest"].as_array().unwrap();
    assert_eq!(nearest.len(), 2);
    // An emergency waits for nobody's windows, whoever takes it.
    assert!(nearest.iter().all(|it| it["reached_at"] == MORNING_MS), "{emergency}");
}

#[tokio::test]
async fn a_household_is_found_by_part_of_account_name_phone_or_address() {
    let counter = Counter::open().await;
    for (words, count) in [("0100", 1), ("思雨", 1), ("0553", 1), ("听江里", 1), ("%", 0), ("", 0)]
    {
        let path = format!("/api/households?text={}", words.replace('%', "%25"));
        let reply = counter.node.get(&path, &counter.dispatcher).await;
        assert_eq!(reply.body["households"].as_array().unwrap().len(), count, "{words}: {reply:?}");
    }
}
