//! Databases for tests that run on files and on a server alike.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Programs, Result, check, system};

/// The URL of a database of one's own: a file in the folder, or on the PostgreSQL server that
/// `DOORSTEP_TEST_POSTGRES` names (`postgres://user@host:port/postgres`) a new one.
pub fn fresh_database(folder: &Path) -> Result<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("DOORSTEP_TEST_POSTGRES") else {
        return Ok(format!("sqlite:{}", folder.join("hall.db").display()));
    };
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("test_{}_{number}", std::process::id());
    psql(&server, &format!("create database {name} template template0"))?;
    Ok(format!("{}/{name}", split(&server).0))
}

/// Makes one database a copy of another that nobody has open; what was in it is gone.
pub fn copy_database(from: &str, to: &str) -> Result<()> {
    if let (Some(from), Some(to)) = (from.strip_prefix("sqlite:"), to.strip_prefix("sqlite:")) {
        for rest in ["-wal", "-shm"] {
            // Usually not there: the last who closes the file removes them.
            drop(std::fs::remove_file(format!("{to}{rest}")));
        }
        return std::fs::copy(from, to).map(drop).map_err(system("copy a database"));
    }
    let ((server, from), (_, to)) = (split(from), split(to));
    let server = format!("{server}/postgres");
    psql(&server, &format!("drop database if exists {to} with (force)"))?;
    psql(&server, &format!("create database {to} template {from}"))
}

fn split(url: &str) -> (&str, &str) {
    url.rsplit_once('/').unwrap_or((url, ""))
}

fn psql(server: &str, statement: &str) -> Result<()> {
    let said = Programs::find()?
        .command("psql")
        .args(["--no-psqlrc", "--quiet", "--dbname", server, "--command", statement])
        .output();
    check("psql", said).map(drop)
}
