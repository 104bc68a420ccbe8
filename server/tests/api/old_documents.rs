//! A job of before calls, callers' numbers and places that no register knows: stored as that version wrote it, used by this one.
//!
//! The two files are what the version of commit 1bfd4c1 made: a job as a server took it on, and a fact as a phone recorded it.

use domain::id::{HallId, JobId, UserId};
use domain::job::Job;
use domain::stamp::Timestamp;
use mobile_core::phone::CallPart;
use serde_json::{Value, json};
use server::db::changes::{ChangeRow, insert_changes};
use server::db::documents::{DocumentRow, insert_document};
use server::db::halls::take_positions;
use server::jobs::settle::derive;
use sync::document;
use sync::limits::Limits;
use sync::preflight::inspect;
use uuid::Uuid;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{MORNING_MS, text};
use crate::leaks::{called, leak};

const CREATED: &[u8] =
    include_bytes!("../../../sync/tests/documents/before-calls-created.automerge");
const PHONED: &[u8] = include_bytes!("../../../sync/tests/documents/before-calls-phoned.automerge");

/// Puts the old job where the old version had it.
async fn stored(counter: &Counter, app: &server::App, phone: &str) -> Job {
    let doc = document::load(None, &[CREATED, PHONED]).expect("it loads");
    let job = document::read(&doc).expect("it reads");
    let hall = HallId(Uuid::from_u128(0x4a11));
    let mut conn = counter.hall.db.read().await.expect("a connection");
    let pack = app.state.packs.find(conn.c(), &job.pack).await.expect("its pack");
    drop(conn);
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    let first = take_positions(tx.c(), hall, 3).await.expect("positions");
    let row = DocumentRow {
        job_id: job.id.0,
        hall_id: hall.0,
        household_id: job.briefing.household.id.0,
        pack_id: job.pack.0.clone(),
        created_at: MORNING_MS,
    };
    insert_document(tx.c(), &row).await.expect("a document");
    let change = |bytes: &[u8], position: i64, device: Option<Uuid>| {
        let inspected = inspect(bytes, &Limits::default()).expect("a change");
        ChangeRow {
            hash: inspected.hash.0.to_vec(),
            hall_id: hall.0,
            job_id: job.id.0,
            position,
            actor: inspected.actor.to_bytes().to_vec(),
            seq: i64::try_from(inspected.seq).expect("few"),
            device_id: device,
            author_id: None,
            received_at: MORNING_MS,
            sent_boot: device.map(|_| 3),
            sent_mono_ms: device.map(|_| 600_000),
            bytes: bytes.to_vec(),
        }
    };
    let device = phone.parse().expect("a device");
    let changes = [change(CREATED, first, None), change(PHONED, first + 1, Some(device))];
    insert_changes(tx.c(), &changes).await.expect("changes");
    let now = Timestamp::from_timestamp_millis(MORNING_MS).expect("a time");
    derive(tx.c(), &job, (&pack, now, first + 2)).await.expect("its rows");
    tx.commit().await.expect("a commit");
    job
}

#[tokio::test]
async fn s18_a_job_of_before_calls_is_read_called_out_and_answered() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let bert = counter.hire("bert").await;
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    let raw = document::json(&document::load(None, &[CREATED]).unwrap());
    for path in ["/plan/calls", "/briefing/caller_phone", "/briefing/household/unregistered"] {
        assert_eq!(raw.pointer(path), None, "{path} was not known");
    }
    let old = stored(&counter, &app, &bert.device).await;

    // As it is.
    assert!(old.plan.calls.is_empty() && old.briefing.caller_phone.is_empty());
    assert!(!old.briefing.household.unregistered);
    let shown = counter.job(old.id).await;
    assert_eq!(shown["job"]["briefing"]["request"], "厨房有味");
    assert_eq!(shown["summary"]["promise"]["rule"], "B2");
    assert_eq!(facts(&shown), ["phoned_ahead"]);
    let listed = leak(&counter).await;
    assert_eq!((&listed["job"], &listed["state"]), (&json!(old.id), &Value::Null));
    assert_eq!((&listed["unregistered"], called(&listed).len()), (&json!(false), 0));

    // People are called to it, as to any other.
    let mut tx = counter.hall.db.begin().await.unwrap();
    take_positions(tx.c(), counter.hall.id, 0).await.unwrap();
    let dora = UserId(Uuid::new_v5(&counter.hall.id.0, b"dora"));
    let from = (dora, "13900001111");
    server::leak::begin(&app.state, &mut tx, (counter.hall.id, old.id), from).await.unwrap();
    tx.commit().await.unwrap();
    let listed = leak(&counter).await;
    assert_eq!((&listed["state"], called(&listed).len()), (&json!("calling"), 2), "{listed}");

    // A phone of this version holds it, and says that it comes.
    ana.synced().await;
    let held = ana.phone.job(old.id).unwrap();
    assert_eq!(held.unread, []);
    assert_eq!(held.call.unwrap().part, CallPart::Waiting);
    assert_eq!(held.job.briefing, old.briefing);
    ana.phone.accept_call(old.id).await.unwrap();
    ana.synced().await;
    assert_eq!(leak(&counter).await["lead"]["name"], "ANA");
    assert_eq!(facts(&counter.job(old.id).await).len(), 2);

    // What is derived from it is derived again.
    let job: JobId = old.id;
    let again = counter.node.get(&format!("/api/jobs/{job}/history"), &counter.dispatcher).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(text(&counter.job(job).await["summary"]["household"]["account"]), ACCOUNT);
}

fn facts(shown: &Value) -> Vec<String> {
    let visits = shown["job"]["visits"].as_object().expect("visits").values();
    let facts = visits.flat_map(|visit| visit["facts"].as_object().expect("facts").values());
    facts.map(|fact| text(&fact["type"])).collect()
}
