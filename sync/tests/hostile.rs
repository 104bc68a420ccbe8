//! What somebody who means harm can send does no harm.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "hostile/bytes.rs"]
mod bytes;
#[path = "hostile/door.rs"]
mod door;

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{ActorId, AutomergeError, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};
use bytes::{Chunk, body, hostile, leb, seal};
use domain::visit::Fact;
use door::Door;
use proptest::prelude::*;
use sync::authority::Authority;
use sync::document::{apply, contents, load, read};
use sync::limits::{COUNTER_MAX, DOCUMENT_OPS, Limits};
use sync::preflight::{PreflightError, check_counter, inspect};

#[test]
fn s17_hostile_bytes_are_refused_and_the_neighbour_goes_on() {
    let mut door = Door::new();
    let before = door.doc.clone();
    let neighbour = door.fact(0x3000, &Fact::GasSwitched { on: true });

    for (reason, name, bytes) in hostile(&mut door) {
        let error = inspect(&bytes, &Limits::default()).expect_err(name);
        assert!(format!("{error:?}").starts_with(reason), "{name}: {error:?}");
    }

    let change = inspect(&neighbour, &Limits::default()).unwrap().change;
    Authority::new(&before).unwrap().admit(&change, &door.writer).unwrap();
    apply(&before, &[change]).unwrap();
}

#[test]
fn s17_the_bomb_is_as_small_as_it_is_said_to_be() {
    let bytes = Chunk::nulls(1 << 31).bytes();

    assert!(bytes.len() <= 113, "{} bytes", bytes.len());
    assert!(matches!(
        inspect(&bytes, &Limits::default()),
        Err(PreflightError::TooMany("operations"))
    ));
    inspect(&Chunk::nulls(2_000).bytes(), &Limits::default()).expect("the form itself is right");
}

#[test]
fn s17_the_inspection_tells_what_the_hub_needs() {
    let mut door = Door::new();
    let deps = door.doc.get_heads();
    let bytes = door.fact(0x3000, &Fact::GasSwitched { on: true });

    let inspected = inspect(&bytes, &Limits::default()).unwrap();

    assert_eq!(inspected.hash, door.doc.get_heads()[0]);
    assert_eq!(inspected.actor, door.pen.actor);
    assert_eq!(inspected.seq, 2);
    assert_eq!(inspected.deps, deps);
    assert_eq!(inspected.time, door.pen.at.timestamp());
    assert_eq!(inspected.bytes_len, bytes.len());
    assert_eq!(inspected.start_op + inspected.ops - 1, inspected.change.max_op());
}

#[test]
fn s17_no_flipped_bit_and_no_cut_passes() {
    let bytes = Door::new().fact(0x3000, &Fact::Noted { text: "好".to_owned() });

    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = inspect(&flipped, &Limits::default()).expect_err("flipped");
        if (32..64).contains(&bit) {
            assert!(matches!(error, PreflightError::Checksum), "bit {bit}: {error:?}");
        }
    }
    for len in 0..bytes.len() {
        assert!(inspect(&bytes[..len], &Limits::default()).is_err(), "{len} bytes");
    }
}

#[test]
fn s17_a_flipped_bit_under_a_right_checksum_does_no_harm() {
    let mut door = Door::new();
    let before = door.doc.clone();
    let bytes = door.fact(0x3000, &Fact::Noted { text: "带长软管".to_owned() });
    let known = read(&before).unwrap();
    let mut admitted = 0;

    for bit in 0..body(&bytes).len() * 8 {
        let mut flipped = body(&bytes).to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok(inspected) = inspect(&seal(1, &flipped), &Limits::default()) else { continue };
        let mut authority = Authority::new(&before).unwrap();
        let Ok(grant) = authority.admit(&inspected.change, &door.writer) else { continue };
        let after = apply(&before, &[inspected.change]).unwrap();
        let contents = contents(&after).unwrap();
        admitted += 1;
        assert_eq!(contents.unread, [], "bit {bit}");
        let mut job = contents.job;
        for (visit, fact) in grant.facts {
            job.visits.get_mut(&visit).unwrap().facts.remove(&fact).unwrap();
        }
        assert_eq!(job, known, "bit {bit}: nothing but the granted facts");
    }

    assert!(admitted > 0, "some flips only change what the fact says");
}

proptest! {
    #[test]
    fn s17_noise_in_columns_never_panics(
        columns in proptest::collection::btree_map(
            prop::sample::select(vec![1_u64, 2, 17, 19, 21, 52, 66, 86, 87, 112, 113, 115]),
            proptest::collection::vec(any::<u8>(), 0..12),
            0..12,
        ),
        ops in 1_i64..4,
    ) {
        let mut chunk = Chunk::nulls(ops);
        chunk.columns.retain(|(spec, _)| !columns.contains_key(spec));
        chunk.columns.extend(columns);
        chunk.columns.sort();
        if let Ok(inspected) = inspect(&chunk.bytes(), &Limits::default()) {
            let door = Door::new();
            let refused = Authority::new(&door.doc).unwrap().admit(&inspected.change, &door.writer);
            prop_assert!(refused.is_err());
        }
    }
}

