//! The photos of a backup: beside the tables, each once, under the names that the tables give them.
//!
//! They lie in `photos/` next to the backups' own folders and are shared by all of them: a picture
//! never changes under its hash, so a backup copies what came since the one before. They are copied
//! after the tables, and a picture is in the store before a table names it, so none is missing.

use std::path::{Path, PathBuf};

use domain::id::HallId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::BackupError;
use super::manifest::Manifest;
use super::part::PartReader;
use crate::db::tables::Cell;
use crate::photos::store::{Store, StoreError};
use crate::photos::{PhotoHash, key};

/// The folder of photos, beside the backups' folders.
pub const POOL: &str = "photos";

/// The table that names what must be there.
const TABLE: &str = "photo";

/// What an interrupted backup left behind is removed after this.
const DAY_MS: i64 = 24 * 3_600_000;

/// What a backup says of photos; which ones, the table `photo` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoSet {
    /// The store that they were in.
    pub store: String,
    /// How many the hall had.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether they lie beside the backup; those of a bucket stay there.
    pub is_copied: bool,
}

/// A photo that a backup names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Where it lies in any store.
    pub key: String,
    /// Its length.
    pub bytes: u64,
}

/// What a backup's tables say of photos.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    /// What must be there.
    kept: Vec<Named>,
    /// Where erased ones lay.
    erased: Vec<String>,
}

/// What came of going through photos.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many were copied now.
    pub copied: u64,
    /// Their bytes.
    pub copied_bytes: u64,
    /// Where those lie that are named and not there whole.
    pub missing: Vec<String>,
    /// Why nobody could look whether all are there.
    pub unseen: Option<String>,
}

/// Where the photos of a backup are, unless somebody moved them.
pub fn pool_beside(folder: &Path) -> PathBuf {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.parent().unwrap_or(Path::new(".")).join(POOL)
}

/// Copies what a folder holds to the pool; of a bucket it only looks whether all is there.
pub(super) async fn keep(
    store: &Store,
    pool: &Path,
    (folder, manifest): (&Path, &Manifest),
) -> Result<(PhotoSet, Kept), BackupError> {
    let named = named(folder, manifest)?;
    let (is_copied, kept) = match store {
        Store::Folder(_) => {
            super::make_private(pool).map_err(super::file(pool))?;
            let pool = Store::Folder(pool.to_owned());
            pool.sweep(manifest.made_at.timestamp_millis() - DAY_MS).await?;
            let mut kept = copy(store, &pool).await?;
            kept.missing = missing(&named.kept, &pool).await?;
            // Older backups name them as well; what was erased stands in no folder for that.
            for key in &named.erased {
                pool.delete(key).await?;
            }
            (true, kept)
        }
        Store::Bucket(_) => {
            let kept = match missing(&named.kept, store).await {
                Ok(missing) => Kept { missing, ..Kept::default() },
                // The tables are worth keeping without it.
                Err(error) => Kept { unseen: Some(error.to_string()), ..Kept::default() },
            };
            (false, kept)
        }
    };
    let bytes = named.kept.iter().map(|photo| photo.bytes).sum();
    let count = named.kept.len() as u64;
    Ok((PhotoSet { store: store.shown(), count, bytes, is_copied }, kept))
}

/// Reads each photo that the backup names back; tells which are not there whole.
pub async fn check(folder: &Path, manifest: &Manifest) -> Result<Vec<String>, BackupError> {
    let pool = Store::Folder(pool_beside(folder));
    let mut wrong = Vec::new();
    for photo in named(folder, manifest)?.kept {
        match pool.get(&photo.key).await? {
            Some(bytes) if is_named_so(&photo.key, &bytes) => {}
            Some(_) | None => wrong.push(photo.key),
        }
    }
    Ok(wrong)
}

/// Puts into the store what lies beside the backup and not yet there, newer photos too: they are the hall's as well,
/// and phones may have let go of them.
pub async fn bring_back(
    (folder, manifest): (&Path, &Manifest),
    pool: &Path,
    store: &Store,
) -> Result<Kept, BackupError> {
    let named = named(folder, manifest)?;
    let mut kept = copy(&Store::Folder(pool.to_owned()), store).await?;
    kept.missing = missing(&named.kept, store).await?;
    Ok(kept)
}

/// Copies from one store to another what is not there yet; what is not what its name says stays where it is.
async fn copy(from: &Store, to: &Store) -> Result<Kept, StoreError> {
    let there = to.list().await?;
    let mut kept = Kept::default();
    for (key, length) in from.list().await? {
        if there.get(&key) == Some(&length) {
            continue;
        }
        let Some(bytes) = from.get(&key).await?.filter(|bytes| is_named_so(&key, bytes)) else {
            continue;
        };
        to.put(&key, bytes).await?;
        let back = to.get(&key).await?.unwrap_or_default();
        if !is_named_so(&key, &back) {
            return Err(StoreError::Damaged(key));
        }
        kept.copied += 1;
        kept.copied_bytes += length;
    }
    Ok(kept)
}

async fn missing(named: &[Named], store: &Store) -> Result<Vec<String>, StoreError> {
    let there = store.list().await?;
    let lacks = |photo: &&Named| there.get(&photo.key) != Some(&photo.bytes);
    Ok(named.iter().filter(lacks).map(|photo| photo.key.clone()).collect())
}

fn is_named_so(key: &str, bytes: &[u8]) -> bool {
    key.ends_with(PhotoHash::of(bytes).as_str())
}

/// What the tables of a backup name.
fn named(folder: &Path, manifest: &Manifest) -> Result<Names, BackupError> {
    let mut named = Names::default();
    let Some(part) = manifest.parts.iter().find(|part| part.table == TABLE) else {
        return Ok(named);
    };
    let damaged = || BackupError::Damaged(format!("the table {TABLE} cannot be understood"));
    let at = |name: &str| part.columns.iter().position(|it| it == name).ok_or_else(damaged);
    let (hall, hash, bytes) = (at("hall_id")?, at("hash")?, at("size_bytes")?);
    // A backup of before knows no erasing.
    let erased = at("erased_at").ok();
    let mut reader = PartReader::open(folder, part)?;
    while let Some(row) = reader.next(part)? {
        let (Cell::Bytes(hall), Cell::Text(hash), Cell::Integer(bytes)) =
            (&row.0[hall], &row.0[hash], &row.0[bytes])
        else {
            return Err(damaged());
        };
        let hall = HallId(Uuid::from_slice(hall).map_err(|_| damaged())?);
        let bytes = u64::try_from(*bytes).map_err(|_| damaged())?;
        let key = key(hall, hash);
        if erased.is_some_and(|at| row.0[at] != Cell::Null) {
            named.erased.push(key);
        } else {
            named.kept.push(Named { key, bytes });
        }
    }
    Ok(named)
}
