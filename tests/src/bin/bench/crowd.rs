//! Two thousand phones that come back after an outage, at one moment and as their own pauses spread them (L6).

use std::time::Duration;

use cluster::Cluster;
use futures_util::future::join_all;
use mobile_core::phone::SyncEnd;

use super::figures::{Spread, now, print};
use super::recorded_fleet;
use super::stage::{CountingLink, Stage, Technician};

/// How many phones come back.
const PHONES: usize = 2_000;

/// Facts that each recorded meanwhile.
const FACTS: usize = 3;

/// Over how long a phone's pauses spread them after an outage of an hour, at the least: from 0.75 to 1.25 of two minutes.
const SPREAD: Duration = Duration::from_mins(1);

/// Measures on both engines.
pub(crate) async fn crowd(file: &str) -> anyhow::Result<()> {
    on("SQLite", &Stage::set(file.to_owned()).await?).await?;
    let cluster = match Cluster::start(&[]) {
        Ok(cluster) => cluster,
        Err(error) => {
            print("no figures of PostgreSQL", error, "");
            return Ok(());
        }
    };
    cluster.sql("postgres", "create database hall")?;
    on("PostgreSQL", &Stage::set(cluster.url("hall")).await?).await
}

async fn on(engine: &str, stage: &Stage) -> anyhow::Result<()> {
    let mut alone = recorded_fleet(stage, 1, FACTS).await?;
    let one = come_back(stage, &mut alone, Duration::ZERO).await?;
    let mut fleet = recorded_fleet(stage, PHONES, FACTS).await?;
    let at_once = come_back(stage, &mut fleet, Duration::ZERO).await?;
    for phone in &mut fleet {
        phone.record(FACTS).await?;
    }
    let spread = come_back(stage, &mut fleet, SPREAD).await?;
    let what = |how: &str| format!("{engine}: {how}, median / p99");
    print(&what("one phone comes back"), one.with_p99(), "");
    print(&what(&format!("{PHONES} at one moment")), at_once.with_p99(), "");
    print(&what(&format!("{PHONES} within {} s", SPREAD.as_secs())), spread.with_p99(), "");
    print(
        "  their median against one phone",
        format!("{:.1}", spread.median() / one.median()),
        "×",
    );
    Ok(())
}

/// Lets every phone meet the hall within this time; how long each of them waited for it.
async fn come_back(
    stage: &Stage,
    fleet: &mut [Technician],
    within: Duration,
) -> anyhow::Result<Spread> {
    let count = u32::try_from(fleet.len())?;
    let coming = fleet.iter_mut().zip(0u32..).map(|(phone, number)| async move {
        tokio::time::sleep(within * number / count).await;
        let began = now();
        let mut link = CountingLink::new(stage, phone);
        let report = phone.phone.sync(&mut link).await;
        (report.end == SyncEnd::Complete).then(|| began.elapsed())
    });
    let mut spread = Spread::default();
    for took in join_all(coming).await {
        spread.add(anyhow::Context::context(took, "a phone could not hand in")?);
    }
    Ok(spread)
}
