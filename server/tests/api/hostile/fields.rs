//! What each role reads: every field of every reply, held against a list that somebody looked at (check 49).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use super::asking::asking;
use super::description::{Operation, operations};
use super::pair::{PEOPLE, Pair, Side};
use super::sweep::may;

/// The list; `DOORSTEP_WRITE_FIELDS=1` writes it anew, and its difference is to be looked at.
const LIST: &str = "tests/api/hostile/fields.txt";

/// Parts of a path that are an id, a hash, a day or a number, and stand for all of their kind.
fn is_name(key: &str) -> bool {
    let is_hex = key.len() >= 32 && key.chars().all(|it| it.is_ascii_hexdigit() || it == '-');
    is_hex || key.chars().next().is_some_and(|it| it.is_ascii_digit())
}

#[tokio::test]
async fn check_49_each_role_reads_the_fields_of_the_list_and_no_others() {
    let pair = Pair::open().await;
    let mut lists = String::new();
    for operation in operations(&pair.east.counter.node).await {
        if operation.method != Method::GET || operation.is_stream || operation.roles.is_empty() {
            continue;
        }
        describe(&operation, &pair.east, &mut lists).await;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST);
    if std::env::var_os("DOORSTEP_WRITE_FIELDS").is_some() {
        std::fs::write(&path, &lists).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let (now, before): (BTreeSet<_>, BTreeSet<_>) =
        (lists.lines().collect(), known.lines().collect());
    let more: Vec<_> = now.difference(&before).collect();
    let less: Vec<_> = before.difference(&now).collect();
    assert!(before.len() > 300, "the list is there");
    assert!(more.is_empty() && less.is_empty(), "{LIST}: new {more:#?}, gone {less:#?}");
}

/// Writes a line for each set of roles that read the same of a route.
async fn describe(operation: &Operation, side: &Side, lists: &mut String) {
    let mut readers: BTreeMap<BTreeSet<String>, BTreeSet<&str>> = BTreeMap::new();
    for (who, role) in PEOPLE.iter().filter(|(_, role)| may(operation, *role)) {
        let asked = asking(operation, side, &[]);
        let reply = side.counter.node.get(&asked.path, &side.tokens[who]).await;
        if reply.status == 200 && reply.kind == "application/json" {
            let mut fields = BTreeSet::new();
            walk(&reply.body, "", &mut fields);
            readers.entry(fields).or_default().insert(role.key());
        }
    }
    for (fields, roles) in readers {
        let roles: Vec<_> = roles.into_iter().collect();
        let head = format!("{} [{}]", operation.path, roles.join(" "));
        for field in fields {
            writeln!(lists, "{head} {field}").expect("memory takes all text");
        }
    }
}

/// Every field with what leads to it; the ids that name things in maps stand as `*`.
fn walk(value: &Value, at: &str, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, it) in map {
                let key = if is_name(key) { "*" } else { key };
                walk(it, &format!("{at}.{key}"), fields);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| walk(it, &format!("{at}[]"), fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            fields.insert(at.trim_start_matches('.').to_owned());
        }
    }
}
