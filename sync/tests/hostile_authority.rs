//! What a technician may not write is refused, however it is written.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "hostile/door.rs"]
mod door;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::transaction::{Transactable, Transaction};
use automerge::{
    ActorId, AutomergeError, Change, ExpandedChange, ObjId, ObjType, ROOT, ReadDoc, ScalarValue,
};
use domain::id::{DeviceId, FactId, MessageId, UserId, VisitId};
use domain::job::Message;
use domain::measure::Fen;
use domain::visit::{Fact, Outcome};
use door::{Door, recorded, uuid};
use serde_json::json;
use sync::authority::{Authority, Grant, Refusal, Writer};
use sync::document::{apply, message_change, read};
use sync::limits::{FACT_DEPTH, Limits, TEXT_BYTES};
use sync::preflight::inspect;

#[test]
fn s15_a_technician_adds_visits_facts_and_messages_of_his_own() {
    let mut door = Door::new();
    let before = door.doc.clone();
    let (first, second) = (door.visit, VisitId(uuid(0x902)));
    let changes = [
        door.fact(0x3000, &Fact::TightnessTested { tight: true }),
        door.open(second, 0x3001, &Fact::SetOut),
        door.write(second, None, 0x3002, &Fact::GasSwitched { on: false }),
        message(&mut door),
    ];
    let mut authority = Authority::new(&before).unwrap();

    let grants = changes.map(|bytes| {
        let change = inspect(&bytes, &Limits::default()).unwrap().change;
        (authority.admit(&change, &door.writer).unwrap(), change)
    });

    let facts: Vec<_> = grants.iter().flat_map(|(grant, _)| grant.facts.clone()).collect();
    let fact = |number| FactId(uuid(number));
    assert_eq!(facts, [(first, fact(0x3000)), (second, fact(0x3001)), (second, fact(0x3002))]);
    assert_eq!(grants[1].0.visits, [second]);
    assert_eq!(grants[3].0.messages.len(), 1);
    let all = grants.map(|(_, change)| change);
    let after = apply(&before, &all).unwrap();
    assert_eq!(read(&after).unwrap(), read(&door.doc).unwrap());
}

#[test]
fn s15_a_technician_writes_nowhere_else() {
    let plan = format!("plan/assignments/{}", uuid(0x102));
    let visit = format!("visits/{}", uuid(0x901));
    let fact = format!("{visit}/facts/{}", uuid(0x1000));
    let new = uuid(0x4000);
    let note = json!(recorded(&Fact::Noted { text: "x".to_owned() }));

    refuses("forbidden", &format!("plan/assignments/{new}"), &json!({"technician": new}));
    refuses("forbidden", &format!("plan/cancelled/{new}"), &json!({"reason": "x"}));
    // Nobody calls themselves to an emergency (B2).
    refuses("forbidden", &format!("plan/calls/{new}"), &json!({"technician": new}));
    refuses("not_an_addition", "plan/rulings", &json!({}));
    refuses("not_an_addition", "briefing/request", &json!("x"));
    refuses("forbidden", "note", &json!("x"));
    refuses("not_an_addition", "visits", &json!({}));
    refuses("forbidden", &format!("{plan}/author/extra"), &json!(1));
    refuses("forbidden", &format!("{visit}/extra"), &json!(1));
    refuses("not_an_addition", &format!("{visit}/technician"), &json!(uuid(0xb2)));
    refuses("forbidden", &format!("{fact}/extra"), &json!(1));
    refuses("not_an_addition", &format!("{fact}/stamp/mono_ms"), &json!(1));
    refuses("not_an_addition", &fact, &note);
    refuses("not_an_addition", &visit, &json!({"facts": {}}));
    refuses("not_an_id", &format!("{visit}/facts/x"), &note);
    refuses("not_an_id", &format!("{visit}/facts/{}", uuid(0x1000).simple()), &note);
    refuses("not_an_id", "messages/x", &json!("x"));
    refuses("unreadable", &format!("{visit}/facts/{new}"), &json!("x"));
    refuses("unreadable", &format!("{visit}/facts/{new}"), &json!({"type": "set_out"}));
    refuses("unreadable", &format!("messages/{new}"), &json!({"text": "x"}));
    let stamp = &note["stamp"];
    let signed = |by: u128| json!({"author": uuid(by), "stamp": stamp, "text": "x"});
    refuses("others_name", &format!("messages/{new}"), &signed(0xb2));
    let opened = |user: u128, device: u128| json!({"technician": uuid(user), "device": uuid(device), "facts": {new.to_string(): note}});
    refuses("others_visit", &format!("visits/{new}"), &opened(0xb2, 0xc1));
    refuses("others_visit", &format!("visits/{new}"), &opened(0xb1, 0xc2));
    let mut more = opened(0xb1, 0xc1);
    more["status"] = json!("done");
    refuses("unreadable", &format!("visits/{new}"), &more);
    let mut long = note.clone();
    long["text"] = json!("x".repeat(9_000));
    refuses("text_too_long", &format!("{visit}/facts/{new}"), &long);
    let mut deep = note.clone();
    deep["more"] = json!({"a": {"b": {"c": {"d": {"e": {"f": {"g": {}}}}}}}});
    refuses("too_deep", &format!("{visit}/facts/{new}"), &deep);
}

