//! What the system costs: each figure with its unit, and beside it what it is compared with in the same run.

#[path = "bench/figures.rs"]
mod figures;
#[path = "bench/stage.rs"]
mod stage;

use std::time::Duration;

use anyhow::Context as _;
use figures::{Spread, now, print, resident_kib};
use futures_util::future::join_all;
use mobile_core::phone::SyncEnd;
use stage::{CountingLink, Live, Stage};

/// Devices that hand in at once.
const FLEET: usize = 64;

/// Facts that each device hands in.
const FACTS: usize = 40;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("serve") {
        return stage::serve(&arguments.next().context("say which database")?).await;
    }
    let stage = Stage::set().await?;
    document_size(&stage).await?;
    cold_sync(&stage).await?;
    durable_changes(&stage).await?;
    tap_to_live(&stage).await?;
    memory(&stage).await
}

/// A job after a full visit, as a file and as the changes that made it.
async fn document_size(stage: &Stage) -> anyhow::Result<()> {
    let mut ana = stage.hire("size").await?;
    let job = stage.jobs_for(&ana, 1).await?[0];
    ana.sync(&mut CountingLink::new(stage, &ana)).await?;
    let before = stage.document(job).await?.len();
    for number in 0..FACTS {
        ana.phone.note(job, format!("第 {number} 条记录")).await?;
    }
    let mut link = CountingLink::new(stage, &ana);
    ana.sync(&mut link).await?;
    let after = stage.document(job).await?.len();
    print("job document with its briefing", before, "bytes");
    print(&format!("the same after {FACTS} facts"), after, "bytes");
    print("handing them in, request bodies", link.sent, "bytes");
    print("  a fact", link.sent / FACTS, "bytes");
    Ok(())
}

/// A phone that holds nothing meets the hall.
async fn cold_sync(stage: &Stage) -> anyhow::Result<()> {
    for jobs in [40, 1_000] {
        let mut phone = stage.hire(&format!("cold{jobs}")).await?;
        stage.jobs_for(&phone, jobs).await?;
        let mut link = CountingLink::new(stage, &phone);
        let began = now();
        phone.sync(&mut link).await?;
        let took = began.elapsed();
        print(&format!("cold sync of {jobs} jobs, round trips"), link.rounds, "");
        print(&format!("cold sync of {jobs} jobs, received"), link.received, "bytes");
        print(&format!("cold sync of {jobs} jobs, took"), took.as_millis(), "ms");
        let mut link = CountingLink::new(stage, &phone);
        phone.sync(&mut link).await?;
        print("  nothing new: round trips", link.rounds, "");
        print(
            "  nothing new: sent and received",
            format!("{} + {}", link.sent, link.received),
            "bytes",
        );
    }
    Ok(())
}

/// Changes a second that are on disk when they are acknowledged, against bare commits of the same SQLite.
async fn durable_changes(stage: &Stage) -> anyhow::Result<()> {
    let bare = stage::bare_commits(&tempfile::tempdir()?).await?;
    print("bare SQLite commits with fsync, one row each", bare, "/s");
    for devices in [1, FLEET] {
        let mut fleet = Vec::new();
        for number in 0..devices {
            let mut phone = stage.hire(&format!("fleet{devices}-{number}")).await?;
            let job = stage.jobs_for(&phone, 1).await?[0];
            phone.sync(&mut CountingLink::new(stage, &phone)).await?;
            for number in 0..FACTS {
                phone.phone.note(job, format!("第 {number} 条")).await?;
            }
            fleet.push(phone);
        }
        let began = now();
        let handing_in = fleet.iter_mut().map(|phone| async move {
            let mut link = CountingLink::new(stage, phone);
            phone.phone.sync(&mut link).await.end == SyncEnd::Complete
        });
        let all_in = join_all(handing_in).await.into_iter().all(|complete| complete);
        anyhow::ensure!(all_in, "a device could not hand in");
        let changes = u32::try_from(devices * FACTS)?;
        let rate = f64::from(changes) / began.elapsed().as_secs_f64();
        print(&format!("durable changes with {devices} devices"), format!("{rate:.0}"), "/s");
        print("  against bare commits", format!("{:.2}", rate / f64::from(bare)), "×");
    }
    Ok(())
}

/// From a tap on the phone, saved and handed in, to the event on an open live stream.
async fn tap_to_live(stage: &Stage) -> anyhow::Result<()> {
    let mut phone = stage.hire("live").await?;
    let job = stage.jobs_for(&phone, 1).await?[0];
    phone.sync(&mut CountingLink::new(stage, &phone)).await?;
    let mut live = Live::open(stage).await?;
    let (mut saved, mut shown) = (Spread::default(), Spread::default());
    for number in 0..60 {
        let began = now();
        phone.phone.note(job, format!("第 {number} 条")).await?;
        saved.add(began.elapsed());
        phone.sync(&mut CountingLink::new(stage, &phone)).await?;
        live.next().await?;
        shown.add(began.elapsed());
    }
    print("tap to saved (memory log), median / p95", saved, "");
    print("tap to live, median / p95", shown, "");
    Ok(())
}

/// What a server process of its own holds with ten thousand jobs, before and after it has shown all of them.
async fn memory(stage: &Stage) -> anyhow::Result<()> {
    let phone = stage.hire("memory").await?;
    stage.jobs_for(&phone, 10_000).await?;
    let server = stage.separate_server()?;
    print("server memory with 10,000 jobs, idle", resident_kib(server.pid())?, "KiB");
    server.show_all_jobs(stage).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    print("  after showing all of them", resident_kib(server.pid())?, "KiB");
    Ok(())
}
