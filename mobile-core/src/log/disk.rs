//! The few things a file log asks of a disk, so that a disk with faults can stand in for it.

use std::io;

/// A folder of files on something that keeps them.
///
/// Writes may be lost, torn or kept until `sync` returns; names may be lost until `sync_dir`.
pub trait Disk {
    /// Reads a whole file; `None` when there is none.
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Lists the names in the folder, sorted.
    fn list(&mut self) -> io::Result<Vec<String>>;

    /// Makes a file empty, new or not.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// Writes all bytes at an offset; after an error any prefix of them may be there.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's bytes durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Shortens a file.
    fn set_len(&mut self, name: &str, size_bytes: u64) -> io::Result<()>;

    /// Gives a file another name, in place of the one that had it.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Deletes a file; one that is not there is no error.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Lets go of a file that nobody writes any more.
    fn close(&mut self, _name: &str) {}

    /// Makes the folder's names durable.
    fn sync_dir(&mut self) -> io::Result<()>;

    /// Becomes the only writer until dropped; [`io::ErrorKind::WouldBlock`] when another is.
    fn lock(&mut self, name: &str) -> io::Result<()>;
}
