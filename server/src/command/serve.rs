//! `doorstep serve`: the hall's server until a signal stops it.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::{Config, Secret};

/// Serves the hall.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen, in place of what is configured; port 0 takes a free one.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
    /// Where photos are kept, in place of what is configured.
    #[arg(long)]
    photo_store: Option<String>,
    /// The folder of the built web applications.
    #[arg(long)]
    web: Option<String>,
    /// `manual` lets anybody on this machine set the time, to play a day.
    #[arg(long, value_enum, default_value = "system")]
    clock: ClockKind,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ClockKind {
    System,
    Manual,
}

impl Serve {
    /// Runs the command; writes one line when it listens.
    pub async fn run(self, mut config: Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        config.listen = self.listen.unwrap_or(config.listen);
        config.database = self.database.map_or(config.database, Secret);
        config.photo_store = self.photo_store.unwrap_or(config.photo_store);
        config.web = self.web.unwrap_or(config.web);
        if let ClockKind::Manual = self.clock {
            config.clock = Clock::manual(Clock::System.now());
        }
        let listen = config.listen;
        let app = crate::build(config).await?;
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("{listen} cannot be listened on: stop what uses it, or set listen to another")
        })?;
        writeln!(out, "listening on http://{}", listener.local_addr()?)?;
        out.flush()?;
        app.serve(listener, stop_signal()?).await
    }
}

/// Is ready when the system or a person asks the server to stop.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
