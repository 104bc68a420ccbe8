//! Guessing passwords: slow, and as slow for nobody's log-in.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use server::db::users;
use server::identity::Role;

use crate::hall::{Hall, Node, PASSWORD};

#[tokio::test]
async fn check_1_a_weak_hash_is_replaced_when_its_owner_signs_in() {
    let hall = Hall::new().await;
    let params = Params::new(64, 1, 1, None).unwrap();
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let weak = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let ana = hall.person_with_hash("ana", Role::Dispatcher, weak).await;
    let node = hall.node().await;

    node.sign_in("ana").await;

    let row = users::find_user(hall.db.read().await.unwrap().c(), ana).await.unwrap().unwrap();
    let hash = row.password_hash.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    node.sign_in("ana").await;
}

#[tokio::test]
async fn check_9_twenty_guesses_are_slowed_down_across_nodes_and_restarts() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let (one, two) = (hall.node().await, hall.node().await);

    let mut looked_at = 0;
    for guess in 0..20 {
        let node = if guess % 2 == 0 { &one } else { &two };
        let reply = node.try_sign_in("ana", &format!("a guess number {guess}")).await;
        looked_at += i32::from(reply.problem() == "wrong-credentials");
    }
    drop((one, two));
    let restarted = hall.node().await;
    let refused = restarted.try_sign_in("ana", PASSWORD).await;

    assert_eq!(looked_at, 10);
    assert_eq!((refused.status.as_u16(), refused.problem()), (429, "too-many-tries"));
    assert_eq!(refused.retry_after, Some(901));
    hall.wait_minutes(15);
    assert_eq!(restarted.try_sign_in("ana", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn check_9_one_address_cannot_try_one_password_on_everybody() {
    let hall = Hall::new().await;
    let mut config = hall.config.clone();
    config.login_tries_per_address = 3;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node_with(config).await;

    node.sign_in("ana").await;
    for login in ["ben", "cat", "dan"] {
        assert_eq!(node.try_sign_in(login, PASSWORD).await.problem(), "wrong-credentials");
    }

    assert_eq!(node.try_sign_in("ana", PASSWORD).await.problem(), "too-many-tries");
}

#[tokio::test]
async fn check_10_nobodys_log_in_gets_the_same_answer_after_the_same_time() {
    let hall = Hall::new().await;
    let mut config = hall.config.clone();
    config.login_tries_per_account = 1000;
    hall.person("ana", Role::Dispatcher).await;
    let node = hall.node_with(config).await;

    let known = node.try_sign_in("ana", "not my password").await;
    let unknown = node.try_sign_in("nobody", "not my password").await;
    // The quickest of many is free of what else the machine does; without the hash for nobody
    // the unknown log-in would be answered ten times sooner, however often it is tried.
    let (mut quickest_known, mut quickest_unknown) = (Duration::MAX, Duration::MAX);
    let mut is_equal = false;
    for _ in 0..60 {
        quickest_known = quickest_known.min(time_of(&node, "ana").await);
        quickest_unknown = quickest_unknown.min(time_of(&node, "nobody").await);
        let ratio = quickest_known.as_secs_f64() / quickest_unknown.as_secs_f64();
        is_equal = (0.83..1.2).contains(&ratio);
        if is_equal {
            break;
        }
    }

    assert_eq!(known, unknown);
    assert_eq!(known.problem(), "wrong-credentials");
    assert!(is_equal, "{quickest_known:?} against {quickest_unknown:?}");
}

#[expect(clippy::disallowed_methods, reason = "how long an answer takes is what is tested")]
async fn time_of(node: &Node, login: &str) -> Duration {
    let begun = Instant::now();
    node.try_sign_in(login, "not my password").await;
    begun.elapsed()
}
