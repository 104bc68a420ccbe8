//! Backups: every table as it was at one moment, read back and checked before anybody relies on them.
//!
//! A backup is a folder with one file a table and a manifest that names each with its hash; its
//! photos lie beside it, under their own hashes. It is
//! written through the facade, not by the tools of one engine: one format for both, no second
//! program of a fitting version, a check of each row, and a hall that outgrows SQLite is moved to
//! PostgreSQL by restoring it there.

pub mod manifest;
pub mod part;
pub mod photos;
pub mod restore;

use std::path::{Path, PathBuf};

use domain::id::HallId;
use domain::stamp::Timestamp;
use uuid::Uuid;

use self::manifest::{FORMAT, HallEnd, Manifest, Part};
use self::part::{PartReader, PartWriter};
use self::photos::Kept;
use crate::db::lone::Lone;
use crate::db::tables::{Cell, list_tables, read_table};
use crate::db::upkeep::{BackupRow, insert_backup};
use crate::db::{Db, OpenDbError, halls, schema, seal_keys};
use crate::ids::fresh_uuid;
use crate::photos::store::{Store, StoreError};

/// Why there is no backup, or none to rely on.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenDbError),
    /// The database cannot be read.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
    /// A file cannot be written or read.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Photos cannot be read or copied.
    #[error(transparent)]
    Photos(#[from] StoreError),
    /// The database is of another version than this program.
    #[error(
        "the database has schema version {found}, this doorstep has {known}: \
         run `doorstep migrate`, or make the backup with the doorstep that serves it"
    )]
    OtherSchema {
        /// What the database has.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// What was written does not say what it should.
    #[error("this backup is not to be relied on: {0}; use another one")]
    Damaged(String),
    /// The database was restored while the backup was made.
    #[error("the database was restored while the backup was made: make another one")]
    Overtaken,
}

/// A backup that was read back whole.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where it is.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// What came of the photos.
    pub photos: Kept,
}

/// Names the file in an error.
fn file(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.display().to_string();
    move |source| BackupError::File { path, source }
}

/// Writes a backup into a folder of its own under `to`, while others work; it is in place only when it was read back.
pub async fn make(
    (url, hosts): (&str, &[String]),
    store: &Store,
    to: &Path,
    now: Timestamp,
) -> Result<Made, BackupError> {
    let mut lone = Lone::read(url, hosts).await?;
    let name = format!("doorstep-{}", now.format("%Y%m%dT%H%M%S%3fZ"));
    let (folder, growing) = (to.join(&name), to.join(format!(".{name}.part")));
    make_private(&growing).map_err(file(&growing))?;
    let written = write(&mut lone, &growing, now).await;
    drop(lone.close().await);
    let mut manifest = written?;
    let (set, photos) = photos::keep(store, &to.join(photos::POOL), (&growing, &manifest)).await?;
    manifest.photos = Some(set);
    manifest.write(&growing)?;
    let read_back = check(&growing)?;
    if read_back != manifest {
        return Err(BackupError::Damaged("the manifest changed on its way to the disk".to_owned()));
    }
    std::fs::rename(&growing, &folder).map_err(file(&folder))?;
    sync_folder(to)?;
    Ok(Made { folder, manifest, photos })
}

async fn write(lone: &mut Lone, folder: &Path, now: Timestamp) -> Result<Manifest, BackupError> {
    lone.begin_snapshot().await?;
    let (found, known) = (schema::find_version(lone.c()).await?, schema::known_version());
    if found != known {
        return Err(BackupError::OtherSchema { found, known });
    }
    let epoch = halls::find_epoch(lone.c()).await?;
    let ends = halls::list_halls(lone.c()).await?;
    let mut parts = Vec::new();
    for table in list_tables(lone.c()).await? {
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        let path = folder.join(format!("{}.cbor", table.name));
        let mut writer = PartWriter::create(&path).map_err(file(&path))?;
        read_table(lone.c(), &table, |row| Ok(writer.write(&row)?)).await?;
        let (rows, bytes, blake3) = writer.finish().map_err(file(&path))?;
        parts.push(Part { table: table.name, columns, rows, bytes, blake3 });
    }
    Ok(Manifest {
        format: FORMAT,
        backup: fresh_uuid(now),
        made_at: now,
        doorstep: env!("CARGO_PKG_VERSION").to_owned(),
        schema: found,
        epoch,
        halls: ends
            .iter()
            .map(|hall| HallEnd { hall: HallId(hall.hall_id), end: hall.next_position - 1 })
            .collect(),
        photos: None,
        parts,
    })
}

/// Reads a whole backup back: every hash, every row, and of each raw change that it is what its name says.
pub fn check(folder: &Path) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(folder)?;
    for listed in &manifest.parts {
        part::check(folder, listed)?;
    }
    Ok(manifest)
}

/// Says that the hall may rely on a verified backup: phones may forget what it covers.
pub async fn rely_on(db: &Db, made: &Made, now: Timestamp) -> Result<(), BackupError> {
    let manifest = &made.manifest;
    let mut tx = db.begin().await?;
    if halls::find_epoch(tx.c()).await? != manifest.epoch {
        return Err(BackupError::Overtaken);
    }
    for id in seal_keys_in(&made.folder, manifest)? {
        seal_keys::cover_seal_key(tx.c(), id, now.timestamp_millis()).await?;
    }
    for it in &manifest.halls {
        halls::set_safe_position(tx.c(), it.hall, it.end).await?;
    }
    let row = BackupRow {
        backup_id: manifest.backup,
        made_at: manifest.made_at.timestamp_millis(),
        verified_at: now.timestamp_millis(),
        folder: made.folder.display().to_string(),
        row_count: i64::try_from(manifest.rows()).unwrap_or(i64::MAX),
        size_bytes: i64::try_from(manifest.bytes()).unwrap_or(i64::MAX),
    };
    insert_backup(tx.c(), &row).await?;
    Ok(tx.commit().await?)
}

/// The secrets for seals that a backup has.
fn seal_keys_in(folder: &Path, manifest: &Manifest) -> Result<Vec<Uuid>, BackupError> {
    let mut ids = Vec::new();
    let Some(part) = manifest.parts.iter().find(|part| part.table == "seal_key") else {
        return Ok(ids);
    };
    let damaged = || BackupError::Damaged("the table seal_key cannot be understood".to_owned());
    let at = part.columns.iter().position(|it| it == "seal_key_id").ok_or_else(damaged)?;
    let mut reader = PartReader::open(folder, part)?;
    while let Some(row) = reader.next(part)? {
        let Cell::Bytes(id) = &row.0[at] else { return Err(damaged()) };
        ids.push(Uuid::from_slice(id).map_err(|_| damaged())?);
    }
    Ok(ids)
}

/// Makes a folder that only its owner reads: a backup holds people's data and the hall's keys.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a new name in a folder durable.
fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    let synced = std::fs::File::open(folder).and_then(|opened| opened.sync_all());
    synced.map_err(file(folder))
}
