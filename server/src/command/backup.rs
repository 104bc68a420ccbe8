//! `doorstep backup`: every table in a folder of its own and the photos beside it, read back before the hall relies on it.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::backup::manifest::Manifest;
use crate::backup::{self, photos};
use crate::config::{Config, Secret};
use crate::db::Db;
use crate::photos::store::Store;

/// Photos that are named one by one.
const NAMED: usize = 20;

/// Makes a backup while the server runs; phones may forget what a verified one covers.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The folder under which each backup gets a folder of its own, with the photos of all in `photos`.
    #[arg(long, required_unless_present = "check")]
    to: Option<PathBuf>,
    /// Makes none, but reads this one and its photos back as a restore would.
    #[arg(long, conflicts_with = "to")]
    check: Option<PathBuf>,
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
    /// Where photos are kept, in place of what is configured.
    #[arg(long)]
    photo_store: Option<String>,
}

impl Backup {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        if let Some(folder) = &self.check {
            return check(folder, out).await;
        }
        let to = self.to.context("name a folder with --to")?;
        let config = with(config, self.database, self.photo_store);
        let (url, hosts) = (&config.database.0, &config.database_hosts);
        let store = Store::open(&config)?;
        let made = backup::make((url, hosts), &store, &to, config.clock.now()).await?;
        let db = Db::open_at(url, hosts).await.context("the database cannot be opened")?;
        let relied = backup::rely_on(&db, &made, config.clock.now()).await;
        db.close().await;
        relied?;
        tell(out, &made.folder, &made.manifest, "was read back")?;
        let kept = &made.photos;
        if store_is_folder(&store) {
            let (count, bytes) = (kept.copied, kept.copied_bytes);
            let pool = to.join(photos::POOL);
            writeln!(out, "{count} photos, {bytes} bytes, are new in {}", pool.display())?;
        }
        if let Some(why) = &kept.unseen {
            writeln!(out, "warning: nobody saw whether all photos are there: {why}")?;
        }
        tell_missing(out, &kept.missing, &store.shown())
    }
}

/// The settings with what the command line says over them.
pub(super) fn with(
    config: &Config,
    database: Option<String>,
    photo_store: Option<String>,
) -> Config {
    let mut config = config.clone();
    config.database = database.map_or(config.database, Secret);
    config.photo_store = photo_store.unwrap_or(config.photo_store);
    config
}

fn store_is_folder(store: &Store) -> bool {
    matches!(store, Store::Folder(_))
}

async fn check(folder: &Path, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let manifest = backup::check(folder)?;
    match &manifest.photos {
        Some(set) if set.is_copied => {
            let wrong = photos::check(folder, &manifest).await?;
            if !wrong.is_empty() {
                let pool = photos::pool_beside(folder);
                tell_missing(out, &wrong, &pool.display().to_string())?;
                anyhow::bail!(
                    "its tables hold and {} of {} photos do not: remove what is left of them and make another backup",
                    wrong.len(),
                    set.count
                );
            }
        }
        Some(_) | None => {}
    }
    tell(out, folder, &manifest, "holds")
}

/// Names photos that are not in a place as they should be.
pub(super) fn tell_missing(
    out: &mut dyn Write,
    missing: &[String],
    place: &str,
) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(out, "warning: {} photos are not whole in {place}:", missing.len())?;
    for key in missing.iter().take(NAMED) {
        writeln!(out, "  {key}")?;
    }
    if missing.len() > NAMED {
        writeln!(out, "  and {} more", missing.len() - NAMED)?;
    }
    Ok(())
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
    match &manifest.photos {
        Some(set) if set.is_copied => {
            writeln!(out, "its {} photos, {} bytes, lie beside it", set.count, set.bytes)?;
        }
        Some(set) => writeln!(
            out,
            "its {} photos, {} bytes, stay in {}: keep that store safe too",
            set.count, set.bytes, set.store
        )?,
        None => {}
    }
    Ok(())
}
