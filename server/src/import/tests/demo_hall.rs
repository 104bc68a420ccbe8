//! The demo hall and the small hall load, once and twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{NaiveDate, TimeDelta};
use domain::household::Meter;
use domain::id::HouseholdId;
use domain::job::{Job, JobKind};
use domain::pack::{Pack, SkillId};
use domain::reading::{self, Finding, ReadingState, Shown};

use super::{World, load};
use crate::db::{changes, contacts, grants, halls, jobs, qualifications, users};
use crate::identity::password::{Checked, Passwords};
use crate::import::content::{Known, hall_id, household_id, job_id, user_id};
use crate::import::problem::Reason;
use crate::import::summary::{Counts, Summary, Thing};
use crate::import::{Tables, cell, read, settings};

#[tokio::test]
async fn the_demo_hall_loads_with_two_hundred_jobs() {
    let world = World::empty().await;

    let summary = load(&world.db, &demo_folder(), None).await.unwrap();

    let new = |thing| summary.of(thing).new;
    assert_eq!((new(Thing::Staff), new(Thing::Household), new(Thing::Meter)), (15, 320, 280));
    assert_eq!((new(Thing::Reading), new(Thing::Hose)), (1_000, 280));
    assert_eq!(new(Thing::Job), 200);
    assert_eq!(world.count("document").await, 200);
    assert_eq!(world.count("job_grant").await, 200);
    let hall = hall_id("芜湖", "镜湖营业厅");
    let mut conn = world.db.read().await.unwrap();
    let fate = grants::list_live_grants(conn.c(), user_id(hall, "jiang.hai")).await.unwrap();
    assert_eq!(fate.len(), 20);
}

#[tokio::test]
async fn the_demo_hall_loaded_twice_changes_nothing() {
    let world = World::empty().await;
    let first = load(&world.db, &demo_folder(), None).await.unwrap().total();
    let position = next_position(&world).await;

    let second = load(&world.db, &demo_folder(), None).await.unwrap().total();

    assert_eq!(first.unchanged, 0);
    assert_eq!(second, Counts { new: 0, changed: 0, unchanged: first.new });
    assert_eq!(next_position(&world).await, position);
}

#[tokio::test]
async fn a_changed_row_is_changed_and_nothing_else() {
    let world = World::small().await;
    world.load().await.unwrap();
    world.edit("households.csv", "门铃坏", "门铃已修好");
    world.edit("readings.csv", "120.5", "121");

    let summary = world.load().await.unwrap();

    let changed = |thing| summary.of(thing).changed;
    assert_eq!((changed(Thing::Household), changed(Thing::Reading)), (1, 1));
    assert_eq!((summary.total().new, summary.total().changed), (0, 2));
}

#[tokio::test]
async fn a_changed_password_is_not_reset() {
    let world = World::small().await;
    world.load().await.unwrap();
    let passwords = Passwords::new().unwrap();
    let hash = passwords.hash("my own long words").await.unwrap();
    let ana = user_id(hall_id("芜湖", "厅"), "ana");
    let mut tx = world.db.begin().await.unwrap();
    users::set_password_hash(tx.c(), ana, &hash).await.unwrap();
    tx.commit().await.unwrap();
    world.edit("staff.csv", "安娜", "安娜娜");

    world.load().await.unwrap();

    let mut conn = world.db.read().await.unwrap();
    let stored = users::find_user(conn.c(), ana).await.unwrap().unwrap();
    assert_eq!(stored.name, "安娜娜");
    let checked = passwords.check("my own long words", stored.password_hash.as_deref()).await;
    assert_eq!(checked.unwrap(), Checked::Right);
}

