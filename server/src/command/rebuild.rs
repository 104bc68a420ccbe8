//! `doorstep rebuild`: every projection derived anew from the raw changes, which are the truth.

use std::io::Write;

use anyhow::Context as _;
use domain::id::JobId;
use sync::document;

use crate::applications;
use crate::cases;
use crate::config::{Config, Secret};
use crate::db::applications as db_applications;
use crate::db::cases as db_cases;
use crate::db::{Db, changes, documents};
use crate::jobs::settle::derive;
use crate::packs::Packs;

/// How often progress is shown.
const SHOW_EVERY: usize = 500;

/// Derives projections anew; the server may go on meanwhile.
#[derive(Debug, clap::Args)]
pub struct Rebuild {
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
}

impl Rebuild {
    /// Derives the projections of this database anew.
    pub fn of(database: &str) -> Self {
        Self { database: Some(database.to_owned()) }
    }

    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let url = self.database.map_or_else(|| config.database.clone(), Secret);
        let db = Db::open_at(&url.0, &config.database_hosts)
            .await
            .context("the database cannot be opened")?;
        let jobs = documents::list_document_ids(db.read().await?.c()).await?;
        let packs = Packs::default();
        for (done, job) in jobs.iter().enumerate() {
            rebuild_job(&db, &packs, *job).await.with_context(|| format!("job {job}"))?;
            if (done + 1) % SHOW_EVERY == 0 {
                writeln!(out, "{}/{}", done + 1, jobs.len())?;
            }
        }
        writeln!(out, "{}/{}", jobs.len(), jobs.len())?;
        for (hall, case) in db_cases::list_case_ids(db.read().await?.c()).await? {
            let mut tx = db.begin().await?;
            cases::rederive(tx.c(), hall, case).await.with_context(|| format!("case {case}"))?;
            tx.commit().await?;
        }
        for (_, id) in db_applications::list_application_ids(db.read().await?.c()).await? {
            let mut tx = db.begin().await?;
            let derived = applications::rederive(tx.c(), id).await;
            derived.map_err(anyhow::Error::from).with_context(|| format!("application {id}"))?;
            tx.commit().await?;
        }
        db.close().await;
        Ok(())
    }
}

/// Derives one job's rows from all of its changes, as they were after the last of them.
async fn rebuild_job(db: &Db, packs: &Packs, job: JobId) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let rows = changes::list_job_changes(tx.c(), job, 0).await?;
    let last = rows.last().context("the document has no changes")?;
    let now = chrono::DateTime::from_timestamp_millis(last.received_at).context("a time")?;
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.bytes.as_slice()).collect();
    let job = document::read(&document::load(None, &bytes)?)?;
    let pack = packs.find(tx.c(), &job.pack).await?;
    // The event that told of a change stands right behind it.
    derive(tx.c(), &job, (&pack, now, last.position + 1)).await?;
    tx.commit().await?;
    Ok(())
}
