//! Sessions: how they begin, how long they live, how they end.

use domain::id::UserId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::db::users;
use server::identity::Role;
use server::identity::token::TokenHash;

use crate::hall::{Hall, PASSWORD};

#[tokio::test]
async fn a_dispatcher_signs_in_and_out() {
    let hall = Hall::new().await;
    let ana = hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;

    let token = node.sign_in(" Ana ").await;
    let me = node.get("/api/me", &token).await;
    let out = node.send(Method::DELETE, "/api/session", Some(&token), None).await;
    let after = node.get("/api/me", &token).await;

    assert_eq!(
        me.body,
        json!({"id": ana, "login": "ana", "name": "ANA", "role": "dispatcher", "hall": hall.id, "hall_name": "城东营业厅", "utc_offset_minutes": 480, "device": null,
            "lacks_second_factor": false})
    );
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!((after.status.as_u16(), after.problem()), (401, "not-signed-in"));
}

#[tokio::test]
async fn a_technician_needs_a_phone() {
    let hall = Hall::new().await;
    hall.person("tom", Role::Technician).await;
    let node = hall.node().await;

    let reply = node.try_sign_in("tom", PASSWORD).await;

    assert_eq!((reply.status.as_u16(), reply.problem()), (403, "phone-needed"));
}

#[tokio::test]
async fn check_11_only_the_hash_of_a_token_is_stored() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;

    let token = node.sign_in("ana").await;

    let mut conn = hall.db.read().await.unwrap();
    let stored: Vec<u8> = conn.c().q("select token_hash from session").scalar().await.unwrap();
    assert_eq!(stored, TokenHash::of(&token).0);
    let files = hall.files();
    assert!(!files.windows(token.len()).any(|window| window == token.as_bytes()));
}

#[tokio::test]
async fn check_12_signing_in_again_gives_another_token_and_ends_the_one_that_was_sent() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;
    let first = node.sign_in("ana").await;

    let body = json!({"login": "ana", "password": PASSWORD});
    let second = node.post("/api/session", Some(&first), &body).await;

    let second = second.body["token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(node.get("/api/me", &first).await.status, 401);
    assert_eq!(node.get("/api/me", &second).await.status, 200);
}

#[tokio::test]
async fn check_13_sessions_end_idle_and_absolutely_by_role() {
    for (role, idle_minutes, absolute_hours) in [
        (Role::Dispatcher, 30, 12),
        (Role::Hall, 30, 12),
        (Role::Manager, 15, 8),
        (Role::Admin, 15, 8),
    ] {
        let hall = Hall::new().await;
        hall.person("ana", role).await;
        let node = hall.node().await;

        let idle = node.sign_in("ana").await;
        hall.wait_minutes(idle_minutes - 1);
        assert_eq!(node.get("/api/me", &idle).await.status, 200, "{role} is not idle yet");
        hall.wait_minutes(idle_minutes);
        assert_eq!(node.get("/api/me", &idle).await.status, 401, "{role} was idle");

        let busy = node.sign_in("ana").await;
        let step = idle_minutes - 1;
        let steps = absolute_hours * 60 / step;
        for _ in 0..steps {
            hall.wait_minutes(step);
            assert_eq!(node.get("/api/me", &busy).await.status, 200, "{role} is at work");
        }
        hall.wait_minutes(step);
        assert_eq!(node.get("/api/me", &busy).await.status, 401, "{role} worked too long");
    }
}

#[tokio::test]
async fn check_14_a_log_out_counts_on_every_node_at_once() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let (one, two) = (hall.node().await, hall.node().await);
    let token = one.sign_in("ana").await;
    assert_eq!(two.get("/api/me", &token).await.status, 200);

    one.send(Method::DELETE, "/api/session", Some(&token), None).await;

    assert_eq!(two.get("/api/me", &token).await.status, 401);
}

#[tokio::test]
async fn check_14_who_is_shut_out_is_out_on_every_node_at_once() {
    let hall = Hall::new().await;
    let ana = hall.person("ana", Role::Dispatcher).await;
    hall.person("max", Role::Manager).await;
    let (one, two) = (hall.node().await, hall.node().await);
    let tokens = [one.sign_in("ana").await, two.sign_in("ana").await];
    let manager = one.sign_in("max").await;

    let disabled = disable(&one, &manager, ana).await;

    assert_eq!(disabled, 204);
    for token in tokens {
        assert_eq!(one.get("/api/me", &token).await.status, 401);
        assert_eq!(two.get("/api/me", &token).await.status, 401);
    }
    assert_eq!(two.try_sign_in("ana", PASSWORD).await.problem(), "wrong-credentials");
}

#[tokio::test]
async fn check_4_another_password_needs_the_current_one_and_ends_other_sessions() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;
    let (here, elsewhere) = (node.sign_in("ana").await, node.sign_in("ana").await);
    let new = "a lantern under the stairs";
    let change = |current: &str| json!({"current": current, "new": new});

    let guessed = node.post("/api/me/password", Some(&here), &change("not my password")).await;
    let changed = node.post("/api/me/password", Some(&here), &change(PASSWORD)).await;

    assert_eq!((guessed.status.as_u16(), guessed.problem()), (401, "wrong-credentials"));
    assert_eq!(changed.status, 204);
    assert_eq!(node.get("/api/me", &here).await.status, 200);
    assert_eq!(node.get("/api/me", &elsewhere).await.status, 401);
    assert_eq!(node.try_sign_in("ana", PASSWORD).await.status, 401);
    assert_eq!(node.try_sign_in("ana", new).await.status, 200);
}

