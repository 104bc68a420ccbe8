//! The keys by which push services know this system (VAPID, RFC 8292): made once, kept in the database and its backups.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::stamp::Timestamp;
use web_push::{PartialVapidSignatureBuilder, VapidSignatureBuilder};

use crate::db::C;
use crate::db::push::{self, KeyRow};
use crate::ids::{fresh_uuid, random_bytes};

/// Draws a key.
pub fn draw(now: Timestamp) -> anyhow::Result<KeyRow> {
    // Nearly every number of 32 bytes is a key of the curve; one that is none is drawn again.
    for _ in 0..8 {
        let private = random_bytes::<32>();
        if let Ok(signer) = signer_of(&private) {
            return Ok(KeyRow {
                key_id: fresh_uuid(now),
                public_key: signer.get_public_key(),
                private_key: private.to_vec(),
                created_at: now.timestamp_millis(),
            });
        }
    }
    anyhow::bail!("no key could be drawn")
}

/// Finds the key that browsers subscribe with, and makes the first.
pub async fn current(mut c: C<'_>, now: Timestamp) -> anyhow::Result<KeyRow> {
    if let Some(key) = push::find_current_key(c.lend()).await? {
        return Ok(key);
    }
    let key = draw(now)?;
    push::insert_key(c.lend(), &key).await?;
    // Of two nodes that begin at once the earlier key holds for both.
    push::find_current_key(c).await?.context("the key was just kept")
}

/// What signs by a key.
pub fn signer(key: &KeyRow) -> anyhow::Result<PartialVapidSignatureBuilder> {
    signer_of(&key.private_key)
}

fn signer_of(private: &[u8]) -> anyhow::Result<PartialVapidSignatureBuilder> {
    let encoded = URL_SAFE_NO_PAD.encode(private);
    VapidSignatureBuilder::from_base64_no_sub(&encoded)
        .map_err(|_| anyhow::anyhow!("this is no key of the curve P-256"))
}
