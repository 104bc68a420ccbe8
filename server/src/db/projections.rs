//! What is derived from a job's changes: visits, facts, readings, hoses, verdicts on appointments.

use domain::id::JobId;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    DELETE_VISITS = "delete from visit where job_id = $1";
    DELETE_FACTS = "delete from fact where job_id = $1";
    DELETE_READINGS = "delete from reading where job_id = $1";
    DELETE_METER_CHANGES = "delete from meter_change where job_id = $1";
    DELETE_HOSE_CHANGES = "delete from hose_change where job_id = $1";
    DELETE_CASH = "delete from cash_taken where job_id = $1";
    DELETE_ITEMS_SEEN = "delete from item_seen where job_id = $1";
    DELETE_VERDICTS = "delete from appointment_verdict where job_id = $1";
    INSERT_VISIT = "insert into visit (job_id, visit_id, hall_id, technician_id, device_id, outcome) \
        values ($1, $2, $3, $4, $5, $6)";
    INSERT_FACT = "insert into fact (job_id, visit_id, fact_id, hall_id, kind, earliest, latest, withdrawn, body) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    INSERT_READING = "insert into reading (job_id, visit_id, fact_id, meter_id, read_on, register, finding, verdict) \
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_HOSE_CHANGE = "insert into hose_change (job_id, visit_id, fact_id, household_id, removed_hose_id, hose_id, \
        kind, length_mm, changed_on, free, lot, joints) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    INSERT_CASH = "insert into cash_taken (job_id, visit_id, fact_id, hall_id, household_id, technician_id, device_id, \
        amount, receipt, receipt_number, reason, taken_on, taken_at, withdrawn) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    INSERT_ITEM_SEEN = "insert into item_seen (job_id, visit_id, fact_id, household_id, what, item_id, seen_at, gone, \
        body) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    INSERT_METER_CHANGE = "insert into meter_change (job_id, visit_id, fact_id, household_id, changed_on, meter_id, \
        serial, body) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_FACT_TIMES = "select fact_id, earliest, latest from fact where job_id = $1 order by fact_id";
    INSERT_VERDICT = "insert into appointment_verdict (job_id, ordinal, hall_id, agreed_id, technician_id, kind, day, \
        window_start, window_end, punctuality, width_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitRow {
    /// Its id, unique within the job.
    pub visit_id: Uuid,
    /// Who was there.
    pub technician_id: Uuid,
    /// With which phone.
    pub device_id: Uuid,
    /// How it ended.
    pub outcome: Option<String>,
}

/// A fact with the interval in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct FactRow {
    /// Its visit.
    pub visit_id: Uuid,
    /// Its id, unique within the visit.
    pub fact_id: Uuid,
    /// What kind of fact.
    pub kind: String,
    /// The earliest it can have happened, Unix ms.
    pub earliest: i64,
    /// The latest, Unix ms.
    pub latest: i64,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// All of it.
    pub body: Json<Value>,
}

/// A meter reading.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingRow {
    /// Its visit.
    pub visit_id: Uuid,
    /// Its fact.
    pub fact_id: Uuid,
    /// The meter.
    pub meter_id: Uuid,
    /// The day in the hall's city.
    pub read_on: String,
    /// Litres; null when it could not be read.
    pub register: Option<i64>,
    /// The key of the finding.
    pub finding: String,
    /// The whole verdict.
    pub verdict: Json<Value>,
}

/// A meter that was put in or taken out, and that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterChangeRow {
    /// Its visit.
    pub visit_id: Uuid,
    /// Its fact.
    pub fact_id: Uuid,
    /// Whose.
    pub household_id: Uuid,
    /// The day in the hall's city.
    pub changed_on: String,
    /// The meter put in.
    pub meter_id: Option<Uuid>,
    /// The number on its plate.
    pub serial: Option<String>,
    /// All of it.
    pub body: Json<Value>,
}

/// A hose that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoseChangeRow {
    /// Its visit.
    pub visit_id: Uuid,
    /// Its fact.
    pub fact_id: Uuid,
    /// Whose.
    pub household_id: Uuid,
    /// The hose taken out.
    pub removed_hose_id: Option<Uuid>,
    /// The hose put in.
    pub hose_id: Uuid,
    /// What it is made of.
    pub kind: String,
    /// Its length.
    pub length_mm: i64,
    /// The day in the hall's city.
    pub changed_on: String,
    /// Whether it was free.
    pub free: bool,
    /// The maker's lot.
    pub lot: String,
    /// How many joints are in it, when somebody looked.
    pub joints: Option<i64>,
}

/// A hose or an appliance that a visit found otherwise than the register says.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemSeenRow {
    /// Its visit.
    pub visit_id: Uuid,
    /// Its fact.
    pub fact_id: Uuid,
    /// Whose.
    pub household_id: Uuid,
    /// `hose` or `appliance`.
    pub what: &'static str,
    /// Which.
    pub item_id: Uuid,
    /// The latest that it can have been seen, Unix ms.
    pub seen_at: i64,
    /// Whether it was not there any more.
    pub gone: bool,
    /// The whole fact.
    pub body: Json<Value>,
}

/// Cash taken at a door, also what was taken back: its receipt is void, and is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashRow {
    /// Its visit.
    pub visit_id: Uuid,
    /// Its fact.
    pub fact_id: Uuid,
    /// Who paid.
    pub household_id: Uuid,
    /// Who took it.
    pub technician_id: Uuid,
    /// With which phone.
    pub device_id: Uuid,
    /// Fen.
    pub amount: i64,
    /// The receipt's number.
    pub receipt: String,
    /// The number itself, where the hall can have handed it out.
    pub receipt_number: Option<i64>,
    /// Why somebody pays so who is in no entitled group.
    pub reason: String,
    /// The day in the hall's city.
    pub taken_on: String,
    /// The latest that it can have been, Unix ms.
    pub taken_at: i64,
    /// Whether it was taken back.
    pub withdrawn: bool,
}

