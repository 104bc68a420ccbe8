//! Cash at home (B15): numbers of one phone, a balance to the fen, and receipts that contradict each other.

use domain::id::{JobId, UserId};
use domain::measure::Fen;
use domain::visit::{Fact, live_facts};
use serde_json::{Value, json};
use server::command::rebuild::Rebuild;
use server::db::C;
use server::identity::Role;
use uuid::Uuid;

use crate::counter::{Counter, Technician};
use crate::hall::{MORNING_MS, text};
use crate::told::agreed;

const HOUR_MS: i64 = 3_600_000;
const TODAY: &str = "2026-03-02";

#[tokio::test]
async fn b15_a_day_balances_to_the_fen_and_facts_of_days_later_change_it() {
    let mut counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let (hers, his) = (given(&counter, &ana).await, given(&counter, &ben).await);
    ana.synced().await;
    ben.synced().await;
    counter.wait_minutes(90, &[&ana, &ben]).await;
    paid(&mut ana, hers, 12_350).await;
    paid(&mut ben, his, 99).await;
    ana.synced().await;

    let before = day(&counter, TODAY).await;
    let row = of(&before, ana.user);
    assert_eq!(sums(row), (12_350, 0, -12_350));
    assert_eq!(before["receipts"][0]["receipt"], "00000001");
    assert_eq!(before["receipts"][0]["is_reserved"], true);
    assert_eq!(count(&counter, ana.user, TODAY, 12_349).await, 201);
    assert_eq!(sums(of(&day(&counter, TODAY).await, ana.user)), (12_350, 12_349, -1));
    assert_eq!(count(&counter, ana.user, TODAY, 1).await, 201);
    let even = day(&counter, TODAY).await;
    assert_eq!(sums(of(&even, ana.user)), (12_350, 12_350, 0));
    assert_eq!(even["hand_ins"][0]["author"], "MARA");

    counter.wait_minutes(2 * 24 * 60, &[&ana, &ben]).await;
    assert!(of(&day(&counter, TODAY).await, ben.user).is_null(), "nobody heard of his");
    ben.synced().await;
    let late = day(&counter, TODAY).await;
    assert_eq!(sums(of(&late, ben.user)), (99, 0, -99), "the day of the fact, not of its arrival");
    assert_eq!(of(&late, ben.user)["carried"], 99);
}

#[tokio::test]
async fn b15_the_balance_says_since_when_a_phone_was_not_heard() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = given(&counter, &ana).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    paid(&mut ana, job, 100).await;
    ana.synced().await;
    let heard = counter.hall.config.clock.now_ms();

    counter.wait_minutes(24 * 60, &[&ana]).await;
    let silent = day(&counter, TODAY).await;
    ana.synced().await;
    let heard_since = day(&counter, TODAY).await;

    assert_eq!(of(&silent, ana.user)["is_open"], true);
    assert_eq!(of(&silent, ana.user)["heard_at"], heard);
    assert_eq!(of(&heard_since, ana.user)["is_open"], false);
}

#[tokio::test]
async fn b15_a_receipt_taken_back_is_void_keeps_its_number_and_counts_nothing() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = given(&counter, &ana).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    let wrong = paid(&mut ana, job, 12_350).await;
    ana.phone.withdraw(job, wrong, "金额写错".to_owned()).await.expect("it is there");
    paid(&mut ana, job, 12_530).await;

    ana.synced().await;

    let seen = day(&counter, TODAY).await;
    let receipts = seen["receipts"].as_array().expect("it is there");
    let said = |at: usize| (&receipts[at]["receipt"], &receipts[at]["is_void"]);
    assert_eq!(said(0), (&json!("00000001"), &json!(true)));
    assert_eq!(said(1), (&json!("00000002"), &json!(false)));
    let row = of(&seen, ana.user);
    assert_eq!((sums(row).0, &row["void"], &row["receipts"]), (12_530, &json!(1), &json!(1)));
    assert_eq!(receipts[1]["cases"], json!([]), "a void receipt contradicts nothing");
}

