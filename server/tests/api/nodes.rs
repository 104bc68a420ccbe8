//! Several servers on one database: any of them takes any request, and what one does the others tell.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use server::db::changes::list_hall_changes;

use crate::counter::Counter;

/// Shorter than the time after which a stream looks for itself.
const AT_ONCE: Duration = Duration::from_secs(4);

const WRITERS: usize = 8;
const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_with_eight_writers_on_two_nodes_positions_come_in_the_order_of_commits() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let second = counter.hall.node().await;
    let mut jobs = Vec::new();
    for _ in 0..WRITERS {
        jobs.push(counter.job_for(ana.user).await);
    }
    let writers = jobs.iter().enumerate().map(async |(number, job)| {
        let node = if number % 2 == 0 { &counter.node } else { &second };
        for round in 0..ROUNDS {
            let body = json!({"text": format!("第 {round} 条")});
            let path = format!("/api/jobs/{job}/instructions");
            assert_eq!(node.post(&path, Some(&counter.dispatcher), &body).await.status, 201);
        }
    });

    let mut read = Vec::new();
    let reading = async {
        loop {
            let after = read.last().copied().unwrap_or(0);
            let mut conn = counter.hall.db.read().await.unwrap();
            let page = list_hall_changes(conn.c(), counter.hall.id, after, 7).await.unwrap();
            read.extend(page.into_iter().map(|row| row.position));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = join_all(writers) => {}
        () = reading => unreachable!("it reads on and on"),
    }

    let mut conn = counter.hall.db.read().await.unwrap();
    let all = list_hall_changes(conn.c(), counter.hall.id, 0, 10_000).await.unwrap();
    let all: Vec<i64> = all.into_iter().map(|row| row.position).collect();
    assert_eq!(all.len(), WRITERS + WRITERS * ROUNDS);
    assert!(!read.is_empty());
    assert_eq!(read, all[..read.len()], "a reader's cursor skipped nothing that came later");
}

#[tokio::test]
async fn what_happens_at_one_node_is_told_at_once_by_another() {
    let counter = Counter::open().await;
    let ana = counter.hire("ana").await;
    let job = counter.job_for(ana.user).await;
    // Two servers on one file do not hear each other; they look every few seconds.
    if std::env::var_os("DOORSTEP_TEST_POSTGRES").is_none() {
        return;
    }
    let second = counter.hall.node().await;
    let url = format!("{}/api/live", second.base);
    let request = reqwest::Client::new().get(url).bearer_auth(&counter.dispatcher);
    let mut live = request.send().await.unwrap();
    let mut heard = String::new();

    // The first round may come before the other node listens; it is told when that looks.
    for round in 0..2 {
        let body = json!({"text": format!("第 {round} 条")});
        assert_eq!(counter.add(job, "instructions", &body).await.status, 201);
        let telling = async {
            while heard.matches("event: job").count() <= round {
                heard.push_str(std::str::from_utf8(&live.chunk().await.unwrap().unwrap()).unwrap());
            }
        };
        let limit = if round == 0 { AT_ONCE * 5 } else { AT_ONCE };
        tokio::time::timeout(limit, telling).await.expect("the other node tells it");
    }
}
