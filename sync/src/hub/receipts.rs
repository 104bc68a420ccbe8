//! Receipt numbers: none is handed out twice, also not after a restore (B15).

use domain::stamp::Timestamp;

/// Numbers left out for each hour since [`RECEIPTS_BEGAN_MS`]: far more than a hall hands out.
const PER_HOUR: u64 = 10_000;

/// No hall handed out a number before 2026.
pub const RECEIPTS_BEGAN_MS: i64 = 1_767_225_600_000;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The first number of the next block, after the last number that is known to have been handed out.
///
/// A restored hall may have forgotten its newest blocks, whichever backup it came from. So it begins above all that can
/// have been handed out by then.
pub fn first_free(last: Option<u64>, restored_at: Option<Timestamp>) -> u64 {
    let hours = |at: Timestamp| (at.timestamp_millis() - RECEIPTS_BEGAN_MS) / HOUR_MS + 1;
    let left_out = restored_at.map_or(0, |at| u64::try_from(hours(at)).unwrap_or(0) * PER_HOUR);
    last.unwrap_or(0).max(left_out) + 1
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn b15_numbers_go_on_and_begin_anew_above_all_that_a_backup_may_not_know() {
        let at = |hours: i64| {
            "2026-01-01T00:00:00Z".parse().ok().map(|at: Timestamp| at + TimeDelta::hours(hours))
        };

        assert_eq!(first_free(None, None), 1);
        assert_eq!(first_free(Some(40), None), 41);
        assert_eq!(first_free(None, at(100)), 1_010_001);
        assert_eq!(first_free(Some(1_010_020), at(100)), 1_010_021);
        assert!(first_free(Some(40), at(102)) > first_free(Some(40), at(100)) + 19_999);
    }
}
