//! Backups while people work, and halls restored from them with real phones (S13, S22).
//!
//! Each test has a thread beside its own: while it waits for a command, its server must be able to end what it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;

use domain::id::{FactId, JobId};
use domain::job::Job;
use domain::status::standing;
use serde_json::{Value, json};
use server::db::Db;
use server::db::lone::Lone;
use server::db::tables::{Cells, list_tables, read_table};

use crate::counter::{Counter, Technician};
use crate::live::{self, Reader};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s13_s22_a_hall_restored_from_yesterday_gets_back_what_its_phones_hold() {
    let mut counter = Counter::open().await;
    let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
    let (first, second) = (counter.job_for(ana.user).await, counter.job_for(ben.user).await);
    visit(&mut ana, first, "昨天").await;
    visit(&mut ben, second, "昨天").await;
    let folder = tempfile::tempdir().unwrap();
    let backup = back_up(&counter, folder.path());
    let before = live::epoch(&counter).await;

    // After the backup: a whole new job, its visit, more on an old one, a plan changed, one phone still silent.
    let third = counter.job_for(ana.user).await;
    visit(&mut ana, third, "今天").await;
    note(&mut ben, second, "备份以后").await;
    let moved = json!({"technician": ben.user});
    assert_eq!(counter.add(first, "assignments", &moved).await.status, 201);
    ana.synced().await;
    ben.synced().await;
    ben.phone.note(second, "还没有上交".to_owned()).await.unwrap();
    let (position, _, _) = Reader::open(&counter, None).await.next().await;
    let statuses = statuses(&counter).await;

    destroy(&mut counter).await;
    restore(&counter, &backup);
    reopen(&mut counter, &mut [&mut ana, &mut ben]).await;
    let after = live::epoch(&counter).await;
    let forgot = counter.node.get(&format!("/api/jobs/{third}"), &counter.dispatcher).await;
    assert_eq!(forgot.status, 404, "the backup is of yesterday");
    for _ in 0..2 {
        ana.synced().await;
        ben.synced().await;
    }

    assert_ne!(before, after, "another epoch");
    for technician in [&ana, &ben] {
        for job in technician.phone.device().jobs() {
            assert_eq!(facts(&counter, job.id).await, held(job), "{}", job.id);
        }
        assert_eq!(technician.phone.sync_state().only_here, 0);
    }
    assert_eq!(self::statuses(&counter).await, statuses);
    assert_eq!(counter.quarantine().await, Vec::<Value>::new());
    assert_eq!(notes(&counter, second).await, ["昨天", "备份以后", "还没有上交"]);

    let id = format!("{}-{position}", before.simple());
    let mut reader = Reader::of(live::connect(&counter, Some(&id)).await);
    assert_eq!(reader.next().await.1, "snapshot", "a reader from before the restore begins anew");
    assert_projections_rebuild(&counter).await;
}

/// Another secret for seals is made, before or after the backup that the hall is restored from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_57_another_key_for_seals_loses_nothing_at_a_restore_from_before_or_after() {
    for is_backed_up_between in [false, true] {
        let mut counter = Counter::open().await;
        let (mut ana, mut ben) = (counter.hire("ana").await, counter.hire("ben").await);
        let first = counter.job_for(ana.user).await;
        visit(&mut ana, first, "昨天").await;
        let (early, late) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut backup = back_up(&counter, early.path());
        assert_says_keys(&counter, "the first seal, as old as the database: seals");
        assert!(doorstep(&counter, &["keys", "renew-seal"], None).status.success());
        assert_says_keys(&counter, "believed, and waits for a backup");
        let second = counter.job_for(ben.user).await;
        visit(&mut ben, second, "换过密钥").await;
        if is_backed_up_between {
            backup = back_up(&counter, late.path());
            assert_says_keys(&counter, "UTC: seals");
        }
        // Plans that only phones know after the restore: taken back under the seals that they got with them.
        let third = counter.job_for(ana.user).await;
        visit(&mut ana, third, "今天").await;
        assert_eq!(
            counter.add(first, "assignments", &json!({"technician": ben.user})).await.status,
            201
        );
        ana.synced().await;
        ben.synced().await;

        destroy(&mut counter).await;
        restore(&counter, &backup);
        reopen(&mut counter, &mut [&mut ana, &mut ben]).await;
        for _ in 0..2 {
            ana.synced().await;
            ben.synced().await;
        }

        for technician in [&ana, &ben] {
            for job in technician.phone.device().jobs() {
                assert_eq!(facts(&counter, job.id).await, held(job), "{}", job.id);
            }
            assert_eq!(technician.phone.sync_state().only_here, 0);
        }
        assert_eq!(counter.quarantine().await, Vec::<Value>::new(), "{is_backed_up_between}");
    }
}

