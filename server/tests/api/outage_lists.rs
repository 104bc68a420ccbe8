//! Outages among promises, reminders and files, and in whose hall they are (B13).

use std::collections::BTreeSet;
use std::time::Duration;

use domain::id::HallId;
use reqwest::Method;
use serde_json::{Value, json};
use server::db::halls;
use server::identity::Role;
use server::reminders;
use uuid::Uuid;

use crate::counter::Counter;
use crate::hall::{MORNING_MS, text};
use crate::outages::{
    HOUR_MS, ROAD, WORK, announced, drafted, household, opened, post, promised, record, shown,
    stored, write, written,
};

#[tokio::test]
async fn b13_a_promise_is_at_risk_then_broken_and_the_desk_is_reminded_before() {
    let (mut counter, gateway) = opened().await;
    gateway.answer(reqwest::StatusCode::SERVICE_UNAVAILABLE);
    let id = drafted(&counter, WORK).await;
    announced(&counter, &id, "").await;
    gateway.told(4).await;
    let failing = record(&counter, &id, "part=not_told").await;
    assert_eq!(failing.len(), 5, "{failing:?}");
    let report = "/api/reports/promises?from=2026-03-03&to=2026-03-03&lang=en";
    let open = async |counter: &Counter| counter.node.get(report, &counter.dispatcher).await.body;
    let calm = open(&counter).await;
    assert_eq!(calm["open_outages"][0]["is_at_risk"], false, "{calm}");
    assert!(remind(&counter).await.is_empty());

    // Ten hours before it begins in less than 48: eight of them remain.
    counter.wait_minutes(17 * 60, &[]).await;
    let risky = open(&counter).await;
    let line = &risky["open_outages"][0];
    assert_eq!((&line["is_at_risk"], &line["state"]), (&json!(true), &json!("running")), "{risky}");
    counter.wait_minutes(6 * 60, &[]).await;
    let list = remind(&counter).await;
    let [line] = list.as_slice() else { panic!("one line: {list:?}") };
    assert_eq!((&line["about"], &line["outage"]), (&json!("promise_at_risk"), &json!(id)));
    assert_eq!(line["outage_area"], "吉和街");

    counter.wait_minutes(3 * 60, &[]).await;
    let broken = open(&counter).await;
    assert_eq!(broken["open_outages"][0]["state"], "broken");
    let by_rule = broken["by_rule"]["lines"].as_array().unwrap();
    let b13 = by_rule.iter().find(|it| it["key"] == "B13").expect("a line");
    let cells: Vec<_> = b13["cells"].as_array().unwrap().iter().map(|it| &it["count"]).collect();
    assert_eq!(cells, [0, 0, 1, 0, 0, 0], "broken");
    let file = counter.node.get("/api/exports/lists/open_promises?format=csv", &counter.dispatcher);
    assert_eq!(file.await.status, 200);
    let behind = "/api/exports/figures/promises/behind?from=2026-03-03&to=2026-03-03&line=B13&column=broken&format=csv";
    let sent = (Method::GET, behind);
    let file = counter.node.send_with(sent, &counter.dispatcher, &[], None).await;
    assert!(file.text().await.unwrap().contains("吉和街"));
}

#[tokio::test]
async fn b13_an_outage_that_should_be_over_is_on_the_desks_list_until_somebody_says_so() {
    let (mut counter, _gateway) = opened().await;
    let now = (MORNING_MS - HOUR_MS, MORNING_MS + HOUR_MS);
    let id = written(&counter, "unforeseen", now, &json!({"accounts": ["30200001"]})).await;
    announced(&counter, &id, "").await;
    promised(&counter, &id, 1).await;
    assert!(remind(&counter).await.is_empty());

    counter.wait_minutes(61, &[]).await;
    assert_eq!(remind(&counter).await[0]["about"], "outage_over");
    let path = format!("/api/outages/{id}/end");
    assert_eq!(post(&counter, &path, &json!({"at": MORNING_MS + HOUR_MS})).await.status, 201);

    assert!(remind(&counter).await.is_empty());
}

