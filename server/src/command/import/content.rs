//! What a hall's folder says once every row has been understood.

use chrono::{FixedOffset, NaiveDate};
use domain::hose::Replacement;
use domain::household::{Hose, Household, Meter};
use domain::id::{HallId, HoseId, HouseholdId, JobId, MeterId, UserId, derived};
use domain::job::{Author, Channel, JobKind, Window};
use uuid::Uuid;

use crate::identity::Role;

/// Everything in the folder.
pub(crate) struct Content {
    /// The hall itself.
    pub(crate) hall: Hall,
    /// The day that the jobs are for, wherever they were moved from.
    pub(crate) day: NaiveDate,
    /// Who works there.
    pub(crate) staff: Vec<Person>,
    /// The households with what hangs on their walls.
    pub(crate) homes: Vec<Home>,
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

/// Somebody with a log-in.
pub(crate) struct Person {
    /// Their id.
    pub(crate) id: UserId,
    /// The line on which they stand.
    pub(crate) line: u64,
    /// What they type to sign in.
    pub(crate) login: String,
    /// What they are called.
    pub(crate) name: String,
    /// What they are.
    pub(crate) role: Role,
    /// The password to begin with.
    pub(crate) password: String,
}

/// A household with what hangs on its wall.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// The account.
    pub(crate) household: Household,
    /// Its meters with past readings, oldest first.
    pub(crate) meters: Vec<Meter>,
    /// Its hoses.
    pub(crate) hoses: Vec<Hose>,
    /// The hoses replaced earlier.
    pub(crate) replacements: Vec<Replacement>,
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

/// The id of the hose with this number.
pub(crate) fn hose_id(hall: HallId, number: &str) -> HoseId {
    HoseId(derived(hall, "hose", number))
}

/// The id of the job with this number on this day: the same folder can be loaded for several days.
pub(crate) fn job_id(hall: HallId, day: NaiveDate, number: &str) -> JobId {
    JobId(derived(hall, "job", &format!("{day}/{number}")))
}
