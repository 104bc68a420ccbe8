//! Writes households and what hangs on their walls, and counts what was new.

use std::collections::{BTreeMap, BTreeSet};

use domain::due::Supply;
use domain::household::{Household, Meter, PastReading};
use domain::id::{HallId, HouseholdId, MeterId};
use domain::stamp::Timestamp;

use super::content::{Homes, Known, Silent};
use super::summary::{Fate, Summary, Thing};
use super::{ImportError, Teller};
use crate::db::due::Whose;
use crate::db::{C, appliances, due, hoses, households, meters, users};
use crate::identity::Role;
use crate::packs::{self, Packs};

/// Readings are written in steps of so many.
const STEP: usize = 50_000;

/// What the hall's registers and the rules that hold know, for files that name it.
pub(super) async fn known(
    mut c: C<'_>,
    hall: HallId,
    now: Timestamp,
) -> Result<Known, ImportError> {
    // A new database has no pack yet.
    packs::ensure_builtin(c.lend(), now.timestamp_millis()).await?;
    let skills = Packs::default().in_force(c.lend(), now).await?.skills.clone();
    let households = households::list_households(c.lend(), hall).await?;
    let meters = meters::list_hall_meters(c.lend(), hall).await?;
    let everybody = (String::new(), i64::MAX);
    let people = users::list_users(c, hall, &users::Filter::default(), everybody).await?;
    Ok(Known {
        accounts: households.into_values().map(|it| it.account).collect(),
        meters: meters.into_values().map(|(_, it)| (it.serial, it.digits)).collect(),
        people: people
            .into_iter()
            .filter_map(|it| {
                let role = Role::from_key(&it.role)?;
                Some((it.login, (domain::id::UserId(it.user_id), role)))
            })
            .collect(),
        skills,
    })
}

/// Brings every household up to date; what the files do not name stays as it is.
pub(super) async fn store(
    mut c: C<'_>,
    hall: HallId,
    homes: &Homes,
    summary: &mut Summary,
    teller: &mut Teller<'_>,
) -> Result<(), ImportError> {
    let resupplied = resupplied(c.lend(), hall, homes).await?;
    store_households(c.lend(), hall, (homes, &resupplied), summary).await?;
    let supplies: Vec<_> = resupplied.into_iter().collect();
    due::upsert_supplies(c.lend(), &supplies).await?;
    teller.tell("import.homes_stored", &[("count", homes.households.len().to_string())])?;
    store_meters(c.lend(), hall, homes, summary).await?;
    store_readings(c.lend(), hall, homes, summary, teller).await?;
    let found = hoses::list_hall_hoses(c.lend(), hall).await?;
    let wanted = homes.hoses.iter().map(|(home, hose)| (hose.id, (*home, *hose)));
    let differing = differing(&found, wanted, (Thing::Hose, &mut *summary));
    hoses::upsert_hoses(c.lend(), &differing).await?;
    let found = hoses::list_hall_replacements(c.lend(), hall).await?;
    let wanted = homes.replacements.iter().map(|(home, done)| {
        // The job in which it was done is not in the files and stays.
        let job = found.get(&done.installed).and_then(|(_, there)| there.job);
        (done.installed, (*home, domain::hose::Replacement { job, ..*done }))
    });
    let differing = self::differing(&found, wanted, (Thing::Replacement, &mut *summary));
    hoses::upsert_replacements(c.lend(), &differing).await?;
    let found = appliances::list_hall_appliances(c.lend(), hall).await?;
    let wanted = homes.appliances.iter().map(|(home, it)| (it.id, (*home, it.clone())));
    let differing = self::differing(&found, wanted, (Thing::Appliance, summary));
    Ok(appliances::upsert_appliances(c, &differing).await?)
}

/// What is not there yet, or not like this.
fn differing<K: Ord, V: PartialEq>(
    found: &BTreeMap<K, V>,
    wanted: impl Iterator<Item = (K, V)>,
    (thing, summary): (Thing, &mut Summary),
) -> Vec<V> {
    let mut differing = Vec::new();
    for (key, value) in wanted {
        let fate = Fate::of(found.get(&key), &value);
        summary.count(thing, fate);
        if fate != Fate::Unchanged {
            differing.push(value);
        }
    }
    differing
}

