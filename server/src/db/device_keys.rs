//! What phones lock their own stores with besides their PINs.

use std::fmt;

use domain::id::DeviceId;

use super::{C, Result, statements};

statements! {
    INSERT_DEVICE_KEY = "insert into device_key (device_id, share, recovery) values ($1, $2, $3) on conflict do nothing";
    FIND_DEVICE_KEY = "select share, recovery from device_key where device_id = $1";
}

/// The two secrets of a phone.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeviceKeyRow {
    /// Lent to the phone's live session for some days at a time.
    pub share: Vec<u8>,
    /// Given for a password and a one-time code only.
    pub recovery: Vec<u8>,
}

impl fmt::Debug for DeviceKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKeyRow(…)")
    }
}

/// Finds a phone's secrets; `drawn` become them when it has none, and never otherwise.
pub async fn find_or_keep(
    mut c: C<'_>,
    device: DeviceId,
    drawn: &DeviceKeyRow,
) -> Result<DeviceKeyRow> {
    let lent = c.lend();
    let insert = lent.q(INSERT_DEVICE_KEY).bind(device.0);
    insert.bind(&drawn.share).bind(&drawn.recovery).execute().await?;
    c.q(FIND_DEVICE_KEY).bind(device.0).one().await
}
