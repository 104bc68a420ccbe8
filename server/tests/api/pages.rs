//! Reading lists: page by page without a gap or a double, and only what was asked for.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::Counter;
use crate::hall::{Hall, Node, text};

#[tokio::test]
async fn people_are_read_page_by_page() {
    let hall = Hall::new().await;
    for login in ["ann", "bob", "cat", "dan", "eve"] {
        hall.person(login, Role::Technician).await;
    }
    hall.person("mia", Role::Manager).await;
    let node = hall.node().await;
    let token = node.sign_in("mia").await;

    let all = walk(&node, &token, "/api/users?limit=2", "users", "login").await;
    let technicians =
        walk(&node, &token, "/api/users?limit=2&role=technician", "users", "login").await;
    let found = walk(&node, &token, "/api/users?limit=2&text=A", "users", "login").await;

    assert_eq!(all, ["ann", "bob", "cat", "dan", "eve", "mia"]);
    assert_eq!(technicians, ["ann", "bob", "cat", "dan", "eve"]);
    assert_eq!(found, ["ann", "cat", "dan", "mia"]);
}

#[tokio::test]
async fn people_and_phones_who_were_shut_out_are_told_apart() {
    let hall = Hall::new().await;
    let tom = hall.person("tom", Role::Technician).await;
    hall.person("mia", Role::Manager).await;
    let node = hall.node().await;
    let token = node.sign_in("mia").await;
    let (_, first) = node.enrol(&token, "tom", tom).await;
    let (_, second) = node.enrol(&token, "tom", tom).await;
    let path = format!("/api/devices/{}/revoke", text(&json!(first)));
    assert_eq!(node.post(&path, Some(&token), &Value::Null).await.status, 200);

    let out = walk(&node, &token, "/api/devices?limit=1&revoked=true", "devices", "id").await;
    let held = walk(&node, &token, "/api/devices?limit=1&revoked=false", "devices", "id").await;
    let all = walk(&node, &token, "/api/devices?limit=1", "devices", "id").await;
    let path = format!("/api/users/{tom}/disable");
    assert_eq!(node.post(&path, Some(&token), &Value::Null).await.status, 204);
    let disabled = walk(&node, &token, "/api/users?disabled=true", "users", "login").await;
    let enabled = walk(&node, &token, "/api/users?disabled=false", "users", "login").await;

    assert_eq!(out, [text(&json!(first))]);
    assert_eq!(held, [text(&json!(second))]);
    assert_eq!(all.len(), 2);
    assert_eq!(disabled, ["tom"]);
    assert_eq!(enabled, ["mia"]);
}

#[tokio::test]
async fn jobs_are_found_by_what_the_household_says_on_the_phone() {
    let counter = Counter::open().await;
    let tom = counter.hall.person("tom", Role::Technician).await;
    let mut made = BTreeSet::new();
    for _ in 0..3 {
        made.insert(counter.job_for(tom).await.to_string());
    }
    let shown = counter.node.get("/api/jobs?limit=1", &counter.dispatcher).await.body;
    let door = shown["jobs"][0]["household"].clone();
    let job = text(&shown["jobs"][0]["id"]);
    let whole = counter.node.get(&format!("/api/jobs/{job}"), &counter.dispatcher).await.body;
    let phone = text(&whole["job"]["briefing"]["household"]["phone"]);

    for words in [text(&door["account"]), text(&door["holder"]), text(&door["address"]), phone] {
        let mut url = reqwest::Url::parse("http://x/api/jobs").unwrap();
        url.query_pairs_mut().append_pair("limit", "2").append_pair("text", &words);
        let path = format!("{}?{}", url.path(), url.query().unwrap());
        let found = walk(&counter.node, &counter.dispatcher, &path, "jobs", "id").await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), made, "{words}");
    }
    let none = counter.node.get("/api/jobs?text=%25%25nobody", &counter.dispatcher).await;
    assert_eq!(none.body["jobs"], json!([]));
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_with_what_to_send() {
    let hall = Hall::new().await;
    hall.person("mia", Role::Manager).await;
    let node = hall.node().await;
    let token = node.sign_in("mia").await;

    for list in ["users", "devices", "jobs", "quarantine"] {
        for (query, status, kind) in [
            ("limit=0", StatusCode::BAD_REQUEST, "bad-request"),
            ("limit=501", StatusCode::BAD_REQUEST, "bad-request"),
            ("after=rubbish", StatusCode::UNPROCESSABLE_ENTITY, "unprocessable"),
            ("colour=blue", StatusCode::BAD_REQUEST, "bad-request"),
        ] {
            let reply = node.get(&format!("/api/{list}?{query}"), &token).await;
            assert_eq!((reply.status, reply.problem()), (status, kind), "{list} {query}");
        }
    }
    let reply = node.get("/api/jobs?status=asleep", &token).await;
    assert_eq!(reply.status, 400);
    let reply = node.get("/api/jobs?text=%00", &token).await;
    assert_eq!((reply.status.as_u16(), reply.problem()), (422, "unprocessable"));
}

/// Reads a list to its end, page by page; returns one field of each entry.
async fn walk(node: &Node, token: &str, path: &str, list: &str, field: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = Value::Null;
    for _ in 0..50 {
        let and = if path.contains('?') { '&' } else { '?' };
        let page = match next.as_str() {
            Some(next) => format!("{path}{and}after={next}"),
            None => path.to_owned(),
        };
        let reply = node.get(&page, token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        found
            .extend(reply.body[list].as_array().expect("a list").iter().map(|it| text(&it[field])));
        next = reply.body["next"].clone();
        if next.is_null() {
            return found;
        }
    }
    panic!("the list has no end: {path}");
}
