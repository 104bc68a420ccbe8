//! What every request can reach.

use std::sync::Arc;

use automerge::ActorId;
use axum::extract::FromRef;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::identity::password::Passwords;
use crate::live::Bell;
use crate::metrics::Metrics;
use crate::packs::Packs;
use crate::photos::Photos;
use crate::told::limit::Limiter;

/// The parts that handlers ask for with `State<…>`.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What the operator set.
    pub config: Arc<Config>,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Makes the hall's own changes in this process; never used by another.
    pub actor: ActorId,
    /// Rule packs.
    pub packs: Packs,
    /// Photos and signatures.
    pub photos: Photos,
    /// Wakes live streams.
    pub bell: Bell,
    /// Takes who read what.
    pub audit: Audit,
    /// What this server counts about itself.
    pub metrics: Metrics,
    /// Counts what strangers ask.
    pub strangers: Limiter,
    /// Turns true when the server stops, so that endless replies end.
    pub closing: watch::Receiver<bool>,
}

impl FromRef<AppState> for Db {
    fn from_ref(state: &AppState) -> Self {
        state.db.clone()
    }
}

impl FromRef<AppState> for Clock {
    fn from_ref(state: &AppState) -> Self {
        state.clock.clone()
    }
}

impl FromRef<AppState> for Arc<Config> {
    fn from_ref(state: &AppState) -> Self {
        state.config.clone()
    }
}

impl FromRef<AppState> for Passwords {
    fn from_ref(state: &AppState) -> Self {
        state.passwords.clone()
    }
}
