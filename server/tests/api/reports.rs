//! Reports: what is counted, under which heading, and what only the clock decides.

use std::collections::BTreeSet;

use domain::household::Household;
use domain::id::{DeviceId, HallId, HouseholdId, JobId, UserId};
use domain::pack::Pack;
use reqwest::Method;
use serde_json::{Value, json};
use server::db::documents::{self, DocumentRow};
use server::db::jobs::{self, JobRow};
use server::db::projections::{JobDetails, VerdictRow, replace_details};
use server::db::{devices, halls, households};
use server::identity::Role;
use sqlx::types::Json;
use uuid::Uuid;

use crate::hall::{Hall, Node, Reply, text};

const MONDAY: &str = "2026-03-02";
const TUESDAY: &str = "2026-03-03";
const WEDNESDAY: &str = "2026-03-04";

/// Everything that a row counts.
const COUNTS: [&str; 8] =
    ["on_time", "early", "late", "missed", "cannot_tell", "not_heard", "released", "pending"];

#[tokio::test]
async fn a2_a_technicians_row_counts_each_verdict_and_only_breaches_lower_the_rate() {
    let desk = Desk::open().await;
    let (ana, ben) = (desk.technician("ana").await, desk.technician("ben").await);
    desk.fill(ana, ben).await;

    let rows = desk.rows(&format!("from={MONDAY}&to={TUESDAY}&by=technician")).await;

    let (ana, ben) = (ana.to_string(), ben.to_string());
    let mut expected = vec![
        line("", "", [0, 0, 0, 1, 0, 0, 0, 0], Some(0.0)),
        line(&ana, "ANA", [2, 1, 1, 0, 0, 0, 0, 0], Some(0.5)),
        line(&ben, "BEN", [0, 0, 0, 1, 1, 1, 1, 1], Some(0.0)),
    ];
    expected.sort_by_key(|row| row["key"].as_str().unwrap().to_owned());
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a2_the_same_verdicts_by_kind_are_named_in_both_languages() {
    let desk = Desk::open().await;
    let (ana, ben) = (desk.technician("ana").await, desk.technician("ben").await);
    desk.fill(ana, ben).await;
    let asked = format!("from={MONDAY}&to={TUESDAY}&by=kind");
    let ignition = |name| line("ignition", name, [0, 1, 0, 0, 1, 0, 0, 1], Some(0.0));
    let repair = |name| line("repair", name, [2, 0, 1, 2, 0, 1, 1, 0], Some(0.4));

    let chinese = desk.rows(&asked).await;
    let english = desk.rows(&format!("{asked}&lang=en")).await;

    assert_eq!(chinese, [ignition("点火"), repair("维修")]);
    assert_eq!(english, [ignition("Ignition"), repair("Repair")]);
}

#[tokio::test]
async fn a2_the_same_verdicts_by_day_keep_to_the_days_asked_for() {
    let desk = Desk::open().await;
    let (ana, ben) = (desk.technician("ana").await, desk.technician("ben").await);
    desk.fill(ana, ben).await;
    let monday = line(MONDAY, MONDAY, [1, 1, 0, 2, 1, 1, 0, 0], Some(0.25));
    let tuesday = line(TUESDAY, TUESDAY, [1, 0, 1, 0, 0, 0, 1, 1], Some(0.5));

    let both = desk.rows(&format!("from={MONDAY}&to={TUESDAY}&by=day")).await;
    let one = desk.rows(&format!("from={TUESDAY}&to={TUESDAY}&by=day")).await;

    assert_eq!(both, [monday, tuesday.clone()]);
    assert_eq!(one, [tuesday]);
}

#[tokio::test]
async fn a2_what_only_the_clock_decides_is_judged_when_the_report_is_read() {
    let desk = Desk::open().await;
    let ana = desk.technician("ana").await;
    let (_, device) = desk.node.enrol(&desk.dispatcher, "ana", ana).await;
    let device: DeviceId = device.parse().unwrap();
    let ends = desk.now_ms() + 60_000;
    for stored in ["pending", "not_heard"] {
        desk.verdict_in(desk.hall.id, (Some(ana), "repair", MONDAY, ends, stored)).await;
    }
    let asked = format!("from={MONDAY}&to={MONDAY}&by=day");
    let counts =
        |on: &'static str| line(MONDAY, MONDAY, COUNTS.map(|it| 2 * u64::from(it == on)), None);

    desk.hall.wait_minutes(1);
    assert_eq!(desk.rows(&asked).await, [counts("pending")], "the window's last instant");

    desk.hall.wait_minutes(1);
    desk.hear(device, ends - 1).await;
    assert_eq!(desk.rows(&asked).await, [counts("not_heard")], "heard too early to tell");

    desk.hear(device, ends).await;
    let mut missed = counts("missed");
    missed["rate"] = json!(0.0);
    assert_eq!(desk.rows(&asked).await, [missed], "heard since, and nobody had come");
}

#[tokio::test]
async fn another_halls_verdicts_are_not_counted() {
    let desk = Desk::open().await;
    let elsewhere = another_hall(&desk.hall).await;
    desk.verdict_in(elsewhere, (None, "repair", MONDAY, desk.now_ms(), "on_time")).await;

    for by in ["technician", "kind", "day"] {
        let rows = desk.rows(&format!("from={MONDAY}&to={MONDAY}&by={by}")).await;
        assert_eq!(rows, Vec::<Value>::new(), "by {by}");
    }
}

#[tokio::test]
async fn a2_by_hall_an_admin_sees_every_halls_numbers_and_the_jobs_of_their_own_hall() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let (elsewhere, past) = (another_hall(&desk.hall).await, desk.now_ms() - 1);
    for (hall, stored) in [
        (desk.hall.id, "on_time"),
        (desk.hall.id, "late"),
        (elsewhere, "on_time"),
        (elsewhere, "on_time"),
        (elsewhere, "missed"),
    ] {
        desk.verdict_in(hall, (None, "repair", MONDAY, past, stored)).await;
    }
    let asked = format!("from={MONDAY}&to={MONDAY}&by=hall&lang=en");

    let figure = desk.node.get(&format!("/api/reports/arrivals?{asked}"), &admin).await.body;
    let rows = desk.node.get(&format!("/api/reports/punctuality?{asked}"), &admin).await.body;
    let ended = desk.node.get(&format!("/api/reports/outcomes?{asked}"), &admin).await.body;

    // In order: on time, early, late, missed.
    let told = |line: &Value| -> (String, Vec<u64>, Vec<usize>) {
        let cells = &line["cells"].as_array().unwrap()[..4];
        let counts = cells.iter().map(|it| it["count"].as_u64().unwrap()).collect();
        let jobs = cells.iter().map(|it| it["jobs"].as_array().unwrap().len()).collect();
        (text(&line["name"]), counts, jobs)
    };
    let lines: Vec<_> = figure["lines"].as_array().unwrap().iter().map(told).collect();
    let own = ("城东营业厅".to_owned(), vec![1, 0, 1, 0], vec![1, 0, 1, 0]);
    let other = ("城西营业厅".to_owned(), vec![2, 0, 0, 1], vec![0, 0, 0, 0]);
    assert_eq!(lines, [own, other]);
    let all = ("All".to_owned(), vec![3, 0, 1, 1], vec![1, 0, 1, 0]);
    assert_eq!(told(&figure["total"]), all);
    assert_eq!(figure["total"]["rates"], json!([0.6, 0.0]));
    let counts: Vec<_> = rows["rows"].as_array().unwrap().iter().collect();
    assert_eq!(counts.iter().map(|it| it["on_time"].as_u64().unwrap()).sum::<u64>(), 3);
    assert_eq!((&rows["rate"], counts.len()), (&json!(0.6), 2));
    let named = counts.iter().map(|it| it["jobs"]["on_time"].as_array().unwrap().len());
    assert_eq!(named.sum::<usize>(), 1, "{rows}");
    assert_eq!(ended["lines"].as_array().unwrap().len(), 2, "also where nothing was: {ended}");

    let csv = format!("/api/exports/figures/arrivals?{asked}&format=csv");
    let file = desk.file(&csv, &admin).await;
    assert!(file.contains("\r\n城西营业厅,2,0,0,1,0,0,0,0,0.6667,0.0000\r\n"), "{file}");
    let behind = async |line: &str| {
        let path = format!(
            "/api/exports/figures/arrivals/behind?{asked}&line={line}&column=on_time&format=csv"
        );
        desk.file(&path, &admin).await.lines().count() - 1
    };
    assert_eq!((behind("total").await, behind(&elsewhere.to_string()).await), (1, 0));
}

