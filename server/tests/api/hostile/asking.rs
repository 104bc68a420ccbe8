//! Requests about a hall's things, and what came back.

use std::fmt::{self, Debug, Formatter};
use std::io::{Cursor, Read as _};

use reqwest::Method;
use serde_json::Value;

use super::bodies::{self, Sent};
use super::description::Operation;
use super::pair::Side;
use super::sources::{in_path, in_query};

/// A request as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) sent: Sent,
}

/// What came back: everything in small letters and unpacked, headers in the first line.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) words: String,
}

impl Debug for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let body = self.words.split_once('\n').map_or("", |it| it.1);
        write!(f, "{} {}", self.status, body.chars().take(200).collect::<String>())
    }
}

/// A request about things of the own hall, with some parameters of the path replaced.
pub(crate) fn asking(operation: &Operation, own: &Side, replaced: &[(&str, &str)]) -> Asking {
    let mut path = operation.path.clone();
    for parameter in operation.in_path() {
        let source = in_path(&operation.path, parameter);
        let own = source.and_then(|it| it.of(own).into_iter().next()).unwrap_or_default();
        let foreign = replaced.iter().find(|(name, _)| *name == parameter.name);
        let value = foreign.map_or(own, |(_, value)| (*value).to_owned());
        path = path.replace(&format!("{{{}}}", parameter.name), &value);
    }
    let required = operation.in_query().filter(|it| it.is_required);
    let pairs = required.map(|it| {
        let source = in_query(&operation.path, it);
        let value = source.and_then(|it| it.of(own).into_iter().next()).unwrap_or_default();
        (it.name.clone(), value)
    });
    let path = with_query(&path, &pairs.collect::<Vec<_>>());
    let known = bodies::of(&operation.name(), own).unwrap_or_default();
    let sent = known.into_iter().next().unwrap_or(Sent::Nothing);
    Asking { method: operation.method.clone(), path, sent }
}

pub(crate) fn with_query(path: &str, pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let url = reqwest::Url::parse_with_params("http://x/", pairs).expect("a URL");
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{}", url.query().unwrap_or_default())
}

/// A path without one pair of its query.
pub(crate) fn replaced(path: &str, name: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let left: Vec<_> = query.split('&').filter(|it| it.split('=').next() != Some(name)).collect();
    if left.is_empty() { path.to_owned() } else { format!("{path}?{}", left.join("&")) }
}

/// Whether an answer tells something of a hall that the request did not say itself.
pub(crate) fn tells(answer: &Answer, asking: &Asking, of: &Side) -> bool {
    let asked = format!("{asking:?}");
    of.marks()
        .iter()
        .any(|mark| !asked.contains(mark.as_str()) && answer.words.contains(mark.as_str()))
}

pub(crate) async fn ask(side: &Side, asking: &Asking, token: &str) -> Answer {
    let url = format!("{}{}", side.counter.node.base, asking.path);
    let request = side.http.request(asking.method.clone(), url).bearer_auth(token);
    let request = match &asking.sent {
        Sent::Nothing => request,
        Sent::Json(body) => request.json(body),
        Sent::Bytes(kind, bytes) => request.header("content-type", *kind).body(bytes.clone()),
    };
    let response = request.send().await.expect("the server replies");
    let status = response.status().as_u16();
    let headers = format!("{:?}", response.headers());
    let bytes = response.bytes().await.expect("a body");
    Answer { status, words: format!("{headers}\n{}", unpacked(&bytes)).to_lowercase() }
}

/// The words of a body; a spreadsheet's stand in its parts.
fn unpacked(bytes: &[u8]) -> String {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    let mut words = String::new();
    for index in 0..archive.len() {
        let mut part = Vec::new();
        let mut file = archive.by_index(index).expect("a part");
        // When it was written stands there.
        if file.name().is_ok_and(|it| it.starts_with("docProps")) {
            continue;
        }
        file.read_to_end(&mut part).expect("it unpacks");
        words.push_str(&String::from_utf8_lossy(&part));
    }
    words
}

/// Where each value of a body stands.
pub(crate) fn leaves(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, it)| leaves(it, format!("{at}/{key}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, it)| leaves(it, format!("{at}/{n}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![at],
    }
}
