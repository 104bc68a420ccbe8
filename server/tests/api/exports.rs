//! Files that leave the hall, read back by other programs than the one that wrote them.

use calamine::{Data, Reader as _, Xlsx};
use domain::household::Meter;
use domain::id::{MeterId, derived};
use domain::measure::Volume;
use serde_json::{Value, json};

use server::db::households::find_household_by_account;
use server::db::meters::upsert_meters;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::reply;

const DAYS: &str = "from=2026-03-01&to=2026-03-04";

pub(crate) async fn bytes(counter: &Counter, path: &str, token: &str) -> (u16, String, Vec<u8>) {
    let url = format!("{}{path}", counter.node.base);
    let response = reqwest::Client::new()
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .expect("the server answers");
    let kind = response.headers()["content-type"].to_str().expect("a type in ASCII").to_owned();
    (response.status().as_u16(), kind, response.bytes().await.expect("a whole body").to_vec())
}

/// A hall where somebody read a meter, corrected it and wrote a remark that a spreadsheet would run.
async fn busy() -> (Counter, crate::counter::Technician, domain::id::JobId) {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    hang_a_meter(&counter).await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("saved");
    for item in ["uniform_badge", "knock_identify", "asked_to_enter", "shoe_covers", "tool_mat"] {
        ana.phone.answer_conduct(job, item, domain::conduct::Answer::Done).await.expect("saved");
    }
    let meter = ana.phone.job(job).expect("his job").job.briefing.meters[0].id;
    let wrong = ana.phone.read_meter(job, meter, Some(Volume(1_000_000))).await.expect("saved");
    let right = Some(Volume(1_234_567));
    ana.phone.correct_reading(job, wrong.saved.fact, right).await.expect("saved");
    ana.phone.find_hazard(job, "no_flame_failure_device", "=1+1".to_owned()).await.expect("saved");
    ana.synced().await;
    (counter, ana, job)
}

pub(crate) async fn hang_a_meter(counter: &Counter) {
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    let home = find_household_by_account(tx.c(), counter.hall.id, ACCOUNT)
        .await
        .expect("a look")
        .expect("its household");
    let id = MeterId(derived(counter.hall.id, "meter", "N1"));
    let (serial, size) = ("N1".to_owned(), "G2.5".to_owned());
    let meter = Meter::new(id, &serial, &size, 5);
    upsert_meters(tx.c(), &[(home.id, meter)]).await.expect("a meter");
    tx.commit().await.expect("a commit");
}

#[tokio::test]
async fn readings_for_billing_tell_the_correction_alone_in_cubic_metres() {
    let (counter, _ana, job) = busy().await;
    let path = format!("/api/exports/readings?{DAYS}");

    let (status, kind, book) = bytes(&counter, &path, &counter.manager).await;
    let (_, _, text) =
        bytes(&counter, &format!("{path}&format=csv&lang=en"), &counter.manager).await;

    assert_eq!((status, kind.contains("spreadsheetml")), (200, true));
    let mut book = Xlsx::new(std::io::Cursor::new(book)).unwrap();
    let page = book.worksheet_range("抄表").unwrap();
    let rows: Vec<_> = page.rows().collect();
    assert_eq!(rows.len(), 2, "the header and one reading");
    assert_eq!(rows[0][0], Data::String("户号".to_owned()));
    assert!(matches!(rows[1][4], Data::DateTime(_)), "a real time: {:?}", rows[1][4]);
    assert_eq!(rows[1][5], Data::Float(1_234.567));
    assert_eq!(rows[1][10], Data::String(job.to_string()));
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("\u{feff}Account,Holder,"), "{text}");
    assert!(text.contains(",1234.567,") && !text.contains("1000.000"), "{text}");
}

#[tokio::test]
async fn check_43_nothing_in_a_file_is_a_formula() {
    let (counter, _ana, _) = busy().await;
    let path = format!("/api/exports/hazards?{DAYS}");

    let (_, _, book) = bytes(&counter, &path, &counter.manager).await;
    let (_, _, text) = bytes(&counter, &format!("{path}&format=csv"), &counter.manager).await;

    let mut book = Xlsx::new(std::io::Cursor::new(book)).unwrap();
    assert!(book.worksheet_formula("隐患").unwrap().used_cells().next().is_none());
    let page = book.worksheet_range("隐患").unwrap();
    assert!(page.used_cells().any(|(_, _, cell)| *cell == Data::String("=1+1".to_owned())));
    assert!(String::from_utf8(text).unwrap().contains(",'=1+1,"));
}

#[tokio::test]
async fn every_table_is_written_in_both_languages_and_both_ways() {
    let (counter, _ana, _) = busy().await;
    for (table, at_least) in [
        ("jobs", 2),
        ("visits", 2),
        ("readings", 2),
        ("hoses", 1),
        ("hazards", 2),
        ("punctuality", 2),
    ] {
        for lang in ["zh", "en"] {
            let path = format!("/api/exports/{table}?{DAYS}&lang={lang}&format=csv");
            let (status, _, text) = bytes(&counter, &path, &counter.manager).await;
            let text = String::from_utf8(text).unwrap();
            assert_eq!(status, 200, "{text}");
            assert!(text.lines().count() >= at_least, "{table}: {text}");
            assert!(!text.contains("export.") && !text.contains("kind."), "{table}: {text}");
        }
    }
    let refused = counter.node.get(&format!("/api/exports/secrets?{DAYS}"), &counter.manager).await;
    assert_eq!(refused.status, 400);
    let backwards = "/api/exports/jobs?from=2026-03-04&to=2026-03-01";
    assert_eq!(counter.node.get(backwards, &counter.manager).await.status, 422);
}

#[tokio::test]
async fn a_technicians_calendar_is_theirs_and_the_halls() {
    let (counter, ana, job) = busy().await;
    let ben = counter.hire("ben").await;
    let path = format!("/api/technicians/{}/calendar?{DAYS}", ana.user);

    let (status, kind, text) = bytes(&counter, &path, &counter.dispatcher).await;

    assert_eq!((status, kind.as_str()), (200, "text/calendar; charset=utf-8"));
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert!(text.contains(&format!("UID:{job}@doorstep")), "{text}");
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "long lines are folded: {text}");
    assert_eq!(bytes(&counter, &path, &ana.token).await.0, 200);
    assert_eq!(bytes(&counter, &path, &ben.token).await.0, 404);
}

#[tokio::test]
async fn jobs_are_points_on_a_map_longitude_first() {
    let (counter, _ana, job) = busy().await;
    let url = format!("{}/api/map/jobs?{DAYS}", counter.node.base);

    let request = reqwest::Client::new().get(url).bearer_auth(&counter.dispatcher);
    let map = reply(request).await;

    assert_eq!(map.kind, "application/geo+json");
    let feature = &map.body["features"][0];
    assert_eq!((&map.body["type"], &feature["id"]), (&json!("FeatureCollection"), &json!(job)));
    let place = &feature["geometry"]["coordinates"];
    let is_in_china =
        |place: &Value| place[0].as_f64().unwrap() > 70.0 && place[1].as_f64().unwrap() < 55.0;
    assert!(feature["geometry"].is_null() || is_in_china(place), "{feature}");
}
