//! What stands in a document already, and the changes let into it on top.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use automerge::{ActorId, Automerge, Change, ChangeHash, ObjId, ROOT, ReadDoc};
use domain::id::{DeviceId, FactId, UserId, VisitId};
use domain::job::Message;
use domain::visit::{Fact, Recorded};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::additions::{Addition, Object, additions};
use super::{Adds, Grant, Place, Refusal, Writer, technician_adds};
use crate::document::{key, parse_id};
use crate::limits::DOCUMENT_OPS;

/// The gate of one document: lets technicians' changes in, one after another.
///
/// It remembers what it let in, so that a push of many changes is checked against the document
/// as it was and applied in one go afterwards.
#[derive(Debug)]
pub struct Authority<'a> {
    doc: &'a Automerge,
    changes: BTreeMap<ChangeHash, Known>,
    actors: BTreeMap<ActorId, (u64, ChangeHash)>,
    places: BTreeMap<Object, Place>,
    visits: BTreeMap<VisitId, Owned>,
    added: BTreeSet<(Object, String)>,
}

/// What later changes need to know of one.
#[derive(Debug)]
struct Known {
    max_op: u64,
    deps: Vec<ChangeHash>,
}

/// A visit's owner, and the changes that closed it.
#[derive(Debug)]
struct Owned {
    technician: UserId,
    device: DeviceId,
    /// Its facts in the document, until they have been searched for closings.
    unsearched: Option<ObjId>,
    closings: BTreeSet<ChangeHash>,
}

/// What one change adds, before it is remembered.
#[derive(Default)]
struct Admission {
    grant: Grant,
    places: Vec<(Object, Place)>,
    visits: Vec<(VisitId, Owned)>,
    closed: Vec<VisitId>,
    added: BTreeSet<(Object, String)>,
}

/// A visit as it is first written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    technician: UserId,
    device: DeviceId,
    facts: BTreeMap<String, Value>,
}

impl<'a> Authority<'a> {
    /// Looks at the document as it stands before a push.
    pub fn new(doc: &'a Automerge) -> Result<Self, Refusal> {
        let mut authority = Self {
            doc,
            changes: BTreeMap::new(),
            actors: BTreeMap::new(),
            places: BTreeMap::new(),
            visits: BTreeMap::new(),
            added: BTreeSet::new(),
        };
        for change in doc.get_changes_meta(&[]) {
            authority.learn(
                change.actor.as_ref(),
                change.seq,
                change.hash,
                Known { max_op: change.max_op, deps: change.deps },
            );
        }
        if let Some((_, messages)) = doc.get(ROOT, key::MESSAGES)? {
            authority.places.insert(object(&messages), Place::Messages);
        }
        if let Some((_, visits)) = doc.get(ROOT, key::VISITS)? {
            authority.places.insert(object(&visits), Place::Visits);
            for name in doc.keys(&visits) {
                if let (Some(id), Some((_, visit))) = (parse_id(&name), doc.get(&visits, &name)?) {
                    authority.learn_visit(id, &visit)?;
                }
            }
        }
        Ok(authority)
    }

    /// Lets one change in, or says why not. A change that is not let in leaves no trace.
    pub fn admit(&mut self, change: &Change, writer: &Writer) -> Result<Grant, Refusal> {
        self.check_history(change)?;
        let additions = additions(change)?;
        if additions.is_empty() {
            return Err(Refusal::Empty);
        }
        let mut admission = Admission::default();
        for addition in &additions {
            self.check(addition, change, writer, &mut admission)?;
        }
        Ok(self.remember(change, admission))
    }

    /// Checks that the change continues what is there, as Automerge itself would have made it.
    ///
    /// Automerge believes the counters: operations counted wrongly share their names with others.
    fn check_history(&self, change: &Change) -> Result<(), Refusal> {
        if change.deps().is_empty() {
            return Err(Refusal::Rootless);
        }
        let deps = change.deps();
        let missing: Vec<_> =
            deps.iter().filter(|dep| !self.changes.contains_key(dep)).copied().collect();
        if !missing.is_empty() {
            return Err(Refusal::Missing(missing));
        }
        let last = self.actors.get(change.actor_id());
        let expected = last.map_or(1, |(seq, _)| seq + 1);
        if change.seq() != expected {
            return Err(Refusal::Sequence { expected, found: change.seq() });
        }
        if last.is_some_and(|(_, last)| !deps.contains(last)) {
            return Err(Refusal::Detached);
        }
        let below = deps.iter().filter_map(|dep| self.changes.get(dep)).map(|dep| dep.max_op).max();
        let (expected, found) = (below.unwrap_or(0) + 1, change.start_op().get());
        if found != expected {
            return Err(Refusal::Counter { expected, found });
        }
        if change.max_op() > DOCUMENT_OPS { Err(Refusal::Full) } else { Ok(()) }
    }

