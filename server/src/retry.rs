//! Work in a transaction that nobody's mistake ended is done again from its start.

use std::time::Duration;

use tokio::time::Instant;

use crate::db::Trouble;
use crate::http::error::ApiError;

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
