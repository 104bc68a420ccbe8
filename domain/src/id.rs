//! The names of things: newtypes over UUIDs, made where the thing is made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// Names a hall (营业厅), the unit of data and of positions.
    HallId;
    /// Names a person with a log-in: technician, dispatcher, hall staff, manager.
    UserId;
    /// Names one enrolled phone or workstation.
    DeviceId;
    /// Names a household (用户), an account at an address.
    HouseholdId;
    /// Names a gas meter.
    MeterId;
    /// Names a gas hose (燃气软管).
    HoseId;
    /// Names a gas appliance (燃具).
    ApplianceId;
    /// Names a job (工单) and its document.
    JobId;
    /// Names a visit (上门): one attempt to do a job at the door.
    VisitId;
    /// Names one fact of a visit, made on the device that recorded it.
    FactId;
    /// Names one entry of a job's plan: an appointment, an assignment, a cancellation, a ruling.
    EntryId;
    /// Names a message on a job.
    MessageId;
    /// Names a case (诉求): what somebody asked of the hall.
    CaseId;
    /// Names an application (业务申请): what a household asked for at the counter or by phone.
    ApplicationId;
}

/// Makes ids from a clock reading and random bytes that the caller draws.
///
/// The result is a UUIDv7: ids made later on one device sort later.
pub fn uuid_v7(unix_ms: i64, random: [u8; 10]) -> Uuid {
    let ms = u64::try_from(unix_ms).unwrap_or(0).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&ms[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes)
}

/// When an id was made, in Unix milliseconds by the clock that it was drawn from; `None` of an id without a time.
pub fn id_ms(id: Uuid) -> Option<i64> {
    (id.get_version_num() == 7).then(|| i64::try_from(id.as_u128() >> 80).unwrap_or(0))
}

/// Derives the same id from the same name each time, so that an import twice changes nothing.
pub fn derived(hall: HallId, kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&hall.0, format!("{kind}/{name}").as_bytes())
}
