//! Applications over HTTP: complete, accepted at once; incomplete, everything missing said once; to first gas in one trip.

use domain::conduct::Phase;
use domain::household::Meter;
use domain::id::{HouseholdId, JobId, MeterId};
use domain::measure::Volume;
use domain::visit::{Fact, Outcome};
use reqwest::Method;
use serde_json::{Value, json};
use server::command::rebuild::Rebuild;
use server::db::meters;
use server::identity::Role;
use uuid::Uuid;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::exports::bytes;
use crate::figures::{cells, cells_of, report};
use crate::hall::{MORNING_MS, Reply, text};

const DAYS: &str = "from=2026-03-02&to=2026-03-08";
const HOUR_MS: i64 = 3_600_000;

/// A hall with somebody at the counter.
pub(crate) struct Desk {
    pub(crate) counter: Counter,
    ana: String,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let counter = Counter::open().await;
        counter.hall.person("ana", Role::Hall).await;
        let ana = counter.node.sign_in("ana").await;
        Self { counter, ana }
    }

    async fn take(&self, body: Value) -> String {
        let reply = self.counter.node.post("/api/applications", Some(&self.ana), &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        text(&reply.body["id"])
    }

    pub(crate) async fn of(&self, procedure: &str, channel: &str, more: Value) -> String {
        let mut body = json!({"procedure": procedure, "channel": channel, "account": ACCOUNT});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.take(body).await
    }

    pub(crate) async fn show(&self, id: &str) -> Value {
        let reply = self.counter.node.get(&format!("/api/applications/{id}"), &self.ana).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    async fn add(&self, id: &str, body: Value) -> Reply {
        let path = format!("/api/applications/{id}/events");
        self.counter.node.post(&path, Some(&self.ana), &body).await
    }

    pub(crate) async fn added(&self, id: &str, bodies: &[Value]) -> Value {
        let mut last = Value::Null;
        for body in bodies {
            let reply = self.add(id, body.clone()).await;
            assert_eq!(reply.status, 201, "{body}: {reply:?}");
            last = reply.body;
        }
        last
    }

    pub(crate) async fn household(&self) -> Value {
        let found = format!("/api/households?text={ACCOUNT}");
        let found = self.counter.node.get(&found, &self.ana).await.body;
        let id = text(&found["households"][0]["id"]);
        self.counter.node.get(&format!("/api/households/{id}"), &self.ana).await.body
    }
}

pub(crate) fn see(item: &str) -> Value {
    json!({"act": "see", "item": item, "name": "章思雨", "digits": "123X"})
}

pub(crate) fn pay(item: &str, amount: i64) -> Value {
    json!({"act": "pay", "item": item, "amount": amount, "receipt": "S-0917"})
}

pub(crate) fn declare(item: &str) -> Value {
    json!({"act": "declare", "item": item, "text": "收费系统已查"})
}

fn said() -> Value {
    json!({"act": "say_missing", "channel": "counter"})
}

/// What is missing, in the words of the household.
fn missing(shown: &Value) -> Vec<String> {
    shown["missing"].as_array().expect("a list").iter().map(|it| text(&it["zh"])).collect()
}

fn all_of_transfer() -> [Value; 5] {
    [
        see("holder_id"),
        see("new_holder_id"),
        see("property"),
        declare("bill_settled"),
        pay("transfer_fee", 500),
    ]
}

#[tokio::test]
async fn c7_incomplete_everything_missing_is_said_once_and_the_second_visit_settles_it() {
    let desk = Desk::open().await;
    let more = json!({"new_holder": "李强"});
    let id = desk.of("transfer", "counter", more).await;

    desk.added(&id, &[see("holder_id")]).await;
    let shown = desk.show(&id).await;
    assert_eq!(
        missing(&shown),
        [
            "请带：新户主身份证",
            "请带：房产证或购房合同",
            "须先办妥：燃气费已结清",
            "应缴：过户费 5.00 元"
        ]
    );
    let early = desk.add(&id, json!({"act": "accept"})).await;
    assert_eq!((early.status.as_u16(), early.problem()), (409, "application-state"));
    assert_eq!(early.body["reason"], "missing");
    desk.added(&id, &[said()]).await;
    assert_eq!(desk.show(&id).await["application"]["state"], "incomplete");
    desk.added(&id, &[json!({"act": "come", "channel": "counter"})]).await;
    desk.added(&id, &all_of_transfer()[1..]).await;
    desk.added(&id, &[json!({"act": "accept"})]).await;

    let done = desk.show(&id).await;
    assert_eq!(done["application"]["state"], "done");
    assert_eq!(done["application"]["trips"], 2);
    assert_eq!(done["application"]["breaches"], 0);
    let papers = report(&desk.counter, "trips", DAYS).await["papers"].clone();
    assert_eq!(cells(&papers, "transfer"), cells_of(&[("second", 1)]));
    let behind = format!(
        "/api/exports/figures/papers/behind?{DAYS}&line=transfer&column=second&format=csv&lang=zh"
    );
    let (_, _, file) = bytes(&desk.counter, &behind, &desk.ana).await;
    assert!(String::from_utf8_lossy(&file).contains(",过户,"), "a procedure is called by its name");
}

#[tokio::test]
async fn c7_a_second_visit_sent_away_for_something_new_is_counted_as_a_breach_and_shown() {
    let desk = Desk::open().await;
    let id = desk.of("transfer", "counter", json!({"new_holder": "李强"})).await;
    desk.added(&id, &[said(), json!({"act": "come", "channel": "counter"})]).await;
    desk.added(&id, &[json!({"act": "turn_out", "circumstances": ["agent"]}), said()]).await;

    let shown = desk.show(&id).await;
    let listed = desk.counter.node.get("/api/applications?breached=true", &desk.ana).await.body;
    let figures = report(&desk.counter, "trips", DAYS).await;

    assert_eq!(shown["application"]["breaches"], 1);
    assert_eq!(listed["applications"][0]["id"], json!(id));
    assert_eq!(listed["counts"]["breached"], 1);
    assert_eq!(cells(&figures["papers"], "transfer"), cells_of(&[("breach", 1)]));
    let at = figures["papers"]["columns"].as_array().unwrap().iter();
    let at = at.into_iter().position(|it| it["key"] == "breach").unwrap();
    assert_eq!(figures["papers"]["total"]["cells"][at]["applications"], json!([id]));
}

#[tokio::test]
async fn c2_a_transfer_changes_the_holder_from_that_day_and_the_ledger_keeps_the_old_one() {
    let desk = Desk::open().await;
    let more = json!({"new_holder": "李强", "new_phone": "05530299999"});
    let id = desk.of("transfer", "counter", more).await;
    let other_fee = desk.add(&id, pay("transfer_fee", 600)).await;
    assert_eq!((other_fee.status.as_u16(), other_fee.problem()), (422, "application-refused"));
    assert_eq!(other_fee.body["reason"], "other_fee");
    desk.added(&id, &all_of_transfer()).await;
    assert_eq!(desk.household().await["household"]["holder"], "章思雨");

    let accepted = desk.added(&id, &[json!({"act": "accept"})]).await;

    assert_eq!(accepted["jobs"], json!([]));
    let home = desk.household().await;
    assert_eq!(home["household"]["holder"], "李强");
    assert_eq!(home["household"]["phone"], "05530299999");
    let entry = home["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&entry["type"], &entry["holder_before"]),
        (&json!("holder_changed"), &json!("章思雨"))
    );
    assert_eq!(entry["application"], json!(id));
    assert_eq!(home["applications"][0]["id"], json!(id));
    let nameless = json!({"procedure": "transfer", "channel": "counter", "account": ACCOUNT});
    let refused = desk.counter.node.post("/api/applications", Some(&desk.ana), &nameless).await;
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn c4_an_ignition_is_made_with_a_window_agreed_by_phone_and_closes_with_the_contract_signed()
{
    let desk = Desk::open().await;
    let mut tom = desk.counter.hire("tom").await;
    put_up_meter(&desk.counter).await;
    let id = desk.of("ignition", "phone", json!({})).await;
    desk.added(&id, &[declare("not_by_themselves")]).await;
    let without = desk.add(&id, json!({"act": "accept"})).await;
    assert_eq!((without.status.as_u16(), without.problem()), (422, "unprocessable"));

    let job = accepted_ignition(&desk, &id).await;
    give(&desk.counter, job, &mut tom).await;
    walk_in(&mut tom, job).await;
    let missing = tom.phone.close(job, Outcome::Done).await.unwrap_err().to_string();
    assert!(missing.contains("still missing"), "{missing}");
    burn(&mut tom, job).await;

    let shown = desk.show(&id).await;
    assert_eq!(shown["application"]["state"], "done");
    assert_eq!(shown["application"]["trips"], 0);
    let facts = desk.counter.job(job).await["job"]["visits"].to_string();
    assert!(facts.contains("contract_signed") && facts.contains("HT-0412"), "{facts}");
}

#[tokio::test]
async fn c6_a_meter_is_sealed_only_for_three_months_or_more_away() {
    let desk = Desk::open().await;
    let id = desk.of("sealing", "counter", json!({})).await;
    let away = |months| json!({"act": "declare", "item": "away_months", "number": months});
    desk.added(&id, &[see("holder_id"), declare("bill_settled"), away(2)]).await;

    assert_eq!(missing(&desk.show(&id).await), ["须先办妥：外出 3 个月以上"]);
    desk.added(&id, &[away(3)]).await;
    let accepted = desk.added(&id, &[json!({"act": "accept"})]).await;

    let job: JobId = text(&accepted["jobs"][0]).parse().unwrap();
    assert_eq!(desk.counter.job(job).await["job"]["kind"], "sealing");
}

#[tokio::test]
async fn b16_an_opened_account_is_followed_to_first_gas_with_the_trips_that_it_cost() {
    let mut desk = Desk::open().await;
    let mut tom = desk.counter.hire("tom").await;
    put_up_meter(&desk.counter).await;
    let opened = desk.of("installation", "counter", json!({})).await;
    desk.added(&opened, &[said(), json!({"act": "come", "channel": "phone"})]).await;
    desk.added(&opened, &[json!({"act": "come", "channel": "counter"})]).await;
    desk.added(&opened, &[see("holder_id"), see("invoice"), pay("installation_fee", 0)]).await;
    let made = desk.added(&opened, &[json!({"act": "accept"})]).await;
    assert_eq!(made["jobs"].as_array().unwrap().len(), 2);
    for job in made["jobs"].as_array().unwrap() {
        let page = desk.counter.job(text(job).parse().unwrap()).await;
        assert_eq!(page["summary"]["promise"]["rule"], "B1", "it runs from complete papers");
    }
    let before = report(&desk.counter, "trips", DAYS).await;
    assert_eq!(cells(&before["trips"], "on_the_way"), cells_of(&[("2", 1)]));

    desk.counter.wait_minutes(2 * 24 * 60, &[&tom]).await;
    desk.ana = desk.counter.node.sign_in("ana").await;
    let lit = desk.of("ignition", "phone", json!({})).await;
    desk.added(&lit, &[declare("not_by_themselves")]).await;
    let job = accepted_ignition(&desk, &lit).await;
    give(&desk.counter, job, &mut tom).await;
    walk_in(&mut tom, job).await;
    burn(&mut tom, job).await;
    // A way to the hall after gas burned is none of those that it cost.
    desk.counter.wait_minutes(1, &[]).await;
    desk.ana = desk.counter.node.sign_in("ana").await;
    let later = desk.of("sealing", "counter", json!({})).await;
    desk.added(&later, &[json!({"act": "come", "channel": "counter"})]).await;

    let after = report(&desk.counter, "trips", DAYS).await;
    assert_eq!(after["trips"]["total"]["rates"], json!([0.0]));
    assert_eq!(cells(&after["trips"], "burning"), cells_of(&[("2", 1)]));
    assert_eq!(cells(&after["first_gas"], "2"), cells_of(&[("5", 1)]));
    let path = format!("/api/exports/figures/trips?{DAYS}&format=csv");
    let file = desk.counter.node.get(&path, &desk.ana).await;
    assert_eq!(file.status, 200);
}

#[tokio::test]
async fn c1_a_home_that_no_register_knows_is_taken_down_to_open_an_account() {
    let desk = Desk::open().await;
    let body = json!({"procedure": "installation", "channel": "counter", "place": "新城花园3幢501室",
        "applicant": "赵敏", "contact": "05530211111", "circumstances": ["invoice_lost"]});
    let id = desk.take(body).await;

    let shown = desk.show(&id).await;
    let household = &shown["application"]["household"];
    assert_eq!(
        (&household["address"], &household["holder"]),
        (&json!("新城花园3幢501室"), &json!("赵敏"))
    );
    assert!(missing(&shown).contains(&"须先办妥：发票遗失声明（写明经过并签字）".to_owned()));
    let closed = json!({"procedure": "sealing", "channel": "counter", "place": "新城花园3幢501室"});
    let refused = desk.counter.node.post("/api/applications", Some(&desk.ana), &closed).await;
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn b4_whoever_takes_an_application_owns_it_until_somebody_takes_it_over() {
    let desk = Desk::open().await;
    let ben_id = desk.counter.hall.person("ben", Role::Hall).await;
    let ben = desk.counter.node.sign_in("ben").await;
    let id = desk.of("ignition", "phone", json!({})).await;
    let path = format!("/api/applications/{id}/events");
    let over = json!({"act": "take_over", "text": "同事休假"});

    assert_eq!(desk.add(&id, over.clone()).await.body["reason"], "owner_already");
    let taken = desk.counter.node.post(&path, Some(&ben), &over).await;

    assert_eq!(taken.status, 201, "{taken:?}");
    assert_eq!(desk.show(&id).await["application"]["owner"], json!(ben_id));
}

#[tokio::test]
async fn what_is_seen_of_papers_is_kept_by_last_digits_and_whoever_looks_is_entered() {
    let desk = Desk::open().await;
    let id = desk.of("transfer", "counter", json!({"new_holder": "李强"})).await;
    let whole = json!({"act": "see", "item": "holder_id", "digits": "340202199001011234"});
    assert_eq!(desk.add(&id, whole).await.body["reason"], "too_many_digits");
    desk.added(&id, &[see("holder_id")]).await;

    let shown = desk.show(&id).await;
    assert_eq!(shown["seen"][0]["digits"], "123X");
    let list = desk.counter.node.get("/api/applications", &desk.ana).await.body.to_string();
    assert!(!list.contains("123X"));
    let read = async || {
        let path = format!("/api/audit?what=application_read&subject={id}");
        let entries = desk.counter.node.get(&path, &desk.counter.manager).await.body;
        entries["entries"].as_array().expect("a list").len()
    };
    while read().await == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_application_that_changed_meanwhile_is_not_edited_and_another_hall_sees_nothing() {
    let desk = Desk::open().await;
    let id = desk.of("ignition", "phone", json!({})).await;
    let strange = "/api/applications/00000000-0000-0000-0000-000000000009";
    assert_eq!(desk.counter.node.get(strange, &desk.ana).await.status, 404);
    let first = desk.added(&id, &[declare("not_by_themselves")]).await;
    assert_eq!(first["version"], 2);

    let strike = json!({"act": "strike", "item": "not_by_themselves", "text": "没说清"});
    let path = format!("/api/applications/{id}/events");
    let (asked, seen) = ((Method::POST, path.as_str()), [("if-match", "\"1\"")]);
    let stale = desk.counter.node.send_with(asked, &desk.ana, &seen, Some(&strike)).await;
    assert_eq!(stale.status(), 412);
    desk.added(&id, &[strike]).await;
    assert_eq!(missing(&desk.show(&id).await), ["须先办妥：已告知用户切勿自行接气"]);
}

#[tokio::test]
async fn a_rebuild_derives_the_same_standing_of_applications() {
    let desk = Desk::open().await;
    let id = desk.of("transfer", "counter", json!({"new_holder": "李强"})).await;
    desk.added(&id, &[see("holder_id"), said()]).await;
    let before = desk.show(&id).await["application"].clone();

    let config = &desk.counter.hall.config;
    Rebuild::of(&config.database.0).run(config, &mut Vec::new()).await.unwrap();

    assert_eq!(desk.show(&id).await["application"], before);
}

/// Agrees a window with the household and accepts; the job is the ignition.
async fn accepted_ignition(desk: &Desk, id: &str) -> JobId {
    let ten = desk.counter.hall.config.clock.now_ms() + HOUR_MS;
    assert!(ten > MORNING_MS);
    let window = json!({"start": ten, "end": ten + 2 * HOUR_MS});
    let appointment = json!({"window": window, "channel": "phone"});
    let made = desk.added(id, &[json!({"act": "accept", "appointment": appointment})]).await;
    text(&made["jobs"][0]).parse().expect("a job")
}

pub(crate) async fn give(counter: &Counter, job: JobId, technician: &mut Technician) {
    let body = json!({"technician": technician.user});
    let given = counter.add(job, "assignments", &body).await;
    assert_eq!(given.status, 201, "{given:?}");
    technician.synced().await;
}

async fn walk_in(technician: &mut Technician, job: JobId) {
    technician.phone.arrive(job, None).await.expect("at the door");
    for phase in [Phase::AtTheDoor, Phase::BeforeEntering, Phase::BeforeLeaving] {
        technician.phone.answer_rest_as_done(job, phase).await.expect("answered");
    }
    technician.phone.test_tightness(job, true).await.expect("tight");
    technician.phone.read_meter(job, meter(), Some(Volume(3_000))).await.expect("read");
    technician.phone.switch_gas(job, true).await.expect("it burns");
    let signed = Fact::Signed { hash: "b2".repeat(32) };
    technician.phone.record(job, signed).await.expect("signed");
}

async fn burn(technician: &mut Technician, job: JobId) {
    technician.phone.sign_contract(job, "HT-0412".to_owned()).await.expect("signed");
    technician.phone.close(job, Outcome::Done).await.expect("done");
    technician.synced().await;
}

pub(crate) fn meter() -> MeterId {
    MeterId(Uuid::from_u128(0x77))
}

/// Puts a meter without a past on the wall of the tests' household.
pub(crate) async fn put_up_meter(counter: &Counter) {
    let home = HouseholdId(Uuid::from_u128(0x40));
    let it = Meter::new(meter(), "G-0412", "G2.5", 5);
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    meters::upsert_meters(tx.c(), &[(home, it)]).await.expect("a meter");
    tx.commit().await.expect("a commit");
}
