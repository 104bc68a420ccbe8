//! A plan for what nobody has: proposed by the rules of the board, and changed by nobody's asking.

use std::collections::BTreeSet;

use domain::household::Household;
use domain::id::{HouseholdId, JobId, UserId};
use domain::place::Place;
use reqwest::Method;
use serde_json::{Value, json};
use server::db::households;
use uuid::Uuid;

use crate::counter::Counter;
use crate::hall::{MORNING_MS, Reply, text};

const HOUR_MS: i64 = 3_600_000;

/// A hall with a household at each kilometre of a road that goes north.
pub(crate) async fn road() -> Counter {
    let counter = Counter::open().await;
    let home = |number: u32| Household {
        id: HouseholdId(Uuid::from_u128(0x500 + u128::from(number))),
        account: format!("3020{number:04}"),
        holder: "李建国".to_owned(),
        address: format!("{}{number}号", if number < 5 { "文化路" } else { "吉和街" }),
        phone: "05530200001".to_owned(),
        place: Some(Place { latitude: 31.3 + f64::from(number) / 111.195, longitude: 118.4 }),
        groups: BTreeSet::new(),
        access: String::new(),
        unregistered: false,
    };
    let homes: Vec<Household> = (0..10).map(home).collect();
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    households::upsert_households(tx.c(), counter.hall.id, &homes).await.expect("homes");
    tx.commit().await.expect("a commit");
    counter
}

/// Takes a job on at a kilometre, with a window of so many hours from now on, or none.
pub(crate) async fn take_on(
    counter: &Counter,
    (kind, km): (&str, u32),
    window: Option<(i64, i64)>,
    technician: Option<UserId>,
) -> JobId {
    let at = |hours: i64| MORNING_MS + hours * HOUR_MS;
    let window = window.map(|(from, until)| json!({"start": at(from), "end": at(until)}));
    let appointment = window.map(|window| json!({"window": window, "channel": "phone"}));
    let body = json!({
        "kind": kind, "account": format!("3020{km:04}"), "request": "请上门",
        "technician": technician, "appointment": appointment,
    });
    let reply = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    text(&reply.body["id"]).parse().expect("a job")
}

async fn record(counter: &Counter, user: UserId, skills: &Value, area: &[&str]) -> Reply {
    let path = format!("/api/users/{user}/qualification");
    let body = json!({"skills": skills, "area": area});
    counter.node.send(Method::PUT, &path, Some(&counter.manager), Some(&body)).await
}

