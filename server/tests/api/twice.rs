//! What two crews did twice offline, in one job or in jobs apart, is counted once and settled by somebody (B14, A9).

use domain::household::{Hose, HoseKind};
use domain::id::{HoseId, JobId, MeterId};
use domain::measure::Volume;
use domain::reading::ReadingState;
use domain::visit::Fact;
use mobile_core::phone::{NewMeter, OldMeter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::counter::{Counter, Technician};
use crate::due::{go_in, home, job_at, rubber, street};
use crate::hall::text;

/// Two crews with a job each at the elderly household, inside and without a network.
struct Apart {
    counter: Counter,
    crews: [(Technician, JobId); 2],
}

impl Apart {
    async fn open() -> Self {
        let counter = Counter::open().await;
        street(&counter).await;
        let mut crews = Vec::new();
        for (login, kind) in [("tom", "hose_replacement"), ("ben", "repair")] {
            let mut crew = counter.hire(login).await;
            let job = job_at(&counter, kind, 2, &crew).await;
            crew.synced().await;
            go_in(&mut crew, job).await;
            crews.push((crew, job));
        }
        let crews = crews.try_into().map_err(|_| "two").expect("the tests' own calls work");
        Self { counter, crews }
    }

    async fn replace(&mut self, removed: [Option<u128>; 2]) {
        for (((crew, job), removed), id) in self.crews.iter_mut().zip(removed).zip([0x91, 0x92]) {
            let installed = Hose { kind: HoseKind::Corrugated, ..rubber(id, "2026-03-02") };
            let removed = removed.map(|id| HoseId(Uuid::from_u128(id)));
            let fact = Fact::HoseReplaced { removed, installed, free: true, lot: String::new() };
            crew.phone.record(*job, fact).await.expect("the tests' own calls work");
        }
        self.synced().await;
    }

    async fn synced(&mut self) {
        for (crew, _) in &mut self.crews {
            crew.synced().await;
        }
    }

    /// What each job's page says was done in another job too.
    async fn pages(&self) -> [Value; 2] {
        let [(_, first), (_, second)] = &self.crews;
        let twice = async |job: &JobId| self.counter.job(*job).await["twice"].clone();
        [twice(first).await, twice(second).await]
    }

    async fn household(&self) -> Value {
        let path = format!("/api/households/{}", home(2));
        self.counter.node.get(&path, &self.counter.dispatcher).await.body
    }

    async fn cases(&self) -> Vec<Value> {
        let reply = self.counter.node.get("/api/cases", &self.counter.manager).await.body;
        reply["cases"].as_array().expect("the tests' own calls work").clone()
    }
}

#[tokio::test]
async fn b14_two_crews_that_replace_one_hose_offline_are_one_replacement_and_a_flag() {
    let counter = Counter::open().await;
    street(&counter).await;
    let (mut tom, mut ben) = (counter.hire("tom").await, counter.hire("ben").await);
    let job = job_at(&counter, "repair", 2, &tom).await;
    tom.synced().await;
    let given = json!({"technician": ben.user});
    assert_eq!(counter.add(job, "assignments", &given).await.status, 201);
    ben.synced().await;
    for (crew, id) in [(&mut tom, 0x91), (&mut ben, 0x92)] {
        go_in(crew, job).await;
        let (removed, free, lot) = (Some(HoseId(Uuid::from_u128(0x51))), true, String::new());
        let installed = Hose { kind: HoseKind::Corrugated, ..rubber(id, "2026-03-02") };
        let fact = Fact::HoseReplaced { removed, installed, free, lot };
        crew.phone.record(job, fact).await.expect("the tests' own calls work");
    }
    tom.synced().await;
    ben.synced().await;

    let path = format!("/api/households/{}", home(2));
    let shown = counter.node.get(&path, &counter.dispatcher).await.body;
    assert_eq!(shown["replacements"].as_array().expect("the tests' own calls work").len(), 1);
    assert_eq!(shown["hoses"].as_array().expect("the tests' own calls work").len(), 1);
    assert_eq!(shown["entitlement"]["entitlement"], "used_up");
    let path = "/api/reports/hoses?from=2026-03-01&to=2026-03-31&lang=en";
    let figures = counter.node.get(path, &counter.manager).await.body;
    let cells =
        figures["replaced"]["lines"][0]["cells"].as_array().expect("the tests' own calls work");
    assert_eq!(
        cells
            .iter()
            .map(|it| it["count"].as_u64().expect("the tests' own calls work"))
            .sum::<u64>(),
        1
    );
    let clashes = counter.job(job).await["standing"]["clashes"].clone();
    let said: Vec<_> = clashes
        .as_array()
        .expect("the tests' own calls work")
        .iter()
        .map(|it| text(&it["clash"]))
        .collect();
    assert!(said.contains(&"hose_replaced_twice".to_owned()), "{said:?}");
}

#[tokio::test]
async fn b14_one_hose_replaced_in_two_jobs_offline_counts_once_and_is_settled_with_a_reason() {
    let mut apart = Apart::open().await;
    apart.replace([Some(0x51), Some(0x51)]).await;

    let shown = apart.household().await;
    assert_eq!(shown["replacements"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["hoses"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["entitlement"]["entitlement"], "used_up");
    let pages = apart.pages().await;
    for (page, (_, other)) in pages.iter().zip(apart.crews.iter().rev()) {
        let [said] = page.as_array().map(Vec::as_slice).unwrap_or_default() else {
            panic!("one line: {page}")
        };
        assert_eq!((&said["why"], &said["jobs"]), (&json!("same_hose"), &json!([other])));
        assert_eq!(said["state"], "open");
    }
    let case = pages[0][0]["case"].as_str().expect("the tests' own calls work").to_owned();
    let path = format!("/api/cases/{case}");
    let whole = apart.counter.node.get(&path, &apart.counter.manager).await.body;
    assert_eq!(whole["about"].as_array().map(Vec::len), Some(2));
    let words = whole["case"]["words"].as_str().unwrap_or_default();
    assert!(words.contains("TOM") && words.contains("BEN"), "{words}");

    let closed = json!({"act": "close", "text": "本装置只换了一次，第二单作废"});
    let path = format!("{path}/events");
    let manager = Some(apart.counter.manager.as_str());
    assert_eq!(apart.counter.node.post(&path, manager, &closed).await.status, 201);
    apart.synced().await;
    assert_eq!(apart.pages().await.map(|page| page[0]["state"].clone()), ["closed", "closed"]);
    assert_eq!(apart.cases().await.len(), 1, "and it stays settled");
}

#[tokio::test]
async fn b14_a_second_free_hose_of_one_year_in_another_job_is_told_whatever_was_taken_out() {
    let mut apart = Apart::open().await;
    apart.replace([Some(0x51), None]).await;

    let pages = apart.pages().await;
    assert_eq!(pages.map(|page| page[0]["why"].clone()), ["free_hose", "free_hose"]);
    assert_eq!(apart.cases().await.len(), 1);
    assert_eq!(apart.household().await["replacements"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a9_one_meter_exchanged_in_two_jobs_offline_hangs_once_and_is_told_on_both_pages() {
    let mut apart = Apart::open().await;
    for ((crew, job), serial) in apart.crews.iter_mut().zip(["N1", "N2"]) {
        let (meter, register) = (MeterId(Uuid::from_u128(0x62)), Some(Volume(101_000)));
        let old = OldMeter { meter, register, state: ReadingState::Seen };
        let (serial, size) = (serial.to_owned(), "G4".to_owned());
        let new = NewMeter { serial, size, digits: 6, register: Volume(300) };
        let changed = crew.phone.change_meter(*job, (Some(old), Some(new)), String::new()).await;
        changed.expect("the tests' own calls work");
    }
    apart.synced().await;

    assert_eq!(apart.household().await["meters"].as_array().map(Vec::len), Some(1));
    let pages = apart.pages().await;
    assert_eq!(pages.map(|page| page[0]["why"].clone()), ["same_meter", "same_meter"]);
}
