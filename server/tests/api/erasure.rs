//! A household's data given out and erased, and what is over by its age (checks 63, 64).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use calamine::{Reader as _, Xlsx};
use domain::id::JobId;
use domain::visit::{Outcome, Subject};
use serde_json::{Value, json};
use server::backup;
use server::command::rebuild::Rebuild;
use server::config::Config;
use server::db::{changes as stored, tables};
use server::erasure::{self, Over};
use server::photos::store::Store;

use crate::audit::entries;
use crate::counter::{ACCOUNT, Counter, Technician};
use crate::hall::text;
use crate::photos::{name, picture};

/// What is searched for after an erasure: a word of each kind that somebody may have said or written.
const CANARIES: [&str; 6] =
    ["章思雨", "听江里1幢101室", "05530200000", "灶火不旺", "金丝雀在门口", "金丝雀在电话里"];

const DAY_MINUTES: i64 = 24 * 60;

/// Treatment of every table that hangs on a household or a job: what is done when it is erased.
const TREATED: &[(&str, &str)] = &[
    ("appliance", "stays: the place's technical record"),
    ("application", "emptied"),
    ("application_event", "emptied"),
    ("application_job", "stays: ids"),
    ("application_trip", "stays: a count"),
    ("appointment_verdict", "stays: days and verdicts"),
    ("case_event", "emptied"),
    ("case_job", "stays: ids"),
    ("case_look", "stays: ids"),
    ("case_reporter", "deleted"),
    ("cash_doubt", "stays: ids"),
    ("cash_taken", "emptied of words; sums stay for accounting"),
    ("change", "emptied; its hash stays"),
    ("document", "marked"),
    ("erasure", "made"),
    ("fact", "deleted"),
    ("hall_case", "emptied"),
    ("hose", "stays: the place's technical record"),
    ("hose_change", "stays: the place's technical record"),
    ("household", "emptied"),
    ("household_group", "deleted"),
    ("household_notice", "emptied"),
    ("item_seen", "stays: the place's technical record"),
    ("job", "stays: kind, status and days"),
    ("job_grant", "withdrawn"),
    ("leak", "emptied"),
    ("ledger_entry", "deleted"),
    ("live_event", "deleted"),
    ("meter", "stays: the place's technical record"),
    ("meter_change", "stays: the place's technical record"),
    ("notice", "stays: ids"),
    ("outage_household", "stays: ids"),
    ("outage_told", "stays: ids and days"),
    ("proposed_window", "stays: a window"),
    ("quarantine", "deleted; what was not released stands in the way"),
    ("rating", "emptied of words"),
    ("reading", "stays: the place's technical record"),
    ("reminder", "stays: ids"),
    ("replacement", "stays: the place's technical record"),
    ("snapshot", "deleted"),
    ("supply", "stays: the place's technical record"),
    ("track_link", "deleted"),
    ("unregistered_place", "emptied"),
    ("visit", "stays: ids and how it ended"),
    ("waiting", "stands in the way"),
    ("wish", "stays: windows"),
    ("work_twice", "stays: ids"),
];

#[tokio::test]
async fn check_64_every_table_that_hangs_on_a_household_or_a_job_is_thought_of() {
    let counter = Counter::open().await;
    let mut conn = counter.hall.db.read().await.unwrap();
    let all = tables::list_tables(conn.c()).await.unwrap();
    let hangs = ["household_id", "job_id", "case_id", "application_id"];

    let has_such = |table: &tables::Table| {
        table.columns.iter().any(|column| hangs.contains(&column.name.as_str()))
    };
    let found: BTreeSet<String> =
        all.into_iter().filter(has_such).map(|table| table.name).collect();

    let treated: BTreeSet<String> = TREATED.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert_eq!(found, treated);
}

