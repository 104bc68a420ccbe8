//! Hoses: what was replaced, free or paid, and which have outlived their span (B14).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use domain::catalogue::{self, Language};
use domain::household::{Group, Hose, HoseKind};
use domain::id::HouseholdId;
use domain::pack::Pack;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Count, Counted, Figure, MOST_NAMED, Named};

/// Where one band of months over the span ends and the next begins.
const EDGES: [u32; 3] = [6, 12, 36];

/// A hose that was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The job, when a job tells of it.
    pub job: Option<Uuid>,
    /// Where.
    pub household: HouseholdId,
    /// When, in the hall's city.
    pub on: NaiveDate,
    /// Whether it was free for the household.
    pub free: bool,
}

/// Hoses in figures.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HoseFigures {
    /// By month: free by group, or paid.
    pub replaced: Figure,
    /// By kind: those on the wall today, within their span or over it.
    pub due: Figure,
    /// The households that are named behind numbers, by their ids.
    pub doors: BTreeMap<Uuid, HoseDoor>,
}

/// What a household is called where only its hoses are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoseDoor {
    /// Its account number.
    pub account: String,
    /// Its address.
    pub address: String,
}

/// The doors of the households that some figures name.
pub fn doors(figures: [&Figure; 2], mut all: BTreeMap<Uuid, HoseDoor>) -> BTreeMap<Uuid, HoseDoor> {
    let lines = figures.into_iter().flat_map(|it| &it.lines);
    let named: BTreeSet<Uuid> = lines
        .flat_map(|line| &line.cells)
        .flat_map(|cell| cell.households.iter().take(MOST_NAMED).copied())
        .collect();
    all.retain(|id, _| named.contains(id));
    all
}

/// Counts hoses that were put in by month: free by the group that entitles, or paid (B14).
pub fn replaced(
    done: &[Replaced],
    groups: &BTreeMap<HouseholdId, BTreeSet<Group>>,
    pack: &Pack,
    language: Language,
) -> Figure {
    let entitled = Group::ALL.into_iter().filter(|group| pack.hose.entitled.contains(group));
    let free = entitled.map(|group| Named {
        key: group.key().to_owned(),
        name: catalogue::text(
            language,
            "figures.free_for",
            &[("group", Named::word(language, "group", group.key()).name)],
        ),
    });
    let word = |key: &str| Named::word(language, "figures", key);
    let mut count = Count::of(free.chain([word("free_otherwise"), word("paid")]).collect());
    for hose in done {
        let mut of = groups.get(&hose.household).into_iter().flatten();
        let group = of.find(|group| pack.hose.entitled.contains(group));
        let column = match group {
            Some(group) if hose.free => group.key(),
            None if hose.free => "free_otherwise",
            Some(_) | None => "paid",
        };
        let what = hose.job.map_or(Counted::Household(hose.household.0), Counted::Job);
        count.add(&Named::plain(hose.on.format("%Y-%m").to_string()), column, what);
    }
    count.finish(language)
}

/// Counts hoses on the wall by kind, and by how many months they are over their span.
pub fn due(
    hoses: &[(HouseholdId, Hose)],
    on: NaiveDate,
    pack: &Pack,
    language: Language,
) -> Figure {
    let mut columns = vec![Named::word(language, "figures", "in_span")];
    let from = std::iter::once(0).chain(EDGES);
    let until = EDGES.into_iter().map(Some).chain([None]);
    columns.extend(from.zip(until).map(|(from, until)| {
        let (key, sentence, to) = match until {
            Some(to) => (format!("{from}-{to}"), "figures.months_over", to.to_string()),
            None => (format!("{from}-"), "figures.months_over_more", String::new()),
        };
        let places = [("from", from.to_string()), ("to", to)];
        Named { key, name: catalogue::text(language, sentence, &places) }
    }));
    let keys: Vec<String> = columns.iter().map(|it| it.key.clone()).collect();
    let kinds = HoseKind::ALL.iter().map(|it| Named::word(language, "hose_kind", it.key()));
    let mut count = Count::of(columns).under(kinds.collect());
    for (household, hose) in hoses {
        let heading = Named::word(language, "hose_kind", hose.kind.key());
        let at = if domain::hose::is_overdue(hose, on, pack) {
            1 + months_over(hose, on, pack)
        } else {
            0
        };
        count.add(&heading, &keys[at.min(keys.len() - 1)], Counted::Household(household.0));
    }
    count.finish(language)
}

/// Which band of months over its span a hose is in.
fn months_over(hose: &Hose, on: NaiveDate, pack: &Pack) -> usize {
    let life = pack.hose.life_months.get(&hose.kind).copied().unwrap_or(0);
    let over = |months: u32| {
        let ends = hose.installed_on.checked_add_months(Months::new(life + months));
        ends.is_some_and(|ends| ends < on)
    };
    EDGES.iter().filter(|months| over(**months)).count()
}
