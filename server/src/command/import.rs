//! `doorstep import`: loads a hall's folder, all of it or nothing.

mod cell;
mod content;
mod folder;
mod problem;
mod sheet;
mod store;
mod summary;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use domain::catalogue::{self, Language};
use domain::stamp::Timestamp;

use crate::clock::Clock;
use crate::command::words;
use crate::config::Config;
use crate::db::{Db, OpenDbError};
use crate::jobs::CreateJobError;

use self::problem::Problem;
pub(crate) use self::summary::Summary;

/// More problems than this help nobody at once.
const MOST_PROBLEMS: usize = 50;

/// Loads a hall from a folder of plain files; doing it twice changes nothing.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The folder with hall.toml and the tables.
    folder: PathBuf,
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
    /// Moves the jobs to this day, such as 2026-12-01; readings and hoses stay.
    #[arg(long)]
    day: Option<NaiveDate>,
    /// `zh` or `en`.
    #[arg(long, default_value = "zh")]
    language: String,
}

/// Rows of the files cannot be right; each has been told. The binary's exit status is then 2.
#[derive(Debug, thiserror::Error)]
#[error("nothing was loaded")]
pub struct BadRows;

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Rows of the files cannot be right.
    #[error("nothing was loaded: {} problems in the files", .0.len())]
    Problems(Vec<Problem>),
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenDbError),
    /// The database said no.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
    /// A job could not be taken on.
    #[error(transparent)]
    CreateJob(#[from] CreateJobError),
    /// Nobody hears what is told.
    #[error(transparent)]
    Write(#[from] std::io::Error),
    /// Passwords could not be hashed.
    #[error(transparent)]
    Hash(#[from] anyhow::Error),
}

impl Import {
    /// Runs the command; bad rows are told and come back as [`BadRows`].
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let language = words::language(&self.language)?;
        let db = Db::open_at(
            self.database.as_deref().unwrap_or(&config.database.0),
            &config.database_hosts,
        )
        .await?;
        let mut teller = Teller { out, language };
        let loaded = load(&db, &self.folder, self.day, config.clock.now(), &mut teller).await;
        db.close().await;
        match loaded {
            Ok(summary) => {
                writeln!(teller.out, "{}", summary.tell(language))?;
                Ok(())
            }
            Err(ImportError::Problems(problems)) => {
                teller.tell_problems(&problems)?;
                Err(BadRows.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Loads a folder without a word, for commands that need a hall.
pub(crate) async fn run_quietly(folder: &Path, database: &str) -> Result<Summary, ImportError> {
    let db = Db::open(database).await?;
    let mut nobody = std::io::sink();
    let mut teller = Teller { out: &mut nobody, language: Language::English };
    let loaded = load(&db, folder, None, Clock::System.now(), &mut teller).await;
    db.close().await;
    loaded
}

/// Reads the folder, checks every row, then writes all of it.
async fn load(
    db: &Db,
    folder: &Path,
    day: Option<NaiveDate>,
    now: Timestamp,
    teller: &mut Teller<'_>,
) -> Result<Summary, ImportError> {
    let content = folder::read(folder, day).map_err(ImportError::Problems)?;
    let arguments = [
        ("hall", content.hall.name.clone()),
        ("day", content.day.to_string()),
        ("households", content.homes.len().to_string()),
        ("jobs", content.bookings.len().to_string()),
    ];
    teller.tell("import.checked", &arguments)?;
    store::store(db, &content, now, teller).await
}

/// Says how far the import is.
pub(crate) struct Teller<'a> {
    out: &'a mut (dyn Write + Send),
    language: Language,
}

impl Teller<'_> {
    fn tell(&mut self, key: &str, arguments: &[(&str, String)]) -> std::io::Result<()> {
        writeln!(self.out, "{}", catalogue::text(self.language, key, arguments))?;
        self.out.flush()
    }

    fn tell_problems(&mut self, problems: &[Problem]) -> std::io::Result<()> {
        for problem in problems.iter().take(MOST_PROBLEMS) {
            writeln!(self.out, "{}", problem.tell(self.language))?;
        }
        let arguments = [("count", problems.len().to_string())];
        self.tell("import.refused", &arguments)
    }
}
