//! The password again before acts of weight, and one's own sessions.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use server::config::Config;
use server::identity::Role;

use crate::audit::sealed;
use crate::counter::Counter;
use crate::hall::{Hall, Node, PASSWORD, text};

/// What asks for the password again: files that leave, shutting out, letting in, other people's accounts.
const GUARDED: &[(&str, &str)] = &[
    ("GET", "/api/session/proof"),
    ("POST", "/api/me/second-factor"),
    ("DELETE", "/api/me/second-factor"),
    ("DELETE", "/api/users/{id}/second-factor"),
    ("GET", "/api/exports/{table}"),
    ("GET", "/api/exports/figures/{figure}"),
    ("GET", "/api/exports/figures/{figure}/behind"),
    ("GET", "/api/exports/lists/{list}"),
    ("GET", "/api/map/jobs"),
    ("GET", "/api/technicians/{id}/calendar"),
    ("GET", "/api/outages/{id}/record"),
    ("GET", "/api/cash/file"),
    ("GET", "/api/due/file"),
    ("GET", "/api/audit/export"),
    ("GET", "/api/households/{id}/file"),
    ("POST", "/api/households/{id}/erasure"),
    ("POST", "/api/users"),
    ("PUT", "/api/users/{id}"),
    ("POST", "/api/users/{id}/disable"),
    ("POST", "/api/users/{id}/enable"),
    ("POST", "/api/users/{id}/password"),
    ("POST", "/api/users/{id}/enrolment-code"),
    ("POST", "/api/devices/{id}/revoke"),
    ("POST", "/api/quarantine/{hash}/release"),
    ("POST", "/api/webhooks"),
];

#[tokio::test]
async fn check_16_acts_of_weight_ask_for_the_password_again_and_nothing_else_does() {
    let hall = Hall::new().await;
    hall.person("ada", Role::Admin).await;
    let node = hall.node().await;
    let token = node.sign_in("ada").await;
    let document = node.get("/api/openapi.json", &token).await.body;
    hall.wait_minutes(6);

    let mut asking = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            // A stream has no end, and a session that is over cannot be asked of.
            if ["/api/live", "/api/session", "/api/clock"].contains(&path.as_str()) {
                continue;
            }
            let asked = path.replace("{id}", "00000000-0000-0000-0000-000000000001");
            let asked = asked.replace("{delivery}", "00000000-0000-0000-0000-000000000001");
            let asked = asked.replace("{table}", "jobs").replace("{figure}", "arrivals");
            let asked = asked.replace("{list}", "open_promises").replace("{hash}", "00");
            let verb: Method = method.parse().unwrap();
            let body = (verb != Method::GET).then(|| json!({}));
            let reply = node.send(verb, &asked, Some(&token), body.as_ref()).await;
            let is_asked = reply.problem() == "password-needed";
            assert_eq!(
                is_asked,
                operation["x-password-again"] == true,
                "{method} {path}: {reply:?}"
            );
            if is_asked {
                assert_eq!(reply.status, 403);
                assert!(text(&reply.body["detail"]).contains("POST /api/session/proof"));
                asking.insert((method, path.clone()));
            }
        }
    }

    let known = GUARDED.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(asking, known.collect());
}

#[tokio::test]
async fn check_16_a_password_given_again_counts_for_some_minutes_under_another_token() {
    let counter = Counter::open().await;
    let (hall, node, first) = (&counter.hall, &counter.node, counter.manager.clone());
    let tom = hall.person("tom", Role::Technician).await;
    let code = format!("/api/users/{tom}/enrolment-code");

    hall.wait_minutes(4);
    assert_eq!(node.post(&code, Some(&first), &Value::Null).await.status, 201, "just signed in");
    hall.wait_minutes(1);
    assert_eq!(node.post(&code, Some(&first), &Value::Null).await.problem(), "password-needed");
    let wrong = give(node, &first, "not this one").await;
    assert_eq!((wrong.status.as_u16(), wrong.problem()), (401, "wrong-credentials"));
    let given = give(node, &first, PASSWORD).await;
    let second = text(&given.body["token"]);

    assert_eq!(node.get("/api/me", &first).await.status, 401, "the old token is dead");
    assert_eq!(node.post(&code, Some(&second), &Value::Null).await.status, 201);
    let until = node.get("/api/session/proof", &second).await.body["until"].as_i64();
    assert_eq!(until, Some(hall.config.clock.now_ms() + 300_000));
    hall.wait_minutes(5);
    assert_eq!(node.post(&code, Some(&second), &Value::Null).await.problem(), "password-needed");
    assert_eq!(sealed(&counter, "/api/audit?what=password_given", &second, 1).await.len(), 1);
    // Noted after both refusals, so those would be there by now.
    sealed(&counter, "/api/audit?what=sign_in_failed", &second, 1).await;
    let refused = node.get("/api/audit?what=refused", &second).await.body;
    assert_eq!(refused["entries"], json!([]), "who is asked again is not refused");
    hall.wait_minutes(14);
    let third = text(&give(node, &second, PASSWORD).await.body["token"]);
    for _ in 0..34 {
        hall.wait_minutes(14);
        node.get("/api/me", &third).await;
    }
    assert_eq!(node.get("/api/me", &third).await.status, 401, "it ends when the first would have");
}

