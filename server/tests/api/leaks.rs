//! Leaks (B2): who is called, who leads, and an alarm that nobody can overlook.

use domain::id::{JobId, UserId};
use mobile_core::phone::{CallPart, CommandError};
use serde_json::{Value, json};
use server::db::contacts::{ContactRow, upsert_contact};
use server::identity::Role;
use server::leak::keep;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::hall::text;

/// More than the pack gives anybody to answer.
const TOO_LONG_S: i64 = 41;

pub(crate) async fn report(counter: &Counter) -> JobId {
    let body = json!({"account": ACCOUNT, "phone": "13900001111", "request": "厨房有味"});
    let reply = counter.node.post("/api/leaks", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    text(&reply.body["id"]).parse().expect("a job")
}

pub(crate) async fn leak(counter: &Counter) -> Value {
    let reply = counter.node.get("/api/leaks", &counter.dispatcher).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["leaks"][0].clone()
}

/// Who was called so far, in the order of their calls.
pub(crate) fn called(leak: &Value) -> Vec<String> {
    let called = leak["called"].as_array().expect("a list");
    called.iter().map(|it| text(&it["name"]).clone()).collect()
}

fn part(technician: &Technician, job: JobId) -> Option<CallPart> {
    technician.phone.job(job).ok().and_then(|it| it.call).map(|it| it.part)
}

/// What somebody was told, oldest first.
async fn news(counter: &Counter, user: UserId) -> Vec<(String, Option<String>)> {
    let mut conn = counter.hall.db.read().await.expect("a connection");
    let rows: Vec<(String, sqlx::types::Json<Value>)> = conn
        .c()
        .q("select kind, data from notice where user_id = $1 order by created_at, notice_id")
        .bind(user.0)
        .all()
        .await
        .expect("rows");
    let lead = |data: &Value| data["lead"].as_str().map(str::to_owned);
    rows.into_iter().map(|(kind, data)| (kind, lead(&data.0))).collect()
}

async fn contact(counter: &Counter, who: UserId, phone: &str, leader: Option<UserId>) {
    let row = ContactRow {
        user_id: who.0,
        phone: Some(phone.to_owned()),
        leader_id: leader.map(|it| it.0),
    };
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    upsert_contact(tx.c(), &row, 0).await.expect("a contact");
    tx.commit().await.expect("a commit");
}

/// A hall with three technicians who could be sent, and their phones; nobody's place is known, so ids say whose turn it is.
async fn crew() -> (Counter, [Technician; 3]) {
    let counter = Counter::open().await;
    let crew = [counter.hire("alma").await, counter.hire("bert").await, counter.hire("cem").await];
    (counter, crew)
}

#[tokio::test]
async fn b2_two_are_called_at_once_then_the_next_then_the_leader_then_every_console() {
    let (counter, [mut alma, bert, cem]) = crew().await;
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    let leader = counter.hall.person("lena", Role::Technician).await;
    // Somebody who leads is no one to be sent first: another trade.
    let path = format!("/api/users/{leader}/qualification");
    let body = json!({"skills": [], "area": []});
    let put = counter.node.send(reqwest::Method::PUT, &path, Some(&counter.manager), Some(&body));
    assert_eq!(put.await.status, 200);
    contact(&counter, bert.user, "13800000002", Some(leader)).await;
    contact(&counter, leader, "13800000009", None).await;

    let job = report(&counter).await;

    let seen = leak(&counter).await;
    assert_eq!(called(&seen).len(), 2, "{seen}");
    assert_eq!((&seen["state"], &seen["caller_phone"]), (&json!("calling"), &json!("13900001111")));
    assert_eq!(
        seen["due_at"].as_i64().unwrap() - seen["created_at"].as_i64().unwrap(),
        30 * 60_000
    );
    alma.synced().await;
    assert_eq!(part(&alma, job), Some(CallPart::Waiting), "her phone has it at once");
    assert_eq!(news(&counter, alma.user).await[0].0, "leak_call");
    assert_eq!(keep(&app.state).await.unwrap(), 0, "nobody's time is over");

    counter.wait_seconds(TOO_LONG_S, &[]);
    keep(&app.state).await.unwrap();
    let seen = leak(&counter).await;
    assert_eq!(called(&seen).len(), 3, "the third and last technician: {seen}");
    counter.wait_seconds(TOO_LONG_S, &[]);
    keep(&app.state).await.unwrap();
    let seen = leak(&counter).await;
    assert_eq!(called(&seen)[3], "LENA", "the crew leader of who was called");
    assert_eq!((&seen["state"], &seen["alarm_at"]), (&json!("calling"), &Value::Null));
    counter.wait_seconds(TOO_LONG_S, &[]);
    keep(&app.state).await.unwrap();
    let seen = leak(&counter).await;

    assert_eq!(seen["state"], "alarm");
    assert_eq!(seen["alarm_at"], json!(counter.hall.config.clock.now_ms()));
    let phones: Vec<_> = seen["called"].as_array().unwrap().iter().map(|it| &it["phone"]).collect();
    assert!(phones.contains(&&json!("13800000002")) && phones.contains(&&json!("13800000009")));
    assert_eq!(seen["taken_by"], Value::Null);
    assert_eq!(news(&counter, cem.user).await.len(), 1, "each was told once");
}

#[tokio::test]
async fn b2_an_alarm_is_taken_on_by_name_once() {
    let counter = Counter::open().await;
    let job = report(&counter).await;
    assert_eq!(leak(&counter).await["state"], "alarm", "nobody can be called");
    counter.hall.person("dirk", Role::Dispatcher).await;
    let dirk = counter.node.sign_in("dirk").await;
    let path = format!("/api/leaks/{job}/alarm");

    for token in [&counter.dispatcher, &dirk] {
        let reply = counter.node.post(&path, Some(token), &json!({})).await;
        assert_eq!(reply.status, 204, "{reply:?}");
    }

    let seen = leak(&counter).await;
    assert_eq!(seen["taken_by"]["name"], "DORA", "whoever was first");
    let path = format!("/api/leaks/{}/alarm", uuid::Uuid::nil());
    assert_eq!(counter.node.post(&path, Some(&dirk), &json!({})).await.status, 404);
}

#[tokio::test]
async fn b2_who_declines_is_followed_by_the_next_at_once_and_is_spared_the_job() {
    let (counter, [mut alma, mut bert, cem]) = crew().await;
    let job = report(&counter).await;
    alma.synced().await;
    bert.synced().await;
    assert!(!called(&leak(&counter).await).contains(&"CEM".to_owned()));

    alma.phone.decline_call(job, "车坏了".to_owned()).await.unwrap();
    let today = alma.phone.city_today();
    assert_eq!(alma.phone.my_day(today), [], "saved here, and no work of hers");
    alma.synced().await;

    let seen = leak(&counter).await;
    assert_eq!(called(&seen).last().unwrap(), "CEM");
    let hers = seen["called"].as_array().unwrap().iter().find(|it| it["name"] == "ALMA").unwrap();
    assert_eq!((&hers["answer"], &hers["reason"]), (&json!("declined"), &json!("车坏了")));
    assert_eq!(news(&counter, cem.user).await[0].0, "leak_call");
    assert_eq!(part(&bert, job), Some(CallPart::Waiting));
    let mut cem = cem;
    cem.synced().await;
    assert_eq!(part(&cem, job), Some(CallPart::Waiting));
    assert_eq!(counter.job(job).await["standing"]["status"], "unassigned");
}

#[tokio::test]
async fn b2_two_who_accept_offline_the_first_by_trusted_time_leads_and_both_are_told() {
    let (counter, [mut alma, mut bert, cem]) = crew().await;
    let job = report(&counter).await;
    alma.synced().await;
    bert.synced().await;
    counter.wait_seconds(10, &[&alma, &bert]);
    alma.phone.accept_call(job).await.unwrap();
    assert_eq!(part(&alma, job), Some(CallPart::Accepted), "saved without a network");
    counter.wait_seconds(15, &[&alma, &bert]);
    bert.phone.accept_call(job).await.unwrap();

    bert.synced().await;
    bert.synced().await;

    assert_eq!(part(&bert, job), Some(CallPart::Leads), "the hall knows of nobody else");
    let seen = leak(&counter).await;
    assert_eq!((&seen["state"], &seen["lead"]["name"]), (&json!("led"), &json!("BERT")));
    counter.wait_seconds(30, &[&alma, &bert]);
    alma.synced().await;
    alma.synced().await;
    bert.synced().await;

    assert_eq!(part(&alma, job), Some(CallPart::Leads), "hers was earlier, though it came later");
    assert_eq!(part(&bert, job), Some(CallPart::Supports));
    let bens = bert.phone.job(job).unwrap();
    assert_eq!(bens.call.unwrap().lead.as_deref(), Some("ALMA"));
    assert!(!bens.withdrawn, "he still has all that he needs there");
    let told = |news: Vec<(String, Option<String>)>| news.last().cloned().unwrap();
    let lead = ("lead_changed".to_owned(), Some(alma.user.to_string()));
    assert_eq!(told(news(&counter, alma.user).await), lead);
    assert_eq!(told(news(&counter, bert.user).await), lead);
    assert_eq!(news(&counter, cem.user).await, [], "he was never called");
    let seen = leak(&counter).await;
    assert_eq!(
        (&seen["lead"]["name"], &seen["supports"][0]["name"]),
        (&json!("ALMA"), &json!("BERT"))
    );

    for (phone, minutes) in [(&mut bert, 5), (&mut alma, 3)] {
        counter.wait_seconds(minutes * 60, &[]);
        phone.phone.arrive(job, None).await.unwrap();
        phone.synced().await;
    }
    assert_eq!(counter.job(job).await["summary"]["clashes"], json!([]), "they came together");
    assert_eq!(leak(&counter).await, Value::Null, "somebody is there");
}

#[tokio::test]
async fn b2_who_takes_an_acceptance_back_is_followed_by_who_supports_or_by_a_new_call() {
    let (counter, [mut alma, mut bert, mut cem]) = crew().await;
    let job = report(&counter).await;
    alma.synced().await;
    bert.synced().await;
    alma.phone.accept_call(job).await.unwrap();
    alma.synced().await;
    assert_eq!(leak(&counter).await["lead"]["name"], "ALMA");
    bert.synced().await;
    assert_eq!(part(&bert, job), Some(CallPart::Over), "others took it on");
    let told = news(&counter, bert.user).await;
    assert!(told.iter().any(|it| it.0 == "cancelled"), "{told:?}");

    counter.wait_seconds(60, &[&alma, &bert, &cem]);
    alma.phone.decline_call(job, "爆胎".to_owned()).await.unwrap();
    alma.synced().await;

    let seen = leak(&counter).await;
    assert_eq!((&seen["state"], &seen["lead"]), (&json!("calling"), &Value::Null));
    assert_eq!(called(&seen).last().unwrap(), "CEM", "Bert's time is over");
    cem.synced().await;
    cem.phone.accept_call(job).await.unwrap();
    cem.synced().await;
    assert_eq!(leak(&counter).await["lead"]["name"], "CEM");
}

#[tokio::test]
async fn b2_a_dispatchers_word_stands_above_acceptances_and_supporters_keep_the_job() {
    let (counter, [mut alma, mut bert, mut cem]) = crew().await;
    let job = report(&counter).await;
    alma.synced().await;
    bert.synced().await;
    // Offline, before anybody decided otherwise.
    bert.phone.accept_call(job).await.unwrap();
    alma.phone.accept_call(job).await.unwrap();
    alma.synced().await;
    let given = counter.add(job, "assignments", &json!({"technician": cem.user})).await;
    assert_eq!(given.status, 201, "{given:?}");

    bert.synced().await;
    bert.synced().await;
    alma.synced().await;
    cem.synced().await;

    let seen = leak(&counter).await;
    assert_eq!(seen["lead"]["name"], "CEM");
    assert_eq!(seen["supports"].as_array().unwrap().len(), 2);
    assert_eq!(part(&alma, job), Some(CallPart::Supports));
    assert!(!alma.phone.job(job).unwrap().withdrawn);
    assert_eq!(part(&bert, job), Some(CallPart::Supports), "he keeps what he needs there");
    assert!(!bert.phone.job(job).unwrap().withdrawn);
    assert!(cem.phone.job(job).is_ok());
    let called_off = counter.add(job, "cancellations", &json!({"reason": "误报"})).await;
    assert_eq!(called_off.status, 201);
    assert_eq!(leak(&counter).await, Value::Null);
}

#[tokio::test]
async fn b2_two_nodes_that_find_one_leak_due_call_nobody_twice() {
    let counter = Counter::open().await;
    for login in ["alma", "bert", "cem", "dan", "eva"] {
        counter.hall.person(login, Role::Technician).await;
    }
    let first = server::build(counter.hall.config.clone()).await.unwrap();
    let second = server::build(counter.hall.config.clone()).await.unwrap();
    report(&counter).await;

    for round in 1..=2 {
        counter.wait_seconds(TOO_LONG_S, &[]);
        let (one, two) = tokio::join!(keep(&first.state), keep(&second.state));
        assert!(one.unwrap() + two.unwrap() <= 1, "the server itself looks as well");
        let seen = leak(&counter).await;
        let mut names = called(&seen);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 4, "two at first, two more, and no more in round {round}: {seen}");
        assert_eq!(seen["called"].as_array().unwrap().len(), 4);
    }
    let mut conn = counter.hall.db.read().await.unwrap();
    let told: i64 = conn.c().q("select count(*) from notice").scalar().await.unwrap();
    assert_eq!(told, 4);
}

