//! `doorstep backup`: every table in a folder of its own, read back before the hall relies on it.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::backup::{self, manifest::Manifest};
use crate::config::{Config, Secret};
use crate::db::Db;

/// Makes a backup while the server runs; phones may forget what a verified one covers.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The folder under which each backup gets a folder of its own.
    #[arg(long, required_unless_present = "check")]
    to: Option<PathBuf>,
    /// Makes none, but reads this one back as a restore would.
    #[arg(long, conflicts_with = "to")]
    check: Option<PathBuf>,
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
}

impl Backup {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        if let Some(folder) = &self.check {
            let manifest = backup::check(folder)?;
            return tell(out, folder, &manifest, "holds");
        }
        let to = self.to.context("name a folder with --to")?;
        let url = self.database.map_or_else(|| config.database.clone(), Secret);
        let made = backup::make((&url.0, &config.database_hosts), &to, config.clock.now()).await?;
        let db = Db::open_at(&url.0, &config.database_hosts)
            .await
            .context("the database cannot be opened")?;
        let relied = backup::rely_on(&db, &made, config.clock.now()).await;
        db.close().await;
        relied?;
        tell(out, &made.folder, &made.manifest, "was read back")
    }
}

fn tell(out: &mut dyn Write, folder: &Path, manifest: &Manifest, what: &str) -> anyhow::Result<()> {
    writeln!(
        out,
        "{} {what}: {} rows, {} bytes, as of {}",
        folder.display(),
        manifest.rows(),
        manifest.bytes(),
        manifest.made_at.format("%Y-%m-%d %H:%M:%S UTC"),
    )?;
    Ok(())
}
