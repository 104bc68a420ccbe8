//! `doorstep restore`: a backup put in the database's place, and its photos in the store.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::backup::{tell_missing, with};
use crate::backup::manifest::Manifest;
use crate::backup::restore::{Replace, restore};
use crate::backup::{self, photos};
use crate::config::Config;
use crate::photos::store::Store;

/// Restores a backup; phones then offer everything again that they hold.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The backup's folder.
    #[arg(long)]
    from: PathBuf,
    /// Sets aside what is in the database; it is kept, not deleted.
    #[arg(long)]
    replace: bool,
    /// Leaves the database as it is and only brings photos back; the server may run.
    #[arg(long, conflicts_with = "replace")]
    only_photos: bool,
    /// Where the photos of the backup are; beside its folder, unless they were moved.
    #[arg(long)]
    photos: Option<PathBuf>,
    /// The database, in place of what is configured; it may be of the other engine.
    #[arg(long)]
    database: Option<String>,
    /// Where photos are kept, in place of what is configured; it may be of the other kind.
    #[arg(long)]
    photo_store: Option<String>,
}

impl Restore {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let config = with(config, self.database, self.photo_store);
        let store = Store::open(&config)?;
        let pool = self.photos.unwrap_or_else(|| photos::pool_beside(&self.from));
        if self.only_photos {
            let manifest = backup::check(&self.from)?;
            return bring_back((&self.from, &manifest), &pool, &store, out).await;
        }
        let replace = if self.replace { Replace::SetAside } else { Replace::Never };
        let place = (&*config.database.0, &*config.database_hosts);
        let restored = restore(&self.from, place, replace, config.clock.now()).await?;
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
        let brought = bring_back((&self.from, manifest), &pool, &store, out).await;
        brought.with_context(|| {
            format!(
                "the database is restored and its photos are not: see to the store, then run \
                 `doorstep restore --only-photos --from {}`",
                self.from.display()
            )
        })
    }
}

async fn bring_back(
    (folder, manifest): (&Path, &Manifest),
    pool: &Path,
    store: &Store,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let kept = photos::bring_back((folder, manifest), pool, store).await?;
    let shown = store.shown();
    writeln!(
        out,
        "{} photos, {} bytes, were brought back to {shown}",
        kept.copied, kept.copied_bytes
    )?;
    tell_missing(out, &kept.missing, &shown)
}
