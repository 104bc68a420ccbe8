//! Work that phones hand in, and what the hall makes of it.

use automerge::{ActorId, Automerge};
use domain::id::{EntryId, JobId};
use domain::job::{Author, Cancellation, Job, PlanEntry};
use serde_json::json;
use server::command::rebuild::Rebuild;
use server::db::C;
use sync::document::{self, Pen};
use sync::message::{Offered, Reply, Request, VERSION, Verdict};
use uuid::Uuid;

use crate::counter::{Counter, Technician};

#[tokio::test]
async fn a_visit_handed_in_shows_in_job_list_and_document() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;

    ana.phone.set_out(job).await.unwrap();
    let arrived = ana.phone.arrive(job, None).await.unwrap();
    assert_eq!(counter.job(job).await["standing"]["status"], "assigned", "nothing came yet");
    ana.synced().await;

    let seen = counter.job(job).await;
    assert_eq!(seen["standing"]["status"], "at_door");
    assert_eq!(seen["summary"]["status"], "at_door");
    let shown: Job = serde_json::from_value(seen["job"].clone()).unwrap();
    assert_eq!(&shown, ana.phone.job(job).unwrap().job, "phone and hall hold the same");
    assert!(shown.visits[&arrived.visit].facts.contains_key(&arrived.fact));
    let list = counter.node.get("/api/jobs?status=at_door", &counter.dispatcher).await;
    assert_eq!(list.body["jobs"][0]["id"], job.to_string());
    let file = document_of(&counter, job).await;
    assert_eq!(document::read(&Automerge::load(&file).unwrap()).unwrap(), shown);
}

#[tokio::test]
async fn a2_the_report_counts_an_arrival_under_technician_kind_and_day() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let on_time = counter.job_for(ana.user).await;
    let _missed = counter.job_for(ana.user).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    ana.phone.arrive(on_time, None).await.unwrap();
    ana.synced().await;
    counter.wait_minutes(24 * 60, &[&ana]).await;
    let report = |by: &'static str| {
        let path = format!("/api/reports/punctuality?from=2026-03-02&to=2026-03-02&by={by}");
        let (node, dora) = (&counter.node, &counter.dispatcher);
        async move { node.get(&path, dora).await.body["rows"][0].clone() }
    };
    for (by, key) in [("technician", ana.user.to_string()), ("kind", "repair".to_owned())] {
        let row = report(by).await;
        assert_eq!(
            (&row["key"], &row["on_time"], &row["not_heard"]),
            (&json!(key), &json!(1), &json!(1))
        );
        assert_eq!(row["rate"], 1.0);
    }
    ana.synced().await;
    let row = report("day").await;
    assert_eq!(
        (&row["missed"], &row["not_heard"], &row["rate"]),
        (&json!(1), &json!(0), &json!(0.5))
    );
}

#[tokio::test]
async fn cancelled_while_offline_shows_both_and_a_ruling_settles_it() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    let cancelled = counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await;
    assert_eq!(cancelled.status, 201);
    assert_eq!(counter.job(job).await["standing"]["status"], "cancelled");

    let saved = ana.phone.arrive(job, None).await.unwrap();
    ana.synced().await;

    let seen = counter.job(job).await;
    assert_eq!(seen["standing"]["status"], "at_door", "what happened at the door happened");
    assert_eq!(seen["summary"]["clashes"][0]["clash"], "cancelled_while_visited");
    let clashes = &seen["summary"]["clashes"];
    for (stands, settles) in [
        (json!(saved.visit), json!([])),
        (json!(saved.visit), json!([{"clash": "closed_twice", "visits": [saved.visit]}])),
        (json!(Uuid::from_u128(5)), clashes.clone()),
    ] {
        let body = json!({"stands": stands, "settles": settles, "reason": "已核实"});
        assert_eq!(counter.add(job, "rulings", &body).await.status, 422, "{body}");
    }
    let body = json!({"stands": saved.visit, "settles": clashes, "reason": "已核实"});
    assert_eq!(counter.add(job, "rulings", &body).await.status, 201);
    assert_eq!(counter.job(job).await["summary"]["clashes"], json!([]));
}

