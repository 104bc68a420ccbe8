//! The machine: its disk, its permissions, its clock.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::{Finding, bad, ok, warn};
use crate::config::Config;
use crate::db::lone::sqlite_file;
use crate::disk;

/// Syncs that are timed.
const SYNCS: u32 = 16;

/// No disk that keeps what it confirms is faster than this.
const TOO_FAST: Duration = Duration::from_micros(15);

/// Clocks that differ by more are told.
const CLOCK_SLACK_S: i64 = 5;

pub(super) fn examine(config: &Config, file: Option<&Path>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(file) = file {
        findings.push(readable_by_others(file, "the configuration file"));
    }
    let Some(database) = sqlite_file(&config.database.0) else { return findings };
    let folder = database.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if database.exists() {
        findings.push(readable_by_others(database, "the database"));
    }
    findings.push(room(config, database));
    if matches!(disk::is_in_memory(database), Ok(true)) {
        findings.push(bad(
            format!("{} is in memory and gone after a restart of the machine", folder.display()),
            "put the database on a disk",
        ));
    } else {
        findings.push(syncs(folder));
    }
    findings
}

fn room(config: &Config, database: &Path) -> Finding {
    let mib = |bytes: u64| bytes >> 20;
    match disk::free_bytes(database) {
        Ok(free) if free < config.disk_low_bytes => bad(
            format!("{} MiB are free beside the database", mib(free)),
            "make room: below disk_low_bytes the server says that it is not ready",
        ),
        Ok(free) if free < config.disk_low_bytes.saturating_mul(4) => {
            warn(format!("{} MiB are free beside the database", mib(free)), "make room soon")
        }
        Ok(free) => ok(format!("{} MiB are free beside the database", mib(free))),
        Err(error) => bad(
            format!("the room beside the database cannot be told: {error}"),
            "see whether its folder is there and may be read",
        ),
    }
}

/// Whether the disk really writes when it is told to.
fn syncs(folder: &Path) -> Finding {
    match time_syncs(folder) {
        Ok(took) if took < TOO_FAST => warn(
            format!(
                "a sync to disk takes {} µs: faster than any disk that keeps its word",
                took.as_micros()
            ),
            "see whether a write cache without a battery, or a virtual disk with cache=unsafe, confirms too early",
        ),
        Ok(took) => ok(format!("a sync to disk takes {} µs", took.as_micros())),
        Err(error) => bad(
            format!("{} cannot be written: {error}", folder.display()),
            "make the folder writable for the server's user, or mount it for writing",
        ),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the disk takes is what is asked")]
fn time_syncs(folder: &Path) -> std::io::Result<Duration> {
    let mut file = tempfile::tempfile_in(folder)?;
    let began = std::time::Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(began.elapsed() / SYNCS)
}

fn readable_by_others(path: &Path, what: &str) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(metadata) if others_may(&metadata) && others_reach(path) => warn(
            format!("{what} {shown} may be read by everybody on this machine"),
            format!("chmod o-rwx {shown}"),
        ),
        Ok(_) => ok(format!("{what} {shown} is closed to others")),
        Err(error) => {
            bad(format!("{what} {shown}: {error}"), "make it readable for the server's user")
        }
    }
}

#[cfg(unix)]
fn others_may(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o007 != 0
}

/// Whether every folder on the way lets others through.
#[cfg(unix)]
fn others_reach(path: &Path) -> bool {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let lets_through = |folder: &Path| {
        let metadata = std::fs::metadata(folder);
        metadata
            .is_ok_and(|it| std::os::unix::fs::PermissionsExt::mode(&it.permissions()) & 0o001 != 0)
    };
    path.ancestors().skip(1).all(lets_through)
}

#[cfg(not(unix))]
fn others_reach(_path: &Path) -> bool {
    true
}

#[cfg(not(unix))]
fn others_may(_metadata: &std::fs::Metadata) -> bool {
    false
}

/// Compares this clock with the one in a server's replies.
pub(super) async fn compare_clock(config: &Config, server: &str) -> Finding {
    let asked = async {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().ok()?;
        let response = client.get(server).send().await.ok()?;
        let date = response.headers().get("date")?.to_str().ok()?.to_owned();
        chrono::DateTime::parse_from_rfc2822(&date).ok()
    };
    let Some(theirs) = asked.await else {
        return warn(format!("{server} tells no time"), "name a server that answers HTTP");
    };
    let differs_s = (config.clock.now() - theirs.to_utc()).num_seconds();
    if differs_s.abs() > CLOCK_SLACK_S {
        bad(
            format!("this clock and that of {server} differ by {differs_s} s"),
            "set both by NTP: punctuality is judged by the server's time",
        )
    } else {
        ok(format!("this clock and that of {server} agree"))
    }
}