#[tokio::test]
async fn check_64_a_household_is_given_out_in_one_file() {
    let (counter, mut ana) = hall().await;
    let job = visited(&counter, &mut ana).await;
    let home = home(&counter).await;
    let path = format!("/api/households/{home}/file");
    entries(&counter, "?what=job_read", 1).await;

    let file = counter.node.get(&path, &counter.manager).await;
    assert_eq!((file.status.as_u16(), file.kind.as_str()), (200, "application/json"));
    let all = file.body.to_string();
    for canary in CANARIES {
        assert!(all.contains(canary), "{canary} is in the file");
    }
    assert_eq!(file.body["jobs"][0]["job"]["id"], json!(job));
    let looks = file.body["beside"]["looks"].as_array().unwrap();
    assert!(looks.iter().any(|it| it["what"] == "job_read"), "who read it: {looks:?}");

    for lang in ["zh", "en"] {
        let url = format!("{}{path}?format=xlsx&lang={lang}", counter.node.base);
        let reply = reqwest::Client::new().get(url).bearer_auth(&counter.manager).send().await;
        let bytes = reply.unwrap().bytes().await.unwrap();
        let said = cells(&bytes);
        for canary in CANARIES {
            assert!(said.contains(canary), "{canary} is in the sheet: {said}");
        }
        assert!(said.contains(if lang == "zh" { "上门记录" } else { "Recorded at the door" }));
        assert!(!said.contains("person."), "a word is missing: {said}");
    }
    let refused = counter.node.get(&path, &counter.dispatcher).await;
    assert_eq!(refused.problem(), "forbidden");
    let exported = entries(&counter, "?what=exported", 1).await;
    assert_eq!(exported[0]["subject"], json!(home));
}

#[tokio::test]
async fn check_64_what_was_erased_is_in_no_table_search_page_or_file() {
    let (mut counter, mut ana) = hall().await;
    let job = visited(&counter, &mut ana).await;
    let home = home(&counter).await;
    let erase = format!("/api/households/{home}/erasure");
    let body = json!({"account": ACCOUNT, "reason": "申请 17 号"});

    let wrong = json!({"account": "30100002", "reason": "申请 17 号"});
    let wrong = counter.node.post(&erase, Some(&counter.manager), &wrong).await;
    assert_eq!(wrong.problem(), "unprocessable");
    let open = counter.node.post(&erase, Some(&counter.manager), &body).await;
    assert_eq!((open.problem(), &open.body["reason"]), ("erase-blocked", &json!("open_cases")));
    close_case(&counter).await;
    let backups = tempfile::tempdir().unwrap();
    back_up(&counter, backups.path()).await;
    assert_eq!(files_below(&backups.path().join("photos")), 1);
    let done = counter.node.post(&erase, Some(&counter.manager), &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.body["jobs"], json!(1));
    let account = format!("erased-{}", home.replace('-', ""));
    let body = json!({"account": account, "reason": "申请 17 号"});
    let again = counter.node.post(&erase, Some(&counter.manager), &body).await;
    assert_eq!(again.body["reason"], json!("already"));

    for canary in CANARIES {
        assert_eq!(found_in(&counter, canary).await, BTreeSet::new(), "{canary} is left");
        let url = format!("/api/households?text={canary}");
        let found = counter.node.get(&url, &counter.manager).await.body;
        assert_eq!(found["households"], json!([]), "{canary}");
    }
    for path in ["", "/document", "/history", "/photos"] {
        let page = counter.node.get(&format!("/api/jobs/{job}{path}"), &counter.manager).await;
        assert_eq!(page.status, 404, "{path}: {page:?}");
    }
    let listed = counter.node.get("/api/jobs", &counter.manager).await.body;
    let status = &listed["jobs"][0]["status"];
    assert_eq!(status, &json!("wrong_address"), "the work itself is still counted");
    let erasures = "/api/audit?what=household_erased";
    let erasures = counter.node.get(erasures, &counter.manager).await.body;
    assert_eq!(erasures["entries"].as_array().unwrap().len(), 1);
    let photos = Path::new(&counter.hall.config.photo_store);
    assert_eq!(files_below(photos), 0, "no picture lies in the store");
    counter.hall.wait_minutes(1);
    back_up(&counter, backups.path()).await;
    assert_eq!(files_below(&backups.path().join("photos")), 0, "nor in what backups share");

    counter.node.stop().await;
    counter.hall.db.close().await;
    let files = counter.hall.files();
    for canary in CANARIES {
        let left = files.windows(canary.len()).any(|it| it == canary.as_bytes());
        assert!(!left, "{canary} is left in the bytes of the database's file");
    }
}

