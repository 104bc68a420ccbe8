//! Phones: enrolled with a one-time code, shut out without losing what they hold.

use mobile_core::link::LinkError;
use mobile_core::phone::{SyncEnd, SyncError};
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::Counter;
use crate::hall::{Hall, PASSWORD, text};

#[tokio::test]
async fn a_technician_enrols_a_phone_and_stays_signed_in_for_thirty_days() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let tom = hall.person("tom", Role::Technician).await;
    let node = hall.node().await;
    let dispatcher = node.sign_in("ana").await;

    let (token, device) = node.enrol(&dispatcher, "tom", tom).await;

    let me = node.get("/api/me", &token).await;
    assert_eq!(me.body["device"].as_str(), Some(device.as_str()));
    hall.wait_minutes(30 * 24 * 60 - 1);
    assert_eq!(node.get("/api/me", &token).await.status, 200);
    hall.wait_minutes(1);
    assert_eq!(node.get("/api/me", &token).await.status, 401);
}

#[tokio::test]
async fn check_8_a_code_works_once_for_ten_minutes_and_for_its_user_only() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let tom = hall.person("tom", Role::Technician).await;
    hall.person("tim", Role::Technician).await;
    let node = hall.node().await;
    let dispatcher = node.sign_in("ana").await;

    let code = node.code(&dispatcher, tom).await;
    assert_eq!(node.try_enrol("tim", &code).await.problem(), "wrong-code", "another's");
    assert_eq!(node.try_enrol("tom", &code).await.status, 201);
    assert_eq!(node.try_enrol("tom", &code).await.problem(), "wrong-code", "used");

    let late = node.code(&dispatcher, tom).await;
    hall.wait_minutes(10);
    assert_eq!(node.try_enrol("tom", &late).await.problem(), "wrong-code", "late");

    let dispatcher = node.sign_in("ana").await;
    let replaced = node.code(&dispatcher, tom).await;
    let newest = node.code(&dispatcher, tom).await;
    assert_eq!(node.try_enrol("tom", &replaced).await.problem(), "wrong-code", "replaced");
    assert_eq!(node.try_enrol("tom", &newest).await.status, 201);
}

#[tokio::test]
async fn check_8_five_wrong_codes_make_the_right_one_useless() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let tom = hall.person("tom", Role::Technician).await;
    let node = hall.node().await;
    let code = node.code(&node.sign_in("ana").await, tom).await;

    for guess in 0..5 {
        let reply = node.try_enrol("tom", &format!("{guess:010}")).await;
        assert_eq!(reply.problem(), "wrong-code");
    }

    assert_eq!(node.try_enrol("tom", &code).await.problem(), "wrong-code");
}

#[tokio::test]
async fn a_code_without_the_password_is_worth_nothing() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let tom = hall.person("tom", Role::Technician).await;
    let node = hall.node().await;
    let code = node.code(&node.sign_in("ana").await, tom).await;

    let body = serde_json::json!({"login": "tom", "password": "guessed it maybe", "code": code, "name": "x"});
    let guessed = node.post("/api/devices", None, &body).await;

    assert_eq!((guessed.status.as_u16(), guessed.problem()), (401, "wrong-credentials"));
    assert_eq!(node.try_enrol("tom", &code).await.status, 201, "the code is still good");
}

#[tokio::test]
async fn check_25_a_revoked_phone_is_shut_out_at_once() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let tom = hall.person("tom", Role::Technician).await;
    let node = hall.node().await;
    let dispatcher = node.sign_in("ana").await;
    let (token, device) = node.enrol(&dispatcher, "tom", tom).await;
    let (other, _) = node.enrol(&dispatcher, "tom", tom).await;

    let path = format!("/api/devices/{device}/revoke");
    let revoked = node.post(&path, Some(&dispatcher), &Value::Null).await;

    assert_eq!(revoked.status, 200);
    assert_eq!(node.get("/api/me", &token).await.problem(), "shut-out");
    assert_eq!(node.get("/api/me", &other).await.status, 200, "the other phone stays");
}