#[test]
fn b15_no_till_is_spoilt_by_an_amount_that_nobody_pays() {
    let at = format!("visits/{}/facts/{}", uuid(0x901), uuid(0x4000));
    let cash = Fact::CashTaken { amount: Fen(1), receipt: "1".to_owned(), reason: String::new() };
    let mut cash = json!(recorded(&cash));

    admits(&at, &cash);
    for amount in [0, -1, i64::MAX] {
        cash["amount"] = json!(amount);
        refuses("unreadable", &at, &cash);
    }
}

#[test]
fn s15_a_fact_is_let_in_up_to_its_bounds_and_not_beyond() {
    let at = format!("visits/{}/facts/{}", uuid(0x901), uuid(0x4000));
    let mut fact = json!(recorded(&Fact::Noted { text: "x".repeat(TEXT_BYTES) }));
    admits(&at, &fact);
    fact["text"] = json!("x".repeat(TEXT_BYTES + 1));
    refuses("text_too_long", &at, &fact);

    fact["text"] = json!("x");
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!({ "in": inner }));
    fact["more"] = nested(FACT_DEPTH);
    admits(&at, &fact);
    fact["more"] = nested(FACT_DEPTH + 1);
    refuses("too_deep", &at, &fact);
}

#[test]
fn s15_a_technician_only_adds() {
    let fact = format!("visits/{}/facts/{}", uuid(0x901), uuid(0x1000));
    let facts = format!("visits/{}/facts", uuid(0x901));
    let refused = |expected: &str, edit: &dyn Fn(&mut Transaction<'_>, &Door) -> Edited| {
        assert_eq!(key(attempt(edit)), expected);
    };

    refused("not_an_addition", &|tx, _| tx.delete(ROOT, "plan"));
    refused("not_an_addition", &|tx, door| {
        tx.delete(object(door, "visits"), uuid(0x901).to_string())
    });
    refused("not_an_addition", &|tx, door| tx.put(object(door, &fact), "type", "noted"));
    refused("not_an_addition", &|tx, door| {
        tx.delete(object(door, &facts), uuid(0x1000).to_string())
    });
    refused("strange_value", &|tx, door| {
        tx.put(object(door, &facts), uuid(0x4000).to_string(), ScalarValue::counter(1))
    });
    refused("strange_value", &|tx, door| {
        tx.put(object(door, &facts), uuid(0x4000).to_string(), vec![1_u8, 2])
    });
    for kind in [ObjType::List, ObjType::Text] {
        refused("strange_value", &|tx, door| {
            tx.put_object(object(door, &facts), uuid(0x4000).to_string(), kind).map(drop)
        });
    }
    refused("strange_value", &|tx, door| {
        tx.insert(object(door, "briefing/meters"), 0, "a meter that is not there")
    });
}

#[test]
fn s15_a_write_that_loses_today_is_refused_as_well() {
    let door = Door::new();
    let plan = format!("plan/assignments/{}", uuid(0x102));
    let ObjId::Id(counter, actor, _) = object(&door, &plan) else { unreachable!() };
    let hidden =
        |obj: ObjectId, key: &str| forge(&door, vec![put(obj, key, "another technician")], |_| {});
    let inside = hidden(ObjectId::Id(OpId(counter, actor)), "technician");
    let root = hidden(ObjectId::Root, "kind");
    let taken = hidden(facts_of(&door), &uuid(0x1000).to_string());
    let nowhere = hidden(ObjectId::Id(OpId(7, ActorId::from(b"nobody"))), "kind");
    let authority = || Authority::new(&door.doc).unwrap();

    let inside = authority().admit(&inside, &door.writer).unwrap_err();
    let root = authority().admit(&root, &door.writer).unwrap_err();
    let taken = authority().admit(&taken, &door.writer).unwrap_err();
    let nowhere = authority().admit(&nowhere, &door.writer).unwrap_err();

    assert_eq!(inside.to_string(), format!("technicians may not write {plan}/technician"));
    assert_eq!(root.to_string(), "technicians may not write kind");
    assert_eq!(taken.key(), "taken");
    assert_eq!(nowhere.key(), "unknown_object");
}

