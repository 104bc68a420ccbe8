//! What is due at households, how often, and which kind of job serves it (B7, B8, B14, C5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};
use super::kinds::KindRules;
use crate::calendar::Holiday;
use crate::household::ApplianceKind;
use crate::job::JobKind;

/// What is due at households.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueRules {
    /// Every home with gas is inspected so often (B7).
    pub inspection: Recurring,
    /// Public buildings are inspected before holidays (B7).
    pub public_inspection: BeforeHolidays,
    /// Meters are read so often (C5).
    pub reading: Recurring,
    /// Each household gets a safety leaflet so often (B8).
    pub leaflet: Recurring,
    /// Hoses at the end of the life that `[hose]` gives them.
    pub hose: Serving,
    /// Meters at the end of their lives.
    pub meter: MeterRule,
    /// Appliances at the end of their lives: their owners are told.
    pub appliance: ApplianceRule,
    /// Hazards with a deadline.
    pub hazard: Serving,
    /// Whoever goes to a door hears what else is due there within so many days.
    pub brief_days: u32,
    /// When a visit is only announced, by a notice, the window begins so many hours later or more (A1).
    pub notice_hours: u32,
    /// Where what no table here names comes from.
    pub source: String,
}

/// Something that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// The kind of job that serves it.
    pub kind: JobKind,
    /// At least once in so many months.
    pub every_months: u32,
    /// Not before a household has had gas for so many months.
    #[serde(default)]
    pub after_months: u32,
    /// It may be done so many days before its last.
    pub opens_days: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// Something that is done before holidays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeforeHolidays {
    /// The kind of job that serves it.
    pub kind: JobKind,
    /// Before which holidays of the calendar.
    pub holidays: BTreeSet<Holiday>,
    /// Counts when it is done within so many days before.
    pub opens_days: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// Something whose last day stands elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// The kind of job that serves it.
    pub kind: JobKind,
    /// It may be done so many days before its last.
    pub opens_days: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// Meters at the end of their lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterRule {
    /// The kind of job that serves it.
    pub kind: JobKind,
    /// Months from the day a meter was put in.
    pub life_months: u32,
    /// It may be done so many days before its last.
    pub opens_days: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// Appliances at the end of their lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplianceRule {
    /// The kind of job in which their owners are told.
    pub kind: JobKind,
    /// Months from the day of sale; a kind that is not named has no end.
    pub life_months: BTreeMap<ApplianceKind, u32>,
    /// An owner who was told is told again after so many months.
    pub again_months: u32,
    /// It may be done so many days before its last.
    pub opens_days: u32,
    /// Where the numbers come from.
    pub source: String,
}

impl DueRules {
    /// What the rules have to be; only a kind that the pack names serves anything.
    pub(super) fn checks(&self, kinds: &BTreeMap<JobKind, KindRules>) -> Vec<Check> {
        let is_span = |months: u32| (1..=600).contains(&months);
        let recurring = [&self.inspection, &self.reading, &self.leaflet];
        let opens = recurring.map(|it| it.opens_days).into_iter().chain([
            self.public_inspection.opens_days,
            self.hose.opens_days,
            self.meter.opens_days,
            self.appliance.opens_days,
            self.hazard.opens_days,
        ]);
        let sources = recurring.map(|it| it.source.as_str()).into_iter().chain([
            self.public_inspection.source.as_str(),
            &self.hose.source,
            &self.meter.source,
            &self.appliance.source,
            &self.hazard.source,
            &self.source,
        ]);
        let spans = recurring.map(|it| it.every_months).into_iter();
        let spans = spans.chain([self.meter.life_months, self.appliance.again_months]);
        let mut spans = spans.chain(self.appliance.life_months.values().copied());
        let mut served = recurring.map(|it| it.kind).into_iter().chain([
            self.public_inspection.kind,
            self.hose.kind,
            self.meter.kind,
            self.appliance.kind,
            self.hazard.kind,
        ]);
        vec![
            ("due", "a [kinds] entry for each", served.all(|kind| kinds.contains_key(&kind))),
            ("due", "spans from 1 to 600 months", spans.all(is_span)),
            ("due.after_months", "at most 600", recurring.iter().all(|it| it.after_months <= 600)),
            ("due.opens_days", "at most 366", opens.into_iter().all(|days| days <= 366)),
            ("due.brief_days", "at most 366", self.brief_days <= 366),
            ("due.notice_hours", "at most 8784", self.notice_hours <= 8784),
            ("due.source", "not empty", sources.into_iter().all(is_said)),
        ]
    }
}
