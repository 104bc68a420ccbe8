//! A household's ledger: entries of the hall's staff, and what visits found there.

use domain::hose::HoseChange;
use domain::household::Hose;
use domain::id::{HallId, HoseId, HouseholdId, JobId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::hoses::kind_from_key;
use super::{C, Result, decode, statements};

statements! {
    INSERT_ENTRY = "insert into ledger_entry (entry_id, household_id, author_id, at, body) values ($1, $2, $3, $4, $5)";
    LIST_ENTRIES = "select entry_id, author_id, at, body from ledger_entry where household_id = $1 order by at, entry_id";
    UPDATE_CONTACT = "update household set phone = $2, access = $3 where household_id = $1";
    LIST_TIGHTNESS = "select f.visit_id, f.latest, f.body from job j join fact f on f.job_id = j.job_id \
        where j.household_id = $1 and f.kind = 'tightness_tested' and not f.withdrawn order by f.latest, f.fact_id";
    LIST_HOSE_CHANGES = "select job_id, visit_id, fact_id, lot, removed_hose_id, hose_id, kind, length_mm, changed_on, free, joints from hose_change \
        where household_id = $1 order by changed_on, hose_id";
    LIST_READINGS = "select r.job_id, r.meter_id, r.fact_id, r.read_on, r.register, r.finding, f.body from reading r \
        join fact f on f.job_id = r.job_id and f.visit_id = r.visit_id and f.fact_id = r.fact_id \
        join job j on j.job_id = r.job_id where j.household_id = $1 order by r.read_on, r.fact_id";
    LIST_VISITS = "select v.job_id, v.visit_id, v.technician_id, v.outcome, j.kind, \
        min(case when f.kind = 'arrived' then f.earliest end) as arrived_earliest, \
        min(case when f.kind = 'arrived' then f.latest end) as arrived_latest, \
        max(case when f.kind = 'closed' then f.latest end) as ended_at, max(f.latest) as last_at \
        from visit v join job j on j.job_id = v.job_id \
        join fact f on f.job_id = v.job_id and f.visit_id = v.visit_id and not f.withdrawn \
        where j.household_id = $1 group by v.job_id, v.visit_id, v.technician_id, v.outcome, j.kind \
        order by last_at desc, v.visit_id";
    LIST_HALL_ENTRIES = "select e.household_id, e.entry_id, e.author_id, e.at, e.body from ledger_entry e \
        join household h on h.household_id = e.household_id where h.hall_id = $1 order by e.at, e.entry_id";
}

/// An entry as stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct EntryRow {
    /// Its id.
    pub entry_id: Uuid,
    /// Who wrote it.
    pub author_id: Uuid,
    /// When.
    pub at: i64,
    /// What.
    pub body: Json<Value>,
}

/// Adds an entry.
pub async fn insert_entry(c: C<'_>, household: HouseholdId, row: &EntryRow) -> Result<()> {
    let q = c.q(INSERT_ENTRY).bind(row.entry_id).bind(household.0).bind(row.author_id);
    q.bind(row.at).bind(&row.body).execute().await.map(drop)
}

/// Lists the entries of a household, oldest first.
pub async fn list_entries(c: C<'_>, household: HouseholdId) -> Result<Vec<EntryRow>> {
    c.q(LIST_ENTRIES).bind(household.0).all().await
}

/// Corrects telephone number and way in.
pub async fn update_contact(
    c: C<'_>,
    household: HouseholdId,
    (phone, access): (&str, &str),
) -> Result<()> {
    c.q(UPDATE_CONTACT).bind(household.0).bind(phone).bind(access).execute().await.map(drop)
}

#[derive(sqlx::FromRow)]
struct HoseChangeRow {
    job_id: Uuid,
    visit_id: Uuid,
    fact_id: Uuid,
    lot: String,
    removed_hose_id: Option<Uuid>,
    hose_id: Uuid,
    kind: String,
    length_mm: i64,
    changed_on: String,
    free: bool,
    joints: Option<i64>,
}

