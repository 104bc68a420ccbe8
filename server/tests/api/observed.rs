//! What a server tells of itself: figures for Prometheus and logs, neither with personal data.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use server::config::{Config, Secret};
use tracing_subscriber::fmt::MakeWriter;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::PASSWORD;
use crate::live::Reader;

#[tokio::test]
async fn figures_tell_what_happened_and_nothing_of_people() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "煤气味".to_owned()).await.unwrap();
    ana.synced().await;
    let mut reader = Reader::open(&counter, None).await;
    assert_eq!(reader.next().await.1, "snapshot");

    let response = reqwest::get(format!("{}/metrics", counter.node.base)).await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();

    for line in [
        "doorstep_sync_changes_total{verdict=\"accepted\"} 1",
        "doorstep_live_readers 1",
        "doorstep_queue_length{queue=\"quarantine\"} 0",
        "doorstep_backup_age_seconds -1",
        "route=\"/api/sync\",status=\"200\"",
        "doorstep_db_connections{state=\"open\"}",
        "doorstep_feed_position{hall=",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    for secret in ["ana", "章思雨", ACCOUNT, "05530200000", ana.token.as_str()] {
        assert!(!text.replace("quarantine", "").contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn check_47_figures_are_closed_to_strangers() {
    let counter = Counter::open().await;
    let http = reqwest::Client::new();
    let url = format!("{}/metrics", counter.node.base);
    let proxied = http.get(&url).header("x-forwarded-for", "203.0.113.7").send().await.unwrap();
    assert_eq!(proxied.status(), 404, "a proxy on this machine brings strangers");

    let guarded = Config {
        metrics_token: Secret("scrape with care".to_owned()),
        ..counter.hall.config.clone()
    };
    let node = counter.hall.node_with(guarded).await;
    assert_eq!(node.get("/metrics", "wrong").await.status, 401);
    assert_eq!(node.get("/metrics", &counter.manager).await.status, 401, "people are no scraper");
    assert_eq!(node.get("/metrics", "scrape with care").await.status, 200);
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Kept {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn check_46_check_62_s21_logs_hold_no_name_address_phone_or_token() {
    let kept = Kept::default();
    // The test's thread runs the server too, so everything of this hall is heard, whatever its level.
    let logs = tracing_subscriber::fmt().json().with_max_level(tracing::Level::DEBUG);
    let _heard = tracing::subscriber::set_default(logs.with_writer(kept.clone()).finish());

    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana.privat").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.arrive(job, None).await.unwrap();
    ana.phone.note(job, "家里有老人".to_owned()).await.unwrap();
    ana.synced().await;
    counter.add(job, "messages", &json!({"text": "请带软管"})).await;
    counter.node.get("/api/jobs?account=30100001", &counter.dispatcher).await;
    counter.node.try_sign_in("ana.privat", "a wrong password").await;
    counter.node.get("/api/me", "canary-token").await;
    let path = format!("/api/devices/{}/revoke", ana.device);
    counter.node.post(&path, Some(&counter.manager), &Value::Null).await;
    ana.phone.note(job, "被关在外面".to_owned()).await.unwrap();
    ana.sync().await;
    counter.wait_minutes(5, &[&ana]).await;
    counter.hall.break_with("alter table user_account rename column name to lost_name").await;
    counter.node.get("/api/users", &counter.dispatcher).await;

    let logged = kept.0.lock().unwrap().clone();
    let logged = String::from_utf8(logged).unwrap();
    assert!(logged.contains("a request failed"), "failures are logged: {logged}");
    for line in logged.lines() {
        serde_json::from_str::<Value>(line).expect("each line is JSON");
    }
    let secrets = [
        "ana.privat",
        "章思雨",
        "听江里",
        "05530200000",
        ACCOUNT,
        "灶火不旺",
        "家里有老人",
        "请带软管",
        "被关在外面",
        PASSWORD,
        "a wrong password",
        "canary-token",
        &ana.token,
        &counter.manager,
    ];
    for secret in secrets {
        let line = logged.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} stands in {line:?}");
    }
}

#[tokio::test]
async fn check_61_nobody_writes_a_line_or_a_colour_into_the_logs() {
    let counter = Counter::open().await;
    let node = &counter.node;
    let forged = "\nforged\r\n\u{1b}[31mforged\u{85}forged\u{202e}";
    for is_json in [true, false] {
        let kept = Kept::default();
        let logs = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
        let logs = logs.with_writer(kept.clone());
        let _heard = if is_json {
            tracing::subscriber::set_default(logs.json().flatten_event(true).finish())
        } else {
            tracing::subscriber::set_default(logs.finish())
        };

        node.try_sign_in(forged, forged).await;
        node.get("/api/%0aforged%1b[31mforged?a=%0aforged", "no token").await;
        node.get("/api/households?text=%0aforged%1b[31m", &counter.dispatcher).await;
        let odd = json!({"text": forged, "forged\nforged": 1});
        node.post("/api/jobs/x/messages", Some(&counter.dispatcher), &odd).await;

        let logged = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(!logged.is_empty());
        assert!(!logged.contains('\u{1b}') && !logged.contains('\u{202e}'), "{logged}");
        let forged = logged.lines().find(|line| line.trim_start().starts_with("forged"));
        assert_eq!(forged, None, "{logged}");
    }
}
