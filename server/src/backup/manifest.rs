//! What a backup says of itself.

use std::io::Write as _;
use std::path::Path;

use domain::id::HallId;
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::photos::PhotoSet;
use super::{BackupError, file};

/// The format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The file in each backup's folder.
pub const FILE: &str = "manifest.json";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: u32,
    /// The backup's own id.
    pub backup: Uuid,
    /// The moment of which it tells.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub doorstep: String,
    /// The version of the schema of its tables.
    pub schema: i64,
    /// The epoch that the database was in.
    pub epoch: Uuid,
    /// How far each hall had come.
    pub halls: Vec<HallEnd>,
    /// What there is of photos.
    #[serde(default)]
    pub photos: Option<PhotoSet>,
    /// The tables, each after those that it refers to.
    pub parts: Vec<Part>,
}

/// How far a hall had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HallEnd {
    /// The hall.
    pub hall: HallId,
    /// Its last position; everything up to here is in the backup.
    pub end: i64,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name; the file is called `<table>.cbor`.
    pub table: String,
    /// Its columns, in the order of each row's values.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// BLAKE3 of the file, in hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// Bytes of all tables.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Writes it beside the parts, durably.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(self).expect("a manifest is JSON");
        let written = super::part::create_private(&path).and_then(|mut opened| {
            opened.write_all(text.as_bytes())?;
            opened.sync_all()
        });
        written.map_err(file(&path))?;
        super::sync_folder(folder)
    }

    /// Reads it.
    pub(super) fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(file(&path))?;
        let damaged = |why: String| BackupError::Damaged(format!("{}: {why}", path.display()));
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        match value["format"].as_u64() {
            Some(format) if format > u64::from(FORMAT) => {
                return Err(damaged(format!(
                    "it has format {format}, and this doorstep reads {FORMAT}: use the newer doorstep"
                )));
            }
            Some(_) => {}
            None => return Err(damaged("it names no format".to_owned())),
        }
        serde_json::from_value(value).map_err(|error| damaged(error.to_string()))
    }
}
