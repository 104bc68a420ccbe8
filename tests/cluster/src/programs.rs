//! PostgreSQL's own programs, and who runs them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ClusterError, Result, system};

/// Where the programs are, and as whom they run.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// User and group in place of root.
    instead: Option<(u32, u32)>,
}

impl Programs {
    /// Finds the newest installed ones.
    pub fn find() -> Result<Self> {
        let folder = installed().ok_or(ClusterError::NotInstalled)?;
        let instead = if number(&["-u"]) == Some(0) {
            let user = number(&["-u", "postgres"]).zip(number(&["-g", "postgres"]));
            Some(user.ok_or(ClusterError::NoUser)?)
        } else {
            None
        };
        Ok(Self { folder, instead })
    }

    /// One of them, ready for its arguments.
    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        // The caller's folder may be closed to the other user.
        command.current_dir("/").env("LC_ALL", "C");
        if let Some((user, group)) = self.instead {
            command.uid(user).gid(group);
        }
        command
    }

    /// Writes a file that only they may read.
    pub(super) fn keep_secret(&self, path: &Path, text: &str) -> Result<()> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(system("a secret"))?;
        file.write_all(text.as_bytes()).map_err(system("a secret"))?;
        let Some((user, group)) = self.instead else { return Ok(()) };
        chown(path, Some(user), Some(group)).map_err(system("a secret"))
    }

    /// A temporary folder that they may write to.
    pub(super) fn folder(&self) -> Result<tempfile::TempDir> {
        let folder = tempfile::Builder::new().prefix("doorstep-postgres-").tempdir();
        let folder = folder.map_err(system("a temporary folder"))?;
        if let Some((user, group)) = self.instead {
            chown(folder.path(), Some(user), Some(group)).map_err(system("a temporary folder"))?;
        }
        Ok(folder)
    }
}

/// Debian keeps each version in a folder of its own; elsewhere they are on the path.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |entry: &std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let newest = versions.filter(|it| version(it).is_some()).max_by_key(version);
    let folders = newest.map(|entry| entry.path().join("bin")).into_iter();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.chain(std::env::split_paths(&path));
    let has_all = |folder: &Path| {
        ["initdb", "postgres", "pg_basebackup"].iter().all(|name| folder.join(name).is_file())
    };
    folders.into_iter().find(|folder| has_all(folder))
}

fn number(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
