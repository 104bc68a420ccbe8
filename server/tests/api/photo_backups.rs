//! Photos in backups: copied once, noticed when bent, brought back to a folder or a bucket.

use std::path::{Path, PathBuf};
use std::process::Output;

use domain::id::JobId;
use domain::visit::Subject;
use serde_json::json;
use server::config::Config;
use server::db::Db;

use crate::buckets::keep;
use crate::counter::{Counter, Technician};
use crate::hall::Hall;
use crate::photos::{at_the_door, picture};
use crate::s3::{BUCKET, S3};

#[tokio::test]
async fn s22_a_hall_that_lost_its_disk_gets_every_photo_back() {
    let mut counter = Counter::open().await;
    let (mut ana, job) = at_the_door(&counter).await;
    let to = tempfile::tempdir().unwrap();
    let first = take(&counter, &mut ana, job, 31).await;
    let made = back_up(&counter.hall.config, to.path());
    assert!(said(&made).contains("its 1 photos") && said(&made).contains("1 photos, "), "{made:?}");
    let backup = newest(to.path());
    let second = take(&counter, &mut ana, job, 32).await;
    let again = back_up(&counter.hall.config, to.path());
    assert!(said(&again).contains("its 2 photos"), "{again:?}");
    assert!(said(&again).contains("\n1 photos, "), "only what came since: {again:?}");

    destroy(&mut counter).await;
    let restored = restore(&counter.hall.config, &backup, &["--replace"]);
    assert!(restored.status.success(), "{restored:?}");
    assert!(said(&restored).contains("2 photos, "), "newer ones too: {restored:?}");
    reopen(&mut counter, &mut ana).await;

    let forgot = counter.show(job, &second, &counter.dispatcher).await;
    assert_eq!(forgot.status(), 404, "the fact of the second came after the backup");
    // One exchange tells the phone of the restore, the next gives back what the hall forgot.
    for _ in 0..2 {
        ana.synced().await;
    }
    for (hash, seed) in [(first, 31), (second, 32)] {
        let shown = counter.show(job, &hash, &counter.dispatcher).await;
        assert_eq!(shown.bytes().await.unwrap(), picture(seed));
    }
    let missing = counter.node.get("/api/photos/missing", &counter.dispatcher).await;
    assert_eq!(missing.body, json!({"photos": []}));
}

#[tokio::test]
async fn s22_a_bent_or_lost_photo_is_noticed_in_the_backup_and_in_the_store() {
    let counter = Counter::open().await;
    let (ana, job) = at_the_door(&counter).await;
    let (kept, lost) = (keep(&counter, &ana, job, 33).await, keep(&counter, &ana, job, 34).await);
    let to = tempfile::tempdir().unwrap();
    back_up(&counter.hall.config, to.path());
    let backup = newest(to.path());
    assert!(run(&counter.hall.config, &["backup", "--check"], &backup).status.success());
    let in_store = file(Path::new(&counter.hall.config.photo_store), &counter, &lost);
    let in_pool = file(&to.path().join("photos"), &counter, &lost);
    assert_eq!(std::fs::read(&in_pool).unwrap(), picture(34));

    std::fs::remove_file(&in_store).unwrap();
    let brought = restore(&counter.hall.config, &backup, &["--only-photos"]);
    assert!(said(&brought).contains("1 photos, "), "{brought:?}");
    assert_eq!(std::fs::read(&in_store).unwrap(), picture(34));

    let mut bent = picture(34);
    bent[100] ^= 1;
    std::fs::write(&in_pool, bent).unwrap();
    let checked = run(&counter.hall.config, &["backup", "--check"], &backup);
    assert!(!checked.status.success());
    assert!(said(&checked).contains(&lost) && !said(&checked).contains(&kept), "{checked:?}");
    std::fs::remove_file(&in_store).unwrap();
    let brought = restore(&counter.hall.config, &backup, &["--only-photos"]);
    assert!(said(&brought).contains("1 photos are not whole"), "{brought:?}");
    assert!(said(&brought).contains(&lost) && !in_store.exists(), "{brought:?}");
    let again = back_up(&counter.hall.config, to.path());
    assert!(again.status.success(), "the tables are backed up all the same");
}

