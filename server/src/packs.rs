//! Rule packs: read from the database once and kept, and which of them holds.

pub mod trial;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use chrono::NaiveDate;
use domain::calendar::city_day;
use domain::pack::{Pack, PackId};
use domain::stamp::Timestamp;
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

    /// Finds the pack that holds at an instant: what is taken on then is judged by it for good.
    ///
    /// Packs that people brought go before the program's own, so that an update changes no hall's rules. Of several
    /// the one with the latest first day holds that has begun in its own city; before all of them the program's oldest does.
    pub async fn in_force(&self, mut c: C<'_>, at: Timestamp) -> anyhow::Result<Arc<Pack>> {
        let mut holds: Option<((bool, NaiveDate, i64), Arc<Pack>)> = None;
        for origin in packs::list_pack_origins(c.lend()).await? {
            let pack = self.find(c.lend(), &PackId(origin.pack_id)).await?;
            let rank = (origin.added_by.is_some(), pack.valid_from, origin.added_at);
            if has_begun(&pack, at) && holds.as_ref().is_none_or(|(held, _)| *held < rank) {
                holds = Some((rank, pack));
            }
        }
        match holds {
            Some((_, pack)) => Ok(pack),
            None => self.find(c, &Pack::builtin().id).await,
        }
    }
}

/// Whether a pack's first day has come in its own city.
pub fn has_begun(pack: &Pack, at: Timestamp) -> bool {
    pack.valid_from <= city_day(at, pack.time.utc_offset_minutes)
}

/// Keeps the pack that comes with the program, so that new jobs can be judged by it.
pub async fn ensure_builtin(c: C<'_>, now_ms: i64) -> Result<()> {
    let text = PackText::new(domain::pack::BUILTIN.to_owned());
    let row = PackRow {
        pack_id: Pack::builtin().id.0,
        hash: text.hash.0.to_vec(),
        toml: text.toml,
        added_at: now_ms,
        added_by: None,
        withdrawn_at: None,
    };
    packs::insert_pack(c, &row).await.map(drop)
}
