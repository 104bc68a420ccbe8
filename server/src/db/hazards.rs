//! What visits found and did about hazards, and how they ended at doors that were not opened (B7, A2).

use domain::id::{HallId, HouseholdId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    LIST_OF_HALL = "select f.job_id, f.visit_id, f.fact_id, f.kind, f.earliest, f.latest, f.body, j.pack_id, \
        j.household_id from fact f join job j on j.job_id = f.job_id where f.hall_id = $1 and f.kind in \
        ('hazard_found', 'notice_given', 'supply_stopped', 'hazard_rechecked', 'gas_switched') and not f.withdrawn \
        and j.household_id in (select h.household_id from fact g join job h on h.job_id = g.job_id \
        where g.hall_id = $1 and g.kind = 'hazard_found') order by j.household_id, f.latest, f.fact_id";
    LIST_OF_HOUSEHOLD = "select f.job_id, f.visit_id, f.fact_id, f.kind, f.earliest, f.latest, f.body, j.pack_id, \
        j.household_id from fact f join job j on j.job_id = f.job_id where j.household_id = $1 and f.kind in \
        ('hazard_found', 'notice_given', 'supply_stopped', 'hazard_rechecked', 'gas_switched') and not f.withdrawn \
        order by f.latest, f.fact_id";
    // Whoever is sent to open a supply, or to look whether a hazard is gone, may be who turns the gas on.
    LIST_SENT = "select household_id, technician_id, u.name from job j join user_account u on u.user_id = j.technician_id \
        where j.hall_id = $1 and j.status in ('assigned', 'set_out', 'at_door', 'working') \
        and j.kind in ('ignition', 'unsealing', 'hazard_recheck') \
        order by j.household_id, case j.kind when 'hazard_recheck' then 1 else 0 end, j.job_id";
    LIST_ENDED = "select v.visit_id, j.household_id, j.kind, v.outcome, max(f.latest) as ended_at \
        from visit v join job j on j.job_id = v.job_id \
        join fact f on f.job_id = v.job_id and f.visit_id = v.visit_id and f.kind = 'closed' and not f.withdrawn \
        where v.hall_id = $1 and v.outcome is not null and f.latest >= $2 \
        and (j.household_id = $3 or $3 is null) and j.household_id in (select k.household_id from visit w \
        join job k on k.job_id = w.job_id where w.hall_id = $1 and w.outcome in ('no_one_home', 'refused', 'empty')) \
        group by v.visit_id, j.household_id, j.kind, v.outcome \
        order by ended_at, v.visit_id";
}

/// A fact about hazards.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct HazardFactRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// The fact.
    pub fact_id: Uuid,
    /// What kind of fact.
    pub kind: String,
    /// The earliest that it can have happened.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
    /// The fact's body.
    pub body: Json<Value>,
    /// The rule pack of the job.
    pub pack_id: String,
    /// Where.
    pub household_id: Uuid,
}

/// A visit that ended.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EndedRow {
    /// The visit.
    pub visit_id: Uuid,
    /// Where.
    pub household_id: Uuid,
    /// The key of the job's kind.
    pub kind: String,
    /// How it ended.
    pub outcome: String,
    /// The latest that it can have ended.
    pub ended_at: i64,
}

/// Lists who is sent to a household where they may turn the gas on: the household, the technician, their name.
pub async fn list_sent(c: C<'_>, hall: HallId) -> Result<Vec<(Uuid, Uuid, String)>> {
    c.q(LIST_SENT).bind(hall.0).all().await
}

/// Lists facts about hazards at every household of a hall where one was ever found.
pub async fn list_of_hall(c: C<'_>, hall: HallId) -> Result<Vec<HazardFactRow>> {
    c.q(LIST_OF_HALL).bind(hall.0).all().await
}

/// Lists facts about hazards at a household, oldest first.
pub async fn list_of_household(c: C<'_>, household: HouseholdId) -> Result<Vec<HazardFactRow>> {
    c.q(LIST_OF_HOUSEHOLD).bind(household.0).all().await
}

/// Lists visits that ended since an instant at doors that ever stayed shut, at one household or at all of a hall.
pub async fn list_ended(
    c: C<'_>,
    hall: HallId,
    (since, household): (i64, Option<HouseholdId>),
) -> Result<Vec<EndedRow>> {
    c.q(LIST_ENDED).bind(hall.0).bind(since).bind(household.map(|it| it.0)).all().await
}
