//! Logs: to standard error, for people or as JSON for machines.

use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Starts logging; a second start in one process changes nothing.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log)?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if config.log_json {
        logs.json().flatten_event(true).try_init()
    } else {
        logs.with_ansi(false).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging had been started already");
    }
    Ok(())
}
