//! What is due at a household: worked out from what is known of it, never written ahead (B7, B8, B14, C5).
//!
//! Nothing here makes a job. An item says what is due, from when it can be done and by when it has to be, why, and
//! which kind of job serves it; once that job is done the same function does not name it any more.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::{Language, Sentence, text};
use crate::hose::{self, Entitlement, Replacement};
use crate::household::{Appliance, Group, Hose};
use crate::id::{ApplianceId, FactId, MeterId};
use crate::job::JobKind;
use crate::pack::{DueRules, ItemName, Pack, Recurring, Rest};

/// What gas is used for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// 居民: a home.
    #[default]
    Residential,
    /// 公建: a school, a canteen, a hospital.
    Public,
}

impl Use {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Residential, Self::Public];

    /// The word used in JSON, SQL and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Residential => "residential",
            Self::Public => "public",
        }
    }
}

/// How a household gets its gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    /// What for.
    #[serde(default)]
    pub used_for: Use,
    /// The day of its first gas, when anybody knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_since: Option<NaiveDate>,
    /// The last inspection that no job here knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspected_on: Option<NaiveDate>,
    /// Whether its gas was turned off and not on again.
    #[serde(default)]
    pub is_off: bool,
}

/// A meter's life, as far as anybody knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterLife {
    /// Which meter.
    pub id: MeterId,
    /// The day it was put in, or the first on which it was read.
    pub since: Option<NaiveDate>,
    /// Whether it may be older than that.
    pub is_estimated: bool,
    /// When it was read last.
    pub read_on: Option<NaiveDate>,
}

/// A hazard that has to be gone by a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHazard {
    /// The finding.
    pub id: FactId,
    /// What it is called.
    pub name: ItemName,
    /// The day it was found.
    pub found_on: NaiveDate,
    /// The last day on which it may be there.
    pub deadline: NaiveDate,
}

/// Everything that decides what is due at a household.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Home {
    /// How it gets its gas.
    pub supply: Supply,
    /// The groups that may be used.
    pub groups: BTreeSet<Group>,
    /// The meters that hang there.
    pub meters: Vec<MeterLife>,
    /// The hoses that hang there.
    pub hoses: Vec<Hose>,
    /// The replacements it has had.
    pub replacements: Vec<Replacement>,
    /// What burns gas there.
    pub appliances: Vec<Appliance>,
    /// What has to be put right.
    pub hazards: Vec<OpenHazard>,
    /// The day on which a job of each kind was done last.
    pub done: BTreeMap<JobKind, NaiveDate>,
    /// The day on which it got a safety leaflet last.
    pub leaflet_on: Option<NaiveDate>,
}

/// A holiday before which public buildings are inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feast {
    /// What it is called.
    pub name: ItemName,
    /// Its first day.
    pub first: NaiveDate,
}

impl Pack {
    /// The holidays of the calendar before which public buildings are inspected, as far as it knows them (B7).
    pub fn feasts(&self) -> Vec<Feast> {
        let (Some(calendar), Some(due)) = (&self.calendar, &self.due) else { return Vec::new() };
        let before = &due.public_inspection.holidays;
        let rests = calendar.rest.iter().filter(|rest| before.contains(&rest.holiday));
        let feast = |rest: &Rest| {
            let key = rest.holiday.key();
            let said = |language| text(language, &format!("holiday.{key}"), &[]);
            let (zh, en) = (said(Language::Chinese), said(Language::English));
            Feast { name: ItemName { id: key.to_owned(), zh, en }, first: rest.from }
        };
        rests.map(feast).collect()
    }
}

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A hazard has a deadline.
    Hazard,
    /// The yearly inspection of a home (B7).
    Inspection,
    /// The inspection of a public building before a holiday (B7).
    PublicInspection,
    /// A reading (C5).
    Reading,
    /// A hose is at the end of its life.
    Hose,
    /// The same, and this household gets the new one free (B14).
    FreeHose,
    /// A meter is at the end of its life.
    Meter,
    /// An appliance is at the end of its life: its owner is told.
    Appliance,
    /// The yearly safety leaflet (B8).
    Leaflet,
}

impl What {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 9] = [
        Self::Hazard,
        Self::Inspection,
        Self::PublicInspection,
        Self::Reading,
        Self::Hose,
        Self::FreeHose,
        Self::Meter,
        Self::Appliance,
        Self::Leaflet,
    ];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Hazard => "hazard",
            Self::Inspection => "inspection",
            Self::PublicInspection => "public_inspection",
            Self::Reading => "reading",
            Self::Hose => "hose",
            Self::FreeHose => "free_hose",
            Self::Meter => "meter",
            Self::Appliance => "appliance",
            Self::Leaflet => "leaflet",
        }
    }
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What.
    pub what: What,
    /// Which meter, hose, appliance or finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Uuid>,
    /// The first day on which doing it counts.
    pub from: NaiveDate,
    /// The last day on which it is in time.
    pub by: NaiveDate,
    /// Whether nobody knows for sure when that is.
    pub is_estimated: bool,
    /// The kind of job that serves it.
    pub kind: JobKind,
    /// Why, in words.
    pub why: Sentence,
}

