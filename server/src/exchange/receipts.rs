//! Receipt numbers for the phone that asks for some (B15).

use domain::id::{DeviceId, HallId};
use domain::stamp::Timestamp;
use sync::hub::first_free;
use sync::message::{ReceiptBlock, Request};

use crate::db::devices::DeviceRow;
use crate::db::receipt_blocks::{self as blocks, BlockRow};
use crate::db::{C, Tx, halls};
use crate::http::error::ApiError;
use crate::state::AppState;

/// Whether a request is about receipt numbers: it asks for some, or its phone may have lost some.
pub(super) async fn concerns(
    state: &AppState,
    mut c: C<'_>,
    (request, known): (&Request, &DeviceRow),
    now: Timestamp,
) -> Result<bool, ApiError> {
    if is_older(request, known) {
        let device = DeviceId(known.device_id);
        return Ok(blocks::find_newest(c, device).await?.is_some());
    }
    Ok(request.receipts.is_some() && state.packs.in_force(c.lend(), now).await?.cash.is_some())
}

/// Gives a phone the numbers that it has not heard of, or new ones; the hall's row has to be held.
///
/// A phone with an older store than before may have written any of its numbers: all of them are given up.
pub(super) async fn give(
    state: &AppState,
    tx: &mut Tx,
    (hall, request, known): (HallId, &Request, &DeviceRow),
    now: Timestamp,
) -> Result<Option<ReceiptBlock>, ApiError> {
    let device = DeviceId(known.device_id);
    if is_older(request, known) {
        blocks::void_blocks(tx.c(), device).await?;
    }
    let Some(has) = request.receipts else { return Ok(None) };
    let Some(rules) = state.packs.in_force(tx.c(), now).await?.cash.clone() else {
        return Ok(None);
    };
    let newest = blocks::find_newest(tx.c(), device).await?;
    let unheard = newest.filter(|row| u64::try_from(row.last_number).unwrap_or(0) > has);
    let row = if let Some(row) = unheard {
        row
    } else {
        let last = blocks::find_last(tx.c(), hall).await?;
        let last = last.and_then(|last| u64::try_from(last).ok());
        let first = first_free(last, halls::find_restored_at(tx.c()).await?);
        let first_number = i64::try_from(first).map_err(anyhow::Error::from)?;
        let last_number = first_number + i64::from(rules.block) - 1;
        let row = BlockRow { first_number, last_number };
        blocks::insert_block(tx.c(), (hall, device), row, now.timestamp_millis()).await?;
        row
    };
    let number = |number: i64| u64::try_from(number).map_err(anyhow::Error::from);
    let (first, last) = (number(row.first_number)?, number(row.last_number)?);
    Ok(Some(ReceiptBlock { first, last, ask_below: rules.ask_below }))
}

/// Whether the phone has lost changes that it made.
fn is_older(request: &Request, known: &DeviceRow) -> bool {
    i64::try_from(request.recorded).is_ok_and(|recorded| recorded < known.recorded)
}
