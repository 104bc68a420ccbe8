//! Second factors of people at desks, and their recovery codes as hashes.

use domain::id::UserId;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    BEGIN_SECOND_FACTOR = "insert into second_factor (user_id, secret, begun_at) values ($1, $2, $3) \
        on conflict (user_id) do update set secret = excluded.secret, begun_at = excluded.begun_at \
        where second_factor.confirmed_at is null";
    FIND_SECOND_FACTOR = "select user_id, secret, confirmed_at, last_step from second_factor where user_id = $1";
    CONFIRM_SECOND_FACTOR = "update second_factor set confirmed_at = $2, last_step = $3 where user_id = $1 \
        and confirmed_at is null";
    TAKE_STEP = "update second_factor set last_step = $2 where user_id = $1 and last_step < $2";
    DELETE_SECOND_FACTOR = "delete from second_factor where user_id = $1";
    INSERT_RECOVERY_CODE = "insert into recovery_code (user_id, code_hash) values ($1, $2)";
    USE_RECOVERY_CODE = "delete from recovery_code where user_id = $1 and code_hash = $2";
    COUNT_RECOVERY_CODES = "select count(*) from recovery_code where user_id = $1";
    DELETE_RECOVERY_CODES = "delete from recovery_code where user_id = $1";
}

/// A second factor as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SecondFactorRow {
    /// Whose it is.
    pub user_id: Uuid,
    /// What the authenticator knows too.
    pub secret: Vec<u8>,
    /// Since when signing in asks for a code, Unix ms.
    pub confirmed_at: Option<i64>,
    /// The half minute since 1970 of the last code that was taken.
    pub last_step: i64,
}

impl std::fmt::Debug for SecondFactorRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactorRow").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Keeps a secret that is not confirmed yet; tells whether it was, for a confirmed one stays.
pub async fn begin_second_factor(
    c: C<'_>,
    user: UserId,
    secret: &[u8],
    now_ms: i64,
) -> Result<bool> {
    Ok(c.q(BEGIN_SECOND_FACTOR).bind(user.0).bind(secret).bind(now_ms).execute().await? > 0)
}

/// Finds somebody's second factor, confirmed or not.
pub async fn find_second_factor(c: C<'_>, user: UserId) -> Result<Option<SecondFactorRow>> {
    c.q(FIND_SECOND_FACTOR).bind(user.0).opt().await
}

/// Confirms a second factor with the half minute of its first code; tells whether it was not confirmed before.
pub async fn confirm_second_factor(c: C<'_>, user: UserId, now_ms: i64, step: i64) -> Result<bool> {
    Ok(c.q(CONFIRM_SECOND_FACTOR).bind(user.0).bind(now_ms).bind(step).execute().await? > 0)
}

/// Takes the code of a half minute; tells whether it was new.
pub async fn take_step(c: C<'_>, user: UserId, step: i64) -> Result<bool> {
    Ok(c.q(TAKE_STEP).bind(user.0).bind(step).execute().await? > 0)
}

/// Removes somebody's second factor with its recovery codes; tells whether there was one.
pub async fn delete_second_factor(mut c: C<'_>, user: UserId) -> Result<bool> {
    c.lend().q(DELETE_RECOVERY_CODES).bind(user.0).execute().await?;
    Ok(c.q(DELETE_SECOND_FACTOR).bind(user.0).execute().await? > 0)
}

/// Keeps a recovery code by its hash.
pub async fn insert_recovery_code(c: C<'_>, user: UserId, hash: &[u8]) -> Result<()> {
    c.q(INSERT_RECOVERY_CODE).bind(user.0).bind(hash).execute().await.map(drop)
}

/// Uses a recovery code up; tells whether it was one.
pub async fn use_recovery_code(c: C<'_>, user: UserId, hash: &[u8]) -> Result<bool> {
    Ok(c.q(USE_RECOVERY_CODE).bind(user.0).bind(hash).execute().await? > 0)
}

/// How many recovery codes somebody has left.
pub async fn count_recovery_codes(c: C<'_>, user: UserId) -> Result<i64> {
    c.q(COUNT_RECOVERY_CODES).bind(user.0).scalar().await
}
