//! A household's ledger: groups with evidence, consents, hazards, hoses, and what of it reaches a technician's briefing.

use chrono::NaiveDate;
use domain::hazard::NoticeAnswer;
use domain::hose::Replacement;
use domain::household::{Group, Hose, HoseKind, Meter, PastReading};
use domain::id::{HoseId, HouseholdId, JobId, MeterId};
use domain::measure::Volume;
use domain::reading::ReadingState;
use domain::visit::Fact;
use serde_json::{Value, json};
use server::db::{hoses, households, meters};
use server::identity::Role;
use uuid::Uuid;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{Reply, text};

const HOME: HouseholdId = HouseholdId(Uuid::from_u128(0x40));
const HOSE: HoseId = HoseId(Uuid::from_u128(0x51));
const METER: MeterId = MeterId(Uuid::from_u128(0x61));

/// A hall whose household has an old hose, a meter and an elderly holder.
struct Desk {
    counter: Counter,
    ana: String,
}

impl Desk {
    async fn open() -> Self {
        let counter = Counter::open().await;
        let mut tx = counter.hall.db.begin().await.expect("the tests' own calls work");
        let household = households::find_household(tx.c(), counter.hall.id, HOME)
            .await
            .expect("the tests' own calls work");
        let mut household = household.expect("the tests' own calls work");
        household.groups = [Group::Elderly].into();
        let stored = households::upsert_households(tx.c(), counter.hall.id, &[household]).await;
        stored.expect("the tests' own calls work");
        let hose = Hose {
            id: HOSE,
            kind: HoseKind::Rubber,
            length_mm: 1500,
            installed_on: day("2024-01-31"),
            is_estimated: false,
            joints: None,
        };
        hoses::upsert_hoses(tx.c(), &[(HOME, hose)]).await.expect("the tests' own calls work");
        let had = Replacement { job: None, installed: HOSE, on: day("2024-01-31"), free: true };
        hoses::upsert_replacements(tx.c(), &[(HOME, had)])
            .await
            .expect("the tests' own calls work");
        let (register, state) = (Volume(100_000), ReadingState::Seen);
        let readings = vec![PastReading { on: day("2026-01-02"), register, state }];
        let meter = Meter { readings, ..Meter::new(METER, "77", "G4", 5) };
        meters::upsert_meters(tx.c(), &[(HOME, meter)]).await.expect("the tests' own calls work");
        tx.commit().await.expect("the tests' own calls work");
        counter.hall.person("ana", Role::Hall).await;
        let ana = counter.node.sign_in("ana").await;
        Self { counter, ana }
    }

