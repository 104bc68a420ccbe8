//! People, halls and phones as who runs the hall keeps them, and what is refused with its reason.

use reqwest::Method;
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::Counter;
use crate::hall::{PASSWORD, Reply, text};

const OTHER: &str = "violet harbour under rain";

#[tokio::test]
async fn somebody_is_added_changed_shut_out_and_let_in_again() {
    let counter = Counter::open().await;
    let ada = json!({"login": "ada", "name": "Ada", "role": "hall", "password": OTHER});

    let made = post(&counter, "/api/users", &ada).await;
    let path = format!("/api/users/{}", text(&made.body["id"]));
    let changed = put(&counter, &path, &json!({"name": "Ada Liu", "role": "dispatcher"})).await;
    let signed_in = counter.node.try_sign_in("ada", OTHER).await;
    let disabled = post(&counter, &format!("{path}/disable"), &Value::Null).await;
    let while_out = counter.node.try_sign_in("ada", OTHER).await;
    let enabled = post(&counter, &format!("{path}/enable"), &Value::Null).await;
    let again = counter.node.try_sign_in("ada", OTHER).await;

    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&changed.body["name"], &changed.body["role"]),
        (&json!("Ada Liu"), &json!("dispatcher"))
    );
    assert_eq!(signed_in.body["user"]["role"], "dispatcher");
    assert_eq!((disabled.status.as_u16(), while_out.status.as_u16()), (204, 401));
    assert_eq!((enabled.status.as_u16(), again.status.as_u16()), (204, 200));
}

#[tokio::test]
async fn a_manager_makes_and_changes_nobody_above_the_hall_and_is_told_why() {
    let counter = Counter::open().await;
    let admin = counter.hall.person("ines", Role::Admin).await;
    let dora = user(&counter, "dora").await;
    let new = json!({"login": "ada", "name": "Ada", "role": "admin", "password": OTHER});
    let raised = json!({"name": "Dora", "role": "manager"});

    for refused in [
        post(&counter, "/api/users", &new).await,
        put(&counter, &format!("/api/users/{dora}"), &raised).await,
        put(&counter, &format!("/api/users/{admin}"), &json!({"name": "I", "role": "hall"})).await,
        post(&counter, &format!("/api/users/{admin}/disable"), &Value::Null).await,
        post(&counter, &format!("/api/users/{admin}/end-sessions"), &Value::Null).await,
        post(&counter, &format!("/api/users/{admin}/password"), &json!({"password": OTHER})).await,
    ] {
        assert_eq!(
            (refused.status.as_u16(), refused.problem()),
            (403, "role-above"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn nobody_shuts_out_or_demotes_themselves_and_an_admin_is_always_left() {
    let counter = Counter::open().await;
    let ines = counter.hall.person("ines", Role::Admin).await;
    let omar = counter.hall.person("omar", Role::Admin).await;
    let (as_ines, as_omar) =
        (counter.node.sign_in("ines").await, counter.node.sign_in("omar").await);
    let disable = |whose: String, token: String| {
        let counter = &counter;
        async move {
            counter
                .node
                .post(&format!("/api/users/{whose}/disable"), Some(&token), &Value::Null)
                .await
        }
    };

    let own = disable(ines.to_string(), as_ines.clone()).await;
    let path = format!("/api/users/{ines}");
    let demoted = json!({"name": "Ines", "role": "manager"});
    let own_role = counter.node.send(Method::PUT, &path, Some(&as_ines), Some(&demoted)).await;
    // Both at once: whoever comes second would leave the hall without an admin.
    let (a, b) = tokio::join!(
        disable(omar.to_string(), as_ines.clone()),
        disable(ines.to_string(), as_omar.clone()),
    );

    assert_eq!((own.status.as_u16(), own.problem()), (409, "own-account"));
    assert_eq!((own_role.status.as_u16(), own_role.problem()), (409, "own-account"));
    let statuses = [a.status.as_u16(), b.status.as_u16()];
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{a:?} {b:?}");
}

#[tokio::test]
async fn check_14_sessions_are_ended_and_a_password_is_reset_by_who_runs_the_hall() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let dora = user(&counter, "dora").await;

    let ended = post(&counter, &format!("/api/users/{dora}/end-sessions"), &Value::Null).await;
    let phone =
        post(&counter, &format!("/api/users/{}/end-sessions", ana.user), &Value::Null).await;
    let after = counter.node.get("/api/me", &counter.dispatcher).await;
    let phone_after = counter.node.get("/api/me", &ana.token).await;
    let again = counter.node.sign_in("dora").await;
    let weak = post(
        &counter,
        &format!("/api/users/{dora}/password"),
        &json!({"password": "password1234"}),
    )
    .await;
    let reset =
        post(&counter, &format!("/api/users/{dora}/password"), &json!({"password": OTHER})).await;

    assert_eq!((&ended.body["sessions"], &phone.body["sessions"]), (&json!(1), &json!(1)));
    assert_eq!((after.status.as_u16(), phone_after.status.as_u16()), (401, 401));
    assert_eq!((weak.status.as_u16(), weak.problem()), (422, "password"));
    assert_eq!(reset.status, 204);
    assert_eq!(counter.node.get("/api/me", &again).await.status, 401, "their sessions are over");
    assert_eq!(counter.node.try_sign_in("dora", PASSWORD).await.status, 401);
    assert_eq!(counter.node.try_sign_in("dora", OTHER).await.status, 200);
}

#[tokio::test]
async fn a_technician_with_a_phone_keeps_the_role_until_the_phone_is_out() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let (path, body) = (format!("/api/users/{}", ana.user), json!({"name": "Ana", "role": "hall"}));

    let refused = put(&counter, &path, &body).await;
    let revoke = format!("/api/devices/{}/revoke", ana.device);
    post(&counter, &revoke, &json!({"reason": "retired"})).await;
    let changed = put(&counter, &path, &body).await;

    assert_eq!((refused.status.as_u16(), refused.problem()), (409, "has-phones"));
    assert_eq!(changed.status, 200, "{changed:?}");
}

#[tokio::test]
async fn a_lost_phone_can_do_nothing_and_a_retired_one_hands_in_what_it_holds_first() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "留着".to_owned()).await.unwrap();
    let mut request = ana.request();
    // It says what it holds and brings nothing of it.
    request.changes.clear();
    ana.exchange(request.encode()).await.unwrap();
    let path = format!("/api/devices/{}/revoke", ana.device);

    let holds = post(&counter, &path, &json!({"reason": "retired"})).await;
    let anyway = post(&counter, &path, &json!({"reason": "retired", "even_unsent": true})).await;
    let listed = device(&counter, &ana.device).await;
    ana.sync().await;
    let apart = counter.quarantine().await;

    assert_eq!((holds.status.as_u16(), holds.problem()), (409, "still-holds"));
    assert_eq!((anyway.status.as_u16(), &anyway.body["unsent"]), (200, &json!(1)));
    assert_eq!(
        (&listed["revoked_reason"], &listed["lease_until"]),
        (&json!("retired"), &Value::Null)
    );
    assert_eq!(apart.len(), 1, "a retired phone may still hand in");

    let mut ben = counter.hire("ben").await;
    let lost = format!("/api/devices/{}/revoke", ben.device);
    let revoked = post(&counter, &lost, &json!({"reason": "lost"})).await;
    let report = ben.sync().await;

    assert_eq!(revoked.body["unsent"], 0);
    assert_eq!(format!("{:?}", report.end), "Stopped(Link(Refused(401)))", "its session is over");
    assert_eq!(device(&counter, &ben.device).await["revoked_reason"], "lost");
}

