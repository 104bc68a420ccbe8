//! S2: the real server killed right after it acknowledged, fifty times: nothing acknowledged is missing.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::{Arc, Mutex};

use mobile_core::link::{Link, LinkError};
use mobile_core::phone::SyncEnd;

use crate::world::{Carrier, Database, Server, claim, send};

const KILLS: u32 = 50;

#[tokio::test]
async fn s2_killed_right_after_each_ack_the_server_has_what_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = cluster::fresh_database(folder.path()).expect("a database");
    let database = Database { url, hosts: String::new() };
    database.fill();
    let first = Server::start(&database);
    let mut carrier = Carrier::enrol(&first, "jiang.hai").await;
    drop(first);
    let job = carrier.job;
    let mut acknowledged = BTreeSet::new();

    for kill in 1..=KILLS {
        let saved =
            carrier.phone.note(job, format!("第 {kill} 次")).await.expect("the note is saved");
        let mut server = Server::start(&database);
        // Every third time the kill comes while the request is under way: then there may be no reply.
        let moment = if kill % 3 == 0 { Moment::UnderWay } else { Moment::AfterReply };
        let token = carrier.token.clone();
        let mut link =
            KillingLink { base: server.base.clone(), token, server: server.child(), moment };
        let report = carrier.phone.sync(&mut link).await;
        server.wait();
        if carrier.phone.sync_state().only_here == 0 {
            acknowledged.insert(saved.fact);
        } else {
            assert!(matches!(report.end, SyncEnd::Stopped(_)), "{report:?}");
        }

        let restarted = Server::start(&database);
        let held = restarted.facts(job).await;
        assert!(
            acknowledged.is_subset(&held),
            "after kill {kill}: {:?}",
            acknowledged.difference(&held)
        );
        assert_eq!(carrier.sync(&restarted.base).await, SyncEnd::Complete);
        acknowledged.insert(saved.fact);
    }

    let server = Server::start(&database);
    let held = server.facts(job).await;
    assert_eq!(held.len(), KILLS as usize, "each fact once");
    assert_eq!(held, acknowledged);
    claim(&format!("kills.server kills={KILLS} acknowledged={}", held.len()));
}

#[derive(Clone, Copy)]
enum Moment {
    AfterReply,
    UnderWay,
}

/// A network at whose other end the server is killed with the first exchange that hands something in.
struct KillingLink {
    base: String,
    token: String,
    server: Arc<Mutex<Child>>,
    moment: Moment,
}

impl KillingLink {
    fn kill(&self) {
        self.server.lock().expect("no test panics with it").kill().expect("SIGKILL is sent");
    }
}

impl Link for KillingLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let sending = send(&self.base, &self.token, request);
        match self.moment {
            Moment::AfterReply => {
                let reply = sending.await;
                self.kill();
                reply
            }
            Moment::UnderWay => {
                let sending = tokio::spawn(sending);
                tokio::task::yield_now().await;
                self.kill();
                sending.await.expect("no panic")
            }
        }
    }
}