#[tokio::test]
async fn a_backup_of_a_bucket_names_what_must_be_there_and_one_of_a_folder_fills_a_bucket() {
    let mut s3 = S3::start();
    let counter = Counter::open().await;
    let (ana, job) = at_the_door(&counter).await;
    let hash = keep(&counter, &ana, job, 35).await;
    let (copied, named) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    back_up(&counter.hall.config, copied.path());
    let shared = s3.set(&counter.hall.config);

    let brought = restore(&shared, &newest(copied.path()), &["--only-photos"]);
    assert!(said(&brought).contains("1 photos, "), "{brought:?}");
    assert_eq!(std::fs::read(s3.file(&counter, &hash)).unwrap(), picture(35));
    let made = back_up(&shared, named.path());
    assert!(said(&made).contains(&format!("stay in s3://{BUCKET}/east")), "{made:?}");
    assert!(!said(&made).contains("warning") && !named.path().join("photos").exists());

    std::fs::remove_file(s3.file(&counter, &hash)).unwrap();
    let looked = restore(&shared, &newest(named.path()), &["--only-photos"]);
    assert!(said(&looked).contains("1 photos are not whole"), "{looked:?}");
    assert!(said(&looked).contains(&hash), "{looked:?}");
    s3.go();
    let unseen = back_up(&shared, named.path());
    assert!(said(&unseen).contains("nobody saw whether all photos are there"), "{unseen:?}");
    for output in [brought, made, looked, unseen] {
        assert!(!format!("{output:?}").contains("canary"), "{output:?}");
    }
}

async fn take(counter: &Counter, by: &mut Technician, job: JobId, seed: u8) -> String {
    let hash = keep(counter, by, job, seed).await;
    by.phone.take_photo(job, hash.clone(), Subject::Meter).await.expect("saved");
    by.synced().await;
    hash
}

fn back_up(config: &Config, to: &Path) -> Output {
    let made = run(config, &["backup", "--to"], to);
    assert!(made.status.success(), "{made:?}");
    made
}

fn restore(config: &Config, backup: &Path, arguments: &[&str]) -> Output {
    run(config, &[&["restore"], arguments, &["--from"]].concat(), backup)
}

fn run(config: &Config, arguments: &[&str], last: &Path) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.env("DOORSTEP_DATABASE", &config.database.0);
    command.env("DOORSTEP_PHOTO_STORE", &config.photo_store);
    command.env("DOORSTEP_PHOTO_STORE_KEY_ID", &config.photo_store_key_id);
    command.env("DOORSTEP_PHOTO_STORE_SECRET", &config.photo_store_secret.0);
    command.args(arguments).arg(last).output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn newest(to: &Path) -> PathBuf {
    let folders = std::fs::read_dir(to).expect("a folder").map(|it| it.expect("an entry").path());
    folders.filter(|it| it.join("manifest.json").exists()).max().expect("a backup")
}

fn file(store: &Path, counter: &Counter, hash: &str) -> PathBuf {
    store.join(format!("{}/{}/{hash}", counter.hall.id, &hash[..2]))
}

/// The server's machine is gone with its disk.
async fn destroy(counter: &mut Counter) {
    counter.node.stop().await;
    counter.hall.db.close().await;
    std::fs::remove_dir_all(&counter.hall.config.photo_store).expect("photos were there");
    if let Some(path) = counter.hall.config.database.0.strip_prefix("sqlite:") {
        std::fs::remove_file(path).expect("it was there");
    }
}

async fn reopen(counter: &mut Counter, technician: &mut Technician) {
    let hall: &mut Hall = &mut counter.hall;
    hall.db = Db::open(&hall.config.database.0).await.expect("it works");
    counter.node = counter.hall.node().await;
    technician.base.clone_from(&counter.node.base);
    counter.dispatcher = counter.node.sign_in("dora").await;
}