    fn check(
        &mut self,
        addition: &Addition,
        change: &Change,
        writer: &Writer,
        admission: &mut Admission,
    ) -> Result<(), Refusal> {
        let place = self.places.get(&addition.into).copied().unwrap_or(Place::Elsewhere);
        let Some(adds) = technician_adds(place) else {
            return Err(self.forbidden(addition));
        };
        let named = (addition.into.clone(), addition.key.clone());
        let stands = match to_obj_id(&addition.into) {
            Some(into) if self.doc.object_type(&into).is_ok() => {
                self.doc.get(&into, &addition.key)?.is_some()
            }
            Some(_) | None => false,
        };
        if stands || self.added.contains(&named) || !admission.added.insert(named) {
            return Err(Refusal::Taken(addition.key.clone()));
        }
        match adds {
            Adds::OwnVisit => check_visit(addition, change, writer, admission),
            Adds::FactOfOwnVisit(visit) => {
                self.check_own(visit, change, writer)?;
                check_fact(visit, &addition.key, addition.value.clone(), admission)
            }
            Adds::OwnMessage => check_message(addition, writer, admission),
        }
    }

    /// Names the path that the technician tried to write, or says that there is none.
    fn forbidden(&self, addition: &Addition) -> Refusal {
        let path = match to_obj_id(&addition.into) {
            None => Vec::new(),
            Some(into) => match self.doc.parents(&into) {
                Ok(parents) => parents.path(),
                Err(_) => return Refusal::UnknownObject(addition.op),
            },
        };
        let names = path.iter().map(|(_, prop)| prop.to_string());
        Refusal::Forbidden(names.chain([addition.key.clone()]).collect::<Vec<_>>().join("/"))
    }

    /// Checks that the visit is the writer's and that its closing was not known to the change.
    fn check_own(&mut self, id: VisitId, change: &Change, writer: &Writer) -> Result<(), Refusal> {
        let Some(visit) = self.visits.get_mut(&id) else {
            return Err(Refusal::OthersVisit(id));
        };
        if (visit.technician, visit.device) != (writer.user, writer.device) {
            return Err(Refusal::OthersVisit(id));
        }
        if let Some(facts) = visit.unsearched.take() {
            visit.closings.extend(closings(self.doc, &facts)?);
        }
        let closings = &self.visits[&id].closings;
        if !closings.is_empty() && self.builds_on(change, closings) {
            return Err(Refusal::Closed(id));
        }
        Ok(())
    }

    /// Whether any of `wanted` is among what `change` builds on, however far down.
    fn builds_on(&self, change: &Change, wanted: &BTreeSet<ChangeHash>) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = change.deps().to_vec();
        while let Some(hash) = next.pop() {
            if wanted.contains(&hash) {
                return true;
            }
            if seen.insert(hash) {
                next.extend(self.changes.get(&hash).iter().flat_map(|known| &known.deps));
            }
        }
        false
    }

    fn remember(&mut self, change: &Change, admission: Admission) -> Grant {
        let hash = change.hash();
        self.learn(
            change.actor_id(),
            change.seq(),
            hash,
            Known { max_op: change.max_op(), deps: change.deps().to_vec() },
        );
        self.places.extend(admission.places);
        self.visits.extend(admission.visits);
        self.added.extend(admission.added);
        for visit in admission.closed {
            if let Some(visit) = self.visits.get_mut(&visit) {
                visit.closings.insert(hash);
            }
        }
        admission.grant
    }

    fn learn(&mut self, actor: &ActorId, seq: u64, hash: ChangeHash, known: Known) {
        self.changes.insert(hash, known);
        let last = self.actors.entry(actor.clone()).or_insert((seq, hash));
        if last.0 < seq {
            *last = (seq, hash);
        }
    }

    fn learn_visit(&mut self, id: VisitId, visit: &ObjId) -> Result<(), Refusal> {
        if self.doc.object_type(visit).is_err() {
            return Ok(());
        }
        let (Some(technician), Some(device), Some((_, facts))) = (
            read_id(self.doc, visit, key::TECHNICIAN)?,
            read_id(self.doc, visit, key::DEVICE)?,
            self.doc.get(visit, key::FACTS)?,
        ) else {
            return Ok(());
        };
        self.places.insert(object(&facts), Place::Facts(id));
        let unsearched = Some(facts);
        let closings = BTreeSet::new();
        self.visits.insert(id, Owned { technician, device, unsearched, closings });
        Ok(())
    }
}

