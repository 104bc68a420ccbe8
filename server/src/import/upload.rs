//! Files handed in over HTTP: kept for a day, tried at once, loaded when somebody says so.

use std::sync::OnceLock;

use domain::catalogue::Language;
use domain::id::{HallId, UserId};
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Bad, ImportError, Loaded, Mode, Problem, Teller, load_exports};
use crate::db::imports::{self, ImportRow, ProblemRow};
use crate::db::{C, halls};
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;
use crate::state::AppState;

/// How long files are kept, in milliseconds.
pub(crate) const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

/// The most files of one import.
const MOST_FILES: i64 = 20;

/// Begins an import with its first file.
pub(crate) async fn begin(
    state: &AppState,
    who: (HallId, UserId),
    file: (&str, &[u8]),
) -> Result<ImportRow, ApiError> {
    check_name(file.0)?;
    let now = state.clock.now();
    let id = fresh_uuid(now);
    let mut tx = state.db.begin().await?;
    imports::insert_import(tx.c(), who, id, now.timestamp_millis()).await?;
    imports::insert_file(tx.c(), id, 1, file).await?;
    tx.commit().await?;
    look(state, who.0, id).await
}

/// Adds a file and looks at all of them again.
pub(crate) async fn add(
    state: &AppState,
    (hall, id): (HallId, Uuid),
    file: (&str, &[u8]),
) -> Result<ImportRow, ApiError> {
    check_name(file.0)?;
    let mut tx = state.db.begin().await?;
    imports::hold_import(tx.c(), id).await?;
    check_open(&find(state, tx.c(), hall, id).await?)?;
    let count = imports::count_files(tx.c(), id).await?;
    if count >= MOST_FILES {
        return Err(ApiError::Unprocessable(format!("hand in at most {MOST_FILES} files at once")));
    }
    imports::insert_file(tx.c(), id, count + 1, file).await?;
    tx.commit().await?;
    look(state, hall, id).await
}

/// Loads what was handed in.
pub(crate) async fn apply(
    state: &AppState,
    (caller, id): (&Caller, Uuid),
    bad: Bad,
) -> Result<ImportRow, ApiError> {
    let hall = caller.hall;
    let how = (Mode::Write { by: caller.into(), import: Some(id) }, bad);
    check_open(&find(state, state.db.read().await?.c(), hall, id).await?)?;
    let loaded = load(state, hall, id, how).await?;
    let now_ms = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    imports::set_applied(tx.c(), id, &told(&loaded), now_ms).await?;
    tx.commit().await?;
    find(state, state.db.read().await?.c(), hall, id).await
}

/// Tries the import and writes down what would come of it.
async fn look(state: &AppState, hall: HallId, id: Uuid) -> Result<ImportRow, ApiError> {
    let loaded = load(state, hall, id, (Mode::Try, Bad::IsLeftOut)).await?;
    let problems: Vec<ProblemRow> =
        (1..).zip(&loaded.problems).map(|(number, it)| problem_row(id, number, it)).collect();
    let mut tx = state.db.begin().await?;
    imports::set_preview(tx.c(), id, &told(&loaded), &problems).await?;
    tx.commit().await?;
    find(state, state.db.read().await?.c(), hall, id).await
}

async fn load(
    state: &AppState,
    hall: HallId,
    id: Uuid,
    (mode, bad): (Mode, Bad),
) -> Result<Loaded, ImportError> {
    // A big file takes much memory; nobody waits long for another's.
    static ONE_AT_A_TIME: OnceLock<Semaphore> = OnceLock::new();
    let turn = ONE_AT_A_TIME.get_or_init(|| Semaphore::new(1)).acquire().await;
    let mut conn = state.db.read().await?;
    let files = imports::list_files(conn.c(), id).await?;
    let row = halls::find_hall(conn.c(), hall).await?.ok_or(sqlx::Error::RowNotFound)?;
    drop(conn);
    let mut nobody = std::io::sink();
    let mut teller = Teller { out: &mut nobody, language: Language::English };
    let how = (state.clock.now(), mode, bad);
    let loaded = load_exports(&state.db, &row, files, how, &mut teller).await;
    drop(turn);
    loaded
}

/// Finds an import of this hall that is not too old.
pub(crate) async fn find(
    state: &AppState,
    c: C<'_>,
    hall: HallId,
    id: Uuid,
) -> Result<ImportRow, ApiError> {
    let row = imports::find_import(c, hall, id, state.clock.now_ms() - KEPT_MS).await?;
    row.ok_or(ApiError::NotFound("import"))
}

fn check_open(row: &ImportRow) -> Result<(), ApiError> {
    if row.applied_at.is_none() {
        return Ok(());
    }
    Err(ApiError::Conflict("this import was loaded already: hand the files in anew".to_owned()))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_name = !name.trim().is_empty() && name.chars().count() <= 200;
    if is_name && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let what_to_do = "send as `name` what the file is called, in at most 200 letters";
    Err(ApiError::Unprocessable(what_to_do.to_owned()))
}

fn told(loaded: &Loaded) -> String {
    let tables = &loaded.understood;
    let problems = loaded.problems.len();
    json!({"tables": tables, "counts": loaded.summary.counts(), "problems": problems}).to_string()
}

fn problem_row(import_id: Uuid, number: i64, problem: &Problem) -> ProblemRow {
    ProblemRow {
        import_id,
        number,
        file: problem.file.clone(),
        line: i64::try_from(problem.line).unwrap_or(i64::MAX),
        column_name: problem.column.clone(),
        value: problem.value.clone(),
        why_zh: problem.why(Language::Chinese),
        fix_zh: problem.fix(Language::Chinese),
        why_en: problem.why(Language::English),
        fix_en: problem.fix(Language::English),
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Db(error) => error.into(),
            ImportError::CreateJob(error) => error.into(),
            ImportError::Problems(problems) => Self::BadRows(problems.len()),
            other @ (ImportError::Open(_) | ImportError::Write(_) | ImportError::Hash(_)) => {
                Self::Internal(other.into())
            }
        }
    }
}
