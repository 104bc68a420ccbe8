//! The feed of one phone: everything once it is there, nothing skipped, in pages of any size.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use domain::id::JobId;
use domain::stamp::BootId;
use futures_util::future::join_all;
use mobile_core::link::Link as _;
use serde_json::json;
use server::db::changes::list_job_changes;
use sync::chunk::chunk_hash;
use sync::message::{Cursor, Reply, Request, VERSION};

use crate::counter::{Counter, HttpLink, Technician};

/// How often each of those who write at once writes.
const ROUNDS: usize = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_a_phone_that_polls_while_others_write_misses_nothing() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(counter.job_for(ana.user).await);
    }
    ana.synced().await;
    let mut second = Reader::of(&counter, &ana).await;
    second.read_all().await;

    // A dispatcher for each job, and the first phone, all at once.
    let dispatchers = jobs.iter().map(|job| async {
        for number in 0..ROUNDS {
            let body = json!({"text": format!("第 {number} 条")});
            assert_eq!(counter.add(*job, "messages", &body).await.status, 201);
        }
    });
    let phone = async {
        for number in 0..ROUNDS {
            ana.phone.note(jobs[number % 4], format!("第 {number} 条")).await.expect("saved");
            ana.synced().await;
        }
    };
    let writing = async { tokio::join!(join_all(dispatchers), phone) };
    let reading = async {
        loop {
            second.poll(900).await;
        }
    };
    tokio::select! {
        _ = writing => {}
        () = reading => unreachable!("it polls on and on"),
    }
    second.read_all().await;

    let there = second.stored(&counter, &jobs).await;
    assert_eq!(there.len(), 4 + 4 * ROUNDS + ROUNDS);
    assert_eq!(second.heard, there, "what is there was heard");
}

#[tokio::test]
async fn a_page_of_the_smallest_size_brings_one_job_and_the_next_goes_on_behind_it() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let mut jobs = Vec::new();
    for _ in 0..5 {
        let job = counter.job_for(ana.user).await;
        counter.add(job, "messages", &json!({"text": "在吗"})).await;
        jobs.push(job);
    }
    let mut reader = Reader::of(&counter, &ana).await;

    let mut pages = Vec::new();
    while {
        let reply = reader.poll(1).await;
        pages.push(reply.documents.iter().map(|parcel| parcel.job).collect::<BTreeSet<_>>());
        reply.more
    } {}

    // A page ends where the next position would be too much, so no page is empty and none has two jobs.
    assert!(pages.iter().all(|page| page.len() == 1), "{pages:?}");
    let told: BTreeSet<JobId> = pages.into_iter().flatten().collect();
    assert_eq!(told, jobs.iter().copied().collect());
    assert_eq!(reader.heard, reader.stored(&counter, &jobs).await);
    // From the place of the last grant on, only what is new comes.
    counter.add(jobs[4], "messages", &json!({"text": "到哪里了"})).await;
    let reply = reader.poll(1).await;
    assert_eq!(reply.documents.len(), 1);
    assert_eq!(reply.documents[0].changes.len(), 1);
}

#[tokio::test]
async fn a_cursor_between_a_grant_and_its_event_loses_nothing() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    let mut reader = Reader::of(&counter, &ana).await;
    reader.read_all().await;
    let whole = reader.cursor.expect("it has read");

    counter.add(job, "messages", &json!({"text": "在吗"})).await;
    let end = reader.read_all().await;

    for position in whole.position - 1..=end {
        let mut other = Reader::of(&counter, &ana).await;
        other.cursor = Some(Cursor { position, ..whole });
        other.read_all().await;
        let missed: Vec<_> = reader.heard.difference(&other.heard).collect();
        let skipped = reader.positions(&counter, job, &missed).await;
        assert!(skipped.iter().all(|at| *at <= position), "from {position}: {skipped:?}");
    }
}

#[tokio::test]
async fn a_poll_that_finds_nothing_costs_some_tens_of_bytes_and_no_turn_at_writing() {
    let counter = Counter::open().await;
    let mut ana = counter.hire("ana").await;
    counter.job_for(ana.user).await;
    ana.synced().await;
    ana.synced().await;

    // Nobody can write; who only asks is answered all the same.
    let mut tx = counter.hall.db.begin().await.unwrap();
    let request = ana.request().encode();
    let asked =
        tokio::time::timeout(std::time::Duration::from_secs(3), ana.exchange(request.clone()));
    let reply = asked.await.expect("an answer while somebody writes").unwrap();
    tx.c().q("select 1").execute().await.unwrap();
    drop(tx);

    assert!(request.len() < 100, "{} bytes", request.len());
    assert!(reply.len() < 100, "{} bytes", reply.len());
    assert!(Reply::decode(&reply).unwrap().documents.is_empty());
}

/// A second phone of a technician, of which only what it was sent matters.
struct Reader {
    link: HttpLink,
    cursor: Option<Cursor>,
    heard: BTreeSet<ChangeHash>,
}

impl Reader {
    async fn of(counter: &Counter, technician: &Technician) -> Self {
        let login = "ana";
        let (token, _) = counter.node.enrol(&counter.dispatcher, login, technician.user).await;
        let link = HttpLink { base: counter.node.base.clone(), token };
        Self { link, cursor: None, heard: BTreeSet::new() }
    }

    async fn poll(&mut self, limit_bytes: u32) -> Reply {
        let request = Request {
            version: VERSION,
            cursor: self.cursor,
            boot: BootId(1),
            mono_ms: 0,
            anchors: Vec::new(),
            recorded: 0,
            pending: 0,
            packs: Vec::new(),
            changes: Vec::new(),
            limit_bytes,
            receipts: None,
        };
        let reply = self.link.exchange(request.encode()).await.expect("an answer");
        let reply = Reply::decode(&reply).expect("a reply");
        let before = self.cursor.map_or(0, |cursor| cursor.position);
        assert!(reply.cursor.position >= before, "the cursor goes on");
        for fed in reply.documents.iter().flat_map(|parcel| &parcel.changes) {
            self.heard.insert(chunk_hash(&fed.bytes));
        }
        self.cursor = Some(reply.cursor);
        reply
    }

    /// Reads on until there is nothing more; tells where that is.
    async fn read_all(&mut self) -> i64 {
        loop {
            let reply = self.poll(1 << 20).await;
            if !reply.more {
                return reply.cursor.position;
            }
        }
    }

    /// Every change of the jobs that the server has.
    async fn stored(&self, counter: &Counter, jobs: &[JobId]) -> BTreeSet<ChangeHash> {
        let mut hashes = BTreeSet::new();
        let mut conn = counter.hall.db.read().await.expect("a connection");
        for job in jobs {
            let rows = list_job_changes(conn.c(), *job, 0).await.expect("changes");
            hashes.extend(rows.iter().map(|row| chunk_hash(&row.bytes)));
        }
        hashes
    }

    /// Where some changes of a job are.
    async fn positions(&self, counter: &Counter, job: JobId, hashes: &[&ChangeHash]) -> Vec<i64> {
        let mut conn = counter.hall.db.read().await.expect("a connection");
        let rows = list_job_changes(conn.c(), job, 0).await.expect("changes");
        let rows = rows.iter().filter(|row| hashes.contains(&&chunk_hash(&row.bytes)));
        rows.map(|row| row.position).collect()
    }
}
