//! Figures: what real phones did, counted under headings, each number with the jobs behind it.

use std::collections::BTreeMap;

use calamine::{Data, Reader as _, Xlsx};
use domain::conduct::Answer;
use domain::hose::Replacement;
use domain::household::{Hose, HoseKind};
use domain::id::{HoseId, HouseholdId, JobId, MeterId};
use domain::measure::Volume;
use domain::reading::Measure;
use domain::visit::Outcome;
use mobile_core::phone::NewHose;
use serde_json::{Value, json};
use server::db::hoses;
use server::db::households::find_household_by_account;
use uuid::Uuid;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::exports::hang_a_meter;

const DAYS: &str = "from=2026-03-01&to=2026-03-04";
const BEFORE_GOING_IN: [&str; 5] =
    ["uniform_badge", "knock_identify", "asked_to_enter", "shoe_covers", "tool_mat"];
const BEFORE_LEAVING: [&str; 4] =
    ["no_smoking_gifts", "household_equipment", "left_clean", "contact_card"];

#[tokio::test]
async fn a2_arrivals_fall_into_bands_of_minutes_and_one_over_an_edge_into_none() {
    let mut counter = Counter::open().await;
    let mut jobs = Vec::new();
    // The window is from ten to twelve, and it is nine.
    let after: [i64; 5] = [120, 183, 185, 192, 500];
    let mut ana = counter.hire("ana").await;
    for _ in after {
        jobs.push(counter.job_for(ana.user).await);
    }
    let nobody_came = counter.job_for(ana.user).await;
    ana.synced().await;
    let mut now = 0;
    for (job, minutes) in jobs.iter().zip(after) {
        counter.wait_minutes(minutes - now, &[&ana]).await;
        now = minutes;
        ana.phone.arrive(*job, None).await.unwrap();
        ana.phone.close(*job, refused()).await.unwrap();
    }
    ana.synced().await;

    let figure = report(&counter, "lateness", "").await;

    // A phone's clock drifts: what it says of 185 is 5 minutes more or less something.
    let expected = [
        ("in_time", vec![jobs[0]]),
        ("0-5", vec![jobs[1]]),
        ("5-15", vec![jobs[3]]),
        ("15-30", vec![]),
        ("30-60", vec![]),
        ("60-120", vec![]),
        ("120-240", vec![]),
        ("240-", vec![jobs[4]]),
        ("cannot_tell", vec![jobs[2]]),
    ];
    let lines = figure["lines"].as_array().unwrap();
    assert_eq!(lines.len(), expected.len(), "{figure}");
    for (line, (key, jobs)) in lines.iter().zip(&expected) {
        assert_eq!(line["key"], *key);
        assert_eq!(line["cells"][0]["count"], jobs.len(), "{key}: {line}");
        assert_eq!(line["cells"][0]["jobs"], json!(jobs), "{key}");
    }
    // Counted another way: appointments that somebody came to.
    let by_day = punctuality(&counter, "day").await;
    let came: u64 = ["on_time", "early", "late", "cannot_tell"]
        .map(|key| by_day[0][key].as_u64().unwrap())
        .iter()
        .sum();
    assert_eq!(figure["total"]["cells"][0]["count"], came);
    assert_eq!(by_day[0]["jobs"]["missed"], json!([nobody_came]));
}

#[tokio::test]
async fn a2_by_hour_appointments_stand_under_the_hour_of_their_window_in_the_city() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let starts = counter.job(job).await["summary"]["window"]["start"].as_i64().unwrap();
    let hour = (starts / 3_600_000 + 8) % 24;

    let rows = punctuality(&counter, "hour").await;

    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["key"], format!("{hour:02}"));
    assert_eq!(rows[0]["name"], format!("{hour:02}:00–{hour:02}:59"));
    assert_eq!((&rows[0]["pending"], &rows[0]["jobs"]["pending"]), (&json!(1), &json!([job])));
}

