//! Photos: handed in part by part, checked, and shown only to who may see the job.

use std::io::Cursor;

use domain::id::JobId;
use domain::visit::Subject;
use image::{ImageFormat, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use server::config::Config;
use server::photos::PhotoHash;

use crate::counter::{Counter, Technician};
use crate::hall::Reply;

#[tokio::test]
async fn a_photo_handed_in_by_parts_is_shown_byte_for_byte() {
    let counter = Counter::open().await;
    let (mut ana, job) = at_the_door(&counter).await;
    let picture = picture(1);
    let hash = name(&picture);
    ana.phone.take_photo(job, hash.clone(), Subject::Meter).await.unwrap();
    ana.synced().await;
    let missing = counter.node.get("/api/photos/missing", &counter.dispatcher).await;
    assert_eq!(missing.body["photos"][0]["hash"], hash);
    assert_eq!(counter.show(job, &hash, &counter.dispatcher).await.status(), 404);

    let (first, rest) = picture.split_at(1000);
    let sent = counter.put(&ana, job, &hash, (0, picture.len(), first)).await;
    assert_eq!((sent.status.as_u16(), &sent.body), (200, &json!({"offset": 1000, "held": false})));
    assert_eq!(counter.progress(&ana, job, &hash).await, json!({"offset": 1000, "held": false}));
    let sent = counter.put(&ana, job, &hash, (1000, picture.len(), rest)).await;
    assert_eq!(sent.body["held"], true, "{sent:?}");

    let shown = counter.show(job, &hash, &counter.dispatcher).await;
    let header = |name: &str| shown.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(header("content-disposition").starts_with("attachment; filename=\""));
    assert_eq!(shown.bytes().await.unwrap(), picture);
    let missing = counter.node.get("/api/photos/missing", &counter.dispatcher).await;
    assert_eq!(missing.body, json!({"photos": []}));
    let path = format!("/api/jobs/{job}/photos");
    let listed = counter.node.get(&path, &counter.dispatcher).await.body["photos"][0].clone();
    assert_eq!((&listed["held"], &listed["subject"]), (&json!(true), &json!("meter")));
}

#[tokio::test]
async fn a_part_sent_twice_does_no_harm_and_a_gap_is_told() {
    let counter = Counter::open().await;
    let (ana, job) = at_the_door(&counter).await;
    let picture = picture(2);
    let (hash, length) = (name(&picture), picture.len());

    for _ in 0..2 {
        let sent = counter.put(&ana, job, &hash, (0, length, &picture[..700])).await;
        assert_eq!(sent.body, json!({"offset": 700, "held": false}));
    }
    let gap = counter.put(&ana, job, &hash, (900, length, &picture[900..])).await;
    assert_eq!((gap.status.as_u16(), gap.problem()), (409, "photo-offset"));
    let other = counter.put(&ana, job, &hash, (700, length + 1, &picture[700..])).await;
    assert_eq!((other.status.as_u16(), other.problem()), (409, "photo-offset"));
    for (offset, length, part) in [(-1, length, 1), (5, 5, 1), (0, 0, 0)] {
        let bad = counter.put_at(&ana, (job, &hash), (offset, length), &picture[..part]).await;
        assert_eq!((bad.status.as_u16(), bad.problem()), (400, "bad-request"));
    }
    let last = counter.put(&ana, job, &hash, (700, length, &picture[700..])).await;
    assert_eq!(last.body["held"], true);
    let again = counter.put(&ana, job, &hash, (700, length, &picture[700..])).await;
    assert_eq!(again.body, json!({"offset": length, "held": true}));
}

#[tokio::test]
async fn check_39_a_picture_that_may_not_be_kept_is_refused_with_what_to_do() {
    let counter = Counter::open().await;
    let (ana, job) = at_the_door(&counter).await;
    let original = picture(3);
    let trailing = [&original[..], b"PK\x03\x04"].concat();
    // Its chunks are in order, and their colours are of a kind that no decoder knows.
    let undecodable = [&original[..8], &unknown_colours(), &original[33..]].concat();
    for bytes in [b"<svg onload=alert(1)>".to_vec(), trailing, undecodable] {
        let sent = counter.put(&ana, job, &name(&bytes), (0, bytes.len(), &bytes)).await;
        assert_eq!((sent.status.as_u16(), sent.problem()), (422, "photo-refused"));
        let begun = counter.progress(&ana, job, &name(&bytes)).await;
        assert_eq!(begun["offset"], 0, "what was refused is forgotten");
    }
    let wrong = name(b"another");
    let sent = counter.put(&ana, job, &wrong, (0, original.len(), &original)).await;
    assert_eq!((sent.status.as_u16(), sent.problem()), (409, "photo-hash"));
    let long = (0, (10 << 20) + 1);
    let sent = counter.put_at(&ana, (job, &wrong), long, &original[..9]).await;
    assert_eq!((sent.status.as_u16(), sent.problem()), (422, "photo-refused"));
    let sent = counter.put(&ana, job, "../../hall.db", (0, 9, &original[..9])).await;
    assert!(sent.status.is_client_error());
}

#[tokio::test]
async fn check_20_only_who_may_see_the_job_sees_its_photos() {
    let counter = Counter::open().await;
    let (mut ana, job) = at_the_door(&counter).await;
    let mut ben = counter.hire("ben").await;
    let his = counter.job_for(ben.user).await;
    ben.synced().await;
    let picture = picture(4);
    let hash = name(&picture);
    let whole = (0, picture.len(), &picture[..]);

    assert_eq!(counter.put(&ben, job, &hash, whole).await.status, 404, "not his job");
    assert_eq!(counter.put(&ana, job, &hash, whole).await.body["held"], true);
    let staff = counter.show(job, &hash, &counter.dispatcher).await;
    assert_eq!(staff.status(), 404, "no fact names it yet");
    ana.phone.sign(job, hash.clone()).await.unwrap_err();
    ana.phone.take_photo(job, hash.clone(), Subject::Other).await.unwrap();
    ana.synced().await;

    assert_eq!(counter.show(job, &hash, &counter.dispatcher).await.status(), 200);
    assert_eq!(counter.show(job, &hash, &ana.token).await.status(), 200);
    assert_eq!(counter.show(job, &hash, &ben.token).await.status(), 404);
    assert_eq!(counter.show(his, &hash, &ben.token).await.status(), 404, "his job names it not");
    let taken = counter.add(job, "assignments", &json!({"technician": ben.user})).await;
    assert_eq!(taken.status, 201);
    assert_eq!(counter.show(job, &hash, &ben.token).await.status(), 200, "he goes there now");
    assert_eq!(counter.show(job, &hash, &ana.token).await.status(), 200, "she was there");
}

#[tokio::test]
async fn s3_a_phone_shut_out_still_hands_in_what_it_took() {
    let counter = Counter::open().await;
    let (ana, job) = at_the_door(&counter).await;
    let path = format!("/api/devices/{}/revoke", ana.device);
    counter.node.post(&path, Some(&counter.dispatcher), &Value::Null).await;
    let picture = picture(5);

    let sent = counter.put(&ana, job, &name(&picture), (0, picture.len(), &picture)).await;

    assert_eq!(sent.body["held"], true);
    assert_eq!(counter.show(job, &name(&picture), &ana.token).await.status(), 403);
}

#[tokio::test]
async fn check_29_a_phone_has_a_quota_and_an_unfinished_upload_is_forgotten_after_a_day() {
    let counter = Counter::open().await;
    let (ana, job) = at_the_door(&counter).await;
    let pictures: Vec<Vec<u8>> = (10..13).map(picture).collect();
    let quota = (pictures[0].len() + pictures[1].len()) as u64;
    let config = Config { photo_quota_bytes: quota, ..counter.hall.config.clone() };
    let strict = Counter { node: counter.hall.node_with(config).await, ..counter };
    let part = |n: usize, end: usize| (0, pictures[n].len(), &pictures[n][..end]);
    let hash = |n: usize| name(&pictures[n]);

    let begun = strict.put(&ana, job, &hash(0), part(0, 10)).await;
    assert_eq!(begun.body["offset"], 10);
    let whole = strict.put(&ana, job, &hash(1), part(1, pictures[1].len())).await;
    assert_eq!(whole.body["held"], true);
    let refused = strict.put(&ana, job, &hash(2), part(2, 10)).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (429, "photo-quota"));

    strict.hall.wait_minutes(24 * 60 + 1);
    let taken = strict.put(&ana, job, &hash(2), part(2, pictures[2].len())).await;
    assert_eq!(taken.body["held"], true, "{taken:?}");
    assert_eq!(strict.progress(&ana, job, &hash(0)).await["offset"], 0);
}

