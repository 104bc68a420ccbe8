//! `doorstep restore`: a backup put in the database's place.

use std::io::Write;
use std::path::PathBuf;

use crate::backup::restore::{Replace, restore};
use crate::config::{Config, Secret};

/// Restores a backup; phones then offer everything again that they hold.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The backup's folder.
    #[arg(long)]
    from: PathBuf,
    /// Sets aside what is in the database; it is kept, not deleted.
    #[arg(long)]
    replace: bool,
    /// The database, in place of what is configured; it may be of the other engine.
    #[arg(long)]
    database: Option<String>,
}

impl Restore {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let url = self.database.map_or_else(|| config.database.clone(), Secret);
        let replace = if self.replace { Replace::SetAside } else { Replace::Never };
        let restored =
            restore(&self.from, (&url.0, &config.database_hosts), replace, config.clock.now())
                .await?;
        let manifest = &restored.manifest;
        writeln!(
            out,
            "restored {} rows as of {}; start the server, and phones hand in again what they hold",
            manifest.rows(),
            manifest.made_at.format("%Y-%m-%d %H:%M:%S UTC"),
        )?;
        if let Some(aside) = &restored.set_aside {
            writeln!(out, "what was there before is kept as {aside}")?;
        }
        Ok(())
    }
}
