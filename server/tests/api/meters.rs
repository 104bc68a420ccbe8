//! Meters that are exchanged at the door, and registers that households report themselves: what the hall knows
//! afterwards, and what the next technician is briefed with.

use chrono::NaiveDate;
use domain::household::{Meter, PastReading};
use domain::id::{HouseholdId, JobId, MeterId};
use domain::measure::Volume;
use domain::reading::ReadingState;
use mobile_core::phone::{NewMeter, OldMeter};
use serde_json::{Value, json};
use server::command::rebuild::Rebuild;
use server::db::meters;
use server::identity::Role;
use uuid::Uuid;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::hall::{Reply, text};

const HOME: HouseholdId = HouseholdId(Uuid::from_u128(0x40));
const OLD: MeterId = MeterId(Uuid::from_u128(0x61));

/// A hall whose household has a meter that was read over a year.
struct Desk {
    counter: Counter,
    ana: String,
}

impl Desk {
    async fn open() -> Self {
        let counter = Counter::open().await;
        let readings = [
            ("2025-03-02", 1_000),
            ("2025-05-02", 1_150),
            ("2025-07-02", 1_190),
            ("2025-09-02", 1_225),
            ("2025-11-02", 1_330),
            ("2026-01-02", 1_640),
        ];
        let readings = readings.map(|(on, m3)| PastReading {
            on: day(on),
            register: Volume(m3 * 1000),
            state: ReadingState::Seen,
        });
        let meter = Meter { readings: readings.to_vec(), ..Meter::new(OLD, "G0002", "G4", 5) };
        let mut tx = counter.hall.db.begin().await.expect("the tests' own calls work");
        meters::upsert_meters(tx.c(), &[(HOME, meter)]).await.expect("the tests' own calls work");
        tx.commit().await.expect("the tests' own calls work");
        counter.hall.person("ana", Role::Hall).await;
        let ana = counter.node.sign_in("ana").await;
        Self { counter, ana }
    }

    async fn show(&self) -> Value {
        let reply = self.counter.node.get(&format!("/api/households/{HOME}"), &self.ana).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    async fn briefed(&self) -> Value {
        let body = json!({"kind": "meter_reading", "account": ACCOUNT});
        let dora = Some(self.counter.dispatcher.as_str());
        let made = self.counter.node.post("/api/jobs", dora, &body).await;
        let job: JobId = text(&made.body["id"]).parse().expect("a job");
        self.counter.job(job).await["job"]["briefing"]["meters"].clone()
    }

    /// A technician who has been let in to a job.
    async fn enter(&self, login: &str, job: Option<JobId>) -> (Technician, JobId) {
        let mut tom = self.counter.hire(login).await;
        let job = match job {
            Some(job) => {
                let body = json!({"technician": tom.user});
                assert_eq!(self.counter.add(job, "assignments", &body).await.status, 201);
                job
            }
            None => self.counter.job_for(tom.user).await,
        };
        tom.synced().await;
        tom.phone.arrive(job, None).await.expect("at the door");
        for phase in [domain::conduct::Phase::AtTheDoor, domain::conduct::Phase::BeforeEntering] {
            tom.phone.answer_rest_as_done(job, phase).await.expect("let in");
        }
        (tom, job)
    }

    async fn report(&self, body: &Value) -> Reply {
        let path = format!("/api/households/{HOME}/registers");
        self.counter.node.post(&path, Some(&self.ana), body).await
    }
}

fn old(m3: i64) -> OldMeter {
    OldMeter { meter: OLD, register: Some(Volume(m3 * 1000)), state: ReadingState::Seen }
}

fn new(serial: &str) -> NewMeter {
    let (serial, size) = (serial.to_owned(), "G4".to_owned());
    NewMeter { serial, size, digits: 6, register: Volume(300) }
}

#[tokio::test]
async fn a9_an_exchanged_meter_stands_in_the_ledger_with_its_life_and_in_the_next_briefing() {
    let desk = Desk::open().await;
    let (mut tom, job) = desk.enter("tom", None).await;
    let change = (Some(old(1_900)), Some(new("N1")));
    tom.phone.change_meter(job, change, "F0815".to_owned()).await.unwrap();
    let hangs = tom.phone.meters(job).unwrap().remove(0);
    tom.phone.read_meter(job, hangs.id, Some(Volume(400))).await.unwrap();
    tom.synced().await;

    let shown = desk.show().await["meters"].clone();

    assert_eq!(shown.as_array().unwrap().len(), 1, "{shown}");
    let meter = &shown[0];
    assert_eq!((&meter["serial"], &meter["digits"]), (&json!("N1"), &json!(6)));
    assert_eq!(
        (&meter["installed_on"], &meter["ends_on"], &meter["is_overdue"]),
        (&json!("2026-03-02"), &json!("2036-03-02"), &json!(false))
    );
    assert_eq!(meter["before"][0]["serial"], "G0002");
    assert_eq!(meter["before"][0]["register"], 1_900_000);
    assert_eq!(meter["readings"][0]["register"], 400, "the later of the day");
    let briefed = desk.briefed().await;
    assert_eq!((&briefed[0]["serial"], briefed.as_array().unwrap().len()), (&json!("N1"), 1));
    let past = &briefed[0]["before"][0]["readings"];
    assert_eq!(past.as_array().unwrap().len(), 7, "the home's past goes on: {past}");
}

#[tokio::test]
async fn a9_two_crews_who_changed_one_meter_offline_clash_and_count_once_also_when_rebuilt() {
    let desk = Desk::open().await;
    let (mut tom, job) = desk.enter("tom", None).await;
    let (mut eva, _) = desk.enter("eva", Some(job)).await;
    let change = |serial| (Some(old(1_900)), Some(new(serial)));
    tom.phone.change_meter(job, change("N1"), String::new()).await.unwrap();
    eva.phone.change_meter(job, change("N2"), String::new()).await.unwrap();
    tom.synced().await;
    eva.synced().await;

    let clashes = desk.counter.job(job).await["standing"]["clashes"].clone();
    let kinds: Vec<_> = clashes.as_array().unwrap().iter().map(|it| &it["clash"]).collect();
    assert!(kinds.contains(&&json!("meter_changed_twice")), "{clashes}");
    let before = desk.show().await["meters"].clone();
    assert_eq!(before.as_array().unwrap().len(), 1, "counted once: {before}");

    desk.counter.hall.break_with("delete from meter_change").await;
    assert_eq!(desk.show().await["meters"][0]["serial"], "G0002");
    let rebuild = Rebuild::of(&desk.counter.hall.config.database.0);
    rebuild.run(&desk.counter.hall.config, &mut std::io::sink()).await.unwrap();
    assert_eq!(desk.show().await["meters"], before);
}

#[tokio::test]
async fn a9_what_a_visit_read_is_in_the_next_briefing() {
    let desk = Desk::open().await;
    let (mut tom, job) = desk.enter("tom", None).await;
    let wrong = tom.phone.read_meter(job, OLD, Some(Volume(9_900_000))).await.unwrap();
    let right = (Some(Volume(1_900_000)), ReadingState::Vacant);
    tom.phone.correct_in_state(job, wrong.saved.fact, right).await.unwrap();
    tom.synced().await;

    let readings = desk.briefed().await[0]["readings"].clone();

    let last = readings.as_array().unwrap().last().unwrap();
    assert_eq!(
        last,
        &json!({"on": "2026-03-02", "register": 1_900_000, "state": "vacant"}),
        "{readings}"
    );
}

#[tokio::test]
async fn c5_a_household_reports_its_register_and_it_is_judged_at_once_by_the_rule_of_the_doors() {
    let desk = Desk::open().await;
    let ask = async |m3: i64| {
        let path = format!(
            "/api/households/{HOME}/verdict?meter={OLD}&register={}&state=self_reported",
            m3 * 1000
        );
        desk.counter.node.get(&path, &desk.ana).await
    };
    let judged = ask(1_880).await;
    assert_eq!(judged.status, 200, "{judged:?}");
    assert_eq!(judged.body["finding"], "normal", "{judged:?}");
    assert!(judged.body["grounds"]["key"] == "grounds.pack", "{judged:?}");

    let register =
        json!({"meter": OLD, "register": 1_880_000, "state": "self_reported", "channel": "phone"});
    let written = desk.report(&register).await;
    assert_eq!(written.status, 201, "{written:?}");
    assert_eq!(written.body["verdict"]["finding"], "normal");

    let shown = desk.show().await;
    let last = shown["meters"][0]["readings"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["register"], &last["state"]), (&json!(1_880_000), &json!("self_reported")));
    assert_eq!(shown["entries"][0]["type"], "register_reported");
    let briefed = desk.briefed().await[0]["readings"].clone();
    assert_eq!(briefed.as_array().unwrap().last().unwrap()["state"], "self_reported");
}

