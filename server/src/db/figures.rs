//! Rows behind the figures: what happened in some days, each with its job.

use chrono::NaiveDate;
use domain::hose::HoseChange;
use domain::household::{Group, Hose};
use domain::id::{HallId, HoseId, HouseholdId, JobId};
use domain::reading::Finding;
use domain::visit::Fact;
use serde_json::Value;
use sqlx::types::Json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use super::{C, Result, decode, hoses, statements};
use crate::figures::arrivals::Arrival;
use crate::figures::hoses::HoseDoor;
use crate::figures::phones::PhoneRow;
use crate::figures::promises::{CasePromise, StoredPromise};
use crate::figures::ratings::FinishedJob;
use crate::figures::readings::Reading;
use crate::figures::visits::{Answered, EndedVisit};

statements! {
    // The days first: their jobs are few, and their facts lie together.
    LIST_ARRIVALS = "select f.job_id, v.technician_id, f.earliest, f.latest \
        from (select distinct job_id from appointment_verdict where hall_id = $1 and day >= $3 and day <= $4) a \
        join fact f on f.job_id = a.job_id join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id \
        where f.kind = 'arrived' and f.withdrawn = $2 order by f.job_id, f.latest, f.earliest";
    LIST_PROMISES = "select j.job_id, j.kind, j.pack_id, h.address, j.technician_id, u.name as technician_name, \
        j.promise_rule as rule, j.promise_due_at as due_at, j.promise_user_id as answerable, \
        j.promise_state as state from job j join household h on h.household_id = j.household_id \
        left join user_account u on u.user_id = j.technician_id where j.hall_id = $1 and j.promise_rule is not null \
        and j.promise_due_at is not null and j.promise_state is not null \
        and (j.promise_state = 'running' or (j.promise_due_at >= $2 and j.promise_due_at < $3)) \
        order by j.promise_due_at, j.job_id";
    LIST_ENDED_VISITS = "select f.job_id, j.kind, v.technician_id, u.name as technician_name, v.outcome, \
        min(f.earliest) as ended_at from fact f join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id \
        join job j on j.job_id = f.job_id left join user_account u on u.user_id = v.technician_id \
        where f.hall_id = $1 and f.kind = 'closed' and f.withdrawn = $2 and v.outcome is not null \
        and f.earliest >= $3 and f.earliest < $4 \
        group by f.job_id, f.visit_id, j.kind, v.technician_id, u.name, v.outcome order by f.job_id, f.visit_id";
    LIST_FINISHED = "select j.job_id, j.kind, j.technician_id, u.name as technician_name, j.status_since as done_at, r.score \
        from job j left join rating r on r.job_id = j.job_id left join user_account u on u.user_id = j.technician_id \
        where j.hall_id = $1 and j.status = 'done' and j.status_since >= $2 and j.status_since < $3 order by j.job_id";
    LIST_ANSWERS = "select job_id, visit_id, fact_id, withdrawn, body from fact \
        where hall_id = $1 and kind = 'conduct' and earliest >= $2 and earliest < $3 order by job_id, visit_id, fact_id";
    LIST_READINGS = "select r.job_id, r.visit_id, r.fact_id, r.finding, f.earliest, f.body, (select count(*) from reading n \
        where n.meter_id = r.meter_id and n.finding = 'normal' and (n.read_on > r.read_on \
        or (n.read_on = r.read_on and n.fact_id > r.fact_id))) as normal_later from reading r \
        join fact f on f.job_id = r.job_id and f.visit_id = r.visit_id and f.fact_id = r.fact_id \
        where f.hall_id = $1 and f.kind in ('read', 'meter_changed') and f.earliest >= $2 order by r.job_id, r.visit_id, r.fact_id";
    LIST_CASE_PROMISES = "select c.case_id, c.number, c.kind, c.pack_id, c.owner_id, u.name as owner_name, \
        c.promise_rule as rule, c.due_at, c.told_at from hall_case c join user_account u on u.user_id = c.owner_id \
        where c.hall_id = $1 and c.promise_rule is not null and c.due_at is not null \
        and (c.told_at is null or (c.due_at >= $2 and c.due_at < $3)) order by c.due_at, c.case_id";
    LIST_READING_ANSWERS = "select f.job_id, f.visit_id, f.body from fact f where f.hall_id = $1 \
        and f.kind in ('household_told', 'measure_taken') and f.withdrawn = $2 and f.earliest >= $3 \
        order by f.job_id, f.visit_id, f.fact_id";
    LIST_HOSE_CHANGES = "select c.job_id, c.household_id, c.removed_hose_id, c.hose_id, c.kind, c.length_mm, \
        c.changed_on, c.free from hose_change c join household h on h.household_id = c.household_id \
        where h.hall_id = $1 order by c.changed_on, c.job_id, c.fact_id";
    LIST_PHONES = "select u.name as person, d.name as phone, d.heard_at, d.pending, \
        (select count(*) from job j where j.hall_id = d.hall_id and j.technician_id = d.user_id \
        and j.status in ('unassigned', 'assigned', 'set_out', 'at_door', 'working')) as open_jobs, \
        (select count(*) from job j where j.hall_id = d.hall_id and j.technician_id = d.user_id \
        and j.status in ('set_out', 'at_door', 'working')) as jobs_under_way \
        from device d join user_account u on u.user_id = d.user_id \
        where d.hall_id = $1 and d.revoked_at is null order by d.device_id";
    LIST_DOORS = "select household_id, account, address from household where hall_id = $1";
    LIST_HALL_GROUPS = "select g.household_id, g.member_of from household_group g \
        join household h on h.household_id = g.household_id where h.hall_id = $1";
}

