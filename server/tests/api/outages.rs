//! Outages: looked at beforehand, announced in time or with a reason, and a record of who was told when (B13).

use std::collections::BTreeSet;
use std::time::Duration;

use domain::household::Household;
use domain::id::{HallId, HouseholdId};
use reqwest::Method;
use serde_json::{Value, json};
use server::db::households;
use uuid::Uuid;

use crate::counter::Counter;
use crate::hall::{MORNING_MS, Reply, text};
use crate::told::{Gateway, open};

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Work from ten to two in the afternoon, three days ahead.
pub(crate) const WORK: (i64, i64) = (MORNING_MS + 73 * HOUR_MS, MORNING_MS + 77 * HOUR_MS);

pub(crate) const ROAD: &str = "芜湖市镜湖区吉和街";

#[tokio::test]
async fn b13_an_outage_is_looked_at_announced_and_told_once_to_each_and_the_rest_at_their_doors() {
    let (counter, gateway) = opened().await;
    speaks_english(&counter, 1).await;
    wants_no_messages(&counter, 2).await;

    let asked = json!({"kind": "planned", "window": window(WORK), "picks": {"roads": [ROAD]},
        "reason": "管道检修"});
    let seen = post(&counter, "/api/outages/preview", &asked).await.body;
    assert_eq!(seen["check"]["is_in_time"], true);
    assert_eq!(seen["check"]["due_at"], WORK.0 - 48 * HOUR_MS);
    let reach = &seen["reach"];
    let counts = ["households", "by_message", "despite_no", "no_phone", "opted_out"];
    assert_eq!(counts.map(|it| reach[it].as_i64().unwrap()), [5, 4, 1, 1, 0], "{seen}");
    assert_eq!(reach["doors"][0]["why"], "no_phone");
    assert_eq!(seen["area"], "吉和街");
    let chinese = "【城东营业厅】停气通知：吉和街，3月5日10:00至3月5日14:00停气，原因：管道检修。\
        请提前关好阀门；恢复供气后另行通知。";
    assert_eq!(seen["words"]["zh"], chinese, "what households will read");

    let id = drafted(&counter, WORK).await;
    assert_eq!(shown(&counter, &id).await["outage"]["state"], "draft");
    assert_eq!(gateway.count(), 0, "nobody is told of a draft");
    let key = [("idempotency-key", "announce-1")];
    let path = format!("/api/outages/{id}/announcement");
    for _ in 0..2 {
        let body = Some(&json!({}));
        let sent = (Method::POST, path.as_str());
        let sent = counter.node.send_with(sent, &counter.dispatcher, &key, body).await;
        assert_eq!(sent.status(), 201);
    }
    let told = gateway.told(4).await;
    let words: BTreeSet<String> = told.iter().map(|it| text(&it.1["data"]["text"])).collect();
    let english = "the gas will be off in 吉和街 from 5 March, 10:00 to 5 March, 14:00: 管道检修.";
    assert!(words.contains(chinese), "{words:?}");
    assert!(words.iter().any(|it| it.contains(english)) && words.len() == 2, "{words:?}");

    let seen = promised(&counter, &id, 4).await;
    assert_eq!(seen["outage"]["promise"]["state"], "running", "one is not told");
    let rest = record(&counter, &id, "part=doors").await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!((&rest[0]["state"], &rest[0]["told_at"]), (&json!("no_phone"), &json!(null)));
    let again = post(&counter, &path, &json!({})).await;
    assert_eq!((again.status.as_u16(), again.problem()), (409, "outage-state"));
    assert_eq!(again.body["reason"], "announced_already");

    let noted = doors(&counter, &id, json!({"at": MORNING_MS})).await;
    assert_eq!(noted.body, json!({"told": 1}), "{noted:?}");
    assert_eq!(doors(&counter, &id, json!({"at": MORNING_MS})).await.body, json!({"told": 0}));
    let seen = promised(&counter, &id, 5).await;
    assert_eq!(seen["outage"]["promise"]["state"], "kept");
    let all = record(&counter, &id, "").await;
    let how: Vec<_> = all.iter().map(|it| text(&it["how"])).collect();
    assert_eq!(how.iter().filter(|it| *it == "message").count(), 4, "{how:?}");
    assert_eq!(all.iter().filter(|it| it["told_by_name"] == "DORA").count(), 1);
    assert_eq!(gateway.count(), 4, "each once");
}

