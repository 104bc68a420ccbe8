//! What the server does for itself: notes the time, deletes what is over. Raw changes are never deleted.

use std::time::Duration;

use serde_json::json;

use crate::audit::chain::hexadecimal;
use crate::audit::{By, Entry, Subject, What};
use crate::db::{
    Db, Result, audit, imports, login_attempts, notice_deliveries, reminders, upkeep, webhooks,
};
use crate::erasure;
use crate::import::upload::KEPT_MS;
use crate::near;
use crate::reminders as reminding;
use crate::state::AppState;

/// How far behind the time that the database knows a clock may be without a word.
pub const CLOCK_SLACK_MS: i64 = 60_000;

const DAY_MS: i64 = 86_400_000;

/// How often what is over is deleted, in turns of a minute each.
const PRUNE_EVERY: u32 = 60;

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Live events.
    pub live_events: u64,
    /// Sessions, enrolment codes.
    pub sessions: u64,
    /// Audit entries.
    pub audit: u64,
    /// Changes that were released from quarantine.
    pub released: u64,
    /// Messages of webhooks.
    pub deliveries: u64,
    /// Files handed in for import.
    pub imports: u64,
    /// Reminders.
    pub reminders: u64,
}

/// Keeps the house, every minute until it is dropped.
pub async fn run(state: AppState) {
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    for turn in 0_u32.. {
        minutes.tick().await;
        if let Err(error) = look_at_clock(&state.db, state.clock.now_ms()).await {
            tracing::warn!(%error, "the time cannot be noted");
        }
        match near::keep(&state).await {
            Ok((0, 0)) => {}
            Ok((given, taken)) => {
                tracing::info!(near.given = given, near.taken = taken, "phones hold the near days");
            }
            Err(error) => {
                tracing::error!(%error, "jobs that have come near cannot be given to phones");
            }
        }
        if turn % PRUNE_EVERY != 0 {
            continue;
        }
        match prune(&state).await {
            Ok(pruned) if pruned == Pruned::default() => {}
            Ok(pruned) => tracing::info!(
                pruned.live_events,
                pruned.sessions,
                pruned.audit,
                pruned.released,
                pruned.deliveries,
                pruned.imports,
                pruned.reminders,
                "what is over was deleted"
            ),
            Err(error) => tracing::error!(%error, "what is over cannot be deleted"),
        }
        match erasure::prune(&state).await {
            Ok(over) if over == erasure::Over::default() => {}
            Ok(over) => tracing::info!(
                erased.jobs = over.jobs,
                erased.photos = over.photos,
                erased.accounts = over.accounts,
                "what is over by its age was erased"
            ),
            Err(error) => tracing::error!(%error, "what is over by its age cannot be erased"),
        }
    }
}

/// Notes the time; warns when it is earlier than one that a server on this database knew. Tells by how much.
pub async fn look_at_clock(db: &Db, now_ms: i64) -> Result<i64> {
    let known = upkeep::find_clock(db.read().await?.c()).await?;
    let behind_ms = known.map_or(0, |known| (known - now_ms).max(0));
    if behind_ms > CLOCK_SLACK_MS {
        tracing::error!(
            clock.behind_ms = behind_ms,
            "this machine's clock is behind the time that the database knows: set the clock (NTP), then run doorstep doctor"
        );
    }
    let mut tx = db.begin().await?;
    upkeep::see_clock(tx.c(), now_ms).await?;
    tx.commit().await?;
    Ok(behind_ms)
}

/// Deletes what is over for as long as the operator set; 0 days delete nothing.
pub async fn prune(state: &AppState) -> Result<Pruned> {
    let (config, now_ms) = (&state.config, state.clock.now_ms());
    let before = |days: u32| (days > 0).then(|| now_ms - i64::from(days) * DAY_MS);
    let mut pruned = Pruned::default();
    let mut tx = state.db.begin().await?;
    if let Some(before) = before(config.live_event_days) {
        pruned.live_events = upkeep::prune_live_events(tx.c(), before).await?;
    }
    if let Some(before) = before(config.session_days) {
        pruned.sessions = upkeep::prune_sessions(tx.c(), before).await?;
        login_attempts::delete_old_tries(tx.c(), before).await?;
    }
    if let Some(before) = before(config.audit_days) {
        pruned.audit = audit::prune_entries(tx.c(), before).await?;
        if pruned.audit > 0 {
            let entry = Entry::new(By::server(), What::EntriesPruned, Subject::Nothing);
            let entry = entry.with(json!({"count": pruned.audit}));
            crate::audit::keep(tx.c(), state.clock.now(), entry).await?;
        }
    }
    if let Some(before) = before(config.quarantine_days) {
        pruned.released = upkeep::prune_released(tx.c(), before).await?;
    }
    if let Some(before) = before(config.delivery_days) {
        pruned.deliveries = webhooks::delete_ended(tx.c(), before).await?;
    }
    if let Some(before) = before(config.delivery_days) {
        pruned.deliveries += notice_deliveries::prune(tx.c(), before).await?;
    }
    pruned.imports = imports::delete_old(tx.c(), now_ms - KEPT_MS).await?;
    pruned.reminders = reminders::delete_over(tx.c(), now_ms - reminding::KEPT_MS).await?;
    let head = audit::find_chain(tx.c()).await?;
    tx.commit().await?;
    if let Some(head) = head {
        // Outside the database, so that who could rewrite the chain cannot rewrite this.
        let hash = hexadecimal(&head.last_hash);
        tracing::info!(audit.number = head.next_number - 1, audit.head = hash, "the audit's head");
    }
    Ok(pruned)
}
