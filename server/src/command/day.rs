//! `doorstep day`: one real day at the hall, played over real HTTP and checked at its end.

mod check;
mod fate;
mod process;
mod scene;
mod script;
mod stage;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::words;
use stage::Stage;

/// Plays the demo hall's day against a server with the manual clock.
#[derive(Debug, clap::Args)]
pub struct Day {
    /// Starts a server of its own on a temporary hall.
    #[arg(long, conflicts_with = "server")]
    fresh: bool,
    /// Plays against this server, started with `--clock manual` on a freshly imported demo hall.
    #[arg(long, required_unless_present = "fresh")]
    server: Option<String>,
    /// With `--fresh`: an empty database to use in place of a temporary file.
    #[arg(long, requires = "fresh")]
    database: Option<String>,
    /// The hall's files.
    #[arg(long, default_value = "demo/hall")]
    hall: PathBuf,
    /// What the meters really show on the day.
    #[arg(long, default_value = "demo/day/registers.csv")]
    registers: PathBuf,
    /// Milliseconds to wait between two events, so that a person can follow.
    #[arg(long, default_value_t = 0)]
    pace_ms: u64,
    /// `zh` or `en`.
    #[arg(long, default_value = "zh")]
    language: String,
}

impl Day {
    /// Runs the command; an error when any check fails.
    pub async fn run(self, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let language = words::language(&self.language)?;
        let folder = tempfile::tempdir()?;
        let own_server = if self.fresh {
            let file = || format!("sqlite://{}", folder.path().join("hall.db").display());
            let database = self.database.clone().unwrap_or_else(file);
            super::import::run_quietly(&self.hall, &database).await?;
            Some(process::Server::start(&database, &folder.path().join("photos")).await?)
        } else {
            None
        };
        let base = match (&own_server, &self.server) {
            (Some(server), _) => server.base.clone(),
            (None, Some(base)) => base.clone(),
            (None, None) => bail!("say --fresh or --server"),
        };
        let crew_folder = folder.path().join("phones");
        let mut stage = Stage::set(&base, &self.hall, &self.registers, &crew_folder)
            .await
            .context("the day cannot begin")?;
        stage.pace = Duration::from_millis(self.pace_ms);
        let script = stage.script();
        stage.play(&script, language, out).await?;
        let findings = check::check(&mut stage, &script).await?;
        check::show_report(&stage, language, out).await?;
        let held = findings.report(language, out)?;
        if held { Ok(()) } else { bail!("the day did not hold") }
    }
}