fn check_visit(
    addition: &Addition,
    change: &Change,
    writer: &Writer,
    admission: &mut Admission,
) -> Result<(), Refusal> {
    let id: VisitId = parse_id(&addition.key).ok_or(Refusal::NotAnId)?;
    let opened: Opened = parse(|| format!("{}/{id}", key::VISITS), addition.value.clone())?;
    if (opened.technician, opened.device) != (writer.user, writer.device) {
        return Err(Refusal::OthersVisit(id));
    }
    for (name, fact) in opened.facts {
        check_fact(id, &name, fact, admission)?;
    }
    if let Some(facts) = addition.maps.get(key::FACTS) {
        admission.places.push((Some((*facts, change.actor_id().clone())), Place::Facts(id)));
    }
    admission.visits.push((
        id,
        Owned {
            technician: writer.user,
            device: writer.device,
            unsearched: None,
            closings: BTreeSet::new(),
        },
    ));
    admission.grant.visits.push(id);
    Ok(())
}

fn check_fact(
    visit: VisitId,
    name: &str,
    value: Value,
    admission: &mut Admission,
) -> Result<(), Refusal> {
    let id: FactId = parse_id(name).ok_or(Refusal::NotAnId)?;
    let path = || format!("{}/{visit}/{}/{id}", key::VISITS, key::FACTS);
    let recorded: Recorded = parse(path, value)?;
    if matches!(recorded.fact, Fact::Closed { .. }) {
        admission.closed.push(visit);
    }
    admission.grant.facts.push((visit, id));
    Ok(())
}

fn check_message(
    addition: &Addition,
    writer: &Writer,
    admission: &mut Admission,
) -> Result<(), Refusal> {
    let id = parse_id(&addition.key).ok_or(Refusal::NotAnId)?;
    let message: Message = parse(|| format!("{}/{id}", key::MESSAGES), addition.value.clone())?;
    if message.author != writer.user {
        return Err(Refusal::OthersName(id));
    }
    admission.grant.messages.push(id);
    Ok(())
}

/// The changes that closed a visit of the document.
fn closings(doc: &Automerge, facts: &ObjId) -> Result<Vec<ChangeHash>, Refusal> {
    let mut found = Vec::new();
    for name in doc.keys(facts) {
        let Some((_, fact)) = doc.get(facts, &name)? else { continue };
        let kind = if doc.object_type(&fact).is_ok() { doc.get(&fact, "type")? } else { None };
        if kind.is_some_and(|(kind, _)| kind.as_str() == Some("closed")) {
            found.extend(doc.hash_for_opid(&fact));
        }
    }
    Ok(found)
}

fn parse<T: DeserializeOwned>(path: impl Fn() -> String, value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|cause| Refusal::Unreadable { path: path(), cause })
}

fn read_id<T: FromStr>(doc: &Automerge, map: &ObjId, name: &str) -> Result<Option<T>, Refusal> {
    let value = doc.get(map, name)?;
    Ok(value.and_then(|(value, _)| value.as_str().and_then(|text| text.parse().ok())))
}

fn object(id: &ObjId) -> Object {
    match id {
        ObjId::Root => None,
        ObjId::Id(counter, actor, _) => Some((*counter, actor.clone())),
    }
}

fn to_obj_id(object: &Object) -> Option<ObjId> {
    // The index is a hint that Automerge corrects from the actor.
    object.as_ref().map(|(counter, actor)| ObjId::Id(*counter, actor.clone(), 0))
}
