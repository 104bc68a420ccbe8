//! What a failed statement means for whoever asked: do it again, wait, or look first.

/// A failure that is nobody's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Lost against another transaction; nothing was stored.
    LostRace,
    /// The database does not answer, or it may not be written to; nothing was stored.
    Away,
    /// The connection broke while a commit was under way: it was stored, or it was not.
    Unconfirmed,
}

/// Tells trouble from mistakes.
pub fn trouble(error: &sqlx::Error) -> Option<Trouble> {
    if matches!(error, sqlx::Error::AnyDriverError(cause) if cause.is::<Unconfirmed>()) {
        return Some(Trouble::Unconfirmed);
    }
    if matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) {
        return Some(Trouble::Away);
    }
    of_code(error.as_database_error()?.code()?.as_ref())
}

fn of_code(code: &str) -> Option<Trouble> {
    match code {
        // Serialization failure, deadlock.
        "40001" | "40P01" => Some(Trouble::LostRace),
        // Shutting down, crashed, starting up; no connection is free; a standby or a primary no longer.
        "57P01" | "57P02" | "57P03" | "53300" | "25006" => Some(Trouble::Away),
        code if code.len() == 5 && code.starts_with("08") => Some(Trouble::Away),
        // SQLite: busy, locked, with their extensions.
        code => {
            let is_busy = |code: u32| matches!(code & 0xff, 5 | 6);
            let number = code.parse::<u32>().ok().filter(|_| code.len() < 5);
            number.is_some_and(is_busy).then_some(Trouble::LostRace)
        }
    }
}

/// Whether the same work may well succeed when it is done again from its start, and cannot happen twice by it.
pub fn is_retryable(error: &sqlx::Error) -> bool {
    matches!(trouble(error), Some(Trouble::LostRace | Trouble::Away))
}

/// A commit that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer to a commit: {0}")]
struct Unconfirmed(#[source] sqlx::Error);

/// What a commit's error means: a broken connection leaves it open.
pub(super) fn unconfirmed(error: sqlx::Error) -> sqlx::Error {
    if trouble(&error) == Some(Trouble::Away) {
        return sqlx::Error::AnyDriverError(Box::new(Unconfirmed(error)));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_before_a_commit_stored_nothing_and_in_it_nobody_knows() {
        let broken = || sqlx::Error::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));

        assert_eq!(trouble(&broken()), Some(Trouble::Away));
        assert!(is_retryable(&broken()));
        assert_eq!(trouble(&unconfirmed(broken())), Some(Trouble::Unconfirmed));
        assert!(!is_retryable(&unconfirmed(broken())));
        assert_eq!(trouble(&unconfirmed(sqlx::Error::RowNotFound)), None);
    }

    #[test]
    fn codes_of_both_engines_are_told_apart() {
        let of = |codes: &[&str], trouble| {
            for code in codes {
                assert_eq!(of_code(code), trouble, "{code}");
            }
        };

        of(&["40001", "40P01", "5", "6", "261", "517", "262"], Some(Trouble::LostRace));
        of(&["08006", "08P01", "57P01", "57P03", "53300", "25006"], Some(Trouble::Away));
        // Unique, check, syntax, a file that cannot be written.
        of(&["23505", "23514", "42601", "2067", "8", "0"], None);
    }
}
