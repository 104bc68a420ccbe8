//! A hall's files on their way into its registers: recognised, checked row by row, compared, written.
//!
//! Two ways in share everything behind `tables::Tables`: a hall's own folder, as the demo has one, and exports of other
//! programs in whatever spelling and encoding they come.

mod bookings;
mod cell;
mod content;
pub mod file;
mod homes;
mod problem;
mod reader;
mod registers;
mod sheet;
mod staff;
mod store;
mod summary;
mod tables;
#[cfg(test)]
mod tests;
pub(crate) mod upload;

use std::io::Write;
use std::path::Path;

use chrono::NaiveDate;
use domain::catalogue::{self, Language};
use domain::stamp::Timestamp;
use uuid::Uuid;

use self::content::Content;
use self::content::Hall;
pub(crate) use self::problem::Problem;
use self::reader::{read, read_good, settings};
pub(crate) use self::summary::Summary;
use self::tables::Tables;
pub use self::tables::Understood;
use crate::audit::By;
use crate::db::halls::HallRow;
use crate::db::{Db, OpenDbError};
use crate::jobs::CreateJobError;

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
    /// Passwords could not be hashed, or the rules that hold not be read.
    #[error(transparent)]
    Hash(#[from] anyhow::Error),
}

/// Whether an import is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is written, and entered as done by somebody, with the id of what was handed in.
    Write {
        /// Who loads it.
        by: By,
        /// What was handed in over HTTP.
        import: Option<Uuid>,
    },
    /// It is tried, counted and taken back.
    Try,
}

impl Mode {
    /// Written by a command on the server's own machine.
    pub(crate) const BY_COMMAND: Self = Self::Write { by: By::server(), import: None };
}

/// What rows that cannot be right do to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// Nothing is loaded until they are mended.
    StopsAll,
    /// They are left out, with the rows that name what they would have brought.
    IsLeftOut,
}

/// What became of an import.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What was new, changed and unchanged.
    pub(crate) summary: Summary,
    /// How each table was understood.
    pub(crate) understood: Vec<Understood>,
    /// What was left out, and why.
    pub(crate) problems: Vec<Problem>,
}

/// Loads a hall's own folder; its jobs are moved to `day` when one is given.
pub(crate) async fn load_folder(
    db: &Db,
    folder: &Path,
    day: Option<NaiveDate>,
    (now, mode, bad): (Timestamp, Mode, Bad),
    teller: &mut Teller<'_>,
) -> Result<Loaded, ImportError> {
    let hall = settings(folder).map_err(|problem| ImportError::Problems(vec![problem]))?;
    let mut problems = Vec::new();
    let tables = Tables::of_folder(folder, &mut problems);
    let day = day.unwrap_or(hall.day);
    load(db, (tables, problems), (&hall, day), (now, mode, bad), teller).await
}

/// Loads exports into a hall that is there.
pub(crate) async fn load_exports(
    db: &Db,
    hall: &HallRow,
    files: Vec<(String, Vec<u8>)>,
    (now, mode, bad): (Timestamp, Mode, Bad),
    teller: &mut Teller<'_>,
) -> Result<Loaded, ImportError> {
    let hall = Hall::of(hall, now);
    let understanding = tokio::task::spawn_blocking(move || {
        let mut problems = Vec::new();
        (Tables::of_exports(&files, &mut problems), problems)
    });
    let (tables, problems) = understanding.await.map_err(anyhow::Error::from)?;
    let day = hall.day;
    load(db, (tables, problems), (&hall, day), (now, mode, bad), teller).await
}

async fn load(
    db: &Db,
    (mut tables, mut problems): (Tables, Vec<Problem>),
    (hall, day): (&Hall, NaiveDate),
    (now, mode, bad): (Timestamp, Mode, Bad),
    teller: &mut Teller<'_>,
) -> Result<Loaded, ImportError> {
    let mut tx = db.begin().await?;
    let known = registers::known(tx.c(), hall.id, now).await?;
    // A trial leaves nothing behind, and writing brings its own rules.
    drop(tx);
    for table in &tables.understood {
        teller.tell_understood(table)?;
    }
    let (hall, understood) = (hall.clone(), std::mem::take(&mut tables.understood));
    // A hundred thousand rows keep a core busy for seconds.
    let reading = tokio::task::spawn_blocking(move || {
        let content = match bad {
            Bad::StopsAll => read(&tables, &hall, &known, day, &mut problems),
            Bad::IsLeftOut => read_good(&mut tables, &hall, &known, day, &mut problems),
        };
        (content, problems)
    });
    let (content, problems) = reading.await.map_err(anyhow::Error::from)?;
    if bad == Bad::StopsAll && !problems.is_empty() {
        return Err(ImportError::Problems(problems));
    }
    teller.tell_checked(&content)?;
    let summary = store::store(db, &content, now, (mode, teller)).await?;
    Ok(Loaded { summary, understood, problems })
}

/// Says how far the import is.
pub(crate) struct Teller<'a> {
    pub(crate) out: &'a mut (dyn Write + Send),
    pub(crate) language: Language,
}

impl Teller<'_> {
    pub(crate) fn tell(&mut self, key: &str, arguments: &[(&str, String)]) -> std::io::Result<()> {
        writeln!(self.out, "{}", catalogue::text(self.language, key, arguments))?;
        self.out.flush()
    }

    fn tell_understood(&mut self, table: &Understood) -> std::io::Result<()> {
        let ignored = table.columns.iter().filter(|(_, column)| column.is_none());
        let ignored: Vec<&str> = ignored.map(|(header, _)| header.as_str()).collect();
        let name = catalogue::text(self.language, &format!("import.thing.{}", table.table), &[]);
        let arguments = [
            ("file", table.file.clone()),
            ("table", name),
            ("rows", table.rows.to_string()),
            ("ignored", if ignored.is_empty() { "-".to_owned() } else { ignored.join("、") }),
        ];
        self.tell("import.understood", &arguments)
    }

    fn tell_checked(&mut self, content: &Content) -> std::io::Result<()> {
        let arguments = [
            ("hall", content.hall.name.clone()),
            ("day", content.day.to_string()),
            ("households", content.homes.households.len().to_string()),
            ("jobs", content.bookings.len().to_string()),
        ];
        self.tell("import.checked", &arguments)
    }
}