#[tokio::test]
async fn a2_who_is_no_admin_asks_for_no_other_hall() {
    let desk = Desk::open().await;
    desk.hall.person("mara", Role::Manager).await;
    let manager = desk.node.sign_in("mara").await;
    let asked = format!("from={MONDAY}&to={MONDAY}&by=hall");

    for path in [
        "/api/reports/arrivals?",
        "/api/reports/outcomes?",
        "/api/reports/punctuality?",
        "/api/exports/figures/arrivals?",
        "/api/exports/figures/outcomes/behind?line=total&column=done&",
    ] {
        for token in [&manager, &desk.dispatcher] {
            let refused = desk.node.get(&format!("{path}{asked}"), token).await;
            assert_eq!(refused.status, 403, "{path}");
        }
    }
}

#[tokio::test]
async fn behind_a_number_two_hundred_are_named_and_the_file_has_them_all() {
    let desk = Desk::open().await;
    let past = desk.now_ms() - 1;
    for _ in 0..203 {
        desk.verdict_in(desk.hall.id, (None, "repair", MONDAY, past, "on_time")).await;
    }
    let asked = format!("from={MONDAY}&to={MONDAY}&by=kind&lang=en");

    let path = format!("/api/reports/arrivals?{asked}");
    let figure = desk.node.get(&path, &desk.dispatcher).await.body;
    let behind = format!("/api/exports/figures/arrivals/behind?{asked}&format=csv");
    let line = format!("{behind}&line=repair&column=on_time");
    let file = desk.file(&line, &desk.dispatcher).await;
    let unknown = format!("{behind}&line=ignition&column=on_time");
    let unknown = desk.node.get(&unknown, &desk.dispatcher).await;

    let cell = &figure["lines"][0]["cells"][0];
    assert_eq!((&cell["count"], &cell["behind"]), (&json!(203), &json!(203)));
    assert_eq!(cell["jobs"].as_array().unwrap().len(), 200);
    assert!(file.starts_with("\u{feff}What,Number,Kind,Status,Account,Holder,"), "{file}");
    assert_eq!(file.lines().count(), 1 + 203);
    assert!(file.contains("Job,") && file.contains(",Repair,Done,"), "{file}");
    assert_eq!((unknown.status.as_u16(), unknown.problem()), (422, "unprocessable"));
}

