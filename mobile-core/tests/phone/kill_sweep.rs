//! A real process on a real disk, aborted at every write of the day: before it, in it, after it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, abort};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use mobile_core::log::disk::Disk;
use mobile_core::log::file::FileLog;
use mobile_core::native::{NativeDisk, open_log};
use pollster::block_on;
use tempfile::TempDir;
use uuid::Uuid;

use crate::jobs::jobs;
use crate::script::{Tap, tap, taps};
use crate::world::{ENROLMENT, World, held};

const CHILD: &str = "kill_sweep::a_day_on_a_real_disk";
const FOLDER: &str = "DOORSTEP_DAY_FOLDER";
const FIRST: &str = "DOORSTEP_DAY_FIRST_TAP";
const KILL: &str = "DOORSTEP_DAY_KILL_AT";
const HOW: &str = "DOORSTEP_DAY_KILL_HOW";
const HOWS: [&str; 3] = ["before", "half", "after"];

/// A folder of the day just before one of its taps, with what had been called saved by then.
struct Checkpoint {
    tap: usize,
    files: Vec<(String, Vec<u8>)>,
    saved: BTreeSet<Uuid>,
    ops: u64,
    /// Whether the tap meets the hall, which a child has only from the day's beginning.
    meets_hall: bool,
}

#[test]
fn s1_a_process_killed_at_any_write_of_the_day_keeps_what_it_called_saved() {
    let day = checkpoints();
    let alone = day.iter().filter(|it| !it.meets_hall);
    let cases: Vec<_> = alone
        .flat_map(|it| (1..=it.ops).flat_map(move |op| HOWS.map(|how| (it, op, how))))
        .collect();
    assert!(cases.len() > 900, "{}", cases.len());
    kill_each(&cases);
}

#[test]
fn s1_a_process_killed_in_the_middle_of_a_whole_day_keeps_what_it_called_saved() {
    let day = checkpoints();
    let mut cases = Vec::new();
    let mut before = 0;
    for tap in &day {
        let every = if tap.meets_hall { 1 } else { 31 };
        let ops = (before + 1..=before + tap.ops).filter(|op| op % every == 0);
        cases.extend(ops.flat_map(|op| HOWS.map(|how| (&day[0], op, how))));
        before += tap.ops;
    }
    assert!(cases.len() > 40, "{}", cases.len());
    kill_each(&cases);
}

#[test]
fn l5_a_disk_that_really_is_full_keeps_what_was_saved() {
    let folder = scratch();
    // A limit on the size of a file cuts a write in the middle, as a full disk does.
    let limited = "trap '' XFSZ; ulimit -f 80; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(env::current_exe().unwrap());
    let output = child(command, folder.path(), 0, None);
    let saved = saved_lines(&output);
    assert!(!output.status.success(), "the limit was never reached");
    assert!(saved.len() > 5, "{}", saved.len());

    let world = World::new(&jobs());
    let (mut phone, report) = world.open(open_log(folder.path()).unwrap(), 9);

    assert!(report.is_clean(), "{report:?}");
    assert!(held(&phone).is_superset(&saved));
    block_on(phone.message(jobs()[5].id, "腾出空间了".to_owned())).unwrap();
}

/// Runs the day in this process: to its end by itself, and up to the kill as a child of the sweep.
#[test]
fn a_day_on_a_real_disk() {
    let own = scratch();
    let folder = env::var_os(FOLDER).map_or_else(|| own.path().to_owned(), PathBuf::from);
    let first = env::var(FIRST).map_or(0, |text| text.parse().unwrap());
    let kill = env::var(KILL).ok().map(|text| text.parse().unwrap());
    let how = env::var(HOW).unwrap_or_default();
    let all = jobs();
    let world = World::new(&all);
    let disk = KillDisk { kill, how, ..KillDisk::new(&folder) };
    let (mut phone, _) = world.open(FileLog::open(disk).unwrap(), 5 + first as u64);
    block_on(phone.enrol(ENROLMENT)).unwrap();
    let mut saved = 0;

    for each in &taps(&all)[first..] {
        for id in block_on(tap(&mut phone, &world, each)).unwrap() {
            say(&format!("saved {id}"));
            saved += 1;
        }
    }

    assert!(first > 0 || saved >= 150, "{saved}");
}

fn kill_each(cases: &[(&Checkpoint, u64, &str)]) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((from, op, how)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    kill_in(from, *op, how);
                }
            });
        }
    });
    say(&format!("claim kills.phone kills={}", cases.len()));
}

