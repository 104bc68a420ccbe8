//! `doorstep migrate`: the schema brought up to date, for who does it before the new server runs.

use std::io::Write;

use crate::config::Config;
use crate::db::Db;

/// Brings the database's schema up to date and stops.
#[derive(Debug, clap::Args)]
pub struct Migrate {
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
}

impl Migrate {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let url = self.database.as_deref().unwrap_or(&config.database.0);
        Db::open_at(url, &config.database_hosts).await?.close().await;
        writeln!(out, "the schema is up to date")?;
        Ok(())
    }
}
