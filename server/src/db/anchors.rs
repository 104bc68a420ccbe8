//! The server times that phones heard, with which stamps are resolved.

use domain::id::DeviceId;
use domain::stamp::{Anchor, BootId};

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_ANCHOR = "insert into anchor (device_id, boot, mono_ms, server_at, round_trip_ms, received_at) \
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
    LIST_ANCHORS = "select boot, mono_ms, server_at, round_trip_ms from anchor \
        where device_id = $1 and received_at <= $2 order by boot, mono_ms";
}

#[derive(sqlx::FromRow)]
struct AnchorRow {
    boot: i64,
    mono_ms: i64,
    server_at: i64,
    round_trip_ms: i64,
}

/// Keeps the anchors of a device.
pub async fn insert_anchors(
    c: C<'_>,
    device: DeviceId,
    anchors: &[Anchor],
    now_ms: i64,
) -> Result<()> {
    insert_rows(c, INSERT_ANCHOR, anchors, |q, anchor| {
        q.bind(device.0)
            .bind(i64::from(anchor.boot.0))
            .bind(anchor.mono_ms)
            .bind(anchor.server_at.timestamp_millis())
            .bind(anchor.round_trip_ms)
            .bind(now_ms)
    })
    .await
    .map(drop)
}

/// Lists the anchors that a device had told of by a time.
pub async fn list_anchors(c: C<'_>, device: DeviceId, until_ms: i64) -> Result<Vec<Anchor>> {
    let rows: Vec<AnchorRow> = c.q(LIST_ANCHORS).bind(device.0).bind(until_ms).all().await?;
    let anchors = rows.into_iter().filter_map(|row| {
        Some(Anchor {
            boot: BootId(u32::try_from(row.boot).ok()?),
            mono_ms: row.mono_ms,
            server_at: chrono::DateTime::from_timestamp_millis(row.server_at)?,
            round_trip_ms: row.round_trip_ms,
        })
    });
    Ok(anchors.collect())
}