#[tokio::test]
async fn check_64_no_phone_brings_back_what_was_erased() {
    let (counter, mut ana) = hall().await;
    let job = visited(&counter, &mut ana).await;
    close_case(&counter).await;
    let before = changes(&counter, job).await;
    let mut old = Vec::new();
    for row in raw(&counter, job).await {
        old.push(row.bytes);
    }
    let home = home(&counter).await;
    let body = json!({"account": ACCOUNT, "reason": "申请 17 号"});
    let path = format!("/api/households/{home}/erasure");
    assert_eq!(counter.node.post(&path, Some(&counter.manager), &body).await.status, 200);

    // Work that was recorded without a network, before the phone knew of anything.
    ana.phone.message(job, "金丝雀在路上".to_owned()).await.unwrap();
    ana.synced().await;

    let after = changes(&counter, job).await;
    let names = |rows: &[(Vec<u8>, i64, usize)]| {
        rows.iter().map(|(hash, position, _)| (hash.clone(), *position)).collect::<Vec<_>>()
    };
    assert_eq!(names(&before), names(&after), "names and positions stay");
    assert!(after.iter().all(|(.., length)| *length == 0), "and no byte of them");
    let apart = counter.quarantine().await;
    assert_eq!(apart.len(), 1, "what is new waits for a person: {apart:?}");
    assert_eq!(apart[0]["reason"], json!("unknown_job"));
    // A copy of the phone from before offers the same again: the hall has it, and takes no byte of it.
    for bytes in old {
        crate::work::hand_in(&ana, job, bytes).await;
    }
    assert_eq!(changes(&counter, job).await, after);
    assert_eq!(counter.quarantine().await.len(), 1);

    // Every projection made anew goes on without what is gone.
    let rebuild = Rebuild::of(&counter.hall.config.database.0);
    rebuild.run(&counter.hall.config, &mut std::io::sink()).await.unwrap();
    let page = counter.node.get("/api/jobs", &counter.manager).await.body;
    assert_eq!(page["jobs"][0]["status"], json!("wrong_address"));
}

#[tokio::test]
async fn check_63_jobs_pictures_and_accounts_go_when_their_time_is_over_and_not_before() {
    let (mut counter, mut ana) = hall().await;
    let job = visited(&counter, &mut ana).await;
    close_case(&counter).await;
    let config = Config {
        job_days: 1096,
        photo_days: 1096,
        account_days: 1096,
        ..counter.hall.config.clone()
    };
    let app = server::build(config.clone()).await.unwrap();
    let state = &app.state;
    let now = || state.clock.now();
    let path = format!("/api/users/{}/disable", ana.user);
    assert_eq!(counter.node.post(&path, Some(&counter.manager), &Value::Null).await.status, 204);

    counter.wait_minutes(1095 * DAY_MINUTES, &[]).await;
    assert_eq!(erasure::prune(state).await.unwrap(), Over::default(), "not yet");
    assert!(!changes(&counter, job).await.iter().any(|(.., length)| *length == 0));
    counter.wait_minutes(2 * DAY_MINUTES, &[]).await;
    counter.hall.break_with("update device set pending = 1, revoked_at = null").await;
    let held = erasure::preview(&state.db, &config, now()).await.unwrap();
    assert_eq!(
        held,
        Over { jobs: 0, photos: 1, accounts: 1 },
        "a phone still has to say something"
    );
    counter.hall.break_with("update device set pending = 0").await;
    let over = erasure::preview(&state.db, &config, now()).await.unwrap();
    let kept = erasure::preview(&state.db, &counter.hall.config, now()).await.unwrap();
    assert_eq!(kept, Over::default(), "0 days keep it");
    let pruned = erasure::prune(state).await.unwrap();

    assert_eq!(over, pruned, "what is told beforehand is what goes");
    assert_eq!(pruned, Over { jobs: 1, photos: 1, accounts: 1 });
    assert!(changes(&counter, job).await.iter().all(|(.., length)| *length == 0));
    assert_eq!(files_below(Path::new(&counter.hall.config.photo_store)), 0);
    let manager = counter.node.sign_in("mara").await;
    let users = counter.node.get("/api/users", &manager).await.body.to_string();
    assert!(!users.contains("\"ana\"") && !users.contains("ANA"), "{users}");
    let entries = counter.node.get("/api/audit?what=records_erased", &manager).await.body;
    assert_eq!(entries["entries"].as_array().unwrap().len(), 2, "{entries}");
    let household = counter.node.get(&format!("/api/households?text={ACCOUNT}"), &manager).await;
    assert_eq!(household.body["households"].as_array().unwrap().len(), 1, "the household stays");
    assert_eq!(erasure::prune(state).await.unwrap(), Over::default(), "once");
}

