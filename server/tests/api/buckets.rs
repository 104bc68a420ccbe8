//! Photos in a bucket: shared by nodes, refused with wrong keys, and waited for when the store is away.

use domain::id::JobId;
use domain::visit::Subject;
use futures_util::future::join_all;
use serde_json::json;
use server::config::{Config, Secret};
use server::doctor::{Level, examine};
use tokio::net::TcpListener;

use crate::counter::{Counter, Technician};
use crate::hall::{Hall, Reply};
use crate::photos::{at_the_door, name, picture};
use crate::s3::{BUCKET, S3, SECRET};

/// More than a server has connections to its database.
const UPLOADS: u8 = 40;

#[tokio::test]
async fn a_photo_begun_at_one_node_and_ended_at_another_is_shown_by_both_from_the_bucket() {
    let s3 = S3::start();
    let mut counter = open(|config| s3.set(config)).await;
    let (mut ana, job) = at_the_door(&counter).await;
    let ben = counter.hire("ben").await;
    let picture = picture(21);
    let (hash, length) = (name(&picture), picture.len());
    ana.phone.take_photo(job, hash.clone(), Subject::Meter).await.unwrap();
    ana.synced().await;

    let begun = counter.put(&ana, job, &hash, (0, length, &picture[..900])).await;
    assert_eq!(begun.body, json!({"offset": 900, "held": false}));
    let mut other = counter.hall.node().await;
    std::mem::swap(&mut counter.node, &mut other);
    assert_eq!(counter.progress(&ana, job, &hash).await, begun.body);
    let ended = counter.put(&ana, job, &hash, (900, length, &picture[900..])).await;
    assert_eq!(ended.body, json!({"offset": length, "held": true}));

    assert_eq!(std::fs::read(s3.file(&counter, &hash)).unwrap(), picture);
    for _ in 0..2 {
        let shown = counter.show(job, &hash, &counter.dispatcher).await;
        assert_eq!(shown.headers()["content-type"], "image/png");
        assert_eq!(shown.bytes().await.unwrap(), picture);
        assert_eq!(counter.show(job, &hash, &ben.token).await.status(), 404, "not his job");
        std::mem::swap(&mut counter.node, &mut other);
    }
    counter.hall.break_with("delete from photo").await;
    let missing = counter.node.get("/api/photos/missing", &counter.dispatcher).await;
    assert_eq!(missing.body, json!({"photos": []}), "the bucket is the truth");
}

#[tokio::test]
async fn check_46_wrong_keys_keep_photos_waiting_and_the_doctor_says_why_without_them() {
    let s3 = S3::start();
    let wrong = |config: &Config| Config {
        photo_store_secret: Secret("canary-of-another".to_owned()),
        ..s3.set(config)
    };
    let mut counter = open(wrong).await;
    let (mut ana, job) = at_the_door(&counter).await;
    let picture = picture(22);
    let hash = name(&picture);
    ana.phone.take_photo(job, hash.clone(), Subject::Meter).await.unwrap();
    ana.synced().await;

    let refused = counter.put(&ana, job, &hash, (0, picture.len(), &picture)).await;
    assert_waits(&refused);
    let (level, says) = doctor(&counter.hall.config).await;
    assert_eq!(level, Level::Bad);
    assert!(says.contains("refuses this server (SignatureDoesNotMatch)"), "{says}");
    assert!(says.contains("photo_store_secret"), "{says}");
    assert!(!says.contains("canary") && !format!("{refused:?}").contains("canary"), "{says}");

    counter.hall.config = s3.set(&counter.hall.config);
    let (level, says) = doctor(&counter.hall.config).await;
    assert_eq!(level, Level::Ok, "{says}");
    // Looked at before a server with these keys starts, for that one probes in its own time.
    let probed = s3.folder.path().join(BUCKET).join("east/probe");
    assert!(!probed.exists() || std::fs::read_dir(probed).unwrap().next().is_none());
    counter.node = counter.hall.node().await;
    let whole = counter.put(&ana, job, &hash, (0, picture.len(), &picture)).await;
    assert_eq!(whole.body["held"], true, "{whole:?}");
}

#[tokio::test]
async fn a_store_that_goes_away_amid_an_upload_costs_nothing_but_time() {
    let mut s3 = S3::start();
    let counter = open(|config| s3.set(config)).await;
    let (mut ana, job) = at_the_door(&counter).await;
    let picture = picture(23);
    let (hash, length) = (name(&picture), picture.len());
    counter.put(&ana, job, &hash, (0, length, &picture[..900])).await;

    s3.go();
    let more = counter.put(&ana, job, &hash, (900, length, &picture[900..1200])).await;
    assert_eq!(more.body, json!({"offset": 1200, "held": false}), "parts need no store");
    assert_waits(&counter.put(&ana, job, &hash, (1200, length, &picture[1200..])).await);
    assert_waits(&counter.put(&ana, job, &name(b"new"), (0, 9, b"new")).await);
    ana.phone.take_photo(job, hash.clone(), Subject::Meter).await.unwrap();
    ana.synced().await;
    let missing = counter.node.get("/api/photos/missing", &counter.dispatcher).await;
    assert_eq!(missing.body["photos"][0]["hash"], hash, "facts went on");
    let (level, says) = doctor(&counter.hall.config).await;
    assert_eq!(level, Level::Bad);
    assert!(says.contains("does not answer"), "{says}");
    let whole = json!({"offset": length, "held": false});
    assert_eq!(counter.progress(&ana, job, &hash).await, whole, "all parts are kept");

    s3.come();
    let ended = counter.put(&ana, job, &hash, (length, length, b"")).await;
    assert_eq!(ended.body, json!({"offset": length, "held": true}));
    let shown = counter.show(job, &hash, &counter.dispatcher).await;
    assert_eq!(shown.bytes().await.unwrap(), picture);
    s3.go();
    let away = counter.show(job, &hash, &counter.dispatcher).await;
    assert_eq!(
        (away.status().as_u16(), &away.headers()["retry-after"]),
        (503, &"15".parse().unwrap())
    );
}

