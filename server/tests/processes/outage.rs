//! PostgreSQL away when the server starts, and away and back while it runs.

use std::path::Path;

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

    postgres.run().expect("it starts again");
    while carrier.sync(&server.base).await != SyncEnd::Complete {}
    assert!(server.facts(carrier.job).await.contains(&saved.fact));
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_with_what_to_do() {
    if std::env::var_os("DOORSTEP_TEST_POSTGRES").is_none() {
        return;
    }
    let mut postgres = Cluster::start(&[]).expect("a cluster");
    postgres.sql("postgres", "create database hall").expect("a database");
    let (hall, address) = (postgres.url("hall"), postgres.address());
    let migrated = at(&hall, "").doorstep("migrate").output().expect("it ends");
    assert!(migrated.status.success(), "{migrated:?}");
    let refuses = |url: &str, hosts: &str, why: &[&str]| {
        let ended = at(url, hosts).doorstep("serve").output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success());
        for part in why {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        assert!(!said.contains("canary"), "a password is told: {said}");
    };

    refuses(
        &postgres.url("nowhere"),
        "",
        &["takes writes", &address, "\"nowhere\" does not exist"],
    );
    refuses("postgres://doorstep:canary@[::1/hall", "", &["write postgres://<user>"]);
    refuses(&hall, "doorstep@db:5432", &["names no database server"]);
    let newer = "insert into _sqlx_migrations values (9999, 'later', now(), true, '\\x00', 0)";
    postgres.sql("hall", newer).expect("a newer schema");
    refuses(&hall, "", &["schema version 9999", "install the newer doorstep"]);
    let edited = "delete from _sqlx_migrations where version = 9999; \
        update _sqlx_migrations set checksum = '\\x00' where version = 1";
    postgres.sql("hall", edited).expect("an edited schema");
    refuses(&hall, "", &["migration 1 ", "has been modified"]);
    postgres.stop();
    refuses(&hall, "", &["takes writes", &address, "start it", "database_hosts"]);
}

#[tokio::test]
async fn a_connection_to_postgres_is_closed_to_others_and_its_server_proven() {
    if std::env::var_os("DOORSTEP_TEST_POSTGRES").is_none() {
        return;
    }
    let postgres = Cluster::start(&[]).expect("a cluster");
    postgres.sql("postgres", "create database hall").expect("a database");
    let port = postgres.address().rsplit(':').next().unwrap_or_default().to_owned();
    let named = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root.crt");
    std::fs::write(&root, named.cert.pem()).expect("a root");
    let url = |host: &str, mode: &str, root: &Path| {
        format!(
            "postgres://doorstep@{host}:{port}/hall?sslmode={mode}&sslrootcert={}",
            root.display()
        )
    };
    let migrate = |url: &str| {
        let ended = at(url, "").doorstep("migrate").output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        if ended.status.success() { Ok(()) } else { Err(said) }
    };

    let plain = migrate(&url("localhost", "require", &root));
    assert!(plain.as_ref().is_err_and(|said| said.contains("TLS")), "{plain:?}");
    postgres.secure(&named.cert.pem(), &named.signing_key.serialize_pem()).expect("TLS");

    migrate(&url("localhost", "verify-full", &root)).expect("the server is who it says");
    let wrong_name = migrate(&url("127.0.0.1", "verify-full", &root));
    assert!(wrong_name.as_ref().is_err_and(|it| it.contains("certificate")), "{wrong_name:?}");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    std::fs::write(&root, other.cert.pem()).expect("another root");
    let stranger = migrate(&url("localhost", "verify-full", &root));
    assert!(stranger.as_ref().is_err_and(|it| it.contains("certificate")), "{stranger:?}");
    let missing = migrate(&url("localhost", "verify-full", Path::new("/nowhere.crt")));
    assert!(missing.as_ref().is_err_and(|it| it.contains("/nowhere.crt")), "{missing:?}");
}

fn at(url: &str, hosts: &str) -> Database {
    Database { url: url.to_owned(), hosts: hosts.to_owned() }
}