#[tokio::test]
async fn check_15_a_technician_sees_their_own_phones_and_the_hall_sees_all() {
    let hall = Hall::new().await;
    hall.person("ana", Role::Dispatcher).await;
    let tom = hall.person("tom", Role::Technician).await;
    let tim = hall.person("tim", Role::Technician).await;
    let node = hall.node().await;
    let dispatcher = node.sign_in("ana").await;
    let (token, device) = node.enrol(&dispatcher, "tom", tom).await;
    node.enrol(&dispatcher, "tim", tim).await;

    let own = node.get("/api/devices", &token).await.body;
    let all = node.get("/api/devices", &dispatcher).await.body;

    assert_eq!(own["devices"].as_array().unwrap().len(), 1);
    assert_eq!(own["devices"][0]["id"].as_str(), Some(device.as_str()));
    assert_eq!(all["devices"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_phones_of_somebody_shut_out_are_shut_out() {
    let hall = Hall::new().await;
    hall.person("max", Role::Manager).await;
    let tom = hall.person("tom", Role::Technician).await;
    let node = hall.node().await;
    let manager = node.sign_in("max").await;
    let (token, _) = node.enrol(&manager, "tom", tom).await;

    node.post(&format!("/api/users/{tom}/disable"), Some(&manager), &Value::Null).await;

    let reply = node.get("/api/me", &token).await;
    assert_eq!((reply.status.as_u16(), reply.problem()), (403, "shut-out"));
}

#[tokio::test]
async fn a_phone_whose_session_is_over_keeps_its_work_and_goes_on_with_a_new_code() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "三十一天前记的".to_owned()).await.unwrap();
    counter.wait_minutes(31 * 24 * 60, &[&ana]).await;

    let refused = ana.sync().await;
    assert_eq!(refused.end, SyncEnd::Stopped(SyncError::Link(LinkError::Refused(401))));
    assert_eq!(counter.job(job).await["job"]["visits"], json!({}));
    let code = counter.node.code(&counter.dispatcher, ana.user).await;
    let mut body = json!({"login": "ana", "password": PASSWORD, "code": code, "name": "phone",
        "device": ana.device});
    let again = counter.node.post("/api/devices", None, &body).await;
    assert_eq!((again.status.as_u16(), &again.body["device"]), (201, &json!(ana.device)));
    let before = std::mem::replace(&mut ana.token, text(&again.body["token"]));
    ana.synced().await;

    let visits = counter.job(job).await["job"]["visits"].as_object().unwrap().len();
    assert_eq!((visits, counter.quarantine().await.len()), (1, 0));
    assert_eq!(counter.node.get("/api/me", &before).await.status, 401);
    body["code"] = json!(counter.node.code(&counter.dispatcher, ana.user).await);
    let tom = counter.hire("tom").await;
    body["device"] = json!(tom.device);
    let foreign = counter.node.post("/api/devices", None, &body).await;
    assert_eq!(foreign.status, 404, "another's phone");
    body["device"] = json!(ana.device);
    let used = counter.node.post("/api/devices", None, &body).await;
    assert_eq!(used.status, 201, "the code was not used up");
}

#[tokio::test]
async fn check_51_a_phone_gets_its_keys_again_and_nobody_elses() {
    let counter = Counter::open().await;
    let (node, dispatcher) = (&counter.node, &counter.dispatcher);
    let ana = counter.hall.person("ana", Role::Technician).await;
    let tom = counter.hall.person("tom", Role::Technician).await;
    let first = node.try_enrol("ana", &node.code(dispatcher, ana).await).await.body;
    let other = node.try_enrol("tom", &node.code(dispatcher, tom).await).await.body;
    let code = node.code(dispatcher, ana).await;
    let body = json!({"login": "ana", "password": PASSWORD, "code": code, "name": "phone",
        "device": first["device"]});
    let again = node.post("/api/devices", None, &body).await.body;
    let (before, renewed) = (text(&first["token"]), text(&again["token"]));

    let lent = node.get("/api/devices/self/share", &renewed).await;
    let listed = node.get("/api/devices", dispatcher).await.body.to_string();

    let keys = |enrolled: &Value| (text(&enrolled["share"]), text(&enrolled["recovery"]));
    assert_eq!(keys(&first), keys(&again));
    assert_ne!(keys(&first), keys(&other));
    assert_ne!(keys(&first).0, keys(&first).1);
    assert_eq!(lent.body, json!({"share": keys(&first).0, "lease_days": 7}));
    for (share, recovery) in [keys(&first), keys(&other)] {
        assert_eq!(share.len(), 43, "32 bytes");
        assert!(!listed.contains(&share) && !listed.contains(&recovery));
    }
    assert_eq!(node.get("/api/devices/self/share", &before).await.status, 401);
    let path = format!("/api/devices/{}/revoke", text(&again["device"]));
    node.post(&path, Some(dispatcher), &Value::Null).await;
    let refused = node.get("/api/devices/self/share", &renewed).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (403, "shut-out"));
}
