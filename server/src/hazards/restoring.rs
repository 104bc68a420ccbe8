//! Supplies that were stopped because of hazards, each with its promise as it reads now.

use std::collections::BTreeMap;

use domain::hazard::Stoppage;
use domain::id::{HallId, HouseholdId};
use domain::promise::PromiseState;
use domain::stamp::Timestamp;
use uuid::Uuid;

use super::{Home, homes};
use crate::db::hazards::list_sent;
use crate::db::{C, devices};
use crate::figures::promises::warns;
use crate::packs::Packs;
use crate::reports::heard_of_all;

/// A stop of supply.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Whose supply.
    pub household: HouseholdId,
    /// From when to when, and until when it is to be restored.
    pub stoppage: Stoppage,
    /// How the promise stands; none while anything severe is there.
    pub state: Option<PromiseState>,
    /// The name of who is sent to where they may turn the gas on.
    pub sent: Option<String>,
}

impl Stop {
    /// Whether so little is left that somebody should look; none where the pack does not say how little.
    pub fn is_at_risk(&self, now: Timestamp) -> Option<bool> {
        let restoring = self.stoppage.restoring?;
        let due_at = restoring.due_at.timestamp_millis();
        warns(restoring.warn_minutes, self.state?.key(), due_at, now)
    }
}

/// The stops of a hall, of each household oldest first.
pub async fn of_hall(
    packs: &Packs,
    mut c: C<'_>,
    hall: HallId,
    now: Timestamp,
) -> anyhow::Result<Vec<Stop>> {
    let homes = homes(packs, c.lend(), hall).await?;
    of_homes(c, hall, &homes, now).await
}

/// The stops of these households.
pub async fn of_homes(
    mut c: C<'_>,
    hall: HallId,
    homes: &[(HouseholdId, Home)],
    now: Timestamp,
) -> anyhow::Result<Vec<Stop>> {
    if homes.iter().all(|(_, home)| home.stoppages.is_empty()) {
        return Ok(Vec::new());
    }
    let heard = devices::list_heard_until(c.lend(), hall).await?;
    let mut sent: BTreeMap<Uuid, Vec<(Uuid, String)>> = BTreeMap::new();
    for (household, technician, name) in list_sent(c, hall).await? {
        sent.entry(household).or_default().push((technician, name));
    }
    let mut stops = Vec::new();
    for (household, home) in homes {
        let sent = sent.get(&household.0).map_or(&[][..], Vec::as_slice);
        let heard = heard_of_all(sent.iter().map(|(technician, _)| *technician), &heard);
        stops.extend(home.stoppages.iter().map(|stoppage| Stop {
            household: *household,
            stoppage: *stoppage,
            state: stoppage.state(now, heard),
            sent: sent.first().map(|(_, name)| name.clone()),
        }));
    }
    Ok(stops)
}
