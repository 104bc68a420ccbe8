//! Rule packs as the text that was read.

use super::{C, Result, statements};

statements! {
    INSERT_PACK = "insert into rule_pack (pack_id, hash, toml, added_at) values ($1, $2, $3, $4) \
        on conflict do nothing";
    FIND_PACK = "select pack_id, hash, toml, added_at from rule_pack where pack_id = $1";
    LIST_PACK_HASHES = "select pack_id, hash from rule_pack order by pack_id";
}

/// A rule pack as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PackRow {
    /// The pack's id.
    pub pack_id: String,
    /// SHA-256 of the text.
    pub hash: Vec<u8>,
    /// The text.
    pub toml: String,
    /// When the server learnt it.
    pub added_at: i64,
}

/// Inserts a pack unless one with its id is there: a pack never changes.
pub async fn insert_pack(c: C<'_>, pack: &PackRow) -> Result<()> {
    c.q(INSERT_PACK)
        .bind(&pack.pack_id)
        .bind(&pack.hash)
        .bind(&pack.toml)
        .bind(pack.added_at)
        .execute()
        .await
        .map(drop)
}

/// Finds a pack by its id.
pub async fn find_pack(c: C<'_>, id: &str) -> Result<Option<PackRow>> {
    c.q(FIND_PACK).bind(id).opt().await
}

/// Lists every pack's id with the SHA-256 of its text.
pub async fn list_pack_hashes(c: C<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    c.q(LIST_PACK_HASHES).all().await
}
