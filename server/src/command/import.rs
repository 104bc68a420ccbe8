//! `doorstep import`: loads a hall's folder or the exports of other programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use domain::catalogue::Language;

use crate::clock::Clock;
use crate::command::words;
use crate::config::Config;
use crate::db::halls::HallRow;
use crate::db::{Db, halls};
use crate::import::{Bad, ImportError, Loaded, Mode, Problem, Summary, Teller};
use crate::import::{load_exports, load_folder};

/// More problems than this help nobody at once.
const MOST_PROBLEMS: usize = 50;

/// Loads a hall's folder, or exports (XLSX, CSV) of other programs; doing it twice changes nothing.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// A folder with hall.toml and its tables, or files whose headers tell what they are.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The database, in place of what is configured.
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// The name of the hall that files are loaded into; not needed where there is only one.
    #[arg(long)]
    pub(crate) hall: Option<String>,
    /// Loads what is right and leaves out the rows that are not.
    #[arg(long)]
    pub(crate) only_good: bool,
    /// Checks, compares and counts, and writes nothing.
    #[arg(long = "try")]
    pub(crate) only_try: bool,
    /// Writes every problem into this CSV file, for whoever mends them.
    #[arg(long)]
    pub(crate) problems: Option<PathBuf>,
    /// Moves the jobs of a folder to this day, such as 2026-12-01; readings and hoses stay.
    #[arg(long)]
    pub(crate) day: Option<NaiveDate>,
    /// `zh` or `en`.
    #[arg(long, default_value = "zh")]
    pub(crate) language: String,
}

/// Rows of the files cannot be right; each has been told. The binary's exit status is then 2.
#[derive(Debug, thiserror::Error)]
#[error("nothing was loaded")]
pub struct BadRows;

impl Import {
    /// Runs the command; bad rows are told and come back as [`BadRows`].
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let language = words::language(&self.language)?;
        let url = self.database.as_deref().unwrap_or(&config.database.0);
        let db = Db::open_at(url, &config.database_hosts).await?;
        let mut teller = Teller { out, language };
        let loaded = self.load(&db, config, &mut teller).await;
        db.close().await;
        match loaded {
            Ok(loaded) => {
                if !loaded.problems.is_empty() {
                    self.tell_problems(&loaded.problems, "import.left_out", &mut teller)?;
                }
                writeln!(teller.out, "{}", loaded.summary.tell(language))?;
                if self.only_try {
                    teller.tell("import.tried", &[])?;
                }
                Ok(())
            }
            Err(error) => match error.downcast::<ImportError>() {
                Ok(ImportError::Problems(problems)) => {
                    self.tell_problems(&problems, "import.refused", &mut teller)?;
                    Err(BadRows.into())
                }
                Ok(error) => Err(error.into()),
                Err(error) => Err(error),
            },
        }
    }

    async fn load(
        &self,
        db: &Db,
        config: &Config,
        teller: &mut Teller<'_>,
    ) -> anyhow::Result<Loaded> {
        let mode = if self.only_try { Mode::Try } else { Mode::BY_COMMAND };
        let bad = if self.only_good { Bad::IsLeftOut } else { Bad::StopsAll };
        let how = (config.clock.now(), mode, bad);
        if let [folder] = &self.paths[..]
            && folder.is_dir()
        {
            return Ok(load_folder(db, folder, self.day, how, teller).await?);
        }
        let mut files = Vec::new();
        for path in &self.paths {
            let bytes = std::fs::read(path);
            let bytes = bytes.with_context(|| format!("{} cannot be read", path.display()))?;
            files.push((path.display().to_string(), bytes));
        }
        let hall = find_hall(db, self.hall.as_deref()).await?;
        Ok(load_exports(db, &hall, files, how, teller).await?)
    }

    fn tell_problems(
        &self,
        problems: &[Problem],
        end: &str,
        teller: &mut Teller<'_>,
    ) -> anyhow::Result<()> {
        for problem in problems.iter().take(MOST_PROBLEMS) {
            writeln!(teller.out, "{}", problem.tell(teller.language))?;
        }
        if let Some(path) = &self.problems {
            write_problems(path, problems, teller.language)?;
        }
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        if let (1.., Some(path)) = (more, &self.problems) {
            let file = path.display().to_string();
            teller.tell("import.more", &[("count", more.to_string()), ("file", file)])?;
        }
        teller.tell(end, &[("count", problems.len().to_string())])?;
        Ok(())
    }
}

fn write_problems(path: &Path, problems: &[Problem], language: Language) -> anyhow::Result<()> {
    let mut file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
    // Spreadsheets take a file without the mark for another encoding.
    file.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::Writer::from_writer(file);
    table.write_record([
        "文件 file",
        "行 line",
        "列 column",
        "内容 value",
        "原因 why",
        "办法 fix",
    ])?;
    for problem in problems {
        let column = problem.column.as_deref().unwrap_or_default();
        let (why, fix) = (problem.why(language), problem.fix(language));
        let line = problem.line.to_string();
        table.write_record([&problem.file, &line, column, &problem.value, &why, &fix])?;
    }
    Ok(table.flush()?)
}

async fn find_hall(db: &Db, name: Option<&str>) -> anyhow::Result<HallRow> {
    let mut found = halls::list_halls(db.read().await?.c()).await?;
    if let Some(name) = name {
        found.retain(|hall| hall.name == name);
    }
    match (found.len(), name) {
        (1, _) => Ok(found.remove(0)),
        (0, None) => {
            bail!("there is no hall yet: make one with `doorstep init`, or import a folder")
        }
        (0, Some(name)) => bail!("there is no hall {name:?}"),
        _ => bail!("there are several halls: say which with --hall <name>"),
    }
}

/// Loads a folder without a word, for commands that need a hall.
pub(crate) async fn run_quietly(folder: &Path, database: &str) -> Result<Summary, ImportError> {
    let db = Db::open(database).await?;
    let mut nobody = std::io::sink();
    let mut teller = Teller { out: &mut nobody, language: Language::English };
    let how = (Clock::System.now(), Mode::BY_COMMAND, Bad::StopsAll);
    let loaded = load_folder(&db, folder, None, how, &mut teller).await;
    db.close().await;
    loaded.map(|loaded| loaded.summary)
}