#[tokio::test]
async fn a_hall_is_added_with_its_first_manager_who_sees_nothing_of_others() {
    let counter = Counter::open().await;
    counter.hall.person("ines", Role::Admin).await;
    let admin = counter.node.sign_in("ines").await;
    let manager = json!({"login": "west", "name": "西厅经理", "password": OTHER});
    let body = json!({"name": "城西营业厅", "utc_offset_minutes": 480, "manager": manager});

    let made = counter.node.post("/api/halls", Some(&admin), &body).await;
    let taken = counter.node.post("/api/halls", Some(&admin), &body).await;
    let west = counter.node.try_sign_in("west", OTHER).await;
    let west = text(&west.body["token"]);
    let path = format!("/api/halls/{}", text(&made.body["id"]));
    let renamed =
        counter.node.send(Method::PUT, &path, Some(&admin), Some(&json!({"name": "西郊"}))).await;

    assert_eq!((made.status.as_u16(), taken.problem()), (201, "login-taken"));
    assert_eq!(renamed.status, 204);
    let halls = |reply: Reply| reply.body["halls"].as_array().unwrap().len();
    assert_eq!(halls(counter.node.get("/api/halls", &admin).await), 2);
    let own = counter.node.get("/api/halls", &west).await;
    assert_eq!(own.body["halls"][0]["name"], "西郊");
    assert_eq!(halls(own), 1, "a manager sees their own");
    let people = counter.node.get("/api/users", &west).await;
    assert_eq!(people.body["users"].as_array().unwrap().len(), 1);
}

async fn post(counter: &Counter, path: &str, body: &Value) -> Reply {
    counter.node.post(path, Some(&counter.manager), body).await
}

async fn put(counter: &Counter, path: &str, body: &Value) -> Reply {
    counter.node.send(Method::PUT, path, Some(&counter.manager), Some(body)).await
}

async fn user(counter: &Counter, login: &str) -> String {
    let reply = counter.node.get(&format!("/api/users?text={login}"), &counter.manager).await;
    text(&reply.body["users"][0]["id"])
}

async fn device(counter: &Counter, id: &str) -> Value {
    let reply = counter.node.get("/api/devices", &counter.manager).await;
    let devices = reply.body["devices"].as_array().expect("a list");
    devices.iter().find(|it| it["id"] == id).expect("the phone").clone()
}
