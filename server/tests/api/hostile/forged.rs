//! Phones that lie: each technician against each document over the exchange, field by field (checks 20, 21, 23).

use std::collections::BTreeSet;

use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, ObjId, ObjType, ROOT, ReadDoc as _, Value};
use domain::id::{FactId, JobId, MessageId, VisitId};
use domain::job::Message;
use domain::stamp::{BootId, Stamp};
use domain::visit::{Fact, Recorded};
use serde_json::json;
use sync::document::{NewFact, Pen, fact_change, message_change};
use sync::message::{Cursor, Offered, Reply, Request, VERSION, Verdict};
use uuid::Uuid;

use super::pair::{Pair, Side};
use crate::counter::Technician;

/// Changes of one request: fewer than a phone may send.
const AT_ONCE: usize = 40;

#[tokio::test]
async fn check_20_s15_a_phone_that_asks_from_the_beginning_gets_its_own_jobs_only() {
    let pair = Pair::open().await;
    for side in [&pair.east, &pair.west] {
        for (technician, things) in
            [(&side.ana, &["job", "bill", "inspection", "empty"][..]), (&side.ben, &[])]
        {
            let granted = granted(side, technician).await;
            for thing in things {
                assert!(granted.contains(&side.things[thing]), "{thing} is theirs");
            }

            let told = told(technician).await;

            assert_eq!(told, granted, "{}", side.word);
        }
    }
    let both: Vec<_> = [&pair.east.ana, &pair.west.ana].into_iter().collect();
    let (first, second) = (told(both[0]).await, told(both[1]).await);
    assert!(first.is_disjoint(&second), "no job is in two halls");
}

#[tokio::test]
async fn check_21_s15_every_field_of_a_document_that_a_technician_writes_over_is_kept_apart() {
    let pair = Pair::open().await;
    let side = &pair.east;
    let job: JobId = side.things["job"].parse().unwrap();
    let doc = document(side, job).await;
    let before = side.counter.job(job).await;
    let forged = forgeries(&doc);
    assert!(forged.len() > 100, "{} fields", forged.len());

    for (technician, reason) in
        [(&side.ana, None), (&side.ben, Some("not_granted")), (&pair.west.ana, Some("unknown_job"))]
    {
        for some in forged.chunks(AT_ONCE) {
            let changes = some.iter().map(|(_, bytes)| bytes.clone()).collect();
            let verdicts = offer(technician, job, changes).await;
            assert_eq!(verdicts.len(), some.len());
            for ((path, _), verdict) in some.iter().zip(verdicts) {
                let Verdict::Quarantined { reason: why } = &verdict else {
                    panic!("{path}: {verdict:?}");
                };
                assert!(reason.is_none_or(|it| it == why), "{path}: {why}");
            }
        }
    }

    assert_eq!(side.counter.job(job).await, before, "nothing of it is in the job");
    let foreign = pair.west.counter.job(pair.west.things["job"].parse().unwrap()).await;
    assert!(!foreign.to_string().contains("forged"), "nor in another hall's");
}

#[tokio::test]
async fn check_21_s15_nobody_writes_in_anothers_name_or_visit() {
    let pair = Pair::open().await;
    let side = &pair.east;
    let job: JobId = side.things["job"].parse().unwrap();
    let doc = document(side, job).await;
    let before = side.counter.job(job).await;
    let stamp =
        before["job"]["visits"][&side.things["visit"]]["facts"][&side.things["question"]]["stamp"]
            .clone();
    let stamp: Stamp = serde_json::from_value(stamp).unwrap();
    let visit: VisitId = side.things["visit"].parse().unwrap();
    let at = |number: u128| Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0000 + number);
    let pen = |number: u8| Pen { actor: ActorId::from([number; 16]), at: stamp.wall_at };
    let recorded = Recorded { stamp, fact: Fact::Signed { hash: "b2".repeat(32) } };
    let opened_by = |technician: &Technician, number: u8| {
        let opens = Some((technician.user, technician.device.parse().unwrap()));
        let (visit, id) = (VisitId(at(u128::from(number))), FactId(at(0x100)));
        let fact = NewFact { visit, opens, id, recorded: &recorded };
        fact_change(&mut doc.fork(), &pen(number), &fact).unwrap()
    };
    let said_by = |technician: &Technician, number: u8| {
        let message = Message { author: technician.user, stamp, text: "forged".to_owned() };
        message_change(&mut doc.fork(), &pen(number), MessageId(at(0x200)), &message).unwrap()
    };
    let signed = {
        let fact = NewFact { visit, opens: None, id: FactId(at(0x300)), recorded: &recorded };
        fact_change(&mut doc.fork(), &pen(7), &fact).unwrap()
    };
    side.counter.add(job, "assignments", &json!({"technician": side.ben.user})).await;

    // He goes there now, and still neither signs in her visit nor opens one in her name.
    let verdicts = offer(
        &side.ben,
        job,
        vec![signed, opened_by(&side.ana, 1), said_by(&side.ana, 2), opened_by(&side.ben, 3)],
    )
    .await;

    let reasons: Vec<_> = verdicts.iter().map(reason).collect();
    assert_eq!(reasons, ["others_visit", "others_visit", "others_name", "-"]);
    let visits = side.counter.job(job).await["job"]["visits"].clone();
    assert_eq!(visits[&side.things["visit"]], before["job"]["visits"][&side.things["visit"]]);
}

