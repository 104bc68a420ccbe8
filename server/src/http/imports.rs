//! Files of other programs on their way into the hall's registers: handed in, looked at, loaded.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::Manager;
use super::error::ApiError;
use super::extract::{Body, Path, Query};
use super::once::{Once, OnceFile};
use super::page::{Limit, read_cursor};
use crate::audit::{self, Entry, Subject, What};
use crate::db::imports::{self, ImportRow, ProblemRow};
use crate::import::{Bad, upload};
use crate::state::AppState;

/// What a file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HandIn {
    /// The file's name, which problems are told by; what it is, its bytes tell.
    #[param(min_length = 1, max_length = 200)]
    name: String,
}

/// Files handed in, and what would come of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportBody {
    id: Uuid,
    created_at: i64,
    /// After this the files are forgotten.
    expires_at: i64,
    /// When it was loaded, `null` before.
    applied_at: Option<i64>,
    /// `tables` as they were understood, `counts` of new, changed and unchanged things of each kind, and how many
    /// `problems` there are. Once it was loaded: what came of it.
    preview: Value,
}

/// One thing that is wrong with a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportProblemBody {
    file: String,
    line: i64,
    /// The column, as the file calls it.
    column: Option<String>,
    value: String,
    why_zh: String,
    fix_zh: String,
    why_en: String,
    fix_en: String,
}

/// A page of what is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportProblemsBody {
    problems: Vec<ImportProblemBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// Which problems to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListProblems {
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// How to load what was handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyImport {
    /// Whether rows that cannot be right are left out; else any of them stops all.
    only_good: bool,
}

/// Hands in a file and tells what would come of it; nothing is loaded.
#[utoipa::path(
    post, path = "/api/imports", tag = "imports", params(HandIn),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "An XLSX workbook, or CSV in UTF-8, UTF-16 or GB 18030."),
    responses((status = 201, description = "What would come of it.", body = ImportBody)),
)]
pub async fn create_import(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Query(asked): Query<HandIn>,
    OnceFile(Once(bytes, receipt)): OnceFile,
) -> Result<(StatusCode, Json<ImportBody>), ApiError> {
    check_content(&bytes)?;
    let row = upload::begin(&state, (caller.hall, caller.user), (&asked.name, &bytes)).await?;
    let body = import_body(&row)?;
    // A crash before this leaves a preview that nobody asks for; sent again it is made again.
    let mut tx = state.db.begin().await?;
    receipt.keep(tx.c(), &body, state.clock.now_ms()).await?;
    let entry = Entry::new(&caller, What::FileHandedIn, Subject::Id("import", body.id));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(body)))
}

fn check_content(bytes: &Bytes) -> Result<(), ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::Unprocessable("send the file as the body: it is empty".to_owned()));
    }
    Ok(())
}

/// Adds a file to those handed in: files may name what another of them brings.
#[utoipa::path(
    post, path = "/api/imports/{id}/files", tag = "imports",
    params(("id" = Uuid, Path, description = "The import."), HandIn),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "An XLSX workbook, or CSV in UTF-8, UTF-16 or GB 18030."),
    responses(
        (status = 200, description = "What would come of all of them.", body = ImportBody),
        (status = 409, description = "It was loaded already."),
    ),
)]
pub async fn add_import_file(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Query(asked): Query<HandIn>,
    bytes: Bytes,
) -> Result<Json<ImportBody>, ApiError> {
    check_content(&bytes)?;
    let row = upload::add(&state, (caller.hall, id), (&asked.name, &bytes)).await?;
    Ok(Json(import_body(&row)?))
}

/// Shows what would come of an import, or came.
#[utoipa::path(
    get, path = "/api/imports/{id}", tag = "imports",
    params(("id" = Uuid, Path, description = "The import.")),
    responses((status = 200, description = "The import.", body = ImportBody)),
)]
pub async fn get_import(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Result<Json<ImportBody>, ApiError> {
    let row = upload::find(&state, state.db.read().await?.c(), caller.hall, id).await?;
    Ok(Json(import_body(&row)?))
}

/// Lists what is wrong with the files, in the order of files and lines.
#[utoipa::path(
    get, path = "/api/imports/{id}/problems", tag = "imports",
    params(("id" = Uuid, Path, description = "The import."), ListProblems),
    responses((status = 200, description = "A page of problems.", body = ImportProblemsBody)),
)]
pub async fn list_import_problems(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Query(asked): Query<ListProblems>,
) -> Result<Json<ImportProblemsBody>, ApiError> {
    let mut conn = state.db.read().await?;
    upload::find(&state, conn.c(), caller.hall, id).await?;
    let after = read_cursor(asked.after.as_deref())?.unwrap_or(0);
    let rows = imports::list_problems(conn.c(), id, (after, asked.limit.rows())).await?;
    let next = asked.limit.next(&rows, |row| row.number);
    let problems = rows.into_iter().map(problem_body).collect();
    Ok(Json(ImportProblemsBody { problems, next }))
}

/// Loads what was handed in: all of it, or the good rows alone.
#[utoipa::path(
    post, path = "/api/imports/{id}/apply", tag = "imports",
    params(("id" = Uuid, Path, description = "The import.")), request_body = ApplyImport,
    responses(
        (status = 200, description = "What came of it.", body = ImportBody),
        (status = 409, description = "It was loaded already."),
    ),
)]
pub async fn apply_import(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    Body(body): Body<ApplyImport>,
) -> Result<Json<ImportBody>, ApiError> {
    let bad = if body.only_good { Bad::IsLeftOut } else { Bad::StopsAll };
    let row = upload::apply(&state, (&caller, id), bad).await?;
    Ok(Json(import_body(&row)?))
}

/// Forgets what was handed in.
#[utoipa::path(
    delete, path = "/api/imports/{id}", tag = "imports",
    params(("id" = Uuid, Path, description = "The import.")),
    responses((status = 204, description = "It is forgotten.")),
)]
pub async fn delete_import(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    upload::find(&state, tx.c(), caller.hall, id).await?;
    imports::delete_import(tx.c(), id).await?;
    let entry = Entry::new(&caller, What::ImportDiscarded, Subject::Id("import", id));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn import_body(row: &ImportRow) -> Result<ImportBody, ApiError> {
    let preview = serde_json::from_str(&row.preview).map_err(anyhow::Error::from)?;
    Ok(ImportBody {
        id: row.import_id,
        created_at: row.created_at,
        expires_at: row.created_at + upload::KEPT_MS,
        applied_at: row.applied_at,
        preview,
    })
}

fn problem_body(row: ProblemRow) -> ImportProblemBody {
    ImportProblemBody {
        file: row.file,
        line: row.line,
        column: row.column_name,
        value: row.value,
        why_zh: row.why_zh,
        fix_zh: row.fix_zh,
        why_en: row.why_en,
        fix_en: row.fix_en,
    }
}
