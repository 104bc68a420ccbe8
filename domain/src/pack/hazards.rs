//! Hazards found at doors: their items and levels, and what is done about each level until it is gone.

use chrono::{Days, TimeDelta};
use serde::{Deserialize, Serialize};

use super::ItemName;
use super::check::Check;
use crate::calendar::city_day;
use crate::hazard::end_of;
use crate::stamp::Timestamp;

/// What is done about hazards until they are gone (field notes 3.3 and 3.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HazardCare {
    /// Up to this level gas is shut off, and supply stays stopped until all such hazards are gone.
    pub severe_level: u8,
    /// From this level on the desk may close a hazard; a graver one is closed in person, with a picture.
    pub desk_from_level: u8,
    /// From this level on a deadline can be extended, once.
    pub extend_from_level: u8,
    /// The most days that an extension adds.
    pub extension_days: u32,
    /// Once nothing severe is left, supply is restored within so many hours.
    pub restore_hours: i64,
    /// With so many minutes of them left the hall looks at it; packs before it existed do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_warn_minutes: Option<i64>,
    /// The steps of each level.
    #[serde(default)]
    pub steps: Vec<HazardStep>,
    /// Where the numbers come from.
    pub source: String,
}

/// Something to do about a hazard of a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HazardStep {
    /// Its key.
    pub id: String,
    /// The level.
    pub level: u8,
    /// So many minutes after the first finding; either this or `days`.
    #[serde(default)]
    pub minutes: Option<i64>,
    /// On the day so many days after the first finding.
    #[serde(default)]
    pub days: Option<u32>,
    /// Which fact of a visit does it; what none does is written down at the desk.
    #[serde(default)]
    pub by: Option<Fulfils>,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

/// A fact of a visit that does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfils {
    /// The supply stopped.
    Stop,
    /// The notice handed over.
    Notice,
    /// Somebody looked again.
    Recheck,
}

impl HazardStep {
    /// What screens call it.
    pub fn name(&self) -> ItemName {
        ItemName { id: self.id.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }

    /// Until when it is to be done, after a first finding.
    pub fn due_at(&self, found_at: Timestamp, utc_offset_minutes: i32) -> Timestamp {
        match (self.minutes, self.days) {
            (Some(minutes), _) => found_at + TimeDelta::minutes(minutes),
            (None, days) => {
                let found_on = city_day(found_at, utc_offset_minutes);
                let day = found_on.checked_add_days(Days::new(u64::from(days.unwrap_or(0))));
                end_of(day.unwrap_or(found_on), utc_offset_minutes)
            }
        }
    }
}

impl HazardCare {
    pub(super) fn checks(&self) -> Vec<Check> {
        let a_year = 366 * 24 * 60;
        let is_timed = |step: &HazardStep| match (step.minutes, step.days) {
            (Some(minutes), None) => (0..=a_year).contains(&minutes),
            (None, Some(days)) => days <= 366,
            (Some(_), Some(_)) | (None, None) => false,
        };
        let says = |text: &str| !text.trim().is_empty();
        vec![
            ("hazard_care.severe_level", "one or more", self.severe_level >= 1),
            ("hazard_care.desk_from_level", "one or more", self.desk_from_level >= 1),
            ("hazard_care.extend_from_level", "one or more", self.extend_from_level >= 1),
            ("hazard_care.extension_days", "up to 366", self.extension_days <= 366),
            ("hazard_care.restore_hours", "from 1 to 720", (1..=720).contains(&self.restore_hours)),
            (
                "hazard_care.restore_warn_minutes",
                "from 1 to the hours of restore_hours",
                (self.restore_warn_minutes)
                    .is_none_or(|warn| (1..=self.restore_hours.saturating_mul(60)).contains(&warn)),
            ),
            ("hazard_care.steps", "either minutes or days each", self.steps.iter().all(is_timed)),
            (
                "hazard_care.steps",
                "words each",
                self.steps.iter().all(|step| says(&step.id) && says(&step.zh) && says(&step.en)),
            ),
            ("hazard_care.source", "not empty", says(&self.source)),
        ]
    }
}
