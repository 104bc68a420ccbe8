//! Each role asks every route for what is another hall's, or a colleague's (check 20).
//!
//! The routes are those that the server describes, so a new one is asked as well, or the table of ids is not whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use server::identity::Role;

use super::asking::{Asking, ask, asking, leaves, replaced, tells, with_query};
use super::bodies::{self, Sent};
use super::description::{Operation, operations};
use super::pair::{PEOPLE, Pair, Side};
use super::sources::{Source, in_path, in_query};
use crate::hall::text;

/// Lists that show nothing of what was written in the hall, with why.
const WORDLESS: &[(&str, &str)] = &[
    ("GET /api/audit/chain", "how long the server's one chain is"),
    ("GET /api/cash/mine", "money and numbers of receipts"),
    ("GET /api/counter", "what the rules ask for"),
    ("GET /api/devices/self/share", "the phone's half of a key"),
    ("GET /api/halls", "a hall's name and counts"),
    ("GET /api/intake/promises", "what the rules promise"),
    ("GET /api/packs", "the rules of all halls"),
    ("GET /api/packs/{id}", "the rules of all halls"),
    ("GET /api/packs/{id}/differences", "the rules of all halls"),
    ("GET /api/packs/{id}/text", "the rules of all halls"),
    ("GET /api/packs/{id}/trial", "how many verdicts would change"),
    ("GET /api/push/key", "the server's public key"),
    ("GET /api/me/second-factor", "since when one's own stands"),
    ("GET /api/session/proof", "until when one's own password counts"),
];

/// Bodies in which another hall's id does nothing and is answered with nothing, with why.
const LEFT: &[(&str, &str, &str)] = &[
    ("POST /api/due/preview", "/households/0", "of many doors, those that are not due are left"),
    ("POST /api/due/jobs", "/households/0", "of many doors, those that are not due are left"),
    ("POST /api/outages/{id}/doors", "/households/0", "of many doors, those not in it are left"),
    ("POST /api/outages/preview", "/draft", "it only says which one not to compare with"),
    (
        "POST /api/outages/preview",
        "/picks/accounts/0",
        "accounts that nobody has are counted as none",
    ),
];

#[tokio::test]
async fn check_20_the_sweep_knows_where_each_id_comes_from_and_what_each_route_takes() {
    let pair = Pair::open().await;
    let mut missing = Vec::new();
    for operation in operations(&pair.east.counter.node).await {
        let name = operation.name();
        for parameter in &operation.parameters {
            let source = if parameter.is_in_path {
                in_path(&operation.path, parameter)
            } else {
                in_query(&operation.path, parameter)
            };
            if source.is_none() {
                missing.push(format!("{name}: nobody says what may stand at `{}`", parameter.name));
            }
        }
        if operation.has_body && bodies::of(&name, &pair.east).is_none() {
            missing.push(format!("{name}: nobody says which body it takes"));
        }
    }
    assert!(missing.is_empty(), "tests/api/hostile/sources.rs, bodies.rs:\n{}", missing.join("\n"));
}

