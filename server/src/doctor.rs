//! A look at everything that can be wrong around a server, each finding with what to do.

mod database;
mod machine;
mod photos;

use std::fmt;
use std::path::Path;

use crate::config::Config;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Will be bad when nobody looks after it.
    Warn,
    /// Data is at risk or the server cannot work.
    Bad,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        })
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was seen; no personal data.
    pub says: String,
    /// What to do; empty when all is well.
    pub advice: String,
}

fn ok(says: impl Into<String>) -> Finding {
    Finding { level: Level::Ok, says: says.into(), advice: String::new() }
}

fn warn(says: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { level: Level::Warn, says: says.into(), advice: advice.into() }
}

fn bad(says: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { level: Level::Bad, says: says.into(), advice: advice.into() }
}

/// Looks at everything; changes nothing.
pub async fn examine(config: &Config, file: Option<&Path>, server: Option<&str>) -> Vec<Finding> {
    let mut findings = vec![match config.check() {
        Ok(()) => ok("the configuration holds"),
        Err(error) => bad(error.to_string(), "run `doorstep config check`"),
    }];
    findings.extend(machine::examine(config, file));
    if let Some(server) = server {
        findings.push(machine::compare_clock(config, server).await);
    }
    findings.extend(database::examine(config).await);
    findings.extend(photos::examine(config).await);
    findings
}

/// A span of time for people.
fn span(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => format!("{} s", ms / 1000),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}
