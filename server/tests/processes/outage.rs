//! PostgreSQL away when the server starts, and away and back while it runs.

use std::process::Stdio;

use cluster::Cluster;
use mobile_core::phone::SyncEnd;
use reqwest::StatusCode;

use crate::world::{Carrier, Database, Server};

#[tokio::test]
async fn postgres_away_and_back_is_told_and_nothing_is_lost() {
    if std::env::var_os("DOORSTEP_TEST_POSTGRES").is_none() {
        return;
    }
    let mut postgres = Cluster::start(&[]).expect("a cluster");
    postgres.sql("postgres", "create database hall").expect("a database");
    let database = Database { url: postgres.url("hall"), hosts: String::new() };
    database.fill();
    let server = Server::start(&database);
    let mut carrier = Carrier::enrol(&server, "jiang.hai").await;
    let saved = carrier.phone.note(carrier.job, "断线前".to_owned()).await.expect("saved");

    postgres.stop();
    let ready = reqwest::get(format!("{}/readyz", server.base)).await.expect("an answer");
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready.headers().contains_key("retry-after"));
    let alive = reqwest::get(format!("{}/healthz", server.base)).await.expect("an answer");
    assert_eq!(alive.status(), StatusCode::OK, "nobody restarts a server for its database");
    assert!(matches!(carrier.sync(&server.base).await, SyncEnd::Stopped(_)));
    let start = database.doorstep("serve").stdout(Stdio::null()).output().expect("it ends");
    assert!(!start.status.success());
    let said = String::from_utf8_lossy(&start.stderr);
    assert!(said.contains("the database cannot be opened"), "{said}");

    postgres.run().expect("it starts again");
    while carrier.sync(&server.base).await != SyncEnd::Complete {}
    assert!(server.facts(carrier.job).await.contains(&saved.fact));
}