fn assert_says_keys(counter: &Counter, words: &str) {
    let listed = doorstep(counter, &["keys", "list"], None);
    let said = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.status.success() && said.contains(words), "{words:?} is not in {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s12_only_a_verified_backup_lets_phones_forget() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    visit(&mut ana, job, "做完了").await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ana.phone.sync_state().safe, 0);

    let nowhere = folder.path().join("file");
    std::fs::write(&nowhere, "no folder").unwrap();
    let refused = doorstep(&counter, &["backup", "--to"], Some(&nowhere));
    assert!(!refused.status.success());
    ana.synced().await;
    assert_eq!(ana.phone.sync_state().safe, 0, "there is no backup yet");

    back_up(&counter, folder.path());
    counter.wait_minutes(1, &[&ana]).await;
    ana.synced().await;
    let state = ana.phone.sync_state();
    assert_eq!((state.safe, state.only_here), (state.acked, 0));
    assert!(state.safe > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s22_a_backup_says_what_the_database_says_and_is_restored_only_whole() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    visit(&mut ana, job, "漏气").await;
    seal_audit(&counter).await;
    let folder = tempfile::tempdir().unwrap();
    let backup = back_up(&counter, folder.path());
    let before = everything(&counter).await;

    let taken = doorstep(&counter, &["restore", "--replace", "--from"], Some(&backup));
    assert_says(&taken, "the database is in use");
    counter.node.stop().await;
    counter.hall.db.close().await;
    let full = doorstep(&counter, &["restore", "--from"], Some(&backup));
    assert_says(&full, "--replace");

    let part = backup.join("change.cbor");
    let whole = std::fs::read(&part).unwrap();
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 1;
    std::fs::write(&part, bent).unwrap();
    let damaged = doorstep(&counter, &["restore", "--replace", "--from"], Some(&backup));
    assert_says(&damaged, "not to be relied on");
    assert_says(&doorstep(&counter, &["backup", "--check"], Some(&backup)), "relied on");
    std::fs::write(&part, whole).unwrap();

    restore(&counter, &backup);
    let mut after = everything(&counter).await;
    let mut expected = before;
    for rows in [&mut after, &mut expected] {
        // The epoch is another, the backup is noted only after it was read back.
        rows.remove("meta");
        rows.remove("backup");
        // The move of the safe watermark too.
        rows.remove("hall");
    }
    take_restored(&mut after);
    assert_eq!(after, expected);
}

/// Moves a hall from one engine to the other and back; needs both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_one_engine_fits_the_other() {
    let counter = Counter::open().await;
    if counter.hall.config.database.0.starts_with("sqlite:") {
        return;
    }
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    visit(&mut ana, job, "两种数据库").await;
    seal_audit(&counter).await;
    let folder = tempfile::tempdir().unwrap();
    let backup = back_up(&counter, folder.path());

    let file = format!("sqlite:{}", folder.path().join("moved.db").display());
    let moved = run(&["restore", "--database", &file, "--from"], Some(&backup));
    assert!(moved.status.success(), "{moved:?}");
    let mut there = tables(&file).await;
    let mut here = everything(&counter).await;
    take_restored(&mut there);
    for rows in [&mut there, &mut here] {
        for noted_later in ["meta", "backup", "hall"] {
            rows.remove(noted_later);
        }
    }

    assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>());
    for (table, rows) in &here {
        assert_eq!(rows.len(), there[table].len(), "{table}");
    }
    assert_eq!(there["change"], here["change"]);
}

/// A visit up to a note, handed in.
async fn visit(technician: &mut Technician, job: JobId, text: &str) {
    technician.synced().await;
    technician.phone.arrive(job, None).await.expect("saved");
    note(technician, job, text).await;
}

async fn note(technician: &mut Technician, job: JobId, text: &str) {
    technician.phone.note(job, text.to_owned()).await.expect("saved");
    technician.synced().await;
}

fn held(job: &Job) -> BTreeSet<FactId> {
    job.visits.values().flat_map(|visit| visit.facts.keys().copied()).collect()
}

async fn job_of(counter: &Counter, job: JobId) -> Job {
    serde_json::from_value(counter.job(job).await["job"].take()).expect("a job")
}

async fn facts(counter: &Counter, job: JobId) -> BTreeSet<FactId> {
    held(&job_of(counter, job).await)
}

async fn notes(counter: &Counter, job: JobId) -> Vec<String> {
    let job = job_of(counter, job).await;
    let facts = job.visits.values().flat_map(|visit| visit.facts.values());
    let texts = facts.filter_map(|it| {
        let fact = serde_json::to_value(&it.fact).expect("JSON");
        fact["text"].as_str().map(str::to_owned)
    });
    texts.collect()
}