/// Days of the hall's city as instants, the end left out.
pub type Bounds = (i64, i64);

/// Lists the arrivals of jobs that had an appointment in some days.
pub async fn list_arrivals(c: C<'_>, hall: HallId, from: &str, to: &str) -> Result<Vec<Arrival>> {
    c.q(LIST_ARRIVALS).bind(hall.0).bind(false).bind(from).bind(to).all().await
}

/// Lists promises that run, and those that were due in some days.
pub async fn list_promises(
    c: C<'_>,
    hall: HallId,
    (from, until): Bounds,
) -> Result<Vec<StoredPromise>> {
    c.q(LIST_PROMISES).bind(hall.0).bind(from).bind(until).all().await
}

/// Lists promises of cases that run, and those that were due in some days (B5).
pub async fn list_case_promises(
    c: C<'_>,
    hall: HallId,
    (from, until): Bounds,
) -> Result<Vec<CasePromise>> {
    c.q(LIST_CASE_PROMISES).bind(hall.0).bind(from).bind(until).all().await
}

/// Lists visits that ended in some days.
pub async fn list_ended_visits(
    c: C<'_>,
    hall: HallId,
    (from, until): Bounds,
) -> Result<Vec<EndedVisit>> {
    c.q(LIST_ENDED_VISITS).bind(hall.0).bind(false).bind(from).bind(until).all().await
}

/// Lists jobs that were done in some days, with what their households said.
pub async fn list_finished(
    c: C<'_>,
    hall: HallId,
    (from, until): Bounds,
) -> Result<Vec<FinishedJob>> {
    c.q(LIST_FINISHED).bind(hall.0).bind(from).bind(until).all().await
}

/// Lists answers to the conduct checklist, those that were taken back too.
pub async fn list_answers(c: C<'_>, hall: HallId, (from, until): Bounds) -> Result<Vec<Answered>> {
    let mut answers = Vec::new();
    let rows = c.q(LIST_ANSWERS).bind(hall.0).bind(from).bind(until);
    rows.each(|(job, visit, fact, withdrawn, body): (Uuid, Uuid, Uuid, bool, Json<Value>)| {
        let recorded = recorded(body)?;
        answers.push(Answered { job, visit, fact, withdrawn, recorded });
        Ok(())
    })
    .await?;
    Ok(answers)
}

