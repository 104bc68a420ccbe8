//! How often somebody tried to sign in, so that guessing is slow even across restarts and nodes.

use super::{C, Result, statements};

statements! {
    COUNT_TRY = "insert into login_attempt (subject, tries, window_started_at) values ($1, 1, $2) \
        on conflict (subject) do update set \
        tries = case when login_attempt.window_started_at <= $3 then 1 else login_attempt.tries + 1 end, \
        window_started_at = case when login_attempt.window_started_at <= $3 then $2 \
        else login_attempt.window_started_at end \
        returning tries, window_started_at";
    FORGET_TRIES = "delete from login_attempt where subject = $1";
    FORGIVE_TRY = "update login_attempt set tries = tries - 1 where subject = $1 and tries > 0";
    DELETE_OLD_TRIES = "delete from login_attempt where window_started_at <= $1";
}

/// How often a subject tried, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Tries {
    /// How often within the window, this try included.
    pub tries: i64,
    /// When the window began.
    pub window_started_at: i64,
}

/// Counts one try of a subject; a window that began at `window_ends_at` or before is over.
pub async fn count_try(c: C<'_>, subject: &str, now_ms: i64, window_ends_at: i64) -> Result<Tries> {
    c.q(COUNT_TRY).bind(subject).bind(now_ms).bind(window_ends_at).one().await
}

/// Forgets the tries of a subject that signed in.
pub async fn forget_tries(c: C<'_>, subject: &str) -> Result<()> {
    c.q(FORGET_TRIES).bind(subject).execute().await.map(drop)
}

/// Takes back one try of a subject that others share.
pub async fn forgive_try(c: C<'_>, subject: &str) -> Result<()> {
    c.q(FORGIVE_TRY).bind(subject).execute().await.map(drop)
}

/// Deletes tries whose window is over.
pub async fn delete_old_tries(c: C<'_>, window_ends_at: i64) -> Result<()> {
    c.q(DELETE_OLD_TRIES).bind(window_ends_at).execute().await.map(drop)
}