#[tokio::test]
async fn days_that_are_none_are_refused_with_what_to_do() {
    let desk = Desk::open().await;

    for (from, to, what_to_do) in [
        ("yesterday", MONDAY, "send `from` as a day like 2026-03-02"),
        ("2026-3-2", MONDAY, "send `from` as a day like 2026-03-02"),
        ("2026-02-30", MONDAY, "send `from` as a day like 2026-03-02"),
        (MONDAY, "", "send `to` as a day like 2026-03-02"),
        (MONDAY, "%2B12026-03-02", "send `to` as a day like 2026-03-02"),
    ] {
        let reply = desk.ask(&format!("from={from}&to={to}&by=day")).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (400, "bad-request"), "{from} {to}");
        assert_eq!(reply.body["detail"], what_to_do);
    }
    let reply = desk.ask(&format!("from={TUESDAY}&to={MONDAY}&by=day")).await;
    assert_eq!((reply.status.as_u16(), reply.problem()), (422, "unprocessable"));
    assert_eq!(reply.body["detail"], "let `from` be no later than `to`");
}

#[tokio::test]
async fn a_technician_reads_no_report() {
    let desk = Desk::open().await;
    let ana = desk.technician("ana").await;
    let (token, _) = desk.node.enrol(&desk.dispatcher, "ana", ana).await;
    let path = format!("/api/reports/punctuality?from={MONDAY}&to={MONDAY}&by=day");

    assert_eq!(desk.node.get(&path, &token).await.status, 403);
}

/// Makes a second hall beside the first.
pub(crate) async fn another_hall(hall: &Hall) -> HallId {
    let id = HallId(Uuid::from_u128(0xbeef));
    let mut tx = hall.db.begin().await.expect("a transaction");
    halls::upsert_hall(tx.c(), id, "城西营业厅", 480).await.expect("a hall");
    tx.commit().await.expect("a commit");
    id
}

/// Stores a document with a door of its own, so that rows can be derived from it.
pub(crate) async fn document(hall: &Hall, owner: HallId) -> DocumentRow {
    let row = DocumentRow {
        job_id: server::ids::fresh_uuid(hall.config.clock.now()),
        hall_id: owner.0,
        household_id: server::ids::fresh_uuid(hall.config.clock.now()),
        pack_id: Pack::builtin().id.0,
        created_at: hall.config.clock.now_ms(),
    };
    let household = Household {
        id: HouseholdId(row.household_id),
        account: row.household_id.to_string(),
        holder: "章思雨".to_owned(),
        address: "听江里1幢101室".to_owned(),
        phone: "05530200000".to_owned(),
        place: None,
        groups: BTreeSet::new(),
        access: String::new(),
        unregistered: false,
    };
    let mut tx = hall.db.begin().await.expect("a transaction");
    households::upsert_households(tx.c(), owner, &[household]).await.expect("a household");
    documents::insert_document(tx.c(), &row).await.expect("a document");
    tx.commit().await.expect("a commit");
    row
}

/// A row of the report as it has to be.
fn line(key: &str, name: &str, counts: [u64; 8], rate: Option<f64>) -> Value {
    let mut row = json!({"key": key, "name": name, "rate": rate});
    for (name, count) in COUNTS.into_iter().zip(counts) {
        row[name] = json!(count);
    }
    row
}

