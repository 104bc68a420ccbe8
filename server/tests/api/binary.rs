//! The binary as an operator runs it: first run, listening, stopping.

use std::process::Stdio;

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

#[tokio::test]
async fn check_5_a_new_database_has_nobody_until_an_admin_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("hall.db").display());
    let init = |password: &'static str| {
        doorstep(&["init", "--admin", "boss", "--database", &database])
            .env("DOORSTEP_PASSWORD", password)
            .output()
    };

    let too_short = init("short").await.unwrap();
    let made = init("kettle sings at noon").await.unwrap();
    let again = init("kettle sings at noon").await.unwrap();
    let (server, base) = serve(&database).await;
    let body = json!({"login": "boss", "password": "kettle sings at noon"});
    let session = reqwest::Client::new().post(format!("{base}/api/session")).json(&body);
    let session = session.send().await.unwrap();
    drop(server);

    assert!(!too_short.status.success());
    assert!(made.status.success(), "{made:?}");
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("has people already"));
    assert_eq!(session.status(), StatusCode::OK);
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_stops_the_server_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hall.db");
    let (mut server, base) = serve(&format!("sqlite:{}", file.display())).await;
    assert_eq!(reqwest::get(format!("{base}/readyz")).await.unwrap().status(), StatusCode::OK);

    let pid = server.id().unwrap().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    let status = server.wait().await.unwrap();

    assert!(status.success(), "{status}");
    assert!(!folder.path().join("hall.db-wal").exists(), "the log was folded into the file");
}

#[tokio::test]
async fn check_37_the_server_refuses_to_be_read_along() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("hall.db").display());

    let open = doorstep(&["serve", "--listen", "0.0.0.0:0", "--database", &database]);
    let played = ["serve", "--listen", "0.0.0.0:0", "--database", &database, "--clock", "manual"];
    let mut played = doorstep(&played);
    played.env("DOORSTEP_BEHIND_TLS", "true");

    for (mut command, why) in [(open, "behind_tls"), (played, "manual clock")] {
        let output = command.output().await.unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{output:?}");
    }
}

fn doorstep(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments).kill_on_drop(true);
    command
}

/// Starts a server and waits until it says where it listens.
async fn serve(database: &str) -> (Child, String) {
    let mut child = doorstep(&["serve", "--listen", "127.0.0.1:0", "--database", database])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stdout = child.stdout.take().expect("it writes");
    let mut lines = BufReader::new(stdout).lines();
    let line = lines.next_line().await.expect("it writes text").expect("it listens");
    let base = line.strip_prefix("listening on ").expect("it says where").to_owned();
    (child, base)
}
