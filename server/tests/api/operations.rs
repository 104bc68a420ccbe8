//! What an operator meets: settings, ports, versions, stopping, clocks, what is deleted in time.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use mobile_core::link::LinkError;
use reqwest::StatusCode;
use serde_json::{Value, json};
use server::doctor::{Finding, Level, examine};
use server::upkeep::{Pruned, look_at_clock, prune};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::counter::Counter;
use crate::hall::Hall;
use crate::live;

#[test]
fn settings_are_shown_with_their_origin_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doorstep.toml");
    std::fs::write(&file, "log = \"warn\"\nmetrics_token = \"canary-token\"\n").unwrap();
    let variables = [
        ("DOORSTEP_DATABASE", "postgres://doorstep:canary-password@db/hall"),
        ("DOORSTEP_LISTN", "127.0.0.1:1"),
        ("DOORSTEP_PHOTO_STORE", "s3://hall-photos/east?endpoint=https://minio.example"),
        ("DOORSTEP_PHOTO_STORE_KEY_ID", "doorstep"),
        ("DOORSTEP_PHOTO_STORE_SECRET", "canary-secret"),
    ];

    let shown = doorstep(&["config", "check", "--config", file.to_str().unwrap()], &variables);
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();

    assert!(shown.status.success(), "{shown:?}");
    assert!(said.contains("log = \"warn\"") && said.contains("doorstep.toml:1"), "{said}");
    assert!(said.contains("doorstep:…@db/hall") && said.contains("# DOORSTEP_DATABASE"), "{said}");
    assert!(said.contains("DOORSTEP_LISTN sets nothing"), "{said}");
    assert!(said.contains("photo_store = \"s3://hall-photos/east?"), "{said}");
    assert!(!format!("{shown:?}").contains("canary"), "{shown:?}");
}

#[test]
fn check_46_a_key_at_the_wrong_place_of_a_buckets_url_is_not_printed() {
    for url in ["s3://id:canary@hall-photos", "s3://hall-photos?secret=canary"] {
        let refused = doorstep(&["config", "check"], &[("DOORSTEP_PHOTO_STORE", url)]);

        assert!(!refused.status.success());
        assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
    }
}

#[test]
fn wrong_settings_stop_every_command_with_their_place() {
    for (variable, value, words) in [
        ("DOORSTEP_LISTEN", "here", "DOORSTEP_LISTEN: listen does not fit"),
        ("DOORSTEP_SHUTDOWN_S", "soon", "shutdown_s is not a whole number"),
        ("DOORSTEP_CONFIG", "/absent/doorstep.toml", "leave out --config"),
        ("DOORSTEP_DATABASE", "mysql://db/hall", "must begin with `sqlite:`"),
        ("DOORSTEP_PHOTO_STORE", "s3://hall-photos", "a bucket needs photo_store_key_id"),
    ] {
        assert_says(&doorstep(&["serve"], &[(variable, value)]), words);
    }
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("hall.db").display());

    let refused = doorstep(&["serve", "--listen", &address, "--database", &database], &[]);

    assert_says(&refused, &format!("{address} cannot be listened on"));
    assert_says(&refused, "stop what uses it");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let hall = Hall::new().await;
    hall.break_with(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         select 9999, 'from the future', success, checksum, 0 from _sqlx_migrations where version = 1",
    )
    .await;
    hall.db.close().await;
    let database = hall.config.database.0.as_str();

    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["rebuild"]] {
        let refused = doorstep(&[command, &["--database", database]].concat(), &[]);
        assert_says(&refused, "schema version 9999");
        assert_says(&refused, "install the newer doorstep again");
    }
}

#[tokio::test]
async fn check_28_a_hundred_megabytes_are_refused_and_the_server_goes_on() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;

    for (path, token) in [("/api/session", None), ("/api/sync", Some(&ana.token))] {
        let mut request = reqwest::Client::new()
            .post(format!("{}{path}", counter.node.base))
            .header("content-type", "application/json")
            .body(vec![b' '; 100 << 20]);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        // The server may hang up while the rest is still being sent.
        if let Ok(response) = request.send().await {
            assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        }
    }

    assert_eq!(counter.node.get("/readyz", "").await.status, 200);
}

