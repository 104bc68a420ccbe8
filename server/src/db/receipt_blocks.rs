//! The receipt numbers that phones have for themselves (B15).

use domain::id::{DeviceId, HallId};

use super::{C, Result, statements};

statements! {
    INSERT_BLOCK = "insert into receipt_block (hall_id, first_number, last_number, device_id, given_at, void) \
        values ($1, $2, $3, $4, $5, $6)";
    FIND_LAST = "select max(last_number) from receipt_block where hall_id = $1";
    FIND_NEWEST = "select first_number, last_number from receipt_block where device_id = $1 and not void \
        order by first_number desc limit 1";
    VOID_BLOCKS = "update receipt_block set void = $2 where device_id = $1 and not void";
}

/// Consecutive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BlockRow {
    /// The first of them.
    pub first_number: i64,
    /// The last of them.
    pub last_number: i64,
}

/// Hands numbers to a phone.
pub async fn insert_block(
    c: C<'_>,
    (hall, device): (HallId, DeviceId),
    row: BlockRow,
    now_ms: i64,
) -> Result<()> {
    let q = c.q(INSERT_BLOCK).bind(hall.0).bind(row.first_number).bind(row.last_number);
    q.bind(device.0).bind(now_ms).bind(false).execute().await.map(drop)
}

/// The highest number that a hall ever handed out.
pub async fn find_last(c: C<'_>, hall: HallId) -> Result<Option<i64>> {
    c.q(FIND_LAST).bind(hall.0).one::<(Option<i64>,)>().await.map(|(last,)| last)
}

/// The newest numbers of a phone that it may still use.
pub async fn find_newest(c: C<'_>, device: DeviceId) -> Result<Option<BlockRow>> {
    c.q(FIND_NEWEST).bind(device.0).opt().await
}

/// Gives up what a phone has left; returns how many blocks that were.
pub async fn void_blocks(c: C<'_>, device: DeviceId) -> Result<u64> {
    c.q(VOID_BLOCKS).bind(device.0).bind(true).execute().await
}
