//! The hall: identity, the sync endpoint, REST for the console, the live stream, reports, and the
//! commands of the binary `doorstep`.
//!
//! What it is not: a place for rules of the trade (`domain`) or for how changes merge (`sync`).
//! Three types to know: [`App`], a server that is ready to listen; [`db::Db`], one set of queries
//! for SQLite and PostgreSQL; [`http::error::ApiError`], every way in which a request is refused.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! let app = server::build(server::config::Config::default()).await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! app.serve(listener, std::future::pending()).await
//! # }
//! ```

pub mod applications;
pub mod audit;
pub mod backup;
pub mod board;
pub mod cases;
pub mod cash;
pub mod clock;
pub mod command;
pub mod config;
pub mod db;
pub mod disk;
pub mod doctor;
pub mod doubts;
pub mod due;
pub mod erasure;
pub mod exchange;
pub mod export;
pub mod figures;
pub mod hazards;
pub mod http;
pub mod identity;
pub mod ids;
pub mod import;
pub mod items;
pub mod jobs;
pub mod leak;
pub mod ledger;
pub mod listen;
pub mod live;
pub mod metrics;
pub mod minute;
pub mod near;
pub mod outage;
pub mod packs;
pub mod photos;
pub mod places;
pub mod plan;
pub mod projection;
pub mod reach;
pub mod reminders;
pub mod reports;
pub mod retry;
pub mod state;
pub mod telemetry;
pub mod told;
pub mod twice;
pub mod unreached;
pub mod upkeep;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use ::sync::hub::hall_actor;
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Config;
use crate::db::{Db, halls};
use crate::identity::password::Passwords;
use crate::packs::Packs;
use crate::photos::Photos;
use crate::photos::store::Store;
use crate::state::AppState;

/// How long the audit's clerk may take to write what is left.
const CLERK_LEAVES: Duration = Duration::from_secs(2);

/// A server that is ready to listen.
#[derive(Debug)]
pub struct App {
    /// What its requests reach.
    pub state: AppState,
    audit: audit::Queue,
    closing: watch::Sender<bool>,
}

/// Opens the database and makes everything ready.
pub async fn build(config: Config) -> anyhow::Result<App> {
    config.check()?;
    let db = Db::open_at(&config.database.0, &config.database_hosts).await;
    let db = db.context("the database cannot be opened")?;
    let mut tx = db.begin().await?;
    let now = config.clock.now();
    let (epoch, seal_key) = (ids::fresh_uuid(now), ids::random_bytes());
    halls::ensure_epoch(tx.c(), epoch, seal_key, now.timestamp_millis()).await?;
    packs::ensure_builtin(tx.c(), now.timestamp_millis()).await?;
    tx.commit().await?;
    upkeep::look_at_clock(&db, now.timestamp_millis()).await?;
    let (closing, receiver) = watch::channel(false);
    let passwords = Passwords::new()?;
    let clock = config.clock.clone();
    let photos = Photos::new(Store::open(&config)?);
    let (audit, queue) = audit::Audit::new();
    let bell = live::join_nodes(&db, &receiver);
    let state = AppState {
        db,
        clock,
        config: Arc::new(config),
        passwords,
        actor: hall_actor(ids::random_bytes()),
        packs: Packs::default(),
        photos,
        bell,
        audit,
        metrics: metrics::Metrics::default(),
        strangers: told::limit::Limiter::default(),
        closing: receiver,
    };
    Ok(App { state, audit: queue, closing })
}

impl App {
    /// Serves until `stop` is ready, then lets requests finish for a bounded time.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let router = http::router(&self.state);
        let patience = Duration::from_secs(u64::from(self.state.config.shutdown_s));
        let mut stopped = self.state.closing.clone();
        let announce = self.closing.clone();
        let stopping = tokio::spawn(async move {
            stop.await;
            tracing::info!("stopping");
            announce.send_replace(true);
        });
        let head = Duration::from_secs(u64::from(self.state.config.head_timeout_s));
        let serving = listen::serve(listener, router, head, {
            let mut stopped = stopped.clone();
            async move {
                drop(stopped.wait_for(|stopped| *stopped).await);
            }
        });
        let sweeping = tokio::spawn(sweep_photos(self.state.clone()));
        let clerk = tokio::spawn(audit::clerk::run(self.state.clone(), self.audit));
        let keeping = tokio::spawn(upkeep::run(self.state.clone()));
        let telling = tokio::spawn(told::courier::run(self.state.clone()));
        let reminding = tokio::spawn(minute::run(self.state.clone()));
        let calling = tokio::spawn(leak::run(self.state.clone()));
        tokio::select! {
            () = serving => {}
            () = webhooks::sender::run(self.state.clone()) => {}
            () = reach::sender::run(self.state.clone()) => {}
            () = async {
                drop(stopped.wait_for(|stopped| *stopped).await);
                tokio::time::sleep(patience).await;
            } => tracing::warn!("requests were cut off after {} s", patience.as_secs()),
        }
        stopping.abort();
        // Writes what was read until now; a database that is away keeps nobody waiting.
        drop(tokio::time::timeout(CLERK_LEAVES, clerk).await);
        sweeping.abort();
        keeping.abort();
        telling.abort();
        reminding.abort();
        calling.abort();
        self.state.db.close().await;
        Ok(())
    }
}

/// Says when photos cannot be kept, then forgets unfinished uploads, now and every hour.
async fn sweep_photos(state: AppState) {
    if let Err(error) = state.photos.probe().await {
        tracing::error!(%error, "photos wait on the phones until this is seen to");
    }
    let mut hours = tokio::time::interval(Duration::from_hours(1));
    loop {
        hours.tick().await;
        match photos::sweep(&state).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(photo.uploads = count, "unfinished uploads were forgotten"),
            Err(error) => tracing::error!(%error, "unfinished uploads cannot be looked through"),
        }
    }
}
