//! What is due: worked out, counted, turned into jobs at once and never twice, and gone once it was done.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::conduct::Answer;
use domain::due::{Supply, Use};
use domain::household::{
    Appliance, ApplianceKind, Group, Hose, HoseKind, Household, Meter, PastReading,
};
use domain::id::{ApplianceId, HoseId, HouseholdId, JobId, MeterId};
use domain::measure::Volume;
use domain::visit::{Fact, Outcome};
use reqwest::Method;
use serde_json::{Value, json};
use server::command::rebuild::Rebuild;
use server::db::{due, hoses, households, meters};
use uuid::Uuid;

use crate::counter::{Counter, Technician};
use crate::hall::text;

const DAY_MS: i64 = 86_400_000;

/// Three homes and a school canteen; today is 2026-03-02.
pub(crate) async fn street(counter: &Counter) {
    let mut tx = counter.hall.db.begin().await.expect("the tests' own calls work");
    let home = |number: u128, address: &str, groups: &[Group]| Household {
        id: home(number),
        account: format!("3020000{number}"),
        holder: format!("户主{number}"),
        address: address.to_owned(),
        phone: "13800138000".to_owned(),
        place: None,
        groups: groups.iter().copied().collect(),
        access: String::new(),
        unregistered: false,
    };
    let all = [
        home(1, "芜湖市镜湖区吉和街听江里1幢1单元101室", &[]),
        home(2, "芜湖市镜湖区吉和街听江里1幢1单元201室", &[Group::Elderly]),
        home(3, "芜湖市镜湖区黄山中路3号", &[]),
        home(4, "芜湖市镜湖区黄山中路5号", &[]),
    ];
    households::upsert_households(tx.c(), counter.hall.id, &all)
        .await
        .expect("the tests' own calls work");
    let supply = |number: u128, used_for: Use, inspected_on: &str| {
        let (gas_since, inspected_on) = (Some(day("2015-05-01")), Some(day(inspected_on)));
        (self::home(number), Supply { used_for, gas_since, inspected_on, is_off: false })
    };
    let supplies = [
        supply(1, Use::Residential, "2025-01-15"),
        supply(2, Use::Residential, "2025-03-20"),
        supply(3, Use::Residential, "2026-02-20"),
        supply(4, Use::Public, "2026-02-10"),
    ];
    due::upsert_supplies(tx.c(), &supplies).await.expect("the tests' own calls work");
    let meter = |number: u128, on: &str| {
        let (register, state) = (Volume(100_000), domain::reading::ReadingState::Seen);
        let readings = vec![PastReading { on: day(on), register, state }];
        let id = MeterId(Uuid::from_u128(0x60 + number));
        let meter = Meter::new(id, &format!("M{number}"), "G4", 5);
        (self::home(number), Meter { readings, ..meter })
    };
    let all = [
        meter(1, "2026-01-10"),
        meter(2, "2026-02-25"),
        meter(3, "2026-02-25"),
        meter(4, "2026-02-25"),
    ];
    meters::upsert_meters(tx.c(), &all).await.expect("the tests' own calls work");
    hoses::upsert_hoses(tx.c(), &[(self::home(2), rubber(0x51, "2024-10-01"))])
        .await
        .expect("the tests' own calls work");
    tx.commit().await.expect("the tests' own calls work");
}

pub(crate) fn home(number: u128) -> HouseholdId {
    HouseholdId(Uuid::from_u128(0x700 + number))
}