async fn ask(counter: &Counter, may_move: bool) -> Value {
    let body = json!({"day": "2026-03-02", "may_move": may_move});
    let reply = counter.node.post("/api/board/proposals", Some(&counter.dispatcher), &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Who is proposed for a job.
fn proposed(proposal: &Value, job: JobId) -> Option<&str> {
    let assigned = proposal["assigned"].as_array().expect("a list");
    let found = assigned.iter().find(|it| it["job"] == json!(job));
    found.map(|it| it["technician"].as_str().expect("a word"))
}

/// Why nobody is.
fn reason(proposal: &Value, job: JobId) -> Option<&str> {
    let left = proposal["left"].as_array().expect("a list");
    left.iter().find(|it| it["job"] == json!(job)).map(|it| it["reason"].as_str().expect("a word"))
}

#[tokio::test]
async fn a2_a_plan_keeps_windows_makes_nobody_late_and_changes_nothing_until_it_is_carried_out() {
    let counter = road().await;
    let (ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    // Ana has two doors from ten to twelve; a third repair still fits, a fourth does not.
    for km in [0, 1] {
        take_on(&counter, ("repair", km), Some((1, 3)), Some(ana.user)).await;
    }
    let mut open = Vec::new();
    for km in [0, 1, 2, 2] {
        open.push(take_on(&counter, ("repair", km), Some((1, 3)), None).await);
    }
    let before = counter.job(open[0]).await;

    let first = ask(&counter, false).await;
    let again = ask(&counter, false).await;

    assert_eq!(first, again, "the same day is planned in the same way");
    assert_eq!(counter.job(open[0]).await, before, "asking changes nothing");
    assert_eq!(first["left"], json!([]), "{first}");
    assert_eq!(
        (&first["before"]["given_out"], &first["after"]["given_out"]),
        (&json!(2), &json!(6))
    );
    assert_eq!((&first["before"]["late"], &first["after"]["late"]), (&json!(0), &json!(0)));
    let assigned = first["assigned"].as_array().unwrap();
    let span = MORNING_MS + HOUR_MS..=MORNING_MS + 3 * HOUR_MS;
    assert!(assigned.iter().all(|it| span.contains(&it["reached_at"].as_i64().unwrap())));
    assert!(assigned.iter().all(|it| it["from"].is_null() && it["lacks_window"] == false));

    for it in assigned {
        let job: JobId = text(&it["job"]).parse().unwrap();
        let path = format!("/api/jobs/{job}/assignments");
        let body = json!({"technician": it["technician"]});
        let seen = format!("\"{}\"", it["position"]);
        let (asked, seen) = ((Method::POST, path.as_str()), [("if-match", seen.as_str())]);
        let reply = counter.node.send_with(asked, &counter.dispatcher, &seen, Some(&body)).await;
        assert_eq!(reply.status(), 201);
    }
    let rounds = counter.node.get("/api/board/rounds?day=2026-03-02", &counter.dispatcher).await;
    let rounds = rounds.body["rounds"].as_array().unwrap().clone();
    assert_eq!(rounds.len(), 2, "{} and {} both go", ana.user, ben.user);
    let legs: Vec<&Value> = rounds.iter().flat_map(|it| it["legs"].as_array().unwrap()).collect();
    assert_eq!(legs.len(), 6);
    for it in assigned {
        let leg = legs.iter().find(|leg| leg["job"] == it["job"]).unwrap();
        assert_eq!(leg["reached_at"], it["reached_at"], "the board says what was proposed");
    }
    assert!(legs.iter().all(|leg| leg["late_minutes"] == 0));
}

#[tokio::test]
async fn only_who_is_able_to_is_proposed_and_what_nobody_is_able_to_says_so() {
    let counter = road().await;
    let (ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    record(&counter, ana.user, &json!(["meter_reader"]), &[]).await;
    record(&counter, ben.user, &json!(["gas_fitter", "emergency_crew"]), &[]).await;
    // Ana is nearer to everything.
    take_on(&counter, ("meter_reading", 1), Some((1, 3)), Some(ana.user)).await;
    take_on(&counter, ("repair", 9), Some((1, 3)), Some(ben.user)).await;
    let repair = take_on(&counter, ("repair", 1), Some((1, 3)), None).await;
    let reading = take_on(&counter, ("meter_reading", 8), Some((1, 3)), None).await;
    let leak = take_on(&counter, ("emergency", 1), None, None).await;
    let inspection = take_on(&counter, ("safety_inspection", 1), Some((1, 3)), None).await;
    let cash = take_on(&counter, ("cash_collection", 1), Some((1, 3)), None).await;

    let plan = ask(&counter, false).await;

    let (ana_id, ben_id) = (ana.user.to_string(), ben.user.to_string());
    assert_eq!(proposed(&plan, repair), Some(ben_id.as_str()), "{plan}");
    assert_eq!(proposed(&plan, leak), Some(ben_id.as_str()));
    assert_eq!(proposed(&plan, reading), Some(ana_id.as_str()));
    assert!(proposed(&plan, cash).is_some(), "money may be fetched by anybody");
    assert_eq!(reason(&plan, inspection), Some("no_skill"));
    assert_eq!(plan["left"][0]["skills"][0]["id"], "inspector");
}

#[tokio::test]
async fn what_is_left_says_why() {
    let mut counter = road().await;
    let job = take_on(&counter, ("repair", 1), Some((1, 2)), None).await;
    let nobody = ask(&counter, false).await;
    assert_eq!(reason(&nobody, job), Some("no_technician"));

    let ana = counter.hire("ana").await;
    take_on(&counter, ("repair", 9), Some((1, 2)), Some(ana.user)).await;
    let late = take_on(&counter, ("repair", 1), None, None).await;
    // Promised within 48 hours, but the day has only so many of them.
    for _ in 0..9 {
        take_on(&counter, ("repair", 1), None, Some(ana.user)).await;
    }
    let crowded = ask(&counter, false).await;
    assert_eq!(reason(&crowded, job), Some("nobody_free"), "{crowded}");
    assert_eq!(reason(&crowded, late), Some("no_time"));

    counter.wait_minutes(121, &[]).await;
    let over = ask(&counter, false).await;
    assert_eq!(reason(&over, job), Some("window_over"));
    let yesterday = json!({"day": "2026-03-01"});
    let path = "/api/board/proposals";
    let yesterday = counter.node.post(path, Some(&counter.dispatcher), &yesterday).await;
    assert_eq!(yesterday.status, 422);
}

#[tokio::test]
async fn b2_a_leak_goes_to_the_nearest_of_the_crew_or_is_left_to_somebody_to_decide() {
    let mut counter = road().await;
    let (ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    record(&counter, ana.user, &json!(["gas_fitter"]), &[]).await;
    record(&counter, ben.user, &json!(["gas_fitter", "emergency_crew"]), &[]).await;
    let at_work = take_on(&counter, ("repair", 2), Some((0, 2)), Some(ben.user)).await;
    ben.synced().await;
    counter.wait_minutes(5, &[&ben]).await;
    ben.phone.arrive(at_work, None).await.unwrap();
    ben.synced().await;
    let leak = take_on(&counter, ("emergency", 1), None, None).await;
    let near = async |counter: &Counter| {
        let body = json!({"job": leak});
        counter.node.post("/api/board/nearest", Some(&counter.dispatcher), &body).await.body
    };

    // Ben is in the middle of forty minutes of repair.
    let busy = ask(&counter, false).await;
    let nearest = near(&counter).await;
    let eva = counter.hire("eva").await;
    record(&counter, eva.user, &json!(["emergency_crew"]), &[]).await;
    let free = ask(&counter, false).await;
    let two = near(&counter).await;

    assert_eq!(reason(&busy, leak), Some("decide"), "{busy}");
    let known = nearest["nearest"].as_array().unwrap();
    assert_eq!(known.len(), 1, "{nearest}");
    // Forty minutes, a kilometre of 1.4 at 200 m a minute, three to the door; thirty were promised.
    let ben_id = ben.user.to_string();
    let (who, late) = (&known[0]["technician"], &known[0]["late_minutes"]);
    assert_eq!((who, late), (&json!(ben_id), &json!(20)));
    assert_eq!(nearest["due_at"], MORNING_MS + 35 * 60_000);
    assert_eq!(nearest["skills"][0]["id"], "emergency_crew");
    assert_eq!(proposed(&free, leak), Some(eva.user.to_string().as_str()));
    assert_eq!(two["nearest"][0]["technician"], eva.user.to_string());
    assert_eq!(two["nearest"][0]["late_minutes"], 0);
}

#[tokio::test]
async fn what_is_given_out_stays_unless_it_may_be_moved_and_then_the_plan_names_from_whom() {
    let counter = road().await;
    let (ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    record(&counter, ben.user, &json!(["meter_reader"]), &[]).await;
    // Ana alone repairs, and a reading that Ben could do takes her time from ten to eleven.
    let reading = take_on(&counter, ("meter_reading", 9), Some((1, 2)), Some(ana.user)).await;
    take_on(&counter, ("repair", 1), Some((1, 2)), Some(ana.user)).await;
    let mut repairs = Vec::new();
    repairs.push(take_on(&counter, ("repair", 1), Some((1, 2)), None).await);

    let kept = ask(&counter, false).await;
    let moved = ask(&counter, true).await;

    assert_eq!(reason(&kept, repairs[0]), Some("nobody_free"), "{kept}");
    assert_eq!(proposed(&kept, reading), None);
    assert_eq!(proposed(&moved, repairs[0]), Some(ana.user.to_string().as_str()), "{moved}");
    let assigned = moved["assigned"].as_array().unwrap();
    let it = assigned.iter().find(|it| it["job"] == json!(reading)).unwrap();
    assert_eq!(it["from"], ana.user.to_string());
    assert_eq!(it["technician"], ben.user.to_string());
    assert_eq!(moved["after"]["late"], 0);
}

#[tokio::test]
async fn a_plan_stays_in_peoples_areas() {
    let counter = road().await;
    let (ana, ben) = areas(&counter).await;
    let hers = take_on(&counter, ("meter_reading", 4), Some((1, 2)), None).await;
    let his = take_on(&counter, ("meter_reading", 5), Some((1, 2)), None).await;

    let plan = ask(&counter, false).await;

    // Where each begins a round nobody knows, so neither way is counted: the area decides.
    assert_eq!(proposed(&plan, hers), Some(ana.as_str()), "{plan}");
    assert_eq!(proposed(&plan, his), Some(ben.as_str()), "{plan}");
    assert!(plan["assigned"].as_array().unwrap().iter().all(|it| it["in_area"] == true));
}

#[tokio::test]
async fn a_plan_leaves_an_area_where_the_way_is_too_long() {
    let counter = road().await;
    let (ana, ben) = areas(&counter).await;
    let [ana, ben] = [ana, ben].map(|id| UserId(id.parse().unwrap()));
    take_on(&counter, ("meter_reading", 0), Some((1, 3)), Some(ana)).await;
    take_on(&counter, ("meter_reading", 4), Some((1, 3)), Some(ben)).await;
    let job = take_on(&counter, ("meter_reading", 4), Some((1, 3)), None).await;

    let plan = ask(&counter, false).await;

    // Ana is four kilometres away, 31 minutes; Ben stands before it, and leaving his area costs him 21.
    assert_eq!(proposed(&plan, job), Some(ben.to_string().as_str()), "{plan}");
    assert_eq!(plan["assigned"][0]["in_area"], false);
}

/// Ana works in one street, Ben in the other.
async fn areas(counter: &Counter) -> (String, String) {
    let (ana, ben) = (counter.hire("ana").await.user, counter.hire("ben").await.user);
    record(counter, ana, &Value::Null, &["文化路"]).await;
    record(counter, ben, &Value::Null, &["吉和街"]).await;
    (ana.to_string(), ben.to_string())
}

#[tokio::test]
async fn a_job_without_a_window_may_be_given_out_in_working_hours_and_says_what_it_lacks() {
    let counter = road().await;
    let ana = counter.hire("ana").await;
    let bare = take_on(&counter, ("repair", 1), None, None).await;
    let tomorrow = json!({"day": "2026-03-03"});
    let path = "/api/board/proposals";

    let today = ask(&counter, false).await;
    let tomorrow = counter.node.post(path, Some(&counter.dispatcher), &tomorrow).await.body;

    let it = &today["assigned"][0];
    assert_eq!((&it["job"], &it["technician"]), (&json!(bare), &json!(ana.user)));
    assert_eq!((&it["lacks_window"], &it["reached_at"]), (&json!(true), &json!(MORNING_MS)));
    // Nobody is sent out before eight.
    assert_eq!(tomorrow["assigned"][0]["reached_at"], MORNING_MS + 23 * HOUR_MS);
}

#[tokio::test]
async fn windows_and_moves_know_who_is_able_to() {
    let counter = road().await;
    let (ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    record(&counter, ana.user, &json!([]), &[]).await;
    let job = take_on(&counter, ("repair", 1), Some((1, 3)), None).await;
    let post = async |path: &str, body: Value| {
        counter.node.post(path, Some(&counter.dispatcher), &body).await.body
    };

    let unfit = post("/api/board/check", json!({"job": job, "technician": ana.user})).await;
    let fit = post("/api/board/check", json!({"job": job, "technician": ben.user})).await;
    let asked = json!({"account": "30200001", "kind": "repair", "day": "2026-03-02"});
    let offers = post("/api/board/offers", asked).await;

    assert_eq!(unfit["lacks_skills"][0]["id"], "gas_fitter");
    assert!(!text(&unfit["lacks_skills"][0]["zh"]).is_empty());
    assert_eq!(fit["lacks_skills"], json!([]));
    let windows = offers["windows"].as_array().unwrap();
    assert!(windows.iter().all(|it| it["fitting"] == 1), "{offers}");
    assert_eq!(windows[0]["offers"][0]["technician"], ben.user.to_string());
}

#[tokio::test]
async fn what_somebody_is_able_to_do_is_recorded_by_managers_and_named_by_the_rule_pack() {
    let counter = road().await;
    let ana = counter.hire("ana").await;
    let path = format!("/api/users/{}/qualification", ana.user);
    let unrecorded = counter.node.get(&path, &counter.dispatcher).await.body;
    let dora = counter.node.get("/api/me", &counter.dispatcher).await.body["id"].clone();
    let dora: UserId = serde_json::from_value(dora).unwrap();

    let recorded = record(&counter, ana.user, &json!(["inspector"]), &[" 文化路 "]).await;
    let unknown = record(&counter, ana.user, &json!(["juggler"]), &[]).await;
    let blank = record(&counter, ana.user, &json!([]), &[" "]).await;
    let desk = record(&counter, dora, &json!([]), &[]).await;
    let nobody = record(&counter, UserId(Uuid::nil()), &json!([]), &[]).await;

    assert_eq!(unrecorded, json!({"skills": null, "area": []}));
    assert_eq!(recorded.body, json!({"skills": ["inspector"], "area": ["文化路"]}));
    assert_eq!(counter.node.get(&path, &counter.dispatcher).await.body, recorded.body);
    let refused = [&unknown, &blank, &desk, &nobody].map(|reply| reply.status.as_u16());
    assert_eq!(refused, [422, 422, 422, 404]);
    assert!(text(&unknown.body["detail"]).contains("emergency_crew, gas_fitter"), "{unknown:?}");
}
