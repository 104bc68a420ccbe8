//! Hoses and appliances with a life: the register's, those that visits put in, and what somebody saw at the door.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::calendar::city_day;
use domain::hose::{HoseChange, HoseSighting, Replacement, had, hanging};
use domain::household::{Appliance, Hose, appliances_there};
use domain::id::{HallId, HouseholdId};
use domain::stamp::Timestamp;
use domain::visit::Fact;
use uuid::Uuid;

use crate::db::due::{SeenRow, Whose, list_seen};
use crate::db::{C, Result, appliances, decode, figures, hoses, ledger};

/// What hangs at one household.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wall {
    /// Its hoses, oldest first.
    pub hoses: Vec<Hose>,
    /// The replacements it has had, oldest first.
    pub replacements: Vec<Replacement>,
    /// What burns gas there.
    pub appliances: Vec<Appliance>,
}

/// What is known before it is folded.
#[derive(Default)]
struct Known {
    hoses: Vec<Hose>,
    replacements: Vec<Replacement>,
    appliances: Vec<Appliance>,
    changes: Vec<HoseChange>,
    hoses_seen: Vec<HoseSighting>,
    appliances_seen: Vec<(Appliance, bool)>,
}

impl Known {
    fn see(&mut self, row: SeenRow) -> Result<()> {
        let fact: Fact = serde_json::from_value(row.body.0).map_err(decode)?;
        if let Fact::HoseSeen { hose, gone, .. } = fact {
            self.hoses_seen.push(HoseSighting { hose, is_gone: gone });
        } else if let Fact::ApplianceSeen { appliance, gone, .. } = fact {
            self.appliances_seen.push((appliance, gone));
        }
        Ok(())
    }

    fn wall(&self) -> Wall {
        Wall {
            hoses: hanging(&self.hoses, &self.changes, &self.hoses_seen),
            replacements: had(&self.replacements, &self.changes),
            appliances: appliances_there(&self.appliances, &self.appliances_seen),
        }
    }
}

/// What hangs at a household.
pub async fn of_home(mut c: C<'_>, household: HouseholdId) -> Result<Wall> {
    let changes = ledger::list_hose_changes(c.lend(), household).await?;
    let mut known = Known {
        hoses: hoses::list_hoses(c.lend(), household).await?,
        replacements: hoses::list_replacements(c.lend(), household).await?,
        appliances: appliances::list_appliances(c.lend(), household).await?,
        changes: changes.into_iter().map(|it| it.change).collect(),
        ..Known::default()
    };
    for row in list_seen(c, Whose::Home(household)).await? {
        known.see(row)?;
    }
    Ok(known.wall())
}

/// What hangs at each household of a hall.
pub async fn of_hall(mut c: C<'_>, hall: HallId) -> Result<BTreeMap<HouseholdId, Wall>> {
    let mut known: BTreeMap<HouseholdId, Known> = BTreeMap::new();
    for (household, hose) in hoses::list_hall_hoses(c.lend(), hall).await?.into_values() {
        known.entry(household).or_default().hoses.push(hose);
    }
    for (household, done) in hoses::list_hall_replacements(c.lend(), hall).await?.into_values() {
        known.entry(household).or_default().replacements.push(done);
    }
    for (household, it) in appliances::list_hall_appliances(c.lend(), hall).await?.into_values() {
        known.entry(household).or_default().appliances.push(it);
    }
    for (household, change) in figures::list_hose_changes(c.lend(), hall).await? {
        known.entry(household).or_default().changes.push(change);
    }
    for row in list_seen(c, Whose::Hall(hall)).await? {
        known.entry(HouseholdId(row.household_id)).or_default().see(row)?;
    }
    Ok(known.into_iter().map(|(household, known)| (household, known.wall())).collect())
}

/// Who says that an item is as it is said to be: a visit that put it in, or saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The job.
    pub job: Uuid,
    /// A photo of it.
    pub photo: Option<String>,
    /// The maker's lot.
    pub lot: String,
    /// The day of the last test in that visit that its joints stood.
    pub tight_on: Option<NaiveDate>,
}

/// The newest word on each item, by its id; the register's own are not among them.
pub type SaidOf = BTreeMap<Uuid, Said>;

/// Who says what of the items of a household.
pub async fn known_of(
    mut c: C<'_>,
    household: HouseholdId,
    utc_offset_minutes: i32,
) -> Result<SaidOf> {
    let mut tight_on: BTreeMap<Uuid, NaiveDate> = BTreeMap::new();
    for row in ledger::list_tightness(c.lend(), household).await? {
        if row.body.0["tight"] == true {
            let at = Timestamp::from_timestamp_millis(row.latest).unwrap_or_default();
            tight_on.insert(row.visit_id, city_day(at, utc_offset_minutes));
        }
    }
    let mut known = SaidOf::new();
    for put_in in ledger::list_hose_changes(c.lend(), household).await? {
        let (job, lot) = (put_in.change.job.0, put_in.lot);
        let tight_on = tight_on.get(&put_in.visit_id).copied();
        known.insert(put_in.change.installed.id.0, Said { job, photo: None, lot, tight_on });
    }
    for row in list_seen(c, Whose::Home(household)).await? {
        let text = |name: &str| row.body.0[name].as_str().map(str::to_owned);
        let before = known.remove(&row.item_id).unwrap_or_default();
        let said = Said {
            job: row.job_id,
            photo: text("photo").or(before.photo),
            lot: text("lot").unwrap_or(before.lot),
            tight_on: tight_on.get(&row.visit_id).copied().or(before.tight_on),
        };
        known.insert(row.item_id, said);
    }
    Ok(known)
}
