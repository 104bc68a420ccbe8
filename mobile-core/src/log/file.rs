//! The log in a file: a write counts when it is flushed, and a failed one leaves no trace.

use std::io;

use super::disk::Disk;
use super::{Aside, Found, LogStore, StoreError};
use crate::photo::BlobStore;

const LOG: &str = "phone.log";
const NEXT: &str = "phone.log.next";
const MADE: &str = "phone.log.made";
const DOUBT: &str = "phone.log.doubt";
const LOCK: &str = "phone.lock";
const ASIDE: &str = "aside-";
const PHOTO: &str = "photo-";
const NEXT_PHOTO: &str = "next-photo";

/// A log in a folder of its own.
#[derive(Debug)]
pub struct FileLog<D> {
    disk: D,
    size_bytes: u64,
    state: State,
}

/// What is known of the file's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It ends where the last durable record ends.
    Exact,
    /// A failed write may have left bytes after it.
    Trailing,
    /// A flush failed: the page cache may say what the disk does not hold.
    Stuck,
}

impl<D: Disk> FileLog<D> {
    /// Becomes the one writer of the log in this folder.
    pub fn open(mut disk: D) -> Result<Self, StoreError> {
        disk.lock(LOCK).map_err(|error| store_error(&error))?;
        Ok(Self { disk, size_bytes: 0, state: State::Exact })
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.state == State::Stuck { Err(StoreError::Stuck) } else { Ok(()) }
    }

    /// After a failed flush nothing is known until the file is read again, so nothing is written.
    ///
    /// What will be read then may still be the page cache's word and not the disk's. The mark for
    /// that needs no flush: it is lost exactly when the page cache is.
    fn stick<T>(&mut self, done: io::Result<T>) -> Result<T, StoreError> {
        done.map_err(|_| {
            self.state = State::Stuck;
            let _ = self.disk.create(DOUBT);
            StoreError::Stuck
        })
    }

    /// Makes what was read after a failed flush durable under a new file, or refuses writes.
    fn settle_doubt(&mut self, bytes: &[u8]) {
        self.state = State::Stuck;
        let rewritten = self.write_new(NEXT, bytes).is_ok()
            && self.disk.rename(NEXT, LOG).is_ok()
            && self.disk.sync_dir().is_ok();
        if rewritten {
            self.state = State::Exact;
            let _ = self.disk.remove(DOUBT);
        }
    }

    fn cut_trailing(&mut self) -> Result<(), StoreError> {
        if self.state == State::Trailing {
            self.disk.set_len(LOG, self.size_bytes).map_err(|error| store_error(&error))?;
            self.state = State::Exact;
        }
        Ok(())
    }

    /// Writes a file under another name and flushes it; on failure it is removed again.
    fn write_new(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self
            .disk
            .create(name)
            .and_then(|()| self.disk.write_at(name, 0, bytes))
            .and_then(|()| self.disk.sync(name));
        if let Err(error) = written {
            // The half-written file is in nobody's way: the next try empties it first.
            let _ = self.disk.remove(name);
            return Err(store_error(&error));
        }
        Ok(())
    }

    /// Leaves a mark that a log was made here, so that its absence can be told from newness.
    fn mark_made(&mut self) -> Result<(), StoreError> {
        if self.disk.read(MADE).map_err(|error| store_error(&error))?.is_none() {
            self.write_new(MADE, b"a log was made here\n")?;
            let synced = self.disk.sync_dir();
            self.stick(synced)?;
        }
        Ok(())
    }
}

impl<D: Disk> LogStore for FileLog<D> {
    async fn read(&mut self) -> Result<Found, StoreError> {
        let bytes = self.disk.read(LOG).map_err(|error| store_error(&error))?;
        let Some(bytes) = bytes else {
            self.size_bytes = 0;
            let made = self.disk.read(MADE).map_err(|error| store_error(&error))?;
            return Ok(if made.is_some() { Found::Gone } else { Found::Nothing });
        };
        self.size_bytes = bytes.len() as u64;
        let is_in_doubt = self.disk.read(DOUBT).map_err(|error| store_error(&error))?.is_some();
        // What a killed process wrote and did not flush is read like the rest; it is shown once it is durable.
        if is_in_doubt || self.disk.sync(LOG).is_err() {
            let _ = self.disk.create(DOUBT);
            self.settle_doubt(&bytes);
        }
        // A crash may have come between log and mark; without room for it the log still opens.
        let _ = self.mark_made();
        Ok(Found::Bytes(bytes))
    }

