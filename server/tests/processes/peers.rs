//! F26: peers that say nothing, or say it without end, are let go, and nobody else waits for them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::world::{Database, Server};

/// More than the server would keep for ever: each held a place until it was let go.
const PEERS: usize = 40;

/// How each of them stops in the middle.
const UNFINISHED: [&str; 4] = [
    "",
    "GET /api/jobs HTTP/1.1\r\nHost:",
    "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{\"login\"",
    "POST /api/sync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
];

#[tokio::test]
async fn f26_peers_that_stop_in_the_middle_are_let_go_and_nobody_waits_for_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = cluster::fresh_database(folder.path()).expect("a database");
    let database = Database { url, hosts: String::new() };
    database.fill();
    let brisk = [("DOORSTEP_HEAD_TIMEOUT_S", "2"), ("DOORSTEP_BODY_TIMEOUT_S", "2")];
    let server = Server::start_with(&database, &brisk);
    let address = server.base.trim_start_matches("http://").to_owned();
    let peers: Vec<TcpStream> = (0..PEERS)
        .map(|number| {
            let mut peer = TcpStream::connect(&address).expect("a connection");
            let words = UNFINISHED[number % UNFINISHED.len()];
            peer.write_all(words.as_bytes()).expect("they begin to speak");
            peer
        })
        .collect();

    let dispatcher = server.sign_in().await;
    let jobs: Value = server.get("/api/jobs?limit=1", &dispatcher).await;
    assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(1), "others are served meanwhile");

    let ends = tokio::task::spawn_blocking(|| peers.into_iter().map(end).collect::<Vec<_>>());
    for (number, end) in ends.await.expect("no panic").into_iter().enumerate() {
        let has_body = UNFINISHED[number % UNFINISHED.len()].starts_with("POST /api/session");
        assert_eq!(end.contains("408") && end.contains("too-slow"), has_body, "{number}: {end}");
    }
}

/// What a peer is told until the server closes the connection; a server that never does fails the read.
fn end(mut peer: TcpStream) -> String {
    peer.set_read_timeout(Some(Duration::from_mins(1))).expect("a limit for the test");
    let mut told = Vec::new();
    peer.read_to_end(&mut told).expect("the server closes the connection");
    String::from_utf8_lossy(&told).into_owned()
}