/// The verdict on one appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictRow {
    /// Counts the job's appointments.
    pub ordinal: i64,
    /// The plan's entry or the fact.
    pub agreed_id: Uuid,
    /// Who is answerable.
    pub technician_id: Option<Uuid>,
    /// What the job is.
    pub kind: String,
    /// The day in the hall's city.
    pub day: String,
    /// The window.
    pub window_start: i64,
    /// The window.
    pub window_end: i64,
    /// The key of the verdict.
    pub punctuality: String,
    /// How wide the doubt is.
    pub width_ms: Option<i64>,
}

/// Everything that is derived from one job beside its own row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobDetails {
    /// Its visits.
    pub visits: Vec<VisitRow>,
    /// Their facts.
    pub facts: Vec<FactRow>,
    /// Readings among them.
    pub readings: Vec<ReadingRow>,
    /// Meters put in and taken out among them.
    pub meter_changes: Vec<MeterChangeRow>,
    /// Hoses among them.
    pub hose_changes: Vec<HoseChangeRow>,
    /// Cash among them.
    pub cash: Vec<CashRow>,
    /// Hoses and appliances that were found otherwise.
    pub items_seen: Vec<ItemSeenRow>,
    /// Verdicts on its appointments.
    pub verdicts: Vec<VerdictRow>,
}

/// Puts what is derived from a job in the place of what was derived before.
pub async fn replace_details(
    mut c: C<'_>,
    hall: Uuid,
    job: JobId,
    details: &JobDetails,
) -> Result<()> {
    for statement in [
        DELETE_FACTS,
        DELETE_VISITS,
        DELETE_READINGS,
        DELETE_METER_CHANGES,
        DELETE_HOSE_CHANGES,
        DELETE_CASH,
        DELETE_ITEMS_SEEN,
        DELETE_VERDICTS,
    ] {
        c.lend().q(statement).bind(job.0).execute().await?;
    }
    insert_rows(c.lend(), INSERT_VISIT, &details.visits, |q, it| {
        q.bind(job.0)
            .bind(it.visit_id)
            .bind(hall)
            .bind(it.technician_id)
            .bind(it.device_id)
            .bind(&it.outcome)
    })
    .await?;
    insert_rows(c.lend(), INSERT_FACT, &details.facts, |q, it| {
        let q = q.bind(job.0).bind(it.visit_id).bind(it.fact_id).bind(hall).bind(&it.kind);
        q.bind(it.earliest).bind(it.latest).bind(it.withdrawn).bind(&it.body)
    })
    .await?;
    insert_rows(c.lend(), INSERT_READING, &details.readings, |q, it| {
        let q = q.bind(job.0).bind(it.visit_id).bind(it.fact_id).bind(it.meter_id);
        q.bind(&it.read_on).bind(it.register).bind(&it.finding).bind(&it.verdict)
    })
    .await?;
    insert_meter_changes(c.lend(), job, &details.meter_changes).await?;
    insert_rows(c.lend(), INSERT_HOSE_CHANGE, &details.hose_changes, |q, it| {
        let q = q.bind(job.0).bind(it.visit_id).bind(it.fact_id).bind(it.household_id);
        let q = q.bind(it.removed_hose_id).bind(it.hose_id).bind(&it.kind).bind(it.length_mm);
        q.bind(&it.changed_on).bind(it.free).bind(&it.lot).bind(it.joints)
    })
    .await?;
    insert_rows(c.lend(), INSERT_ITEM_SEEN, &details.items_seen, |q, it| {
        let q = q.bind(job.0).bind(it.visit_id).bind(it.fact_id).bind(it.household_id);
        q.bind(it.what).bind(it.item_id).bind(it.seen_at).bind(it.gone).bind(&it.body)
    })
    .await?;
    insert_rows(c.lend(), INSERT_CASH, &details.cash, |q, it| {
        let q = q.bind(job.0).bind(it.visit_id).bind(it.fact_id).bind(hall).bind(it.household_id);
        let q = q.bind(it.technician_id).bind(it.device_id).bind(it.amount).bind(&it.receipt);
        let q = q.bind(it.receipt_number);
        q.bind(&it.reason).bind(&it.taken_on).bind(it.taken_at).bind(it.withdrawn)
    })
    .await?;
    insert_rows(c, INSERT_VERDICT, &details.verdicts, |q, it| {
        let q = q.bind(job.0).bind(it.ordinal).bind(hall).bind(it.agreed_id);
        let q = q.bind(it.technician_id).bind(&it.kind).bind(&it.day).bind(it.window_start);
        q.bind(it.window_end).bind(&it.punctuality).bind(it.width_ms)
    })
    .await
    .map(drop)
}

async fn insert_meter_changes(c: C<'_>, job: JobId, rows: &[MeterChangeRow]) -> Result<()> {
    insert_rows(c, INSERT_METER_CHANGE, rows, |q, it| {
        let q = q.bind(job.0).bind(it.visit_id).bind(it.fact_id).bind(it.household_id);
        q.bind(&it.changed_on).bind(it.meter_id).bind(&it.serial).bind(&it.body)
    })
    .await
    .map(drop)
}

/// When a fact happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FactTimeRow {
    /// The fact.
    pub fact_id: Uuid,
    /// The earliest that it can have happened.
    pub earliest: i64,
    /// The latest that it can have.
    pub latest: i64,
}

/// Lists when the facts of a job happened.
pub async fn list_fact_times(c: C<'_>, job: JobId) -> Result<Vec<FactTimeRow>> {
    c.q(LIST_FACT_TIMES).bind(job.0).all().await
}
