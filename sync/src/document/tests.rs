//! What goes into a document comes out of it.

use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, Change, ROOT, ReadDoc};
use domain::id::{DeviceId, EntryId, FactId, MessageId, UserId, VisitId};
use domain::job::{Author, Briefing, Call, Instruction, Job, Message, PlanEntry};
use domain::visit::{Fact, Recorded};
use serde_json::{Value, json};

use super::*;

#[test]
fn a_job_reads_as_it_was_written() {
    let job = job();

    let doc = load(None, &[create(&job, &server()).unwrap()]).unwrap();

    assert_eq!(read(&doc).unwrap(), job);
}

#[test]
fn the_document_mirrors_the_json_of_the_job() {
    let job = job();

    let doc = load(None, &[create(&job, &server()).unwrap()]).unwrap();

    // Byte for byte: whole numbers stay whole and others stay broken.
    assert_eq!(json(&doc).to_string(), serde_json::to_value(&job).unwrap().to_string());
}

#[test]
fn every_kind_of_fact_reads_as_it_was_recorded() {
    let (mut doc, _) = visited();
    let mut expected = read(&doc).unwrap();
    for (number, recorded) in recorded().into_iter().enumerate() {
        let id = fact_id(number);
        let fact = NewFact { visit: visit(), opens: None, id, recorded: &recorded };

        fact_change(&mut doc, &phone(), &fact).unwrap();

        expected.visits.get_mut(&visit()).unwrap().facts.insert(id, recorded);
    }

    let contents = contents(&doc).unwrap();

    assert_eq!(contents.job, expected);
    assert_eq!(contents.unread, []);
}

#[test]
fn plan_briefing_and_messages_are_edited() {
    let (mut doc, _) = visited();
    let author = Author { by: UserId(uuid(0xd1)), at: server().at };
    let entry = PlanEntry::Instruction(Instruction { text: "带长软管".to_owned(), author });
    let briefing = Briefing { request: "漏气？".to_owned(), ..job().briefing };
    let stamp = recorded()[0].stamp;
    let message = Message { author: UserId(uuid(0xb1)), stamp, text: "好".to_owned() };

    plan_change(&mut doc, &server(), EntryId(uuid(0x501)), &entry).unwrap();
    let change = briefing_change(&mut doc, &server(), &briefing).unwrap();
    message_change(&mut doc, &phone(), MessageId(uuid(0x502)), &message).unwrap();

    let job = read(&doc).unwrap();
    let PlanEntry::Instruction(instruction) = entry else { unreachable!() };
    assert_eq!(job.plan.instructions[&EntryId(uuid(0x501))], instruction);
    assert_eq!(job.briefing, briefing);
    assert_eq!(job.messages[&MessageId(uuid(0x502))], message);
    let ops = Change::from_bytes(change.unwrap()).unwrap().len();
    assert_eq!(ops, 1, "only what differs is written");
    assert_eq!(briefing_change(&mut doc, &server(), &briefing).unwrap(), None);
}

#[test]
fn b2_a_call_is_written_into_a_plan_and_into_one_from_before_calls() {
    let author = Author { by: UserId(uuid(0xd1)), at: server().at };
    let call = |technician| Call {
        technician: UserId(uuid(technician)),
        name: "安娜".to_owned(),
        until: server().at,
        author,
    };
    let mut older = serde_json::to_value(job()).unwrap();
    older["plan"].as_object_mut().unwrap().remove("calls").unwrap();
    let mut made = Automerge::new().with_actor(server().actor);
    let mut tx = made.transaction();
    for (name, value) in older.as_object().unwrap() {
        value::put_value(&mut tx, &ROOT, name, value).unwrap();
    }
    tx.commit();
    assert_eq!(read(&made).unwrap(), job(), "a document without the list reads as one with none");
    let new = load(None, &[create(&job(), &server()).unwrap()]).unwrap();
    for mut doc in [new, made] {
        for number in [1, 2] {
            let entry = PlanEntry::Call(call(number));
            plan_change(&mut doc, &server(), EntryId(uuid(0x600 + number)), &entry).unwrap();
        }

        let contents = contents(&doc).unwrap();

        assert_eq!(contents.unread, []);
        let calls = contents.job.plan.calls;
        assert_eq!(calls[&EntryId(uuid(0x601))], call(1));
        assert_eq!(calls[&EntryId(uuid(0x602))], call(2));
        let again = PlanEntry::Call(call(3));
        let again = plan_change(&mut doc, &server(), EntryId(uuid(0x601)), &again);
        assert!(matches!(again, Err(EditError::Taken(_))), "{again:?}");
    }
}

