//! The commands of the binary `doorstep`: adding one is a module, a variant and an arm.

pub mod backup;
mod client;
pub mod configuration;
pub mod day;
pub mod doctor;
pub mod import;
pub mod init;
pub mod keys;
pub mod migrate;
pub mod phone;
pub mod rebuild;
pub mod restore;
pub mod retention;
pub mod serve;
pub mod watch;
pub(crate) mod words;

use std::io::Write;
use std::path::PathBuf;

use crate::config::Effective;
use crate::telemetry;

/// Doorstep · 上门: a hall's server and the tools around it.
#[derive(Debug, clap::Parser)]
#[command(name = "doorstep", version)]
pub struct Cli {
    /// A TOML file; `DOORSTEP_<KEY>` in the environment has the last word.
    #[arg(long, global = true, env = "DOORSTEP_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serves the hall.
    Serve(serve::Serve),
    /// Makes the first hall and its first admin on a new database.
    Init(init::Init),
    /// Loads a hall from a folder of plain files.
    Import(import::Import),
    /// Follows the hall live.
    Watch(watch::Watch),
    /// Plays one whole day and checks it.
    Day(day::Day),
    /// Runs a phone in this terminal.
    Phone(phone::PhoneCommand),
    /// Derives every projection anew from the raw changes.
    Rebuild(rebuild::Rebuild),
    /// Makes a backup while the server runs, and reads it back.
    Backup(backup::Backup),
    /// Puts a backup in the database's place.
    Restore(restore::Restore),
    /// Looks at the configuration.
    Config(configuration::Configuration),
    /// Looks for what is wrong with the machine, the database and the backups.
    Doctor(doctor::Doctor),
    /// Looks at the secrets for the hall's seals, or makes another.
    Keys(keys::Keys),
    /// Says what is over by `job_days`, `photo_days` and `account_days`, and erases nothing.
    Retention(retention::Retention),
    /// Brings the database's schema up to date and stops.
    Migrate(migrate::Migrate),
}

impl Cli {
    /// Runs what was asked for.
    pub async fn run(self, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let effective = Effective::load(self.config.as_deref(), |name| std::env::var(name).ok())?;
        let config = effective.config.clone();
        telemetry::start(&config)?;
        match self.command {
            Command::Serve(serve) => serve.run(config, out).await,
            Command::Init(init) => init.run(&config, out).await,
            Command::Import(import) => import.run(&config, out).await,
            Command::Watch(watch) => watch.run(out).await,
            Command::Day(day) => day.run(out).await,
            Command::Phone(phone) => phone.run(out).await,
            Command::Rebuild(rebuild) => rebuild.run(&config, out).await,
            Command::Backup(backup) => backup.run(&config, out).await,
            Command::Restore(restore) => restore.run(&config, out).await,
            Command::Config(configuration) => {
                let variables = std::env::vars_os().filter_map(|it| it.0.into_string().ok());
                configuration.run(&effective, variables, out)
            }
            Command::Doctor(doctor) => doctor.run(&effective, self.config.as_deref(), out).await,
            Command::Keys(keys) => keys.run(&config, out).await,
            Command::Retention(retention) => retention.run(&config, out).await,
            Command::Migrate(migrate) => migrate.run(&config, out).await,
        }
    }
}
