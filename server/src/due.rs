//! What is due: worked out from registers and projections, of a whole hall at once or of one household (B7, B8, B14, C5).

pub mod figures;
pub mod jobs;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::calendar::city_day;
use domain::due::{Home, Item, MeterLife, OpenHazard, due};
use domain::household::Household;
use domain::id::{HallId, HouseholdId, MeterId};
use domain::job::JobKind;
use domain::ledger::{Written, shown_groups};
use domain::pack::Pack;
use domain::stamp::Timestamp;
use domain::visit::Fact;

use crate::db::due::{self as rows, DoneRow, MomentRow, OpenRow, ReadRow, Whose};
use crate::db::{C, decode, households};
use crate::hazards;
use crate::items::{self, Wall};
use crate::ledger;
use crate::packs::Packs;

/// Who looks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'a> {
    /// Where rule packs are.
    pub packs: &'a Packs,
    /// The rules that hold.
    pub pack: &'a Pack,
    /// Now.
    pub now: Timestamp,
}

impl Looking<'_> {
    /// The day in the city.
    pub fn today(&self) -> NaiveDate {
        self.day(self.now.timestamp_millis())
    }

    fn day(&self, at_ms: i64) -> NaiveDate {
        let at = Timestamp::from_timestamp_millis(at_ms).unwrap_or_default();
        city_day(at, self.pack.time.utc_offset_minutes)
    }

    /// What is due at a household by the end of a day.
    pub fn due(&self, home: &Home, until: NaiveDate) -> Vec<Item> {
        due(home, (self.today(), until), (self.pack, &self.pack.feasts()))
    }
}

/// Something that is due, with whose door it is and the job that serves it already.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whose door.
    pub household: Household,
    /// What.
    pub item: Item,
    /// The oldest open job of the kind that serves it.
    pub job: Option<OpenRow>,
}

/// Everything that is due in a hall by the end of a day: by day, address and household.
pub async fn list(
    mut c: C<'_>,
    hall: HallId,
    looking: &Looking<'_>,
    until: NaiveDate,
) -> anyhow::Result<Vec<Line>> {
    let mut open: BTreeMap<(HouseholdId, String), OpenRow> = BTreeMap::new();
    for row in rows::list_open(c.lend(), hall).await? {
        open.entry((HouseholdId(row.household_id), row.kind.clone())).or_insert(row);
    }
    let mut lines = Vec::new();
    for (household, home) in homes(c, hall, looking).await?.into_values() {
        for item in looking.due(&home, until) {
            let job = open.get(&(household.id, item.kind.key().to_owned())).cloned();
            lines.push(Line { household: household.clone(), item, job });
        }
    }
    lines.sort_by(|a, b| a.key().cmp(&b.key()));
    Ok(lines)
}

impl Line {
    /// Where it stands in the list.
    pub fn key(&self) -> (NaiveDate, &str, HouseholdId, domain::due::What, Option<uuid::Uuid>) {
        let Self { household, item, .. } = self;
        (item.by, &household.address, household.id, item.what, item.about)
    }
}

/// What else is due at a household by the end of some days, one day for each kind of job, without what is being done.
pub async fn also_due(
    c: C<'_>,
    household: &Household,
    looking: &Looking<'_>,
    kind: JobKind,
) -> anyhow::Result<Vec<domain::job::Due>> {
    let Some(rules) = &looking.pack.due else { return Ok(Vec::new()) };
    let today = looking.today();
    let until = today.checked_add_days(Days::new(u64::from(rules.brief_days))).unwrap_or(today);
    let home = home(c, household, looking).await?;
    let mut days: BTreeMap<JobKind, NaiveDate> = BTreeMap::new();
    for item in looking.due(&home, until).into_iter().filter(|it| it.kind != kind) {
        let day = days.entry(item.kind).or_insert(item.by);
        *day = item.by.min(*day);
    }
    Ok(days.into_iter().map(|(kind, on)| domain::job::Due { kind, on }).collect())
}

/// What decides what is due, as it is read.
#[derive(Default)]
struct Known {
    supply: domain::due::Supply,
    waits_for_gas: bool,
    entries: Vec<Written>,
    registers: Vec<ReadRow>,
    read: Vec<ReadRow>,
    done: Vec<DoneRow>,
    moments: Vec<MomentRow>,
    hazards: Vec<OpenHazard>,
    wall: Wall,
}