#[tokio::test]
async fn s15_a_technician_gets_the_jobs_granted_and_nothing_else() {
    let counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let (hers, his) = (counter.job_for(ana.user).await, counter.job_for(ben.user).await);

    ana.synced().await;
    ben.synced().await;

    assert!(ana.phone.job(hers).is_ok() && ana.phone.job(his).is_err());
    assert!(ben.phone.job(his).is_ok() && ben.phone.job(hers).is_err());
    let body = json!({"technician": ben.user});
    assert_eq!(counter.add(hers, "assignments", &body).await.status, 201);
    ana.synced().await;
    ben.synced().await;
    assert!(ben.phone.job(hers).is_ok());
    assert!(ana.phone.job(hers).is_err(), "nothing of hers is in it: it leaves at once");
    for path in ["/api/jobs", "/api/live", &format!("/api/jobs/{hers}")] {
        assert_eq!(counter.node.get(path, &ana.token).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn s15_work_on_a_job_never_granted_goes_to_quarantine() {
    let counter = Counter::open().await;
    let (mut ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "只有她的".to_owned()).await.unwrap();
    let stolen = ana.phone.device().own().next().unwrap().hash;
    let request = Request::decode(&request_of(&ana)).unwrap();
    assert_eq!(request.changes.len(), 1);

    let reply = hand_in(&ben, job, request.changes[0].bytes.clone()).await;

    let reason = "not_granted".to_owned();
    assert_eq!(reply.verdicts[0].verdict, Verdict::Quarantined { reason });
    assert_eq!(counter.quarantine().await[0]["hash"], stolen.to_string());
    assert_eq!(counter.job(job).await["job"]["visits"], json!({}));
}

#[tokio::test]
async fn s15_a_forged_plan_is_refused_whole_and_nobody_can_let_it_in() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    let mut doc = Automerge::load(&document_of(&counter, job).await).unwrap();
    let now = counter.hall.config.clock.now();
    let author = Author { by: ana.user, at: now };
    let entry = PlanEntry::Cancellation(Cancellation { reason: "不想去".to_owned(), author });
    let pen = Pen { actor: ActorId::from([9; 16]), at: now };
    let forged =
        document::plan_change(&mut doc, &pen, EntryId(Uuid::from_u128(9)), &entry).unwrap();

    let reply = hand_in(&ana, job, forged).await;

    assert!(matches!(reply.verdicts[0].verdict, Verdict::Quarantined { .. }), "{reply:?}");
    assert_eq!(counter.job(job).await["standing"]["status"], "assigned");
    let hash = counter.quarantine().await[0]["hash"].as_str().unwrap().to_owned();
    assert_eq!(counter.release(&hash).await.status, 422);
    assert_eq!(counter.quarantine().await.len(), 1, "it is still kept");
}

#[tokio::test]
async fn s16_a_phone_shut_out_hands_in_to_quarantine_and_a_manager_lets_it_in() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "门口做完的".to_owned()).await.unwrap();
    let path = format!("/api/devices/{}/revoke", ana.device);
    counter.node.post(&path, Some(&counter.dispatcher), &json!({})).await;
    let later = counter.job_for(ana.user).await;

    ana.sync().await;

    assert!(ana.phone.job(later).is_err(), "nothing is given to it");
    assert_eq!(counter.job(job).await["job"]["visits"], json!({}));
    let apart = counter.quarantine().await;
    assert_eq!((apart.len(), &apart[0]["reason"]), (1, &json!("revoked")));
    let released = counter.release(apart[0]["hash"].as_str().unwrap()).await;
    assert_eq!((released.status.as_u16(), &released.body["verdict"]), (200, &json!("accepted")));
    let visits = counter.job(job).await["job"]["visits"].as_object().unwrap().len();
    assert_eq!((visits, counter.quarantine().await.len()), (1, 0));
}

#[tokio::test]
async fn s5_the_same_work_handed_in_again_is_a_duplicate_at_the_same_place() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "一次".to_owned()).await.unwrap();
    let bytes = Request::decode(&request_of(&ana)).unwrap().changes[0].bytes.clone();

    let first = hand_in(&ana, job, bytes.clone()).await.verdicts.remove(0).verdict;
    let again = hand_in(&ana, job, bytes).await.verdicts.remove(0).verdict;

    let Verdict::Acked { position, .. } = first else { panic!("{first:?}") };
    assert!(matches!(again, Verdict::Duplicate { position: same, .. } if same == position));
}

#[tokio::test]
async fn s17_bytes_that_are_no_request_are_refused_in_words() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;

    for bytes in [vec![], b"<html>sign in to the hotel</html>".to_vec(), vec![0xff; 4096]] {
        assert_eq!(ana.exchange(bytes).await, Err(mobile_core::link::LinkError::Refused(400)));
    }
}