/// Who is answerable, the kind, the day, when the window ends, and the verdict as stored.
type Verdict<'a> = (Option<UserId>, &'a str, &'a str, i64, &'a str);

/// A dispatcher who reads reports.
struct Desk {
    hall: Hall,
    node: Node,
    dispatcher: String,
}

impl Desk {
    async fn open() -> Self {
        let hall = Hall::new().await;
        let node = hall.node().await;
        hall.person("dora", Role::Dispatcher).await;
        let dispatcher = node.sign_in("dora").await;
        Self { hall, node, dispatcher }
    }

    async fn admin(&self) -> String {
        self.hall.person("ines", Role::Admin).await;
        self.node.sign_in("ines").await
    }

    /// A file that is text.
    async fn file(&self, path: &str, token: &str) -> String {
        let sent = self.node.send_with((Method::GET, path), token, &[], None).await;
        assert_eq!(sent.status(), 200, "{path}");
        sent.text().await.expect("text")
    }

    async fn technician(&self, login: &str) -> UserId {
        self.hall.person(login, Role::Technician).await
    }

    fn now_ms(&self) -> i64 {
        self.hall.config.clock.now_ms()
    }

    /// Two days of two technicians and of nobody, and a day that no test asks for.
    async fn fill(&self, ana: UserId, ben: UserId) {
        let (past, next) = (self.now_ms() - 1, self.now_ms());
        for verdict in [
            (Some(ana), "repair", MONDAY, past, "on_time"),
            (Some(ana), "repair", TUESDAY, past, "on_time"),
            (Some(ana), "ignition", MONDAY, past, "early"),
            (Some(ana), "repair", TUESDAY, past, "late"),
            (Some(ana), "repair", WEDNESDAY, past, "on_time"),
            (Some(ben), "repair", MONDAY, past, "missed"),
            (Some(ben), "ignition", MONDAY, past, "cannot_tell"),
            (Some(ben), "repair", TUESDAY, past, "released"),
            (Some(ben), "repair", MONDAY, past, "pending"),
            (Some(ben), "ignition", TUESDAY, next, "pending"),
            (None, "repair", MONDAY, past, "pending"),
        ] {
            self.verdict_in(self.hall.id, verdict).await;
        }
    }

    async fn verdict_in(&self, hall: HallId, (technician, kind, day, ends, stored): Verdict<'_>) {
        let document = document(&self.hall, hall).await;
        let verdict = VerdictRow {
            ordinal: 0,
            agreed_id: Uuid::from_u128(1),
            technician_id: technician.map(|technician| technician.0),
            kind: kind.to_owned(),
            day: day.to_owned(),
            window_start: ends - 7_200_000,
            window_end: ends,
            punctuality: stored.to_owned(),
            width_ms: (stored == "cannot_tell").then_some(1),
        };
        let job = JobRow {
            job_id: document.job_id,
            hall_id: hall.0,
            household_id: document.household_id,
            kind: kind.to_owned(),
            pack_id: document.pack_id.clone(),
            status: "done".to_owned(),
            technician_id: verdict.technician_id,
            visit_id: None,
            window_start: Some(verdict.window_start),
            window_end: Some(ends),
            created_at: document.created_at,
            promise_rule: None,
            promise_due_at: None,
            promise_user_id: None,
            promise_state: None,
            clashes: Json(json!([])),
            updated_position: 1,
            status_since: None,
        };
        let details = JobDetails { verdicts: vec![verdict], ..JobDetails::default() };
        let mut tx = self.hall.db.begin().await.expect("a transaction");
        jobs::upsert_jobs(tx.c(), &[job]).await.expect("a job");
        let stored = replace_details(tx.c(), hall.0, JobId(document.job_id), &details).await;
        stored.expect("a verdict");
        tx.commit().await.expect("a commit");
    }

    /// A phone was heard, and it has nothing more to hand in.
    async fn hear(&self, device: DeviceId, at: i64) {
        let mut tx = self.hall.db.begin().await.expect("a transaction");
        devices::hear_device(tx.c(), device, 0, 0, at).await.expect("a phone");
        tx.commit().await.expect("a commit");
    }

    async fn ask(&self, asked: &str) -> Reply {
        self.node.get(&format!("/api/reports/punctuality?{asked}"), &self.dispatcher).await
    }

    async fn rows(&self, asked: &str) -> Vec<Value> {
        let reply = self.ask(asked).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let mut rows = reply.body["rows"].as_array().expect("rows").clone();
        for row in &mut rows {
            // Each verdict here is on a job of its own, so that as many are named as are counted.
            let jobs = row.as_object_mut().and_then(|row| row.remove("jobs")).expect("jobs");
            for name in COUNTS {
                let named = jobs[name].as_array().map_or(0, Vec::len);
                assert_eq!(row[name], named, "{name} of {row}");
            }
        }
        rows
    }
}
