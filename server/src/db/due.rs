//! What decides what is due: of all households of a hall at once, and of one.

use std::collections::{BTreeMap, BTreeSet};

use domain::due::{Supply, Use};
use domain::id::{HallId, HouseholdId, JobId, UserId};
use domain::job::Window;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, decode, insert_rows, statements};

statements! {
    UPSERT_SUPPLY = "insert into supply (household_id, used_for, gas_since, inspected_on) values ($1, $2, $3, $4) \
        on conflict (household_id) do update set used_for = excluded.used_for, gas_since = excluded.gas_since, \
        inspected_on = excluded.inspected_on";
    LIST_HALL_SUPPLIES = "select s.household_id, s.used_for, s.gas_since, s.inspected_on from supply s \
        join household h on h.household_id = s.household_id where h.hall_id = $1";
    LIST_HOME_SUPPLIES = "select household_id, used_for, gas_since, inspected_on from supply where household_id = $1";
    LIST_HALL_REGISTERS = "select m.household_id, m.meter_id, min(p.read_on) as first_on, max(p.read_on) as last_on \
        from meter m join household h on h.household_id = m.household_id \
        left join past_reading p on p.meter_id = m.meter_id where h.hall_id = $1 group by m.household_id, m.meter_id";
    LIST_HOME_REGISTERS = "select m.household_id, m.meter_id, min(p.read_on) as first_on, max(p.read_on) as last_on \
        from meter m left join past_reading p on p.meter_id = m.meter_id where m.household_id = $1 \
        group by m.household_id, m.meter_id";
    LIST_HALL_READ = "select m.household_id, r.meter_id, min(r.read_on) as first_on, max(r.read_on) as last_on \
        from reading r join meter m on m.meter_id = r.meter_id join household h on h.household_id = m.household_id \
        where h.hall_id = $1 and r.register is not null group by m.household_id, r.meter_id";
    LIST_HOME_READ = "select m.household_id, r.meter_id, min(r.read_on) as first_on, max(r.read_on) as last_on \
        from reading r join meter m on m.meter_id = r.meter_id \
        where m.household_id = $1 and r.register is not null group by m.household_id, r.meter_id";
    LIST_HALL_DONE = "select household_id, kind, max(status_since) as at from job \
        where hall_id = $1 and status = 'done' and status_since is not null group by household_id, kind";
    LIST_HOME_DONE = "select household_id, kind, max(status_since) as at from job \
        where household_id = $1 and status = 'done' and status_since is not null group by household_id, kind";
    LIST_HALL_MOMENTS = "select j.household_id, j.kind as job_kind, f.kind, f.latest, f.body from fact f \
        join job j on j.job_id = f.job_id where f.hall_id = $1 and f.kind in ('gas_switched', 'leaflet_given') \
        and not f.withdrawn order by f.latest, f.fact_id";
    LIST_HOME_MOMENTS = "select j.household_id, j.kind as job_kind, f.kind, f.latest, f.body from job j \
        join fact f on f.job_id = j.job_id where j.household_id = $1 and f.kind in ('gas_switched', 'leaflet_given') \
        and not f.withdrawn order by f.latest, f.fact_id";
    LIST_HALL_WAITING = "select distinct household_id from job where hall_id = $1 and kind in ('ignition', 'unsealing') \
        and status in ('unassigned', 'assigned', 'set_out', 'at_door', 'working')";
    LIST_HOME_WAITING = "select distinct household_id from job where household_id = $1 and kind in ('ignition', 'unsealing') \
        and status in ('unassigned', 'assigned', 'set_out', 'at_door', 'working')";
    LIST_HALL_SEEN = "select s.household_id, s.what, s.item_id, s.seen_at, s.gone, s.body, s.job_id, s.visit_id \
        from item_seen s join household h on h.household_id = s.household_id where h.hall_id = $1 \
        order by s.seen_at, s.fact_id";
    LIST_HOME_SEEN = "select household_id, what, item_id, seen_at, gone, body, job_id, visit_id from item_seen \
        where household_id = $1 order by seen_at, fact_id";
    LIST_HALL_OPEN = "select j.household_id, j.kind, j.job_id, j.status, j.technician_id, j.window_start, j.window_end, \
        p.window_start as proposed_start, p.window_end as proposed_end from job j \
        left join proposed_window p on p.job_id = j.job_id where j.hall_id = $1 \
        and j.status in ('unassigned', 'assigned', 'set_out', 'at_door', 'working') order by j.job_id";
    INSERT_PROPOSED = "insert into proposed_window (job_id, window_start, window_end, proposed_by, proposed_at) \
        values ($1, $2, $3, $4, $5)";
}

