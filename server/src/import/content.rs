//! What a hall's folder says once every row has been understood.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{FixedOffset, NaiveDate, Offset as _, Utc};
use domain::calendar::city_day;
use domain::due::Use;
use domain::hose::Replacement;
use domain::household::{Appliance, Group, Hose, Household, Meter, PastReading};
use domain::id::{ApplianceId, HallId, HoseId, HouseholdId, JobId, MeterId, UserId, derived};
use domain::job::{Author, Channel, JobKind, Window};
use domain::pack::{SkillId, SkillRule};
use domain::stamp::Timestamp;
use uuid::Uuid;

use super::sheet::Row;
use crate::db::halls::HallRow;
use crate::identity::Role;

/// Everything in the folder.
pub(crate) struct Content {
    /// The hall itself.
    pub(crate) hall: Hall,
    /// The day that the jobs are for, wherever they were moved from.
    pub(crate) day: NaiveDate,
    /// Who works there.
    pub(crate) staff: Vec<Person>,
    /// What is known of homes.
    pub(crate) homes: Homes,
    /// What is to be done on the day.
    pub(crate) bookings: Vec<Booking>,
}

/// The hall.
#[derive(Clone, Debug)]
pub(crate) struct Hall {
    /// Its id.
    pub(crate) id: HallId,
    /// Its name.
    pub(crate) name: String,
    /// Its city's distance from UTC.
    pub(crate) offset: FixedOffset,
    /// The day that the jobs in the files are for.
    pub(crate) day: NaiveDate,
}

impl Hall {
    /// A hall that is there, today.
    pub(crate) fn of(row: &HallRow, now: Timestamp) -> Self {
        let minutes = i32::try_from(row.utc_offset_minutes).unwrap_or(0);
        let offset = minutes.checked_mul(60).and_then(FixedOffset::east_opt);
        let day = city_day(now, minutes);
        let offset = offset.unwrap_or_else(|| Utc.fix());
        Self { id: HallId(row.hall_id), name: row.name.clone(), offset, day }
    }
}

/// Somebody with a log-in.
pub(crate) struct Person {
    /// Their id.
    pub(crate) id: UserId,
    /// Where they stand.
    pub(crate) row: Row,
    /// What they type to sign in.
    pub(crate) login: String,
    /// What they are called.
    pub(crate) name: String,
    /// What they are.
    pub(crate) role: Role,
    /// The password to begin with.
    pub(crate) password: Option<String>,
    /// What they are able to do.
    pub(crate) skills: Skills,
    /// Words in the addresses of their area; `None` where the file has no column for it.
    pub(crate) area: Option<BTreeSet<String>>,
    /// Their telephone number, empty for none; `None` where the file has no column for it.
    pub(crate) phone: Option<String>,
    /// The log-in of their crew leader, empty for none; `None` where the file has no column for it.
    pub(crate) leader: Option<String>,
}

/// What a file says of somebody's skills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skills {
    /// It has no column for them: what is recorded stays.
    Silent,
    /// Nobody wrote them down.
    Unrecorded,
    /// These, and no others.
    Listed(BTreeSet<SkillId>),
}

/// Households with what hangs on their walls, each as far as the files name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Homes {
    /// The accounts, and what of each the files do not speak of.
    pub(crate) households: Vec<(Household, Silent)>,
    /// How they get their gas, where the files say anything of it.
    pub(crate) supplies: Vec<(HouseholdId, SupplyCells)>,
    /// Who belongs to a group besides.
    pub(crate) groups: Vec<(HouseholdId, Group)>,
    /// The meters; no digits where the files do not tell them.
    pub(crate) meters: Vec<(HouseholdId, Meter, Option<u8>)>,
    /// What was read before.
    pub(crate) readings: Vec<(MeterId, PastReading)>,
    /// The hoses in use.
    pub(crate) hoses: Vec<(HouseholdId, Hose)>,
    /// The hoses replaced earlier.
    pub(crate) replacements: Vec<(HouseholdId, Replacement)>,
    /// What burns gas.
    pub(crate) appliances: Vec<(HouseholdId, Appliance)>,
}

/// What a row says of how a household gets its gas; an empty cell leaves what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SupplyCells {
    /// What for.
    pub(crate) used_for: Option<Use>,
    /// The day of its first gas.
    pub(crate) gas_since: Option<NaiveDate>,
    /// The last inspection.
    pub(crate) inspected_on: Option<NaiveDate>,
}

/// What a file has no column for: it stays as it is.
#[expect(clippy::struct_excessive_bools, reason = "each column may be missing by itself")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silent {
    /// On telephone numbers.
    pub(crate) phone: bool,
    /// On places.
    pub(crate) place: bool,
    /// On groups.
    pub(crate) groups: bool,
    /// On how to get in.
    pub(crate) access: bool,
}

/// What the hall's registers know already, which files may name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Account numbers.
    pub(crate) accounts: BTreeSet<String>,
    /// Serials of meters with their digits.
    pub(crate) meters: BTreeMap<String, u8>,
    /// Log-ins with who has them.
    pub(crate) people: BTreeMap<String, (UserId, Role)>,
    /// The skills of the rule pack in force.
    pub(crate) skills: Vec<SkillRule>,
}

/// A job as the hall booked it.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    /// Its id.
    pub(crate) id: JobId,
    /// What is to be done.
    pub(crate) kind: JobKind,
    /// Whose door it is.
    pub(crate) household: HouseholdId,
    /// What the household asked for.
    pub(crate) request: String,
    /// Who took it on, and when.
    pub(crate) author: Author,
    /// The window agreed, and how.
    pub(crate) appointment: Option<(Window, Channel)>,
    /// Who is to do it.
    pub(crate) technician: Option<UserId>,
}

/// The hall's id, the same for the same city and name.
pub(crate) fn hall_id(city: &str, name: &str) -> HallId {
    HallId(derived(HallId(Uuid::nil()), "hall", &format!("{city}/{name}")))
}

/// The id of the person who signs in like this.
pub(crate) fn user_id(hall: HallId, login: &str) -> UserId {
    UserId(derived(hall, "user", login))
}

/// The id of the household with this account.
pub(crate) fn household_id(hall: HallId, account: &str) -> HouseholdId {
    HouseholdId(derived(hall, "household", account))
}

/// The id of the meter with this serial.
pub(crate) fn meter_id(hall: HallId, serial: &str) -> MeterId {
    MeterId(derived(hall, "meter", serial))
}

/// The id of an appliance: files give it no number, so it is the one of its kind and make in its home.
pub(crate) fn appliance_id(hall: HallId, account: &str, name: &str) -> ApplianceId {
    ApplianceId(derived(hall, "appliance", &format!("{account}/{name}")))
}

/// The id of the hose with this number.
pub(crate) fn hose_id(hall: HallId, number: &str) -> HoseId {
    HoseId(derived(hall, "hose", number))
}

/// The id of the job with this number on this day: the same folder can be loaded for several days.
pub(crate) fn job_id(hall: HallId, day: NaiveDate, number: &str) -> JobId {
    JobId(derived(hall, "job", &format!("{day}/{number}")))
}
