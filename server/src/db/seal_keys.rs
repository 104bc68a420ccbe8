//! Further secrets for the hall's seals; the first one is the server's own since its beginning.

use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_SEAL_KEY = "insert into seal_key (seal_key_id, secret, made_at) values ($1, $2, $3)";
    LIST_SEAL_KEYS = "select seal_key_id, secret, made_at, covered_at from seal_key order by made_at desc, seal_key_id desc";
    COVER_SEAL_KEY = "update seal_key set covered_at = $2 where seal_key_id = $1 and covered_at is null";
}

/// A secret for seals.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SealKeyRow {
    /// Its id.
    pub seal_key_id: Uuid,
    /// 32 random bytes.
    pub secret: Vec<u8>,
    /// When it was made, Unix ms.
    pub made_at: i64,
    /// Since when a verified backup has it, Unix ms.
    pub covered_at: Option<i64>,
}

impl std::fmt::Debug for SealKeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKeyRow({})", self.seal_key_id)
    }
}

/// Inserts a secret; it seals once a backup covers it.
pub async fn insert_seal_key(c: C<'_>, id: Uuid, secret: &[u8], now_ms: i64) -> Result<()> {
    c.q(INSERT_SEAL_KEY).bind(id).bind(secret).bind(now_ms).execute().await.map(drop)
}

/// Lists the further secrets, the newest first.
pub async fn list_seal_keys(c: C<'_>) -> Result<Vec<SealKeyRow>> {
    c.q(LIST_SEAL_KEYS).all().await
}

/// Notes that a verified backup has a secret.
pub async fn cover_seal_key(c: C<'_>, id: Uuid, now_ms: i64) -> Result<()> {
    c.q(COVER_SEAL_KEY).bind(id).bind(now_ms).execute().await.map(drop)
}