    async fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.usable()?;
        self.cut_trailing()?;
        if let Err(error) = self.disk.write_at(LOG, self.size_bytes, bytes) {
            self.state = State::Trailing;
            // When even this fails, the next append tries it again before it writes.
            let _ = self.cut_trailing();
            return Err(store_error(&error));
        }
        let synced = self.disk.sync(LOG);
        self.stick(synced)?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    async fn set_aside(&mut self, bytes: &[u8], why: &str) -> Result<(), StoreError> {
        self.usable()?;
        let hash = blake3::hash(bytes).to_hex();
        let name = format!("{ASIDE}{why}-{}", &hash[..16]);
        let kept = self.disk.read(&name).map_err(|error| store_error(&error))?;
        if kept.as_deref() == Some(bytes) {
            return Ok(());
        }
        self.write_new(&name, bytes)?;
        let synced = self.disk.sync_dir();
        self.stick(synced)
    }

    async fn asides(&mut self) -> Result<Vec<Aside>, StoreError> {
        let names = self.disk.list().map_err(|error| store_error(&error))?;
        let mut asides = Vec::new();
        for name in names.into_iter().filter(|name| name.starts_with(ASIDE)) {
            let bytes = self.disk.read(&name).map_err(|error| store_error(&error))?;
            asides.push(Aside { name, bytes: bytes.unwrap_or_default() });
        }
        Ok(asides)
    }

    async fn truncate(&mut self, size_bytes: u64) -> Result<(), StoreError> {
        self.usable()?;
        self.disk.set_len(LOG, size_bytes).map_err(|error| store_error(&error))?;
        self.size_bytes = size_bytes;
        let synced = self.disk.sync(LOG);
        self.stick(synced)
    }

    async fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.usable()?;
        self.write_new(NEXT, bytes)?;
        self.disk.rename(NEXT, LOG).map_err(|error| store_error(&error))?;
        (self.size_bytes, self.state) = (bytes.len() as u64, State::Exact);
        let synced = self.disk.sync_dir();
        self.stick(synced)?;
        self.mark_made()
    }

    async fn erase(&mut self) -> Result<(), StoreError> {
        let names = self.disk.list().map_err(|error| store_error(&error))?;
        let (log, beside): (Vec<_>, Vec<_>) =
            names.into_iter().filter(|name| name != LOCK).partition(|name| name == LOG);
        // The mark goes before the log, or a crash between them would look like an eviction.
        for name in beside.iter().chain(&log) {
            self.disk.remove(name).map_err(|error| store_error(&error))?;
        }
        (self.size_bytes, self.state) = (0, State::Exact);
        let synced = self.disk.sync_dir();
        self.stick(synced)
    }

    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

impl<D: Disk> BlobStore for FileLog<D> {
    async fn keep_blob(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.usable()?;
        let name = format!("{PHOTO}{name}");
        self.write_new(NEXT_PHOTO, bytes)?;
        self.disk.rename(NEXT_PHOTO, &name).map_err(|error| store_error(&error))?;
        self.disk.close(&name);
        let synced = self.disk.sync_dir();
        self.stick(synced)
    }

    async fn read_blob(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.read(&format!("{PHOTO}{name}")).map_err(|error| store_error(&error))
    }

    async fn remove_blob(&mut self, name: &str) -> Result<(), StoreError> {
        self.usable()?;
        self.disk.remove(&format!("{PHOTO}{name}")).map_err(|error| store_error(&error))
    }

    async fn blob_names(&mut self) -> Result<Vec<String>, StoreError> {
        let names = self.disk.list().map_err(|error| store_error(&error))?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(PHOTO)).map(str::to_owned).collect())
    }
}

fn store_error(error: &io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::WouldBlock {
        StoreError::InUse
    } else if matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    ) {
        StoreError::Full
    } else {
        StoreError::Broken(error.to_string())
    }
}