#[tokio::test]
async fn b13_what_begins_in_less_than_48_hours_is_moved_or_said_why() {
    let (counter, gateway) = opened().await;
    let soon = (MORNING_MS + 24 * HOUR_MS, MORNING_MS + 27 * HOUR_MS);
    let id = drafted(&counter, soon).await;
    let seen = shown(&counter, &id).await;
    assert_eq!(seen["check"]["is_in_time"], false);
    assert_eq!(seen["check"]["earliest_begin"], MORNING_MS + 48 * HOUR_MS);
    assert_eq!(seen["outage"]["promise"]["state"], "broken");

    let refused = announced(&counter, &id, "").await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (422, "outage-refused"));
    assert_eq!(refused.body["reason"], "why_missing");
    assert_eq!(gateway.count(), 0);

    let moved = json!({"kind": "planned", "window": window(WORK), "picks": {"roads": [ROAD]},
        "area": "吉和街", "reason": "管道检修"});
    let path = format!("/api/outages/{id}");
    let put = counter.node.send(Method::PUT, &path, Some(&counter.dispatcher), Some(&moved)).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(shown(&counter, &id).await["check"]["is_in_time"], true);

    let urgent = drafted(&counter, soon).await;
    assert_eq!(announced(&counter, &urgent, "阀门漏气，不能等").await.status, 201);
    gateway.told(4).await;
    doors(&counter, &urgent, json!({"at": MORNING_MS})).await;
    let seen = promised(&counter, &urgent, 5).await;
    assert_eq!(seen["outage"]["why"], "阀门漏气，不能等");
    assert_eq!(seen["outage"]["promise"]["state"], "broken", "told, and too late");
}

#[tokio::test]
async fn b13_what_is_announced_at_night_waits_and_what_is_called_off_by_then_is_told_to_nobody() {
    let (mut counter, gateway) = opened().await;
    counter.wait_minutes(14 * 60, &[]).await;
    let id = drafted(&counter, WORK).await;
    let seen = shown(&counter, &id).await;
    assert_eq!(seen["check"]["tells_at"], MORNING_MS + 23 * HOUR_MS, "in the morning");
    assert_eq!(announced(&counter, &id, "").await.status, 201);
    counted(&counter, &id, "off", ("waiting", 5)).await;

    let path = format!("/api/outages/{id}/cancellation");
    assert_eq!(post(&counter, &path, &json!({"why": "推迟"})).await.status, 201);
    counted(&counter, &id, "off", ("overtaken", 5)).await;
    counter.wait_minutes(12 * 60, &[]).await;
    let seen = finished(&counter, &id, 2).await;

    assert_eq!(
        (&seen["outage"]["state"], &seen["outage"]["promise"]),
        (&json!("cancelled"), &json!(null))
    );
    assert_eq!(seen["tellings"][1]["written"], 0, "nobody believes that the gas goes off");
    assert_eq!(gateway.count(), 0);
}

#[tokio::test]
async fn b13_who_was_told_of_an_outage_is_told_that_it_takes_longer_and_that_it_is_over() {
    let (mut counter, gateway) = opened().await;
    let now = (MORNING_MS - HOUR_MS, MORNING_MS + 4 * HOUR_MS);
    let id = written(&counter, "unforeseen", now, &json!({"roads": [ROAD]})).await;
    assert_eq!(announced(&counter, &id, "").await.status, 201);
    gateway.told(4).await;
    let home = format!("/api/households/{}", home(1));
    let page = counter.node.get(&home, &counter.dispatcher).await.body;
    let until = MORNING_MS + 4 * HOUR_MS;
    assert_eq!(
        (&page["outages"][0]["state"], &page["outages"][0]["until"]),
        (&json!("running"), &json!(until))
    );
    let found = counter.node.get("/api/households?text=3020", &counter.dispatcher).await.body;
    assert_eq!(found["outages"].as_object().unwrap().len(), 5, "the sixth has gas: {found}");
    assert_eq!(found["outages"][home_key(1)][0]["until"], until);

    let later = MORNING_MS + 9 * HOUR_MS;
    let path = format!("/api/outages/{id}/prolongations");
    let body = json!({"until": later, "reason": "配件未到"});
    assert_eq!(post(&counter, &path, &body).await.status, 201);
    let told = gateway.told(8).await;
    let words = text(&told[7].1["data"]["text"]);
    assert!(words.contains("停气延长：吉和街预计3月2日18:00恢复供气，原因：配件未到"), "{words}");
    let none = post(&counter, &path, &json!({"until": later})).await;
    assert_eq!((none.status.as_u16(), &none.body["reason"]), (422, &json!("not_later")));

    counter.wait_minutes(10 * 60, &[]).await;
    assert_eq!(shown(&counter, &id).await["outage"]["state"], "overdue");
    let path = format!("/api/outages/{id}/end");
    let at = MORNING_MS + 9 * HOUR_MS + 1_800_000;
    assert_eq!(post(&counter, &path, &json!({"at": at})).await.status, 201);
    let told = gateway.told(12).await;
    let words = text(&told[11].1["data"]["text"]);
    assert!(words.contains("吉和街已于3月2日18:30恢复供气。点火前请先检查"), "{words}");
    counted(&counter, &id, "on", ("sent", 4)).await;
    let ended = json!({"at": at + 60_000, "phase": "on"});
    assert_eq!(
        doors(&counter, &id, ended).await.body,
        json!({"told": 1}),
        "the one without a phone"
    );
    let over = post(&counter, &path, &json!({"at": at})).await;
    assert_eq!((over.status.as_u16(), &over.body["reason"]), (409, &json!("closed")));
    let page = counter.node.get(&home, &counter.dispatcher).await.body;
    assert_eq!(page["outages"][0]["ended_at"], at, "callers still ask");
    counter.wait_minutes(25 * 60, &[]).await;
    let page = counter.node.get(&home, &counter.dispatcher).await.body;
    assert_eq!(page["outages"], json!([]));
}