/// Everything that decides what is due at the households of a hall that a register knows.
pub async fn homes(
    mut c: C<'_>,
    hall: HallId,
    looking: &Looking<'_>,
) -> anyhow::Result<BTreeMap<HouseholdId, (Household, Home)>> {
    let households = households::list_households(c.lend(), hall).await?;
    let mut known: BTreeMap<HouseholdId, Known> = BTreeMap::new();
    for (id, supply) in rows::list_supplies(c.lend(), Whose::Hall(hall)).await? {
        known.entry(id).or_default().supply = supply;
    }
    for id in rows::list_waiting(c.lend(), Whose::Hall(hall)).await? {
        known.entry(id).or_default().waits_for_gas = true;
    }
    for row in rows::list_registers(c.lend(), Whose::Hall(hall)).await? {
        known.entry(HouseholdId(row.household_id)).or_default().registers.push(row);
    }
    for row in rows::list_read(c.lend(), Whose::Hall(hall)).await? {
        known.entry(HouseholdId(row.household_id)).or_default().read.push(row);
    }
    for row in rows::list_done(c.lend(), Whose::Hall(hall)).await? {
        known.entry(HouseholdId(row.household_id)).or_default().done.push(row);
    }
    for row in rows::list_moments(c.lend(), Whose::Hall(hall)).await? {
        known.entry(HouseholdId(row.household_id)).or_default().moments.push(row);
    }
    let entries = ledger::entries_of_hall(c.lend(), hall).await?;
    for (id, home) in hazards::homes_by(looking.packs, c.lend(), hall, &entries).await? {
        known.entry(id).or_default().hazards = open(home);
    }
    for (id, entries) in entries {
        known.entry(id).or_default().entries = entries;
    }
    for (id, wall) in items::of_hall(c.lend(), hall).await? {
        known.entry(id).or_default().wall = wall;
    }
    let mut homes = BTreeMap::new();
    for (id, household) in households {
        let known = known.remove(&id).unwrap_or_default();
        let home = assemble(&household, known, looking)?;
        homes.insert(id, (household, home));
    }
    Ok(homes)
}

/// Everything that decides what is due at one household.
pub async fn home(
    mut c: C<'_>,
    household: &Household,
    looking: &Looking<'_>,
) -> anyhow::Result<Home> {
    let (id, whose) = (household.id, Whose::Home(household.id));
    let hazards = hazards::home(looking.packs, c.lend(), id).await?;
    let known = Known {
        supply: rows::list_supplies(c.lend(), whose).await?.remove(&id).unwrap_or_default(),
        waits_for_gas: rows::list_waiting(c.lend(), whose).await?.contains(&id),
        entries: ledger::entries(c.lend(), id).await?,
        registers: rows::list_registers(c.lend(), whose).await?,
        read: rows::list_read(c.lend(), whose).await?,
        done: rows::list_done(c.lend(), whose).await?,
        moments: rows::list_moments(c.lend(), whose).await?,
        hazards: open(hazards),
        wall: items::of_home(c.lend(), id).await?,
    };
    assemble(household, known, looking)
}

fn assemble(household: &Household, known: Known, looking: &Looking<'_>) -> anyhow::Result<Home> {
    let mut supply = known.supply;
    let mut leaflet_on = None;
    for moment in &known.moments {
        let day = looking.day(moment.latest);
        let fact: Fact = serde_json::from_value(moment.body.0.clone()).map_err(decode)?;
        if let Fact::GasSwitched { on } = fact {
            supply.is_off = !on;
            let is_first = on && moment.job_kind == JobKind::Ignition.key();
            supply.gas_since = supply.gas_since.or(is_first.then_some(day));
        } else {
            leaflet_on = Some(day);
        }
    }
    let meters = meters(&known)?;
    // An account without a meter has its pipe still to come.
    supply.is_off |= known.waits_for_gas || (meters.is_empty() && supply.gas_since.is_none());
    let done = known
        .done
        .iter()
        .filter_map(|row| JobKind::from_key(&row.kind).map(|kind| (kind, looking.day(row.at))));
    Ok(Home {
        supply,
        groups: shown_groups(&household.groups, &known.entries, looking.today()),
        meters,
        hazards: known.hazards,
        done: done.collect(),
        leaflet_on,
        hoses: known.wall.hoses,
        replacements: known.wall.replacements,
        appliances: known.wall.appliances,
    })
}

/// Meters with the first and last day on which anybody read them.
fn meters(known: &Known) -> anyhow::Result<Vec<MeterLife>> {
    let day = |text: &Option<String>| -> anyhow::Result<Option<NaiveDate>> {
        Ok(text.as_ref().map(|it| it.parse()).transpose()?)
    };
    let lives = known.registers.iter().map(|row| {
        let mut life = MeterLife {
            id: MeterId(row.meter_id),
            since: day(&row.first_on)?,
            is_estimated: true,
            read_on: day(&row.last_on)?,
        };
        for read in known.read.iter().filter(|it| it.meter_id == row.meter_id) {
            life.since = life.since.or(day(&read.first_on)?);
            life.read_on = life.read_on.max(day(&read.last_on)?);
        }
        Ok(life)
    });
    lives.collect()
}

/// Those hazards that have to be gone by a day, each under its first finding.
fn open(home: hazards::Home) -> Vec<OpenHazard> {
    let open = home.open.into_iter().filter_map(|(hazard, pack)| {
        let known = hazard.known();
        let rule = pack.hazards.iter().find(|it| it.id == known.item)?;
        let id = known.findings.first()?.fact;
        Some(OpenHazard {
            id,
            name: rule.name(),
            found_on: known.found_on,
            deadline: known.deadline?,
        })
    });
    open.collect()
}
