//! Writes households and what hangs on their walls, and counts what was new.

use std::collections::BTreeMap;

use domain::household::{Household, Meter, PastReading};
use domain::id::{HouseholdId, MeterId};

use crate::command::import::ImportError;
use crate::command::import::content::{Hall, Home};
use crate::command::import::summary::{Fate, Summary, Thing};
use crate::db::{C, hoses, households, meters};

/// What differs from what is there.
#[derive(Default)]
struct Differing {
    households: Vec<Household>,
    meters: Vec<(HouseholdId, Meter)>,
    readings: Vec<(MeterId, PastReading)>,
    hoses: Vec<(HouseholdId, domain::household::Hose)>,
    replacements: Vec<(HouseholdId, domain::hose::Replacement)>,
}

/// Brings every household up to date; what the files do not name stays as it is.
pub(crate) async fn store(
    mut c: C<'_>,
    hall: &Hall,
    homes: &[Home],
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let mut differing = Differing::default();
    for home in homes {
        let id = home.household.id;
        let found = households::find_household(c.lend(), hall.id, id).await?;
        let fate = Fate::of(found.as_ref(), &home.household);
        summary.count(Thing::Household, fate);
        if fate != Fate::Unchanged {
            differing.households.push(home.household.clone());
        }
        compare_meters(c.lend(), home, &mut differing, summary).await?;
        compare_hoses(c.lend(), home, &mut differing, summary).await?;
    }
    households::upsert_households(c.lend(), hall.id, &differing.households).await?;
    meters::upsert_meters(c.lend(), &differing.meters).await?;
    meters::upsert_past_readings(c.lend(), &differing.readings).await?;
    hoses::upsert_hoses(c.lend(), &differing.hoses).await?;
    hoses::upsert_replacements(c, &differing.replacements).await?;
    Ok(())
}

async fn compare_meters(
    c: C<'_>,
    home: &Home,
    differing: &mut Differing,
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let found = meters::list_meters(c, home.household.id).await?;
    let found: BTreeMap<MeterId, Meter> =
        found.into_iter().map(|meter| (meter.id, meter)).collect();
    for meter in &home.meters {
        let there = found.get(&meter.id);
        let plate = Meter { readings: vec![], ..meter.clone() };
        let plate_there = there.map(|there| Meter { readings: vec![], ..there.clone() });
        let fate = Fate::of(plate_there.as_ref(), &plate);
        summary.count(Thing::Meter, fate);
        if fate != Fate::Unchanged {
            differing.meters.push((home.household.id, plate));
        }
        for reading in &meter.readings {
            let on_that_day =
                there.and_then(|there| there.readings.iter().find(|it| it.on == reading.on));
            let fate = Fate::of(on_that_day, reading);
            summary.count(Thing::Reading, fate);
            if fate != Fate::Unchanged {
                differing.readings.push((meter.id, *reading));
            }
        }
    }
    Ok(())
}

async fn compare_hoses(
    mut c: C<'_>,
    home: &Home,
    differing: &mut Differing,
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let id = home.household.id;
    let found = hoses::list_hoses(c.lend(), id).await?;
    for hose in &home.hoses {
        let fate = Fate::of(found.iter().find(|there| there.id == hose.id), hose);
        summary.count(Thing::Hose, fate);
        if fate != Fate::Unchanged {
            differing.hoses.push((id, *hose));
        }
    }
    let found = hoses::list_replacements(c, id).await?;
    for replacement in &home.replacements {
        let there = found.iter().find(|there| there.installed == replacement.installed);
        // The job in which it was done is not in the files and stays.
        let mut wanted = *replacement;
        wanted.job = there.and_then(|there| there.job);
        let fate = Fate::of(there, &wanted);
        summary.count(Thing::Replacement, fate);
        if fate != Fate::Unchanged {
            differing.replacements.push((id, wanted));
        }
    }
    Ok(())
}
