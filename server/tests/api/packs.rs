//! Rule packs: brought, compared, tried on paper, held from their day; old jobs keep theirs.

use domain::pack::BUILTIN;
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::hall::{Reply, text};

const ADMIN: &str = "ines";

#[tokio::test]
async fn new_jobs_keep_the_pack_that_holds_on_their_day_and_old_ones_theirs() {
    let (mut counter, admin) = open().await;
    let before = take_on(&counter).await;
    let new = pack(
        "city-2026-03-03",
        "2026-03-03",
        &[("late_grace_minutes = 0", "late_grace_minutes = 20")],
    );

    let added = add(&counter, &admin, &new).await;
    let same_day = take_on(&counter).await;
    counter.wait_minutes(16 * 60, &[]).await;
    let after = take_on(&counter).await;
    // The program's own pack begins in November; who has brought rules of their own keeps them.
    counter.wait_minutes(300 * 24 * 60, &[]).await;
    let in_winter = take_on(&counter).await;

    assert_eq!((added.status.as_u16(), &added.body["in_force"]), (201, &json!(false)));
    assert_eq!(pack_of(&counter, &before).await, "city-gas-2026-11-01");
    assert_eq!(
        pack_of(&counter, &same_day).await,
        "city-gas-2026-11-01",
        "its day is still to come"
    );
    assert_eq!(pack_of(&counter, &after).await, "city-2026-03-03");
    assert_eq!(pack_of(&counter, &in_winter).await, "city-2026-03-03");
    let listed = list(&counter).await;
    let find = |id: &str| listed.iter().find(|it| it["id"] == id).unwrap();
    let (old, new) = (find("city-gas-2026-11-01"), find("city-2026-03-03"));
    assert_eq!((&old["in_force"], &old["jobs"]), (&json!(false), &json!(2)));
    assert_eq!((&new["in_force"], &new["jobs"]), (&json!(true), &json!(2)));
}

#[tokio::test]
async fn a_phone_asks_for_what_the_pack_of_its_job_asks_for() {
    let (mut counter, admin) = open().await;
    let mut ana = counter.hire("ana").await;
    let old = counter.job_for(ana.user).await;
    ana.synced().await;
    let edits = [("id = \"knock_identify\"", "id = \"rang_twice\"")];
    add(&counter, &admin, &pack("other", "2026-03-03", &edits)).await;
    counter.wait_minutes(23 * 60, &[&ana]).await;
    let new = counter.job_for(ana.user).await;
    ana.synced().await;
    let done = domain::conduct::Answer::Done;

    ana.phone.arrive(old, None).await.expect("saved");
    ana.phone.answer_conduct(old, "knock_identify", done.clone()).await.expect("of the old pack");
    ana.phone.arrive(new, None).await.expect("saved");
    ana.phone.answer_conduct(new, "knock_identify", done.clone()).await.expect_err("gone");
    ana.phone.answer_conduct(new, "rang_twice", done).await.expect("of the new pack");
    ana.synced().await;

    assert!(counter.quarantine().await.is_empty());
}

#[tokio::test]
async fn plans_and_promises_of_intake_follow_the_pack_that_holds() {
    let (mut counter, admin) = open().await;
    let edits =
        [("offered_hours = [[8, 10], [10, 12], [14, 16], [16, 18]]", "offered_hours = [[9, 10]]")];
    add(&counter, &admin, &pack("narrow", "2026-03-03", &edits)).await;
    let ask = json!({"account": ACCOUNT, "kind": "repair", "day": "2026-03-04"});

    let before = counter.node.post("/api/board/offers", Some(&counter.dispatcher), &ask).await;
    counter.wait_minutes(16 * 60, &[]).await;
    let after = counter.node.post("/api/board/offers", Some(&counter.dispatcher), &ask).await;

    let count = |reply: &Reply| reply.body["windows"].as_array().unwrap().len();
    assert_eq!((count(&before), count(&after)), (4, 1));
}

#[tokio::test]
async fn a_pack_with_a_mistake_is_refused_with_its_line_and_one_that_is_there_never_changes() {
    let (counter, admin) = open().await;
    let refused = |from: &'static str, to: &'static str| pack("next", "2026-03-03", &[(from, to)]);
    for (toml, says) in [
        (refused("detour = 1.4", "detour = 0.4"), "travel.detour: needs one or more"),
        (refused("drift_ppm = 200", "drift_ppm = \"much\""), "invalid type"),
        (refused("[kinds.repair]", "[kinds.repare]"), "repare"),
        (pack("next", "2026-03-02", &[]), "write a day after today"),
        (pack("a b", "2026-03-03", &[]), "write letters"),
    ] {
        let reply = add(&counter, &admin, &toml).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (422, "pack-refused"), "{reply:?}");
        let detail = text(&reply.body["detail"]);
        assert!(detail.contains(says) && reply.body["line"].is_u64(), "{reply:?}");
    }

    let known = add(&counter, &admin, &pack("city-gas-2026-11-01", "2026-12-01", &[])).await;
    let by_manager = add(&counter, &counter.manager, &pack("mine", "2026-12-01", &[])).await;

    assert_eq!((known.status.as_u16(), known.problem()), (409, "pack-known"));
    assert_eq!(by_manager.status, 403, "rules bind every hall of the server");
    assert_eq!(list(&counter).await.len(), 1);
}

