//! Files handed in for import, what would come of them, and what is wrong with them.

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_IMPORT = "insert into import (import_id, hall_id, user_id, created_at, preview, applied_at) \
        values ($1, $2, $3, $4, $5, null)";
    HOLD_IMPORT = "update import set preview = preview where import_id = $1";
    SET_PREVIEW = "update import set preview = $1 where import_id = $2";
    SET_APPLIED = "update import set applied_at = $1, preview = $2 where import_id = $3 and applied_at is null";
    FIND_IMPORT = "select import_id, created_at, preview, applied_at from import where import_id = $1 and hall_id = $2 \
        and created_at >= $3";
    INSERT_FILE = "insert into import_file (import_id, number, name, bytes) values ($1, $2, $3, $4)";
    COUNT_FILES = "select count(*) from import_file where import_id = $1";
    LIST_FILES = "select name, bytes from import_file where import_id = $1 order by number";
    INSERT_PROBLEM = "insert into import_problem (import_id, number, file, line, column_name, value, why_zh, fix_zh, \
        why_en, fix_en) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    LIST_PROBLEMS = "select import_id, number, file, line, column_name, value, why_zh, fix_zh, why_en, fix_en \
        from import_problem where import_id = $1 and number > $2 order by number limit $3";
    LIST_OLD = "select import_id from import where created_at < $1";
    DELETE_PROBLEMS = "delete from import_problem where import_id = $1";
    DELETE_FILES = "delete from import_file where import_id = $1";
    DELETE_IMPORT = "delete from import where import_id = $1";
}

/// Files handed in together.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ImportRow {
    /// Its id.
    pub import_id: Uuid,
    /// When the first file came.
    pub created_at: i64,
    /// What would come of it, or came, as JSON.
    pub preview: String,
    /// When it was loaded.
    pub applied_at: Option<i64>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ProblemRow {
    /// The import.
    pub import_id: Uuid,
    /// Counts from 1.
    pub number: i64,
    /// The file.
    pub file: String,
    /// The line in it.
    pub line: i64,
    /// The column as the file calls it.
    pub column_name: Option<String>,
    /// What stands there.
    pub value: String,
    /// Why it cannot be, in Chinese.
    pub why_zh: String,
    /// What to do, in Chinese.
    pub fix_zh: String,
    /// Why it cannot be, in English.
    pub why_en: String,
    /// What to do, in English.
    pub fix_en: String,
}

/// Begins an import.
pub async fn insert_import(
    c: C<'_>,
    (hall, by): (HallId, UserId),
    import: Uuid,
    now_ms: i64,
) -> Result<()> {
    let insert = c.q(INSERT_IMPORT).bind(import).bind(hall.0).bind(by.0).bind(now_ms).bind("{}");
    insert.execute().await.map(drop)
}

/// Says what would come of an import, and everything that is wrong with it, in place of what was said before.
pub async fn set_preview(
    mut c: C<'_>,
    import: Uuid,
    preview: &str,
    problems: &[ProblemRow],
) -> Result<()> {
    c.lend().q(SET_PREVIEW).bind(preview).bind(import).execute().await?;
    c.lend().q(DELETE_PROBLEMS).bind(import).execute().await?;
    insert_rows(c, INSERT_PROBLEM, problems, |q, it| {
        q.bind(it.import_id)
            .bind(it.number)
            .bind(&it.file)
            .bind(it.line)
            .bind(&it.column_name)
            .bind(&it.value)
            .bind(&it.why_zh)
            .bind(&it.fix_zh)
            .bind(&it.why_en)
            .bind(&it.fix_en)
    })
    .await
    .map(drop)
}

/// Notes that an import was loaded; returns whether it had not been before.
pub async fn set_applied(c: C<'_>, import: Uuid, result: &str, now_ms: i64) -> Result<bool> {
    let written = c.q(SET_APPLIED).bind(now_ms).bind(result).bind(import).execute().await?;
    Ok(written > 0)
}

/// Finds an import of a hall that was begun at this time or later.
pub async fn find_import(
    c: C<'_>,
    hall: HallId,
    import: Uuid,
    since_ms: i64,
) -> Result<Option<ImportRow>> {
    c.q(FIND_IMPORT).bind(import).bind(hall.0).bind(since_ms).opt().await
}

/// Holds an import until the transaction ends: files that come at once are counted one after another.
pub async fn hold_import(c: C<'_>, import: Uuid) -> Result<()> {
    c.q(HOLD_IMPORT).bind(import).execute().await.map(drop)
}

/// Adds a file to an import.
pub async fn insert_file(
    c: C<'_>,
    import: Uuid,
    number: i64,
    (name, bytes): (&str, &[u8]),
) -> Result<()> {
    c.q(INSERT_FILE).bind(import).bind(number).bind(name).bind(bytes).execute().await.map(drop)
}

/// How many files an import has.
pub async fn count_files(c: C<'_>, import: Uuid) -> Result<i64> {
    c.q(COUNT_FILES).bind(import).scalar().await
}

/// Lists the files of an import with their names.
pub async fn list_files(c: C<'_>, import: Uuid) -> Result<Vec<(String, Vec<u8>)>> {
    c.q(LIST_FILES).bind(import).all().await
}

/// Lists one page of what is wrong, after a number.
pub async fn list_problems(
    c: C<'_>,
    import: Uuid,
    (after, limit): (i64, i64),
) -> Result<Vec<ProblemRow>> {
    c.q(LIST_PROBLEMS).bind(import).bind(after).bind(limit).all().await
}

/// Forgets an import with its files.
pub async fn delete_import(mut c: C<'_>, import: Uuid) -> Result<()> {
    for delete in [DELETE_PROBLEMS, DELETE_FILES, DELETE_IMPORT] {
        c.lend().q(delete).bind(import).execute().await?;
    }
    Ok(())
}

/// Forgets what was begun before this time; returns how many there were.
pub async fn delete_old(mut c: C<'_>, before_ms: i64) -> Result<u64> {
    let old: Vec<(Uuid,)> = c.lend().q(LIST_OLD).bind(before_ms).all().await?;
    let mut count = 0;
    for (import,) in old {
        delete_import(c.lend(), import).await?;
        count += 1;
    }
    Ok(count)
}