/// Whose things are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of all households of a hall.
    Hall(HallId),
    /// Those of one.
    Home(HouseholdId),
}

impl Whose {
    /// The statement and what it asks for.
    fn ask(self, hall: &'static str, home: &'static str) -> (&'static str, Uuid) {
        match self {
            Self::Hall(id) => (hall, id.0),
            Self::Home(id) => (home, id.0),
        }
    }
}

#[derive(sqlx::FromRow)]
struct SupplyRow {
    household_id: Uuid,
    used_for: String,
    gas_since: Option<String>,
    inspected_on: Option<String>,
}

/// Writes how households get their gas.
pub async fn upsert_supplies(c: C<'_>, supplies: &[(HouseholdId, Supply)]) -> Result<()> {
    insert_rows(c, UPSERT_SUPPLY, supplies, |q, (household, supply)| {
        q.bind(household.0)
            .bind(supply.used_for.key())
            .bind(supply.gas_since.map(|day| day.to_string()))
            .bind(supply.inspected_on.map(|day| day.to_string()))
    })
    .await
    .map(drop)
}

/// How households get their gas, where the register says anything of it.
pub async fn list_supplies(c: C<'_>, whose: Whose) -> Result<BTreeMap<HouseholdId, Supply>> {
    let (sql, id) = whose.ask(LIST_HALL_SUPPLIES, LIST_HOME_SUPPLIES);
    let rows: Vec<SupplyRow> = c.q(sql).bind(id).all().await?;
    let supplies = rows.into_iter().map(|row| {
        let used_for = Use::ALL.into_iter().find(|it| it.key() == row.used_for);
        let day = |text: Option<String>| text.map(|it| it.parse()).transpose().map_err(decode);
        let supply = Supply {
            used_for: used_for.ok_or_else(|| decode(format!("no gas is for {}", row.used_for)))?,
            gas_since: day(row.gas_since)?,
            inspected_on: day(row.inspected_on)?,
            is_off: false,
        };
        Ok((HouseholdId(row.household_id), supply))
    });
    supplies.collect()
}

/// When a meter was read first and last.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReadRow {
    /// Where it hangs.
    pub household_id: Uuid,
    /// The meter.
    pub meter_id: Uuid,
    /// The first day.
    pub first_on: Option<String>,
    /// The last.
    pub last_on: Option<String>,
}

/// Lists the meters of the register, each with the first and last reading that the register knows.
pub async fn list_registers(c: C<'_>, whose: Whose) -> Result<Vec<ReadRow>> {
    let (sql, id) = whose.ask(LIST_HALL_REGISTERS, LIST_HOME_REGISTERS);
    c.q(sql).bind(id).all().await
}

/// Lists meters that visits read.
pub async fn list_read(c: C<'_>, whose: Whose) -> Result<Vec<ReadRow>> {
    let (sql, id) = whose.ask(LIST_HALL_READ, LIST_HOME_READ);
    c.q(sql).bind(id).all().await
}

/// When a job of a kind was done last.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DoneRow {
    /// Where.
    pub household_id: Uuid,
    /// The kind's key.
    pub kind: String,
    /// When, Unix ms.
    pub at: i64,
}

