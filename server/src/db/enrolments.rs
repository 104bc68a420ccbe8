//! One-time codes with which a technician enrols a phone.

use domain::id::UserId;

use super::{C, Result, statements};

statements! {
    INSERT_ENROLMENT = "insert into enrolment (code_hash, user_id, created_by, created_at, expires_at) \
        values ($1, $2, $3, $4, $5)";
    END_ENROLMENTS = "update enrolment set expires_at = $1 where user_id = $2 and used_at is null and expires_at > $1";
    USE_ENROLMENT = "update enrolment set used_at = $1 where code_hash = $2 and user_id = $3 and used_at is null \
        and expires_at > $1 and attempts < $4";
    COUNT_WRONG_CODE = "update enrolment set attempts = attempts + 1 where user_id = $1 and used_at is null";
}

/// Inserts a code for a user in place of any that still lives.
pub async fn insert_enrolment(
    mut c: C<'_>,
    code_hash: &[u8],
    user: UserId,
    created_by: UserId,
    lifetime: (i64, i64),
) -> Result<()> {
    let (now_ms, expires_at) = lifetime;
    c.lend().q(END_ENROLMENTS).bind(now_ms).bind(user.0).execute().await?;
    c.q(INSERT_ENROLMENT)
        .bind(code_hash)
        .bind(user.0)
        .bind(created_by.0)
        .bind(now_ms)
        .bind(expires_at)
        .execute()
        .await
        .map(drop)
}

/// Uses a user's code up; returns whether it was theirs, fresh and not guessed at too often.
pub async fn use_enrolment(
    c: C<'_>,
    code_hash: &[u8],
    user: UserId,
    max_attempts: i64,
    now_ms: i64,
) -> Result<bool> {
    let query = c.q(USE_ENROLMENT).bind(now_ms).bind(code_hash).bind(user.0).bind(max_attempts);
    Ok(query.execute().await? > 0)
}

/// Notes that a wrong code was tried for this user.
pub async fn count_wrong_code(c: C<'_>, user: UserId) -> Result<()> {
    c.q(COUNT_WRONG_CODE).bind(user.0).execute().await.map(drop)
}