#[tokio::test]
async fn c5_an_abnormal_report_is_told_and_acted_on_before_it_is_written() {
    let desk = Desk::open().await;
    let mut register = json!({"meter": OLD, "register": 3_900_000, "state": "self_reported", "channel": "counter"});
    assert_eq!(desk.report(&register).await.status, 409);
    register["told"] = json!(true);
    assert_eq!(desk.report(&register).await.status, 409, "nothing is done about it");
    register["measure"] = json!("follow_up_job");
    let written = desk.report(&register).await;
    assert_eq!(written.status, 201, "{written:?}");
    assert_eq!(written.body["verdict"]["finding"], "high");
    assert_eq!(desk.show().await["entries"][0]["measure"], "follow_up_job");
    // Somebody sees the wheels and they show less: no theft.
    let (mut tom, job) = desk.enter("tom", None).await;
    let read = tom.phone.read_meter(job, OLD, Some(Volume(1_880_000))).await.unwrap();
    assert_eq!(
        read.verdict.finding,
        domain::reading::Finding::Normal,
        "the same day's word is not before it"
    );
}

#[tokio::test]
async fn c5_what_no_desk_can_know_is_refused() {
    let desk = Desk::open().await;
    let good =
        json!({"meter": OLD, "register": 1_880_000, "state": "estimated", "channel": "phone"});
    for (field, value, status) in [
        ("state", json!("seen"), 422),
        ("register", json!(-1), 422),
        ("register", json!(100_000_000), 422),
        ("meter", json!(Uuid::from_u128(9)), 404),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(desk.report(&bad).await.status, status, "{bad}");
    }
    assert_eq!(desk.report(&good).await.status, 201);
    let elsewhere = crate::reports::another_hall(&desk.counter.hall).await;
    desk.counter.hall.person_in(elsewhere, "eve", Role::Manager).await;
    let eve = desk.counter.node.sign_in("eve").await;
    let path = format!("/api/households/{HOME}/registers");
    assert_eq!(desk.counter.node.post(&path, Some(&eve), &good).await.status, 404);
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests' own calls work")
}