#[tokio::test]
async fn b15_b4_one_bill_paid_to_two_crews_offline_becomes_one_case_with_an_owner() {
    let mut counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let (hers, his) = (given(&counter, &ana).await, given(&counter, &ben).await);
    ana.synced().await;
    ben.synced().await;
    counter.wait_minutes(90, &[&ana, &ben]).await;
    paid(&mut ana, hers, 12_350).await;
    paid(&mut ben, his, 12_350).await;

    ana.synced().await;
    assert_eq!(cases(&counter).await.len(), 0, "one receipt contradicts nothing");
    ben.synced().await;
    ben.synced().await;
    paid(&mut ben, his, 5).await;
    ben.synced().await;

    let cases = cases(&counter).await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    let owner = counter.node.get("/api/me", &counter.manager).await.body["id"].clone();
    assert_eq!(cases[0]["owner"], owner);
    let id = text(&cases[0]["id"]);
    let whole = counter.node.get(&format!("/api/cases/{id}"), &counter.manager).await.body;
    let words = whole.to_string();
    for receipt in ["00000001", "00000021", "00000022"] {
        assert!(words.contains(receipt), "{receipt} is not in {words}");
    }
    let seen = day(&counter, TODAY).await;
    for receipt in seen["receipts"].as_array().expect("it is there") {
        assert_eq!(receipt["cases"][0]["id"], id, "{receipt}");
    }
}

