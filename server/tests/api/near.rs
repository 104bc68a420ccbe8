//! What a phone holds: the open jobs of the near days, and of what is over only the last days.

use domain::id::{JobId, UserId};
use serde_json::json;
use server::near::keep;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::text;

const DAY: i64 = 24 * 60;

/// Takes on a job with a window of two hours that begins so many days ahead.
async fn job_ahead(counter: &Counter, technician: UserId, kind: &str, days: i64) -> JobId {
    let start = counter.hall.config.clock.now_ms() + days * DAY * 60_000 + 3_600_000;
    let body = json!({
        "kind": kind, "account": ACCOUNT, "request": "灶火不旺", "technician": technician,
        "appointment": {"window": {"start": start, "end": start + 7_200_000}, "channel": "phone"},
    });
    let reply = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    text(&reply.body["id"]).parse().expect("a job")
}

#[tokio::test]
async fn a_job_of_another_week_is_not_on_the_phone_until_its_day_is_near() {
    let mut counter = Counter::open().await;
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    let mut ana = counter.hire("ana").await;
    let soon = job_ahead(&counter, ana.user, "repair", 2).await;
    let far = job_ahead(&counter, ana.user, "repair", 3).await;
    let emergency = job_ahead(&counter, ana.user, "emergency", 9).await;
    assert_eq!(keep(&app.state).await.unwrap(), (0, 0));
    ana.synced().await;
    assert!(ana.phone.job(soon).is_ok());
    assert!(ana.phone.job(emergency).is_ok(), "an emergency waits for no day");
    assert!(ana.phone.job(far).is_err());

    counter.wait_minutes(DAY, &[&ana]).await;
    assert_eq!(keep(&app.state).await.unwrap(), (1, 0));
    assert_eq!(keep(&app.state).await.unwrap(), (0, 0), "once");
    ana.synced().await;

    let held = ana.phone.job(far).unwrap().job.clone();
    let known = counter.job(far).await;
    assert_eq!(serde_json::to_value(&held).unwrap(), known["job"], "with all that was planned");
}

#[tokio::test]
async fn a_job_moved_near_or_given_to_somebody_else_is_on_the_right_phone_at_once() {
    let counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let job = job_ahead(&counter, ana.user, "repair", 9).await;
    let reply = counter.add(job, "assignments", &json!({"technician": ben.user})).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    ana.synced().await;
    ben.synced().await;
    assert!(ana.phone.job(job).is_err());
    assert!(ben.phone.job(job).is_err(), "who is to do it changed, not when");

    let start = counter.hall.config.clock.now_ms() + 3_600_000;
    let window = json!({"start": start, "end": start + 7_200_000});
    let agreed = json!({"window": window, "channel": "phone"});
    let reply = counter.add(job, "appointments", &agreed).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    ana.synced().await;
    ben.synced().await;

    assert!(ana.phone.job(job).is_err());
    assert!(ben.phone.job(job).is_ok());
}

#[tokio::test]
async fn what_has_been_over_for_days_leaves_the_phone_that_knows_it_and_late_words_still_count() {
    let mut counter = Counter::open().await;
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let over = job_ahead(&counter, ana.user, "repair", 0).await;
    let open = job_ahead(&counter, ana.user, "repair", 0).await;
    let unheard = job_ahead(&counter, ben.user, "repair", 0).await;
    ana.synced().await;
    ben.synced().await;
    for job in [over, unheard] {
        let cancelled = counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await;
        assert_eq!(cancelled.status, 201);
    }
    counter.wait_minutes(DAY, &[&ana, &ben]).await;
    ana.synced().await;
    assert_eq!(keep(&app.state).await.unwrap(), (0, 0), "of yesterday");

    counter.wait_minutes(3 * DAY, &[&ana, &ben]).await;
    assert_eq!(keep(&app.state).await.unwrap(), (0, 1), "what Ben's phone never heard stays there");
    assert!(!ana.phone.job(over).unwrap().withdrawn);
    ana.phone.message(over, "用户又来电了".to_owned()).await.unwrap();
    ana.synced().await;

    assert!(ana.phone.left().is_empty(), "nobody else has it");
    assert!(!ana.phone.job(open).unwrap().withdrawn, "what is open stays");
    let messages = counter.job(over).await["job"]["messages"].clone();
    assert_eq!(messages.as_object().unwrap().len(), 1, "a late word counts");
    ben.synced().await;
    assert_eq!(keep(&app.state).await.unwrap().1, 1, "Ben has read it by now");
}
