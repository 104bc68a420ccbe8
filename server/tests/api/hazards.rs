//! Hazards to the recheck that closes them, and households that were not reached (B7, A2).

use domain::conduct::Answer;
use domain::hazard::NoticeAnswer;
use domain::id::{FactId, JobId};
use domain::pack::Pack;
use domain::visit::{Fact, Outcome, Subject};
use serde_json::{Value, json};

use crate::counter::{Counter, Technician};
use crate::hall::{MORNING_MS, text};
use crate::told::agreed;

const HOUR_MS: i64 = 3_600_000;
pub(crate) const HOME: &str = "00000000-0000-0000-0000-000000000040";

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one hazard's life, in order")]
async fn b7_a_severe_hazard_is_followed_step_by_step_to_the_recheck_that_closes_it() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = given(&counter, &ana, "safety_inspection").await;
    ana.synced().await;
    let found = find(&mut ana, job, "leak").await;
    ana.phone.stop_supply(job, found).await.expect("it is there");
    ana.synced().await;

    let open = hazards(&counter).await;
    let it = &open["hazards"][0];
    assert_eq!(
        (&it["level"], &it["next"]["id"], &it["notice"]),
        (&json!(1), &json!("control_room"), &json!("none"))
    );
    assert_eq!(it["next_at"].as_i64(), it["found_at"].as_i64().map(|at| at + HOUR_MS / 2));
    assert_eq!(open["stopped"][0]["restore_by"], Value::Null, "while a severe one is there");
    let hazard = json!({"job": it["job"], "visit": it["visit"], "fact": it["fact"]});
    let step = |step: &str| json!({"what": "hazard_step", "hazard": hazard, "step": step, "text": "已报调度"});
    assert_eq!(wrote(&counter, &step("shut_off")).await, 409, "a visit does that");
    assert_eq!(wrote(&counter, &step("control_room")).await, 201);
    assert_eq!(wrote(&counter, &step("control_room")).await, 409, "once");
    let refused = NoticeAnswer::RefusedToSign { reason: "户主拒签".to_owned() };
    ana.phone.give_notice(job, found, refused).await.expect("it is there");
    ana.synced().await;
    let it = hazards(&counter).await["hazards"][0].clone();
    assert_eq!(
        (&it["next"]["id"], &it["notice"]),
        (&json!("call_back"), &json!("refused_to_sign"))
    );
    assert_eq!(it["steps"][1]["done_by"], "DORA");
    let cleared = json!({"what": "hazard_cleared", "hazard": hazard, "text": "电话里说好了"});
    assert_eq!(wrote(&counter, &cleared).await, 409, "a grave one is closed in person");

    let recheck = given(&counter, &ana, "hazard_recheck").await;
    ana.synced().await;
    enter(&mut ana, recheck).await;
    let photo = "c3".repeat(32);
    assert!(
        ana.phone.recheck(recheck, "leak", (true, None)).await.is_err(),
        "not without a picture"
    );
    ana.phone.recheck(recheck, "leak", (true, Some(photo))).await.expect("it is there");
    ana.synced().await;

    let after = hazards(&counter).await;
    assert_eq!(after["hazards"], json!([]));
    let (stopped, by) = (&after["stopped"][0]["stopped_at"], &after["stopped"][0]["restore_by"]);
    assert!(
        by.as_i64().expect("it is there") >= stopped.as_i64().expect("it is there") + 24 * HOUR_MS
    );
    let page = counter.node.get(&format!("/api/households/{HOME}"), &counter.dispatcher).await.body;
    assert_eq!(page["hazards"][0]["state"], "cleared");
    let fresh = given(&counter, &ana, "safety_inspection").await;
    ana.synced().await;
    enter(&mut ana, fresh).await;
    ana.synced().await;
    assert_eq!(
        hazards(&counter).await["stopped"].as_array().expect("it is there").len(),
        1,
        "an inspection lifts no stop"
    );
    counter.wait_minutes(1, &[&ana]).await;
    let unsealing = given(&counter, &ana, "unsealing").await;
    ana.synced().await;
    enter(&mut ana, unsealing).await;
    ana.phone.switch_gas(unsealing, true).await.expect("it is there");
    ana.synced().await;
    assert_eq!(hazards(&counter).await["stopped"], json!([]));
}

#[tokio::test]
async fn b7_s14_what_a_phone_finds_again_while_the_desk_clears_it_stays_open() {
    let counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let hers = given(&counter, &ana, "safety_inspection").await;
    let his = given(&counter, &ben, "safety_inspection").await;
    ana.synced().await;
    ben.synced().await;
    find(&mut ana, hers, "stove_near_wall").await;
    ana.synced().await;
    find(&mut ben, his, "stove_near_wall").await;

    let it = hazards(&counter).await["hazards"][0].clone();
    let hazard = json!({"job": it["job"], "visit": it["visit"], "fact": it["fact"]});
    let cleared = json!({"what": "hazard_cleared", "hazard": hazard, "text": "已挪开"});
    assert_eq!(wrote(&counter, &cleared).await, 201, "advice is closed at the desk");
    assert_eq!(hazards(&counter).await["hazards"], json!([]));
    ben.synced().await;

    let open = hazards(&counter).await;
    assert_eq!(open["hazards"][0]["job"], his.to_string());
    assert_eq!(open["hazards"][0]["findings"], 1);
}

