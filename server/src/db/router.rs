//! Which of several PostgreSQL servers takes writes, and the pool of connections to it.
//!
//! The driver knows one host and waits on a dead one. So each server is asked about itself, and the writable one that is
//! furthest in the cluster's history is used; when that changes, a new pool replaces the old one. Nothing is promoted
//! here: an operator or their tool does that.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::watch;

use super::{C, Result};

/// How often the server in use is asked whether it still takes writes.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// How long a server may take to answer that.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// How long a request waits while there is no server to write to.
const PATIENCE: Duration = Duration::from_secs(3);

/// The most connections that this process takes.
const CONNECTIONS: u32 = 16;

/// Connections to the server that takes writes, wherever it is.
#[derive(Clone, Debug)]
pub struct Router(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hosts: Vec<PgConnectOptions>,
    chosen: RwLock<Option<Chosen>>,
    /// Counts how often another server was chosen, or none.
    moved: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
struct Chosen {
    host: usize,
    pool: PgPool,
}

/// What a server said of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Writable {
    /// Grows with each promotion.
    timeline: u32,
}

impl Router {
    /// Finds the server that takes writes and keeps looking whether it still does.
    pub(super) async fn start(options: PgConnectOptions, hosts: &[(String, u16)]) -> Result<Self> {
        let mut each: Vec<PgConnectOptions> =
            hosts.iter().map(|(host, port)| options.clone().host(host).port(*port)).collect();
        if each.is_empty() {
            each.push(options);
        }
        let inner = Inner { hosts: each, chosen: RwLock::new(None), moved: watch::Sender::new(0) };
        let router = Self(Arc::new(inner));
        router.choose().await?;
        tokio::spawn(watch_over(Arc::downgrade(&router.0)));
        Ok(router)
    }

    /// The pool in use; waits a moment while there is none.
    pub async fn pool(&self) -> Result<PgPool> {
        let mut moved = self.moved();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(pool) = self.0.current().map(|it| it.pool) {
                    return pool;
                }
                drop(moved.changed().await);
            }
        });
        found.await.map_err(|_| sqlx::Error::PoolTimedOut)
    }

    /// Changes when another server is used from now on, or none.
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.0.moved.subscribe()
    }

    /// Closes the connections; nothing is looked for afterwards.
    pub async fn close(&self) {
        // It stays chosen: with none chosen, whoever watches would find another one and open it.
        if let Some(chosen) = self.0.current() {
            chosen.pool.close().await;
        }
    }

    async fn choose(&self) -> Result<()> {
        self.0.choose().await
    }
}

impl Inner {
    fn current(&self) -> Option<Chosen> {
        self.chosen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, next: Option<Chosen>) -> Option<Chosen> {
        let mut chosen = self.chosen.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *chosen, next);
        drop(chosen);
        self.moved.send_modify(|count| *count += 1);
        before
    }

    /// Asks every server and takes the writable one on the highest timeline.
    async fn choose(&self) -> Result<()> {
        let mut asked = tokio::task::JoinSet::new();
        for (host, options) in self.hosts.iter().cloned().enumerate() {
            asked.spawn(async move { (host, ask(&options).await) });
        }
        let mut best: Option<(Writable, usize)> = None;
        let mut failed = sqlx::Error::PoolTimedOut;
        while let Some(Ok((host, answer))) = asked.join_next().await {
            match answer {
                Ok(Some(writable)) => best = best.max(Some((writable, host))),
                Ok(None) => {}
                Err(error) => failed = error,
            }
        }
        let Some((_, host)) = best else {
            if let Some(gone) = self.replace_if_any() {
                // Closing may hang on a dead server; nobody waits for it.
                tokio::spawn(async move { gone.pool.close().await });
            }
            return Err(failed);
        };
        let pool = open_pool(self.hosts[host].clone());
        let before = self.replace(Some(Chosen { host, pool }));
        tracing::info!(host, "the database server that takes writes was chosen");
        if let Some(before) = before {
            tokio::spawn(async move { before.pool.close().await });
        }
        Ok(())
    }

    fn replace_if_any(&self) -> Option<Chosen> {
        self.current()?;
        tracing::warn!("no database server takes writes");
        self.replace(None)
    }
}

/// Looks again and again, until nobody uses the router any more.
async fn watch_over(inner: std::sync::Weak<Inner>) {
    let mut tick = tokio::time::interval(PROBE_EVERY);
    loop {
        tick.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let chosen = inner.current();
        if chosen.as_ref().is_some_and(|it| it.pool.is_closed()) {
            return;
        }
        let is_well = match &chosen {
            Some(chosen) => matches!(ask(&inner.hosts[chosen.host]).await, Ok(Some(_))),
            None => false,
        };
        if !is_well && let Err(error) = inner.choose().await {
            tracing::warn!(error = error.to_string(), "no database server takes writes");
        }
    }
}

/// Whether a server takes writes; an error when it does not answer in time.
async fn ask(options: &PgConnectOptions) -> Result<Option<Writable>> {
    let asked = async {
        let mut conn = PgConnection::connect_with(options).await?;
        let follows: bool = C::Pg(&mut conn).q("select pg_is_in_recovery()").scalar().await?;
        if follows {
            return Ok(None);
        }
        // The control file still tells the old timeline until a checkpoint after a promotion.
        let file: String = C::Pg(&mut conn)
            .q("select pg_walfile_name(pg_current_wal_insert_lsn())")
            .scalar()
            .await?;
        drop(conn.close().await);
        let timeline = file.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Ok(Some(Writable { timeline: timeline.unwrap_or(0) }))
    };
    tokio::time::timeout(PROBE_LIMIT, asked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn open_pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|conn, _| {
            Box::pin(async move {
                let follows: bool = C::Pg(conn).q("select pg_is_in_recovery()").scalar().await?;
                if follows { Err(sqlx::Error::PoolClosed) } else { Ok(()) }
            })
        })
        .connect_lazy_with(options)
}
