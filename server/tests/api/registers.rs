//! The hall's registers and the feed: what goes in comes out, the same on each engine.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::hose::Replacement;
use domain::household::{Group, Hose, HoseKind, Household, Meter, PastReading};
use domain::id::{HoseId, HouseholdId, JobId, MeterId};
use domain::measure::Volume;
use domain::place::Place;
use domain::reading::ReadingState;
use server::db::changes::{self, ChangeRow};
use server::db::documents::{self, DocumentRow, SnapshotRow};
use server::db::jobs::{self, JobRow};
use server::db::packs::{self, PackRow};
use server::db::{Tx, grants, halls, hoses, households, is_unique_violation, meters};
use server::identity::Role;
use uuid::Uuid;

use crate::hall::Hall;

const HOME: HouseholdId = HouseholdId(Uuid::from_u128(1));
const JOB: JobId = JobId(Uuid::from_u128(2));

#[tokio::test]
async fn a_household_comes_back_with_everything_on_its_wall() {
    let hall = Hall::new().await;
    let family = household("1001", [Group::Elderly, Group::MartyrFamily]);
    let meter = Meter {
        readings: (1..=90).map(reading).collect(),
        ..Meter::new(MeterId(Uuid::from_u128(3)), "G4-77", "G4", 5)
    };
    let hose = Hose {
        id: HoseId(Uuid::from_u128(4)),
        kind: HoseKind::Corrugated,
        length_mm: 1500,
        installed_on: day(1),
        is_estimated: false,
        joints: None,
    };
    let replacement = Replacement { job: None, installed: hose.id, on: day(1), free: true };

    for _ in 0..2 {
        let mut tx = hall.db.begin().await.unwrap();
        let homes = std::slice::from_ref(&family);
        households::upsert_households(tx.c(), hall.id, homes).await.unwrap();
        meters::upsert_meters(tx.c(), &[(HOME, meter.clone())]).await.unwrap();
        hoses::upsert_hoses(tx.c(), &[(HOME, hose)]).await.unwrap();
        hoses::upsert_replacements(tx.c(), &[(HOME, replacement)]).await.unwrap();
        tx.commit().await.unwrap();
    }

    let mut conn = hall.db.read().await.unwrap();
    let found = households::find_household(conn.c(), hall.id, HOME).await.unwrap();
    assert_eq!(found, Some(family.clone()));
    let found = households::find_household_by_account(conn.c(), hall.id, "1001").await.unwrap();
    assert_eq!(found, Some(family));
    assert_eq!(meters::list_meters(conn.c(), HOME).await.unwrap(), [meter]);
    assert_eq!(hoses::list_hoses(conn.c(), HOME).await.unwrap(), [hose]);
    assert_eq!(hoses::list_replacements(conn.c(), HOME).await.unwrap(), [replacement]);
}

#[tokio::test]
async fn positions_follow_each_other_and_a_rolled_back_one_is_given_again() {
    let hall = Hall::new().await;

    let mut tx = hall.db.begin().await.unwrap();
    assert_eq!(halls::take_positions(tx.c(), hall.id, 3).await.unwrap(), 1);
    assert_eq!(halls::take_positions(tx.c(), hall.id, 1).await.unwrap(), 4);
    tx.commit().await.unwrap();
    let mut tx = hall.db.begin().await.unwrap();
    assert_eq!(halls::take_positions(tx.c(), hall.id, 2).await.unwrap(), 5);
    drop(tx);
    let mut tx = hall.db.begin().await.unwrap();

    assert_eq!(halls::take_positions(tx.c(), hall.id, 1).await.unwrap(), 5);
}

#[tokio::test]
async fn s7_positions_taken_by_many_at_once_leave_no_gap_and_no_double() {
    let hall = Hall::new().await;

    let takers = (0..8).map(|_| {
        let (db, id) = (hall.db.clone(), hall.id);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..10 {
                let mut tx = db.begin().await.unwrap();
                taken.push(halls::take_positions(tx.c(), id, 1).await.unwrap());
                tx.commit().await.unwrap();
            }
            taken
        })
    });
    let mut all = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        all.extend(taker.await.unwrap());
    }

    all.sort_unstable();
    assert_eq!(all, (1..=80).collect::<Vec<_>>());
}

#[tokio::test]
async fn s11_a_hash_and_an_actors_place_are_stored_once() {
    let hall = Hall::new().await;
    let mut tx = hall.db.begin().await.unwrap();
    seed_job(&hall, &mut tx).await;
    let all: Vec<_> = (1..=100).map(|n| change(&hall, n)).collect();
    changes::insert_changes(tx.c(), &all).await.unwrap();
    tx.commit().await.unwrap();

    let same_hash = ChangeRow { position: 101, seq: 101, ..change(&hall, 7) };
    let same_place = ChangeRow { hash: vec![0xff; 32], position: 101, ..change(&hall, 7) };
    for twice in [same_hash, same_place] {
        let mut tx = hall.db.begin().await.unwrap();
        let error = changes::insert_changes(tx.c(), &[twice]).await.unwrap_err();
        assert!(is_unique_violation(&error), "{error}");
    }

    let mut conn = hall.db.read().await.unwrap();
    let listed = changes::list_job_changes(conn.c(), JOB, 0).await.unwrap();
    assert_eq!(listed, all);
    let page = changes::list_hall_changes(conn.c(), hall.id, 10, 5).await.unwrap();
    assert_eq!(page, all[10..15]);
    let found = changes::find_change_position(conn.c(), &all[6].hash).await.unwrap();
    assert_eq!(found, Some(7));
}