#[tokio::test]
async fn skills_and_areas_are_loaded_and_a_file_that_is_silent_on_them_leaves_them() {
    let world = World::small().await;
    let ana = user_id(hall_id("芜湖", "厅"), "ana");
    let recorded = async || {
        let mut conn = world.db.read().await.unwrap();
        qualifications::find_qualification(conn.c(), ana).await.unwrap()
    };
    world.load().await.unwrap();
    assert_eq!(recorded().await, None, "a folder from before these columns is whole");

    world.edit("staff.csv", "初始密码\n", "初始密码,技能,片区\n");
    world.edit("staff.csv", "noon\n", "noon,抄表员、gas_fitter,文化路；吉和街\n");
    world.edit("staff.csv", "dusk\n", "dusk,,\n");
    let summary = world.load().await.unwrap();
    let first = recorded().await.unwrap();
    world.edit("staff.csv", ",技能", "");
    world.edit("staff.csv", ",抄表员、gas_fitter", "");
    world.edit("staff.csv", "dusk,,", "dusk,");
    let again = world.load().await.unwrap();
    world.edit("staff.csv", "片区\n", "技能\n");
    world.edit("staff.csv", "文化路；吉和街", "无");
    world.load().await.unwrap();
    let nothing = recorded().await.unwrap();

    let skills = ["gas_fitter", "meter_reader"].map(|it| SkillId(it.to_owned()));
    assert_eq!(first.skills, Some(BTreeSet::from(skills)));
    assert_eq!(first.area, BTreeSet::from(["文化路", "吉和街"].map(str::to_owned)));
    assert_eq!(summary.of(Thing::Staff).changed, 1);
    assert_eq!((again.total().new, again.total().changed), (0, 0));
    assert_eq!((nothing.skills, nothing.area), (Some(BTreeSet::new()), first.area));
}

#[tokio::test]
async fn telephones_and_leaders_are_loaded_and_a_file_that_is_silent_on_them_leaves_them() {
    let world = World::small().await;
    let (ana, ben) = (user_id(hall_id("芜湖", "厅"), "ana"), user_id(hall_id("芜湖", "厅"), "ben"));
    let recorded = async |who| {
        let mut conn = world.db.read().await.unwrap();
        let found = contacts::find_contact(conn.c(), who).await.unwrap();
        found.map(|it| (it.phone, it.leader_id))
    };
    world.edit("staff.csv", "初始密码\n", "初始密码,电话,班组长\n");
    world.edit("staff.csv", "noon\n", "noon,139-0553-0017,Ben\n");
    world.edit("staff.csv", "dusk\n", "dusk,,ben\n");
    world.load().await.unwrap();
    let first = (recorded(ana).await, recorded(ben).await);
    world.edit("staff.csv", "139-0553-0017,Ben", "139-0553-0018,zoe");
    let problems = world.problems().await;
    world.edit("staff.csv", ",电话,班组长", "");
    world.edit("staff.csv", ",139-0553-0018,zoe", "");
    world.edit("staff.csv", "dusk,,ben", "dusk");
    let again = world.load().await.unwrap();

    assert_eq!(first.0, Some((Some("13905530017".to_owned()), Some(ben.0))));
    assert_eq!(first.1, None, "nobody leads themselves");
    assert_eq!((problems[0].line, problems[0].column.as_deref()), (2, Some("班组长")));
    assert_eq!(problems[0].reason, Reason::Unknown { file: "staff.csv" });
    assert_eq!((again.total().new, again.total().changed), (0, 0));
    assert_eq!(recorded(ana).await, first.0);
}

#[tokio::test]
async fn the_briefing_holds_what_is_needed_at_the_door() {
    let world = World::small().await;
    world.load().await.unwrap();

    let job = stored_job(&world, "J1").await;

    assert_eq!(job.kind, JobKind::HoseReplacement);
    let briefing = &job.briefing;
    assert_eq!((briefing.household.account.as_str(), briefing.household.groups.len()), ("1001", 2));
    assert_eq!(briefing.household.phone, "05530200000");
    assert_eq!((briefing.meters.len(), briefing.meters[0].readings.len()), (1, 2));
    assert_eq!((briefing.hoses.len(), briefing.replacements.len()), (1, 1));
    assert!(briefing.replacements[0].free);
    assert_eq!(briefing.request, "软管到期");
    assert_eq!(briefing.also_due[0].kind, JobKind::MeterReading);
}

#[tokio::test]
async fn the_plan_says_who_agreed_and_who_goes() {
    let world = World::small().await;
    world.load().await.unwrap();

    let job = stored_job(&world, "J1").await;
    let emergency = stored_job(&world, "J3").await;

    let appointment = job.plan.appointments.values().next().unwrap();
    assert_eq!(appointment.window.start.to_rfc3339(), "2026-11-24T00:00:00+00:00");
    assert_eq!(appointment.author.by, user_id(job.hall, "ben"));
    assert_eq!(appointment.author.at, job.created_at);
    let assignment = job.plan.assignments.values().next().unwrap();
    assert_eq!(assignment.technician, Some(user_id(job.hall, "ana")));
    assert!(emergency.plan.appointments.is_empty() && emergency.plan.assignments.is_empty());
}