/// Works out what is due at a household by the end of a horizon, the most urgent first.
///
/// A pack that says nothing of what is due, as those before it could, makes nothing due.
pub fn due(
    home: &Home,
    (today, until): (NaiveDate, NaiveDate),
    (pack, feasts): (&Pack, &[Feast]),
) -> Vec<Item> {
    let Some(rules) = &pack.due else { return Vec::new() };
    let desk = Desk { home, today, pack, rules };
    let mut items = Vec::new();
    if !home.supply.is_off {
        items.extend(match home.supply.used_for {
            Use::Residential => desk.inspection().into_iter().collect(),
            Use::Public => desk.public_inspections(feasts),
        });
        items.extend(home.meters.iter().filter_map(|meter| desk.reading(meter)));
        items.extend(desk.leaflet());
    }
    items.extend(desk.hoses());
    items.extend(home.meters.iter().filter_map(|meter| desk.meter(meter)));
    items.extend(home.appliances.iter().filter_map(|it| desk.appliance(it)));
    items.extend(home.hazards.iter().map(|it| desk.hazard(it)));
    items.retain(|item| item.by <= until);
    // A leaflet is handed over at the inspection, where one is due as well.
    let visit =
        items.iter().find(|it| matches!(it.what, What::Inspection | What::PublicInspection));
    if let Some(kind) = visit.map(|it| it.kind) {
        items.iter_mut().filter(|it| it.what == What::Leaflet).for_each(|it| it.kind = kind);
    }
    items.sort_by_key(|item| (item.by, item.what, item.about));
    items
}

struct Desk<'a> {
    home: &'a Home,
    today: NaiveDate,
    pack: &'a Pack,
    rules: &'a DueRules,
}

