//! Work in a transaction that lost against another one is done again from its start.

use crate::db::is_retryable;
use crate::http::error::ApiError;

/// How often work is tried.
const TRIES: usize = 4;

/// Does the work until it did not lose; it may be tried only because nothing of it was committed.
pub async fn until_won<T, W>(mut work: impl FnMut() -> W) -> Result<T, ApiError>
where
    W: Future<Output = Result<T, ApiError>>,
{
    for _ in 1..TRIES {
        match work().await {
            Err(ApiError::Internal(error)) if has_lost(&error) => {}
            ended => return ended,
        }
    }
    work().await
}

fn has_lost(error: &anyhow::Error) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_retryable)
}
