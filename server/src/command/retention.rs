//! `doorstep retention`: what the server would erase by its settings, for who is about to set them.

use std::io::Write;

use anyhow::Context as _;

use crate::config::{Config, Secret};
use crate::db::Db;
use crate::erasure;

/// Says what is over by its age; erases nothing.
#[derive(Debug, clap::Args)]
pub struct Retention {
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
    /// After how many days jobs are over, in place of what is configured.
    #[arg(long)]
    job_days: Option<u32>,
    /// After how many days pictures are over, in place of what is configured.
    #[arg(long)]
    photo_days: Option<u32>,
    /// After how many days people who were shut out are, in place of what is configured.
    #[arg(long)]
    account_days: Option<u32>,
}

impl Retention {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let url = self.database.map_or_else(|| config.database.clone(), Secret);
        let config = Config {
            job_days: self.job_days.unwrap_or(config.job_days),
            photo_days: self.photo_days.unwrap_or(config.photo_days),
            account_days: self.account_days.unwrap_or(config.account_days),
            ..config.clone()
        };
        config.check()?;
        let db = Db::open_at(&url.0, &config.database_hosts)
            .await
            .context("the database cannot be opened")?;
        let over = erasure::preview(&db, &config, config.clock.now()).await?;
        db.close().await;
        for (what, key, days, count) in [
            ("jobs", "job_days", config.job_days, over.jobs),
            ("pictures", "photo_days", config.photo_days, over.photos),
            ("people", "account_days", config.account_days, over.accounts),
        ] {
            let kept = if days == 0 { ": kept for ever".to_owned() } else { String::new() };
            writeln!(out, "{what}: {count} over by {key} = {days}{kept}")?;
        }
        Ok(())
    }
}