#[tokio::test]
async fn s22_a_restored_database_finds_again_what_the_store_holds() {
    let counter = Counter::open().await;
    let (mut ana, job) = at_the_door(&counter).await;
    let picture = picture(6);
    let hash = name(&picture);
    ana.phone.take_photo(job, hash.clone(), Subject::Other).await.unwrap();
    ana.synced().await;
    counter.put(&ana, job, &hash, (0, picture.len(), &picture)).await;

    counter.hall.break_with("delete from photo").await;

    let missing = counter.node.get("/api/photos/missing", &counter.dispatcher).await;
    assert_eq!(missing.body, json!({"photos": []}));
    assert_eq!(counter.show(job, &hash, &counter.dispatcher).await.bytes().await.unwrap(), picture);
}

pub(crate) async fn at_the_door(counter: &Counter) -> (Technician, JobId) {
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.expect("saved");
    ana.synced().await;
    (ana, job)
}

pub(crate) fn picture(seed: u8) -> Vec<u8> {
    let byte = |it: u32| u8::try_from(it).expect("a byte");
    let pixels = RgbImage::from_fn(48, 48, |x, y| {
        let noise = (x * 31 + y * 17 + x * y * u32::from(seed)) % 256;
        image::Rgb([seed, byte(noise), byte(noise ^ 0x5a)])
    });
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// A PNG's header with the colour type 5, of which there is none.
fn unknown_colours() -> Vec<u8> {
    let named = b"IHDR\0\0\0\x30\0\0\0\x30\x08\x05\0\0\0";
    let mut crc = flate2::Crc::new();
    crc.update(named);
    [&13_u32.to_be_bytes()[..], named, &crc.sum().to_be_bytes()].concat()
}

pub(crate) fn name(bytes: &[u8]) -> String {
    PhotoHash::of(bytes).as_str().to_owned()
}

impl Counter {
    pub(crate) async fn put(
        &self,
        from: &Technician,
        job: JobId,
        hash: &str,
        (offset, length, part): (usize, usize, &[u8]),
    ) -> Reply {
        let offset = i64::try_from(offset).expect("an offset");
        self.put_at(from, (job, hash), (offset, length), part).await
    }

    async fn put_at(
        &self,
        from: &Technician,
        (job, hash): (JobId, &str),
        (offset, length): (i64, usize),
        part: &[u8],
    ) -> Reply {
        let path = format!("/api/jobs/{job}/photos/{hash}/upload?offset={offset}&length={length}");
        let url = format!("{}{path}", self.node.base);
        let request = reqwest::Client::new().request(Method::PUT, url).bearer_auth(&from.token);
        crate::hall::reply(request.body(part.to_vec())).await
    }

    pub(crate) async fn progress(&self, from: &Technician, job: JobId, hash: &str) -> Value {
        let path = format!("/api/jobs/{job}/photos/{hash}/upload");
        self.node.get(&path, &from.token).await.body
    }

    pub(crate) async fn show(&self, job: JobId, hash: &str, token: &str) -> reqwest::Response {
        let url = format!("{}/api/jobs/{job}/photos/{hash}", self.node.base);
        reqwest::Client::new().get(url).bearer_auth(token).send().await.expect("the server replies")
    }
}
