//! Meters as things with a life (燃气表): put in, taken out or exchanged at a door, and how long one may hang.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::household::{FormerMeter, Meter, PastReading};
use crate::id::{FactId, JobId, MeterId, VisitId};
use crate::job::Job;
use crate::measure::Volume;
use crate::pack::Pack;
use crate::reading::{ReadingState, Verdict};
use crate::status;
use crate::visit::{Fact, live_facts};

/// Former meters that a briefing carries: what hung before them tells nothing of today's home.
const MOST_FORMER: usize = 2;

/// What flows in a city's pipes: a meter lives as long as its gas lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gas {
    /// 天然气
    NaturalGas,
    /// 人工煤气
    CoalGas,
}

/// A meter taken out, with its last register, which is judged as any reading is (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemovedMeter {
    /// Which meter.
    pub meter: MeterId,
    /// What it showed at last; `None` when it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<Volume>,
    /// How anybody knows, or why nobody does.
    #[serde(default, skip_serializing_if = "ReadingState::is_seen")]
    pub state: ReadingState,
    /// What the phone made of it, with the pack it used.
    pub verdict: Verdict,
}

/// A meter put in, with its first register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledMeter {
    /// The meter's id, drawn by the phone.
    pub id: MeterId,
    /// The number on its plate.
    pub serial: String,
    /// Its size, such as `G4`.
    pub size: String,
    /// How many whole digits its register has.
    pub digits: u8,
    /// What it showed at first.
    pub register: Volume,
}

/// Why a change of a meter cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeMeterError {
    /// Nothing was taken out and nothing put in.
    #[error("no meter was taken out and none put in")]
    Nothing,
    /// The meter does not hang here, or was taken out before.
    #[error("the meter taken out does not hang here")]
    NotHanging,
    /// The new meter has no number.
    #[error("write down the new meter's serial number")]
    NoSerial,
    /// A meter with this number hangs here already.
    #[error("meter {0} hangs here already")]
    SerialTwice(String),
    /// A size that the pack does not know, so that nobody could say what is impossible.
    #[error("{0} is no size of a meter")]
    UnknownSize(String),
    /// A register of so many digits is none.
    #[error("a register has from {fewest} to {most} digits")]
    Digits {
        /// The fewest.
        fewest: u8,
        /// The most.
        most: u8,
    },
    /// A first register beyond the meter's own digits.
    #[error("the first register does not fit {0} digits")]
    Register(u8),
}

/// A change of a meter that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterChange {
    /// The job in which it was made.
    pub job: JobId,
    /// The visit.
    pub visit: VisitId,
    /// The fact.
    pub fact: FactId,
    /// The day, in the hall's city.
    pub on: NaiveDate,
    /// The meter taken out, with its last register.
    pub removed: Option<(MeterId, Option<PastReading>)>,
    /// The meter put in.
    pub installed: Option<InstalledMeter>,
}

/// Whether a change may be recorded in a job.
pub fn check_change(
    job: &Job,
    (removed, installed): (&Option<RemovedMeter>, &Option<InstalledMeter>),
    pack: &Pack,
) -> Result<(), ChangeMeterError> {
    if removed.is_none() && installed.is_none() {
        return Err(ChangeMeterError::Nothing);
    }
    let hanging = of_job(job);
    if removed.as_ref().is_some_and(|it| !hanging.iter().any(|meter| meter.id == it.meter)) {
        return Err(ChangeMeterError::NotHanging);
    }
    let Some(new) = installed else { return Ok(()) };
    let serial = new.serial.trim();
    if serial.is_empty() {
        return Err(ChangeMeterError::NoSerial);
    }
    if hanging.iter().any(|meter| meter.serial == serial) {
        return Err(ChangeMeterError::SerialTwice(serial.to_owned()));
    }
    let Some(rules) = &pack.meter else { return Ok(()) };
    if rules.flow(&new.size).is_none() {
        return Err(ChangeMeterError::UnknownSize(new.size.clone()));
    }
    let (fewest, most) = rules.digits;
    if !(fewest..=most).contains(&new.digits) {
        return Err(ChangeMeterError::Digits { fewest, most });
    }
    let full_turn = 10_i64.saturating_pow(u32::from(new.digits)).saturating_mul(1000);
    if !(0..full_turn).contains(&new.register.0) {
        return Err(ChangeMeterError::Register(new.digits));
    }
    Ok(())
}

