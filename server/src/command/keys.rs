//! `doorstep keys`: the secrets for the hall's seals, and another one.

use std::io::Write;

use anyhow::Context as _;
use chrono::DateTime;

use crate::audit::{self, By, Entry, Subject, What};
use crate::config::{Config, Secret};
use crate::db::{Db, seal_keys};
use crate::ids::{fresh_uuid, random_bytes};

/// Looks at the secrets for the hall's seals, or makes another.
#[derive(Debug, clap::Args)]
pub struct Keys {
    #[command(subcommand)]
    what: Deed,
    /// The database, in place of what is configured.
    #[arg(long, global = true)]
    database: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Deed {
    /// Says when each was made and which one seals.
    List,
    /// Makes another: it is believed at once, and seals from the next verified backup on.
    RenewSeal,
}

impl Keys {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let url = self.database.map_or_else(|| config.database.clone(), Secret);
        let db = Db::open_at(&url.0, &config.database_hosts).await;
        let db = db.context("the database cannot be opened")?;
        if matches!(self.what, Deed::RenewSeal) {
            renew(&db, config).await?;
            writeln!(out, "made; it seals from the next `doorstep backup` on")?;
        }
        list(&db, out).await?;
        db.close().await;
        Ok(())
    }
}

async fn renew(db: &Db, config: &Config) -> anyhow::Result<()> {
    let now = config.clock.now();
    let mut tx = db.begin().await?;
    let secret = random_bytes::<32>();
    let id = fresh_uuid(now);
    seal_keys::insert_seal_key(tx.c(), id, &secret, now.timestamp_millis()).await?;
    let entry = Entry::new(By::server(), What::SealKeyMade, Subject::Nothing);
    audit::keep(tx.c(), now, entry).await?;
    Ok(tx.commit().await?)
}

async fn list(db: &Db, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let keys = seal_keys::list_seal_keys(db.read().await?.c()).await?;
    let sealing = keys.iter().find(|key| key.covered_at.is_some()).map(|key| key.seal_key_id);
    for key in &keys {
        let stands = match key.covered_at {
            _ if sealing == Some(key.seal_key_id) => "seals",
            Some(_) => "believed still",
            None => "believed, and waits for a backup",
        };
        let made = DateTime::from_timestamp_millis(key.made_at).unwrap_or_default();
        writeln!(
            out,
            "seal {} of {}: {stands}",
            key.seal_key_id,
            made.format("%Y-%m-%d %H:%M UTC")
        )?;
    }
    let first = if sealing.is_none() { "seals" } else { "believed still" };
    writeln!(out, "the first seal, as old as the database: {first}")?;
    Ok(())
}