#[tokio::test]
async fn check_23_s11_another_phones_actor_is_refused_and_its_owner_goes_on() {
    let mut pair = Pair::open().await;
    let side = &mut pair.east;
    let job: JobId = side.things["bill"].parse().unwrap();
    let other: JobId = side.things["leak"].parse().unwrap();
    side.ana.synced().await;
    let doc = document(side, job).await;
    let hers = doc.get_changes(&[]).into_iter().map(|it| it.actor_id().clone());
    let hers: BTreeSet<_> = hers.collect();
    let granted = granted(side, &side.ben).await;
    assert!(granted.contains(&other.to_string()), "he was called to the leak");
    let doc = document(side, other).await;
    let now = side.counter.hall.config.clock.now();

    let mut reasons = Vec::new();
    for actor in hers {
        let stamp = Stamp { wall_at: now, boot: BootId(9), mono_ms: 5, anchor: None };
        let message = Message { author: side.ben.user, stamp, text: "forged".to_owned() };
        let pen = Pen { actor, at: now };
        let change = message_change(&mut doc.fork(), &pen, MessageId(Uuid::from_u128(5)), &message);
        reasons.extend(offer(&side.ben, other, vec![change.unwrap()]).await);
    }

    assert!(reasons.len() >= 2, "the hall's and hers");
    for verdict in &reasons {
        assert!(matches!(verdict, Verdict::Quarantined { .. }), "{verdict:?}");
    }
    side.ana.phone.note(other, "她还在写".to_owned()).await.unwrap();
    side.ana.synced().await;
    let seen = side.counter.job(other).await.to_string();
    assert!(seen.contains("她还在写") && !seen.contains("forged"), "{seen}");
}

/// The jobs that the hall's rows grant somebody.
async fn granted(side: &Side, technician: &Technician) -> BTreeSet<String> {
    let mut conn = side.counter.hall.db.read().await.expect("a connection");
    let jobs: Vec<(Uuid,)> = conn
        .c()
        .q("select distinct job_id from job_grant where user_id = $1 and withdrawn_position is null")
        .bind(technician.user.0)
        .all()
        .await
        .expect("rows");
    jobs.into_iter().map(|(job,)| job.to_string()).collect()
}

/// The jobs that a phone without any memory is told of, page by page.
async fn told(technician: &Technician) -> BTreeSet<String> {
    let mut cursor = None;
    let mut jobs = BTreeSet::new();
    loop {
        let reply = exchange(technician, cursor, Vec::new()).await;
        jobs.extend(reply.documents.iter().map(|it| it.job.to_string()));
        cursor = Some(reply.cursor);
        if !reply.more {
            return jobs;
        }
    }
}

async fn offer(technician: &Technician, job: JobId, changes: Vec<Vec<u8>>) -> Vec<Verdict> {
    let offered = changes.into_iter().map(|bytes| Offered { job, bytes, voucher: None });
    let reply = exchange(technician, None, offered.collect()).await;
    reply.verdicts.into_iter().map(|it| it.verdict).collect()
}

async fn exchange(technician: &Technician, cursor: Option<Cursor>, changes: Vec<Offered>) -> Reply {
    let request = Request {
        version: VERSION,
        cursor,
        boot: BootId(7),
        mono_ms: i64::from(u32::MAX),
        anchors: Vec::new(),
        recorded: 0,
        pending: 0,
        packs: Vec::new(),
        changes,
        limit_bytes: 1 << 20,
        receipts: None,
    };
    let reply = technician.exchange(request.encode()).await.expect("the hall answers");
    Reply::decode(&reply).expect("a reply")
}

fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Quarantined { reason } => reason.clone(),
        Verdict::Acked { .. } | Verdict::Duplicate { .. } | Verdict::Waiting => "-".to_owned(),
    }
}

async fn document(side: &Side, job: JobId) -> Automerge {
    let url = format!("{}/api/jobs/{job}/document", side.counter.node.base);
    let response = side.http.get(url).bearer_auth(&side.tokens["mara"]).send().await;
    let bytes = response.expect("the server replies").bytes().await.expect("a document");
    Automerge::load(&bytes).expect("a document")
}

/// For each field of the document a change that writes over it, and for each map one that adds to it.
fn forgeries(doc: &Automerge) -> Vec<(String, Vec<u8>)> {
    let mut places = Vec::new();
    walk(doc, &ROOT, "", &mut places);
    let forged = places.into_iter().zip(0_u128..).map(|((map, key, path), number)| {
        let actor = ActorId::from((0xf0 << 64 | number).to_be_bytes());
        let mut doc = doc.fork().with_actor(actor);
        let mut tx = doc.transaction();
        tx.put(&map, key.as_str(), "forged").expect("a map");
        tx.commit();
        let change = doc.get_last_local_change().expect("it was just made");
        (path, change.raw_bytes().to_vec())
    });
    forged.collect()
}

/// Every key of every map, and one key more in each.
fn walk(doc: &Automerge, map: &ObjId, at: &str, places: &mut Vec<(ObjId, String, String)>) {
    places.push((map.clone(), "forged".to_owned(), format!("{at}/+")));
    for key in doc.keys(map) {
        let path = format!("{at}/{key}");
        places.push((map.clone(), key.clone(), path.clone()));
        if let Ok(Some((Value::Object(ObjType::Map), inner))) = doc.get(map, key.as_str()) {
            walk(doc, &inner, &path, places);
        }
    }
}
