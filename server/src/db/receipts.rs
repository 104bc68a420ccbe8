//! What was created under which idempotency key.

use domain::id::UserId;
use serde_json::Value;
use sqlx::types::Json;

use super::{C, Result, statements};

statements! {
    INSERT_RECEIPT = "insert into receipt (user_id, key_hash, request_digest, status, body, created_at) \
        values ($1, $2, $3, $4, $5, $6)";
    FIND_RECEIPT = "select request_digest, status, body from receipt \
        where user_id = $1 and key_hash = $2 and created_at > $3";
    DELETE_RECEIPTS = "delete from receipt where created_at <= $1";
}

/// The reply to a creation.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ReceiptRow {
    /// Of key and request.
    pub request_digest: Vec<u8>,
    /// The reply's status.
    pub status: i64,
    /// The reply's body.
    pub body: Json<Value>,
}

/// Keeps the reply to a creation; a unique violation says that the key was used meanwhile.
pub async fn insert_receipt(
    c: C<'_>,
    (user, key_hash): (UserId, &[u8]),
    receipt: &ReceiptRow,
    now_ms: i64,
) -> Result<()> {
    c.q(INSERT_RECEIPT)
        .bind(user.0)
        .bind(key_hash)
        .bind(&receipt.request_digest)
        .bind(receipt.status)
        .bind(&receipt.body)
        .bind(now_ms)
        .execute()
        .await
        .map(drop)
}

/// Finds the reply to a creation after an instant.
pub async fn find_receipt(
    c: C<'_>,
    (user, key_hash): (UserId, &[u8]),
    after: i64,
) -> Result<Option<ReceiptRow>> {
    c.q(FIND_RECEIPT).bind(user.0).bind(key_hash).bind(after).opt().await
}

/// Forgets replies up to an instant.
pub async fn delete_receipts(c: C<'_>, until: i64) -> Result<()> {
    c.q(DELETE_RECEIPTS).bind(until).execute().await.map(drop)
}