/// A hall with a technician.
async fn hall() -> (Counter, Technician) {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    (counter, ana)
}

/// A job that was done, with words at the door, and a case with words on the telephone.
async fn visited(counter: &Counter, ana: &mut Technician) -> JobId {
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("it works");
    ana.phone.note(job, "金丝雀在门口".to_owned()).await.expect("it works");
    let picture = picture(7);
    let hash = name(&picture);
    ana.phone.take_photo(job, hash.clone(), Subject::Meter).await.expect("it works");
    let outcome = Outcome::WrongAddress { reason: "金丝雀在门口".to_owned() };
    ana.phone.close(job, outcome).await.expect("it works");
    ana.synced().await;
    let sent = counter.put(ana, job, &hash, (0, picture.len(), &picture)).await;
    assert_eq!(sent.body["held"], true, "{sent:?}");
    let case = json!({"kind": "request", "channel": "phone", "account": ACCOUNT, "caller": "章思雨",
        "contact": "05530200000", "words": "金丝雀在电话里"});
    let made = counter.node.post("/api/cases", Some(&counter.manager), &case).await;
    assert_eq!(made.status, 201, "{made:?}");
    counter.node.get(&format!("/api/jobs/{job}"), &counter.manager).await;
    job
}

async fn close_case(counter: &Counter) {
    let cases = counter.node.get("/api/cases", &counter.manager).await.body;
    let id = text(&cases["cases"][0]["id"]);
    for act in [
        json!({"act": "decide", "text": "金丝雀在电话里"}),
        json!({"act": "tell", "channel": "phone", "reached": true, "text": "金丝雀在电话里"}),
        json!({"act": "close", "text": "金丝雀在电话里"}),
    ] {
        let path = format!("/api/cases/{id}/events");
        counter.node.post(&path, Some(&counter.manager), &act).await;
    }
    let case = counter.node.get(&format!("/api/cases/{id}"), &counter.manager).await.body;
    assert_eq!(case["case"]["state"], json!("closed"), "{case}");
}

async fn home(counter: &Counter) -> String {
    let found =
        counter.node.get(&format!("/api/households?text={ACCOUNT}"), &counter.manager).await;
    text(&found.body["households"][0]["id"])
}

/// The raw changes of a job: hash, position and how long they are.
async fn changes(counter: &Counter, job: JobId) -> Vec<(Vec<u8>, i64, usize)> {
    let rows = raw(counter, job).await;
    rows.into_iter().map(|row| (row.hash, row.position, row.bytes.len())).collect()
}

async fn raw(counter: &Counter, job: JobId) -> Vec<stored::ChangeRow> {
    let mut conn = counter.hall.db.read().await.expect("it works");
    stored::list_job_changes(conn.c(), job, 0).await.expect("it works")
}

/// In which tables a word stands, in any column, as text or as bytes.
async fn found_in(counter: &Counter, word: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("it works");
    let made = back_up(counter, folder.path()).await;
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(made).expect("it works") {
        let path = entry.expect("it works").path();
        let bytes = std::fs::read(&path).expect("it works");
        if bytes.windows(word.len()).any(|it| it == word.as_bytes()) {
            found.insert(path.file_name().expect("it works").to_string_lossy().into_owned());
        }
    }
    found
}

/// Makes a backup, which is read back; returns its folder.
async fn back_up(counter: &Counter, to: &Path) -> PathBuf {
    let config = &counter.hall.config;
    let database = (config.database.0.as_str(), &config.database_hosts[..]);
    let store = Store::open(config).expect("it works");
    backup::make(database, &store, to, config.clock.now()).await.expect("it works").folder
}

/// How many files lie in a folder and below, but for those on their way in.
fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|it| if it.path().is_dir() { files_below(&it.path()) } else { 1 }).sum()
}

/// Every text of a workbook.
fn cells(bytes: &[u8]) -> String {
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes.to_vec())).expect("it works");
    let sheet = book.worksheet_range_at(0).expect("it works").expect("it works");
    sheet.cells().map(|(_, _, it)| it.to_string()).collect::<Vec<_>>().join("\n")
}