#[tokio::test]
async fn b2_a_running_promise_is_at_risk_when_little_is_left_and_broken_after_its_time() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let (kept, slow) = (emergency(&counter, &ana).await, emergency(&counter, &ana).await);
    ana.synced().await;
    let open = |report: &Value| -> Vec<(Value, Value, Value)> {
        let open = report["open"].as_array().unwrap();
        open.iter()
            .map(|it| (it["job"].clone(), it["state"].clone(), it["is_at_risk"].clone()))
            .collect()
    };

    counter.wait_minutes(10, &[&ana]).await;
    let early = report(&counter, "promises", "").await;
    assert_eq!(early["open_count"], 2);
    assert!(open(&early).iter().all(|(_, state, risk)| state == "running" && risk == false));

    ana.phone.arrive(kept, None).await.unwrap();
    ana.synced().await;
    counter.wait_minutes(6, &[&ana]).await;
    let risky = report(&counter, "promises", "").await;
    assert_eq!(open(&risky), [(json!(slow), json!("running"), json!(true))]);
    assert_eq!(risky["open"][0]["technician_name"], "ANA");
    assert_eq!(cells(&risky["by_rule"], "B2"), cells_of(&[("kept", 1), ("running", 1)]));

    counter.wait_minutes(20, &[&ana]).await;
    let unheard = report(&counter, "promises", "").await;
    assert_eq!(open(&unheard), [(json!(slow), json!("not_heard"), json!(false))]);
    ana.synced().await;
    let broken = report(&counter, "promises", "").await;
    assert_eq!(cells(&broken["by_rule"], "B2"), cells_of(&[("kept", 1), ("broken", 1)]));
    assert_eq!(broken["by_rule"]["lines"][0]["rates"], json!([0.5]));
    let elsewhere = report(&counter, "promises", "from=2026-02-01&to=2026-02-02").await;
    assert_eq!(elsewhere["by_rule"]["lines"], json!([]), "none was due then");
    assert_eq!(elsewhere["open_count"], 1, "and the one that runs is shown on any days");
}

#[tokio::test]
async fn a9_an_abnormal_reading_shows_whether_it_was_told_what_was_done_and_what_followed() {
    let counter = Counter::open().await;
    hang_a_meter(&counter).await;
    let mut ana = counter.hire("ana").await;
    let (told, silent) = (counter.job_for(ana.user).await, counter.job_for(ana.user).await);
    ana.synced().await;
    let meter = go_in(&mut ana, told).await;
    let unread = ana.phone.read_meter(told, meter, None).await.unwrap().saved.fact;
    ana.phone.tell_household(told, unread).await.unwrap();
    ana.phone.take_measure(told, unread, Measure::MeterCheck).await.unwrap();
    ana.phone.take_measure(told, unread, Measure::Photo).await.unwrap();
    give_up(&mut ana, told).await;
    go_in(&mut ana, silent).await;
    ana.phone.read_meter(silent, meter, None).await.unwrap();
    ana.synced().await;

    let before = report(&counter, "readings", "").await;
    assert_eq!(cells(&before["told"], "unread"), cells_of(&[("told", 1), ("not_told", 1)]));
    assert_eq!(behind(&before["told"], "unread", "told"), json!([told]));
    assert_eq!(behind(&before["told"], "unread", "not_told"), json!([silent]));
    let done = cells_of(&[("meter_check", 1), ("photo", 1), ("no_measure", 1)]);
    assert_eq!(cells(&before["measures"], "unread"), done);
    assert_eq!(cells(&before["since"], "unread"), cells_of(&[("not_normal_since", 2)]));
    assert_eq!(cells(&before["told"], "high"), BTreeMap::new(), "shown, and none of it");

    ana.phone.read_meter(silent, meter, Some(Volume(1_000_000))).await.unwrap();
    ana.synced().await;

    let after = report(&counter, "readings", "").await;
    assert_eq!(cells(&after["since"], "unread"), cells_of(&[("normal_since", 2)]));
}