impl Desk<'_> {
    fn done(&self, kind: JobKind) -> Option<NaiveDate> {
        self.home.done.get(&kind).copied()
    }

    /// Every home with gas for more than so many months, so often (B7).
    fn inspection(&self) -> Option<Item> {
        let rule = &self.rules.inspection;
        let last = self.done(rule.kind).max(self.home.supply.inspected_on);
        if let Some(last) = last {
            let why = Sentence::new("due.why.inspected").with("on", last.to_string());
            return again((What::Inspection, None), last, rule, why);
        }
        let Some(since) = self.home.supply.gas_since else {
            let why = Sentence::new("due.why.never_inspected");
            return Some(self.now(What::Inspection, None, rule.kind, why));
        };
        let why = Sentence::new("due.why.gas_since").with("on", since.to_string());
        let months = rule.after_months.to_string();
        let why = why.with("months", months);
        let first = again((What::Inspection, None), since, rule, why)?;
        let from = later(since, rule.after_months)?.max(first.from);
        Some(Item { from, ..first })
    }

    /// Public buildings before each of the holidays, and the last that was missed (B7).
    fn public_inspections(&self, feasts: &[Feast]) -> Vec<Item> {
        let rule = &self.rules.public_inspection;
        let last = self.done(rule.kind).max(self.home.supply.inspected_on);
        let item = |feast: &Feast| {
            let by = feast.first.pred_opt()?;
            let from = by.checked_sub_days(Days::new(u64::from(rule.opens_days)))?;
            let why = Sentence::new("due.why.holiday").naming("holiday", &feast.name);
            let why = why.with("on", feast.first.to_string());
            let what = What::PublicInspection;
            Some(Item { what, about: None, from, by, is_estimated: false, kind: rule.kind, why })
        };
        let has_gas = |by: NaiveDate| self.home.supply.gas_since.is_none_or(|since| since <= by);
        let open = |item: &Item| last.is_none_or(|last| last < item.from) && has_gas(item.by);
        let (past, coming): (Vec<Item>, Vec<Item>) =
            feasts.iter().filter_map(item).partition(|item| item.by < self.today);
        // Nobody can be late with what no register tells anything of.
        let is_known = last.is_some() || self.home.supply.gas_since.is_some();
        let missed = past.into_iter().max_by_key(|item| item.by).filter(|_| is_known);
        missed.into_iter().chain(coming).filter(open).collect()
    }

    /// Meters are read so often (C5).
    fn reading(&self, meter: &MeterLife) -> Option<Item> {
        let (rule, about) = (&self.rules.reading, Some(meter.id.0));
        let Some(last) = meter.read_on.or(self.home.supply.gas_since) else {
            let why = Sentence::new("due.why.never_read");
            return Some(self.now(What::Reading, about, rule.kind, why));
        };
        let why = Sentence::new("due.why.read").with("on", last.to_string());
        again((What::Reading, about), last, rule, why)
    }

    /// A leaflet for each household, so often (B8).
    fn leaflet(&self) -> Option<Item> {
        let rule = &self.rules.leaflet;
        // A hall that began to write them down later knows nothing of old households.
        let is_new =
            |since: &NaiveDate| later(*since, rule.every_months).is_some_and(|by| by >= self.today);
        let gas_since = self.home.supply.gas_since.filter(is_new);
        let Some(last) = self.home.leaflet_on.or(gas_since) else {
            let why = Sentence::new("due.why.no_leaflet");
            return Some(self.now(What::Leaflet, None, rule.kind, why));
        };
        let key = match self.home.leaflet_on {
            Some(_) => "due.why.leaflet",
            None => "due.why.first_leaflet",
        };
        let why = Sentence::new(key).with("on", last.to_string());
        again((What::Leaflet, None), last, rule, why)
    }

    /// Hoses at the end of their lives; who is entitled to a free one this year has it as that (B14).
    fn hoses(&self) -> Vec<Item> {
        let (home, rule) = (self.home, &self.rules.hose);
        let year_end = NaiveDate::from_ymd_opt(self.today.year(), 12, 31);
        let mut items: Vec<Item> = home
            .hoses
            .iter()
            .filter_map(|hose| {
                let by = hose::ends_on(hose, self.pack)?;
                let why = Sentence::new("due.why.hose").with("on", hose.installed_on.to_string());
                let life = (by, hose.is_estimated);
                Some(ends((What::Hose, hose.id.0), life, (rule.kind, rule.opens_days), why))
            })
            .collect();
        items.sort_by_key(|item| (item.by, item.about));
        let entitled = hose::entitlement(&home.groups, &home.replacements, self.today, self.pack);
        let first = items.first_mut().filter(|item| Some(item.by) <= year_end);
        if let (Entitlement::Free { .. }, Some(item)) = (entitled, first) {
            item.what = What::FreeHose;
        }
        items
    }

    fn meter(&self, meter: &MeterLife) -> Option<Item> {
        let (rule, since) = (&self.rules.meter, meter.since?);
        let by = later(since, rule.life_months)?;
        let why = Sentence::new("due.why.meter").with("on", since.to_string());
        let life = (by, meter.is_estimated);
        Some(ends((What::Meter, meter.id.0), life, (rule.kind, rule.opens_days), why))
    }

    /// An appliance's clock starts on the day of sale; whose owner was told since is told again only after a while.
    fn appliance(&self, appliance: &Appliance) -> Option<Item> {
        let rule = &self.rules.appliance;
        let ApplianceId(about) = appliance.id;
        let (since, is_estimated) = appliance.life_begins()?;
        let end = appliance_ends_on(appliance, self.pack)?;
        let told = self.done(rule.kind).filter(|told| *told > end);
        let again = told.and_then(|told| later(told, rule.again_months));
        let why = Sentence::new("due.why.appliance").with("on", since.to_string());
        let life = (again.unwrap_or(end), is_estimated);
        Some(ends((What::Appliance, about), life, (rule.kind, rule.opens_days), why))
    }

    fn hazard(&self, hazard: &OpenHazard) -> Item {
        let kind = self.rules.hazard.kind;
        let why = Sentence::new("due.why.hazard").naming("item", &hazard.name);
        let why = why.with("on", hazard.found_on.to_string());
        Item {
            what: What::Hazard,
            about: Some(hazard.id.0),
            from: hazard.found_on,
            by: hazard.deadline,
            is_estimated: false,
            kind,
            why,
        }
    }

    /// Due now, because nobody knows since when.
    fn now(&self, what: What, about: Option<Uuid>, kind: JobKind, why: Sentence) -> Item {
        Item { what, about, from: self.today, by: self.today, is_estimated: true, kind, why }
    }
}

/// Due again after so many months.
fn again(
    (what, about): (What, Option<Uuid>),
    last: NaiveDate,
    rule: &Recurring,
    why: Sentence,
) -> Option<Item> {
    let by = later(last, rule.every_months)?;
    let from = by.checked_sub_days(Days::new(u64::from(rule.opens_days)))?;
    Some(Item { what, about, from, by, is_estimated: false, kind: rule.kind, why })
}

/// Due by the end of a life.
fn ends(
    (what, about): (What, Uuid),
    (by, is_estimated): (NaiveDate, bool),
    (kind, opens_days): (JobKind, u32),
    why: Sentence,
) -> Item {
    let from = by.checked_sub_days(Days::new(u64::from(opens_days))).unwrap_or(by);
    Item { what, about: Some(about), from, by, is_estimated, kind, why }
}

/// The last day of an appliance's life, where its sale, or at least its installation, is known and the pack gives its
/// kind a span.
pub fn appliance_ends_on(appliance: &Appliance, pack: &Pack) -> Option<NaiveDate> {
    let months = *pack.due.as_ref()?.appliance.life_months.get(&appliance.kind)?;
    later(appliance.life_begins()?.0, months)
}

fn later(day: NaiveDate, months: u32) -> Option<NaiveDate> {
    day.checked_add_months(Months::new(months))
}

#[cfg(test)]
mod tests;