    async fn show(&self) -> Value {
        let path = format!("/api/households/{HOME}");
        let reply = self.counter.node.get(&path, &self.counter.dispatcher).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    async fn write(&self, body: Value) -> Reply {
        let path = format!("/api/households/{HOME}/entries");
        self.counter.node.post(&path, Some(&self.ana), &body).await
    }

    async fn written(&self, body: Value) {
        let reply = self.write(body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// What a technician is told of the household with a job taken on now.
    async fn briefing(&self) -> Value {
        let body = json!({"kind": "repair", "account": ACCOUNT});
        let dora = Some(self.counter.dispatcher.as_str());
        let made = self.counter.node.post("/api/jobs", dora, &body).await;
        let job: JobId = text(&made.body["id"]).parse().expect("the tests' own calls work");
        self.counter.job(job).await["job"]["briefing"].clone()
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests' own calls work")
}

#[tokio::test]
async fn b14_a_paper_that_was_seen_makes_a_group_hold_until_it_is_over() {
    let mut desk = Desk::open().await;
    let before = desk.show().await;
    assert_eq!(before["groups"][0]["evidence"], "register_only");
    assert_eq!(before["entitlement"], json!({"entitlement": "free", "group": "elderly"}));

    let seen = json!({"what": "group_shown", "group": "disabled", "text": "残疾证 3401", "until": "2026-03-03"});
    desk.written(seen).await;
    let gone = json!({"what": "group_withdrawn", "group": "elderly", "text": "老人已搬走"});
    desk.written(gone.clone()).await;

    let shown = desk.show().await;
    assert_eq!(shown["household"]["groups"], json!(["disabled"]));
    let known: Vec<_> = shown["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["group"], &it["evidence"]))
        .collect();
    assert_eq!(
        known,
        [(&json!("elderly"), &json!("withdrawn")), (&json!("disabled"), &json!("seen"))]
    );
    assert_eq!(shown["groups"][1]["text"], "残疾证 3401");
    assert_eq!(desk.briefing().await["household"]["groups"], json!(["disabled"]));
    assert_eq!(desk.write(gone).await.status, 409);
    desk.counter.wait_minutes(2 * 24 * 60, &[]).await;
    desk.ana = desk.counter.node.sign_in("ana").await;
    let over = desk.show().await;
    assert_eq!(over["groups"][1]["evidence"], "expired");
    assert_eq!(over["entitlement"], json!({"entitlement": "not_in_group"}));
    assert_eq!(desk.briefing().await["household"]["groups"], json!([]));
}

#[tokio::test]
async fn check_65_a_consent_taken_back_hides_groups_from_the_page_the_search_and_the_next_briefing()
{
    let desk = Desk::open().await;
    let search = async || {
        let path = format!("/api/households?text={ACCOUNT}");
        let found = desk.counter.node.get(&path, &desk.ana).await.body;
        found["households"][0]["groups"].clone()
    };
    let given = json!({"what": "consent_given", "purpose": "groups", "channel": "counter", "text": "2026-01 版"});
    desk.written(given.clone()).await;
    let shown = desk.show().await;
    assert_eq!(shown["consents"][0]["state"], "given");
    assert_eq!(
        (&shown["consents"][0]["version"], &shown["consents"][1]["state"]),
        (&json!("2026-01 版"), &Value::Null)
    );
    desk.written(json!({"what": "group_shown", "group": "disabled", "text": "残疾证 3401"})).await;

    let before = json!({"kind": "repair", "account": ACCOUNT});
    let dora = Some(desk.counter.dispatcher.as_str());
    let before = desk.counter.node.post("/api/jobs", dora, &before).await;
    let before: JobId = text(&before.body["id"]).parse().unwrap();
    let taken_back = json!({"what": "consent_withdrawn", "purpose": "groups", "channel": "phone"});
    desk.written(taken_back.clone()).await;

    let shown = desk.show().await;
    assert_eq!((&shown["groups_withheld"], &shown["groups"]), (&json!(true), &json!([])));
    assert_eq!(shown["household"]["groups"], json!([]));
    let said = shown.to_string();
    assert!(
        !said.contains("elderly") && !said.contains("disabled") && !said.contains("残疾证"),
        "{said}"
    );
    let briefed_before = desk.counter.job(before).await["job"]["briefing"]["household"].clone();
    assert_eq!(briefed_before["groups"], json!([]), "a job from before shows none either");
    assert_eq!(
        (search().await, &desk.briefing().await["household"]["groups"]),
        (json!([]), &json!([]))
    );
    let again = desk.write(taken_back).await;
    assert_eq!((again.status.as_u16(), again.problem()), (409, "ledger-state"));
    let paper = json!({"what": "group_shown", "group": "elderly", "text": "老年证"});
    assert_eq!(desk.write(paper).await.status, 409, "nothing of it is kept without consent");
    desk.written(given).await;
    assert_eq!(search().await, json!(["elderly", "disabled"]));
}

#[tokio::test]
async fn a_correction_of_telephone_and_way_in_is_kept_with_its_author_and_reaches_the_next_briefing()
 {
    let desk = Desk::open().await;
    desk.written(json!({"what": "contact", "phone": "13800138000", "access": "门禁 1234"})).await;

    let briefed = desk.briefing().await;
    assert_eq!(
        (&briefed["household"]["phone"], &briefed["household"]["access"]),
        (&json!("13800138000"), &json!("门禁 1234"))
    );
    let entry = &desk.show().await["entries"][0];
    assert_eq!(
        (&entry["phone_before"], &entry["access_before"]),
        (&json!("05530200000"), &json!(""))
    );
    assert!(entry["by"].is_string() && entry["at"].is_i64());
    for wrong in [
        json!({"phone": "138-0013"}),
        json!({"phone": ""}),
        json!({}),
        json!({"access": "长".repeat(501)}),
    ] {
        let mut body = wrong.clone();
        body["what"] = json!("contact");
        assert_eq!(desk.write(body).await.status, 422, "{wrong}");
    }
    for lacking in
        ["group_shown", "group_withdrawn", "consent_given", "consent_withdrawn", "hazard_cleared"]
    {
        assert_eq!(
            desk.write(json!({"what": lacking, "text": "x"})).await.status,
            422,
            "{lacking}"
        );
    }
}

#[tokio::test]
async fn b14_a_hose_changed_at_the_door_hangs_from_then_on_and_uses_up_the_years_free_one() {
    let desk = Desk::open().await;
    let before = desk.show().await;
    assert_eq!(
        (&before["hoses"][0]["is_overdue"], &before["hoses"][0]["age_months"]),
        (&json!(true), &json!(25))
    );
    assert_eq!(before["hoses"][0]["life_months"], 18);
    let (mut tom, job) = enter(&desk).await;
    let at = tom.phone.job(job).unwrap().job.created_at;
    let installed = Hose {
        id: HoseId(Uuid::from_u128(0x52)),
        kind: HoseKind::Corrugated,
        length_mm: 1500,
        installed_on: at.date_naive(),
        is_estimated: false,
        joints: None,
    };
    tom.phone
        .record(
            job,
            Fact::HoseReplaced { removed: Some(HOSE), installed, free: true, lot: String::new() },
        )
        .await
        .unwrap();
    tom.synced().await;

    let after = desk.show().await;
    let hanging: Vec<_> = after["hoses"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(hanging, [&json!(installed.id)]);
    assert_eq!(after["entitlement"]["entitlement"], "used_up");
    assert_eq!(after["replacements"].as_array().unwrap().len(), 2);
    let briefed = desk.briefing().await;
    assert_eq!(briefed["hoses"][0]["id"], json!(installed.id));
    assert_eq!(briefed["replacements"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&after["visits"][0]["technician"], &after["visits"][0]["kind"]),
        (&json!(tom.user), &json!("repair"))
    );
}

#[tokio::test]
async fn a_hazard_is_open_overdue_or_cleared_with_who_said_so() {
    let mut desk = Desk::open().await;
    let (mut tom, job) = enter(&desk).await;
    let found =
        tom.phone.find_hazard(job, "no_flame_failure_device", "厨房".to_owned()).await.unwrap();
    tom.synced().await;
    let state = async |desk: &Desk| desk.show().await["hazards"][0].clone();

    let open = state(&desk).await;
    assert_eq!(
        (&open["state"], &open["deadline"], &open["notice_given"]),
        (&json!("open"), &json!("2026-03-09"), &json!(false))
    );
    let refused = NoticeAnswer::RefusedToSign { reason: "拒签".to_owned() };
    tom.phone.give_notice(job, found.fact, refused).await.unwrap();
    tom.synced().await;
    desk.counter.wait_minutes(8 * 24 * 60, &[&tom]).await;
    desk.ana = desk.counter.node.sign_in("ana").await;
    let overdue = state(&desk).await;
    assert_eq!((&overdue["state"], &overdue["notice_given"]), (&json!("overdue"), &json!(true)));
    let place = json!({"job": job, "visit": found.visit, "fact": found.fact});
    let cleared = json!({"what": "hazard_cleared", "hazard": place, "text": "复查合格"});
    let mut elsewhere = cleared.clone();
    elsewhere["hazard"]["fact"] = json!(Uuid::from_u128(5));
    assert_eq!(desk.write(elsewhere).await.status, 404);
    assert_eq!(desk.write(cleared).await.status, 409, "a grave one is closed in person");
    let advice = tom.phone.find_hazard(job, "stove_near_wall", "厨房".to_owned()).await.unwrap();
    tom.synced().await;
    let place = json!({"job": job, "visit": advice.visit, "fact": advice.fact});
    let cleared = json!({"what": "hazard_cleared", "hazard": place, "text": "复查合格"});
    desk.written(cleared.clone()).await;

    let shown = desk.show().await["hazards"].as_array().unwrap().clone();
    let gone = shown.iter().find(|it| it["fact"] == json!(advice.fact)).unwrap();
    assert_eq!((&gone["state"], &gone["cleared"]["text"]), (&json!("cleared"), &json!("复查合格")));
    assert_eq!(desk.write(cleared).await.status, 409);
}

#[tokio::test]
async fn a9_readings_of_register_and_visits_stand_in_one_row_with_their_verdicts() {
    let desk = Desk::open().await;
    let (mut tom, job) = enter(&desk).await;
    let first = tom.phone.read_meter(job, METER, Some(Volume(150_000))).await.unwrap();
    tom.phone.correct_reading(job, first.saved.fact, Some(Volume(105_000))).await.unwrap();
    tom.synced().await;

    let meters = desk.show().await["meters"].clone();
    let readings = meters[0]["readings"].as_array().unwrap();
    let told: Vec<_> = readings.iter().map(|it| (&it["on"], &it["register"])).collect();
    assert_eq!(
        told,
        [(&json!("2026-01-02"), &json!(100_000)), (&json!("2026-03-02"), &json!(105_000))]
    );
    assert!(readings[1]["finding"].is_string() && readings[1]["job"] == json!(job));
}

#[tokio::test]
async fn a_household_page_has_its_jobs_and_cases_and_another_hall_sees_nothing() {
    let desk = Desk::open().await;
    let body = json!({"kind": "question", "channel": "phone", "account": ACCOUNT, "words": "气价"});
    assert_eq!(desk.counter.node.post("/api/cases", Some(&desk.ana), &body).await.status, 201);
    desk.briefing().await;

    let shown = desk.show().await;
    assert_eq!(
        (&shown["jobs"][0]["kind"], &shown["cases"][0]["words"]),
        (&json!("repair"), &json!("气价"))
    );
    let listed = format!("/api/jobs?household={HOME}");
    let jobs = desk.counter.node.get(&listed, &desk.ana).await.body;
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1);
    let elsewhere = crate::reports::another_hall(&desk.counter.hall).await;
    desk.counter.hall.person_in(elsewhere, "eve", Role::Manager).await;
    let eve = desk.counter.node.sign_in("eve").await;
    let path = format!("/api/households/{HOME}");
    assert_eq!(desk.counter.node.get(&path, &eve).await.status, 404);
    let entry = json!({"what": "contact", "phone": "13800138000"});
    let refused = desk.counter.node.post(&format!("{path}/entries"), Some(&eve), &entry).await;
    assert_eq!(refused.status, 404);
}

/// A technician who has been let in.
async fn enter(desk: &Desk) -> (crate::counter::Technician, JobId) {
    let mut tom = desk.counter.hire("tom").await;
    let job = desk.counter.job_for(tom.user).await;
    tom.synced().await;
    tom.phone.arrive(job, None).await.expect("at the door");
    for phase in [domain::conduct::Phase::AtTheDoor, domain::conduct::Phase::BeforeEntering] {
        tom.phone.answer_rest_as_done(job, phase).await.expect("let in");
    }
    (tom, job)
}