#[test]
fn nothing_is_written_over() {
    let (mut doc, _) = visited();
    let before = doc.get_heads();
    let recorded = &recorded()[0];
    let again = NewFact { visit: visit(), opens: None, id: fact_id(99), recorded };
    let reopened = NewFact { opens: Some((UserId(uuid(0xb1)), device())), ..again };
    let nowhere = NewFact { visit: VisitId(uuid(0x777)), ..again };

    let again = fact_change(&mut doc, &phone(), &again);
    let reopened = fact_change(&mut doc, &phone(), &reopened);
    let nowhere = fact_change(&mut doc, &phone(), &nowhere);

    assert!(matches!(again, Err(EditError::Taken(_))), "{again:?}");
    assert!(matches!(reopened, Err(EditError::Taken(_))), "{reopened:?}");
    assert!(matches!(nowhere, Err(EditError::NoVisit(_))), "{nowhere:?}");
    assert_eq!(doc.get_heads(), before);
}

#[test]
fn the_same_edit_by_the_same_pen_has_the_same_bytes() {
    assert_eq!(create(&job(), &server()).unwrap(), create(&job(), &server()).unwrap());
    assert_eq!(visited().1, visited().1);
}

#[test]
fn a_long_change_travels_uncompressed() {
    let bytes = create(&job(), &server()).unwrap();

    assert!(bytes.len() > 256, "long enough that automerge would deflate it");
    assert_eq!(bytes[8], 1);
}

#[test]
fn s18_what_a_newer_version_wrote_hides_nothing_else_and_stays() {
    let (doc, mut changes) = visited();
    let known = read(&doc).unwrap();
    let mut newer = doc.clone().with_actor(ActorId::from(b"newer phone"));
    let path = format!("visits/{}/facts/{}", visit(), fact_id(7));
    changes.push(foreign(&mut newer, &path, &json!({"type": "teleported", "to": [1, 2]})));
    changes.push(foreign(&mut newer, "messages/not-an-id", &json!("?")));

    let doc = load(None, &changes).unwrap();
    let contents = contents(&doc).unwrap();

    assert_eq!(contents.job, known);
    let unread: Vec<_> = contents.unread.iter().map(|unread| unread.path.as_str()).collect();
    assert_eq!(unread, [path.as_str(), "messages/not-an-id"]);
    let kept = json(&load::<Vec<u8>>(Some(&doc.save()), &[]).unwrap());
    assert_eq!(kept["visits"][visit().to_string()]["facts"][fact_id(7).to_string()]["to"][1], 2);
}

#[test]
fn s18_a_document_of_a_newer_shape_is_read_but_not_written() {
    let newer = Job { schema: SCHEMA + 1, ..job() };
    let mut doc = load(None, &[create(&newer, &server()).unwrap()]).unwrap();
    let recorded = &recorded()[0];
    let opens = Some((UserId(uuid(0xb1)), device()));
    let fact = NewFact { visit: visit(), opens, id: fact_id(1), recorded };

    let written = fact_change(&mut doc, &phone(), &fact);

    assert_eq!(read(&doc).unwrap(), newer);
    assert!(matches!(written, Err(EditError::TooNew(2))), "{written:?}");
}

#[test]
fn s9_any_order_of_changes_loads_the_same_document() {
    let (doc, changes) = visited();
    let mut backwards = changes.clone();
    backwards.reverse();
    backwards.extend(changes);

    let loaded = load(None, &backwards).unwrap();

    assert_eq!(loaded.get_heads(), doc.get_heads());
    assert_eq!(read(&loaded).unwrap(), read(&doc).unwrap());
}

#[test]
fn s10_a_snapshot_reads_as_its_changes_do() {
    let (doc, changes) = visited();

    let bytes = snapshot(&doc, &changes).unwrap();

    let loaded = load::<Vec<u8>>(Some(&bytes), &[]).unwrap();
    assert_eq!(read(&loaded).unwrap(), read(&load(None, &changes).unwrap()).unwrap());
    let again = load(Some(&bytes), &changes).unwrap();
    assert_eq!(again.get_heads(), doc.get_heads(), "snapshot and log together are the same");
}

#[test]
fn s10_a_snapshot_of_other_changes_is_refused() {
    let (mut doc, mut changes) = visited();
    let recorded = &recorded()[1];
    let fact = NewFact { visit: visit(), opens: None, id: fact_id(50), recorded };
    let late = fact_change(&mut doc, &phone(), &fact).unwrap();

    let lacking = snapshot(&doc, &changes);

    assert!(matches!(lacking, Err(SnapshotError::OtherChanges)), "{lacking:?}");
    changes.push(late);
    snapshot(&doc, &changes).unwrap();
}