#[tokio::test]
async fn a_job_has_one_live_grant_for_a_user_and_may_come_back() {
    let hall = Hall::new().await;
    let tom = hall.person("tom", Role::Technician).await;
    let mut tx = hall.db.begin().await.unwrap();
    seed_job(&hall, &mut tx).await;
    grants::insert_grant(tx.c(), hall.id, JOB, tom, 1).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = hall.db.begin().await.unwrap();
    let twice = grants::insert_grant(tx.c(), hall.id, JOB, tom, 2).await.unwrap_err();
    assert!(is_unique_violation(&twice));
    drop(tx);
    let mut tx = hall.db.begin().await.unwrap();
    assert!(grants::withdraw_grant(tx.c(), JOB, tom, 2).await.unwrap());
    assert!(!grants::withdraw_grant(tx.c(), JOB, tom, 3).await.unwrap());
    grants::insert_grant(tx.c(), hall.id, JOB, tom, 4).await.unwrap();

    let live = grants::list_live_grants(tx.c(), tom).await.unwrap();
    let all = grants::list_job_grants(tx.c(), JOB).await.unwrap();
    assert_eq!(live.iter().map(|grant| grant.granted_position).collect::<Vec<_>>(), [4]);
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn the_projection_of_a_job_is_written_over_and_read_back() {
    let hall = Hall::new().await;
    let mut tx = hall.db.begin().await.unwrap();
    seed_job(&hall, &mut tx).await;
    let mut job = JobRow {
        job_id: JOB.0,
        hall_id: hall.id.0,
        household_id: HOME.0,
        kind: "repair".to_owned(),
        pack_id: "p".to_owned(),
        status: "assigned".to_owned(),
        technician_id: None,
        visit_id: None,
        window_start: None,
        window_end: None,
        created_at: 5,
        promise_rule: Some("b6".to_owned()),
        promise_due_at: Some(9),
        promise_user_id: None,
        promise_state: None,
        clashes: sqlx::types::Json(serde_json::json!([])),
        updated_position: 1,
        status_since: Some(2),
    };
    jobs::upsert_jobs(tx.c(), std::slice::from_ref(&job)).await.unwrap();
    job.status = "done".to_owned();
    job.window_start = Some(3);
    job.status_since = Some(7);
    job.clashes = sqlx::types::Json(serde_json::json!([{"kind": "two_visits_closed"}]));
    jobs::upsert_jobs(tx.c(), std::slice::from_ref(&job)).await.unwrap();

    assert_eq!(jobs::find_job(tx.c(), hall.id, JOB).await.unwrap(), Some(job));
    let snapshot = SnapshotRow { job_id: JOB.0, position: 4, bytes: vec![1, 2, 3] };
    documents::upsert_snapshot(tx.c(), &snapshot, 5).await.unwrap();
    assert_eq!(documents::find_snapshot(tx.c(), JOB).await.unwrap(), Some(snapshot));
}

async fn seed_job(hall: &Hall, tx: &mut Tx) {
    let pack = PackRow {
        pack_id: "p".to_owned(),
        hash: vec![1],
        toml: String::new(),
        added_at: 0,
        added_by: None,
        withdrawn_at: None,
    };
    packs::insert_pack(tx.c(), &pack).await.expect("a pack");
    let home = [household("1001", [])];
    households::upsert_households(tx.c(), hall.id, &home).await.expect("a household");
    let document = DocumentRow {
        job_id: JOB.0,
        hall_id: hall.id.0,
        household_id: HOME.0,
        pack_id: pack.pack_id,
        created_at: 0,
    };
    documents::insert_document(tx.c(), &document).await.expect("a document");
}

fn change(hall: &Hall, n: u8) -> ChangeRow {
    ChangeRow {
        hash: vec![n; 32],
        hall_id: hall.id.0,
        job_id: JOB.0,
        position: i64::from(n),
        actor: vec![9; 16],
        seq: i64::from(n),
        device_id: None,
        author_id: None,
        received_at: 1,
        sent_boot: None,
        sent_mono_ms: Some(-1),
        bytes: vec![n; 160],
    }
}

fn household(account: &str, groups: impl Into<BTreeSet<Group>>) -> Household {
    Household {
        id: HOME,
        account: account.to_owned(),
        holder: "王丽".to_owned(),
        address: "石井路 12 号 3 单元 501".to_owned(),
        phone: "13800000000".to_owned(),
        place: Some(Place { latitude: 23.125, longitude: 113.25 }),
        groups: groups.into(),
        access: "门禁 #77".to_owned(),
        unregistered: false,
    }
}

fn reading(n: u32) -> PastReading {
    let (register, state) = (Volume(i64::from(n) * 12_345), ReadingState::Seen);
    PastReading { on: day(n), register, state }
}

fn day(n: u32) -> NaiveDate {
    NaiveDate::from_yo_opt(2025, n).expect("a day of the year")
}
