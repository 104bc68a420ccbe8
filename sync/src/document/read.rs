//! A document as a job, with what could not be read counted instead of hiding the rest.

use std::collections::BTreeMap;
use std::str::FromStr;

use automerge::Automerge;
use domain::job::{Job, Plan};
use domain::visit::Visit;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{json, key};

/// Why a document is no job.
#[derive(Debug, thiserror::Error)]
pub enum ReadJobError {
    /// It lacks something without which there is no job, or holds it in another form.
    #[error("not a job: {0}")]
    NotAJob(#[from] serde_json::Error),
    /// It lacks a map of the skeleton.
    #[error("document has no map {0}")]
    NoMap(&'static str),
}

/// An entry that this version cannot read, perhaps from a newer one.
///
/// It stays in the document untouched; only the [`Job`] lacks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it lies, such as `visits/<id>/facts/<id>`.
    pub path: String,
    /// What the reader stumbled over; may quote what is written there.
    pub reason: String,
}

/// A job with what could not be read of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The job as far as it can be read.
    pub job: Job,
    /// What was left out.
    pub unread: Vec<Unread>,
}

/// Reads the job; entries that cannot be read are left out ([`contents`] names them).
pub fn read(doc: &Automerge) -> Result<Job, ReadJobError> {
    contents(doc).map(|contents| contents.job)
}

/// Reads the job, and says what could not be read.
///
/// Without head and briefing there is no job. Entries of the plan, visits, facts and messages
/// are read one by one, so that a corrupt or unknown one never hides the others.
pub fn contents(doc: &Automerge) -> Result<Contents, ReadJobError> {
    contents_of(json(doc))
}

/// The same of what a document says ([`json`]).
pub(crate) fn contents_of(said: Value) -> Result<Contents, ReadJobError> {
    let Value::Object(mut root) = said else {
        return Err(ReadJobError::NoMap("root"));
    };
    let plan = take(&mut root, key::PLAN)?;
    let visits = take(&mut root, key::VISITS)?;
    let messages = take(&mut root, key::MESSAGES)?;
    root.insert(key::PLAN.to_owned(), Value::Object(Map::new()));
    let mut reader = Reader { unread: Vec::new() };
    let mut job: Job = serde_json::from_value(Value::Object(root))?;
    job.plan = reader.plan(plan);
    job.visits = reader.entries(key::VISITS, visits, Reader::visit);
    job.messages = reader.entries(key::MESSAGES, messages, Reader::leaf);
    Ok(Contents { job, unread: reader.unread })
}

fn take(map: &mut Map<String, Value>, name: &'static str) -> Result<Entries, ReadJobError> {
    match map.remove(name) {
        Some(Value::Object(entries)) => Ok(entries),
        _ => Err(ReadJobError::NoMap(name)),
    }
}

type Entries = Map<String, Value>;

struct Reader {
    unread: Vec<Unread>,
}

impl Reader {
    fn plan(&mut self, mut plan: Entries) -> Plan {
        Plan {
            appointments: self.list(&mut plan, "appointments"),
            assignments: self.list(&mut plan, "assignments"),
            cancelled: self.list(&mut plan, "cancelled"),
            rulings: self.list(&mut plan, "rulings"),
            instructions: self.list(&mut plan, "instructions"),
            calls: self.list(&mut plan, "calls"),
            clock: self.list(&mut plan, "clock"),
        }
    }

    fn list<K, V>(&mut self, plan: &mut Entries, name: &'static str) -> BTreeMap<K, V>
    where
        K: FromStr + ToString + Ord,
        V: DeserializeOwned,
    {
        let path = format!("{}/{name}", key::PLAN);
        let entries = take(plan, name).unwrap_or_default();
        self.entries(&path, entries, Self::leaf)
    }

    fn visit(&mut self, path: &str, visit: Value) -> Result<Visit, ReadJobError> {
        let Value::Object(mut visit) = visit else {
            return Err(ReadJobError::NoMap(key::VISITS));
        };
        let facts = take(&mut visit, key::FACTS)?;
        let mut read: Visit = serde_json::from_value(Value::Object(visit))?;
        read.facts = self.entries(&format!("{path}/{}", key::FACTS), facts, Self::leaf);
        Ok(read)
    }

    #[expect(clippy::unused_self, reason = "one of the ways in which entries are read")]
    fn leaf<V: DeserializeOwned>(&mut self, _: &str, value: Value) -> Result<V, ReadJobError> {
        Ok(serde_json::from_value(value)?)
    }

    /// Reads entries one by one. Keys are ids in their one form: two forms would be two keys.
    fn entries<K, V>(
        &mut self,
        path: &str,
        entries: Entries,
        read: impl Fn(&mut Self, &str, Value) -> Result<V, ReadJobError>,
    ) -> BTreeMap<K, V>
    where
        K: FromStr + ToString + Ord,
    {
        let mut found = BTreeMap::new();
        for (name, value) in entries {
            let path = format!("{path}/{name}");
            let Some(id) = parse_id(&name) else {
                self.skip(path, "not an id");
                continue;
            };
            match read(self, &path, value) {
                Ok(value) => drop(found.insert(id, value)),
                Err(error) => self.skip(path, &error.to_string()),
            }
        }
        found
    }

    fn skip(&mut self, path: String, reason: &str) {
        self.unread.push(Unread { path, reason: reason.to_owned() });
    }
}

/// Reads an id in the one form in which ids are keys.
pub(crate) fn parse_id<T: FromStr + ToString>(name: &str) -> Option<T> {
    name.parse().ok().filter(|id: &T| id.to_string() == name)
}