#[tokio::test]
async fn b13_who_was_told_is_told_when_an_outage_is_called_off_and_nobody_else() {
    let (counter, gateway) = opened().await;
    let id = drafted(&counter, WORK).await;
    announced(&counter, &id, "").await;
    gateway.told(4).await;
    promised(&counter, &id, 4).await;

    let path = format!("/api/outages/{id}/cancellation");
    assert_eq!(post(&counter, &path, &json!({"why": "改期"})).await.status, 201);

    let told = gateway.told(8).await;
    assert!(text(&told[7].1["data"]["text"]).contains("的停气已取消，供气照常"), "{told:?}");
    let seen = finished(&counter, &id, 2).await;
    assert_eq!(seen["tellings"][1]["written"], 4, "the one without a phone never heard of it");
}

#[tokio::test]
async fn b13_thousands_are_written_down_in_parts_and_a_restart_leaves_nobody_out_and_tells_nobody_twice()
 {
    let mut counter = Counter::open().await;
    let many: Vec<_> =
        (0..1700).map(|at| household(at, "芜湖市镜湖区中山路枕河坊", 8, true)).collect();
    stored(&counter, counter.hall.id, &many).await;
    let id = written(&counter, "planned", WORK, &json!({"roads": ["芜湖市镜湖区中山路"]})).await;

    assert_eq!(announced(&counter, &id, "").await.status, 201);
    counter.node.stop().await;
    counter.node = counter.hall.node().await;
    let seen = finished(&counter, &id, 1).await;

    assert_eq!(seen["tellings"][0]["written"], 1700);
    counted(&counter, &id, "off", ("no_gateway", 1700)).await;
    let rest = record(&counter, &id, "part=doors&limit=500").await;
    assert_eq!(rest.len(), 500);
    let noted = doors(&counter, &id, json!({"at": MORNING_MS})).await;
    assert_eq!(noted.body, json!({"told": 1700}));
    assert_eq!(promised(&counter, &id, 1700).await["outage"]["promise"]["state"], "kept");
}

/// A counter with a gateway, five households in two buildings of a road, of which one has no phone, and one elsewhere.
pub(crate) async fn opened() -> (Counter, Gateway) {
    let (counter, gateway) = open().await;
    let homes = [
        household(1, &format!("{ROAD}听江里1幢"), 0, true),
        household(2, &format!("{ROAD}听江里1幢"), 0, true),
        household(3, &format!("{ROAD}听江里1幢"), 0, true),
        household(4, &format!("{ROAD}听江里2幢"), 0, true),
        household(5, &format!("{ROAD}听江里2幢"), 0, false),
        household(6, "芜湖市镜湖区文化路书院里1幢", 0, true),
    ];
    stored(&counter, counter.hall.id, &homes).await;
    (counter, gateway)
}

