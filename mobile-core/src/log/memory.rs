//! A disk in memory that fails as disks fail: it tears, fills up, forgets and flips bits.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::file::FileLog;

/// A log on a disk in memory.
pub type MemoryLog = FileLog<MemoryDisk>;

/// How much of an operation reaches the disk when the machine stops in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Nothing.
    Before,
    /// So many bytes of a write; nothing of another operation.
    Torn(usize),
    /// All of it, but nobody is told.
    After,
}

/// What stopped the machine, and so what it forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The process was killed: what was written stays, flushed or not.
    Kill,
    /// The power went: of what was not flushed so many bytes of each file stay, and no name.
    PowerLoss {
        /// How many unflushed bytes of each file stay.
        unflushed_bytes: usize,
    },
}

/// A disk in memory; clones are the same disk, so that it outlives the phone that used it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    shared: Arc<Mutex<Machine>>,
    /// This handle's key to the lock, when it holds it.
    holder: Option<Arc<()>>,
}

/// Everything on a disk, as a backup would keep it.
#[derive(Clone, Debug)]
pub struct Backup(BTreeMap<String, Vec<u8>>);

#[derive(Debug, Default)]
struct Machine {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    lock: Option<std::sync::Weak<()>>,
    ops: u64,
    crash: Option<(u64, Landing)>,
    is_off: bool,
    full_for: u32,
    failing_syncs: u32,
}

#[derive(Clone, Debug, Default)]
struct File {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// The first byte at which the two may differ.
    dirty_from: usize,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations that change something were begun.
    pub fn ops(&self) -> u64 {
        self.machine().ops
    }

    /// Stops the machine in its operation number `op`, counted from 1.
    pub fn crash_at(&self, op: u64, landing: Landing) {
        self.machine().crash = Some((op, landing));
    }

    /// Whether the machine has stopped.
    pub fn is_off(&self) -> bool {
        self.machine().is_off
    }

    /// Stops the machine if it still runs, and starts it with what the stop left on the disk.
    pub fn restart(&self, stop: Stop) {
        let mut machine = self.machine();
        if let Stop::PowerLoss { unflushed_bytes } = stop {
            machine.names = machine.durable_names.clone();
            for file in &mut machine.files {
                file.lose_power(unflushed_bytes);
            }
        }
        (machine.is_off, machine.crash, machine.lock) = (false, None, None);
        (machine.full_for, machine.failing_syncs) = (0, 0);
    }

    /// Lets the next so many writes find the disk full, each after half of its bytes.
    pub fn fill_up(&self, calls: u32) {
        self.machine().full_for = calls;
    }

    /// Lets the next so many flushes fail.
    pub fn fail_syncs(&self, calls: u32) {
        self.machine().failing_syncs = calls;
    }

    /// Takes the log away and leaves the mark that it was made, as an eviction does.
    pub fn evict(&self) {
        let mut machine = self.machine();
        machine.names.remove("phone.log");
        machine.durable_names.remove("phone.log");
    }

    /// Keeps everything as it is now.
    pub fn backup(&self) -> Backup {
        let machine = self.machine();
        let bytes =
            |(name, &at): (&String, &usize)| (name.clone(), machine.files[at].cached.clone());
        Backup(machine.names.iter().map(bytes).collect())
    }

    /// Puts an earlier state in the place of this one.
    pub fn restore(&self, backup: &Backup) {
        let mut machine = self.machine();
        machine.names.clear();
        for (name, bytes) in &backup.0 {
            machine.put(name, bytes.clone());
        }
        machine.durable_names = machine.names.clone();
    }

    /// The log's bytes as they are now.
    pub fn log_bytes(&self) -> Vec<u8> {
        let machine = self.machine();
        machine.names.get("phone.log").map_or_else(Vec::new, |&at| machine.files[at].cached.clone())
    }

    /// Puts other bytes in the place of the log's, behind everybody's back.
    pub fn set_log_bytes(&self, bytes: Vec<u8>) {
        let mut machine = self.machine();
        machine.put("phone.log", bytes);
        machine.durable_names = machine.names.clone();
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does an operation, unless the machine stops in it. `torn` does a part of it.
    fn act(
        &self,
        act: impl FnOnce(&mut Machine) -> io::Result<()>,
        torn: impl FnOnce(&mut Machine, usize),
    ) -> io::Result<()> {
        let mut machine = self.machine();
        machine.running()?;
        machine.ops += 1;
        let stop = machine.crash.filter(|(op, _)| *op == machine.ops);
        let Some((_, landing)) = stop else { return act(&mut machine) };
        match landing {
            Landing::Before => {}
            Landing::Torn(bytes) => torn(&mut machine, bytes),
            Landing::After => act(&mut machine)?,
        }
        machine.is_off = true;
        machine.running()
    }
}

impl Machine {
    fn running(&self) -> io::Result<()> {
        if self.is_off { Err(io::Error::other("the machine is off")) } else { Ok(()) }
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let at = *self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.files[at])
    }