#[tokio::test]
async fn b7_a_deadline_counts_from_the_first_finding_and_is_extended_once() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let first = given(&counter, &ana, "safety_inspection").await;
    let second = given(&counter, &ana, "safety_inspection").await;
    ana.synced().await;
    find(&mut ana, first, "hose_overdue").await;
    counter.wait_minutes(5 * 24 * 60, &[&ana]).await;
    find(&mut ana, second, "hose_overdue").await;
    ana.synced().await;

    let it = hazards(&counter).await["hazards"][0].clone();
    assert_eq!((&it["deadline"], &it["findings"]), (&json!("2026-04-01"), &json!(2)));
    let hazard = json!({"job": it["job"], "visit": it["visit"], "fact": it["fact"]});
    let more = |until: &str| json!({"what": "hazard_extended", "hazard": hazard, "until": until, "text": "配件未到"});
    assert_eq!(wrote(&counter, &more("2026-04-20")).await, 409, "fifteen days at most");
    assert_eq!(wrote(&counter, &more("2026-04-10")).await, 201);
    assert_eq!(wrote(&counter, &more("2026-04-12")).await, 409, "once");
    let it = hazards(&counter).await["hazards"][0].clone();
    assert_eq!(
        (&it["deadline"], &it["extended_by"], &it["extended_why"]),
        (&json!("2026-04-10"), &json!("DORA"), &json!("配件未到"))
    );
}

#[tokio::test]
async fn a2_who_is_not_reached_by_any_crew_climbs_one_ladder_and_the_phone_knows_before_going() {
    let mut counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    for technician in [&mut ana, &mut ben] {
        let job = given(&counter, technician, "safety_inspection").await;
        technician.synced().await;
        technician.phone.arrive(job, None).await.expect("it is there");
        let notice = technician.phone.take_photo(job, "d4".repeat(32), Subject::NoticeOnDoor);
        notice.await.expect("it is there");
        technician.phone.close(job, Outcome::NoOneHome).await.expect("it is there");
        technician.synced().await;
    }

    let list = unreached(&counter).await;
    assert_eq!(
        (&list[0]["absent"], &list[0]["next"]["id"]),
        (&json!(2), &json!("next_round_first"))
    );
    let third = given(&counter, &ana, "safety_inspection").await;
    ana.synced().await;
    let held = ana.phone.job(third).expect("it is there").job.clone();
    let rung = domain::ladder::of_job(&held, &Pack::builtin()).expect("it is there");
    assert_eq!(rung.next.expect("it is there").id, "next_round_first", "crews of others count");

    for _ in 0..3 {
        let job = given(&counter, &ana, "safety_inspection").await;
        ana.synced().await;
        ana.phone.arrive(job, None).await.expect("it is there");
        ana.phone
            .close(job, Outcome::Refused { reason: "不让进".to_owned() })
            .await
            .expect("it is there");
        ana.synced().await;
        counter.wait_minutes(1, &[&ana, &ben]).await;
    }
    let list = unreached(&counter).await;
    assert_eq!((&list[0]["absent"], &list[0]["refused"]), (&json!(2), &json!(3)), "never added up");
    assert_eq!(list[0]["next"]["id"], "written_notice_refusal");
    let step = json!({"what": "ladder_step", "kind": "safety_inspection", "step": "written_notice_refusal", "text": "挂号信已送达"});
    assert_eq!(wrote(&counter, &step).await, 201);
    let list = unreached(&counter).await;
    assert_eq!(list[0]["next"]["suspends"], false, "nobody refused since the notice");
    counter.wait_minutes(1, &[&ana, &ben]).await;
    let job = given(&counter, &ana, "safety_inspection").await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("it is there");
    let refused = Outcome::Refused { reason: "收到通知也不让进".to_owned() };
    ana.phone.close(job, refused).await.expect("it is there");
    ana.synced().await;
    let list = unreached(&counter).await;
    assert_eq!(
        (&list[0]["next"]["id"], &list[0]["next"]["suspends"]),
        (&json!("may_suspend"), &json!(true))
    );
}

