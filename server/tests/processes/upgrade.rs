//! R7: the database and the phone of older releases go on with this one; nothing that either held is lost.
//!
//! A folder of `tests/golden` is a release: its database after a day at the demo hall, and the log of a phone of
//! Jiang Hai's that holds a note and a message which the hall had not heard.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use domain::id::JobId;
use flate2::read::GzDecoder;
use mobile_core::native::{NativeClock, NativeRng, open_log};
use mobile_core::phone::{Phone, SyncEnd};
use serde_json::Value;

use crate::world::{Carrier, Database, Server, claim};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

#[tokio::test]
async fn s18_what_older_releases_kept_goes_on_with_this_one() {
    let releases = releases();
    for release in &releases {
        go_on(release).await;
    }
    assert!(!releases.is_empty(), "there are golden files");
    claim(&format!("upgrades releases={}", releases.len()));
}

/// The folders of the releases, the oldest first.
pub(crate) fn releases() -> Vec<PathBuf> {
    let folders = fs::read_dir(GOLDEN).expect("golden files");
    let mut folders: Vec<_> = folders.map(|it| it.expect("a folder").path()).collect();
    folders.sort();
    folders
}

async fn go_on(release: &Path) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    unpack(&release.join("hall.db.gz"), &folder.path().join("hall.db"));
    let phone = folder.path().join("phone");
    fs::create_dir(&phone).expect("a folder for the phone");
    unpack(&release.join("phone.log.gz"), &phone.join("phone.log"));
    let job = fs::read_to_string(release.join("job")).expect("the job's id");
    let job: JobId = job.trim().parse().expect("an id");
    let url = format!("sqlite://{}", folder.path().join("hall.db").display());
    let database = Database { url, hosts: String::new() };

    let server = Server::start(&database);
    let known = server.facts(job).await;
    assert_eq!(known.len(), 3, "what the old server had acknowledged");

    let log = open_log(&phone).expect("the old log opens");
    let opened = Phone::open(log, NativeClock::start(), NativeRng).await.expect("a phone");
    assert!(opened.report.is_clean(), "{:?}", opened.report);
    let phone = opened.phone;
    assert_eq!(phone.sync_state().only_here, 2, "what the hall had not heard");
    let own: Vec<_> = phone.device().own().map(|own| own.id).collect();
    let mut carrier = Carrier::again(&server, "jiang.hai", (phone, job), folder).await;
    assert_eq!(carrier.sync(&server.base).await, SyncEnd::Complete);
    assert_eq!(carrier.phone.sync_state().only_here, 0);

    let held = server.facts(job).await;
    assert!(known.is_subset(&held), "nothing is gone");
    let dispatcher = server.sign_in().await;
    let job: Value = server.get(&format!("/api/jobs/{job}"), &dispatcher).await;
    let text = job.to_string();
    for id in own {
        assert!(text.contains(&id.to_string()), "{id} of the phone is at the hall");
    }
    assert!(text.contains("还没有上传") && text.contains("还没有发送"));
    carrier.phone.note(carrier.job, "新版本".to_owned()).await.expect("the phone goes on");
    assert_eq!(carrier.sync(&server.base).await, SyncEnd::Complete);
    assert_eq!(server.facts(carrier.job).await.len(), held.len() + 1);
}

pub(crate) fn unpack(from: &Path, to: &Path) {
    let mut bytes = Vec::new();
    let packed = fs::File::open(from).expect("a golden file");
    GzDecoder::new(packed).read_to_end(&mut bytes).expect("it is whole");
    fs::File::create(to).and_then(|mut file| file.write_all(&bytes)).expect("room for it");
}
