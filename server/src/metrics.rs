//! Figures for Prometheus; no personal data: routes, statuses, counts and ages alone.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sync::hub::Outcome;

use crate::db::lone::sqlite_file;
use crate::db::upkeep::{self, Queue};
use crate::db::{Result, halls};
use crate::disk;
use crate::state::AppState;

/// Upper bounds of request durations, seconds.
const BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// A phone that was not heard for so long is silent.
const SILENT_MS: i64 = 24 * 3_600_000;

/// What a server counts about itself.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Figures>);

#[derive(Debug)]
struct Figures {
    registry: Registry,
    requests: Family<Request, Histogram, fn() -> Histogram>,
    changes: Family<Change, Counter>,
    live_readers: Gauge,
    connections: Family<Connections, Gauge>,
    feed_position: Family<Hall, Gauge>,
    queue: Family<Waits, Gauge>,
    queue_age: Family<Waits, Gauge<f64, AtomicU64>>,
    phones_silent: Gauge,
    backup_age: Gauge<f64, AtomicU64>,
    disk_free: Gauge,
    clock_behind: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Change {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Hall {
    hall: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waits {
    queue: &'static str,
}

/// Counts one reader of the live stream until it is dropped.
#[derive(Debug)]
pub struct LiveReader(Gauge);

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut figures = Figures {
            registry: Registry::with_prefix("doorstep"),
            requests: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            changes: Family::default(),
            live_readers: Gauge::default(),
            connections: Family::default(),
            feed_position: Family::default(),
            queue: Family::default(),
            queue_age: Family::default(),
            phones_silent: Gauge::default(),
            backup_age: Gauge::default(),
            disk_free: Gauge::default(),
            clock_behind: Gauge::default(),
        };
        figures.register();
        Self(Arc::new(figures))
    }
}

impl Figures {
    fn register(&mut self) {
        let it = &mut self.registry;
        let requests = "Time until a reply began";
        it.register("request_seconds", requests, self.requests.clone());
        it.register("sync_changes", "Changes that phones handed in", self.changes.clone());
        it.register("live_readers", "Open live streams", self.live_readers.clone());
        it.register("db_connections", "Connections to the database", self.connections.clone());
        it.register("feed_position", "Last position of a hall", self.feed_position.clone());
        it.register("queue_length", "What waits for somebody", self.queue.clone());
        it.register("queue_oldest_seconds", "Age of the oldest in it", self.queue_age.clone());
        let silent = "Phones that were not heard for a day";
        it.register("phones_silent", silent, self.phones_silent.clone());
        let backup = "Age of the newest verified backup, -1 without one";
        it.register("backup_age_seconds", backup, self.backup_age.clone());
        it.register("disk_free_bytes", "Room beside the SQLite file", self.disk_free.clone());
        let behind = "How far the clock is behind the time that the database knows";
        it.register("clock_behind_seconds", behind, self.clock_behind.clone());
    }
}

impl Metrics {
    /// Counts a reply; the route, never the URL.
    pub fn count_request(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let label = Request { method: method.to_owned(), route: route.to_owned(), status };
        self.0.requests.get_or_create(&label).observe(seconds);
    }

    /// Counts what became of a change, after the commit.
    pub fn count_change(&self, outcome: &Outcome) {
        let verdict = match outcome {
            Outcome::Accepted => "accepted",
            Outcome::Duplicate { .. } => "duplicate",
            Outcome::Waiting => "waiting",
            Outcome::Quarantined(_) => "quarantined",
        };
        self.0.changes.get_or_create(&Change { verdict }).inc();
    }

    /// Counts a reader of the live stream.
    pub fn live_reader(&self) -> LiveReader {
        self.0.live_readers.inc();
        LiveReader(self.0.live_readers.clone())
    }

    /// Everything as Prometheus reads it; looks at the database first.
    pub async fn tell(&self, state: &AppState) -> Result<String> {
        self.look(state).await?;
        let mut text = String::new();
        encode(&mut text, &self.0.registry).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(text)
    }

    async fn look(&self, state: &AppState) -> Result<()> {
        let (figures, now_ms) = (&self.0, state.clock.now_ms());
        let (open, idle) = state.db.connections().await?;
        figures.connections.get_or_create(&Connections { state: "open" }).set(open);
        figures.connections.get_or_create(&Connections { state: "idle" }).set(idle);
        let mut conn = state.db.read().await?;
        for hall in halls::list_halls(conn.c()).await? {
            let label = Hall { hall: hall.hall_id.to_string() };
            figures.feed_position.get_or_create(&label).set(hall.next_position - 1);
        }
        self.queue("quarantine", upkeep::count_quarantine(conn.c()).await?, now_ms);
        self.queue("waiting", upkeep::count_waiting(conn.c()).await?, now_ms);
        self.queue("phones", upkeep::count_pending_phones(conn.c()).await?, now_ms);
        let silent = upkeep::count_silent_phones(conn.c(), now_ms - SILENT_MS).await?;
        figures.phones_silent.set(silent);
        let latest = upkeep::find_latest_backup(conn.c()).await?;
        figures.backup_age.set(latest.map_or(-1.0, |it| seconds(now_ms - it.made_at)));
        let known = upkeep::find_clock(conn.c()).await?.unwrap_or(now_ms);
        figures.clock_behind.set(seconds((known - now_ms).max(0)));
        if let Some(free) = sqlite_file(&state.config.database.0).map(disk::free_bytes) {
            figures.disk_free.set(i64::try_from(free.unwrap_or(0)).unwrap_or(i64::MAX));
        }
        Ok(())
    }

    fn queue(&self, name: &'static str, queue: Queue, now_ms: i64) {
        let label = Waits { queue: name };
        self.0.queue.get_or_create(&label).set(queue.count);
        let age = queue.oldest_at.map_or(0, |oldest| (now_ms - oldest).max(0));
        self.0.queue_age.get_or_create(&label).set(seconds(age));
    }
}

#[expect(clippy::cast_precision_loss, reason = "ages need no more than 52 bits")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
