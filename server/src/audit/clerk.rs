//! The clerk: one task a server that writes noted entries in batches and seals the chain.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{By, Entry, Queue, Subject, What, chain};
use crate::db::audit::{self, EntryRow};
use crate::db::{Db, Result};
use crate::state::AppState;

/// How often what waits is written.
const EVERY: Duration = Duration::from_millis(500);

/// Entries written in one transaction; phones hand in between two of them.
const BATCH: usize = 500;

/// Reading the same again within this is the same reading: a page asks several times, a search at each letter.
const SAME_MS: i64 = 60_000;

/// Who read what: within a minute it is entered once.
type Reading = (Option<Uuid>, String, Option<Uuid>, Option<String>);

/// What the clerk has in hand.
#[derive(Debug, Default)]
struct Desk {
    written_down: BTreeMap<Reading, i64>,
    batch: Vec<EntryRow>,
}

/// Writes and seals until the server stops, and then what is left.
pub async fn run(state: AppState, mut queue: Queue) {
    let mut closing = state.closing.clone();
    let mut desk = Desk::default();
    loop {
        let is_last = tokio::select! {
            () = tokio::time::sleep(EVERY) => false,
            _ = closing.wait_for(|closing| *closing) => true,
        };
        while desk.batch.len() < BATCH
            && let Ok(row) = queue.receiver.try_recv()
        {
            desk.take(row);
        }
        let lost = queue.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(audit.lost = lost, "audit entries were lost: too many waited");
            let entry = Entry::new(By::server(), What::EntriesLost, Subject::Nothing);
            desk.batch.push(entry.with(json!({"count": lost})).row(state.clock.now()));
        }
        // What cannot be written stays in hand for the next turn.
        if let Err(error) = write(&state.db, &mut desk.batch).await {
            tracing::warn!(%error, audit.waiting = desk.batch.len(), "audit entries wait");
        }
        if is_last && (desk.batch.is_empty() || queue.receiver.is_empty()) {
            return;
        }
    }
}

impl Desk {
    fn take(&mut self, row: EntryRow) {
        let key = (row.user_id, row.what.clone(), row.subject_id, row.subject_name.clone());
        let is_same = |at: &i64| (row.at - at).abs() < SAME_MS;
        // Who did not sign in is nobody in particular: each of their tries counts.
        if row.user_id.is_some() && self.written_down.get(&key).is_some_and(is_same) {
            return;
        }
        self.written_down.retain(|_, at| (row.at - *at).abs() < SAME_MS);
        self.written_down.insert(key, row.at);
        self.batch.push(row);
    }
}

/// Writes a batch, empties it, and seals what is not sealed.
async fn write(db: &Db, batch: &mut Vec<EntryRow>) -> Result<()> {
    if batch.is_empty() && audit::count_unsealed(db.read().await?.c()).await? == 0 {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    audit::insert_entries(tx.c(), batch).await?;
    chain::seal(&mut tx).await?;
    tx.commit().await?;
    batch.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::id::UserId;
    use domain::stamp::Timestamp;

    use super::*;

    #[test]
    fn the_same_reading_within_a_minute_is_entered_once() {
        let mut desk = Desk::default();
        let mut read = |at: i64, user: Option<u128>, job: u128| {
            let user = user.map(|user| UserId(Uuid::from_u128(user)));
            let by = By { user, ..By::server() };
            let entry = Entry::new(by, What::JobRead, Subject::Id("job", Uuid::from_u128(job)));
            desk.take(entry.row(Timestamp::from_timestamp_millis(at).unwrap()));
            desk.batch.len()
        };

        assert_eq!(read(0, Some(1), 7), 1);
        assert_eq!(read(59_999, Some(1), 7), 1);
        assert_eq!(read(59_999, Some(2), 7), 2, "somebody else");
        assert_eq!(read(59_999, Some(1), 8), 3, "something else");
        assert_eq!(read(60_000, Some(1), 7), 4, "a minute later");
        assert_eq!(read(60_000, None, 7), 5);
        assert_eq!(read(60_000, None, 7), 6, "strangers are not one person");
    }
}
