//! A change chunk from a device: the preflight, the gate behind it, and Automerge behind both (S17, K7).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use automerge::{Automerge, Change};
use domain::id::FactId;
use domain::visit::Fact;
use sync::authority::Authority;
use sync::chunk::chunk_hash;
use sync::document::{self, ApplyError, NewFact, apply, contents, fact_change, read, snapshot};
use sync::limits::Limits;
use sync::preflight::{Inspected, check_counter, inspect};

use crate::Inputs;
use crate::bytes::{Chunk, body, hostile, seal};
use crate::door::{Door, recorded, uuid};

/// What a change may add to a document's JSON: all its keys and values escaped, and a little for each operation.
const GROWTH: usize = 4 << 20;

/// Tries the bytes as a chunk, and as the body of one whose checksum is right.
pub(crate) fn run(bytes: &[u8]) {
    look(bytes);
    look(&seal(1, bytes));
}

fn look(bytes: &[u8]) {
    let limits = Limits::default();
    let Ok(inspected) = inspect(bytes, &limits) else { return };
    assert_eq!(inspected.hash, chunk_hash(bytes), "both ends name it alike");
    assert_eq!(inspected.change.raw_bytes(), bytes, "there is one way to write it");
    assert!(bytes.len() <= limits.chunk_bytes && inspected.ops <= limits.ops, "it is bounded");
    let door = door();
    applied(door, &inspected);
    admitted(door, &inspected);
}

/// What passed the preflight does no harm to a copy of its document, whoever wrote it.
fn applied(door: &Door, inspected: &Inspected) {
    let heads = door.doc.get_heads();
    let after = match apply(&door.doc, std::slice::from_ref(&inspected.change)) {
        Ok(after) => after,
        // It panics at an actor that the document does not know; the gate refuses those before, see `admitted`.
        Err(ApplyError::Panicked | ApplyError::Missing(_) | ApplyError::Automerge(_)) => return,
    };
    assert_eq!(door.doc.get_heads(), heads, "a copy was written in, not the document");
    let said = |doc: &Automerge| document::json(doc).to_string().len();
    assert!(said(&after) <= said(&door.doc) + GROWTH, "what it says is bounded");
    let changes = [&door.changes[..], &[inspected.change.raw_bytes().to_vec()]].concat();
    // S10: a snapshot either reads as the changes do or is refused; nothing else is let out.
    let _ = snapshot(&after, &changes);
    if check_counter(inspected, max_op(&door.doc), &Limits::default()).is_ok() {
        goes_on(door, after);
    }
}

/// Nobody's next edit fails because of it (K7: a poisoned document).
fn goes_on(door: &Door, mut doc: Automerge) {
    let fact = recorded(&Fact::GasSwitched { on: true });
    let opens = Some((door.writer.user, door.writer.device));
    let id = FactId(uuid(0x7777));
    let new = NewFact { visit: domain::id::VisitId(uuid(0x8888)), opens, id, recorded: &fact };
    let write = || drop(fact_change(&mut doc, &door.pen, &new));
    assert!(catch_unwind(AssertUnwindSafe(write)).is_ok(), "the document is poisoned");
}

/// What the gate lets in is facts and messages of the writer, and nothing else changes (S15).
fn admitted(door: &Door, inspected: &Inspected) {
    let mut authority = Authority::new(&door.doc).expect("the door reads");
    let Ok(grant) = authority.admit(&inspected.change, &door.writer) else { return };
    let change = std::slice::from_ref(&inspected.change);
    let after = apply(&door.doc, change).expect("what is let in applies");
    let contents = contents(&after).expect("what is let in reads");
    assert_eq!(contents.unread, [], "what is let in reads whole");
    let mut job = contents.job;
    for (visit, fact) in &grant.facts {
        let visit = job.visits.get_mut(visit).expect("the visit of a granted fact");
        assert!(visit.facts.remove(fact).is_some(), "a granted fact is there");
    }
    grant.visits.iter().for_each(|visit| drop(job.visits.remove(visit)));
    grant.messages.iter().for_each(|message| drop(job.messages.remove(message)));
    let known = read(&door.doc).expect("the door reads");
    assert_eq!(job, known, "nothing but what was granted");
    let changes = [&door.changes[..], &[inspected.change.raw_bytes().to_vec()]].concat();
    snapshot(&after, &changes).expect("what is let in survives a snapshot");
}

fn max_op(doc: &Automerge) -> u64 {
    doc.get_changes(&[]).iter().map(Change::max_op).max().unwrap_or(0)
}

fn door() -> &'static Door {
    static DOOR: OnceLock<Door> = OnceLock::new();
    DOOR.get_or_init(Door::new)
}

/// Every fact as a phone writes it, the hall's first change, and everything that was ever refused.
pub(crate) fn seeds() -> Inputs {
    let facts: Vec<Fact> =
        serde_json::from_str(include_str!("../../../sync/tests/hostile/facts.json"))
            .expect("a fixture");
    let mut seeds = vec![("created".to_owned(), body(&Door::new().changes[0]).to_vec())];
    for (number, fact) in facts.iter().enumerate() {
        let name = format!("fact-{number:02}");
        seeds.push((name, body(&Door::new().fact(0x3000, fact)).to_vec()));
    }
    let opened = Door::new().open(domain::id::VisitId(uuid(0x902)), 0x3000, &Fact::SetOut);
    seeds.push(("opened".to_owned(), body(&opened).to_vec()));
    seeds.push(("nulls".to_owned(), body(&Chunk::nulls(2_000).bytes()).to_vec()));
    for (number, (reason, _, bytes)) in hostile(&mut Door::new()).into_iter().enumerate() {
        // The long ones are about length alone.
        if bytes.len() < 2_000 {
            let reason = reason.replace(['(', ')'], "").to_lowercase();
            seeds.push((format!("hostile-{number:02}-{reason}"), bytes));
        }
    }
    seeds
}