/// A household; with doors to a building the building is counted on.
pub(crate) fn household(number: u128, at: &str, doors: u128, has_phone: bool) -> Household {
    let building = number.checked_div(doors).map(|it| format!("{it}幢")).unwrap_or_default();
    Household {
        id: HouseholdId(Uuid::from_u128(0x1000 + number)),
        account: format!("{}", 30_200_000 + number),
        holder: format!("用户{number}"),
        address: format!("{at}{building}{number}01室"),
        phone: if has_phone { format!("1380000{number:04}") } else { String::new() },
        place: None,
        groups: BTreeSet::new(),
        access: String::new(),
        unregistered: false,
    }
}

fn home(number: u128) -> Uuid {
    Uuid::from_u128(0x1000 + number)
}

fn home_key(number: u128) -> String {
    home(number).to_string()
}

pub(crate) async fn stored(counter: &Counter, hall: HallId, homes: &[Household]) {
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    households::upsert_households(tx.c(), hall, homes).await.expect("households");
    tx.commit().await.expect("a commit");
}

fn window((start, end): (i64, i64)) -> Value {
    json!({"start": start, "end": end})
}

pub(crate) async fn post(counter: &Counter, path: &str, body: &Value) -> Reply {
    counter.node.post(path, Some(&counter.dispatcher), body).await
}

pub(crate) async fn write(counter: &Counter, kind: &str, span: (i64, i64), picks: &Value) -> Reply {
    let body = json!({"kind": kind, "window": window(span), "picks": picks,
        "area": "吉和街", "reason": "管道检修"});
    post(counter, "/api/outages", &body).await
}

pub(crate) async fn written(
    counter: &Counter,
    kind: &str,
    span: (i64, i64),
    picks: &Value,
) -> String {
    let made = write(counter, kind, span, picks).await;
    assert_eq!(made.status, 201, "{made:?}");
    text(&made.body["id"])
}

/// A draft of planned work on the road.
pub(crate) async fn drafted(counter: &Counter, span: (i64, i64)) -> String {
    written(counter, "planned", span, &json!({"roads": [ROAD]})).await
}

pub(crate) async fn announced(counter: &Counter, id: &str, why: &str) -> Reply {
    post(counter, &format!("/api/outages/{id}/announcement"), &json!({"why": why})).await
}

async fn doors(counter: &Counter, id: &str, body: Value) -> Reply {
    post(counter, &format!("/api/outages/{id}/doors"), &body).await
}

pub(crate) async fn shown(counter: &Counter, id: &str) -> Value {
    let seen = counter.node.get(&format!("/api/outages/{id}"), &counter.dispatcher).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    seen.body
}

pub(crate) async fn record(counter: &Counter, id: &str, query: &str) -> Vec<Value> {
    let path = format!("/api/outages/{id}/households?{query}");
    let seen = counter.node.get(&path, &counter.dispatcher).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    seen.body["households"].as_array().expect("a list").clone()
}

/// The page once it is as expected.
async fn until(counter: &Counter, id: &str, is: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let seen = shown(counter, id).await;
            if is(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), looking).await;
    match waited {
        Ok(seen) => seen,
        Err(late) => panic!("{late}, never as expected: {}", shown(counter, id).await),
    }
}

/// The page once so many households were told.
pub(crate) async fn promised(counter: &Counter, id: &str, told: i64) -> Value {
    until(counter, id, |seen| seen["outage"]["told"] == told).await
}

/// The page once so many tellings were written down for everybody.
async fn finished(counter: &Counter, id: &str, tellings: usize) -> Value {
    until(counter, id, |seen| {
        let told = seen["tellings"].as_array().expect("a list");
        told.len() == tellings && told.iter().all(|it| !it["done_at"].is_null())
    })
    .await
}

/// The page once a phase counts so many messages in a state.
async fn counted(counter: &Counter, id: &str, phase: &str, (state, count): (&str, i64)) -> Value {
    until(counter, id, |seen| {
        let counts = seen[phase].as_array().expect("a list");
        let of_state = counts.iter().filter(|it| it["state"] == state);
        of_state.filter_map(|it| it["households"].as_i64()).sum::<i64>() == count
    })
    .await
}

async fn wrote(counter: &Counter, number: u128, entry: Value) {
    let path = format!("/api/households/{}/entries", home(number));
    assert_eq!(post(counter, &path, &entry).await.status, 201);
}

async fn speaks_english(counter: &Counter, number: u128) {
    wrote(counter, number, json!({"what": "language", "language": "en"})).await;
}

async fn wants_no_messages(counter: &Counter, number: u128) {
    let no = json!({"what": "consent_withdrawn", "purpose": "messages", "channel": "phone"});
    wrote(counter, number, no).await;
}
