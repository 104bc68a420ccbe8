//! What a server does by itself once a minute of its clock: reminding, and telling who waits in vain.

use std::time::Duration;

use crate::clock::Clock;
use crate::reminders;
use crate::state::AppState;
use crate::told::late;

/// Does it each minute, until it is dropped; what failed is done again.
pub async fn run(state: AppState) {
    if !state.config.reminders {
        return;
    }
    let mut minutes = Minutes::default();
    loop {
        minutes.next(&state.clock).await;
        if let Err(error) = reminders::keep(&state).await {
            tracing::error!(%error, "nobody can be reminded; it is tried again");
            minutes.again();
        }
        if let Err(error) = late::keep(&state).await {
            tracing::error!(%error, "who waits in vain is not told; it is tried again");
            minutes.again();
        }
    }
}

/// The minutes of a clock; one that is set is followed at once.
struct Minutes {
    look: tokio::time::Interval,
    seen: Option<i64>,
}

impl Default for Minutes {
    fn default() -> Self {
        Self { look: tokio::time::interval(Duration::from_secs(1)), seen: None }
    }
}

impl Minutes {
    /// Waits for a minute that was not seen.
    async fn next(&mut self, clock: &Clock) {
        loop {
            self.look.tick().await;
            let minute = clock.now_ms().div_euclid(60_000);
            if self.seen.replace(minute) != Some(minute) {
                return;
            }
        }
    }

    /// What was to be done in the last one failed: it comes again.
    fn again(&mut self) {
        self.seen = None;
    }
}
