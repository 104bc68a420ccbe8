//! F19: the schema is brought up to date by a process that is killed half-way; the next one ends what it began.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use cluster::{copy_database, fresh_database};
use server::db::Db;
use server::db::tables::{list_tables, read_table};

use crate::upgrade::{releases, unpack};
use crate::world::{Database, claim};

/// How many times it is killed, each time later in its work.
const KILLS: usize = 16;

/// What it is killed at: a write to the file or its flush, or a word to PostgreSQL.
const WRITES: &str = "pwrite64,fdatasync,fsync,sendto";

const SIGKILL: i32 = 9;

/// Rows of each table, in an order of their own.
type Tables = BTreeMap<String, Vec<String>>;

#[tokio::test]
async fn s18_f19_a_migration_that_was_killed_is_ended_by_the_next_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [old, now] = ["old", "now"].map(|name| {
        let folder = folder.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        fresh_database(&folder).expect("a database")
    });
    // On PostgreSQL from nothing: the golden files are of the other engine.
    if let Some(file) = old.strip_prefix("sqlite:") {
        let oldest = releases().into_iter().next().expect("golden files");
        unpack(&oldest.join("hall.db.gz"), Path::new(file));
    } else {
        copy_database(&now, &old).expect("an empty copy");
    }
    let database = Database { url: now, hosts: String::new() };
    let trace = folder.path().join("trace");

    copy_database(&old, &database.url).expect("a copy");
    assert!(followed(&database, &["-e", &format!("trace={WRITES}")], &trace).success());
    let writes = longest(&fs::read_to_string(&trace).expect("a trace"));
    let whole = read(&database).await;
    let mut killed = 0;
    for kill in 0..KILLS {
        copy_database(&old, &database.url).expect("a copy");
        let at = 1 + kill * writes / KILLS;
        let inject = format!("inject={WRITES}:signal=KILL:when={at}");
        let ended = followed(&database, &["-e", &inject], &trace);
        killed += usize::from(ended.signal() == Some(SIGKILL));

        let next = database.doorstep("migrate").stdout(Stdio::null()).status();
        assert!(next.expect("it runs").success(), "after a kill at write {at}");
        assert_eq!(read(&database).await, whole, "after a kill at write {at}");
    }
    assert!(killed > KILLS / 2, "{killed} kills hit, of writes {writes}");
    claim(&format!("kills.migration kills={killed}"));
}

/// Brings the schema up to date, followed by strace.
fn followed(database: &Database, how: &[&str], trace: &Path) -> ExitStatus {
    let doorstep = database.doorstep("migrate");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(trace).args(how).arg(doorstep.get_program());
    strace.args(doorstep.get_args()).stdout(Stdio::null());
    strace.status().expect("strace is there: install it (Debian: apt-get install strace)")
}

/// How many writes the thread did that wrote most; strace counts thread by thread.
fn longest(trace: &str) -> usize {
    let mut counts = BTreeMap::<&str, usize>::new();
    for pid in trace.lines().filter_map(|line| line.split_whitespace().next()) {
        *counts.entry(pid).or_default() += 1;
    }
    counts.into_values().max().expect("it writes")
}

/// Everything that the database holds.
async fn read(database: &Database) -> Tables {
    let db = Db::open(&database.url).await.expect("the database opens");
    let mut conn = db.read().await.expect("a connection");
    let mut tables = Tables::new();
    for table in list_tables(conn.c()).await.expect("tables") {
        let columns = format!("{:?}", table.columns);
        let rows = tables.entry(table.name.clone()).or_insert_with(|| vec![columns]);
        let take = |row| {
            rows.push(format!("{row:?}"));
            Ok(())
        };
        read_table(conn.c(), &table, take).await.expect("rows");
        rows.sort_unstable();
    }
    drop(conn);
    db.close().await;
    tables
}