pub(crate) fn rubber(id: u128, installed_on: &str) -> Hose {
    Hose {
        id: HoseId(Uuid::from_u128(id)),
        kind: HoseKind::Rubber,
        length_mm: 1500,
        installed_on: day(installed_on),
        is_estimated: false,
        joints: None,
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests' own calls work")
}

pub(crate) async fn list(counter: &Counter, query: &str) -> Value {
    let path = format!("/api/due?until=2026-05-01{query}");
    let reply = counter.node.get(&path, &counter.dispatcher).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// What is due as account, what and day, of the street alone.
fn said(page: &Value) -> Vec<(String, String, String)> {
    let items = page["items"].as_array().expect("the tests' own calls work").iter();
    let items = items.filter(|it| text(&it["account"]).starts_with("302"));
    items.map(|it| (text(&it["account"]), text(&it["what"]), text(&it["by"]))).collect()
}

fn line(number: u32, what: &str, by: &str) -> (String, String, String) {
    (format!("3020000{number}"), what.to_owned(), by.to_owned())
}

async fn street_of(counter: &Counter, query: &str) -> Vec<(String, String, String)> {
    said(&list(counter, query).await)
}

fn bulk(counter: &Counter, kind: &str, numbers: &[u128], terms: &str, ahead_days: i64) -> Value {
    let start = counter.hall.config.clock.now_ms() + ahead_days * DAY_MS;
    let homes: BTreeSet<_> = numbers.iter().map(|it| home(*it)).collect();
    json!({
        "kind": kind, "until": "2026-05-01", "households": homes, "terms": terms, "per_window": 1,
        "windows": [{"start": start, "end": start + 7_200_000},
            {"start": start + 7_200_000, "end": start + 14_400_000}],
    })
}

#[tokio::test]
async fn b7_what_is_due_is_listed_with_why_by_when_and_which_job_serves_it() {
    let counter = Counter::open().await;
    street(&counter).await;

    let page = list(&counter, "").await;
    let first = [line(1, "inspection", "2026-01-15")].into_iter();
    let leaflets = (1..=4).map(|it| line(it, "leaflet", "2026-03-02"));
    let others = [
        line(1, "reading", "2026-03-10"),
        line(2, "inspection", "2026-03-20"),
        line(2, "free_hose", "2026-04-01"),
        line(2, "reading", "2026-04-25"),
        line(3, "reading", "2026-04-25"),
        line(4, "reading", "2026-04-25"),
        line(4, "public_inspection", "2026-04-30"),
    ];
    assert_eq!(said(&page), first.chain(leaflets).chain(others).collect::<Vec<_>>());
    let first = page["items"]
        .as_array()
        .expect("the tests' own calls work")
        .iter()
        .find(|it| it["what"] == "inspection");
    let first = first.expect("the tests' own calls work");
    assert_eq!((&first["is_overdue"], &first["kind"]), (&json!(true), &json!("safety_inspection")));
    assert_eq!(first["en"], "Last inspected on 2025-01-15");

    // The household's own page tells the same.
    for number in 1..=4 {
        let path = format!("/api/households/{}", home(number));
        let shown = counter.node.get(&path, &counter.dispatcher).await.body;
        let own: Vec<_> = shown["due"]
            .as_array()
            .expect("the tests' own calls work")
            .iter()
            .map(|it| (text(&it["what"]), text(&it["by"])))
            .collect();
        let until = "&text=3020000".to_owned() + &number.to_string();
        let path = format!("/api/due?until=2027-03-02{until}");
        let listed = said(&counter.node.get(&path, &counter.dispatcher).await.body);
        assert_eq!(own, listed.into_iter().map(|(_, what, by)| (what, by)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn b7_the_list_is_filtered_paged_counted_and_written() {
    let counter = Counter::open().await;
    street(&counter).await;
    let all = street_of(&counter, "").await;

    assert_eq!(street_of(&counter, "&what=free_hose").await, [line(2, "free_hose", "2026-04-01")]);
    assert_eq!(street_of(&counter, "&kind=meter_reading&month=2026-03").await.len(), 1);
    assert_eq!(street_of(&counter, "&what=inspection&month=overdue").await.len(), 1);
    let building = "&building=芜湖市镜湖区吉和街听江里1幢&what=reading";
    assert_eq!(street_of(&counter, building).await.len(), 2);
    assert_eq!(street_of(&counter, "&road=芜湖市镜湖区黄山中路&what=reading").await.len(), 2);
    assert_eq!(street_of(&counter, "&served=planned").await, []);
    assert_eq!(street_of(&counter, "&text=30200003&what=reading").await.len(), 1);

    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = list(&counter, &format!("&limit=2{after}")).await;
        paged.extend(said(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(paged, all);

    let path = "/api/due/figures?until=2026-05-01&lang=en";
    let figures = counter.node.get(path, &counter.dispatcher).await.body;
    let of = |figure: &Value, line: &str| -> Vec<u64> {
        let lines = figure["lines"].as_array().expect("the tests' own calls work");
        let line = lines.iter().find(|it| it["key"] == line).expect("the tests' own calls work");
        line["cells"]
            .as_array()
            .expect("the tests' own calls work")
            .iter()
            .map(|it| it["count"].as_u64().expect("the tests' own calls work"))
            .collect()
    };
    assert_eq!(of(&figures["by_what"], "inspection"), [0, 1, 1]);
    assert_eq!(of(&figures["by_road"], "芜湖市镜湖区黄山中路").iter().sum::<u64>(), 5);
    assert_eq!(figures["by_month"]["lines"][0]["key"], "overdue");
    for format in ["csv", "xlsx"] {
        let path = format!("/api/due/file?until=2026-05-01&format={format}&lang=zh");
        let asked = (Method::GET, path.as_str());
        let file = counter.node.send_with(asked, &counter.dispatcher, &[], None).await;
        assert_eq!(file.status(), 200);
        let bytes = file.bytes().await.expect("the tests' own calls work");
        if format == "csv" {
            let said = String::from_utf8(bytes.to_vec()).expect("the tests' own calls work");
            assert!(said.contains("居民年度安检") && said.contains("30200001"), "{said}");
        }
    }
    for wrong in ["until=2026-03-01", "until=2028-01-01", "until=2026-05-01&month=soon", ""] {
        let path = format!("/api/due?{wrong}");
        let status = counter.node.get(&path, &counter.dispatcher).await.status.as_u16();
        assert!(matches!(status, 400 | 422), "{wrong}: {status}");
    }
}

#[tokio::test]
async fn b7_jobs_are_made_in_bulk_shown_first_and_never_twice() {
    let counter = Counter::open().await;
    street(&counter).await;
    let body = bulk(&counter, "safety_inspection", &[1, 2, 3], "proposed", 3);
    let dora = Some(counter.dispatcher.as_str());

    let seen = counter.node.post("/api/due/preview", dora, &body).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(seen.body["doors"].as_array().expect("the tests' own calls work").len(), 2);
    assert_eq!(seen.body["left"], json!([{"household": home(3), "why": "not_due"}]));
    assert_eq!(jobs(&counter).await, 0, "looking makes nothing");

    // Two dispatchers press at once, one of them twice.
    let press = |key: &'static str| {
        let body = body.clone();
        let counter = &counter;
        async move {
            let headers = [("idempotency-key", key)];
            let asked = (Method::POST, "/api/due/jobs");
            let reply = counter.node.send_with(asked, &counter.dispatcher, &headers, Some(&body));
            let reply = reply.await;
            (
                reply.status().as_u16(),
                reply.json::<Value>().await.expect("the tests' own calls work"),
            )
        }
    };
    let (one, other) = tokio::join!(press("first"), press("second"));
    let again = press("first").await;

    assert_eq!((one.0, other.0), (201, 201), "{one:?} {other:?}");
    assert_eq!(again.1, one.1, "sent again it is answered as it was");
    assert_eq!(jobs(&counter).await, 2);
    let (winner, loser) =
        if one.1["doors"].as_array().expect("the tests' own calls work").is_empty() {
            (other, one)
        } else {
            (one, other)
        };
    assert_eq!(winner.1["doors"].as_array().expect("the tests' own calls work").len(), 2);
    let left = loser.1["left"].as_array().expect("the tests' own calls work");
    assert_eq!(left.iter().filter(|it| it["why"] == "job_open").count(), 2, "{left:?}");

    // Nobody agreed: there is no appointment, only what the hall proposes.
    let page = list(&counter, "&what=inspection&served=to_be_agreed").await;
    let job = &page["items"][0]["job"];
    assert_eq!((page["total"].as_u64(), &job["window"]), (Some(2), &Value::Null));
    assert_eq!(job["proposed"], winner.1["doors"][0]["window"]);
    let id: JobId = text(&job["id"]).parse().expect("the tests' own calls work");
    let whole = counter.job(id).await;
    assert_eq!(whole["job"]["plan"]["appointments"], json!({}));
    assert!(text(&whole["job"]["briefing"]["request"]).contains("先与用户约定"));
    let agreed = json!({"window": job["proposed"], "channel": "phone"});
    assert_eq!(counter.add(id, "appointments", &agreed).await.status, 201);
    assert_eq!(list(&counter, "&what=inspection&served=planned").await["total"], 1);
}

#[tokio::test]
async fn b7_a_window_that_a_notice_announces_is_an_appointment_three_days_ahead() {
    let counter = Counter::open().await;
    street(&counter).await;
    let dora = Some(counter.dispatcher.as_str());

    let late = bulk(&counter, "safety_inspection", &[1], "announced", 2);
    assert_eq!(counter.node.post("/api/due/jobs", dora, &late).await.status, 422);
    let in_time = bulk(&counter, "safety_inspection", &[1], "announced", 3);
    let made = counter.node.post("/api/due/jobs", dora, &in_time).await;
    assert_eq!(made.status, 201, "{made:?}");

    let id: JobId = text(&made.body["doors"][0]["job"]).parse().expect("the tests' own calls work");
    let whole = counter.job(id).await;
    let appointments =
        whole["job"]["plan"]["appointments"].as_object().expect("the tests' own calls work");
    let channels: Vec<_> = appointments.values().map(|it| &it["channel"]).collect();
    assert_eq!(channels, ["notice"]);
    let also: Vec<_> = whole["job"]["briefing"]["also_due"]
        .as_array()
        .expect("the tests' own calls work")
        .iter()
        .collect();
    assert_eq!(also, [&json!({"kind": "meter_reading", "on": "2026-03-10"})]);
    for (field, wrong) in [
        ("households", json!([])),
        ("windows", json!([])),
        ("per_window", json!(0)),
        ("until", json!("2026-03-01")),
    ] {
        let mut body = bulk(&counter, "safety_inspection", &[1], "proposed", 3);
        body[field] = wrong;
        assert_eq!(counter.node.post("/api/due/jobs", dora, &body).await.status, 422, "{field}");
    }
}

#[tokio::test]
async fn b8_what_was_done_is_off_the_list_by_itself_and_a_leaflet_for_a_year() {
    let counter = Counter::open().await;
    street(&counter).await;
    let mut tom = counter.hire("tom").await;
    let job = reading_job(&counter, &tom).await;
    tom.synced().await;
    go_in(&mut tom, job).await;
    let meter = MeterId(Uuid::from_u128(0x61));
    tom.phone
        .read_meter(job, meter, Some(Volume(101_000)))
        .await
        .expect("the tests' own calls work");
    tom.phone.record(job, Fact::LeafletGiven).await.expect("the tests' own calls work");
    let open = ["no_smoking_gifts", "household_equipment", "left_clean", "contact_card"];
    for item in open {
        tom.phone.answer_conduct(job, item, Answer::Done).await.expect("the tests' own calls work");
    }
    tom.phone.close(job, Outcome::Done).await.expect("the tests' own calls work");
    tom.synced().await;

    let left = street_of(&counter, "&text=30200001").await;
    assert_eq!(left, [line(1, "inspection", "2026-01-15")]);
    rebuilt(&counter).await;
    assert_eq!(street_of(&counter, "&text=30200001").await, left, "rebuild gives the same");
    let reading = counter.node.get("/api/due?until=2026-05-02&text=30200001", &counter.dispatcher);
    assert_eq!(said(&reading.await.body).last(), Some(&line(1, "reading", "2026-05-02")));
}

#[tokio::test]
async fn b14_items_found_at_the_door_hold_over_the_register_and_survive_a_rebuild() {
    let counter = Counter::open().await;
    street(&counter).await;
    let mut tom = counter.hire("tom").await;
    let job = reading_job(&counter, &tom).await;
    tom.synced().await;
    go_in(&mut tom, job).await;
    let hose = Hose { joints: Some(1), is_estimated: true, ..rubber(0x52, "2023-01-01") };
    let lot = "B7-22".to_owned();
    tom.phone
        .record(job, Fact::HoseSeen { hose, gone: false, lot, photo: None })
        .await
        .expect("the tests' own calls work");
    let appliance = Appliance {
        id: ApplianceId(Uuid::from_u128(0x81)),
        kind: ApplianceKind::Stove,
        brand: "华帝".to_owned(),
        model: String::new(),
        installed_on: None,
        sold_on: Some(day("2017-06-01")),
        is_estimated: false,
        flame_out: Some(true),
    };
    let seen = Fact::ApplianceSeen { appliance: appliance.clone(), gone: false, photo: None };
    tom.phone.record(job, seen).await.expect("the tests' own calls work");
    tom.synced().await;

    let path = format!("/api/households/{}", home(1));
    let before = counter.node.get(&path, &counter.dispatcher).await.body;
    let hose = &before["hoses"][0];
    assert_eq!((&hose["joints"], &hose["is_estimated"]), (&json!(1), &json!(true)));
    assert_eq!(
        (&hose["lot"], &hose["job"], &hose["is_overdue"]),
        (&json!("B7-22"), &json!(job), &json!(true))
    );
    let stove = &before["appliances"][0];
    assert_eq!((&stove["ends_on"], &stove["life_months"]), (&json!("2025-06-01"), &json!(96)));
    let due = street_of(&counter, "&text=30200001&month=overdue").await;
    assert!(due.contains(&line(1, "hose", "2024-07-01")), "{due:?}");
    assert!(due.contains(&line(1, "appliance", "2025-06-01")), "{due:?}");
    rebuilt(&counter).await;
    assert_eq!(counter.node.get(&path, &counter.dispatcher).await.body, before);

    // Taken away by the household since.
    tom.phone
        .record(job, Fact::ApplianceSeen { appliance, gone: true, photo: None })
        .await
        .expect("the tests' own calls work");
    tom.synced().await;
    let after = counter.node.get(&path, &counter.dispatcher).await.body;
    assert_eq!(after["appliances"], json!([]));
}

#[tokio::test]
async fn b7_a2_what_is_due_says_that_its_visit_was_refused_and_what_comes_next() {
    let counter = Counter::open().await;
    street(&counter).await;
    let mut tom = counter.hire("tom").await;
    let job = job_at(&counter, "safety_inspection", 1, &tom).await;
    let guidance = job_at(&counter, "safety_guidance", 3, &tom).await;
    tom.synced().await;
    for (job, reason) in [(job, "不让进"), (guidance, "没空")] {
        tom.phone.arrive(job, None).await.expect("the tests' own calls work");
        let refused = Outcome::Refused { reason: reason.to_owned() };
        tom.phone.close(job, refused).await.expect("the tests' own calls work");
    }
    tom.synced().await;

    let items = list(&counter, "").await["items"].as_array().cloned();
    let items = items.expect("the tests' own calls work");
    let of = |number: u128, kind: &str| {
        let is_it = |it: &&Value| it["household"] == json!(home(number)) && it["kind"] == kind;
        items.iter().find(is_it).expect("the tests' own calls work").clone()
    };
    let inspection = of(1, "safety_inspection");
    assert_eq!(inspection["tried"]["last"], "refused");
    assert_eq!(inspection["tried"]["next"]["id"], "explain");
    assert_eq!(inspection["job"], Value::Null, "the next crew is still to be sent");
    let leaflet = of(3, "safety_guidance");
    assert_eq!(
        (&leaflet["tried"]["last"], &leaflet["tried"]["next"]),
        (&json!("refused"), &Value::Null)
    );
    assert_eq!(of(1, "meter_reading")["tried"], Value::Null, "another kind");
}

async fn jobs(counter: &Counter) -> usize {
    let listed = counter.node.get("/api/jobs", &counter.dispatcher).await.body;
    listed["jobs"].as_array().expect("the tests' own calls work").len()
}

async fn rebuilt(counter: &Counter) {
    let rebuild = Rebuild::of(&counter.hall.config.database.0);
    rebuild
        .run(&counter.hall.config, &mut std::io::sink())
        .await
        .expect("the tests' own calls work");
}

async fn reading_job(counter: &Counter, technician: &Technician) -> JobId {
    job_at(counter, "meter_reading", 1, technician).await
}

pub(crate) async fn job_at(
    counter: &Counter,
    kind: &str,
    number: u128,
    technician: &Technician,
) -> JobId {
    let ten = counter.hall.config.clock.now_ms() + 3_600_000;
    let body = json!({
        "kind": kind, "household": home(number), "technician": technician.user,
        "appointment": {"window": {"start": ten, "end": ten + 7_200_000}, "channel": "phone"},
    });
    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    text(&made.body["id"]).parse().expect("the tests' own calls work")
}

pub(crate) async fn go_in(technician: &mut Technician, job: JobId) {
    technician.phone.arrive(job, None).await.expect("the tests' own calls work");
    for item in ["uniform_badge", "knock_identify", "asked_to_enter", "shoe_covers", "tool_mat"] {
        technician
            .phone
            .answer_conduct(job, item, Answer::Done)
            .await
            .expect("the tests' own calls work");
    }
}