#[test]
fn s15_nothing_is_added_twice_by_one_push() {
    let door = Door::new();
    let mut other_tab = Door::new();
    other_tab.pen.actor = ActorId::from(b"another tab's id");
    let one = Change::from_bytes(Door::new().fact(0x3000, &Fact::SetOut)).unwrap();
    let same = Change::from_bytes(other_tab.fact(0x3000, &Fact::SetOut)).unwrap();
    let mut expanded = one.decode();
    let mut again = expanded.operations[1].clone();
    again.key = Key::Map("stamp".into());
    expanded.operations.push(again);
    let inside = Change::from(expanded);
    let mut expanded = one.decode();
    let repeated: Vec<_> = expanded.operations.iter().map(|op| later(op, one.len())).collect();
    expanded.operations.extend(repeated);
    let twice = Change::from(expanded);
    let mut authority = Authority::new(&door.doc).unwrap();

    assert_eq!(key(authority.admit(&twice, &door.writer)), "taken");
    assert_eq!(key(authority.admit(&inside, &door.writer)), "taken");
    authority.admit(&one, &door.writer).unwrap();
    assert_eq!(key(authority.admit(&same, &door.writer)), "taken");
}

#[test]
fn s15_a_visit_belongs_to_its_technician_and_to_its_phone() {
    let mut door = Door::new();
    let before = door.doc.clone();
    let change = Change::from_bytes(door.fact(0x3000, &Fact::SetOut)).unwrap();
    let others = Writer { user: UserId(uuid(0xb2)), ..door.writer };
    let elsewhere = Writer { device: DeviceId(uuid(0xc2)), ..door.writer };
    let mut authority = Authority::new(&before).unwrap();

    assert_eq!(key(authority.admit(&change, &others)), "others_visit");
    assert_eq!(key(authority.admit(&change, &elsewhere)), "others_visit");
    authority.admit(&change, &door.writer).expect("a refusal leaves no trace");
}

#[test]
fn s11_an_actor_cannot_be_continued_or_repeated_by_a_forger() {
    let door = Door::new();
    let op = || put(facts_of(&door), "x", "y");
    let forged = |edit: &dyn Fn(&mut ExpandedChange)| {
        let change = forge(&door, vec![op()], edit);
        key(Authority::new(&door.doc).unwrap().admit(&change, &door.writer))
    };
    let created = Change::from_bytes(door.changes[0].clone()).unwrap();

    assert_eq!(forged(&|change| change.seq = 1), "sequence");
    assert_eq!(forged(&|change| change.seq = 9), "sequence");
    let beside = |change: &mut ExpandedChange| {
        change.deps = vec![created.hash()];
        change.start_op = (created.max_op() + 1).try_into().unwrap();
    };
    assert_eq!(forged(&beside), "detached");
    assert_eq!(forged(&|change| change.start_op = 1.try_into().unwrap()), "counter");
}

#[test]
fn s6_a_change_of_another_document_or_of_none_is_refused() {
    let door = Door::new();
    let mut other = Door::of("0190a000-0000-7000-8000-000000000002");
    let misplaced = Change::from_bytes(other.fact(0x3000, &Fact::SetOut)).unwrap();
    let rootless = forge(&door, vec![put(ObjectId::Root, "x", "y")], |change| change.deps.clear());
    let empty = forge(&door, Vec::new(), |_| {});
    let authority = || Authority::new(&door.doc).unwrap();

    let missing = authority().admit(&misplaced, &door.writer);

    assert!(matches!(missing, Err(Refusal::Missing(deps)) if deps == misplaced.deps()));
    assert_eq!(key(authority().admit(&rootless, &door.writer)), "rootless");
    assert_eq!(key(authority().admit(&empty, &door.writer)), "empty");
    assert!(apply(&door.doc, &[misplaced]).is_err(), "and it does not apply either");
}

#[test]
fn s14_nothing_is_added_to_a_visit_by_who_knew_that_it_was_closed() {
    let mut door = Door::new();
    let before = door.doc.clone();
    let mut other_tab = Door::new();
    other_tab.pen.actor = ActorId::from(b"another tab's id");
    let closed = Fact::Closed { outcome: Outcome::Done };
    let close = Change::from_bytes(door.fact(0x3000, &closed)).unwrap();
    let after = Change::from_bytes(door.fact(0x3001, &Fact::SetOut)).unwrap();
    let beside = Change::from_bytes(other_tab.fact(0x3002, &Fact::SetOut)).unwrap();
    let again = Change::from_bytes(other_tab.fact(0x3003, &closed)).unwrap();

    let mut one_push = Authority::new(&before).unwrap();
    one_push.admit(&close, &door.writer).unwrap();
    assert_eq!(key(one_push.admit(&after, &door.writer)), "closed");
    let stored = apply(&before, &[close]).unwrap();
    let mut next_push = Authority::new(&stored).unwrap();
    assert_eq!(key(next_push.admit(&after, &door.writer)), "closed");
    next_push.admit(&beside, &door.writer).expect("it did not know");
    next_push.admit(&again, &door.writer).expect("two closings are both kept");
    let kept = read(&apply(&stored, &[beside, again]).unwrap()).unwrap();
    assert_eq!(kept.visits[&door.visit].facts.len(), 4);
}