#[tokio::test]
async fn check_20_a_thing_of_another_hall_is_not_there_for_anybody() {
    let pair = Pair::open().await;
    let before = [seen(&pair.east).await, seen(&pair.west).await];
    let mut wrong = Vec::new();
    let mut asked = 0;

    for operation in operations(&pair.east.counter.node).await {
        for (own, other) in [(&pair.east, &pair.west), (&pair.west, &pair.east)] {
            for asking in with_foreign_ids(&operation, own, other) {
                for (who, _) in PEOPLE {
                    let answer = ask(own, &asking, &own.tokens[who]).await;
                    asked += 1;
                    if !matches!(answer.status, 403 | 404) || tells(&answer, &asking, other) {
                        wrong.push(format!("{who}: {asking:?}: {answer:?}"));
                    }
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 1_000, "{asked}");
    let after = [seen(&pair.east).await, seen(&pair.west).await];
    assert_eq!(differing(&before[0], &after[0]), differing(&before[1], &after[1]));
    assert_eq!(differing(&before[0], &after[0]), Vec::<String>::new(), "nothing was changed");
}

#[tokio::test]
async fn check_20_the_same_requests_find_what_is_ones_own() {
    let pair = Pair::open().await;
    let side = &pair.east;
    let mut all = operations(&side.counter.node).await;
    // What is looked at first, then what is added, then what is taken away; an alarm before time or work end it.
    let turn = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    all.sort_by_key(|it| {
        let place = turn.iter().position(|method| *method == it.method);
        (it.path != "/api/leaks/{id}/alarm", place)
    });
    let mut wrong = Vec::new();

    for operation in all.iter().filter(|it| has_things(it)) {
        let who = PEOPLE.iter().filter(|(_, role)| may(operation, *role));
        let mut answers = Vec::new();
        for (who, _) in who {
            answers.push(ask(side, &asking(operation, side, &[]), &side.tokens[who]).await);
        }
        if answers.iter().all(|it| matches!(it.status, 401 | 403 | 404)) {
            wrong.push(format!("{}: {answers:?}", operation.name()));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn check_20_no_list_search_export_or_page_tells_of_another_hall() {
    let pair = Pair::open().await;
    let mut wrong = Vec::new();
    let mut silent = BTreeSet::new();

    for operation in operations(&pair.east.counter.node).await {
        let is_read = operation.method == Method::GET && !operation.is_stream;
        if !is_read || has_things(&operation) || operation.roles.is_empty() {
            continue;
        }
        let (own, other) = (&pair.east, &pair.west);
        let mut is_telling = false;
        for (asking, is_of_a_hall) in lists(&operation, own, other).await {
            // What a word chooses is the same for everybody; what an id or a search finds may not be.
            for (who, _) in PEOPLE.iter().filter(|it| is_of_a_hall || it.0 == "mara") {
                let answer = ask(own, &asking, &own.tokens[who]).await;
                is_telling |= tells(&answer, &asking, own);
                if answer.status >= 500 || tells(&answer, &asking, other) {
                    wrong.push(format!("{who}: {asking:?}: {answer:?}"));
                }
            }
        }
        if !is_telling {
            silent.insert(operation.name());
        }
    }

    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    let expected: BTreeSet<_> = WORDLESS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(silent, expected, "a list that shows nothing proves nothing");
}

#[tokio::test]
async fn check_20_a_body_that_names_another_halls_things_is_refused() {
    let pair = Pair::open().await;
    let before = seen(&pair.west).await;
    let mut wrong = Vec::new();
    let mut asked = 0;

    for operation in operations(&pair.east.counter.node).await {
        let (own, other) = (&pair.east, &pair.west);
        let known = bodies::of(&operation.name(), own).unwrap_or_default();
        let twins = bodies::of(&operation.name(), other).unwrap_or_default();
        for (body, twin) in known.into_iter().zip(twins) {
            for (at, sent) in foreign_leaves(&body, &twin, own) {
                let name = operation.name();
                let is_left = LEFT.iter().any(|(it, leaf, _)| (*it, *leaf) == (&*name, &*at));
                let asking = Asking { sent, ..asking(&operation, own, &[]) };
                for (who, _) in PEOPLE.iter().filter(|(_, role)| may(&operation, *role)) {
                    let answer = ask(own, &asking, &own.tokens[who]).await;
                    asked += 1;
                    let is_refused = (400..500).contains(&answer.status);
                    if is_refused == is_left || tells(&answer, &asking, other) {
                        wrong.push(format!("{who}: {asking:?}: {answer:?}"));
                    }
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 50, "{asked}");
    let changed = differing(&before, &seen(&pair.west).await);
    assert_eq!(changed, Vec::<String>::new(), "nothing was changed");
}

#[tokio::test]
async fn check_20_a_technician_reads_nothing_of_a_colleague() {
    let pair = Pair::open().await;
    let side = &pair.east;
    let hers =
        ["ana", "phone", "job", "bill", "inspection", "empty", "reminder", "notice", "photo"];
    let mut wrong = Vec::new();
    let mut asked = 0;

    for operation in operations(&side.counter.node).await {
        let is_theirs = may(&operation, Role::Technician) && !operation.is_stream;
        if !is_theirs || ["/api/sync", "/api/session"].contains(&operation.path.as_str()) {
            continue;
        }
        let answer = ask(side, &asking(&operation, side, &[]), &side.tokens["ben"]).await;
        asked += 1;
        let told = hers.iter().find(|thing| answer.words.contains(&side.things[**thing]));
        let is_found = has_things(&operation) && !matches!(answer.status, 403 | 404);
        if told.is_some() || is_found || answer.status >= 500 {
            wrong.push(format!("{}: {told:?}: {answer:?}", operation.name()));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 15, "{asked}");
}

#[tokio::test]
async fn check_20_a_stream_tells_nothing_of_another_hall_or_of_a_colleague() {
    let pair = Pair::open().await;
    let (own, other) = (&pair.east, &pair.west);
    let streams = operations(&own.counter.node).await.into_iter().filter(|it| it.is_stream);
    let streams: Vec<_> = streams.map(|it| it.path).collect();
    assert_eq!(streams, ["/api/live", "/api/notices/live"]);
    let open = async |path: &str, who: &str| {
        let url = format!("{}{path}", own.counter.node.base);
        own.http.get(url).bearer_auth(&own.tokens[who]).send().await.expect("a stream")
    };
    let (live, news) = (open("/api/live", "dora").await, open("/api/notices/live", "ben").await);

    let give = async |side: &Side, job: &str, to: &str| {
        let path = format!("/api/jobs/{job}/assignments");
        let given = json!({"technician": side.things[to]});
        let given = side.counter.node.post(&path, Some(&side.tokens["dora"]), &given).await;
        assert_eq!(given.status, 201, "{given:?}");
    };
    give(other, &other.things["later"], "ben").await;
    give(own, &own.things["later"], "ana").await;
    let his = json!({"kind": "repair", "account": own.account, "technician": own.things["ben"]});
    let his = own.counter.node.post("/api/jobs", Some(&own.tokens["dora"]), &his).await;
    let his = text(&his.body["id"]);
    let (live, news) = (heard(live, &his).await, heard(news, &his).await);

    for mark in other.marks() {
        assert!(!live.contains(&mark) && !news.contains(&mark), "{mark}");
    }
    for thing in ["ana", "job", "bill", "later", "household"] {
        assert!(!news.contains(&own.things[thing]), "{thing} is not his: {news}");
    }
}

/// What a stream says until this is in it.
async fn heard(mut stream: reqwest::Response, mark: &str) -> String {
    let mut said = String::new();
    let hearing = async {
        while !said.contains(mark) {
            let chunk = stream.chunk().await.expect("the stream holds").expect("it goes on");
            said.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), hearing).await;
    assert!(in_time.is_ok(), "{mark} in time");
    said
}

fn has_things(operation: &Operation) -> bool {
    let mut sources = operation.in_path().filter_map(|it| in_path(&operation.path, it));
    sources.any(|it| matches!(it, Source::Things(_)))
}

pub(crate) fn may(operation: &Operation, role: Role) -> bool {
    operation.roles.iter().any(|it| it == role.key())
}

/// Requests in which one or all ids of the path are another hall's.
fn with_foreign_ids(operation: &Operation, own: &Side, other: &Side) -> Vec<Asking> {
    let things: Vec<(String, Vec<String>)> = operation
        .in_path()
        .filter_map(|it| Some((it.name.clone(), in_path(&operation.path, it)?)))
        .filter(|(_, source)| source.is_of_a_hall())
        .map(|(name, source)| (name, source.of(other)))
        .collect();
    let mut all = Vec::new();
    for (name, ids) in &things {
        all.extend(ids.iter().map(|id| asking(operation, own, &[(name, id)])));
    }
    if things.len() > 1 {
        let every: Vec<_> =
            things.iter().map(|(name, ids)| (name.as_str(), ids[0].as_str())).collect();
        all.push(asking(operation, own, &every));
    }
    all
}

/// A list as it is asked for plainly, by each word of its path and query, and by ids, searches and pages of both halls;
/// the last three are told apart.
async fn lists(operation: &Operation, own: &Side, other: &Side) -> Vec<(Asking, bool)> {
    let mut bare = vec![(asking(operation, own, &[]), true)];
    for parameter in operation.in_path() {
        let values = in_path(&operation.path, parameter).map(|it| it.of(own)).unwrap_or_default();
        let further =
            values.iter().skip(1).map(|it| asking(operation, own, &[(&parameter.name, it)]));
        bare.extend(further.map(|it| (it, true)));
    }
    let mut all = bare.clone();
    for parameter in operation.in_query() {
        let source = in_query(&operation.path, parameter);
        let is_of_a_hall = source.as_ref().is_none_or(Source::is_of_a_hall);
        let values = match source {
            Some(Source::Cursor) => cursor(operation, other).await.into_iter().collect(),
            Some(source) if is_of_a_hall => [source.of(own), source.of(other)].concat(),
            Some(source) => source.of(own),
            None => Vec::new(),
        };
        for value in values {
            let pair = [(parameter.name.clone(), value)];
            for (base, _) in &bare {
                let path = with_query(&replaced(&base.path, &parameter.name), &pair);
                all.push((Asking { path, ..base.clone() }, is_of_a_hall));
            }
        }
    }
    all
}

/// Where the first page of a list of another hall ended.
async fn cursor(operation: &Operation, other: &Side) -> Option<String> {
    let plain = asking(operation, other, &[]);
    let path = with_query(&plain.path, &[("limit".to_owned(), "1".to_owned())]);
    let page = other.counter.node.get(&path, &other.tokens["mara"]).await;
    page.body["next"].as_str().map(str::to_owned)
}

/// Bodies in each of which one id or account is the twin's.
fn foreign_leaves(body: &Sent, twin: &Sent, own: &Side) -> Vec<(String, Sent)> {
    let (Sent::Json(body), Sent::Json(twin)) = (body, twin) else { return Vec::new() };
    let mut names: BTreeSet<&str> = own.things.values().map(String::as_str).collect();
    names.insert(own.account);
    let mut all = Vec::new();
    for at in leaves(body, String::new()) {
        let (here, there) = (body.pointer(&at), twin.pointer(&at));
        let is_named = here.and_then(|it| it.as_str()).is_some_and(|it| names.contains(it));
        if let (true, Some(there)) = (is_named && here != there, there) {
            let mut forged = body.clone();
            *forged.pointer_mut(&at).expect("it was just there") = there.clone();
            all.push((at, Sent::Json(forged)));
        }
    }
    all
}

/// Everything that a hall's own people read of it, without who looked when.
pub(crate) async fn seen(side: &Side) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for operation in operations(&side.counter.node).await {
        let is_read = operation.method == Method::GET && !operation.is_stream;
        let is_audit = operation.path.starts_with("/api/audit") || operation.path == "/metrics";
        // A household's file says who looked at it, this look too.
        let is_telling_looks = operation.path == "/api/households/{id}/file";
        if !is_read || is_audit || is_telling_looks {
            continue;
        }
        for who in ["mara", "adam", "ana"] {
            let answer = ask(side, &asking(&operation, side, &[]), &side.tokens[who]).await;
            let body = answer.words.split_once('\n').expect("a body").1;
            all.insert(format!("{who}: {}", operation.name()), without_travel(body));
        }
    }
    all
}

/// A body without how far messages are: those travel meanwhile, whoever asks.
fn without_travel(body: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Array(all) => all.iter_mut().for_each(strip),
            Value::Object(fields) => {
                if fields.contains_key("send_at") {
                    fields.retain(|name, _| !["state", "ended_at", "error"].contains(&&**name));
                }
                fields.values_mut().for_each(strip);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let Ok(mut value) = serde_json::from_str(body) else { return body.to_owned() };
    strip(&mut value);
    value.to_string()
}

/// What reads otherwise than before.
pub(crate) fn differing(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<String> {
    let changed = before.iter().filter(|(name, body)| after.get(*name) != Some(*body));
    changed.map(|(name, body)| format!("{name}\n  {body}\n  {:?}", after.get(name))).collect()
}