/// The changes that a job's visits made and that count: of two crews who say that they took out the same meter,
/// the one whose visit stands, or else who came first.
pub fn changes(job: &Job) -> Vec<MeterChange> {
    let stands = status::standing(job).visit;
    let mut all: Vec<MeterChange> = job
        .visits
        .iter()
        .flat_map(|(visit, it)| {
            live_facts(it)
                .into_iter()
                .filter_map(|(id, recorded)| change(job.id, (*visit, id), &recorded.fact))
        })
        .collect();
    all.sort_by_key(|change| (Some(change.visit) != stands, change.on, change.fact));
    let mut taken: BTreeMap<MeterId, VisitId> = BTreeMap::new();
    all.retain(|change| match &change.removed {
        Some((meter, _)) => *taken.entry(*meter).or_insert(change.visit) == change.visit,
        None => true,
    });
    all.sort_by_key(|change| (change.on, change.fact));
    all
}

fn change(job: JobId, (visit, fact): (VisitId, FactId), recorded: &Fact) -> Option<MeterChange> {
    let Fact::MeterChanged { removed, installed, on, .. } = recorded else { return None };
    let on = *on;
    let removed = removed.as_ref().map(|it| {
        let read = it.register.map(|register| PastReading { on, register, state: it.state });
        (it.meter, read)
    });
    Some(MeterChange { job, visit, fact, on, removed, installed: installed.clone() })
}

/// The meters that hang at a job's household, with what its visits changed.
pub fn of_job(job: &Job) -> Vec<Meter> {
    hanging(&job.briefing.meters, &changes(job), &BTreeMap::new())
}

/// The meters that hang at a household, each with its past: those of the register and those put in, less those
/// taken out. A meter is taken out once: whoever says so again changed nothing.
///
/// `read` are readings that the register does not have: those of visits, and what the household said.
pub fn hanging(
    register: &[Meter],
    changes: &[MeterChange],
    read: &BTreeMap<MeterId, Vec<PastReading>>,
) -> Vec<Meter> {
    let put_in: BTreeSet<&str> =
        changes.iter().filter_map(|it| Some(it.installed.as_ref()?.serial.trim())).collect();
    // The register hears of a new meter too, sooner or later: it hangs from its change on.
    let (later, known): (Vec<&Meter>, Vec<&Meter>) =
        register.iter().partition(|meter| put_in.contains(meter.serial.as_str()));
    let mut hanging: Vec<Meter> = known.into_iter().map(|it| with(it.clone(), read)).collect();
    for change in changes {
        let before = match &change.removed {
            None => Vec::new(),
            Some((meter, last)) => {
                let Some(at) = hanging.iter().position(|it| it.id == *meter) else { continue };
                former(hanging.remove(at), change.on, *last)
            }
        };
        let Some(new) = &change.installed else { continue };
        let known = later.iter().find(|it| it.serial == new.serial.trim());
        let mut meter = known.map_or_else(
            || Meter::new(new.id, new.serial.trim(), &new.size, new.digits),
            |it| with((*it).clone(), read),
        );
        let state = ReadingState::Seen;
        let first = PastReading { on: change.on, register: new.register, state };
        let own = read.get(&new.id).into_iter().flatten().copied();
        meter.readings = merged(meter.readings.iter().copied().chain([first]).chain(own));
        meter.installed_on = Some(change.on);
        meter.before = before;
        hanging.push(meter);
    }
    hanging
}

fn with(mut meter: Meter, read: &BTreeMap<MeterId, Vec<PastReading>>) -> Meter {
    let own = read.get(&meter.id).into_iter().flatten().copied();
    meter.readings = merged(meter.readings.iter().copied().chain(own));
    meter
}

/// One reading a day, oldest first: of two, the later in the list unless it is believed less.
fn merged(readings: impl Iterator<Item = PastReading>) -> Vec<PastReading> {
    let mut by_day: BTreeMap<NaiveDate, PastReading> = BTreeMap::new();
    for reading in readings {
        let known = by_day.entry(reading.on).or_insert(reading);
        if !known.state.outweighs(reading.state) {
            *known = reading;
        }
    }
    by_day.into_values().collect()
}

/// A meter that was taken out, behind those that hung before it.
fn former(mut meter: Meter, removed_on: NaiveDate, last: Option<PastReading>) -> Vec<FormerMeter> {
    let readings = merged(meter.readings.iter().copied().chain(last));
    let (serial, size, digits) = (meter.serial, meter.size, meter.digits);
    meter.before.push(FormerMeter { serial, size, digits, removed_on, readings });
    let too_old = meter.before.len().saturating_sub(MOST_FORMER);
    meter.before.split_off(too_old)
}

/// The last day of a meter's life, where the day it was put in is known.
pub fn ends_on(meter: &Meter, pack: &Pack) -> Option<NaiveDate> {
    let rules = pack.meter.as_ref()?;
    let life = Months::new(*rules.life_months.get(&rules.gas)?);
    meter.installed_on?.checked_add_months(life)
}

/// Whether a meter has outlived its gas's span on a day.
pub fn is_overdue(meter: &Meter, on: NaiveDate, pack: &Pack) -> bool {
    ends_on(meter, pack).is_some_and(|ends| on > ends)
}
