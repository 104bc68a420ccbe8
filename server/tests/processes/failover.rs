//! Two nodes on one primary with a synchronous standby: a node and then the primary are killed under work.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use cluster::Cluster;
use domain::id::{FactId, HallId, JobId};
use server::db::live_events::list_events;
use server::db::{Db, halls};
use tokio::sync::watch;

use crate::live::Reader;
use crate::world::{Carrier, Database, Server};

/// Technicians of the demo hall.
const CREW: [&str; 4] = ["jiang.hai", "xia.guoping", "tao.jun", "shao.lan"];

/// How soon every node takes work again once a standby was promoted.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// How a primary dies.
#[derive(Clone, Copy)]
enum Death {
    Killed,
    /// Its connections stay open, and it never answers again.
    Hung,
    /// It lives on beside the one that was promoted, as when only its standby was cut off from it.
    Outlived,
}

#[tokio::test]
async fn s2_a_node_and_the_primary_killed_under_work_lose_nothing_acknowledged() {
    survive(Death::Killed).await;
}

#[tokio::test]
async fn s2_a_primary_that_hangs_under_work_loses_nothing_acknowledged() {
    survive(Death::Hung).await;
}

#[tokio::test]
async fn s2_a_primary_that_lives_on_beside_the_new_one_is_left_and_loses_nothing_acknowledged() {
    survive(Death::Outlived).await;
}

async fn survive(death: Death) {
    // It starts servers of its own; the variable says that this machine has them.
    if std::env::var_os("DOORSTEP_TEST_POSTGRES").is_none() {
        return;
    }
    let (mut primary, second) = pair();
    primary.sql("postgres", "create database hall").expect("a database");
    let hosts = format!("{},{}", primary.address(), second.address());
    let database = Database { url: primary.url("hall"), hosts };
    database.fill();
    let nodes = [Server::start(&database), Server::start(&database)];
    let bases = nodes.each_ref().map(|node| node.base.clone());
    let mut crew = Vec::new();
    for login in CREW {
        crew.push(Carrier::enrol(&nodes[0], login).await);
    }
    let work = Work::new(bases);
    let mut reader = Reader::open(&nodes[1]).await;
    let working = futures_util::future::join_all(crew.iter_mut().map(|it| work.go_on(it)));

    let killing = async {
        work.until_acknowledged([40, 40]).await;
        let [first, other] = nodes;
        drop(first);
        work.is_gone[0].set(true);
        work.until_acknowledged([0, 80]).await;
        let again = Server::start(&database);
        work.bases.borrow_mut()[0].clone_from(&again.base);
        work.is_gone[0].set(false);
        work.until_acknowledged([80, 120]).await;

        let taking_over = tokio::task::spawn_blocking(move || {
            match death {
                Death::Killed => primary.kill(),
                Death::Hung => primary.freeze(),
                Death::Outlived => {}
            }
            second.promote().expect("the standby takes over");
            (primary, second)
        });
        let (mut primary, second) = taking_over.await.expect("no panic");
        let [at_first, at_other] = work.counts();
        let back = work.until_acknowledged([at_first + 1, at_other + 1]);
        tokio::time::timeout(BACK_WITHIN, back).await.expect("both nodes are back in time");
        if let Death::Killed = death {
            // It takes writes again, on the old timeline: nobody goes back to it.
            primary.run().expect("the old primary starts again");
        }
        let [at_first, at_other] = work.counts();
        work.until_acknowledged([at_first + 40, at_other + 40]).await;
        work.is_over.set(true);
        (again, other, (primary, second))
    };
    let (_, (node, _other, (_primary, second))) = tokio::join!(working, killing);

    work.compare(&crew, &node).await;
    // The stream that was open all the time tells each event once and in order.
    let happened = positions(&second.url("hall"), reader.start).await;
    reader.read_to(*happened.last().expect("events")).await;
    assert_eq!(reader.heard, happened);
}

/// The positions of what happened after this one, as a database has them.
async fn positions(database: &str, after: i64) -> Vec<i64> {
    let db = Db::open(database).await.expect("the database opens");
    let mut conn = db.read().await.expect("a connection");
    let hall = HallId(halls::list_halls(conn.c()).await.expect("halls")[0].hall_id);
    let rows = list_events(conn.c(), hall, after, 100_000).await.expect("events");
    rows.iter().map(|row| row.position).collect()
}

/// A primary that acknowledges nothing its standby does not have, and that standby.
fn pair() -> (Cluster, Cluster) {
    // What a process wrote outlives its kill without a wait for the disk, which other tests keep busy.
    let settings = ["synchronous_standby_names = 'second'", "fsync = off"];
    let primary = Cluster::start(&settings).expect("a primary");
    let second = primary.standby("second", &[]).expect("a standby");
    (primary, second)
}

/// What the crew hands in while servers die.
struct Work {
    bases: RefCell<[String; 2]>,
    is_gone: [Cell<bool>; 2],
    is_over: Cell<bool>,
    counts: watch::Sender<[u64; 2]>,
    acknowledged: RefCell<BTreeSet<(JobId, FactId)>>,
}

impl Work {
    fn new(bases: [String; 2]) -> Self {
        Self {
            bases: RefCell::new(bases),
            is_gone: Default::default(),
            is_over: Cell::new(false),
            counts: watch::Sender::new([0; 2]),
            acknowledged: RefCell::default(),
        }
    }

    /// Records and hands in until the work is over, at one node and then at the other.
    async fn go_on(&self, carrier: &mut Carrier) {
        let mut recorded = Vec::new();
        let mut node = 0;
        while !self.is_over.get() {
            let saved = carrier.phone.note(carrier.job, "记一笔".to_owned()).await;
            recorded.push((carrier.job, saved.expect("the note is saved").fact));
            node = 1 - node;
            if self.is_gone[node].get() {
                node = 1 - node;
            }
            let base = self.bases.borrow()[node].clone();
            let _may_fail = carrier.sync(&base).await;
            if carrier.phone.sync_state().only_here == 0 {
                self.counts.send_modify(|counts| counts[node] += recorded.len() as u64);
                self.acknowledged.borrow_mut().extend(recorded.drain(..));
            }
        }
    }

    fn counts(&self) -> [u64; 2] {
        *self.counts.borrow()
    }

    async fn until_acknowledged(&self, [first, other]: [u64; 2]) {
        let mut counts = self.counts.subscribe();
        let reached = counts.wait_for(|counts| counts[0] >= first && counts[1] >= other);
        drop(reached.await.expect("the work goes on"));
    }

    /// Holds what was acknowledged against what a node has.
    async fn compare(&self, crew: &[Carrier], node: &Server) {
        for carrier in crew {
            let acknowledged = self.acknowledged_of(carrier.job);
            let held = node.facts(carrier.job).await;
            let missing: Vec<_> = acknowledged.difference(&held).collect();
            assert!(missing.is_empty(), "acknowledged and not there: {missing:?}");
            assert!(!acknowledged.is_empty());
        }
    }

    fn acknowledged_of(&self, job: JobId) -> BTreeSet<FactId> {
        let all = self.acknowledged.borrow();
        all.iter().filter(|(of, _)| *of == job).map(|(_, fact)| *fact).collect()
    }
}
