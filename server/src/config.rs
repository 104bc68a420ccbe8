//! What an operator can set: a TOML file, then `DOORSTEP_<KEY>` from the environment.

mod read;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::identity::Role;
use crate::photos::store::Address;

pub use self::read::{Effective, Origin, variable_of, without_password};

/// A limit on bodies below this is a slip of the pen.
const SMALLEST_BODY: usize = 1024;

/// Six months: what the Cybersecurity Law (art. 21) asks of logs at least.
const LEAST_AUDIT_DAYS: u32 = 183;

/// Three years: for so long anybody can bring a claim (Civil Code, art. 188), and what shows how it was is kept.
const LEAST_RECORD_DAYS: u32 = 1096;

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
    /// The largest file taken for import. Default 32 MiB.
    pub import_body_limit_bytes: usize,
    /// Where photos are kept: a folder, or `s3://<bucket>/<prefix>?endpoint=<URL>`. Default a folder beside the SQLite file.
    pub photo_store: String,
    /// The folder of the built web applications; empty serves none.
    pub web: String,
    /// Where households reach this server, like `https://gas.example.cn`; empty sends them no links. Default empty.
    pub public_url: String,
    /// The name of the key to the bucket. Default none.
    pub photo_store_key_id: String,
    /// The key to the bucket. Default none.
    pub photo_store_secret: Secret,
    /// How many bytes of photos one phone may hand in within a day. Default 1 GiB.
    pub photo_quota_bytes: u64,
    /// How many changes one phone may hand in within a day; it keeps more and offers it again. 0 takes all. Default 50000.
    pub changes_per_day: u32,
    /// How often one log-in may be tried in a window. Default 10.
    pub login_tries_per_account: u32,
    /// How often one address may try in a window; a whole hall may share it. Default 100.
    pub login_tries_per_address: u32,
    /// The window in which tries are counted. Default 900.
    pub login_window_s: u32,
    /// For how long a password that was given counts for exports, shutting out and releases, 30 to 3600. Default 300.
    pub password_again_s: u32,
    /// Roles that do nothing at a desk before they have set up a second factor, of `dispatcher`, `hall`, `manager`, `admin`. Default none.
    pub second_factor_roles: Vec<Role>,
    /// Receivers of webhooks that may stand beside the server or speak plain HTTP, each as `host:port`. Default none.
    pub webhook_allowed: Vec<String>,
    /// Push services besides the browsers' own, each as `host:port`; these may speak plain HTTP. Default none.
    pub push_allowed: Vec<String>,
    /// Whom a push service writes to when something is wrong with this server, a `mailto:` or `https:` address. Default none of use.
    pub push_contact: String,
    /// A PEM file of authorities that may sign for receivers of webhooks besides the system's, read at each sending. Default none.
    pub webhook_ca: String,
    /// How long a connection may take to say what it asks, and may stay silent between requests; longer than the proxy in front keeps one. Default 75.
    pub head_timeout_s: u32,
    /// How long the body of a request may take to arrive. Default 300.
    pub body_timeout_s: u32,
    /// How long requests may finish after a signal to stop. Default 10.
    pub shutdown_s: u32,
    /// Who may read `/metrics`: whoever sends this as a bearer token; empty for this machine alone. Default empty.
    pub metrics_token: Secret,
    /// Below so much room beside the SQLite file the server says that it is not ready. Default 256 MiB.
    pub disk_low_bytes: u64,
    /// After how many days live events are deleted; a reader from before gets a snapshot. 0 keeps them. Default 30.
    pub live_event_days: u32,
    /// After how many days sessions, codes and counted log-ins that are over are deleted. 0 keeps them. Default 30.
    pub session_days: u32,
    /// After how many days audit entries are deleted, 183 or more. 0 keeps them. Default 400.
    pub audit_days: u32,
    /// After how many days changes released from quarantine leave it; they stay among the accepted. 0 keeps them. Default 365.
    pub quarantine_days: u32,
    /// After how many days messages of webhooks that were sent or given up leave the log. 0 keeps them. Default 30.
    pub delivery_days: u32,
    /// After how many days what was recorded and said in jobs that are over is erased, 1096 or more. 0 keeps it. Default 0.
    pub job_days: u32,
    /// After how many days pictures and signatures are erased, 1096 or more. 0 keeps them. Default 0.
    pub photo_days: u32,
    /// After how many days people who were shut out lose name, log-in, number and card, 1096 or more. 0 keeps them. Default 0.
    pub account_days: u32,
    /// Whether this server reminds people and tells who waits in vain; one of several is enough. Default `true`.
    pub reminders: bool,
    /// For how many days a phone's PIN opens its store without the hall being heard, 1 to 14. Default 7.
    pub lease_days: u32,
    /// How many days ahead of today a phone holds its technician's jobs. Default 2.
    pub near_days_ahead: u32,
    /// For how many days a phone holds jobs that are over; 0 leaves them there. Default 3.
    pub closed_days_kept: u32,
    /// A backup older than this is told by `doorstep doctor`. Default 26.
    pub backup_hours: u32,
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
            import_body_limit_bytes: 32 << 20,
            photo_store: String::new(),
            web: String::new(),
            public_url: String::new(),
            photo_store_key_id: String::new(),
            photo_store_secret: Secret(String::new()),
            photo_quota_bytes: 1 << 30,
            changes_per_day: 50_000,
            login_tries_per_account: 10,
            login_tries_per_address: 100,
            login_window_s: 900,
            password_again_s: 300,
            second_factor_roles: Vec::new(),
            webhook_allowed: Vec::new(),
            push_allowed: Vec::new(),
            push_contact: "mailto:push@doorstep.invalid".to_owned(),
            webhook_ca: String::new(),
            head_timeout_s: 75,
            body_timeout_s: 300,
            shutdown_s: 10,
            metrics_token: Secret(String::new()),
            disk_low_bytes: 256 << 20,
            live_event_days: 30,
            session_days: 30,
            audit_days: 400,
            quarantine_days: 365,
            delivery_days: 30,
            job_days: 0,
            photo_days: 0,
            account_days: 0,
            reminders: true,
            lease_days: 7,
            near_days_ahead: 2,
            closed_days_kept: 3,
            backup_hours: 26,
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
    #[error(
        "configuration file {path}: {source}; make it readable, or leave out --config and DOORSTEP_CONFIG"
    )]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is no TOML.
    #[error("{place}: {why}; each line is `key = value`, and text stands in quotes")]
    Syntax {
        /// File and line.
        place: String,
        /// What the parser said.
        why: String,
    },
    /// Nothing is called that.
    #[error("{place}: there is no key {key}: {advice}")]
    UnknownKey {
        /// File and line.
        place: String,
        /// What was written.
        key: String,
        /// What may have been meant.
        advice: String,
    },
    /// A value does not fit its key; the value itself may be a secret.
    #[error("{place}: {key} {why}")]
    Value {
        /// File and line, or the variable.
        place: String,
        /// Which key.
        key: String,
        /// What it has to be.
        why: String,
    },
    /// The place for photos cannot be.
    #[error("{0}")]
    PhotoStore(String),
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
        Effective::load(file, variable).map(|it| it.config)
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
        self.check_limits()?;
        self.check_roles()?;
        if !(30..=3600).contains(&self.password_again_s) {
            let why = format!(
                "is {}: a password counts for 30 to 3600 seconds before an act asks for it again",
                self.password_again_s
            );
            return Err(ConfigError::Value {
                place: "configuration".into(),
                key: "password_again_s".into(),
                why,
            });
        }
        if !(1..=14).contains(&self.lease_days) {
            let why = format!("is {}: a phone goes 1 to 14 days without the hall", self.lease_days);
            return Err(ConfigError::Value {
                place: "configuration".into(),
                key: "lease_days".into(),
                why,
            });
        }
        if (1..LEAST_AUDIT_DAYS).contains(&self.audit_days) {
            let why = format!(
                "is {}: who did what is kept for six months at least, so write {LEAST_AUDIT_DAYS} or more, or 0 for ever",
                self.audit_days
            );
            return Err(ConfigError::Value {
                place: "configuration".into(),
                key: "audit_days".into(),
                why,
            });
        }
        self.check_records()?;
        self.check_public_url()?;
        if let Err(error) = Address::parse(self) {
            return Err(ConfigError::PhotoStore(error.to_string()));
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log) {
            let why = format!("is no filter ({error}): write `info` or `info,server=debug`");
            return Err(ConfigError::Value {
                place: "configuration".into(),
                key: "log".into(),
                why,
            });
        }
        Ok(())
    }

    /// Limits below which nobody could be served.
    fn check_limits(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, why: String| ConfigError::Value {
            place: "configuration".into(),
            key: key.into(),
            why,
        };
        let limits = [
            ("body_limit_bytes", self.body_limit_bytes),
            ("sync_body_limit_bytes", self.sync_body_limit_bytes),
        ];
        if let Some((key, limit)) = limits.into_iter().find(|(_, limit)| *limit < SMALLEST_BODY) {
            let why = format!("is {limit}: nothing fits in less than {SMALLEST_BODY}");
            return Err(wrong(key, why));
        }
        let times =
            [("head_timeout_s", self.head_timeout_s), ("body_timeout_s", self.body_timeout_s)];
        match times.into_iter().find(|(_, limit)| *limit == 0) {
            Some((key, _)) => Err(wrong(key, "is 0: nobody is that fast".to_owned())),
            None => Ok(()),
        }
    }

    /// A technician's second factor is the phone.
    fn check_roles(&self) -> Result<(), ConfigError> {
        if self.second_factor_roles.contains(&Role::Technician) {
            return Err(ConfigError::Value {
                place: "configuration".into(),
                key: "second_factor_roles".into(),
                why: "names technicians: their second factor is the enrolled phone, so leave them out".into(),
            });
        }
        Ok(())
    }

    /// Records do not go before a claim could rest on them.
    fn check_records(&self) -> Result<(), ConfigError> {
        let days = [
            ("job_days", self.job_days),
            ("photo_days", self.photo_days),
            ("account_days", self.account_days),
        ];
        match days.into_iter().find(|(_, days)| (1..LEAST_RECORD_DAYS).contains(days)) {
            Some((key, days)) => Err(ConfigError::Value {
                place: "configuration".into(),
                key: key.into(),
                why: format!(
                    "is {days}: claims can be brought for three years, so write {LEAST_RECORD_DAYS} or more, or 0 for ever"
                ),
            }),
            None => Ok(()),
        }
    }

    /// Households are sent whole addresses.
    fn check_public_url(&self) -> Result<(), ConfigError> {
        let url = &self.public_url;
        if url.is_empty() || url.starts_with("https://") || url.starts_with("http://") {
            return Ok(());
        }
        Err(ConfigError::Value {
            place: "configuration".into(),
            key: "public_url".into(),
            why: format!("is {url}: write it whole, like https://gas.example.cn"),
        })
    }
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
    fn what_is_wrong_is_told_by_key_and_place_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("doorstep.toml");
        let cases = [
            ("log = \"info\"\nlisten = \"here\"\n", ":2: listen does not fit", "127.0.0.1:8080"),
            ("lisen = \"127.0.0.1:1\"\n", ":1: there is no key lisen", "did you mean listen?"),
            ("colour_of_the_door = 1\n", "no key colour_of_the_door", "the keys are "),
            ("\n\nlog = info\n", ":3: ", "text stands in quotes"),
            ("shutdown_s = -1\n", ":1: shutdown_s does not fit", "the default is 10"),
            ("shutdown_s = \"soon\"\n", ":1: shutdown_s does not fit", "the default is 10"),
        ];
        for (text, place, advice) in cases {
            std::fs::write(&file, text).unwrap();
            let error = Config::load(Some(&file), |_| None).unwrap_err().to_string();
            assert!(error.contains(place) && error.contains(advice), "{error}");
            assert!(error.contains("doorstep.toml"), "{error}");
        }
        let absent = dir.path().join("absent.toml");
        let error = Config::load(Some(&absent), |_| None).unwrap_err().to_string();
        assert!(error.contains("absent.toml") && error.contains("leave out --config"), "{error}");
    }

    #[test]
    fn a_wrong_variable_is_told_by_its_name() {
        let wrong = |name: &str| (name == "DOORSTEP_SHUTDOWN_S").then(|| "soon".to_owned());
        let error = Config::load(None, wrong).unwrap_err().to_string();
        assert_eq!(error, "DOORSTEP_SHUTDOWN_S: shutdown_s is not a whole number");

        let wrong = |name: &str| (name == "DOORSTEP_LISTEN").then(|| "8080".to_owned());
        let error = Config::load(None, wrong).unwrap_err().to_string();
        assert!(error.starts_with("DOORSTEP_LISTEN: listen does not fit"), "{error}");
    }

    #[test]
    fn values_that_cannot_work_are_refused_before_anything_starts() {
        let small = Config { body_limit_bytes: 1, ..Config::default() };
        let loud = Config { log: "info,=,".to_owned(), ..Config::default() };

        let brief = Config { audit_days: 90, ..Config::default() };
        assert!(brief.check().unwrap_err().to_string().contains("audit_days is 90"));
        assert!(Config { audit_days: 0, ..Config::default() }.check().is_ok());
        assert!(small.check().unwrap_err().to_string().contains("body_limit_bytes"));
        assert!(loud.check().unwrap_err().to_string().contains("log is no filter"));
        let phones = Config { second_factor_roles: vec![Role::Technician], ..Config::default() };
        assert!(phones.check().unwrap_err().to_string().contains("names technicians"));
    }

    #[test]
    fn effective_settings_name_their_origin_and_hide_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("doorstep.toml");
        std::fs::write(&file, "\nmetrics_token = \"canary-one\"\n").unwrap();
        let url = "postgres://doorstep:canary-two@db:5432/hall?password=canary-three";
        let variable = |name: &str| (name == "DOORSTEP_DATABASE").then(|| url.to_owned());

        let effective = Effective::load(Some(&file), variable).unwrap();
        let lines = effective.lines();
        let find = |key: &str| lines.iter().find(|line| line.0 == key).unwrap().clone();

        assert_eq!(find("metrics_token").2, Origin::File(file, 2));
        assert_eq!(find("database").2.to_string(), "DOORSTEP_DATABASE");
        assert_eq!(find("database").1, "\"postgres://doorstep:…@db:5432/hall?…\"");
        assert_eq!(find("log").2, Origin::Default);
        assert!(!format!("{lines:?}").contains("canary"));
        assert!(!format!("{effective:?}").contains("canary"));
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