proptest! {
    #[test]
    fn s17_what_automerge_writes_passes(
        edits in proptest::collection::vec((any::<bool>(), 0..7_u8, 0..4_u8, ".{0,6}"), 1..40),
    ) {
        let mut here = Door::new().doc.with_actor(ActorId::from(b"one of two"));
        let list = here.get(ROOT, "plan").unwrap().unwrap().1;
        let mut there = here.clone().with_actor(ActorId::from(b"the other one"));
        for (is_here, kind, key, text) in edits {
            let (doc, other) =
                if is_here { (&mut here, &mut there) } else { (&mut there, &mut here) };
            let mut tx = doc.transaction();
            edit(&mut tx, &list, kind, &key.to_string(), &text).unwrap();
            tx.commit();
            if kind == 6 {
                doc.merge(other).unwrap();
            }
        }

        here.merge(&mut there).unwrap();

        for change in here.get_changes(&[]) {
            let inspected = inspect(change.raw_bytes(), &Limits::default()).unwrap();
            prop_assert_eq!(inspected.hash, change.hash());
            prop_assert_eq!(inspected.ops, change.len() as u64);
        }
    }
}

/// One of the things that Automerge can do to a map.
fn edit(
    tx: &mut Transaction<'_>,
    map: &ObjId,
    kind: u8,
    key: &str,
    text: &str,
) -> Result<(), AutomergeError> {
    let is_there = tx.get(map, key)?.is_some();
    match kind {
        0 => tx.put(map, key, text),
        1 => tx.put(map, key, ScalarValue::counter(-7)),
        2 => tx.put_object(map, key, ObjType::Map).and_then(|made| tx.put(made, text, 0.5)),
        3 => {
            let made = tx.put_object(map, key, ObjType::List)?;
            tx.insert(&made, 0, text)?;
            tx.insert(&made, 0, u64::MAX >> 1)?;
            tx.delete(&made, 1)
        }
        4 if is_there => tx.delete(map, key),
        5 => {
            let made = tx.put_object(map, key, ObjType::Text)?;
            tx.splice_text(&made, 0, 0, text)
        }
        _ => tx.put(map, key, i64::MIN >> 2),
    }
}

#[test]
fn s17_a_change_cannot_burn_the_counter_of_a_document() {
    let mut door = Door::new();
    let ahead = |step: u64| {
        let mut expanded = Change::from_bytes(door.changes[1].clone()).unwrap().decode();
        let start = expanded.start_op.get() + step;
        expanded.start_op = start.try_into().unwrap();
        inspect(Change::from(expanded).raw_bytes(), &Limits::default()).unwrap()
    };
    let max_op = Change::from_bytes(door.changes[0].clone()).unwrap().max_op();

    let near = check_counter(&ahead(900_000), max_op, &Limits::default());
    let far = check_counter(&ahead(1_000_000), max_op, &Limits::default());

    assert!(near.is_ok(), "{near:?}");
    assert!(matches!(far, Err(PreflightError::Counter)), "{far:?}");
    let bytes = door.fact(0x3000, &Fact::SetOut);
    let mut skipping = Change::from_bytes(bytes).unwrap().decode();
    skipping.start_op = skipping.start_op.checked_add(1).unwrap();
    let before = load(None, &door.changes).unwrap();
    let refused = Authority::new(&before).unwrap().admit(&skipping.into(), &door.writer);
    assert_eq!(refused.unwrap_err().key(), "counter", "the gate leaves no gap at all");
}

#[test]
fn s17_a_change_may_count_up_to_the_end_and_not_beyond() {
    let door = Door::new();
    let limits = Limits::default();
    let ending_at = |end: u64| {
        let mut expanded = Change::from_bytes(door.changes[1].clone()).unwrap().decode();
        let start = end - expanded.operations.len() as u64;
        expanded.start_op = start.try_into().unwrap();
        inspect(Change::from(expanded).raw_bytes(), &limits)
    };
    let stepped = 100 + limits.counter_step;

    let check = |end, max_op| check_counter(&ending_at(end).unwrap(), max_op, &limits);

    assert!(check(stepped, 100).is_ok());
    assert!(matches!(check(stepped + 1, 100), Err(PreflightError::Counter)));
    assert!(check(COUNTER_MAX, COUNTER_MAX).is_ok());
    assert!(matches!(ending_at(COUNTER_MAX + 1), Err(PreflightError::Counter)));
}