/// Lists readings of some days that stand: one that was corrected since, on whatever day, is left out.
pub async fn list_readings(c: C<'_>, hall: HallId, (from, until): Bounds) -> Result<Vec<Reading>> {
    type Row = (Uuid, Uuid, Uuid, String, i64, Json<Value>, i64);
    let rows: Vec<Row> = c.q(LIST_READINGS).bind(hall.0).bind(from).all().await?;
    let mut corrected = BTreeSet::new();
    let mut readings = Vec::new();
    for (job, visit, fact, finding, earliest, body, normal_later) in rows {
        if let Fact::Read { corrects: Some(wrong), .. } = recorded(body)? {
            corrected.insert((job, visit, wrong.0));
        }
        if earliest >= until {
            continue;
        }
        let known = Finding::ALL.into_iter().find(|it| it.key() == finding);
        let finding = known.ok_or_else(|| decode(format!("{finding} is no finding")))?;
        let was_normal_later = normal_later > 0;
        readings.push(Reading { job, visit, fact, finding, was_normal_later });
    }
    readings.retain(|it| !corrected.contains(&(it.job, it.visit, it.fact)));
    Ok(readings)
}

/// Lists what was said and done about readings since an instant.
pub async fn list_reading_answers(
    c: C<'_>,
    hall: HallId,
    from: i64,
) -> Result<Vec<(Uuid, Uuid, Fact)>> {
    let rows: Vec<(Uuid, Uuid, Json<Value>)> =
        c.q(LIST_READING_ANSWERS).bind(hall.0).bind(false).bind(from).all().await?;
    rows.into_iter().map(|(job, visit, body)| Ok((job, visit, recorded(body)?))).collect()
}

/// Lists all hoses that technicians put in, oldest first.
pub async fn list_hose_changes(c: C<'_>, hall: HallId) -> Result<Vec<(HouseholdId, HoseChange)>> {
    type Row = (Uuid, Uuid, Option<Uuid>, Uuid, String, i64, String, bool);
    let rows: Vec<Row> = c.q(LIST_HOSE_CHANGES).bind(hall.0).all().await?;
    let changes = rows.into_iter().map(|row| {
        let (job, household, removed, hose, kind, length_mm, changed_on, free) = row;
        let installed = Hose {
            id: HoseId(hose),
            kind: hoses::kind_from_key(&kind)?,
            length_mm: u32::try_from(length_mm).map_err(decode)?,
            installed_on: changed_on.parse::<NaiveDate>().map_err(decode)?,
            is_estimated: false,
            joints: None,
        };
        let (job, removed) = (JobId(job), removed.map(HoseId));
        Ok((HouseholdId(household), HoseChange { job, removed, installed, free }))
    });
    changes.collect()
}

/// Lists the phones of a hall that were not shut out, in no order that means anything.
pub async fn list_phones(c: C<'_>, hall: HallId) -> Result<Vec<PhoneRow>> {
    c.q(LIST_PHONES).bind(hall.0).all().await
}

/// What each household of a hall is called.
pub async fn list_doors(c: C<'_>, hall: HallId) -> Result<BTreeMap<Uuid, HoseDoor>> {
    let rows: Vec<(Uuid, String, String)> = c.q(LIST_DOORS).bind(hall.0).all().await?;
    let doors = rows.into_iter().map(|(id, account, address)| (id, HoseDoor { account, address }));
    Ok(doors.collect())
}

/// The groups that each household of a hall is in.
pub async fn list_hall_groups(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<HouseholdId, BTreeSet<Group>>> {
    let rows: Vec<(Uuid, String)> = c.q(LIST_HALL_GROUPS).bind(hall.0).all().await?;
    let mut groups: BTreeMap<HouseholdId, BTreeSet<Group>> = BTreeMap::new();
    for (household, key) in rows {
        let known = Group::ALL.into_iter().find(|group| group.key() == key);
        let group = known.ok_or_else(|| decode(format!("{key} is no group")))?;
        groups.entry(HouseholdId(household)).or_default().insert(group);
    }
    Ok(groups)
}

fn recorded(body: Json<Value>) -> Result<Fact> {
    serde_json::from_value(body.0).map_err(decode)
}
