//! Ids and secrets drawn from the operating system's randomness.

use domain::id::uuid_v7;
use domain::stamp::Timestamp;
use uuid::Uuid;

/// Draws random bytes fit for secrets.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// Makes an id that sorts after those made earlier.
pub fn fresh_uuid(now: Timestamp) -> Uuid {
    uuid_v7(now.timestamp_millis(), random_bytes())
}

/// The moment to draw an id at, so that it sorts after everything known: now, or just past the newest, in Unix ms.
pub fn moment_past(newest_ms: i64, now: Timestamp) -> Timestamp {
    now.max(Timestamp::from_timestamp_millis(newest_ms + 1).unwrap_or_default())
}