#[tokio::test]
async fn a2_the_desk_writes_down_what_it_did_about_a_door_and_every_step_is_shown() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = given(&counter, &ana, "meter_reading").await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("it is there");
    let notice = ana.phone.take_photo(job, "d4".repeat(32), Subject::NoticeOnDoor);
    notice.await.expect("it is there");
    ana.phone.close(job, Outcome::NoOneHome).await.expect("it is there");
    ana.synced().await;

    let step = |kind: &str, step: &str| json!({"what": "ladder_step", "kind": kind, "step": step, "text": "无人接听"});
    assert_eq!(wrote(&counter, &step("meter_reading", "tell_committee")).await, 409, "not yet");
    assert_eq!(wrote(&counter, &step("meter_reading", "next_round_first")).await, 409);
    assert_eq!(wrote(&counter, &step("safety_inspection", "phone_first")).await, 409, "let in");
    assert_eq!(wrote(&counter, &step("meter_reading", "phone_first")).await, 201);

    let home = unreached(&counter).await[0].clone();
    let steps = home["steps"].as_array().expect("it is there");
    let told: Vec<_> = steps.iter().map(|it| (text(&it["id"]), it["is_reached"] == true)).collect();
    let expected = [("phone_first", true), ("next_round_first", false), ("sniff_door", false)];
    assert_eq!(told[..3], expected.map(|(id, is_reached)| (id.to_owned(), is_reached)));
    assert_eq!(
        (&steps[0]["done_by"], &steps[0]["done_text"]),
        (&json!("DORA"), &json!("无人接听"))
    );
    assert_eq!(steps[1]["done_at"], Value::Null);
    let page = counter.node.get(&format!("/api/households/{HOME}"), &counter.dispatcher).await.body;
    assert_eq!(page["entries"][0]["step"], "phone_first");
    let names = page["steps"].as_array().expect("it is there");
    assert!(names.iter().any(|it| it["id"] == "phone_first" && it["zh"] == "先电话预约再上门"));
}

#[tokio::test]
async fn a2_an_empty_home_is_counted_by_itself() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = given(&counter, &ana, "meter_reading").await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("it is there");
    assert!(ana.phone.close(job, Outcome::Empty).await.is_err(), "not without a picture");
    ana.phone.take_photo(job, "e5".repeat(32), Subject::EmptyHome).await.expect("it is there");
    ana.phone.close(job, Outcome::Empty).await.expect("it is there");
    ana.synced().await;

    assert_eq!(counter.job(job).await["summary"]["status"], "empty");
    let list = unreached(&counter).await;
    assert_eq!((&list[0]["empty"], &list[0]["next"]["id"]), (&json!(1), &json!("register_empty")));
}

#[tokio::test]
async fn b14_a_consent_that_is_taken_back_hides_groups_on_the_phone_at_its_next_exchange() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let shown = json!({"what": "group_shown", "group": "disabled", "text": "残疾人证"});
    assert_eq!(wrote(&counter, &shown).await, 201);
    let job = given(&counter, &ana, "hose_replacement").await;
    ana.synced().await;
    let groups = |ana: &Technician| {
        ana.phone.job(job).expect("it is there").job.briefing.household.groups.len()
    };
    assert_eq!(groups(&ana), 1);

    let withdrawn = json!({"what": "consent_withdrawn", "purpose": "groups", "channel": "phone"});
    assert_eq!(wrote(&counter, &withdrawn).await, 201);
    ana.synced().await;
    assert_eq!(groups(&ana), 0);

    let given =
        json!({"what": "consent_given", "purpose": "groups", "channel": "phone", "text": "2026-1"});
    assert_eq!(wrote(&counter, &given).await, 201);
    ana.synced().await;
    assert_eq!(groups(&ana), 1, "what holds again is shown again");
}

/// A job given to somebody, from ten to twelve of the first day.
pub(crate) async fn given(counter: &Counter, technician: &Technician, kind: &str) -> JobId {
    let job = agreed(counter, kind, MORNING_MS + HOUR_MS).await;
    let given = json!({"technician": technician.user});
    assert_eq!(counter.add(job, "assignments", &given).await.status, 201);
    job
}

pub(crate) async fn enter(technician: &mut Technician, job: JobId) {
    technician.phone.arrive(job, None).await.expect("it is there");
    for item in Pack::builtin().conduct {
        let fact = Fact::Conduct { item: item.id, answer: Answer::Done };
        technician.phone.record(job, fact).await.expect("it is there");
    }
}

pub(crate) async fn find(technician: &mut Technician, job: JobId, item: &str) -> FactId {
    enter(technician, job).await;
    technician.phone.find_hazard(job, item, "厨房".to_owned()).await.expect("it is there").fact
}

pub(crate) async fn hazards(counter: &Counter) -> Value {
    let reply = counter.node.get("/api/hazards", &counter.dispatcher).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

pub(crate) async fn unreached(counter: &Counter) -> Vec<Value> {
    let reply = counter.node.get("/api/unreached", &counter.dispatcher).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["households"].as_array().expect("it is there").clone()
}

/// Writes into the household's ledger; tells the status.
pub(crate) async fn wrote(counter: &Counter, entry: &Value) -> u16 {
    let path = format!("/api/households/{HOME}/entries");
    let reply = counter.node.post(&path, Some(&counter.dispatcher), entry).await;
    if reply.status == 201 {
        assert!(!text(&reply.body["entry"]).is_empty());
    }
    reply.status.as_u16()
}
