//! What is refused before a handler sees it, and that every refusal is a problem in one shape.

use std::io::Write as _;

use reqwest::{Method, StatusCode};
use serde_json::json;
use server::clock::Clock;
use server::identity::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::hall::{Hall, Node, PASSWORD, reply};

#[tokio::test]
async fn check_48_every_refusal_is_a_problem_that_tells_nothing_of_the_inside() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;
    let token = node.sign_in("ana").await;

    let lost = node.get("/api/nothing", &token).await;
    let wrong_method = node.send(Method::PUT, "/api/me", Some(&token), None).await;
    let bad_id = node.post("/api/devices/42/revoke", Some(&token), &json!({})).await;
    let bad_json = reply(post(&node, "/api/session").body("{\"login\": ")).await;
    let missing = node.post("/api/session", None, &json!({"login": "ana"})).await;

    let seen = [lost, wrong_method, bad_id, bad_json, missing].map(|reply| {
        assert_eq!(reply.kind, "application/problem+json", "{reply:?}");
        assert_eq!(reply.body["status"], reply.status.as_u16());
        assert!(reply.body["title"].is_string() && reply.body["detail"].is_string());
        format!("{} {}", reply.status.as_u16(), reply.problem())
    });
    assert_eq!(
        seen,
        [
            "404 no-such-route",
            "405 method-not-allowed",
            "400 bad-request",
            "400 bad-request",
            "400 bad-request"
        ]
    );
}

#[tokio::test]
async fn check_48_a_broken_database_is_an_internal_error_and_nothing_more() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;
    let token = node.sign_in("ana").await;
    assert_eq!(node.get("/readyz", &token).await.status, StatusCode::OK);

    hall.break_with("alter table meta rename to lost_meta").await;
    hall.break_with("alter table user_account rename column name to lost_name").await;
    let ready = node.get("/readyz", &token).await;
    let broken = node.get("/api/users", &token).await;

    assert_eq!((ready.status.as_u16(), ready.problem()), (503, "not-ready"));
    assert_eq!(
        broken.body,
        json!({"type": "urn:doorstep:internal", "title": "Internal error", "status": 500, "detail": "internal error"})
    );
    assert_eq!(node.get("/healthz", &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn check_28_long_bodies_are_refused_as_sent_and_as_unpacked() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let login = |length: usize| json!({"login": "x".repeat(length), "password": PASSWORD});

    let short = node.post("/api/session", None, &login(1000)).await;
    let long = node.post("/api/session", None, &login(2 << 20)).await;
    let packed_short = gzip(&serde_json::to_vec(&login(1000)).unwrap());
    let packed_short = reply(packed(&node, packed_short)).await;
    let bomb = gzip(&serde_json::to_vec(&login(64 << 20)).unwrap());
    let bomb_bytes = bomb.len();
    let bomb = reply(packed(&node, bomb)).await;
    let rubbish = reply(packed(&node, b"this is no gzip".to_vec())).await;

    assert_eq!(short.problem(), "wrong-credentials");
    assert_eq!(packed_short.problem(), "wrong-credentials", "{packed_short:?}");
    assert_eq!((long.status.as_u16(), long.problem()), (413, "too-large"));
    assert!(bomb_bytes < 100_000, "{bomb_bytes}");
    assert_eq!((bomb.status.as_u16(), bomb.problem()), (413, "too-large"));
    assert_eq!(rubbish.problem(), "bad-request", "{rubbish:?}");
}

#[tokio::test]
async fn check_28_too_many_headers_are_refused() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let address = node.base.strip_prefix("http://").unwrap();
    let headers = "x-one: y\r\n".repeat(200);

    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();

    assert_eq!(&answer, b"HTTP/1.1 431");
}

#[tokio::test]
async fn check_35_another_site_cannot_write_through_somebodys_browser() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let body = json!({"login": "ana", "password": PASSWORD});
    let own = node.base.clone();

    let foreign = post(&node, "/api/session").header("origin", "https://evil.example").json(&body);
    let flagged = post(&node, "/api/session").header("sec-fetch-site", "cross-site").json(&body);
    let same = post(&node, "/api/session").header("origin", own).json(&body);
    let url = format!("{}/api/session", node.base);
    let form = reqwest::Client::new().post(url).header("content-type", "text/plain").body("{}");
    let read = reqwest::Client::new()
        .get(format!("{}/healthz", node.base))
        .header("origin", "https://evil.example");

    assert_eq!(reply(foreign).await.problem(), "cross-site");
    assert_eq!(reply(flagged).await.problem(), "cross-site");
    assert_eq!(reply(same).await.problem(), "wrong-credentials");
    let form = reply(form).await;
    assert_eq!((form.status.as_u16(), form.problem()), (415, "wrong-content-type"));
    let read = read.send().await.unwrap();
    assert!(read.headers().get("access-control-allow-origin").is_none());
    assert_eq!(read.headers()["cache-control"], "no-store");
    assert_eq!(read.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn only_a_manual_clock_can_be_set() {
    let hall = Hall::new().await;
    let mut config = hall.config.clone();
    config.clock = Clock::System;
    let (played, real) = (hall.node().await, hall.node_with(config).await);
    let noon = json!({"now_ms": 1_772_424_000_000_i64});

    let set = played.post("/api/clock", None, &noon).await;
    let refused = real.post("/api/clock", None, &noon).await;

    assert_eq!(set.body, json!({"now": 1_772_424_000_000_i64, "manual": true}));
    assert_eq!(hall.config.clock.now_ms(), 1_772_424_000_000);
    assert_eq!(refused.problem(), "method-not-allowed");
}

fn post(node: &Node, path: &str) -> reqwest::RequestBuilder {
    let url = format!("{}{path}", node.base);
    reqwest::Client::new().post(url).header("content-type", "application/json")
}

fn packed(node: &Node, body: Vec<u8>) -> reqwest::RequestBuilder {
    post(node, "/api/session").header("content-encoding", "gzip").body(body)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).expect("memory takes every write");
    encoder.finish().expect("memory takes every write")
}
