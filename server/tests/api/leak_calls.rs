//! However a leak comes in (B2): at a place that no register knows, by the long form, with a case of its own (B4).

use domain::id::{HouseholdId, JobId, UserId};
use mobile_core::phone::CallPart;
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::hall::text;
use crate::leaks::{called, leak};
use crate::plan::{road, take_on};

const PLACE: &str = "吉和街 8 号门口的阀门井";

async fn report_at(counter: &Counter, place: &str) -> Value {
    let body = json!({"place": place, "phone": "139 0000 2222"});
    let reply = counter.node.post("/api/leaks", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

fn job_of(begun: &Value) -> JobId {
    text(&begun["id"]).parse().expect("a job")
}

/// Somebody who works at a kilometre of the road.
async fn at_work(counter: &mut Counter, login: &str, km: u32) -> Technician {
    let mut technician = counter.hire(login).await;
    let job = take_on(counter, ("repair", km), Some((0, 2)), Some(technician.user)).await;
    technician.synced().await;
    counter.wait_minutes(1, &[&technician]).await;
    technician.phone.arrive(job, None).await.expect("at the door");
    technician.synced().await;
    technician
}

#[tokio::test]
async fn b2_a_place_that_no_register_knows_is_enough_and_the_nearest_of_its_road_are_called() {
    let mut counter = road().await;
    // By their ids Ana would come first, and Cem last.
    let _ana = at_work(&mut counter, "ana", 0).await;
    let _ben = at_work(&mut counter, "ben", 1).await;
    let mut cem = at_work(&mut counter, "cem", 9).await;

    let begun = report_at(&counter, PLACE).await;

    let seen = leak(&counter).await;
    assert_eq!(called(&seen)[0], "CEM", "he works on that road: {seen}");
    assert_eq!((&seen["address"], &seen["unregistered"]), (&json!(PLACE), &json!(true)));
    assert_eq!(seen["caller_phone"], "139 0000 2222");
    cem.synced().await;
    let held = cem.phone.job(job_of(&begun)).unwrap();
    assert_eq!(held.call.unwrap().part, CallPart::Waiting);
    let briefing = &held.job.briefing;
    assert_eq!(briefing.household.address, PLACE, "the place in words");
    assert!(briefing.household.unregistered);
    assert_eq!(briefing.household.place, None, "an arrival is not judged by a guess");
    assert_eq!(
        (&*briefing.household.phone, &*briefing.caller_phone),
        ("13900002222", "139 0000 2222")
    );
}

#[tokio::test]
async fn b2_a_place_on_no_known_road_is_called_out_by_the_hall_and_numbered() {
    let counter = Counter::open().await;
    counter.hire("ana").await;

    let first = report_at(&counter, "新桥头").await;
    counter.wait_seconds(1, &[]);
    let second = report_at(&counter, "老桥头").await;

    let leaks = counter.node.get("/api/leaks", &counter.dispatcher).await.body["leaks"].clone();
    assert_eq!((&leaks[0]["job"], &leaks[1]["job"]), (&first["id"], &second["id"]));
    assert_eq!((&leaks[0]["account"], &leaks[1]["account"]), (&json!("U-1"), &json!("U-2")));
    assert_eq!(called(&leaks[0]), ["ANA"]);
    let found = counter.node.get("/api/households?text=桥头", &counter.dispatcher).await.body;
    assert_eq!(found["households"][0]["unregistered"], json!(true), "seen as what it is");
    let halls = counter.node.get("/api/halls", &counter.manager).await.body;
    assert_eq!(halls["halls"][0]["households"], 1, "no household of the register");
}

#[tokio::test]
async fn b2_a_leak_needs_one_place_in_few_words_and_a_number() {
    let counter = Counter::open().await;
    for body in [
        json!({"phone": "13900001111"}),
        json!({"place": "桥头", "account": ACCOUNT, "phone": "13900001111"}),
        json!({"place": "  ", "phone": "13900001111"}),
        json!({"place": "桥".repeat(201), "phone": "13900001111"}),
        json!({"place": "桥头", "phone": " "}),
    ] {
        let reply = counter.node.post("/api/leaks", Some(&counter.dispatcher), &body).await;
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
    }
    assert_eq!(leak(&counter).await, Value::Null);
}

#[tokio::test]
async fn b2_a_place_is_tied_to_its_household_and_the_phone_is_briefed_with_it() {
    let counter = Counter::open().await;
    counter
        .hall
        .break_with(
            "insert into meter (meter_id, household_id, serial, size, digits) select household_id, household_id, 'G1', 'G4', 5 from household",
        )
        .await;
    let mut ana = counter.hire("ana").await;
    let begun = report_at(&counter, "听江里1幢楼道").await;
    let job = job_of(&begun);
    ana.synced().await;
    ana.phone.accept_call(job).await.unwrap();
    ana.synced().await;
    let place = counter.job(job).await["job"]["briefing"]["household"]["id"].clone();
    let path = format!("/api/households/{}/tie", text(&place));
    let tie = async |account: &str| {
        let body = json!({"account": account});
        counter.node.post(&path, Some(&counter.dispatcher), &body).await
    };

    assert_eq!(tie("U-1").await.status, 422, "not to a place");
    assert_eq!(tie("999").await.status, 404);
    let tied = tie(ACCOUNT).await;

    assert_eq!((tied.status.as_u16(), &tied.body["jobs"]), (200, &json!(1)), "{tied:?}");
    assert_eq!(tie(ACCOUNT).await.status, 409);
    assert!(told(&counter).await.contains(&("placed".to_owned(), ana.user)), "she hears of it");
    ana.synced().await;
    let held = ana.phone.job(job).unwrap();
    assert_eq!(held.call.unwrap().part, CallPart::Leads, "nothing of the calling is lost");
    let briefing = &held.job.briefing;
    assert_eq!((&*briefing.household.account, briefing.household.unregistered), (ACCOUNT, false));
    assert_eq!((briefing.meters.len(), &*briefing.caller_phone), (1, "139 0000 2222"));
    let household = HouseholdId(uuid::Uuid::from_u128(0x40));
    let path = format!("/api/households/{household}");
    let page = counter.node.get(&path, &counter.dispatcher).await.body;
    assert_eq!((&page["jobs"][0]["id"], &page["cases"][0]["id"]), (&json!(job), &begun["case"]));
    let path = format!("/api/households/{}", text(&place));
    let page = counter.node.get(&path, &counter.dispatcher).await.body;
    assert_eq!(page["place"]["tied_to"]["account"], ACCOUNT);
    let found = counter.node.get("/api/households?text=楼道", &counter.dispatcher).await.body;
    assert_eq!(found["households"], json!([]), "nobody reports a leak there any more");
}

#[tokio::test]
async fn b2_a_household_of_the_register_is_no_place() {
    let counter = Counter::open().await;
    let household = HouseholdId(uuid::Uuid::from_u128(0x40));
    let path = format!("/api/households/{household}/tie");

    let body = json!({"account": ACCOUNT});
    let refused = counter.node.post(&path, Some(&counter.dispatcher), &body).await;

    assert_eq!(refused.status, 404, "{refused:?}");
}

/// What people were told, whoever took the leak on.
async fn told(counter: &Counter) -> Vec<(String, UserId)> {
    let mut conn = counter.hall.db.read().await.expect("a connection");
    let sql = "select kind, user_id from notice order by created_at, notice_id";
    let rows: Vec<(String, uuid::Uuid)> = conn.c().q(sql).all().await.expect("rows");
    rows.into_iter().map(|(kind, user)| (kind, UserId(user))).collect()
}

#[tokio::test]
async fn b2_every_way_in_calls_the_same_people_at_once() {
    let ways = [
        ("/api/leaks", json!({"account": ACCOUNT, "phone": "13900001111"})),
        (
            "/api/jobs",
            json!({"kind": "emergency", "account": ACCOUNT, "caller_phone": "13900001111"}),
        ),
        (
            "/api/cases",
            json!({"kind": "leak_report", "channel": "phone", "account": ACCOUNT,
            "contact": "13900001111", "words": "厨房有异味", "job": {"kind": "emergency"}}),
        ),
    ];
    for (path, body) in ways {
        let counter = Counter::open().await;
        let ana = counter.hire("ana").await;
        counter.hire("ben").await;

        let made = counter.node.post(path, Some(&counter.dispatcher), &body).await;

        assert_eq!(made.status, 201, "{path}: {made:?}");
        let seen = leak(&counter).await;
        assert_eq!((&seen["state"], called(&seen).len()), (&json!("calling"), 2), "{path}: {seen}");
        assert_eq!(seen["caller_phone"], "13900001111", "{path}");
        let told = told(&counter).await;
        assert!(told.contains(&("leak_call".to_owned(), ana.user)), "{path}: {told:?}");
        assert_eq!(told.len(), 2, "{path}: {told:?}");
    }
}

#[tokio::test]
async fn b2_an_emergency_given_to_somebody_at_once_calls_nobody_else() {
    let counter = Counter::open().await;
    let (ana, _ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let body = json!({"kind": "emergency", "account": ACCOUNT, "technician": ana.user});

    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;

    let seen = leak(&counter).await;
    assert_eq!((&seen["state"], &seen["lead"]["name"]), (&json!("led"), &json!("ANA")));
    assert_eq!(seen["caller_phone"], "05530200000", "the household's own");
    assert_eq!(told(&counter).await, [("assigned".to_owned(), ana.user)]);
    // Its tag is the one that the next edit is held to.
    let path = format!("/api/jobs/{}/instructions", text(&made.body["id"]));
    let tag = text(&made.body["etag"]);
    let body = json!({"text": "走北门"});
    let headers = [("if-match", tag.as_str())];
    let asked = (reqwest::Method::POST, path.as_str());
    let edit = counter.node.send_with(asked, &counter.dispatcher, &headers, Some(&body)).await;
    assert_eq!(edit.status(), 201);
}

#[tokio::test]
async fn b4_whoever_takes_a_leak_on_owns_the_case_of_who_called() {
    let counter = Counter::open().await;
    let ida = counter.hall.person("ida", Role::Hall).await;
    let token = counter.node.sign_in("ida").await;
    let body = json!({"account": ACCOUNT, "phone": "13900001111", "request": "厨房有味"});

    let begun = counter.node.post("/api/leaks", Some(&token), &body).await.body;

    let path = format!("/api/cases/{}", text(&begun["case"]));
    let shown = counter.node.get(&path, &token).await.body;
    let case = &shown["case"];
    assert_eq!((&case["kind"], &case["owner"]), (&json!("leak_report"), &json!(ida)));
    assert_eq!((&case["words"], &case["number"]), (&json!("厨房有味"), &begun["case_number"]));
    assert_eq!(case["contact"], "13900001111", "{case}");
    assert_eq!(shown["jobs"][0]["id"], begun["id"]);
    let job = counter.job(job_of(&begun)).await;
    assert_eq!(job["cases"][0]["id"], begun["case"], "the job shows where it comes from");
}