#[test]
fn s17_each_bound_is_reached_and_not_passed() {
    let bytes = change_of_two_maps();
    let change = Change::from_bytes(bytes.clone()).unwrap();
    let (ops, deps) = (change.len() as u64, change.deps().len());
    let bounds: [Bound; 9] = [
        ("TooLong", bytes.len() as u64, |it, to| it.chunk_bytes = size(to)),
        ("operations", ops, |it, to| (it.ops, it.preds) = (to, it.preds.min(to))),
        ("dependencies", deps as u64, |it, to| it.deps = size(to)),
        ("actors", 2, |it, to| it.actors = size(to)),
        ("actor bytes", 17, |it, to| it.actor_bytes = size(to)),
        ("message bytes", 3, |it, to| it.message_bytes = size(to)),
        ("key bytes", 6, |it, to| it.key_bytes = size(to)),
        ("value bytes", 20, |it, to| it.value_bytes = to),
        ("predecessors", 2, |it, to| (it.ops, it.preds) = (it.ops, to)),
    ];

    for (name, needed, set) in bounds {
        let inspected = |to| {
            let mut limits = Limits::default();
            set(&mut limits, to);
            inspect(&bytes, &limits).err().map(|error| format!("{error:?}"))
        };

        assert_eq!(inspected(needed), None, "{name}");
        let refused = inspected(needed - 1).expect(name);
        assert!(refused.contains(name), "{name}: {refused}");
    }
}

#[test]
fn s17_what_is_written_once_counts_as_often_as_it_stands() {
    let mut chunk = Chunk::nulls(3);
    chunk.columns[0].1 = vec![3, 2, b'k', b'k'];
    let bytes = chunk.bytes();
    let keys = |keys_bytes| inspect(&bytes, &Limits { keys_bytes, ..Limits::default() });

    assert!(keys(6).is_ok());
    assert!(matches!(keys(5), Err(PreflightError::TooMany("key bytes"))));
}

#[test]
fn s17_counters_and_actions_in_columns_reach_their_last_and_not_beyond() {
    let counter = |at: u64| {
        let mut chunk = Chunk::nulls(1);
        chunk.columns.insert(0, (0x01, vec![1, 0]));
        chunk.columns.insert(1, (0x02, [vec![1], leb(at)].concat()));
        chunk
    };
    let action = |action: u8| {
        let mut chunk = Chunk::nulls(1);
        chunk.columns[2].1 = vec![1, action];
        chunk
    };
    let refused = |chunk: Chunk| format!("{:?}", inspect(&chunk.bytes(), &Limits::default()).err());

    assert!(!refused(counter(COUNTER_MAX)).contains("Counter"));
    assert!(refused(counter(COUNTER_MAX + 1)).contains("Counter"));
    assert!(!refused(action(7)).contains("BadColumn"));
    assert!(refused(action(8)).contains("BadColumn"));
}

/// What a bound is called, what [`change_of_two_maps`] needs of it, and how it is set.
type Bound = (&'static str, u64, fn(&mut Limits, u64));

/// A change that writes over what two others wrote at one time, and so has some of everything.
fn change_of_two_maps() -> Vec<u8> {
    let mut here = Door::new().doc.with_actor(ActorId::from(b"one of two"));
    let mut there = here.clone().with_actor(ActorId::from(b"the other one"));
    for doc in [&mut here, &mut there] {
        let mut tx = doc.transaction();
        tx.put(ROOT, "both", 1).unwrap();
        tx.commit();
    }
    here.merge(&mut there).unwrap();
    let mut third = here.with_actor(ActorId::from(b"a third, who adds"));
    let mut tx = third.transaction();
    tx.put(ROOT, "both", "twenty bytes of text").unwrap();
    tx.put(ROOT, "single", 2).unwrap();
    tx.commit_with(CommitOptions::default().with_message("why"));
    third.get_last_local_change().unwrap().raw_bytes().to_vec()
}

fn size(bound: u64) -> usize {
    usize::try_from(bound).unwrap()
}

#[test]
fn s17_a_full_document_takes_nothing_more() {
    let max_op = |change: &[u8]| Change::from_bytes(change.to_vec()).unwrap().max_op();
    let alone = max_op(&Door::new().fact(0x3000, &Fact::SetOut));
    // The list itself is an operation too.
    let fills = usize::try_from(DOCUMENT_OPS - alone - 1).unwrap();

    for (nulls, expected) in [(fills, None), (fills + 1, Some("full"))] {
        let mut door = Door::new();
        let mut tx = door.doc.transaction();
        let filler = tx.put_object(ROOT, "filler", ObjType::List).unwrap();
        tx.splice(&filler, 0, 0, vec![ScalarValue::Null; nulls]).unwrap();
        tx.commit();
        let full = door.doc.clone();
        let change = Change::from_bytes(door.fact(0x3000, &Fact::SetOut)).unwrap();

        let admitted = Authority::new(&full).unwrap().admit(&change, &door.writer);

        assert_eq!(admitted.err().map(|refusal| refusal.key()), expected);
    }
}