#[test]
fn stored_bytes_that_were_damaged_do_not_load() {
    let (_, changes) = visited();
    let mut damaged = changes.clone();
    let text = damaged[1].windows(7).position(|bytes| bytes == b"set_out").unwrap();
    damaged[1][text] = b'S';
    let lacking = &changes[1..];

    let error = load(None, &damaged).unwrap_err();
    assert!(matches!(error, LoadError::Checksum(1)), "{error:?}");
    let error = load(None, lacking).unwrap_err();
    assert!(matches!(error, LoadError::Apply(ApplyError::Missing(_))), "{error:?}");
    assert!(load::<Vec<u8>>(Some(b"no snapshot"), &[]).is_err());
}

#[test]
fn applying_leaves_the_original_alone() {
    let (doc, changes) = visited();
    let first = load(None, &changes[..1]).unwrap();
    let change = Change::from_bytes(changes[1].clone()).unwrap();

    let after = apply(&first, &[change]).unwrap();

    assert_eq!(after.get_heads(), doc.get_heads());
    assert_eq!(first.get_changes(&[]).len(), 1);
}

#[test]
fn a_full_visit_of_forty_facts_stays_small() {
    let (mut doc, mut changes) = visited();
    let created = changes[0].len();
    for number in 1..40 {
        let all = recorded();
        let recorded = &all[number % (all.len() - 1)];
        let id = fact_id(number);
        let fact = NewFact { visit: visit(), opens: None, id, recorded };
        changes.push(fact_change(&mut doc, &phone(), &fact).unwrap());
    }

    let saved = snapshot(&doc, &changes).unwrap().len();
    let facts: usize = changes[1..].iter().map(Vec::len).sum();

    assert!(created < 3_000, "{created} bytes");
    assert!(facts / 40 < 500, "{} bytes a fact", facts / 40);
    assert!(saved < 8_000, "{saved} bytes");
}

fn job() -> Job {
    serde_json::from_str(include_str!("../../tests/hostile/job.json")).unwrap()
}

fn recorded() -> Vec<Recorded> {
    let facts = include_str!("../../tests/hostile/facts.json");
    let facts: Vec<Fact> = serde_json::from_str(facts).unwrap();
    let stamp = |number: i64| {
        serde_json::from_value(json!({
            "wall_at": 1_795_485_700_123_i64 + number * 61_037,
            "boot": 3,
            "mono_ms": 5_400_321 + number * 61_037,
            "anchor": {
                "boot": 3,
                "mono_ms": 5_100_009,
                "server_at": 1_795_485_400_456_i64,
                "round_trip_ms": 87,
            },
        }))
        .unwrap()
    };
    (0..).zip(facts).map(|(number, fact)| Recorded { stamp: stamp(number), fact }).collect()
}

/// A document with one visit of one fact, and its changes.
fn visited() -> (Automerge, Vec<Vec<u8>>) {
    let created = create(&job(), &server()).unwrap();
    let mut doc = load(None, std::slice::from_ref(&created)).unwrap();
    let recorded = &recorded()[0];
    let opens = Some((UserId(uuid(0xb1)), device()));
    let fact = NewFact { visit: visit(), opens, id: fact_id(99), recorded };
    let opened = fact_change(&mut doc, &phone(), &fact).unwrap();
    (doc, vec![created, opened])
}

fn foreign(doc: &mut Automerge, path: &str, value: &Value) -> Vec<u8> {
    let (at, key) = path.rsplit_once('/').unwrap();
    let map = at.split('/').fold(ROOT, |map, name| doc.get(&map, name).unwrap().unwrap().1);
    let mut tx = doc.transaction();
    value::put_value(&mut tx, &map, key, value).unwrap();
    assert!(tx.pending_ops() > 0);
    tx.commit();
    doc.get_last_local_change().unwrap().raw_bytes().to_vec()
}

fn server() -> Pen {
    Pen { actor: ActorId::from(b"server's actor16"), at: job().created_at }
}

fn phone() -> Pen {
    Pen { actor: ActorId::from(b"the phone's actr"), at: job().created_at }
}

fn visit() -> VisitId {
    VisitId(uuid(0x901))
}

fn device() -> DeviceId {
    DeviceId(uuid(0xc1))
}

fn fact_id(number: usize) -> FactId {
    FactId(uuid(0xf000 + number as u128))
}

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0000 + number)
}
