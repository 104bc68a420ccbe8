//! Pictures in a folder of this machine, or in one that all nodes mount.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::is_key;
use crate::ids::random_bytes;

/// Files on their way in, inside the folder.
pub(super) const INCOMING: &str = "incoming";

/// Writes aside, flushes, and only then gives the file its name: no reader ever sees half a picture.
pub(super) fn put(folder: &Path, key: &str, bytes: &[u8]) -> io::Result<()> {
    let target = folder.join(key);
    let parent = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let incoming = folder.join(INCOMING);
    make_folder(parent)?;
    make_folder(&incoming)?;
    let draft = incoming.join(format!("{:032x}", u128::from_le_bytes(random_bytes())));
    let written = File::create(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, &target));
    if written.is_err() {
        // The picture is not kept, so half of it helps nobody.
        let _ = fs::remove_file(&draft);
    }
    written?;
    File::open(parent)?.sync_all()
}

/// Reads a file; `None` when there is none.
pub(super) fn get(folder: &Path, key: &str) -> io::Result<Option<Vec<u8>>> {
    match fs::read(folder.join(key)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a file, durably; what is not there is no error.
pub(super) fn delete(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    path.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())
}

/// Every key with its length in bytes.
pub(super) fn list(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut keys = BTreeMap::new();
    walk(folder, "", &mut keys)?;
    Ok(keys)
}

fn walk(folder: &Path, above: &str, keys: &mut BTreeMap<String, u64>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if above.is_empty() && error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let key = if above.is_empty() { name } else { format!("{above}/{name}") };
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            walk(&entry.path(), &key, keys)?;
        } else if is_key(&key) {
            keys.insert(key, metadata.len());
        }
    }
    Ok(())
}

/// Whether a picture could be written; a folder that is not there is not made.
pub(super) fn probe(folder: &Path) -> io::Result<()> {
    let existing = folder.ancestors().find(|it| it.is_dir());
    let existing = existing.filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(existing)?.write_all(b"doorstep")
}

/// Removes what has been on its way in since before this time, Unix ms.
pub(super) fn sweep(folder: &Path, before_ms: i64) -> io::Result<()> {
    let incoming = folder.join(INCOMING);
    if !incoming.is_dir() {
        return Ok(());
    }
    let before = UNIX_EPOCH + Duration::from_millis(u64::try_from(before_ms).unwrap_or(0));
    for entry in fs::read_dir(incoming)? {
        let entry = entry?;
        if entry.metadata()?.modified()? < before {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes a folder and everything above it, each name flushed.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
