//! One edit of a job as one change chunk.

use automerge::transaction::{CommitOptions, Transaction};
use automerge::{ActorId, Automerge, AutomergeError, ObjId, ObjType, ROOT, ReadDoc};
use domain::id::{DeviceId, EntryId, FactId, MessageId, UserId, VisitId};
use domain::job::{Briefing, Job, Message, PlanEntry};
use domain::stamp::Timestamp;
use domain::visit::Recorded;
use serde_json::{Value, json};

use super::value::{self, ValueError, put_value};
use super::{SCHEMA, key};

/// Who writes a change, and when by the writer's clock.
///
/// The time is kept in whole seconds for people who open the document; nothing is judged by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pen {
    /// The actor; fresh and random per process start, drawn by the caller.
    pub actor: ActorId,
    /// When, by the writer's clock.
    pub at: Timestamp,
}

/// A fact on its way into the document.
#[derive(Clone, Copy, Debug)]
pub struct NewFact<'a> {
    /// The visit it belongs to.
    pub visit: VisitId,
    /// The technician and the device, when this fact opens the visit.
    pub opens: Option<(UserId, DeviceId)>,
    /// The fact's id.
    pub id: FactId,
    /// The fact with its stamp.
    pub recorded: &'a Recorded,
}

/// Why an edit was not made; the document is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The document's shape is newer than this code: it may be read only.
    #[error("document has schema {0}, newer than {SCHEMA}")]
    TooNew(i64),
    /// The document lacks a map of the skeleton.
    #[error("document has no map {0}")]
    NoMap(&'static str),
    /// No visit has this id, and the edit does not open one.
    #[error("no visit {0}")]
    NoVisit(VisitId),
    /// Something has this id already; nothing is ever overwritten.
    #[error("{0} is taken")]
    Taken(String),
    /// The value cannot be written.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The value has no JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Automerge refused.
    #[error(transparent)]
    Automerge(#[from] AutomergeError),
}

/// Makes a new job's document: one change with the whole skeleton.
///
/// Plan entries, visits and messages that `job` already has are written as well.
pub fn create(job: &Job, pen: &Pen) -> Result<Vec<u8>, EditError> {
    let Value::Object(root) = serde_json::to_value(job)? else {
        return Err(EditError::NoMap("root"));
    };
    let mut doc = Automerge::new();
    commit(&mut doc, pen, |tx| {
        for (name, value) in &root {
            put_value(tx, &ROOT, name, value)?;
        }
        Ok(())
    })
}

/// Adds an entry to the plan. Server only.
pub fn plan_change(
    doc: &mut Automerge,
    pen: &Pen,
    id: EntryId,
    entry: &PlanEntry,
) -> Result<Vec<u8>, EditError> {
    let (list, value) = match entry {
        PlanEntry::Appointment(it) => ("appointments", serde_json::to_value(it)?),
        PlanEntry::Assignment(it) => ("assignments", serde_json::to_value(it)?),
        PlanEntry::Cancellation(it) => ("cancelled", serde_json::to_value(it)?),
        PlanEntry::Ruling(it) => ("rulings", serde_json::to_value(it)?),
        PlanEntry::Instruction(it) => ("instructions", serde_json::to_value(it)?),
        PlanEntry::Call(it) => ("calls", serde_json::to_value(it)?),
        PlanEntry::Tick(it) => ("clock", serde_json::to_value(it)?),
    };
    let plan = child(doc, &ROOT, key::PLAN)?;
    if doc.get(&plan, list)?.is_none() {
        // The document is older than this list.
        return add(doc, pen, &plan, list, &json!({ id.to_string(): value }));
    }
    let list = child(doc, &plan, list)?;
    add(doc, pen, &list, &id.to_string(), &value)
}

/// Adds a fact to a visit, opening the visit when `fact.opens` says so.
pub fn fact_change(
    doc: &mut Automerge,
    pen: &Pen,
    fact: &NewFact<'_>,
) -> Result<Vec<u8>, EditError> {
    let visits = child(doc, &ROOT, key::VISITS)?;
    let visit = fact.visit.to_string();
    let id = fact.id.to_string();
    let value = serde_json::to_value(fact.recorded)?;
    if let Some((technician, device)) = fact.opens {
        let opened = json!({
            key::TECHNICIAN: technician,
            key::DEVICE: device,
            key::FACTS: { id: value },
        });
        return add(doc, pen, &visits, &visit, &opened);
    }
    let Some((_, visit)) = doc.get(&visits, &visit)? else {
        return Err(EditError::NoVisit(fact.visit));
    };
    let facts = child(doc, &visit, key::FACTS)?;
    add(doc, pen, &facts, &id, &value)
}

/// Adds a message.
pub fn message_change(
    doc: &mut Automerge,
    pen: &Pen,
    id: MessageId,
    message: &Message,
) -> Result<Vec<u8>, EditError> {
    let messages = child(doc, &ROOT, key::MESSAGES)?;
    add(doc, pen, &messages, &id.to_string(), &serde_json::to_value(message)?)
}

/// Replaces what differs in the briefing. Server only; `None` when nothing does.
pub fn briefing_change(
    doc: &mut Automerge,
    pen: &Pen,
    briefing: &Briefing,
) -> Result<Option<Vec<u8>>, EditError> {
    check_schema(doc)?;
    let into = child(doc, &ROOT, key::BRIEFING)?;
    let Value::Object(new) = serde_json::to_value(briefing)? else {
        return Err(EditError::NoMap(key::BRIEFING));
    };
    let mut old = value::json(doc);
    let old = old.get_mut(key::BRIEFING).map(Value::take).unwrap_or_default();
    let changed: Vec<_> = new.iter().filter(|(name, value)| old.get(name) != Some(value)).collect();
    if changed.is_empty() {
        return Ok(None);
    }
    commit(doc, pen, |tx| {
        for (name, value) in changed {
            put_value(tx, &into, name, value)?;
        }
        Ok(())
    })
    .map(Some)
}

/// Adds one new key to a map.
fn add(
    doc: &mut Automerge,
    pen: &Pen,
    map: &ObjId,
    name: &str,
    value: &Value,
) -> Result<Vec<u8>, EditError> {
    check_schema(doc)?;
    if doc.get(map, name)?.is_some() {
        return Err(EditError::Taken(name.to_owned()));
    }
    commit(doc, pen, |tx| Ok(put_value(tx, map, name, value)?))
}

fn check_schema(doc: &Automerge) -> Result<(), EditError> {
    let schema = doc.get(ROOT, key::SCHEMA)?.and_then(|(value, _)| value.as_i64());
    match schema {
        Some(schema) if schema > i64::from(SCHEMA) => Err(EditError::TooNew(schema)),
        Some(_) => Ok(()),
        None => Err(EditError::NoMap("root")),
    }
}

fn child(doc: &Automerge, map: &ObjId, name: &'static str) -> Result<ObjId, EditError> {
    match doc.get(map, name)? {
        Some((value, id)) if value.is_object() && doc.object_type(&id)? == ObjType::Map => Ok(id),
        _ => Err(EditError::NoMap(name)),
    }
}

/// Runs `edit` as one change of the pen's actor and returns its raw chunk.
fn commit(
    doc: &mut Automerge,
    pen: &Pen,
    edit: impl FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
) -> Result<Vec<u8>, EditError> {
    doc.set_actor(pen.actor.clone());
    let mut tx = doc.transaction();
    if let Err(error) = edit(&mut tx) {
        tx.rollback();
        return Err(error);
    }
    let (hash, _) = tx.commit_with(CommitOptions::default().with_time(pen.at.timestamp()));
    let hash = hash.expect("every edit has at least one operation");
    let change = doc.get_change_by_hash(&hash).expect("the document holds what it just committed");
    // `bytes()` would deflate a long change, and only raw chunks pass the preflight.
    Ok(change.raw_bytes().to_vec())
}
