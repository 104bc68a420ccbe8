//! A document as a job, with what could not be read counted instead of hiding the rest.

use std::collections::BTreeMap;
use std::str::FromStr;

use automerge::{Automerge, hydrate};
use domain::job::{Job, Plan};
use domain::visit::{Recorded, Visit};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::key;
use super::value::{ValueError, read_value};

/// Why a document is no job.
#[derive(Debug, thiserror::Error)]
pub enum ReadJobError {
    /// It lacks something without which there is no job, or holds it in another form.
    #[error("not a job: {0}")]
    NotAJob(#[from] serde_json::Error),
    /// It lacks a map of the skeleton.
    #[error("document has no map {0}")]
    NoMap(&'static str),
    /// Its head part holds something that is not JSON.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// An entry that this version cannot read, perhaps from a newer one.
///
/// It stays in the document untouched; only the [`Job`] lacks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it lies, such as `visits/<id>/facts/<id>`.
    pub path: String,
    /// What the reader stumbled over.
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
/// Head, plan, briefing: without them there is no job. Entries of the plan, visits, facts and
/// messages are read one by one, so that a corrupt or unknown one never hides the others.
pub fn contents(doc: &Automerge) -> Result<Contents, ReadJobError> {
    let hydrate::Value::Map(root) = doc.hydrate(None) else {
        return Err(ReadJobError::NoMap("root"));
    };
    let mut reader = Reader { unread: Vec::new() };
    let mut head = Map::new();
    for (name, item) in root.iter() {
        if ![key::PLAN, key::VISITS, key::MESSAGES].contains(&name.as_str()) {
            head.insert(name.clone(), read_value(&item.value, 1)?);
        }
    }
    head.insert(key::PLAN.to_owned(), Value::Object(Map::new()));
    let mut job: Job = serde_json::from_value(Value::Object(head))?;
    job.plan = reader.plan(map_at(&root, key::PLAN)?);
    job.visits = reader.visits(map_at(&root, key::VISITS)?);
    job.messages = reader.entries(key::MESSAGES, map_at(&root, key::MESSAGES)?);
    reader.unread.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Contents { job, unread: reader.unread })
}

fn map_at<'a>(map: &'a hydrate::Map, name: &'static str) -> Result<&'a hydrate::Map, ReadJobError> {
    match map.get(name) {
        Some(hydrate::Value::Map(found)) => Ok(found),
        _ => Err(ReadJobError::NoMap(name)),
    }
}

struct Reader {
    unread: Vec<Unread>,
}

impl Reader {
    fn plan(&mut self, plan: &hydrate::Map) -> Plan {
        Plan {
            appointments: self.list(plan, "appointments"),
            assignments: self.list(plan, "assignments"),
            cancelled: self.list(plan, "cancelled"),
            rulings: self.list(plan, "rulings"),
            instructions: self.list(plan, "instructions"),
        }
    }

    fn list<K, V>(&mut self, plan: &hydrate::Map, name: &'static str) -> BTreeMap<K, V>
    where
        K: FromStr + Ord,
        V: DeserializeOwned,
    {
        map_at(plan, name)
            .map(|list| self.entries(&format!("{}/{name}", key::PLAN), list))
            .unwrap_or_default()
    }

    fn visits<K: FromStr + Ord>(&mut self, visits: &hydrate::Map) -> BTreeMap<K, Visit> {
        let mut read = BTreeMap::new();
        for (name, item) in visits.iter() {
            let path = format!("{}/{name}", key::VISITS);
            match self.visit(&path, &item.value) {
                Ok(visit) => match name.parse() {
                    Ok(id) => drop(read.insert(id, visit)),
                    Err(_) => self.skip(path, "not an id"),
                },
                Err(error) => self.skip(path, &error.to_string()),
            }
        }
        read
    }

    fn visit(&mut self, path: &str, visit: &hydrate::Value) -> Result<Visit, ReadJobError> {
        let hydrate::Value::Map(visit) = visit else {
            return Err(ReadJobError::NoMap(key::VISITS));
        };
        let mut head = Map::new();
        for name in [key::TECHNICIAN, key::DEVICE] {
            if let Some(value) = visit.get(name) {
                head.insert(name.to_owned(), read_value(value, 1)?);
            }
        }
        let mut read: Visit = serde_json::from_value(Value::Object(head))?;
        let facts = map_at(visit, key::FACTS)?;
        read.facts = self.entries::<_, Recorded>(&format!("{path}/{}", key::FACTS), facts);
        Ok(read)
    }

    fn entries<K, V>(&mut self, path: &str, map: &hydrate::Map) -> BTreeMap<K, V>
    where
        K: FromStr + Ord,
        V: DeserializeOwned,
    {
        let mut read = BTreeMap::new();
        for (name, item) in map.iter() {
            let path = format!("{path}/{name}");
            let Ok(id) = name.parse() else {
                self.skip(path, "not an id");
                continue;
            };
            match entry(&item.value) {
                Ok(value) => drop(read.insert(id, value)),
                Err(error) => self.skip(path, &error.to_string()),
            }
        }
        read
    }

    fn skip(&mut self, path: String, reason: &str) {
        self.unread.push(Unread { path, reason: reason.to_owned() });
    }
}

fn entry<V: DeserializeOwned>(value: &hydrate::Value) -> Result<V, ReadJobError> {
    Ok(serde_json::from_value(read_value(value, 1)?)?)
}