#[tokio::test]
async fn b15_cash_is_counted_by_hall_staff_and_managers_and_never_below_nothing_without_a_word() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    counter.hall.person("hana", Role::Hall).await;
    let hana = counter.node.sign_in("hana").await;
    let dora = counter.node.get("/api/me", &counter.dispatcher).await.body["id"].clone();
    let body = |counted: i64, more: Value| {
        let mut body = json!({"technician": ana.user, "day": TODAY, "counted": counted});
        body.as_object_mut()
            .expect("it is there")
            .extend(more.as_object().expect("it is there").clone());
        body
    };

    for (body, status) in [
        (body(500, json!({})), 201),
        (body(-500, json!({"note": "多点了"})), 201),
        (body(-500, json!({})), 422),
        (body(0, json!({})), 422),
        (body(10_000_001, json!({})), 422),
        (body(500, json!({"day": "2026-03-03"})), 422),
        (body(500, json!({"day": "2024-03-03"})), 422),
        (body(500, json!({"technician": dora})), 422),
        (body(500, json!({"technician": Uuid::from_u128(9)})), 404),
    ] {
        let reply = counter.node.post("/api/cash/counts", Some(&hana), &body).await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
    }
    let refused = counter.node.get("/api/cash", &counter.dispatcher).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn b15_a_technician_sees_what_they_carry_and_nobody_elses() {
    let mut counter = Counter::open().await;
    let (mut ana, ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let job = given(&counter, &ana).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    paid(&mut ana, job, 12_350).await;
    ana.synced().await;
    count(&counter, ana.user, TODAY, 10_000).await;

    let hers = counter.node.get("/api/cash/mine", &ana.token).await.body;
    let his = counter.node.get("/api/cash/mine", &ben.token).await.body;

    assert_eq!((&hers["carried"], &hers["days"][0]["handed_in"]), (&json!(2_350), &json!(10_000)));
    assert_eq!((&his["carried"], &his["days"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn b15_a_file_has_the_balances_or_every_receipt() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = given(&counter, &ana).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    paid(&mut ana, job, 12_350).await;
    ana.synced().await;
    let file = |more: &'static str| {
        let path = format!("/api/cash/file?from={TODAY}&to={TODAY}&lang=en{more}");
        let request = (reqwest::Method::GET, path);
        let (node, mara) = (&counter.node, &counter.manager);
        async move {
            node.send_with((request.0, &request.1), mara, &[], None)
                .await
                .bytes()
                .await
                .expect("it is there")
        }
    };

    let balances = file("&format=csv").await;
    let receipts = file("&format=csv&what=receipts").await;
    let workbook = file("").await;

    let balances = String::from_utf8(balances.to_vec()).expect("it is there");
    assert!(balances.contains("2026-03-02,ANA,123.50,1,0,0.00,-123.50"), "{balances}");
    let receipts = String::from_utf8(receipts.to_vec()).expect("it is there");
    assert!(receipts.contains("00000001,") && receipts.contains(",123.50,stands,"), "{receipts}");
    assert!(workbook.starts_with(b"PK"));
}

#[tokio::test]
async fn b15_a_rebuild_gives_the_same_cash_and_no_second_case() {
    let counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    for technician in [&mut ana, &mut ben] {
        let job = given(&counter, technician).await;
        technician.synced().await;
        paid(technician, job, 4_200).await;
        technician.synced().await;
    }
    let before = day(&counter, TODAY).await;
    counter
        .hall
        .break_with("update cash_taken set amount = 7, receipt = 'x', taken_on = '2020-01-01'")
        .await;

    let rebuild = Rebuild::of(&counter.hall.config.database.0);
    rebuild.run(&counter.hall.config, &mut std::io::sink()).await.expect("it is there");

    assert_eq!(day(&counter, TODAY).await, before);
    assert_eq!(cases(&counter).await.len(), 1);
    let mut conn = counter.hall.db.read().await.expect("it is there");
    let blocks: i64 =
        C::q(conn.c(), "select count(*) from receipt_block").scalar().await.expect("it is there");
    assert_eq!(blocks, 2);
}

/// A bill to fetch, given to somebody, from ten to twelve.
async fn given(counter: &Counter, technician: &Technician) -> JobId {
    let job = agreed(counter, "cash_collection", MORNING_MS + HOUR_MS).await;
    let given = json!({"technician": technician.user});
    assert_eq!(counter.add(job, "assignments", &given).await.status, 201);
    job
}

/// Goes in and takes the money; returns the fact.
async fn paid(technician: &mut Technician, job: JobId, fen: i64) -> domain::id::FactId {
    let view = technician.phone.job(job).expect("it is there");
    let has_arrived = view.job.visits.values().flat_map(live_facts).count() > 0;
    if !has_arrived {
        enter(technician, job).await;
    }
    let reason = "扫码付不了".to_owned();
    technician.phone.take_cash(job, Fen(fen), reason).await.expect("it is there").fact
}

/// Stands in the home, with all that was asked of conduct.
async fn enter(technician: &mut Technician, job: JobId) {
    technician.phone.arrive(job, None).await.expect("it is there");
    for item in domain::pack::Pack::builtin().conduct {
        let fact = Fact::Conduct { item: item.id, answer: domain::conduct::Answer::Done };
        technician.phone.record(job, fact).await.expect("it is there");
    }
}

async fn day(counter: &Counter, day: &str) -> Value {
    let reply = counter.node.get(&format!("/api/cash?day={day}"), &counter.manager).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

async fn count(counter: &Counter, technician: UserId, day: &str, fen: i64) -> u16 {
    let body = json!({"technician": technician, "day": day, "counted": fen});
    counter.node.post("/api/cash/counts", Some(&counter.manager), &body).await.status.as_u16()
}

async fn cases(counter: &Counter) -> Vec<Value> {
    let reply = counter.node.get("/api/cases", &counter.manager).await;
    reply.body["cases"].as_array().expect("it is there").clone()
}

/// One technician's line of a day; null where there is none.
fn of(day: &Value, technician: UserId) -> &Value {
    let lines = day["technicians"].as_array().expect("it is there");
    let technician = technician.to_string();
    lines.iter().find(|it| it["technician"] == technician).unwrap_or(&Value::Null)
}

/// Taken, handed in, and the difference.
fn sums(line: &Value) -> (i64, i64, i64) {
    let fen = |name: &str| line[name].as_i64().expect("it is there");
    (fen("taken"), fen("handed_in"), fen("difference"))
}
