//! What an operator can set: a TOML file, then `DOORSTEP_<KEY>` from the environment.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// Every key with its default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `sqlite:<path>` or `postgres://…`. Default `sqlite:doorstep.db`.
    pub database: Secret,
    /// PostgreSQL servers as `host:port`, of which one takes writes; they take the place of the URL's. Default none.
    pub database_hosts: Vec<String>,
    /// What to log, as `tracing` filters say it. Default `info`.
    pub log: String,
    /// Whether to log JSON, one object a line. Default `false`.
    pub log_json: bool,
    /// Says that a proxy in front speaks TLS; without it only loopback is listened on. Default `false`.
    pub behind_tls: bool,
    /// Proxies whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<IpAddr>,
    /// The longest body of a request, unpacked. Default 1 MiB.
    pub body_limit_bytes: usize,
    /// The longest body of a sync request, unpacked. Default 8 MiB.
    pub sync_body_limit_bytes: usize,
    /// Where photos are kept: a folder, or `s3://<bucket>/<prefix>`. Default a folder beside the SQLite file.
    pub photo_store: String,
    /// How many bytes of photos one phone may hand in within a day. Default 1 GiB.
    pub photo_quota_bytes: u64,
    /// How often one log-in may be tried in a window. Default 10.
    pub login_tries_per_account: u32,
    /// How often one address may try in a window; a whole hall may share it. Default 100.
    pub login_tries_per_address: u32,
    /// The window in which tries are counted. Default 900.
    pub login_window_s: u32,
    /// How long requests may finish after a signal to stop. Default 10.
    pub shutdown_s: u32,
    /// Where the time comes from; a command-line flag, so that no file slips it into production.
    #[serde(skip)]
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: Secret("sqlite:doorstep.db".to_owned()),
            database_hosts: Vec::new(),
            log: "info".to_owned(),
            log_json: false,
            behind_tls: false,
            trusted_proxies: Vec::new(),
            body_limit_bytes: 1 << 20,
            sync_body_limit_bytes: 8 << 20,
            photo_store: String::new(),
            photo_quota_bytes: 1 << 30,
            login_tries_per_account: 10,
            login_tries_per_address: 100,
            login_window_s: 900,
            shutdown_s: 10,
            clock: Clock::System,
        }
    }
}

/// A value that is never printed, because a database URL holds a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("configuration file {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is no TOML or a key is not known.
    #[error("configuration: {0}")]
    Toml(#[from] toml::de::Error),
    /// A variable's value does not fit its key.
    #[error("{variable} is not {kind}")]
    Variable {
        /// Its name; the value may be a secret.
        variable: String,
        /// What it has to be.
        kind: &'static str,
    },
    /// What is set would put people's data at risk.
    #[error("{0}")]
    Unsafe(&'static str),
}

impl Config {
    /// Reads a file, when there is one, and what the environment says over it.
    pub fn load(
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.display().to_string(), source })?,
            None => String::new(),
        };
        let mut table: toml::Table = text.parse()?;
        let keys = toml::Table::try_from(Self::default()).expect("the defaults are TOML");
        for (key, default) in keys {
            let name = format!("DOORSTEP_{}", key.to_uppercase());
            if let Some(value) = variable(&name) {
                table.insert(key, like(&default, &value, name)?);
            }
        }
        Ok(table.try_into()?)
    }

    /// Refuses to listen where anybody could read along or set the time.
    pub fn check(&self) -> Result<(), ConfigError> {
        let loopback = self.listen.ip().is_loopback();
        if !loopback && self.clock.is_manual() {
            return Err(ConfigError::Unsafe("a manual clock is for loopback only"));
        }
        if !loopback && !self.behind_tls {
            return Err(ConfigError::Unsafe(
                "only loopback is listened on without TLS: put a proxy in front and set behind_tls = true",
            ));
        }
        Ok(())
    }
}

/// Reads a variable as a value of the default's kind; lists are separated by commas.
fn like(default: &toml::Value, text: &str, variable: String) -> Result<toml::Value, ConfigError> {
    let text = text.trim();
    let (value, kind) = match default {
        toml::Value::Integer(_) => (text.parse().ok().map(toml::Value::Integer), "a whole number"),
        toml::Value::Boolean(_) => (text.parse().ok().map(toml::Value::Boolean), "true or false"),
        toml::Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items = items.map(|item| toml::Value::String(item.to_owned()));
            (Some(toml::Value::Array(items.collect())), "a list")
        }
        toml::Value::String(_)
        | toml::Value::Float(_)
        | toml::Value::Datetime(_)
        | toml::Value::Table(_) => (Some(toml::Value::String(text.to_owned())), "text"),
    };
    value.ok_or(ConfigError::Variable { variable, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_has_the_last_word() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("doorstep.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:9000\"\nlog = \"warn\"\n").unwrap();
        let variable = |name: &str| match name {
            "DOORSTEP_LOG" => Some("debug".to_owned()),
            "DOORSTEP_TRUSTED_PROXIES" => Some("10.0.0.1, ::1".to_owned()),
            "DOORSTEP_BODY_LIMIT_BYTES" => Some("7".to_owned()),
            _ => None,
        };

        let config = Config::load(Some(&file), variable).unwrap();

        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.log, "debug");
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.body_limit_bytes, 7);
    }

    #[test]
    fn an_unknown_key_and_a_wrong_value_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("doorstep.toml");
        std::fs::write(&file, "lisssten = 1\n").unwrap();
        let wrong = |name: &str| (name == "DOORSTEP_SHUTDOWN_S").then(|| "soon".to_owned());

        assert!(matches!(Config::load(Some(&file), |_| None), Err(ConfigError::Toml(_))));
        let error = Config::load(None, wrong).unwrap_err().to_string();
        assert_eq!(error, "DOORSTEP_SHUTDOWN_S is not a whole number");
    }

    #[test]
    fn check_46_a_database_password_is_not_printed() {
        let url = "postgres://doorstep:canary@db/doorstep";
        let set = |name: &str| (name == "DOORSTEP_DATABASE").then(|| url.to_owned());

        let config = Config::load(None, set).unwrap();

        assert_eq!(config.database.0, url);
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn check_37_beyond_loopback_only_behind_tls() {
        let open = Config { listen: ([0, 0, 0, 0], 0).into(), ..Config::default() };
        let proxied = Config { behind_tls: true, ..open.clone() };
        let played = Config { clock: Clock::manual(Clock::System.now()), ..proxied.clone() };

        assert!(open.check().is_err());
        assert!(proxied.check().is_ok());
        assert!(played.check().is_err());
    }
}