#[tokio::test]
async fn s18_versions_that_are_not_spoken_are_told_and_nothing_is_lost() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    ana.phone.note(job, "留着".to_owned()).await.unwrap();

    let mut request = ana.request();
    for (version, status) in [(0, 426), (sync::message::VERSION + 1, 400)] {
        request.version = version;
        assert_eq!(ana.exchange(request.encode()).await, Err(LinkError::Refused(status)));
    }

    assert!(ana.phone.sync_state().only_here > 0, "the phone keeps its work");
    ana.synced().await;
    assert_eq!(ana.phone.sync_state().only_here, 0);
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_began_and_cuts_off_what_never_ends() {
    let hall = Hall::new().await;
    hall.person("dora", server::identity::Role::Dispatcher).await;
    let mut config = hall.config.clone();
    config.shutdown_s = 1;
    let app = server::build(config).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut closing = app.state.closing.clone();
    let serving = tokio::spawn(app.serve(listener, async { drop(stopped.await) }));
    let body = json!({"login": "dora", "password": crate::hall::PASSWORD}).to_string();
    let head = format!(
        "POST /api/session HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut finishes = TcpStream::connect(address).await.unwrap();
    let mut never_ends = TcpStream::connect(address).await.unwrap();
    for stream in [&mut finishes, &mut never_ends] {
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body.as_bytes()[..5]).await.unwrap();
    }
    // Both requests are being read when another one was answered after them.
    assert_eq!(reqwest::get(format!("http://{address}/healthz")).await.unwrap().status(), 200);

    stop.send(()).unwrap();
    closing.wait_for(|closing| *closing).await.unwrap();
    finishes.write_all(&body.as_bytes()[5..]).await.unwrap();
    let mut reply = vec![0; 12];
    finishes.read_exact(&mut reply).await.unwrap();
    let served = tokio::time::timeout(Duration::from_secs(20), serving).await;

    assert_eq!(String::from_utf8_lossy(&reply), "HTTP/1.1 200");
    served.expect("it stops within its limit").unwrap().expect("it stopped by itself");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn f9_a_clock_two_days_off_is_told_by_server_and_doctor() {
    let hall = Hall::new().await;
    let now_ms = hall.config.clock.now_ms();
    let two_days_ms = 2 * 86_400_000;
    assert_eq!(look_at_clock(&hall.db, now_ms + two_days_ms).await.unwrap(), 0);

    let behind = look_at_clock(&hall.db, now_ms).await.unwrap();
    let findings = examine(&hall.config, None, None).await;

    assert_eq!(behind, two_days_ms);
    let clock = find(&findings, "clock is 2 days behind");
    assert_eq!(clock.level, Level::Bad);
    assert!(clock.advice.contains("NTP"), "{clock:?}");
}

#[tokio::test]
async fn the_doctor_finds_what_waits_and_what_is_missing() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.synced().await;
    let config = counter.hall.config.clone();

    let without = examine(&config, None, Some(&counter.node.base)).await;
    assert_eq!(find(&without, "there is no verified backup").level, Level::Bad);
    assert_eq!(find(&without, "the schema has version").level, Level::Ok);
    assert_eq!(find(&without, "differ by").level, Level::Bad, "this test's clock is a played one");

    ana.phone.note(job, "被拒".to_owned()).await.unwrap();
    let path = format!("/api/devices/{}/revoke", ana.device);
    assert!(
        counter.node.post(&path, Some(&counter.manager), &Value::Null).await.status.is_success()
    );
    ana.sync().await;
    counter.wait_minutes(3 * 24 * 60, &[]).await;
    let later = examine(&config, None, None).await;
    let apart = find(&later, "changes are kept apart");
    assert_eq!(apart.level, Level::Warn, "{apart:?}");
    assert!(apart.says.contains("3 days") && apart.advice.contains("manager"), "{apart:?}");
    assert!(!format!("{later:?}").contains(&ana.device), "no personal data");
}

#[tokio::test]
async fn what_is_over_is_deleted_in_time_and_raw_changes_never() {
    let mut counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    ana.phone.note(job, "记".to_owned()).await.ok();
    ana.synced().await;
    let before = rows(&counter).await;
    let epoch = live::epoch(&counter).await;

    counter.wait_minutes(31 * 24 * 60, &[&ana]).await;
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    let pruned = prune(&app.state).await.unwrap();
    let after = rows(&counter).await;

    assert!(pruned.live_events > 0 && pruned.sessions > 0, "{pruned:?}");
    assert_eq!(after["change"], before["change"]);
    assert_eq!((before["change"] > 0, after["live_event"]), (true, 0));
    let id = format!("{}-0", epoch.simple());
    let mut reader = live::Reader::of(live::connect(&counter, Some(&id)).await);
    assert_eq!(reader.next().await.1, "snapshot", "what followed is deleted");

    let mut config = counter.hall.config.clone();
    (config.live_event_days, config.session_days, config.quarantine_days) = (0, 0, 0);
    (config.delivery_days, config.audit_days) = (0, 0);
    counter.wait_minutes(1000 * 24 * 60, &[]).await;
    let keeping = server::build(config).await.unwrap();
    assert_eq!(prune(&keeping.state).await.unwrap(), Pruned::default(), "0 days keep everything");
}

async fn rows(counter: &Counter) -> BTreeMap<&'static str, i64> {
    let mut conn = counter.hall.db.read().await.expect("a connection");
    let mut rows = BTreeMap::new();
    for (table, sql) in [
        ("change", "select count(*) from change"),
        ("live_event", "select count(*) from live_event"),
        ("session", "select count(*) from session"),
    ] {
        rows.insert(table, conn.c().q(sql).scalar::<i64>().await.expect("a count"));
    }
    rows
}

#[track_caller]
fn find<'f>(findings: &'f [Finding], says: &str) -> &'f Finding {
    let found = findings.iter().find(|it| it.says.contains(says));
    found.unwrap_or_else(|| panic!("{says:?} is not among {findings:#?}"))
}

fn doorstep(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments).envs(variables.iter().copied());
    command.output().expect("the binary runs")
}

fn assert_says(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{words:?} is not in {output:?}");
}