#[tokio::test]
async fn check_16_a_browser_gets_the_new_token_as_a_cookie() {
    let hall = Hall::new().await;
    hall.person("mara", Role::Manager).await;
    let node = hall.node_with(Config { password_again_s: 60, ..hall.config.clone() }).await;
    let http = reqwest::Client::new();
    let cookie_of = |reply: &reqwest::Response| {
        let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
        cookie.split(';').next().unwrap().to_owned()
    };
    let asked = json!({"login": "mara", "password": PASSWORD, "as_cookie": true});
    let reply = http.post(format!("{}/api/session", node.base)).json(&asked).send().await.unwrap();
    let first = cookie_of(&reply);
    hall.wait_minutes(1);
    let proof = format!("{}/api/session/proof", node.base);
    let status = |cookie: String| {
        let sent = http.get(&proof).header("cookie", cookie).send();
        async move { sent.await.unwrap().status().as_u16() }
    };
    assert_eq!(status(first.clone()).await, 403);

    let given = http.post(&proof).header("cookie", &first).json(&json!({"password": PASSWORD}));
    let given = given.send().await.unwrap();
    let second = cookie_of(&given);
    let body: Value = given.json().await.unwrap();

    assert_eq!(body["token"], Value::Null);
    assert_eq!((status(first).await, status(second).await), (401, 200));
}

#[tokio::test]
async fn check_16_guessing_in_an_open_session_is_slowed_down_as_at_the_door() {
    let hall = Hall::new().await;
    hall.person("mara", Role::Manager).await;
    let node = hall.node().await;
    let token = node.sign_in("mara").await;

    let mut kinds = BTreeSet::new();
    for guess in 0..12 {
        let reply = give(&node, &token, &format!("guess number {guess}")).await;
        kinds.insert(reply.problem().to_owned());
    }

    assert_eq!(kinds, ["too-many-tries", "wrong-credentials"].map(str::to_owned).into());
    assert_eq!(node.try_sign_in("mara", PASSWORD).await.problem(), "too-many-tries");
}

#[tokio::test]
async fn check_16_a_phone_reads_its_own_calendar_without_a_password() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    counter.hall.wait_minutes(60);

    let days = "from=2026-03-01&to=2026-03-04";
    let path = format!("/api/technicians/{}/calendar?{days}", ana.user);
    assert_eq!(counter.node.get(&path, &ana.token).await.status, 200);
}

#[tokio::test]
async fn check_15_people_at_desks_see_their_sessions_and_end_one_or_all_others() {
    let hall = Hall::new().await;
    let mara = hall.person("mara", Role::Manager).await;
    hall.person("nora", Role::Manager).await;
    let node = hall.node().await;
    let others = node.sign_in("nora").await;
    let here = node.sign_in("mara").await;
    let elsewhere = sign_in_as(&node, "mara", "Firefox on the counter's PC").await;
    let third = node.sign_in("mara").await;

    let listed = node.get("/api/me/sessions", &here).await.body;
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|it| it["is_this"] == true).count(), 1);
    assert!(sessions.iter().all(|it| it["address"] == "127.0.0.1"), "{listed}");
    let agent = json!("Firefox on the counter's PC");
    let found = sessions.iter().find(|it| it["agent"] == agent).expect("the other browser");
    for token in [&here, &elsewhere, &third] {
        let hash = server::identity::token::TokenHash::of(token);
        let (hash, token) = (server::identity::token::hex(&hash.0), token.as_str());
        assert!(!listed.to_string().contains(&hash) && !listed.to_string().contains(token));
    }

    let path = format!("/api/me/sessions/{}", text(&found["id"]));
    let foreign = node.send(Method::DELETE, &path, Some(&others), None).await;
    assert_eq!(foreign.problem(), "not-found", "nobody ends another's");
    assert_eq!(node.send(Method::DELETE, &path, Some(&here), None).await.status, 204);
    assert_eq!(node.get("/api/me", &elsewhere).await.status, 401);
    assert_eq!(node.get("/api/me", &third).await.status, 200);
    let ended = node.send(Method::DELETE, "/api/me/sessions", Some(&here), None).await;
    assert_eq!(ended.body, json!({"sessions": 1}));
    assert_eq!(node.get("/api/me", &third).await.status, 401);
    assert_eq!(node.get("/api/me", &others).await.status, 200);
    let left = node.get("/api/me/sessions", &here).await.body;
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);
    let path = format!("/api/audit?what=sessions_ended&subject={mara}");
    let entries = node.get(&path, &here).await.body;
    assert_eq!(entries["entries"].as_array().unwrap().len(), 2);
    hall.wait_minutes(15);
    let later = node.sign_in("mara").await;
    let shown = node.get("/api/me/sessions", &later).await.body;
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 1, "what lay idle is over");
}

async fn give(node: &Node, token: &str, password: &str) -> crate::hall::Reply {
    node.post("/api/session/proof", Some(token), &json!({"password": password})).await
}

async fn sign_in_as(node: &Node, login: &str, agent: &str) -> String {
    let body = json!({"login": login, "password": PASSWORD});
    let sent = reqwest::Client::new().post(format!("{}/api/session", node.base)).json(&body);
    let reply = sent.header("user-agent", agent).send().await.expect("it works");
    text(&reply.json::<Value>().await.expect("it works")["token"])
}
