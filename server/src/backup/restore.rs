//! Putting a backup in a database's place.
//!
//! What was there before is set aside, never destroyed. The restored hall begins another epoch: it
//! may have forgotten what it acknowledged, so phones offer everything again that they still hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::id::HallId;
use domain::stamp::Timestamp;
use serde_json::json;

use super::manifest::{Manifest, Part};
use super::part::PartReader;
use super::{BackupError, check, file, sync_folder};
use crate::audit::{self, By, Entry, Subject, What};
use crate::db::lone::{Lone, sqlite_file};
use crate::db::tables::{Table, list_tables, set_aside, write_rows};
use crate::db::{C, OpenDbError, halls, schema};
use crate::ids::fresh_uuid;

/// Rows that wait to be written together.
const BATCH: usize = 64;

/// How often a server is asked whether the last connections of a stopped one have left.
const LEAVING: u32 = 30;

/// How long is waited in between.
const LEAVE: Duration = Duration::from_millis(100);

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup cannot be read or relied on.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The database cannot be written.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenDbError),
    /// It was made by a newer program.
    #[error(
        "the backup has schema version {found} and this doorstep knows versions up to {known}: \
         restore it with the newer doorstep"
    )]
    NewerSchema {
        /// The backup's.
        found: i64,
        /// This program's.
        known: i64,
    },
    /// Somebody's work is in the database.
    #[error(
        "the database is not empty: with --replace it is set aside and the backup takes its place"
    )]
    NotEmpty,
    /// Somebody uses the database.
    #[error("the database is in use: stop every server first, then restore")]
    InUse,
    /// The backup and the schema of its version do not fit.
    #[error("the backup has a table {0} that its schema version does not have")]
    UnknownTable(String),
    /// The restored rows do not fit each other.
    #[error("the restored database does not hold together ({0}): nothing was replaced")]
    Broken(String),
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// Where the former database is now.
    pub set_aside: Option<String>,
}

/// Whether what is in the database may be set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Only an empty one is taken.
    Never,
    /// Whatever is there is set aside.
    SetAside,
}

/// Checks a backup and puts it in the database's place, in a new epoch.
pub async fn restore(
    from: &Path,
    (url, hosts): (&str, &[String]),
    replace: Replace,
    now: Timestamp,
) -> Result<Restored, RestoreError> {
    let manifest = check(from)?;
    let (found, known) = (manifest.schema, schema::known_version());
    if found > known {
        return Err(RestoreError::NewerSchema { found, known });
    }
    let aside = format!("replaced-{}", now.format("%Y%m%dT%H%M%SZ"));
    let set_aside = match sqlite_file(url) {
        Some(target) => into_file((from, &manifest), target, replace, (&aside, now)).await?,
        None => into_server((from, &manifest), (url, hosts), replace, (&aside, now)).await?,
    };
    Ok(Restored { manifest, set_aside })
}

async fn into_file(
    (from, manifest): (&Path, &Manifest),
    target: &Path,
    replace: Replace,
    (aside, now): (&str, Timestamp),
) -> Result<Option<String>, RestoreError> {
    if target.exists() {
        refuse_used_file(target, replace).await?;
    }
    let fresh = beside(target, "restoring");
    for old in with_logs(&fresh) {
        // Left behind by a restore that broke off.
        drop(std::fs::remove_file(old));
    }
    let mut lone = Lone::make_file(&fresh).await?;
    schema::migrate(&mut lone, Some(manifest.schema)).await?;
    lone.begin().await?;
    load(&mut lone, from, manifest).await?;
    lone.commit().await?;
    schema::migrate(&mut lone, None).await?;
    halls::set_epoch(lone.c(), fresh_uuid(now)).await?;
    enter(lone.c(), manifest, now).await?;
    hold_together(lone.c()).await?;
    lone.close().await?;
    let synced = std::fs::File::open(&fresh).and_then(|opened| opened.sync_all());
    synced.map_err(file(&fresh))?;
    let former = target.exists().then(|| beside(target, aside));
    if let Some(former) = &former {
        for (old, kept) in with_logs(target).into_iter().zip(with_logs(former)) {
            if old.exists() {
                std::fs::rename(&old, &kept).map_err(file(&old))?;
            }
        }
    }
    std::fs::rename(&fresh, target).map_err(file(target))?;
    let folder = target.parent().filter(|it| !it.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))?;
    Ok(former.map(|it| it.display().to_string()))
}

/// A file that cannot be read may be replaced, one that is in use may not.
async fn refuse_used_file(target: &Path, replace: Replace) -> Result<(), RestoreError> {
    let url = format!("sqlite:{}", target.display());
    let Ok(mut lone) = Lone::read(&url, &[]).await else {
        return if replace == Replace::SetAside { Ok(()) } else { Err(RestoreError::NotEmpty) };
    };
    let used = is_used(lone.c()).await;
    drop(lone.close().await);
    match (used, replace) {
        (Ok(Used::InUse), _) => Err(RestoreError::InUse),
        (Ok(Used::Worked) | Err(_), Replace::Never) => Err(RestoreError::NotEmpty),
        (Ok(Used::Empty | Used::Worked) | Err(_), _) => Ok(()),
    }
}

