//! A household (用户): an account at an address with what hangs on its wall.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::id::{ApplianceId, HoseId, HouseholdId, MeterId};
use crate::measure::Volume;
use crate::place::Place;
use crate::reading::ReadingState;

/// A group that the rulebook treats with extra care (B14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// 老年人
    Elderly,
    /// 残疾人
    Disabled,
    /// 烈属
    MartyrFamily,
    /// 军属
    SoldierFamily,
}

impl Group {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 4] =
        [Self::Elderly, Self::Disabled, Self::MartyrFamily, Self::SoldierFamily];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Elderly => "elderly",
            Self::Disabled => "disabled",
            Self::MartyrFamily => "martyr_family",
            Self::SoldierFamily => "soldier_family",
        }
    }
}

/// What a technician needs to know of a household at its door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Household {
    /// The household's id.
    pub id: HouseholdId,
    /// The account number (户号) that people quote.
    pub account: String,
    /// The account holder's name.
    pub holder: String,
    /// The address as people there write it.
    pub address: String,
    /// The contact's phone number, digits only.
    pub phone: String,
    /// Where the door is, when it has been surveyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The groups the household belongs to.
    #[serde(default)]
    pub groups: BTreeSet<Group>,
    /// How to get in: gate code, dog, best bell.
    #[serde(default)]
    pub access: String,
    /// No register knows it: a place that somebody described in words, to which a leak is reported.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unregistered: bool,
}

/// What most households are is not written down.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A register value read earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastReading {
    /// The day it was read, in the hall's city.
    pub on: NaiveDate,
    /// What the register showed.
    pub register: Volume,
    /// How anybody knows.
    #[serde(default, skip_serializing_if = "ReadingState::is_seen")]
    pub state: ReadingState,
}

/// A meter with its past readings, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// The meter's id.
    pub id: MeterId,
    /// The number on its plate.
    pub serial: String,
    /// Its size, such as `G4`.
    pub size: String,
    /// How many whole digits its register has before it rolls over to zero.
    pub digits: u8,
    /// Past readings, oldest first.
    pub readings: Vec<PastReading>,
    /// The day it was put in, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<NaiveDate>,
    /// The meters that hung in its place before, oldest first: a home's past goes on across a change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<FormerMeter>,
}

impl Meter {
    /// A meter of which nothing but its plate is known.
    pub fn new(id: MeterId, serial: &str, size: &str, digits: u8) -> Self {
        let (serial, size) = (serial.to_owned(), size.to_owned());
        let (readings, before) = (Vec::new(), Vec::new());
        Self { id, serial, size, digits, readings, installed_on: None, before }
    }
}

/// A meter that was taken out, with its readings up to the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerMeter {
    /// The number on its plate.
    pub serial: String,
    /// Its size, such as `G4`.
    pub size: String,
    /// How many whole digits its register has.
    pub digits: u8,
    /// The day it was taken out.
    pub removed_on: NaiveDate,
    /// Its readings, oldest first.
    pub readings: Vec<PastReading>,
}

/// What a hose is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoseKind {
    /// 橡胶软管
    Rubber,
    /// 不锈钢波纹管
    Corrugated,
}

impl HoseKind {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 2] = [Self::Rubber, Self::Corrugated];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rubber => "rubber",
            Self::Corrugated => "corrugated",
        }
    }
}

/// A gas hose (燃气软管).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hose {
    /// The hose's id.
    pub id: HoseId,
    /// What it is made of.
    pub kind: HoseKind,
    /// Its length.
    pub length_mm: u32,
    /// The day it was put in.
    pub installed_on: NaiveDate,
    /// Whether that day is a guess: nobody knows it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_estimated: bool,
    /// How many joints are in it, when somebody looked; a hose has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joints: Option<u8>,
}

/// What kind of thing burns the gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplianceKind {
    /// 灶具
    Stove,
    /// 热水器
    WaterHeater,
    /// 壁挂炉
    Boiler,
    /// Anything else.
    Other,
}

impl ApplianceKind {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 4] = [Self::Stove, Self::WaterHeater, Self::Boiler, Self::Other];

    /// The word used in JSON, SQL and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Stove => "stove",
            Self::WaterHeater => "water_heater",
            Self::Boiler => "boiler",
            Self::Other => "other",
        }
    }
}

/// A gas appliance (燃具).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appliance {
    /// The appliance's id.
    pub id: ApplianceId,
    /// What it is.
    pub kind: ApplianceKind,
    /// Who made it.
    pub brand: String,
    /// Its model, when it is known.
    #[serde(default)]
    pub model: String,
    /// The day it was put in, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_on: Option<NaiveDate>,
    /// The day it was sold, when it is known: from then on its life is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_on: Option<NaiveDate>,
    /// Whether these days are guesses.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_estimated: bool,
    /// Whether it shuts the gas when its flame goes out (熄火保护), when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flame_out: Option<bool>,
}

impl Appliance {
    /// From when its life is counted, and whether that is a guess: the day of sale, or else the one it was put in.
    pub fn life_begins(&self) -> Option<(NaiveDate, bool)> {
        let sold = self.sold_on.map(|day| (day, self.is_estimated));
        sold.or_else(|| self.installed_on.map(|day| (day, true)))
    }
}

/// The appliances that stand at a household: those of the register and those seen, less those that are gone. Sightings
/// come oldest first, each with whether it is gone; of each appliance the newest word holds.
pub fn appliances_there(register: &[Appliance], seen: &[(Appliance, bool)]) -> Vec<Appliance> {
    let known = register.iter().map(|it| (it.id, (it.clone(), false)));
    let mut all: BTreeMap<ApplianceId, (Appliance, bool)> = known.collect();
    all.extend(seen.iter().map(|(it, is_gone)| (it.id, (it.clone(), *is_gone))));
    all.into_values().filter(|(_, is_gone)| !is_gone).map(|(it, _)| it).collect()
}
