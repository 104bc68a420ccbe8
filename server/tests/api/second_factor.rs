//! A second factor of people at desks: setting it up, codes at the door, and the day the authenticator is lost.

use reqwest::Method;
use serde_json::{Value, json};
use server::config::Config;
use server::identity::Role;
use server::identity::second_factor::RECOVERY_CODES;
use totp_rs::{Builder, Secret, Totp};

use crate::hall::{Hall, Node, PASSWORD, Reply, text};

/// An authenticator on somebody's phone.
struct Authenticator(Totp);

#[tokio::test]
async fn check_6_signing_in_asks_for_a_code_and_each_counts_once() {
    let hall = Hall::new().await;
    hall.person("dora", Role::Dispatcher).await;
    let node = hall.node().await;
    let (here, other) = (node.sign_in("dora").await, node.sign_in("dora").await);
    let phone = begin(&node, &here).await;
    assert_eq!(sign_in(&node, None).await.status, 200, "begun and not confirmed asks for nothing");

    let wrong = confirm(&node, &here, "000000").await;
    assert_eq!((wrong.status.as_u16(), wrong.problem()), (422, "unprocessable"));
    let codes = confirm(&node, &here, &phone.shows(&hall)).await.body["recovery_codes"].clone();

    assert_eq!(codes.as_array().unwrap().len(), RECOVERY_CODES);
    assert_eq!(node.get("/api/me", &here).await.status, 200);
    assert_eq!(node.get("/api/me", &other).await.status, 401, "other sessions are over");
    let stands = node.get("/api/me/second-factor", &here).await.body;
    assert_eq!(stands["since"], json!(hall.config.clock.now_ms()));
    assert_eq!((&stands["is_required"], &stands["recovery_codes"]), (&json!(false), &json!(8)));
    let bare = sign_in(&node, None).await;
    assert_eq!((bare.status.as_u16(), bare.problem()), (401, "second-factor-needed"));
    let used = sign_in(&node, Some(&phone.shows(&hall))).await;
    assert_eq!((used.status.as_u16(), used.problem()), (401, "second-factor-wrong"));
    hall.wait_minutes(1);
    let code = phone.shows(&hall);
    assert_eq!(sign_in(&node, Some(&code)).await.status, 200);
    assert_eq!(sign_in(&node, Some(&code)).await.problem(), "second-factor-wrong");
}

#[tokio::test]
async fn check_6_a_wrong_password_tells_nothing_of_a_second_factor_and_guessing_codes_is_slow() {
    let hall = Hall::new().await;
    hall.person("dora", Role::Dispatcher).await;
    let node = hall.node().await;
    set_up(&hall, &node).await;

    let guess = json!({"login": "dora", "password": "not this one", "code": "000000"});
    let wrong = node.post("/api/session", None, &guess).await;
    let mut tries = 1;
    let slowed = loop {
        let guessed = sign_in(&node, Some("000000")).await;
        tries += 1;
        if guessed.status != 401 {
            break guessed;
        }
    };

    assert_eq!(wrong.problem(), "wrong-credentials");
    assert_eq!((slowed.problem(), tries), ("too-many-tries", 11));
}

#[tokio::test]
async fn check_6_who_lost_the_authenticator_comes_in_with_a_code_from_paper_or_is_let_in_by_who_knows_them()
 {
    let hall = Hall::new().await;
    let dora = hall.person("dora", Role::Dispatcher).await;
    for (login, role) in [("hal", Role::Hall), ("mara", Role::Manager)] {
        hall.person(login, role).await;
    }
    let node = hall.node().await;
    let (_, codes) = set_up(&hall, &node).await;
    let paper = codes[3].as_str().unwrap().to_uppercase();

    let by_paper = sign_in(&node, Some(&format!("{} {}", &paper[..6], &paper[6..]))).await;
    let again = sign_in(&node, Some(&paper)).await;
    let token = text(&by_paper.body["token"]);
    let left = node.get("/api/me/second-factor", &token).await.body["recovery_codes"].clone();
    let path = format!("/api/users/{dora}/second-factor");
    let [colleague, manager] = [node.sign_in("hal").await, node.sign_in("mara").await];
    let refused = node.send(Method::DELETE, &path, Some(&colleague), None).await;
    let reset = node.send(Method::DELETE, &path, Some(&manager), None).await;

    assert_eq!((by_paper.status.as_u16(), again.problem()), (200, "second-factor-wrong"));
    assert_eq!((left, refused.status.as_u16(), reset.status.as_u16()), (json!(7), 403, 204));
    assert_eq!(node.get("/api/me", &token).await.status, 401, "their sessions are over");
    assert_eq!(sign_in(&node, None).await.status, 200);
    let told = node.get("/api/audit?limit=500", &manager).await.body;
    let what: Vec<&str> =
        told["entries"].as_array().unwrap().iter().filter_map(|it| it["what"].as_str()).collect();
    for known in ["factor_set", "recovery_used", "factor_reset"] {
        assert!(what.contains(&known), "{known}: {what:?}");
    }
}