#[tokio::test]
async fn people_are_added_by_who_may_and_only_with_a_password_that_may_be_chosen() {
    let hall = Hall::new().await;
    hall.person("max", Role::Manager).await;
    let node = hall.node().await;
    let manager = node.sign_in("max").await;
    let user = |login: &str, role: &str, password: &str| json!({"login": login, "name": "N", "role": role, "password": password});

    let mut problems = Vec::new();
    for body in [
        user("Tom", "technician", PASSWORD),
        user("tom", "technician", PASSWORD),
        user("eve", "admin", PASSWORD),
        user("eve", "hall", "too short"),
        user("e v e", "hall", PASSWORD),
        user("eve", "queen", PASSWORD),
    ] {
        let reply = node.post("/api/users", Some(&manager), &body).await;
        problems.push(format!("{} {}", reply.status.as_u16(), reply.problem()));
    }

    assert_eq!(
        problems,
        [
            "201 no problem",
            "409 login-taken",
            "403 role-above",
            "422 password",
            "422 unprocessable",
            "400 bad-request"
        ]
    );
    let listed = node.get("/api/users", &manager).await.body;
    let logins: Vec<_> =
        listed["users"].as_array().unwrap().iter().map(|user| &user["login"]).collect();
    assert_eq!(logins, ["max", "tom"]);
    assert!(!listed.to_string().contains("argon2"), "hashes stay here");
}

#[tokio::test]
async fn check_20_people_of_another_hall_do_not_exist() {
    let (hall, stranger) = (Hall::new().await, UserId(uuid::Uuid::from_u128(7)));
    let other = domain::id::HallId(uuid::Uuid::from_u128(9));
    let mut tx = hall.db.begin().await.unwrap();
    server::db::halls::upsert_hall(tx.c(), other, "城西营业厅", 480).await.unwrap();
    let row = users::UserRow {
        user_id: stranger.0,
        hall_id: other.0,
        login: "stranger".to_owned(),
        name: "S".to_owned(),
        role: "technician".to_owned(),
        password_hash: None,
        created_at: 0,
        disabled_at: None,
    };
    users::insert_user(tx.c(), &row).await.unwrap();
    tx.commit().await.unwrap();
    hall.person("max", Role::Admin).await;
    let node = hall.node().await;
    let admin = node.sign_in("max").await;

    let listed = node.get("/api/users", &admin).await.body;
    let disabled = disable(&node, &admin, stranger).await;
    let path = format!("/api/users/{stranger}/enrolment-code");
    let code = node.post(&path, Some(&admin), &Value::Null).await;

    assert!(!listed.to_string().contains("stranger"));
    assert_eq!((disabled, code.status.as_u16()), (404, 404));
}

async fn disable(node: &crate::hall::Node, token: &str, user: UserId) -> u16 {
    let path = format!("/api/users/{user}/disable");
    node.post(&path, Some(token), &Value::Null).await.status.as_u16()
}

#[tokio::test]
async fn check_17_a_browser_gets_its_token_as_a_cookie_that_no_script_reads() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node().await;
    let http = reqwest::Client::new();
    let asked = json!({"login": "ana", "password": PASSWORD, "as_cookie": true});

    let reply = http.post(format!("{}/api/session", node.base)).json(&asked).send().await.unwrap();
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    let body: Value = reply.json().await.unwrap();
    let pair = cookie.split(';').next().unwrap();
    let with = |path: &str, method: Method| {
        http.request(method, format!("{}{path}", node.base))
            .header("cookie", format!("a=b; {pair}"))
    };
    let me = with("/api/me", Method::GET).send().await.unwrap().status();
    let elsewhere = with("/api/session", Method::DELETE).header("origin", "https://evil.example");
    let elsewhere = elsewhere.send().await.unwrap().status();
    let wrong = with("/api/me", Method::GET).header("authorization", "Bearer nobody");
    let wrong = wrong.send().await.unwrap().status();
    let out = with("/api/session", Method::DELETE).send().await.unwrap();
    let removed = out.headers()["set-cookie"].to_str().unwrap().to_owned();
    let after = with("/api/me", Method::GET).send().await.unwrap().status();

    assert!(pair.starts_with("__Host-doorstep="), "{cookie}");
    for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age="] {
        assert!(cookie.contains(word), "{cookie} lacks {word}");
    }
    assert_eq!(body["token"], Value::Null);
    assert_eq!((me.as_u16(), elsewhere.as_u16()), (200, 403));
    assert_eq!(wrong.as_u16(), 401, "a token that is sent is the one that counts");
    assert!(removed.contains("Max-Age=0"));
    assert_eq!((out.status().as_u16(), after.as_u16()), (204, 401));
}