#[tokio::test]
async fn another_halls_ids_are_not_there() {
    let counter = Counter::open().await;
    let elsewhere = JobId(Uuid::from_u128(0xdead));

    let seen = counter.node.get(&format!("/api/jobs/{elsewhere}"), &counter.dispatcher).await;
    let added = counter.add(elsewhere, "messages", &json!({"text": "在吗"})).await;

    assert_eq!((seen.status.as_u16(), added.status.as_u16()), (404, 404));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_to_do() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;

    let upside_down = json!({"window": {"start": 2, "end": 1}, "channel": "phone"});
    let nobody = json!({"technician": Uuid::from_u128(5)});
    for (what, body, status) in [
        ("appointments", upside_down, 422),
        ("assignments", nobody, 404),
        ("cancellations", json!({"reason": " "}), 422),
        ("rulings", json!({"settles": [], "reason": ""}), 422),
        ("messages", json!({"txt": "x"}), 400),
    ] {
        let reply = counter.add(job, what, &body).await;
        assert_eq!(reply.status.as_u16(), status, "{what}: {reply:?}");
        assert!(!reply.body["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!(counter.job(job).await["standing"]["status"], "assigned");
}

#[tokio::test]
async fn s8_projections_made_anew_from_the_changes_are_equal() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let (job, other) = (counter.job_for(ana.user).await, counter.job_for(ana.user).await);
    ana.synced().await;
    counter.wait_minutes(75, &[&ana]).await;
    ana.phone.arrive(job, None).await.unwrap();
    for number in 0..40 {
        ana.phone.note(job, format!("第 {number} 条")).await.unwrap();
    }
    ana.synced().await;
    counter.add(other, "cancellations", &json!({"reason": "重复报修"})).await;
    let before = projections(&counter).await;
    assert!(before.iter().all(|table| table != "[]"), "every table has rows: {before:?}");

    counter.hall.break_with("delete from fact").await;
    counter.hall.break_with("update job set status = 'lost'").await;
    assert_ne!(projections(&counter).await, before);
    let rebuild = Rebuild::of(&counter.hall.config.database.0);
    rebuild.run(&counter.hall.config, &mut std::io::sink()).await.unwrap();

    assert_eq!(projections(&counter).await, before);
    let snapshots: i64 = counter
        .hall
        .db
        .read()
        .await
        .unwrap()
        .c()
        .q("select count(*) from snapshot")
        .scalar()
        .await
        .unwrap();
    assert_eq!(snapshots, 1, "the long document had a snapshot on the way");
}

/// Every projection as text.
async fn projections(counter: &Counter) -> Vec<String> {
    let mut conn = counter.hall.db.read().await.expect("the tests' own calls work");
    let mut tables = Vec::new();
    tables.push(rows(conn.c(), "select status || clashes || updated_position || coalesce(window_end, 0) from job order by job_id").await);
    tables.push(
        rows(
            conn.c(),
            "select kind || earliest || '-' || latest || body from fact order by job_id, fact_id",
        )
        .await,
    );
    tables.push(rows(conn.c(), "select cast(count(*) as text) from visit").await);
    tables.push(rows(conn.c(), "select day || punctuality || ordinal from appointment_verdict order by job_id, ordinal").await);
    tables
}

async fn rows(c: C<'_>, sql: &'static str) -> String {
    let rows: Vec<(String,)> = c.q(sql).all().await.expect("the tests' own calls work");
    format!("{rows:?}")
}

/// The request that a phone would send now.
fn request_of(technician: &Technician) -> Vec<u8> {
    let moment =
        sync::device::Moment { boot: domain::stamp::BootId(7), mono_ms: i64::from(u32::MAX) };
    technician.phone.device().request(moment).encode()
}

/// Hands one change in as a phone that says nothing else.
pub(crate) async fn hand_in(technician: &Technician, job: JobId, bytes: Vec<u8>) -> Reply {
    let request = Request {
        version: VERSION,
        cursor: None,
        boot: domain::stamp::BootId(7),
        mono_ms: i64::from(u32::MAX),
        anchors: Vec::new(),
        recorded: 0,
        pending: 1,
        packs: Vec::new(),
        changes: vec![Offered { job, bytes, voucher: None }],
        limit_bytes: 1 << 20,
        receipts: None,
    };
    Reply::decode(&technician.exchange(request.encode()).await.expect("the tests' own calls work"))
        .expect("the tests' own calls work")
}

async fn document_of(counter: &Counter, job: JobId) -> Vec<u8> {
    let url = format!("{}/api/jobs/{job}/document", counter.node.base);
    let response = reqwest::Client::new().get(url).bearer_auth(&counter.dispatcher).send().await;
    response
        .expect("the tests' own calls work")
        .bytes()
        .await
        .expect("the tests' own calls work")
        .to_vec()
}