#[tokio::test]
async fn check_6_a_role_that_has_to_have_one_does_nothing_before_and_does_not_give_it_up() {
    let hall = Hall::new().await;
    for (login, role) in [("dora", Role::Dispatcher), ("hal", Role::Hall), ("mara", Role::Manager)]
    {
        hall.person(login, role).await;
    }
    let roles = vec![Role::Dispatcher, Role::Manager];
    let node = hall.node_with(Config { second_factor_roles: roles, ..hall.config.clone() }).await;
    let token = text(&sign_in(&node, None).await.body["token"]);

    let refused = node.get("/api/jobs", &token).await;
    let me = node.get("/api/me", &token).await.body;
    let phone = begin(&node, &token).await;
    confirm(&node, &token, &phone.shows(&hall)).await;

    assert_eq!((refused.status.as_u16(), refused.problem()), (403, "second-factor-unset"));
    assert_eq!(me["lacks_second_factor"], true);
    assert_eq!(node.get("/api/jobs", &token).await.status, 200, "the same session goes on");
    let given_up = node.send(Method::DELETE, "/api/me/second-factor", Some(&token), None).await;
    assert_eq!(given_up.problem(), "second-factor-state");
    let begun = node.post("/api/me/second-factor", Some(&token), &Value::Null).await;
    assert_eq!(begun.problem(), "second-factor-state", "one that stands is not overwritten");
    let free = node.sign_in("hal").await;
    assert_eq!(node.get("/api/jobs", &free).await.status, 200);
    assert_eq!(node.get("/api/me", &free).await.body["lacks_second_factor"], false);
}

#[tokio::test]
async fn check_6_a_second_factor_is_given_up_with_the_password_alone_after_it() {
    let hall = Hall::new().await;
    hall.person("dora", Role::Dispatcher).await;
    let node = hall.node().await;
    let (token, _) = set_up(&hall, &node).await;
    let give_up = || node.send(Method::DELETE, "/api/me/second-factor", Some(&token), None);

    hall.wait_minutes(6);
    let late = give_up().await;
    let given = node.post("/api/session/proof", Some(&token), &json!({"password": PASSWORD})).await;
    let token = text(&given.body["token"]);
    let removed = node.send(Method::DELETE, "/api/me/second-factor", Some(&token), None).await;

    assert_eq!((late.problem(), removed.status.as_u16()), ("password-needed", 204));
    assert_eq!(sign_in(&node, None).await.status, 200);
}

async fn sign_in(node: &Node, code: Option<&str>) -> Reply {
    let mut body = json!({"login": "dora", "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    node.post("/api/session", None, &body).await
}

async fn begin(node: &Node, token: &str) -> Authenticator {
    let begun = node.post("/api/me/second-factor", Some(token), &Value::Null).await;
    let secret = text(&begun.body["secret"]);
    assert!(text(&begun.body["uri"]).contains(&format!("secret={secret}")), "{begun:?}");
    let secret = Secret::try_from_base32(secret).expect("it is base32");
    Authenticator(Builder::new().with_secret(secret).build().expect("a long secret"))
}

async fn confirm(node: &Node, token: &str, code: &str) -> Reply {
    node.post("/api/me/second-factor/confirm", Some(token), &json!({"code": code})).await
}

/// The dispatcher's session with a second factor that is on, and the codes on paper.
async fn set_up(hall: &Hall, node: &Node) -> (String, Vec<Value>) {
    let token = node.sign_in("dora").await;
    let phone = begin(node, &token).await;
    let confirmed = confirm(node, &token, &phone.shows(hall)).await;
    (token, confirmed.body["recovery_codes"].as_array().expect("eight codes").clone())
}

impl Authenticator {
    /// The six digits of now.
    fn shows(&self, hall: &Hall) -> String {
        let seconds = u64::try_from(hall.config.clock.now_ms() / 1_000).expect("after 1970");
        self.0.generate(seconds).to_string()
    }
}