    fn put(&mut self, name: &str, bytes: Vec<u8>) {
        let dirty_from = bytes.len();
        self.names.insert(name.to_owned(), self.files.len());
        self.files.push(File { durable: bytes.clone(), cached: bytes, dirty_from });
    }

    fn takes_full(&mut self) -> bool {
        let is_full = self.full_for > 0;
        self.full_for = self.full_for.saturating_sub(1);
        is_full
    }
}

impl File {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let offset = usize::try_from(offset).expect("a disk in memory fits in memory");
        let end = offset + bytes.len();
        self.cached.resize(self.cached.len().max(end), 0);
        self.cached[offset..end].copy_from_slice(bytes);
        self.dirty_from = self.dirty_from.min(offset);
    }

    fn sync(&mut self) {
        self.durable.truncate(self.dirty_from);
        self.durable.extend_from_slice(&self.cached[self.durable.len()..]);
        self.dirty_from = self.durable.len();
    }

    /// As Linux does it: the pages count as clean from then on, and the disk never saw them.
    fn fail_sync(&mut self) {
        self.durable.truncate(self.dirty_from);
        self.durable.resize(self.cached.len(), 0);
        self.dirty_from = self.cached.len();
    }

    fn lose_power(&mut self, unflushed_bytes: usize) {
        if unflushed_bytes > 0 && self.dirty_from < self.cached.len() {
            let keep = self.cached.len().min(self.dirty_from + unflushed_bytes);
            self.durable.truncate(self.dirty_from);
            self.durable.extend_from_slice(&self.cached[self.durable.len()..keep]);
        }
        self.cached.clone_from(&self.durable);
        self.dirty_from = self.durable.len();
    }
}

impl Disk for MemoryDisk {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut machine = self.machine();
        machine.running()?;
        Ok(machine.file(name).ok().map(|file| file.cached.clone()))
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        let machine = self.machine();
        machine.running()?;
        Ok(machine.names.keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let act = |machine: &mut Machine| {
            machine.names.insert(name.to_owned(), machine.files.len());
            machine.files.push(File::default());
            Ok(())
        };
        self.act(act, |_, _| {})
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let part = |machine: &mut Machine, size: usize| {
            if let Ok(file) = machine.file(name) {
                file.write(offset, &bytes[..size.min(bytes.len())]);
            }
        };
        let act = |machine: &mut Machine| {
            if machine.takes_full() {
                part(machine, bytes.len() / 2);
                return Err(io::ErrorKind::StorageFull.into());
            }
            machine.file(name)?.write(offset, bytes);
            Ok(())
        };
        self.act(act, part)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let act = |machine: &mut Machine| {
            if machine.failing_syncs > 0 {
                machine.failing_syncs -= 1;
                machine.file(name)?.fail_sync();
                return Err(io::Error::other("the disk did not answer"));
            }
            machine.file(name)?.sync();
            Ok(())
        };
        self.act(act, |_, _| {})
    }

    fn set_len(&mut self, name: &str, size_bytes: u64) -> io::Result<()> {
        let size = usize::try_from(size_bytes).expect("a disk in memory fits in memory");
        let act = |machine: &mut Machine| {
            let file = machine.file(name)?;
            file.cached.resize(size, 0);
            file.dirty_from = file.dirty_from.min(size);
            Ok(())
        };
        self.act(act, |_, _| {})
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let act = |machine: &mut Machine| {
            let at = machine.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            machine.names.insert(to.to_owned(), at);
            Ok(())
        };
        self.act(act, |_, _| {})
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let act = |machine: &mut Machine| {
            machine.names.remove(name);
            Ok(())
        };
        self.act(act, |_, _| {})
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        let act = |machine: &mut Machine| {
            machine.durable_names = machine.names.clone();
            Ok(())
        };
        self.act(act, |_, _| {})
    }

    fn lock(&mut self, _name: &str) -> io::Result<()> {
        let mut machine = self.machine();
        machine.running()?;
        if machine.lock.as_ref().and_then(std::sync::Weak::upgrade).is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let holder = Arc::new(());
        machine.lock = Some(Arc::downgrade(&holder));
        drop(machine);
        self.holder = Some(holder);
        Ok(())
    }
}
