//! What the system costs: each figure with its unit, and beside it what it is compared with in the same run.

#[path = "bench/crowd.rs"]
mod crowd;
#[path = "bench/figures.rs"]
mod figures;
#[path = "bench/keeping.rs"]
mod keeping;
#[path = "bench/plan.rs"]
mod plan;
#[path = "bench/reach.rs"]
mod reach;
#[path = "bench/readings.rs"]
mod readings;
#[path = "bench/stage.rs"]
mod stage;

use std::time::Duration;

use cluster::Cluster;
use figures::{Spread, now, print, resident_kib};
use futures_util::future::join_all;
use mobile_core::phone::SyncEnd;
use stage::{CountingLink, Live, Stage, Technician};

/// Devices that hand in at once.
const FLEETS: [usize; 3] = [1, 64, 512];

/// Facts that each device hands in.
const FACTS: usize = 40;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [serve, database] if serve == "serve" => return stage::serve(database).await,
        [plan] if plan == "plan" => return plan::plan(),
        [readings] if readings == "readings" => return readings::readings(),
        [reach] if reach == "reach" => {
            let folder = tempfile::tempdir()?;
            let database = format!("sqlite://{}", folder.path().join("reach.db").display());
            return reach::reach(database).await;
        }
        [crowd] if crowd == "crowd" => {
            let folder = tempfile::tempdir()?;
            let database = format!("sqlite://{}", folder.path().join("crowd.db").display());
            return crowd::crowd(&database).await;
        }
        [doorstep, ..] if doorstep == "doorstep" => return keeping::command(&arguments).await,
        _ => {}
    }
    let folder = tempfile::tempdir()?;
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let stage = Stage::set(file("hall.db")).await?;
    document_size(&stage).await?;
    cold_sync(&stage).await?;
    let sqlite = durable_changes("SQLite", &stage, &file("bare.db")).await?;
    on_postgres(&sqlite).await?;
    tap_to_live(&stage).await?;
    memory(&stage).await?;
    plan::plan()?;
    readings::readings()?;
    reach::reach(file("reach.db")).await?;
    crowd::crowd(&file("crowd.db")).await?;
    keeping::import(&Stage::set(file("register.db")).await?, folder.path())?;
    keeping::keep(&Stage::set(file("kept.db")).await?, folder.path()).await
}

/// The same changes with PostgreSQL on this machine, against SQLite.
async fn on_postgres(sqlite: &[f64]) -> anyhow::Result<()> {
    let cluster = match Cluster::start(&[]) {
        Ok(cluster) => cluster,
        Err(error) => {
            print("no figures of PostgreSQL", error, "");
            return Ok(());
        }
    };
    cluster.sql("postgres", "create database hall")?;
    cluster.sql("postgres", "create database bare")?;
    let stage = Stage::set(cluster.url("hall")).await?;
    let rates = durable_changes("PostgreSQL", &stage, &cluster.url("bare")).await?;
    for ((devices, rate), sqlite) in FLEETS.into_iter().zip(rates).zip(sqlite) {
        let what = format!("PostgreSQL against SQLite, {devices} devices");
        print(&what, format!("{:.2}", rate / sqlite), "×");
    }
    Ok(())
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

/// Changes a second that are on disk when they are acknowledged, against bare commits to the same database.
async fn durable_changes(engine: &str, stage: &Stage, bare: &str) -> anyhow::Result<Vec<f64>> {
    let bare = stage::bare_commits(bare).await?;
    print(&format!("{engine}: bare commits, one row each"), bare, "/s");
    let mut rates = Vec::new();
    for devices in FLEETS {
        let mut fleet = recorded_fleet(stage, devices, FACTS).await?;
        let began = now();
        let handing_in = fleet.iter_mut().map(|phone| async move {
            let mut link = CountingLink::new(stage, phone);
            phone.phone.sync(&mut link).await.end == SyncEnd::Complete
        });
        let all_in = join_all(handing_in).await.into_iter().all(|complete| complete);
        anyhow::ensure!(all_in, "a device could not hand in");
        let changes = u32::try_from(devices * FACTS)?;
        let rate = f64::from(changes) / began.elapsed().as_secs_f64();
        print(
            &format!("{engine}: durable changes with {devices} devices"),
            format!("{rate:.0}"),
            "/s",
        );
        print("  against bare commits", format!("{:.2}", rate / f64::from(bare)), "×");
        rates.push(rate);
    }
    Ok(rates)
}

/// Phones that each hold facts which the hall does not have.
async fn recorded_fleet(
    stage: &Stage,
    devices: usize,
    facts: usize,
) -> anyhow::Result<Vec<Technician>> {
    let mut fleet = Vec::new();
    for number in 0..devices {
        let mut phone = stage.hire(&format!("fleet{devices}-{number}")).await?;
        stage.jobs_for(&phone, 1).await?;
        phone.sync(&mut CountingLink::new(stage, &phone)).await?;
        phone.record(facts).await?;
        fleet.push(phone);
    }
    Ok(fleet)
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