#[tokio::test]
async fn facts_go_on_while_more_photos_than_there_are_connections_wait_for_a_store_that_is_silent()
{
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let s3 = S3::start();
    let url = format!("s3://{BUCKET}/east?endpoint=http://{address}");
    let counter = open(|config| Config { photo_store: url.clone(), ..s3.set(config) }).await;
    let (ana, job) = at_the_door(&counter).await;
    let mut ben = counter.hire("ben").await;
    let his = counter.job_for(ben.user).await;
    let uploads = (0..UPLOADS).map(async |seed| {
        let picture = picture(100 + seed);
        counter.put(&ana, job, &name(&picture), (0, picture.len(), &picture)).await
    });
    let going_on = async {
        let mut waiting = Vec::new();
        while waiting.len() < usize::from(UPLOADS) {
            waiting.push(silent.accept().await.unwrap());
        }
        ben.synced().await;
        ben.phone.arrive(his, None).await.unwrap();
        ben.synced().await;
        assert_eq!(ben.phone.sync_state().only_here, 0);
        assert_eq!(counter.node.get("/readyz", "").await.status, 200);
    };

    tokio::select! {
        _ = join_all(uploads) => panic!("the store answers nobody"),
        () = going_on => {}
    }
}

#[tokio::test]
async fn the_doctor_names_photos_that_left_the_bucket_and_a_bucket_that_is_not_there() {
    let s3 = S3::start();
    let counter = open(|config| s3.set(config)).await;
    let (ana, job) = at_the_door(&counter).await;
    let (kept, lost) = (keep(&counter, &ana, job, 24).await, keep(&counter, &ana, job, 25).await);
    let (level, says) = doctor(&counter.hall.config).await;
    assert_eq!(level, Level::Ok);
    assert!(says.contains("holds all 2 photos"), "{says}");

    std::fs::remove_file(s3.file(&counter, &lost)).unwrap();
    let (level, says) = doctor(&counter.hall.config).await;
    assert_eq!(level, Level::Bad);
    assert!(says.contains("1 of 2 photos") && says.contains(&lost), "{says}");
    assert!(!says.contains(&kept), "{says}");

    let url = s3.url().replace(BUCKET, "another-bucket");
    let elsewhere = Config { photo_store: url, ..counter.hall.config.clone() };
    let (level, says) = doctor(&elsewhere).await;
    assert_eq!(level, Level::Bad);
    assert!(says.contains("no such bucket"), "{says}");
}

#[tokio::test]
async fn a_picture_that_was_changed_in_the_store_is_not_shown() {
    let s3 = S3::start();
    let counter = open(|config| s3.set(config)).await;
    let (mut ana, job) = at_the_door(&counter).await;
    let hash = keep(&counter, &ana, job, 26).await;
    ana.phone.take_photo(job, hash.clone(), Subject::Meter).await.unwrap();
    ana.synced().await;

    std::fs::write(s3.file(&counter, &hash), picture(27)).unwrap();

    assert_eq!(counter.show(job, &hash, &counter.dispatcher).await.status(), 500);
}

async fn open(set: impl Fn(&Config) -> Config) -> Counter {
    let mut hall = Hall::new().await;
    hall.config = set(&hall.config);
    Counter::of(hall).await
}

pub(crate) async fn keep(counter: &Counter, from: &Technician, job: JobId, seed: u8) -> String {
    let picture = picture(seed);
    let hash = name(&picture);
    let sent = counter.put(from, job, &hash, (0, picture.len(), &picture)).await;
    assert_eq!(sent.body["held"], true, "{sent:?}");
    hash
}

fn assert_waits(reply: &Reply) {
    assert_eq!((reply.status.as_u16(), reply.problem()), (503, "not-ready"), "{reply:?}");
    assert_eq!(reply.retry_after, Some(15));
    assert!(!format!("{reply:?}").contains(SECRET));
}

/// The worst that the doctor says of photos, and all of it.
async fn doctor(config: &Config) -> (Level, String) {
    let mut findings = examine(config, None, None).await;
    findings.retain(|it| it.says.contains("photo"));
    let worst = findings.iter().map(|it| it.level).max().expect("photos are looked at");
    (worst, format!("{findings:?}"))
}

impl S3 {
    pub(crate) fn file(&self, counter: &Counter, hash: &str) -> std::path::PathBuf {
        let key = format!("{BUCKET}/east/{}/{}/{hash}", counter.hall.id, &hash[..2]);
        self.folder.path().join(key)
    }
}
