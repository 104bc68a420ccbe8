//! Photos that facts name and the hall does not hold.

use domain::id::{DeviceId, HallId};
use tokio::task::JoinSet;

use super::store::StoreError;
use super::{PhotoHash, UploadError, find, key};
use crate::db::photos::{self, NamedRow};
use crate::state::AppState;

/// Looks into the store at the same time; a bucket answers each after a while.
const LOOKS: usize = 16;

/// The photos that facts of a hall name and the hall does not hold, oldest first.
///
/// A store that is away counts as empty: the list says what the database does not know of.
pub async fn list_missing(
    state: &AppState,
    hall: HallId,
    limit: i64,
) -> Result<Vec<NamedRow>, UploadError> {
    let named = photos::list_missing(state.db.read().await?.c(), hall, limit).await?;
    let mut missing = Vec::new();
    for rows in named.chunks(LOOKS) {
        let mut looks = JoinSet::new();
        for (at, row) in rows.iter().cloned().enumerate() {
            let state = state.clone();
            looks.spawn(async move { (at, is_held(&state, hall, &row).await, row) });
        }
        let mut looked = looks.join_all().await;
        looked.sort_by_key(|(at, ..)| *at);
        for (_, held, row) in looked {
            if !held? {
                missing.push(row);
            }
        }
    }
    Ok(missing)
}

/// Whether the store has a picture that the database does not know of.
async fn is_held(state: &AppState, hall: HallId, row: &NamedRow) -> Result<bool, UploadError> {
    let Some(hash) = PhotoHash::parse(&row.hash) else { return Ok(false) };
    let key = key(hall, hash.as_str());
    match state.photos.store.has(&key).await {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        Err(error) if error.is_passing() => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    match find(state, hall, DeviceId(row.device_id), &hash).await {
        Err(UploadError::Store(StoreError::Damaged(_))) => Ok(false),
        found => Ok(found?.is_some()),
    }
}
