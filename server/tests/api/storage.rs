//! Disks that are full, read-only or half-written: told in words, and nothing is acknowledged that is not kept.
//!
//! Disks are small file systems in memory, mounted by root; elsewhere these tests say that they were skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mobile_core::link::LinkError;
use mobile_core::phone::{SyncEnd, SyncError};
use serde_json::json;

use crate::counter::Counter;
use crate::hall::Hall;

/// A small disk; gone when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where nothing can be mounted.
    #[expect(clippy::print_stderr, reason = "a person sees why a test showed nothing")]
    fn mount(folder: &Path, size: &str) -> Option<Self> {
        let place = folder.join("disk");
        std::fs::create_dir(&place).expect("a folder");
        let options = format!("size={size}");
        let mount = ["-t", "tmpfs", "-o", &options, "doorstep-test"];
        let mounted = Command::new("mount").args(mount).arg(&place).output();
        if mounted.is_ok_and(|it| it.status.success()) {
            return Some(Self(place));
        }
        eprintln!("skipped: only root mounts a small disk");
        None
    }

    fn read_only(&self) {
        let again = ["-o", "remount,ro"];
        let done = Command::new("mount").args(again).arg(&self.0).output().expect("mount runs");
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

/// Fills a disk to its last byte; tells the file that has to go again.
fn fill(disk: &SmallDisk) -> PathBuf {
    use std::io::Write as _;
    let path = disk.0.join("ballast");
    let mut file = std::fs::File::create(&path).expect("a file");
    for size in [1 << 20, 4096, 512, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    path
}

#[tokio::test]
async fn f15_a_full_disk_is_told_nothing_is_acknowledged_and_work_goes_on_with_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "24m") else { return };
    let url = format!("sqlite:{}", disk.0.join("hall.db").display());
    let counter = Counter::of(Hall::on(url, tempfile::tempdir().unwrap()).await).await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    let ballast = fill(&disk);

    let refused = loop {
        // What was written before leaves a little room in the file; it is soon used up.
        ana.phone.note(job, "满".repeat(300)).await.unwrap();
        let report = ana.sync().await;
        if report.end != SyncEnd::Complete {
            break report;
        }
    };
    let full = SyncEnd::Stopped(SyncError::Link(LinkError::Refused(507)));
    assert_eq!(refused.end, full, "{refused:?}");
    let waiting = ana.phone.sync_state().only_here;
    assert!(waiting > 0, "what is not kept is not acknowledged");
    let said = counter.add(job, "messages", &json!({"text": "在吗".repeat(400)})).await;
    assert_eq!((said.status.as_u16(), said.problem()), (507, "storage-full"), "{said:?}");
    let ready = counter.node.get("/readyz", "").await;
    assert_eq!((ready.status.as_u16(), ready.problem()), (503, "not-ready"));
    let held = counter.job(job).await;
    assert_eq!(held["job"]["id"], json!(job), "what was kept can be read");

    std::fs::remove_file(ballast).unwrap();
    ana.synced().await;

    assert_eq!(ana.phone.sync_state().only_here, 0);
    let said = counter.add(job, "messages", &json!({"text": "好了"})).await;
    assert_eq!(said.status, 201, "{said:?}");
}

#[tokio::test]
async fn a_read_only_disk_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "8m") else { return };
    let file = disk.0.join("hall.db");
    assert!(doorstep(&["migrate"], &file).status.success());
    disk.read_only();

    let refused = doorstep(&["serve", "--listen", "127.0.0.1:0"], &file);

    assert_says(&refused, "read-only");
    assert_says(&refused, "cannot be opened for writing");
    assert_says(&doorstep(&["doctor"], &file), "cannot be opened for writing");
}

#[test]
fn a_damaged_file_is_told_with_what_to_do_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hall.db");
    assert!(doorstep(&["migrate"], &file).status.success());
    let whole = std::fs::read(&file).unwrap();
    let mut scribbled = whole.clone();
    scribbled[..100].fill(b'x');

    for damaged in [&whole[..whole.len() / 2], &scribbled, b"this is no database at all"] {
        std::fs::write(&file, damaged).unwrap();
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["rebuild"]] {
            let refused = doorstep(command, &file);
            assert_says(&refused, "doorstep restore --replace");
            assert_says(&refused, "hall.db is damaged");
        }
        assert_says(&doorstep(&["doctor"], &file), "doorstep restore");
        assert_eq!(std::fs::read(&file).unwrap(), *damaged, "it is not made worse");
    }
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let refused =
        doorstep(&["serve", "--listen", "127.0.0.1:0"], &folder.path().join("absent/hall.db"));

    assert_says(&refused, "see that its folder is there");
}

fn doorstep(arguments: &[&str], file: &Path) -> Output {
    let database = format!("sqlite:{}", file.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments).args(["--database", &database]).output().expect("the binary runs")
}

fn assert_says(output: &Output, words: &str) {
    let said = [output.stdout.clone(), output.stderr.clone()].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!output.status.success() && said.contains(words), "{words:?} is not in {said}");
}