#[tokio::test]
async fn another_day_gets_its_own_jobs_with_moved_windows() {
    let world = World::small().await;
    world.load().await.unwrap();
    let day = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();

    let summary = load(&world.db, world.folder.path(), Some(day)).await.unwrap();

    assert_eq!((summary.of(Thing::Job).new, summary.total().new), (3, 3));
    let hall = hall_id("芜湖", "厅");
    let mut conn = world.db.read().await.unwrap();
    let first = jobs::find_job(conn.c(), hall, job_id(hall, small_day(), "J1")).await.unwrap();
    let moved = jobs::find_job(conn.c(), hall, job_id(hall, day, "J1")).await.unwrap();
    let (first, moved) = (first.unwrap(), moved.unwrap());
    let week_ms = TimeDelta::days(7).num_milliseconds();
    assert_eq!(moved.window_start.unwrap() - first.window_start.unwrap(), week_ms);
    assert_eq!(moved.created_at - first.created_at, week_ms);
}

#[tokio::test]
async fn a_spreadsheets_habits_do_no_harm() {
    let world = World::small().await;
    world.load().await.unwrap();
    let path = world.folder.path().join("meters.csv");
    std::fs::write(path, "\u{feff}digits,serial,size,account\r\n 5 ,M1,G4,1001\r\n,,,\r\n")
        .unwrap();

    let summary = world.load().await.unwrap();

    assert_eq!(summary.of(Thing::Meter), Counts { new: 0, changed: 0, unchanged: 1 });
}

#[tokio::test]
async fn the_summary_is_a_table_in_both_languages() {
    let world = World::small().await;

    let summary: Summary = world.load().await.unwrap();

    for language in [domain::catalogue::Language::Chinese, domain::catalogue::Language::English] {
        let told = summary.tell(language);
        assert_eq!(told.lines().count(), 9, "{told}");
        assert!(!told.contains("import."), "{told}");
    }
}

#[tokio::test]
async fn household_ids_are_the_same_wherever_they_are_loaded() {
    let world = World::small().await;
    world.load().await.unwrap();

    let job = stored_job(&world, "J1").await;

    assert_eq!(job.briefing.household.id, household_id(hall_id("芜湖", "厅"), "1001"));
}

async fn stored_job(world: &World, number: &str) -> Job {
    let job = job_id(hall_id("芜湖", "厅"), small_day(), number);
    let mut conn = world.db.read().await.unwrap();
    let rows = changes::list_job_changes(conn.c(), job, 0).await.unwrap();
    let bytes: Vec<_> = rows.iter().map(|row| &row.bytes).collect();
    let doc = sync::document::load(None, &bytes).unwrap();
    sync::document::read(&doc).unwrap()
}

async fn next_position(world: &World) -> i64 {
    let mut conn = world.db.read().await.unwrap();
    halls::list_halls(conn.c()).await.unwrap()[0].next_position
}

fn small_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
}

fn demo_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/hall")
}

#[test]
fn a9_what_the_real_meters_show_on_the_day_is_mostly_normal() {
    let hall = settings(&demo_folder()).unwrap();
    let mut problems = Vec::new();
    let tables = Tables::of_folder(&demo_folder(), &mut problems);
    let pack = Pack::builtin();
    let known = Known { skills: pack.skills.clone(), ..Known::default() };
    let homes = read(&tables, &hall, &known, hall.day, &mut problems).homes;
    assert!(problems.is_empty(), "{problems:?}");
    let with_readings = |(_, meter, _): &(HouseholdId, Meter, Option<u8>)| {
        let own = homes.readings.iter().filter(|(of, _)| *of == meter.id);
        let readings = own.map(|(_, reading)| *reading).collect();
        (meter.serial.clone(), Meter { readings, ..meter.clone() })
    };
    let meters: BTreeMap<String, Meter> = homes.meters.iter().map(with_readings).collect();
    let mut findings: BTreeMap<Finding, usize> = BTreeMap::new();

    for line in include_str!("../../../../demo/day/registers.csv").lines().skip(1) {
        let cells: Vec<_> = line.split(',').collect();
        let (meter, register) = (&meters[cells[2]], cell::register(cells[3]).unwrap());
        if !meter.readings.is_empty() {
            let (register, state) = (Some(register), ReadingState::Seen);
            let shown = Shown { on: small_day(), register, state };
            let verdict = reading::judge(meter, None, &shown, &pack);
            *findings.entry(verdict.finding).or_default() += 1;
        }
    }

    let (normal, all) = (findings[&Finding::Normal], findings.values().sum::<usize>());
    assert!(all > 150 && normal < all && normal * 10 > all * 9, "{findings:?}");
}