/// The status of each job, as the fold tells it and as lists show it.
async fn statuses(counter: &Counter) -> BTreeMap<String, (String, Value)> {
    let listed = counter.node.get("/api/jobs", &counter.dispatcher).await.body;
    let mut statuses = BTreeMap::new();
    for row in listed["jobs"].as_array().expect("jobs") {
        let id: JobId = row["id"].as_str().expect("an id").parse().expect("an id");
        let folded = standing(&job_of(counter, id).await).status.key().to_owned();
        statuses.insert(id.to_string(), (folded, row["status"].clone()));
    }
    statuses
}

/// Runs a command of the binary on the hall's database.
fn doorstep(counter: &Counter, arguments: &[&str], last: Option<&Path>) -> Output {
    let (command, rest) = arguments.split_first().expect("a command");
    let database = ["--database", counter.hall.config.database.0.as_str()];
    run(&[&[*command], &database[..], rest].concat(), last)
}

fn run(arguments: &[&str], last: Option<&Path>) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments).args(last).output().expect("the binary runs")
}

fn assert_says(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{output:?}");
}

/// Makes a backup while the server runs; tells its folder.
fn back_up(counter: &Counter, folder: &Path) -> PathBuf {
    let made = doorstep(counter, &["backup", "--to"], Some(folder));
    assert!(made.status.success(), "{made:?}");
    let mut folders =
        std::fs::read_dir(folder).expect("it works").map(|it| it.expect("it works").path());
    let made = folders.find(|it| it.join("manifest.json").exists());
    made.expect("a backup")
}

fn restore(counter: &Counter, backup: &Path) {
    let restored = doorstep(counter, &["restore", "--replace", "--from"], Some(backup));
    assert!(restored.status.success(), "{restored:?}");
}

/// The server is gone, and with SQLite its disk.
async fn destroy(counter: &mut Counter) {
    counter.node.stop().await;
    counter.hall.db.close().await;
    if let Some(path) = counter.hall.config.database.0.strip_prefix("sqlite:") {
        std::fs::remove_file(path).expect("it works");
    }
}

/// Starts a server on what was restored.
async fn reopen(counter: &mut Counter, technicians: &mut [&mut Technician]) {
    counter.hall.db = Db::open(&counter.hall.config.database.0).await.expect("it works");
    counter.node = counter.hall.node().await;
    for technician in technicians {
        technician.base.clone_from(&counter.node.base);
    }
    counter.dispatcher = counter.node.sign_in("dora").await;
    counter.manager = counter.node.sign_in("mara").await;
}

/// Takes away that a restore itself was entered, beside what was.
fn take_restored(tables: &mut BTreeMap<String, Vec<String>>) {
    let entered = tables.get_mut("audit_entry").expect("the audit trail");
    let before = entered.len();
    entered.retain(|row| !row.contains("\"restored\""));
    assert_eq!(before - entered.len(), 1);
}

/// Gives everything that was entered its place, so that nothing moves any more.
async fn seal_audit(counter: &Counter) {
    let mut tx = counter.hall.db.begin().await.expect("a transaction");
    server::audit::chain::seal(&mut tx).await.expect("sealed");
    tx.commit().await.expect("a commit");
}

async fn everything(counter: &Counter) -> BTreeMap<String, Vec<String>> {
    tables(&counter.hall.config.database.0).await
}

/// Every row of every table, in an order of its own.
async fn tables(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut lone = Lone::read(url, &[]).await.expect("it works");
    let mut everything = BTreeMap::new();
    for table in list_tables(lone.c()).await.expect("it works") {
        let mut rows = Vec::new();
        let take = |row: Cells| {
            rows.push(format!("{row:?}"));
            Ok(())
        };
        read_table(lone.c(), &table, take).await.expect("it works");
        rows.sort();
        everything.insert(table.name, rows);
    }
    assert!(everything.len() > 20, "the tables were not found");
    lone.close().await.expect("it works");
    everything
}

/// Every projection derived anew is what it was.
async fn assert_projections_rebuild(counter: &Counter) {
    // Who read what meanwhile is entered meanwhile.
    let derived = async || {
        let mut tables = everything(counter).await;
        tables.retain(|name, _| !name.starts_with("audit_"));
        tables
    };
    let before = derived().await;
    assert!(!before["fact"].is_empty());

    let rebuilt = doorstep(counter, &["rebuild"], None);
    assert!(rebuilt.status.success(), "{rebuilt:?}");

    assert_eq!(derived().await, before);
}
