//! Idempotency keys: a request that was sent twice creates once.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::text;

const KEY: &str = "3b9f6f1e-d7b4-4c53-9a0c-6a1f0c1f7f10";

#[tokio::test]
async fn a_repeated_creation_creates_once_and_is_answered_as_the_first_was() {
    let counter = Counter::open().await;
    let job = json!({"kind": "repair", "account": ACCOUNT});
    let ada = json!({"login": "ada", "name": "Ada", "role": "hall",
        "password": "violet harbour under rain"});

    for (path, token, body) in
        [("/api/jobs", &counter.dispatcher, &job), ("/api/users", &counter.manager, &ada)]
    {
        let first = post(&counter, path, token, KEY, body).await;
        let second = post(&counter, path, token, KEY, body).await;
        assert_eq!((first.0, second.0), (201, 201), "{path}: {first:?} {second:?}");
        assert_eq!(first.1, second.1, "{path}");
        assert_eq!((first.2, second.2), (false, true), "{path}");
    }
    let list = counter.node.get("/api/jobs", &counter.dispatcher).await.body;
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1);
    let id = text(&list["jobs"][0]["id"]);
    let path = format!("/api/jobs/{id}/messages");
    let said = json!({"text": "带三米软管"});
    let first = post(&counter, &path, &counter.dispatcher, "another", &said).await;
    let second = post(&counter, &path, &counter.dispatcher, "another", &said).await;
    assert_eq!(first.1, second.1);
    let shown = counter.job(id.parse().unwrap()).await;
    assert_eq!(shown["job"]["messages"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_person_one_request_and_one_day() {
    let counter = Counter::open().await;
    let body = json!({"kind": "repair", "account": ACCOUNT});
    let first = post(&counter, "/api/jobs", &counter.dispatcher, KEY, &body).await;

    let other_body = json!({"kind": "ignition", "account": ACCOUNT});
    let other = post(&counter, "/api/jobs", &counter.dispatcher, KEY, &other_body).await;
    let elsewhere = format!("/api/jobs/{}/messages", text(&first.1["id"]));
    let place = post(&counter, &elsewhere, &counter.dispatcher, KEY, &json!({"text": "x"})).await;
    let person = post(&counter, "/api/jobs", &counter.manager, KEY, &body).await;
    counter.hall.wait_minutes(7 * 60);
    let dora = counter.node.sign_in("dora").await;
    let same_day = post(&counter, "/api/jobs", &dora, KEY, &body).await;

    assert_eq!((other.0, &other.1["type"]), (422, &json!("urn:doorstep:key-reused")));
    assert_eq!((place.0, &place.1["type"]), (422, &json!("urn:doorstep:key-reused")));
    assert_eq!(person.0, 201);
    assert_ne!(person.1["id"], first.1["id"]);
    assert_eq!(same_day.1, first.1);
    counter.hall.wait_minutes(18 * 60);
    let dora = counter.node.sign_in("dora").await;
    let next_day = post(&counter, "/api/jobs", &dora, KEY, &body).await;
    assert_eq!((next_day.0, next_day.2), (201, false));
    assert_ne!(next_day.1["id"], first.1["id"]);
}

#[tokio::test]
async fn a_refused_creation_leaves_its_key_free() {
    let counter = Counter::open().await;
    let wrong = json!({"kind": "repair", "account": "nobody's"});
    assert_eq!(post(&counter, "/api/jobs", &counter.dispatcher, KEY, &wrong).await.0, 404);

    let right = json!({"kind": "repair", "account": ACCOUNT});
    let made = post(&counter, "/api/jobs", &counter.dispatcher, KEY, &right).await;

    assert_eq!(made.0, 201, "{made:?}");
    for key in ["", "has space", &"x".repeat(256)] {
        let refused = post(&counter, "/api/jobs", &counter.dispatcher, key, &right).await;
        assert_eq!((refused.0, &refused.1["type"]), (400, &json!("urn:doorstep:bad-request")));
    }
}

#[tokio::test]
async fn requests_that_race_under_one_key_create_once() {
    let counter = Counter::open().await;
    let body = json!({"kind": "repair", "account": ACCOUNT});

    let racing = (0..8).map(|_| post(&counter, "/api/jobs", &counter.dispatcher, KEY, &body));
    let replies = join_all(racing).await;

    let made: Vec<_> = replies.iter().filter(|it| it.0 == 201 && !it.2).collect();
    assert_eq!(made.len(), 1, "{replies:?}");
    for reply in &replies {
        let is_in_use = reply.0 == 409 && reply.1["type"] == "urn:doorstep:key-in-use";
        assert!(is_in_use || (reply.0 == 201 && reply.1 == made[0].1), "{reply:?}");
    }
    let list = counter.node.get("/api/jobs", &counter.dispatcher).await.body;
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_receipt_tells_neither_key_nor_password() {
    let counter = Counter::open().await;
    counter.hall.person("ines", Role::Admin).await;
    let admin = counter.node.sign_in("ines").await;
    let secret = "violet harbour under rain";
    let ada = json!({"login": "ada", "name": "Ada", "role": "hall", "password": secret});

    assert_eq!(post(&counter, "/api/users", &admin, KEY, &ada).await.0, 201);

    let files = counter.hall.files();
    for hidden in [KEY, secret] {
        assert!(!files.windows(hidden.len()).any(|it| it == hidden.as_bytes()), "{hidden}");
    }
}

/// Posts under a key; returns the status, the body and whether it was a repetition.
async fn post(
    counter: &Counter,
    path: &str,
    token: &str,
    key: &str,
    body: &Value,
) -> (u16, Value, bool) {
    let headers = [("idempotency-key", key)];
    let reply = counter.node.send_with((Method::POST, path), token, &headers, Some(body)).await;
    let status = reply.status().as_u16();
    let again = reply.headers().contains_key("idempotency-replayed");
    (status, reply.json().await.expect("JSON"), again)
}
