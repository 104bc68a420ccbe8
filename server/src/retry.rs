//! Doing again what nobody's mistake ended: work in a transaction at once, messages after a pause.

use std::time::Duration;

use tokio::time::Instant;

use crate::db::Trouble;
use crate::http::error::ApiError;
use crate::ids::random_bytes;

/// How often work is tried.
const TRIES: usize = 4;

/// How long work is tried; whoever asked for it waits as well.
const PATIENCE: Duration = Duration::from_secs(4);

/// Does the work until it ended of itself; it is done again only when nothing of it was committed.
pub async fn until_won<T, W>(mut work: impl FnMut() -> W) -> Result<T, ApiError>
where
    W: Future<Output = Result<T, ApiError>>,
{
    let began = Instant::now();
    for _ in 1..TRIES {
        match work().await {
            Err(ApiError::Trouble(Trouble::LostRace | Trouble::Away, _))
                if began.elapsed() < PATIENCE => {}
            ended => return ended,
        }
    }
    work().await
}

/// The pauses between the tries of a message.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// After the first try; each further one is twice as long.
    pub first_ms: i64,
    /// No pause is longer.
    pub longest_ms: i64,
}

impl Pause {
    /// The pause after so many tries, somewhere in the upper half of it, so that senders do not keep step.
    pub fn after(self, attempts: i64) -> i64 {
        let doubled = u32::try_from(attempts - 1).unwrap_or(0).min(20);
        let longest = (self.first_ms << doubled).min(self.longest_ms);
        let random = i64::from(u32::from_be_bytes(random_bytes()));
        longest / 2 + random % (longest / 2 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_no_two_senders_keep_step() {
        let pause = Pause { first_ms: 5_000, longest_ms: 21_600_000 };
        for attempts in 1..40 {
            let longest = (5_000_i64 << (attempts - 1).min(20)).min(21_600_000);
            let is = pause.after(attempts);
            assert!((longest / 2..=longest).contains(&is), "{attempts}: {is}");
        }
        let distinct: std::collections::BTreeSet<_> = (0..50).map(|_| pause.after(12)).collect();
        assert!(distinct.len() > 40, "{distinct:?}");
    }
}