#[tokio::test]
async fn b13_areas_are_roads_buildings_and_accounts_of_ones_own_hall() {
    let (counter, _gateway) = opened().await;
    let places = counter.node.get("/api/outages/places", &counter.dispatcher).await.body;
    let road = places["roads"].as_array().unwrap().iter().find(|it| it["road"] == ROAD).unwrap();
    assert_eq!(road["households"], 5, "{places}");
    assert_eq!(road["buildings"].as_array().unwrap().len(), 2);
    let unnamed = places["roads"].as_array().unwrap().iter().find(|it| it["road"].is_null());
    assert_eq!(unnamed.unwrap()["buildings"][0]["building"], "听江里1幢");

    for (picks, problem) in [
        (json!({"accounts": ["nobody"]}), "no household of the hall has the account nobody"),
        (json!({"roads": ["芜湖市镜湖区北京路"]}), "no household lies there"),
        (json!({}), "no household lies there"),
    ] {
        let refused = write(&counter, "planned", WORK, &picks).await;
        assert_eq!(refused.status, 422);
        assert!(text(&refused.body["detail"]).contains(problem), "{refused:?}");
    }
    let other = HallId(Uuid::from_u128(0x4a12));
    let mut tx = counter.hall.db.begin().await.unwrap();
    halls::upsert_hall(tx.c(), other, "城西营业厅", 480).await.unwrap();
    tx.commit().await.unwrap();
    stored(&counter, other, &[household(90, ROAD, 8, true)]).await;
    counter.hall.person_in(other, "wendy", Role::Dispatcher).await;
    let wendy = counter.node.sign_in("wendy").await;
    let id = drafted(&counter, WORK).await;
    assert_eq!(shown(&counter, &id).await["outage"]["households"], 5, "not the other hall's");
    for path in ["", "/households", "/record"] {
        let path = format!("/api/outages/{id}{path}");
        assert_eq!(counter.node.get(&path, &wendy).await.status, 404, "{path}");
    }
    let body = json!({});
    let path = format!("/api/outages/{id}/announcement");
    assert_eq!(counter.node.post(&path, Some(&wendy), &body).await.status, 404);
}

#[tokio::test]
async fn b13_the_record_leaves_as_a_file_and_who_wrote_it_down_and_read_it_is_in_the_audit() {
    let (counter, gateway) = opened().await;
    let id = drafted(&counter, WORK).await;
    announced(&counter, &id, "").await;
    gateway.told(4).await;
    promised(&counter, &id, 4).await;

    let path = format!("/api/outages/{id}/record?format=csv&lang=en");
    let sent = (Method::GET, path.as_str());
    let file = counter.node.send_with(sent, &counter.dispatcher, &[], None).await;
    assert_eq!(
        file.headers()["content-disposition"],
        "attachment; filename=\"outage-off-all.csv\""
    );
    let text_of = file.text().await.unwrap();
    let lines: Vec<_> = text_of.lines().collect();
    assert_eq!(lines.len(), 6, "{text_of}");
    assert!(lines[0].contains("Told at"), "{text_of}");
    assert_eq!(lines.iter().filter(|it| it.contains("By message,2026-03-02 09:00")).count(), 4);
    assert_eq!(
        lines.iter().filter(|it| it.contains("Not told,,,Not sent: no telephone")).count(),
        1
    );
    let path = format!("/api/outages/{id}/record");
    assert_eq!(counter.node.get(&path, &counter.dispatcher).await.status, 200);

    record(&counter, &id, "").await;
    let path = format!("/api/audit?subject={id}");
    let looking = async {
        loop {
            let seen = counter.node.get(&path, &counter.manager).await.body;
            let whats: BTreeSet<_> =
                seen["entries"].as_array().unwrap().iter().map(|it| text(&it["what"])).collect();
            if whats.len() == 4 {
                return whats;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let whats = tokio::time::timeout(Duration::from_secs(10), looking).await.expect("entries");
    let known = ["exported", "outage_announced", "outage_read", "outage_written"];
    assert_eq!(whats.into_iter().collect::<Vec<_>>(), known);
}

#[tokio::test]
async fn b13_outages_are_listed_page_by_page_those_that_are_not_over_alone_when_asked() {
    let (counter, _gateway) = opened().await;
    let mut ids = Vec::new();
    for day in 0..3 {
        let more = day * 24 * HOUR_MS;
        ids.push(drafted(&counter, (WORK.0 + more, WORK.1 + more)).await);
    }
    let path = format!("/api/outages/{}/cancellation", ids[1]);
    assert_eq!(post(&counter, &path, &json!({"why": "改期"})).await.status, 201);
    let listed = async |query: &str| {
        let page =
            counter.node.get(&format!("/api/outages?{query}"), &counter.dispatcher).await.body;
        let of: Vec<_> =
            page["outages"].as_array().unwrap().iter().map(|it| text(&it["id"])).collect();
        (of, page["next"].as_str().map(str::to_owned))
    };

    let (first, next) = listed("limit=2").await;
    assert_eq!(first, [ids[2].clone(), ids[1].clone()], "the last to begin first");
    let (second, end) = listed(&format!("limit=2&after={}", next.expect("more"))).await;
    assert_eq!((second, end), (vec![ids[0].clone()], None));
    assert_eq!(listed("open=true").await.0, [ids[2].clone(), ids[0].clone()]);
}

/// Reminds, and gives what the desk is reminded of about outages.
async fn remind(counter: &Counter) -> Vec<Value> {
    let app = server::build(counter.hall.config.clone()).await.expect("a server");
    reminders::keep(&app.state).await.expect("it reminds");
    let list = counter.node.get("/api/reminders", &counter.dispatcher).await.body;
    let list = list["reminders"].as_array().expect("a list").clone();
    list.into_iter().filter(|it| !it["outage"].is_null()).collect()
}
