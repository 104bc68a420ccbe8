//! `doorstep doctor`: what is wrong with the machine, the database and the backups, and what to do.

use std::io::Write;
use std::path::Path;

use crate::config::Effective;
use crate::doctor::{Level, examine};

/// Looks for what is wrong; exits with 0 when all is well, 1 after warnings, 2 when something is bad.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// A server whose clock is compared, such as `https://hall.example`.
    #[arg(long)]
    server: Option<String>,
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
}

/// Something is not well; each finding was told.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{} findings, the worst is {worst}", count)]
pub struct Unwell {
    /// How many findings are not ok.
    pub count: usize,
    /// The worst of them.
    pub worst: Level,
}

impl Doctor {
    /// Runs the command.
    pub async fn run(
        self,
        effective: &Effective,
        file: Option<&Path>,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<()> {
        let mut config = effective.config.clone();
        if let Some(database) = self.database {
            config.database.0 = database;
        }
        let findings = examine(&config, file, self.server.as_deref()).await;
        for finding in &findings {
            writeln!(out, "{:<4}  {}", finding.level.to_string(), finding.says)?;
            if !finding.advice.is_empty() {
                writeln!(out, "      → {}", finding.advice)?;
            }
        }
        let worst = findings.iter().map(|it| it.level).max().unwrap_or(Level::Ok);
        if worst == Level::Ok {
            return Ok(());
        }
        let count = findings.iter().filter(|it| it.level != Level::Ok).count();
        Err(Unwell { count, worst }.into())
    }
}