#[tokio::test]
async fn a_pack_is_taken_back_before_its_day_and_never_after() {
    let (mut counter, admin) = open().await;
    add(&counter, &admin, &pack("hasty", "2026-03-03", &[])).await;
    let withdraw = "/api/packs/hasty/withdraw";

    let builtin = counter
        .node
        .post("/api/packs/city-gas-2026-11-01/withdraw", Some(&admin), &Value::Null)
        .await;
    let withdrawn = counter.node.post(withdraw, Some(&admin), &Value::Null).await;
    let again = add(&counter, &admin, &pack("hasty", "2026-03-04", &[])).await;
    add(&counter, &admin, &pack("good", "2026-03-03", &[])).await;
    counter.wait_minutes(16 * 60, &[]).await;
    let admin = counter.node.sign_in(ADMIN).await;
    let begun = counter.node.post("/api/packs/good/withdraw", Some(&admin), &Value::Null).await;
    let job = take_on(&counter).await;

    assert_eq!((builtin.status.as_u16(), builtin.problem()), (409, "pack-holds"));
    assert_eq!(withdrawn.status, 204);
    assert_eq!(again.problem(), "pack-known", "a phone may hold the old text under this name");
    assert_eq!((begun.status.as_u16(), begun.problem()), (409, "pack-holds"));
    assert_eq!(pack_of(&counter, &job).await, "good");
}

#[tokio::test]
async fn what_a_new_pack_would_change_is_told_on_paper_and_nothing_is_written() {
    let (mut counter, admin) = open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    visited_late(&mut counter, &mut ana, job).await;
    let admin_again = counter.node.sign_in(ADMIN).await;
    let edits = [
        ("late_grace_minutes = 0", "late_grace_minutes = 30"),
        ("id = \"tool_mat\"", "id = \"clean_mat\""),
    ];
    add(&counter, &admin_again, &pack("lenient", "2026-03-03", &edits)).await;
    drop(admin);

    let before = counter.job(job).await;
    let told = counter.node.get("/api/packs/lenient/trial?days=7", &counter.manager).await;
    let differs = "/api/packs/lenient/differences?with=city-gas-2026-11-01";
    let differs = counter.node.get(differs, &counter.manager).await;
    let after = counter.job(job).await;

    assert_eq!(told.status, 200, "{told:?}");
    let turn = &told.body["appointments"][0];
    assert_eq!(
        (&turn["was"], &turn["is"], &turn["count"]),
        (&json!("late"), &json!("on_time"), &json!(1))
    );
    assert_eq!(turn["jobs"], json!([job]));
    assert_eq!(told.body["missing"][0]["count"], 1, "an item that nobody had to answer: {told:?}");
    assert_eq!((&told.body["jobs"], &told.body["left_out"]), (&json!(1), &json!(0)));
    assert_eq!(before["verdicts"], after["verdicts"]);
    let differences = differs.body["differences"].as_array().unwrap();
    let grace = differences.iter().find(|it| it["table"] == "punctuality").unwrap();
    assert_eq!((&grace["was"], &grace["is"]), (&json!("0"), &json!("30")));
}

#[tokio::test]
async fn the_text_of_a_pack_is_given_to_begin_another_with() {
    let (counter, _) = open().await;
    let path = "/api/packs/city-gas-2026-11-01/text";

    let reply =
        counter.node.send_with((reqwest::Method::GET, path), &counter.manager, &[], None).await;

    assert_eq!(reply.text().await.unwrap(), BUILTIN);
}

/// Ana comes twenty minutes after the window and gives up with all items of the old pack answered.
async fn visited_late(counter: &mut Counter, ana: &mut Technician, job: domain::id::JobId) {
    ana.synced().await;
    counter.wait_minutes(200, &[ana]).await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("saved");
    let pack = domain::pack::Pack::builtin();
    for item in &pack.conduct {
        ana.phone
            .answer_conduct(job, &item.id, domain::conduct::Answer::Done)
            .await
            .expect("saved");
    }
    let outcome = domain::visit::Outcome::CannotFinish {
        reason: "缺零件".to_owned(),
        follow_up: "明日再来".to_owned(),
    };
    ana.phone.close(job, outcome).await.expect("saved");
    ana.synced().await;
}

pub(crate) async fn open() -> (Counter, String) {
    let counter = Counter::open().await;
    counter.hall.person(ADMIN, Role::Admin).await;
    let admin = counter.node.sign_in(ADMIN).await;
    (counter, admin)
}

pub(crate) fn pack(id: &str, valid_from: &str, edits: &[(&str, &str)]) -> String {
    let (id, from) = (format!("id = \"{id}\""), format!("valid_from = \"{valid_from}\""));
    let named = BUILTIN.replacen("id = \"city-gas-2026-11-01\"", &id, 1).replacen(
        "valid_from = \"2026-11-01\"",
        &from,
        1,
    );
    edits.iter().fold(named, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

pub(crate) async fn add(counter: &Counter, token: &str, toml: &str) -> Reply {
    counter.node.post("/api/packs", Some(token), &json!({"toml": toml})).await
}

async fn list(counter: &Counter) -> Vec<Value> {
    let reply = counter.node.get("/api/packs", &counter.manager).await;
    reply.body["packs"].as_array().expect("a list").clone()
}

async fn take_on(counter: &Counter) -> String {
    let body = json!({"kind": "repair", "account": ACCOUNT, "request": ""});
    let reply = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    text(&reply.body["id"])
}

async fn pack_of(counter: &Counter, job: &str) -> String {
    text(&counter.job(job.parse().expect("a job")).await["job"]["pack"])
}
