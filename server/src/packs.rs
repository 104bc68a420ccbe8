//! Rule packs, read from the database once and kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use domain::pack::{Pack, PackId};
use sync::message::PackText;

use crate::db::packs::{self, PackRow};
use crate::db::{C, Result};

/// The packs that were asked for so far.
#[derive(Clone, Debug, Default)]
pub struct Packs(Arc<Mutex<BTreeMap<PackId, Arc<Pack>>>>);

impl Packs {
    /// Finds a pack by its id.
    pub async fn find(&self, c: C<'_>, id: &PackId) -> anyhow::Result<Arc<Pack>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(pack) = known {
            return Ok(pack);
        }
        let row = packs::find_pack(c, &id.0).await?;
        let row = row.with_context(|| format!("rule pack {} is not in the database", id.0))?;
        let pack = Arc::new(Pack::parse(&row.toml)?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.clone(), Arc::clone(&pack));
        Ok(pack)
    }
}

/// Keeps the pack that comes with the program, so that new jobs can be judged by it.
pub async fn ensure_builtin(c: C<'_>, now_ms: i64) -> Result<()> {
    let text = PackText::new(domain::pack::BUILTIN.to_owned());
    let row = PackRow {
        pack_id: Pack::builtin().id.0,
        hash: text.hash.0.to_vec(),
        toml: text.toml,
        added_at: now_ms,
    };
    packs::insert_pack(c, &row).await
}
