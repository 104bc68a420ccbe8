//! What a native phone asks of its operating system: files, the time, chance.

mod disk;

use std::fs;
use std::path::Path;
use std::time::{Instant, SystemTime};

use domain::stamp::{BootId, Timestamp};

pub use disk::NativeDisk;

use crate::clock::{Clock, Moment, Rng};
use crate::log::StoreError;
use crate::log::file::FileLog;

/// Opens the log in a folder, becoming its one writer.
pub fn open_log(folder: &Path) -> Result<FileLog<NativeDisk>, StoreError> {
    let disk = NativeDisk::open(folder).map_err(|error| StoreError::Broken(error.to_string()))?;
    FileLog::open(disk)
}

/// The operating system's clocks.
///
/// Where the system tells its boot and the time since then (Linux, Android), stamps of several
/// processes compare; elsewhere each process counts as a boot of its own.
#[derive(Clone, Copy, Debug)]
pub struct NativeClock {
    boot: BootId,
    uptime: Uptime,
}

#[derive(Clone, Copy, Debug)]
enum Uptime {
    System,
    Process(Instant),
}

impl NativeClock {
    /// Finds out which boot this is.
    pub fn start() -> Self {
        let boot = fs::read("/proc/sys/kernel/random/boot_id").ok();
        if let (Some(id), Some(_)) = (boot, system_uptime_ms()) {
            let hash = blake3::hash(&id);
            let first = hash.as_bytes()[..4].try_into().expect("a hash has 32 bytes");
            return Self { boot: BootId(u32::from_le_bytes(first)), uptime: Uptime::System };
        }
        let mut drawn = [0; 4];
        NativeRng.fill(&mut drawn);
        Self { boot: BootId(u32::from_le_bytes(drawn)), uptime: Uptime::Process(process_now()) }
    }
}

impl Clock for NativeClock {
    fn now(&self) -> Moment {
        let mono_ms = match self.uptime {
            Uptime::System => system_uptime_ms().unwrap_or(0),
            Uptime::Process(since) => {
                let ms = process_now().duration_since(since).as_millis();
                i64::try_from(ms).unwrap_or(i64::MAX)
            }
        };
        Moment { wall_at: wall_now(), boot: self.boot, mono_ms }
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug)]
pub struct NativeRng;

impl Rng for NativeRng {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the system's wall clock")]
fn wall_now() -> Timestamp {
    SystemTime::now().into()
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the process's clock")]
fn process_now() -> Instant {
    Instant::now()
}

/// Milliseconds since the boot, sleep included, in steps of ten.
fn system_uptime_ms() -> Option<i64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, rest) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: i64 = rest.get(..2)?.parse().ok()?;
    Some(seconds.parse::<i64>().ok()? * 1000 + hundredths * 10)
}
