//! The chain: sealing entries in order, and finding what was done to them since (check 60).

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::db::audit::{self, ChainRow, EntryRow};
use crate::db::{C, Result, Tx};

/// Entries sealed in one transaction; others write meanwhile, so it is short.
const BATCH: i64 = 500;

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainState {
    /// The first entry kept; those before it are over.
    pub first_number: i64,
    /// The last one.
    pub last_number: i64,
    /// Entries that are not sealed yet.
    pub unsealed: i64,
    /// The hash of the last one in hexadecimal: noted elsewhere, it shows later that nothing before it changed.
    pub head: String,
    /// Where the chain does not hold.
    pub broken: Option<Break>,
}

/// Where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Break {
    /// The first entry that is not as it was sealed.
    pub number: i64,
    /// `missing`: it is gone. `changed`: it, or its place, is not what was sealed.
    pub how: String,
}

/// Seals what was entered and not sealed yet; tells how many. Whoever comes second waits for the first.
pub async fn seal(tx: &mut Tx) -> Result<usize> {
    let head = audit::lock_chain(tx.c()).await?;
    let rows = audit::list_unsealed(tx.c(), BATCH).await?;
    let (mut number, mut last) = (head.next_number, head.last_hash);
    for row in &rows {
        last = hash_of(&last, number, row);
        audit::seal_entry(tx.c(), row.entry_id, number, &last).await?;
        number += 1;
    }
    if !rows.is_empty() {
        audit::set_head(tx.c(), number, &last).await?;
    }
    Ok(rows.len())
}

/// Looks at every sealed entry.
pub async fn check(mut c: C<'_>) -> Result<ChainState> {
    let Some(head) = audit::find_chain(c.lend()).await? else {
        let head = ChainRow::beginning();
        return Ok(state(&head, audit::count_unsealed(c).await?, None));
    };
    let unsealed = audit::count_unsealed(c.lend()).await?;
    let mut walk = Walk { next: head.first_number, last: head.first_hash.clone(), broken: None };
    // What is sealed meanwhile is left for the next look.
    audit::each_sealed(c, head.next_number, |row| {
        walk.step(&row);
        Ok(())
    })
    .await?;
    Ok(state(&head, unsealed, walk.end(&head)))
}

fn state(head: &ChainRow, unsealed: i64, broken: Option<Break>) -> ChainState {
    ChainState {
        first_number: head.first_number,
        last_number: head.next_number - 1,
        unsealed,
        head: hexadecimal(&head.last_hash),
        broken,
    }
}

/// A hash as people note it.
pub fn hexadecimal(hash: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('?');
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// A walk along the chain.
struct Walk {
    next: i64,
    last: Vec<u8>,
    broken: Option<Break>,
}

impl Walk {
    fn step(&mut self, row: &EntryRow) {
        if self.broken.is_some() {
            return;
        }
        if row.number != Some(self.next) {
            self.break_at("missing");
            return;
        }
        self.last = hash_of(&self.last, self.next, row);
        if row.hash.as_ref() != Some(&self.last) {
            self.break_at("changed");
            return;
        }
        self.next += 1;
    }

    fn end(mut self, head: &ChainRow) -> Option<Break> {
        if self.broken.is_none() && self.next != head.next_number {
            self.break_at("missing");
        }
        if self.broken.is_none() && self.last != head.last_hash {
            self.next -= 1;
            self.break_at("changed");
        }
        self.broken
    }

    fn break_at(&mut self, how: &str) {
        self.broken = Some(Break { number: self.next, how: how.to_owned() });
    }
}

/// The hash of an entry at its place; each field stands with its length, so that none runs into another.
fn hash_of(before: &[u8], number: i64, row: &EntryRow) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut take = |field: Option<&[u8]>| match field {
        None => hash.update(u64::MAX.to_be_bytes()),
        Some(bytes) => {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
    };
    take(Some(before));
    take(Some(&number.to_be_bytes()));
    take(Some(row.entry_id.as_bytes()));
    take(Some(&row.at.to_be_bytes()));
    take(Some(row.hall_id.as_bytes()));
    take(row.user_id.as_ref().map(|it| &it.as_bytes()[..]));
    take(row.device_id.as_ref().map(|it| &it.as_bytes()[..]));
    take(Some(row.via.as_bytes()));
    take(Some(row.what.as_bytes()));
    take(row.subject_kind.as_deref().map(str::as_bytes));
    take(row.subject_id.as_ref().map(|it| &it.as_bytes()[..]));
    take(row.subject_name.as_deref().map(str::as_bytes));
    take(Some(row.detail.as_bytes()));
    hash.finalize().to_vec()
}
