//! Where whole pictures lie: a folder, or a bucket of an S3-compatible store.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::config::Config;
use crate::ids::random_bytes;

/// Files on their way in, inside the folder.
const INCOMING: &str = "incoming";

/// A place for pictures; what was put is there after a crash.
#[derive(Debug)]
pub enum Store {
    /// A folder of this machine, or one that all nodes mount.
    Folder(PathBuf),
}

/// Why a picture was not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk said no.
    #[error("the photo store's folder: {0}")]
    Folder(#[from] io::Error),
    /// What is configured names no store.
    #[error("photo_store: {0}")]
    Settings(String),
}

impl Store {
    /// Opens what is configured.
    pub fn open(config: &Config) -> Result<Self, StoreError> {
        let folder = if config.photo_store.is_empty() {
            beside_the_database(&config.database.0)
        } else {
            PathBuf::from(&config.photo_store)
        };
        Ok(Self::Folder(folder))
    }

    /// Keeps bytes under a key; they are flushed when this returns.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        match self {
            Self::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.to_owned());
                Ok(blocking(move || put_file(&folder, &key, &bytes)).await?)
            }
        }
    }

    /// Reads what is kept under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(key);
                Ok(blocking(move || match fs::read(path) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                })
                .await?)
            }
        }
    }

    /// Removes what was on its way in when a server stopped before this time, Unix ms.
    pub async fn sweep(&self, before_ms: i64) -> Result<(), StoreError> {
        match self {
            Self::Folder(folder) => {
                let incoming = folder.join(INCOMING);
                Ok(blocking(move || sweep_folder(&incoming, before_ms)).await?)
            }
        }
    }
}

/// Next to an SQLite file and named like it, so that a hall stays together; else in the working folder.
fn beside_the_database(url: &str) -> PathBuf {
    match url.strip_prefix("sqlite:") {
        Some(path) => PathBuf::from(format!("{}-photos", path.strip_prefix("//").unwrap_or(path))),
        None => PathBuf::from("doorstep-photos"),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Writes aside, flushes, and only then gives the file its name: no reader ever sees half a picture.
fn put_file(folder: &Path, key: &str, bytes: &[u8]) -> io::Result<()> {
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

fn sweep_folder(incoming: &Path, before_ms: i64) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_put_is_read_back_and_nothing_is_left_on_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Folder(folder.path().join("photos"));

        assert_eq!(store.get("hall/ab/abc").await.unwrap(), None);
        store.put("hall/ab/abc", b"one".to_vec()).await.unwrap();
        store.put("hall/ab/abc", b"two".to_vec()).await.unwrap();

        assert_eq!(store.get("hall/ab/abc").await.unwrap().unwrap(), b"two");
        let incoming = folder.path().join("photos").join(INCOMING);
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
        fs::write(incoming.join("torn"), b"half").unwrap();
        store.sweep(0).await.unwrap();
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 1, "it may still be under way");
        store.sweep(i64::MAX).await.unwrap();
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
    }

    #[test]
    fn a_hall_in_a_file_has_its_photos_beside_it() {
        let beside = |url: &str| beside_the_database(url).display().to_string();
        assert_eq!(beside("sqlite:doorstep.db"), "doorstep.db-photos");
        assert_eq!(beside("sqlite:///srv/hall.db"), "/srv/hall.db-photos");
        assert_eq!(beside("postgres://x/y"), "doorstep-photos");
    }
}