#[tokio::test]
async fn a9_a_reading_that_was_corrected_since_on_whatever_day_is_not_counted() {
    let mut counter = Counter::open().await;
    hang_a_meter(&counter).await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    let meter = go_in(&mut ana, job).await;
    let unread = ana.phone.read_meter(job, meter, None).await.unwrap().saved.fact;
    ana.synced().await;
    let that_day = "from=2026-03-02&to=2026-03-02";
    let told = async |counter: &Counter| {
        let figures = report(counter, "readings", that_day).await;
        let cells = figures["told"]["total"]["cells"].as_array().unwrap().clone();
        cells.iter().map(|it| it["count"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(told(&counter).await, 1);

    counter.wait_minutes(16 * 60, &[&ana]).await;
    ana.phone.correct_reading(job, unread, Some(Volume(5_000))).await.unwrap();
    ana.synced().await;

    assert_eq!(told(&counter).await, 0);
}

#[tokio::test]
async fn a5_of_an_item_answered_again_the_newest_counts_and_what_was_taken_back_apart() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let jobs = [counter.job_for(ana.user).await, counter.job_for(ana.user).await];
    ana.synced().await;
    for job in jobs {
        ana.phone.arrive(job, None).await.unwrap();
        for item in ["uniform_badge", "knock_identify", "asked_to_enter"] {
            ana.phone.answer_conduct(job, item, Answer::Done).await.unwrap();
        }
        let why = Answer::NotDone { reason: "忘带".to_owned() };
        let wrong = ana.phone.answer_conduct(job, "shoe_covers", why).await.unwrap();
        if job == jobs[0] {
            ana.phone.withdraw(job, wrong.fact, "点错".to_owned()).await.unwrap();
            ana.phone.answer_conduct(job, "shoe_covers", Answer::Waived).await.unwrap();
        }
        ana.phone.close(job, refused()).await.unwrap();
    }
    ana.synced().await;

    let figure = report(&counter, "conduct", "").await;

    assert_eq!(cells(&figure, "uniform_badge"), cells_of(&[("done", 2)]));
    let covers = cells_of(&[("not_done", 1), ("waived", 1), ("withdrawn", 1)]);
    assert_eq!(cells(&figure, "shoe_covers"), covers);
    assert_eq!(behind(&figure, "shoe_covers", "not_done"), json!([jobs[1]]));
    assert_eq!(behind(&figure, "shoe_covers", "withdrawn"), json!([jobs[0]]));
    assert_eq!(figure["lines"][0]["key"], "uniform_badge", "in walking order");
    assert_eq!(figure["lines"][0]["rates"], json!([1.0]));
    let english = report(&counter, "conduct", &format!("{DAYS}&lang=en")).await;
    assert_eq!(english["lines"][0]["name"], "Clean uniform, chest badge on (A3)");
    assert_eq!(independent_answers(&counter, &jobs).await, figure["total"]["cells"][0]["count"]);
}

#[tokio::test]
async fn visits_are_counted_by_how_they_ended_under_each_heading() {
    let counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let hers = [counter.job_for(ana.user).await, counter.job_for(ana.user).await];
    let his = counter.job_for(ben.user).await;
    ana.synced().await;
    ben.synced().await;
    ana.phone.arrive(hers[0], None).await.unwrap();
    ana.phone.close(hers[0], refused()).await.unwrap();
    go_in_without_meter(&mut ana, hers[1]).await;
    give_up(&mut ana, hers[1]).await;
    ben.phone.arrive(his, None).await.unwrap();
    let wrong = Outcome::WrongAddress { reason: "没有这一户".to_owned() };
    ben.phone.close(his, wrong).await.unwrap();
    ana.synced().await;
    ben.synced().await;

    let people = report(&counter, "outcomes", &format!("{DAYS}&by=technician")).await;
    let kinds = report(&counter, "outcomes", &format!("{DAYS}&by=kind&lang=en")).await;
    let days = report(&counter, "outcomes", &format!("{DAYS}&by=day")).await;

    let ana_key = ana.user.to_string();
    let both = cells_of(&[("refused", 1), ("cannot_finish", 1)]);
    assert_eq!(cells(&people, &ana_key), both);
    assert_eq!(behind(&people, &ana_key, "refused"), json!([hers[0]]));
    assert_eq!(cells(&people, &ben.user.to_string()), cells_of(&[("wrong_address", 1)]));
    assert_eq!(kinds["lines"][0]["name"], "Repair");
    assert_eq!(days["lines"][0]["key"], "2026-03-02");
    for figure in [&people, &kinds, &days] {
        assert_eq!(figure["total"]["rates"], json!([1.0 / 3.0, 0.0]), "{figure}");
    }
}

#[tokio::test]
async fn b14_hoses_are_counted_by_month_free_or_paid_and_the_wall_by_age() {
    let counter = Counter::open().await;
    let home = hang_hoses(&counter).await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    go_in_without_meter(&mut ana, job).await;
    let old = Some(HoseId(Uuid::from_u128(1)));
    ana.phone.replace_hose(job, old, NewHose::of(HoseKind::Corrugated, 1500)).await.unwrap();
    ana.synced().await;

    let figures = report(&counter, "hoses", "from=2026-02-01&to=2026-03-04").await;

    assert_eq!(cells(&figures["replaced"], "2026-02"), cells_of(&[("free_otherwise", 1)]));
    assert_eq!(cells(&figures["replaced"], "2026-03"), cells_of(&[("paid", 1)]));
    assert_eq!(behind(&figures["replaced"], "2026-03", "paid"), json!([job]));
    // Rubber lives 18 months: of the register's, one was taken out, one is new and one a year over.
    let rubber = cells_of(&[("in_span", 1), ("6-12", 1)]);
    assert_eq!(cells(&figures["due"], "rubber"), rubber);
    assert_eq!(cells(&figures["due"], "corrugated"), cells_of(&[("in_span", 1)]));
    assert_eq!(figures["due"]["lines"][0]["cells"][2]["households"], json!([home]));
    assert_eq!(figures["doors"][home.to_string()]["account"], ACCOUNT);
}

#[tokio::test]
async fn figures_of_another_hall_of_no_days_and_of_too_many_are_none() {
    let counter = Counter::open().await;
    let elsewhere = crate::reports::another_hall(&counter.hall).await;
    let document = crate::reports::document(&counter.hall, elsewhere).await;
    assert_eq!(document.hall_id, elsewhere.0);
    for name in ["lateness", "conduct", "readings", "hoses", "promises"] {
        let path = format!("/api/reports/{name}?from=2026-03-04&to=2026-03-01");
        assert_eq!(counter.node.get(&path, &counter.manager).await.status, 422, "{name}");
        let path = format!("/api/reports/{name}?from=2026-03-04&to=2028-03-01");
        assert_eq!(counter.node.get(&path, &counter.manager).await.status, 422, "{name}");
        let path = format!("/api/reports/{name}?from=soon&to=2026-03-01");
        assert_eq!(counter.node.get(&path, &counter.manager).await.status, 400, "{name}");
    }
    let figure = report(&counter, "outcomes", &format!("{DAYS}&by=kind")).await;
    assert_eq!((&figure["lines"], &figure["total"]["rates"]), (&json!([]), &json!([null, null])));
}

#[tokio::test]
async fn every_figure_is_written_as_the_console_shows_it() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    counter.wait_minutes(90, &[&ana]).await;
    go_in_without_meter(&mut ana, job).await;
    give_up(&mut ana, job).await;
    ana.synced().await;
    let file = async |what: &str, more: &str| {
        let path = format!("{}/api/exports/figures/{what}?{DAYS}{more}", counter.node.base);
        let sent =
            reqwest::Client::new().get(path).bearer_auth(&counter.manager).send().await.unwrap();
        assert_eq!(sent.status(), 200, "{what}");
        sent.bytes().await.unwrap().to_vec()
    };

    for what in [
        "arrivals", "lateness", "promises", "told", "measures", "since", "conduct", "outcomes",
        "ratings", "replaced", "due",
    ] {
        let text = String::from_utf8(file(what, "&format=csv&lang=en").await).unwrap();
        assert!(text.starts_with("\u{feff}Counted under,"), "{what}: {text}");
        assert!(!text.contains("figures."), "{what}: {text}");
        let mut book = Xlsx::new(std::io::Cursor::new(file(what, "").await)).unwrap();
        let (title, page) = book.worksheets().remove(0);
        assert!(!title.contains("figures."), "{title}");
        assert_eq!(page.rows().next_back().unwrap()[0], Data::String("合计".to_owned()), "{what}");
    }

    let text = file("outcomes", "&by=kind&format=csv&lang=en").await;
    let text = String::from_utf8(text).unwrap();
    let expected = "Repair,0,0,0,0,0,1,1.0000,0.0000\r\nAll,0,0,0,0,0,1,1.0000,0.0000\r\n";
    assert!(text.ends_with(expected), "{text}");
    let text = file("arrivals", "&by=technician&format=csv&lang=en").await;
    let text = String::from_utf8(text).unwrap();
    let expected = "ANA,1,0,0,0,0,0,0,0,1.0000,0.0000\r\nAll,1,0,0,0,0,0,0,0,1.0000,0.0000\r\n";
    assert!(text.ends_with(expected), "{text}");
}

pub(crate) async fn report(counter: &Counter, name: &str, asked: &str) -> Value {
    let asked = if asked.is_empty() { DAYS } else { asked };
    let path = format!("/api/reports/{name}?{asked}");
    let reply = counter.node.get(&path, &counter.manager).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

async fn punctuality(counter: &Counter, by: &str) -> Vec<Value> {
    report(counter, "punctuality", &format!("{DAYS}&by={by}")).await["rows"]
        .as_array()
        .expect("rows")
        .clone()
}

/// The numbers of a line that are not zero, by column.
pub(crate) fn cells(figure: &Value, line: &str) -> BTreeMap<String, u64> {
    let lines = figure["lines"].as_array().expect("a list");
    let line = lines.iter().find(|it| it["key"] == line);
    let line = line.expect("the line");
    let columns = figure["columns"].as_array().expect("a list").iter();
    columns
        .zip(line["cells"].as_array().expect("a list"))
        .map(|(it, cell)| {
            (
                it["key"].as_str().expect("it is there").to_owned(),
                cell["count"].as_u64().expect("it is there"),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

pub(crate) fn cells_of(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

/// The jobs behind a number.
fn behind(figure: &Value, line: &str, column: &str) -> Value {
    let columns = figure["columns"].as_array().expect("a list");
    let at = columns.iter().position(|it| it["key"] == column).expect("it is there");
    let lines = figure["lines"].as_array().expect("a list");
    lines.iter().find(|it| it["key"] == line).expect("it is there")["cells"][at]["jobs"].clone()
}

/// Answers "done" that the jobs' own documents hold.
async fn independent_answers(counter: &Counter, jobs: &[JobId]) -> u64 {
    let mut done = 0;
    for job in jobs {
        let page = counter.job(*job).await;
        for visit in page["job"]["visits"].as_object().expect("it is there").values() {
            let facts = visit["facts"].as_object().expect("it is there").values();
            done += facts
                .filter(|it| it["type"] == "conduct" && it["answer"]["answer"] == "done")
                .count();
        }
    }
    done as u64
}

fn refused() -> Outcome {
    Outcome::Refused { reason: "不方便".to_owned() }
}

/// Leaves as one leaves, with the work not done.
async fn give_up(technician: &mut Technician, job: JobId) {
    for item in BEFORE_LEAVING {
        technician.phone.answer_conduct(job, item, Answer::Done).await.expect("it is there");
    }
    let (reason, follow_up) = ("缺件".to_owned(), "明天再来".to_owned());
    let outcome = Outcome::CannotFinish { reason, follow_up };
    technician.phone.close(job, outcome).await.expect("it is there");
}

pub(crate) async fn emergency(counter: &Counter, technician: &Technician) -> JobId {
    let body = json!({
        "kind": "emergency", "account": ACCOUNT, "request": "闻到燃气味", "technician": technician.user,
    });
    let made = counter.node.post("/api/jobs", Some(&counter.dispatcher), &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["id"].as_str().expect("it is there").parse().expect("it is there")
}

async fn answer_before_going_in(technician: &mut Technician, job: JobId) {
    for item in BEFORE_GOING_IN {
        technician.phone.answer_conduct(job, item, Answer::Done).await.expect("it is there");
    }
}

async fn go_in_without_meter(technician: &mut Technician, job: JobId) {
    technician.phone.arrive(job, None).await.expect("it is there");
    answer_before_going_in(technician, job).await;
}

async fn go_in(technician: &mut Technician, job: JobId) -> MeterId {
    go_in_without_meter(technician, job).await;
    technician.phone.job(job).expect("it is there").job.briefing.meters[0].id
}

/// Three rubber hoses of three ages, and one that was put in free though the home is in no group.
async fn hang_hoses(counter: &Counter) -> HouseholdId {
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    let home = find_household_by_account(tx.c(), counter.hall.id, ACCOUNT)
        .await
        .expect("a look")
        .expect("its household");
    let rubber = |id, day: &str| {
        let (kind, length_mm) = (HoseKind::Rubber, 1500);
        let id = HoseId(Uuid::from_u128(id));
        (
            home.id,
            Hose {
                id,
                kind,
                length_mm,
                installed_on: day.parse().expect("it is there"),
                is_estimated: false,
                joints: None,
            },
        )
    };
    let all = [rubber(1, "2010-01-01"), rubber(2, "2026-02-10"), rubber(3, "2024-01-02")];
    hoses::upsert_hoses(tx.c(), &all).await.expect("it is there");
    let installed = HoseId(Uuid::from_u128(2));
    let on = "2026-02-10".parse().expect("it is there");
    let done = Replacement { job: None, installed, on, free: true };
    hoses::upsert_replacements(tx.c(), &[(home.id, done)]).await.expect("it is there");
    tx.commit().await.expect("a commit");
    home.id
}
