//! What the disk under a file is like.

use std::io;
use std::path::Path;

/// How many bytes may still be written beside a file or in a folder.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(existing(path))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Not told on this system.
#[cfg(not(unix))]
pub fn free_bytes(_path: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// Whether the file is in memory only, and gone after a restart of the machine.
#[cfg(target_os = "linux")]
pub fn is_in_memory(path: &Path) -> io::Result<bool> {
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    const RAMFS: rustix::fs::FsWord = 0x8584_58f6;
    let kind = rustix::fs::statfs(existing(path))?.f_type;
    Ok(matches!(kind, TMPFS | RAMFS))
}

/// Not told on this system.
#[cfg(not(target_os = "linux"))]
pub fn is_in_memory(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The path or the nearest folder above it that is there.
fn existing(path: &Path) -> &Path {
    let found = path.ancestors().find(|it| !it.as_os_str().is_empty() && it.exists());
    found.unwrap_or(Path::new("."))
}