#[tokio::test]
async fn b2_the_caller_is_sent_what_to_do_by_a_gateway_once() {
    let mut counter = Counter::open().await;
    counter.hall.config.webhook_allowed = vec!["127.0.0.1:9".to_owned()];
    counter.node = counter.hall.node().await;
    let body = json!({"url": "http://127.0.0.1:9/hook", "kinds": ["leak.advice"]});
    let made = counter.node.post("/api/webhooks", Some(&counter.manager), &body).await;
    assert_eq!(made.status, 201, "{made:?}");

    let job = report(&counter).await;

    let mut conn = counter.hall.db.read().await.unwrap();
    let sent: Vec<(String, String)> =
        conn.c().q("select kind, payload from webhook_delivery").all().await.unwrap();
    assert_eq!((sent.len(), sent[0].0.as_str()), (1, "leak.advice"));
    let data = serde_json::from_str::<Value>(&sent[0].1).unwrap()["data"].clone();
    assert_eq!((&data["phone"], &data["job"]), (&json!("13900001111"), &json!(job)));
    assert!(text(&data["zh"]).contains("阀门") && text(&data["en"]).contains("valve"));
}

#[tokio::test]
async fn b2_a_blocked_road_shows_at_the_desk_and_excuses_with_a_picture_only() {
    let (mut counter, [mut alma, _ben, _cem]) = crew().await;
    let job = report(&counter).await;
    alma.synced().await;
    alma.phone.accept_call(job).await.unwrap();
    alma.phone.report_road_block(job, "塌方".to_owned(), None).await.unwrap();
    alma.synced().await;
    let seen = leak(&counter).await;
    assert_eq!(seen["road_blocked"], json!({"reason": "塌方", "photo": null}));
    counter.wait_minutes(31, &[&alma]).await;
    alma.synced().await;
    let promise = |seen: Value| seen["summary"]["promise"]["state"].clone();
    assert_eq!(promise(counter.job(job).await), "broken");

    let photo = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned();
    alma.phone.report_road_block(job, "塌方".to_owned(), Some(photo.clone())).await.unwrap();
    alma.synced().await;

    assert_eq!(leak(&counter).await["road_blocked"]["photo"], json!(photo));
    assert_eq!(promise(counter.job(job).await), "excused");
}

#[tokio::test]
async fn b2_who_was_not_called_cannot_accept() {
    let (counter, [mut alma, _ben, _cem]) = crew().await;
    let body = json!({"kind": "emergency", "account": ACCOUNT, "technician": alma.user});
    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    let job: JobId = text(&made.body["id"]).parse().unwrap();
    alma.synced().await;

    let refused = alma.phone.accept_call(job).await.unwrap_err();

    assert!(matches!(refused, CommandError::Rule(_)), "{refused:?}");
    let seen = leak(&counter).await;
    assert_eq!(
        (&seen["job"], &seen["state"]),
        (&json!(job), &json!("led")),
        "a dispatcher sent her, so nobody is called"
    );
    assert_eq!(called(&seen), Vec::<String>::new());
}