/// A hose that a visit put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutIn {
    /// What was done.
    pub change: HoseChange,
    /// In which visit.
    pub visit_id: Uuid,
    /// By which fact.
    pub fact_id: Uuid,
    /// The maker's lot, where it was noted.
    pub lot: String,
}

/// Lists the hoses that visits put in and took out at a household, oldest first.
pub async fn list_hose_changes(c: C<'_>, household: HouseholdId) -> Result<Vec<PutIn>> {
    let rows: Vec<HoseChangeRow> = c.q(LIST_HOSE_CHANGES).bind(household.0).all().await?;
    let changes = rows.into_iter().map(|row| {
        let change = HoseChange {
            job: JobId(row.job_id),
            removed: row.removed_hose_id.map(HoseId),
            installed: Hose {
                id: HoseId(row.hose_id),
                kind: kind_from_key(&row.kind)?,
                length_mm: u32::try_from(row.length_mm).map_err(decode)?,
                installed_on: row.changed_on.parse().map_err(decode)?,
                is_estimated: false,
                joints: row.joints.map(u8::try_from).transpose().map_err(decode)?,
            },
            free: row.free,
        };
        Ok(PutIn { change, visit_id: row.visit_id, fact_id: row.fact_id, lot: row.lot })
    });
    changes.collect()
}

/// Joints that were tested for tightness.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct TightnessRow {
    /// In which visit.
    pub visit_id: Uuid,
    /// The latest that it can have been, Unix ms.
    pub latest: i64,
    /// The fact.
    pub body: Json<Value>,
}

/// Lists the tightness tests at a household, oldest first.
pub async fn list_tightness(c: C<'_>, household: HouseholdId) -> Result<Vec<TightnessRow>> {
    c.q(LIST_TIGHTNESS).bind(household.0).all().await
}

/// A reading of a visit.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ReadingRow {
    /// The job.
    pub job_id: Uuid,
    /// The meter.
    pub meter_id: Uuid,
    /// The fact.
    pub fact_id: Uuid,
    /// The day in the hall's city.
    pub read_on: String,
    /// Litres; `None` when it could not be read.
    pub register: Option<i64>,
    /// The finding's key.
    pub finding: String,
    /// The fact's body, which names what it corrects.
    pub body: Json<Value>,
}

/// Lists the readings that visits took of a household's meters, oldest first.
pub async fn list_readings(c: C<'_>, household: HouseholdId) -> Result<Vec<ReadingRow>> {
    c.q(LIST_READINGS).bind(household.0).all().await
}

/// A visit to a household.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct VisitRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// Who was there.
    pub technician_id: Uuid,
    /// How it ended.
    pub outcome: Option<String>,
    /// The key of the job's kind.
    pub kind: String,
    /// The earliest that they can have arrived.
    pub arrived_earliest: Option<i64>,
    /// The latest.
    pub arrived_latest: Option<i64>,
    /// The latest that it can have ended.
    pub ended_at: Option<i64>,
    /// The latest of anything recorded in it.
    pub last_at: i64,
}

/// Lists the visits to a household, newest first.
pub async fn list_visits(c: C<'_>, household: HouseholdId) -> Result<Vec<VisitRow>> {
    c.q(LIST_VISITS).bind(household.0).all().await
}

/// Lists all ledger entries of a hall, oldest first.
pub async fn list_hall_entries(c: C<'_>, hall: HallId) -> Result<Vec<(Uuid, EntryRow)>> {
    type Row = (Uuid, Uuid, Uuid, i64, Json<Value>);
    let rows: Vec<Row> = c.q(LIST_HALL_ENTRIES).bind(hall.0).all().await?;
    let entries = rows.into_iter().map(|(household, entry_id, author_id, at, body)| {
        (household, EntryRow { entry_id, author_id, at, body })
    });
    Ok(entries.collect())
}
