//! Webhooks when the server is killed between a commit and its message: what is committed is told.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::world::{Database, Server};

#[tokio::test]
async fn killed_between_commit_and_message_the_server_tells_when_it_is_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = cluster::fresh_database(folder.path()).expect("a database");
    let database = Database { url, hosts: String::new() };
    database.fill();
    // Nobody listens there until the server was killed: nothing can have been told before.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let server = Server::start_with(&database, &[("DOORSTEP_WEBHOOK_ALLOWED", &address)]);
    let manager = server.sign_in_as("shi.zhengyuan").await;
    let hook = json!({"url": format!("http://{address}/"), "kinds": ["job.said"]});
    let made = server.post("/api/webhooks", Some(&manager), &hook).await;
    assert!(made["secret"].as_str().is_some_and(|it| it.starts_with("whsec_")), "{made}");
    let jobs = server.get("/api/jobs?limit=5", &manager).await;
    let jobs: Vec<String> = jobs["jobs"].as_array().expect("jobs").iter().map(id).collect();

    for job in &jobs {
        let path = format!("/api/jobs/{job}/messages");
        let said = server.post(&path, Some(&manager), &json!({"text": "在路上吗"})).await;
        assert!(said["entry"].is_string(), "{said}");
    }
    server.child().lock().expect("nobody panics with it").kill().expect("SIGKILL is sent");
    let (sender, mut told) = mpsc::unbounded_channel();
    let listener = TcpListener::bind(&address).await.expect("the port is free");
    let router = Router::new().fallback(hear).with_state(Arc::new(sender));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    let _back = Server::start_with(&database, &[("DOORSTEP_WEBHOOK_ALLOWED", &address)]);

    let mut missing: std::collections::BTreeSet<_> = jobs.into_iter().collect();
    while !missing.is_empty() {
        // What the kill hit in the middle of a try is claimed for a minute.
        let patience = std::time::Duration::from_mins(2);
        let message = tokio::time::timeout(patience, told.recv()).await.expect("told in time");
        let message: Value = message.expect("the receiver lives");
        missing.remove(message["data"]["job"].as_str().expect("a job"));
    }
}

fn id(job: &Value) -> String {
    job["id"].as_str().expect("an id").to_owned()
}

async fn hear(State(told): State<Arc<mpsc::UnboundedSender<Value>>>, bytes: Bytes) {
    told.send(serde_json::from_slice(&bytes).expect("JSON")).expect("the test listens");
}