/// How households get their gas by the files, where that is something else than before.
async fn resupplied(
    c: C<'_>,
    hall: HallId,
    homes: &Homes,
) -> Result<BTreeMap<HouseholdId, Supply>, ImportError> {
    let found = due::list_supplies(c, Whose::Hall(hall)).await?;
    let others = homes.supplies.iter().filter_map(|(id, cells)| {
        let there = found.get(id);
        let known = there.copied().unwrap_or_default();
        let wanted = Supply {
            used_for: cells.used_for.unwrap_or(known.used_for),
            gas_since: cells.gas_since.or(known.gas_since),
            inspected_on: cells.inspected_on.or(known.inspected_on),
            ..known
        };
        (there != Some(&wanted)).then_some((*id, wanted))
    });
    Ok(others.collect())
}

async fn store_households(
    mut c: C<'_>,
    hall: HallId,
    (homes, resupplied): (&Homes, &BTreeMap<HouseholdId, Supply>),
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let found = households::list_households(c.lend(), hall).await?;
    let mut wanted: BTreeMap<HouseholdId, Household> = BTreeMap::new();
    for (household, silent) in &homes.households {
        let whole = match found.get(&household.id) {
            Some(there) => fill(household, *silent, there),
            None => household.clone(),
        };
        wanted.insert(household.id, whole);
    }
    let in_files: BTreeSet<HouseholdId> = wanted.keys().copied().collect();
    for (id, group) in &homes.groups {
        let there = || found.get(id).cloned();
        let Some(household) = wanted.remove(id).or_else(there) else { continue };
        let is_new = !household.groups.contains(group);
        summary.count(Thing::Group, if is_new { Fate::New } else { Fate::Unchanged });
        let mut household = household;
        household.groups.insert(*group);
        wanted.insert(*id, household);
    }
    let mut differing = Vec::new();
    for (id, household) in wanted {
        let fate = Fate::of(found.get(&id), &household);
        if in_files.contains(&id) {
            let is_other = fate == Fate::Unchanged && resupplied.contains_key(&id);
            summary.count(Thing::Household, if is_other { Fate::Changed } else { fate });
        }
        if fate != Fate::Unchanged {
            differing.push(household);
        }
    }
    Ok(households::upsert_households(c, hall, &differing).await?)
}

/// A household as the file tells it, with what the file has no column for.
fn fill(household: &Household, silent: Silent, there: &Household) -> Household {
    let mut whole = household.clone();
    if silent.phone {
        whole.phone.clone_from(&there.phone);
    }
    if silent.place {
        whole.place = there.place;
    }
    if silent.groups {
        whole.groups.clone_from(&there.groups);
    }
    if silent.access {
        whole.access.clone_from(&there.access);
    }
    whole
}

async fn store_meters(
    mut c: C<'_>,
    hall: HallId,
    homes: &Homes,
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let found = meters::list_hall_meters(c.lend(), hall).await?;
    let wanted = homes.meters.iter().map(|(home, meter, digits)| {
        let there = found.get(&meter.id).map(|(_, there)| there.digits);
        let digits = digits.or(there).unwrap_or(meter.digits);
        (meter.id, (*home, Meter { digits, ..meter.clone() }))
    });
    let differing = differing(&found, wanted, (Thing::Meter, summary));
    Ok(meters::upsert_meters(c, &differing).await?)
}

async fn store_readings(
    mut c: C<'_>,
    hall: HallId,
    homes: &Homes,
    summary: &mut Summary,
    teller: &mut Teller<'_>,
) -> Result<(), ImportError> {
    if homes.readings.is_empty() {
        return Ok(());
    }
    let found = meters::list_hall_readings(c.lend(), hall).await?;
    let mut differing: Vec<(MeterId, PastReading)> = Vec::new();
    for (meter, reading) in &homes.readings {
        let fate = Fate::of(found.get(&(*meter, reading.on)), &reading.register);
        summary.count(Thing::Reading, fate);
        if fate != Fate::Unchanged {
            differing.push((*meter, *reading));
        }
    }
    let of = differing.len();
    for (step, readings) in differing.chunks(STEP).enumerate() {
        meters::upsert_past_readings(c.lend(), readings).await?;
        let count = (step * STEP + readings.len()).to_string();
        teller.tell("import.readings_stored", &[("count", count), ("of", of.to_string())])?;
    }
    Ok(())
}