/// Runs the day as a child that is killed, opens its folder and compares.
#[track_caller]
fn kill_in(from: &Checkpoint, op: u64, how: &str) {
    let folder = scratch();
    for (name, bytes) in &from.files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let command = Command::new(env::current_exe().unwrap());
    let output = child(command, folder.path(), from.tap, Some((op, how)));
    assert!(!output.status.success(), "{op} {how} was never reached");
    let mut saved = from.saved.clone();
    saved.extend(saved_lines(&output));

    let world = World::new(&[]);
    let (phone, report) = world.open(open_log(folder.path()).unwrap(), 9);

    let case = (from.tap, op, how);
    assert!(held(&phone).is_superset(&saved), "{case:?}");
    assert!(report.recovery.damages.is_empty() && !report.recovery.header_damaged, "{case:?}");
    let torn = report.recovery.cut_tail.is_some_and(|tail| !tail.may_have_been_saved);
    assert!(torn || report.recovery.cut_tail.is_none(), "{case:?}");
}

fn child(mut command: Command, folder: &Path, first: usize, kill: Option<(u64, &str)>) -> Output {
    command.args(["--exact", CHILD, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(FIRST, first.to_string()).env("RUST_BACKTRACE", "0");
    if let Some((op, how)) = kill {
        command.env(KILL, op.to_string()).env(HOW, how);
    }
    command.output().unwrap()
}

fn saved_lines(output: &Output) -> BTreeSet<Uuid> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| line.split("saved ").nth(1)?.trim().parse().ok()).collect()
}

#[expect(
    clippy::print_stdout,
    reason = "whoever runs it reads what was called saved and how often it was killed"
)]
fn say(line: &str) {
    println!("{line}");
}

/// Lives through the day once, keeping the folder before each tap.
fn checkpoints() -> Vec<Checkpoint> {
    let folder = scratch();
    let all = jobs();
    let world = World::new(&all);
    let disk = KillDisk::new(folder.path());
    let ops = Arc::clone(&disk.ops);
    let (mut phone, _) = world.open(FileLog::open(disk).unwrap(), 1);
    let mut day: Vec<Checkpoint> = Vec::new();
    let (mut saved, mut before) = (BTreeSet::new(), 0);
    for (tap_number, each) in taps(&all).iter().enumerate() {
        let files = if tap_number == 0 { Vec::new() } else { copy(folder.path()) };
        if tap_number == 0 {
            block_on(phone.enrol(ENROLMENT)).unwrap();
        }
        let got = block_on(tap(&mut phone, &world, each)).unwrap();
        let after = ops.load(Ordering::Relaxed);
        day.push(Checkpoint {
            tap: tap_number,
            files,
            saved: saved.clone(),
            ops: after - before,
            meets_hall: matches!(each, Tap::Sync) && tap_number > 0,
        });
        before = after;
        saved.extend(got);
    }
    day
}

fn copy(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// A folder in memory where there is one: a killed process leaves the same there as on a disk.
fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// A real disk that takes the process down with it.
struct KillDisk {
    inner: NativeDisk,
    kill: Option<u64>,
    how: String,
    ops: Arc<AtomicU64>,
}

impl KillDisk {
    fn new(folder: &Path) -> Self {
        let inner = NativeDisk::open(folder).unwrap();
        Self { inner, kill: None, how: String::new(), ops: Arc::default() }
    }

    /// Does something that changes the disk, or half of it, and dies when it is time.
    fn act<T>(
        &mut self,
        act: impl FnOnce(&mut NativeDisk) -> io::Result<T>,
        half: impl FnOnce(&mut NativeDisk),
    ) -> io::Result<T> {
        let op = self.ops.fetch_add(1, Ordering::Relaxed) + 1;
        if self.kill != Some(op) {
            return act(&mut self.inner);
        }
        match self.how.as_str() {
            "before" => {}
            "half" => half(&mut self.inner),
            "after" => drop(act(&mut self.inner)),
            other => panic!("killed {other}?"),
        }
        abort()
    }
}

impl Disk for KillDisk {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.inner.read(name)
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.act(|disk| disk.create(name), |_| {})
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let half = &bytes[..bytes.len() / 2];
        self.act(
            |disk| disk.write_at(name, offset, bytes),
            |disk| disk.write_at(name, offset, half).unwrap(),
        )
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.act(|disk| disk.sync(name), |_| {})
    }

    fn set_len(&mut self, name: &str, size_bytes: u64) -> io::Result<()> {
        self.act(|disk| disk.set_len(name, size_bytes), |_| {})
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.act(|disk| disk.rename(from, to), |_| {})
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.act(|disk| disk.remove(name), |_| {})
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        self.act(Disk::sync_dir, |_| {})
    }

    fn lock(&mut self, name: &str) -> io::Result<()> {
        self.inner.lock(name)
    }
}
