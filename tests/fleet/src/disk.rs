//! A phone's disk: one in memory with faults, and, when a bug is planted, one that lies about flushing.

use std::io;

use mobile_core::log::disk::Disk;
use mobile_core::log::memory::MemoryDisk;

/// The disk of one phone; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct PhoneDisk {
    /// What fails as disks fail.
    pub memory: MemoryDisk,
    /// Whether a flush is reported that never happened.
    pub is_relaxed: bool,
}

impl Disk for PhoneDisk {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.memory.read(name)
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        self.memory.list()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.memory.create(name)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.memory.write_at(name, offset, bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        if self.is_relaxed { Ok(()) } else { self.memory.sync(name) }
    }

    fn set_len(&mut self, name: &str, size_bytes: u64) -> io::Result<()> {
        self.memory.set_len(name, size_bytes)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.memory.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.memory.remove(name)
    }

    fn close(&mut self, name: &str) {
        self.memory.close(name);
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        if self.is_relaxed { Ok(()) } else { self.memory.sync_dir() }
    }

    fn lock(&mut self, name: &str) -> io::Result<()> {
        self.memory.lock(name)
    }
}