async fn into_server(
    (from, manifest): (&Path, &Manifest),
    (url, hosts): (&str, &[String]),
    replace: Replace,
    (aside, now): (&str, Timestamp),
) -> Result<Option<String>, RestoreError> {
    let mut lone = Lone::server(url, hosts).await?;
    for _ in 0..LEAVING {
        if !is_in_use(lone.c()).await? {
            break;
        }
        tokio::time::sleep(LEAVE).await;
    }
    lone.begin().await?;
    let used = is_used(lone.c()).await?;
    match (used, replace) {
        (Used::InUse, _) => return Err(RestoreError::InUse),
        (Used::Worked, Replace::Never) => return Err(RestoreError::NotEmpty),
        (Used::Empty | Used::Worked, _) => {}
    }
    let schema = format!("doorstep_{}", aside.replace('-', "_").to_lowercase());
    if !list_tables(lone.c()).await?.is_empty() {
        set_aside(lone.c(), &schema).await?;
    }
    schema::migrate(&mut lone, Some(manifest.schema)).await?;
    load(&mut lone, from, manifest).await?;
    schema::migrate(&mut lone, None).await?;
    halls::set_epoch(lone.c(), fresh_uuid(now)).await?;
    enter(lone.c(), manifest, now).await?;
    lone.commit().await?;
    lone.close().await?;
    Ok((used == Used::Worked).then_some(schema))
}

/// Enters in each hall's audit trail that it was restored, and to which moment.
async fn enter(mut c: C<'_>, manifest: &Manifest, now: Timestamp) -> Result<(), RestoreError> {
    for hall in halls::list_halls(c.lend()).await? {
        let by = By { hall: Some(HallId(hall.hall_id)), ..By::server() };
        let entry = Entry::new(by, What::Restored, Subject::Nothing);
        let detail = json!({"made_at": manifest.made_at});
        audit::keep(c.lend(), now, entry.with(detail)).await?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Used {
    Empty,
    Worked,
    InUse,
}

async fn is_used(mut c: C<'_>) -> Result<Used, sqlx::Error> {
    if is_in_use(c.lend()).await? {
        return Ok(Used::InUse);
    }
    if schema::find_version(c.lend()).await? == 0 {
        return Ok(Used::Empty);
    }
    let is_empty = halls::list_halls(c).await?.is_empty();
    Ok(if is_empty { Used::Empty } else { Used::Worked })
}

/// Whether another process has the database open.
async fn is_in_use(mut c: C<'_>) -> Result<bool, sqlx::Error> {
    if let C::Pg(..) = c {
        let others = "select count(*) from pg_stat_activity where datname = current_database() \
            and pid <> pg_backend_pid() and coalesce(backend_type, 'client backend') = 'client backend'";
        return Ok(c.q(others).scalar::<i64>().await? > 0);
    }
    // Whoever else has the file open holds a lock that an exclusive reader cannot get past.
    c.lend().q("pragma locking_mode = exclusive").scalar::<String>().await?;
    c.lend().q("pragma busy_timeout = 200").scalar::<i64>().await?;
    match c.q("select count(*) from sqlite_schema").scalar::<i64>().await {
        Ok(_) => Ok(false),
        Err(error) if crate::db::is_retryable(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

async fn load(lone: &mut Lone, from: &Path, manifest: &Manifest) -> Result<(), RestoreError> {
    let tables = list_tables(lone.c()).await?;
    for table in &tables {
        let Some(part) = manifest.parts.iter().find(|part| part.table == table.name) else {
            continue;
        };
        let table = in_order(table, part)?;
        let mut reader = PartReader::open(from, part)?;
        let mut rows = Vec::with_capacity(BATCH);
        while let Some(row) = reader.next(part)? {
            rows.push(row);
            if rows.len() == BATCH {
                write_rows(lone.c(), &table, &rows).await?;
                rows.clear();
            }
        }
        write_rows(lone.c(), &table, &rows).await?;
    }
    match manifest.parts.iter().find(|part| tables.iter().all(|it| it.name != part.table)) {
        Some(unknown) => Err(RestoreError::UnknownTable(unknown.table.clone())),
        None => Ok(()),
    }
}

/// The table with its columns in the order of the backup's.
fn in_order(table: &Table, part: &Part) -> Result<Table, RestoreError> {
    let column = |name: &String| {
        let found = table.columns.iter().find(|column| column.name == *name).cloned();
        found.ok_or_else(|| RestoreError::UnknownTable(format!("{}.{name}", table.name)))
    };
    let columns = part.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(Table { name: table.name.clone(), columns })
}

/// SQLite's own look at the file; PostgreSQL checked each row as it came.
async fn hold_together(mut c: C<'_>) -> Result<(), RestoreError> {
    let checked = c.lend().q("pragma integrity_check").all::<(String,)>().await?;
    if let Some((wrong,)) = checked.iter().find(|it| it.0 != "ok") {
        return Err(RestoreError::Broken(wrong.clone()));
    }
    let lost = "select count(*) from pragma_foreign_key_check";
    match c.q(lost).scalar::<i64>().await? {
        0 => Ok(()),
        rows => Err(RestoreError::Broken(format!("{rows} rows refer to nothing"))),
    }
}

fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{suffix}"));
    target.with_file_name(name)
}

/// A database's file with the two that stand beside it while it is open.
fn with_logs(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}