/// Lists when jobs were done last, by household and kind.
pub async fn list_done(c: C<'_>, whose: Whose) -> Result<Vec<DoneRow>> {
    let (sql, id) = whose.ask(LIST_HALL_DONE, LIST_HOME_DONE);
    c.q(sql).bind(id).all().await
}

/// Lists the households that wait for their gas to be turned on.
pub async fn list_waiting(c: C<'_>, whose: Whose) -> Result<BTreeSet<HouseholdId>> {
    let (sql, id) = whose.ask(LIST_HALL_WAITING, LIST_HOME_WAITING);
    let rows: Vec<(Uuid,)> = c.q(sql).bind(id).all().await?;
    Ok(rows.into_iter().map(|(id,)| HouseholdId(id)).collect())
}

/// Gas turned on or off, or a leaflet handed over.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct MomentRow {
    /// Where.
    pub household_id: Uuid,
    /// The key of the job's kind.
    pub job_kind: String,
    /// `gas_switched` or `leaflet_given`.
    pub kind: String,
    /// The latest that it can have been, Unix ms.
    pub latest: i64,
    /// The fact.
    pub body: Json<Value>,
}

/// Lists when gas was turned on and off, and when leaflets were handed over, oldest first.
pub async fn list_moments(c: C<'_>, whose: Whose) -> Result<Vec<MomentRow>> {
    let (sql, id) = whose.ask(LIST_HALL_MOMENTS, LIST_HOME_MOMENTS);
    c.q(sql).bind(id).all().await
}

/// A hose or an appliance that a visit found otherwise than the register says.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct SeenRow {
    /// Where.
    pub household_id: Uuid,
    /// `hose` or `appliance`.
    pub what: String,
    /// Which.
    pub item_id: Uuid,
    /// The latest that it can have been seen, Unix ms.
    pub seen_at: i64,
    /// Whether it was not there any more.
    pub gone: bool,
    /// The fact.
    pub body: Json<Value>,
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
}

/// Lists what visits saw of hoses and appliances, oldest first.
pub async fn list_seen(c: C<'_>, whose: Whose) -> Result<Vec<SeenRow>> {
    let (sql, id) = whose.ask(LIST_HALL_SEEN, LIST_HOME_SEEN);
    c.q(sql).bind(id).all().await
}

/// A job that somebody still has to go to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenRow {
    /// Where.
    pub household_id: Uuid,
    /// The kind's key.
    pub kind: String,
    /// The job.
    pub job_id: Uuid,
    /// The status's key.
    pub status: String,
    /// Who is to do it.
    pub technician_id: Option<Uuid>,
    /// The window that was agreed.
    pub window_start: Option<i64>,
    /// Its end.
    pub window_end: Option<i64>,
    /// The window that the hall proposed.
    pub proposed_start: Option<i64>,
    /// Its end.
    pub proposed_end: Option<i64>,
}

/// Lists the open jobs of a hall, oldest first.
pub async fn list_open(c: C<'_>, hall: HallId) -> Result<Vec<OpenRow>> {
    c.q(LIST_HALL_OPEN).bind(hall.0).all().await
}

/// Writes down that a window was proposed for a job.
pub async fn insert_proposed(
    c: C<'_>,
    (job, window): (JobId, Window),
    (by, at): (UserId, i64),
) -> Result<()> {
    let (start, end) = (window.start.timestamp_millis(), window.end.timestamp_millis());
    let q = c.q(INSERT_PROPOSED).bind(job.0).bind(start).bind(end).bind(by.0).bind(at);
    q.execute().await.map(drop)
}

#[cfg(test)]
mod tests {
    use domain::status::Status;

    use super::*;

    #[test]
    fn what_is_open_is_what_the_fold_says() {
        for status in Status::ALL {
            let word = format!("'{}'", status.key());
            for statement in [LIST_HALL_OPEN, LIST_HALL_WAITING, LIST_HOME_WAITING] {
                assert_eq!(statement.contains(&word), status.is_open());
            }
        }
    }
}