type Edited = Result<(), AutomergeError>;

fn message(door: &mut Door) -> Vec<u8> {
    let message = Message {
        author: door.writer.user,
        stamp: recorded(&Fact::SetOut).stamp,
        text: "晚点到".to_owned(),
    };
    message_change(&mut door.doc, &door.pen, MessageId(uuid(0x3003)), &message).unwrap()
}

/// The reason of a refusal.
fn key<T: std::fmt::Debug>(admitted: Result<T, Refusal>) -> &'static str {
    admitted.unwrap_err().key()
}

/// Lets a technician write `value` at `path` with an ordinary Automerge and expects a refusal.
#[track_caller]
fn refuses(expected: &str, path: &str, value: &serde_json::Value) {
    let (at, name) = path.rsplit_once('/').unwrap_or(("", path));
    let refused = attempt(&|tx, door| write(tx, &object(door, at), name, value));
    assert_eq!(key(refused), expected, "{path}");
}

/// Expects that a value is let in at a path that ends in a new key.
fn admits(path: &str, value: &serde_json::Value) {
    let (map, name) = path.rsplit_once('/').expect("a key lies in a map");
    let admitted = attempt(&|tx, door| write(tx, &object(door, map), name, value));
    assert!(admitted.is_ok(), "{path}: {:?}", admitted.err());
}

/// Commits an edit as the technician's phone would and offers it.
fn attempt(edit: &dyn Fn(&mut Transaction<'_>, &Door) -> Edited) -> Result<Grant, Refusal> {
    let door = Door::new();
    let mut doc = door.doc.clone().with_actor(door.pen.actor.clone());
    let mut tx = doc.transaction();
    edit(&mut tx, &door).unwrap();
    tx.commit();
    let bytes = doc.get_last_local_change().unwrap().raw_bytes().to_vec();
    let change = inspect(&bytes, &Limits::default()).unwrap().change;
    Authority::new(&door.doc).unwrap().admit(&change, &door.writer)
}

fn write(tx: &mut Transaction<'_>, map: &ObjId, name: &str, value: &serde_json::Value) -> Edited {
    match value {
        serde_json::Value::Object(items) => {
            let made = tx.put_object(map, name, ObjType::Map)?;
            items.iter().try_for_each(|(key, item)| write(tx, &made, key, item))
        }
        serde_json::Value::Number(number) => tx.put(map, name, number.as_i64().unwrap()),
        serde_json::Value::Bool(truth) => tx.put(map, name, *truth),
        serde_json::Value::String(text) => tx.put(map, name, text.as_str()),
        serde_json::Value::Null | serde_json::Value::Array(_) => unreachable!("not in these tests"),
    }
}

fn object(door: &Door, path: &str) -> ObjId {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(ROOT, |map, name| door.doc.get(&map, name).unwrap().unwrap().1)
}

/// The same operation in a second copy of its change's operations.
fn later(op: &Op, by: usize) -> Op {
    let mut op = op.clone();
    if let ObjectId::Id(id) = &mut op.obj
        && *id.actor() == ActorId::from(b"the phone's actr")
        && op.key != Key::Map(uuid(0x3000).to_string().into())
    {
        *id = id.increment_by(by as u64);
    }
    op
}

fn facts_of(door: &Door) -> ObjectId {
    let facts = object(door, &format!("visits/{}/facts", door.visit));
    let ObjId::Id(counter, actor, _) = facts else { unreachable!() };
    ObjectId::Id(OpId(counter, actor))
}

/// Writes a change of the phone's actor by hand.
fn forge(door: &Door, operations: Vec<Op>, edit: impl Fn(&mut ExpandedChange)) -> Change {
    let last = Change::from_bytes(door.changes[1].clone()).unwrap();
    let mut change = last.decode();
    change.operations = operations;
    change.seq = 2;
    change.deps = vec![last.hash()];
    change.start_op = (last.max_op() + 1).try_into().unwrap();
    edit(&mut change);
    let bytes = Change::from(change).raw_bytes().to_vec();
    inspect(&bytes, &Limits::default()).expect("a well-formed change").change
}

fn put(obj: ObjectId, key: &str, value: &str) -> Op {
    Op {
        action: OpType::Put(value.into()),
        obj,
        key: Key::Map(key.into()),
        pred: SortedVec::new(),
        insert: false,
    }
}
