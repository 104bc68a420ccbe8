//! What happened to a job, change by change: who added what, and when it reached the hall.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, ChangeHash};
use domain::id::JobId;
use domain::job::Job;
use serde::Serialize;
use sync::document;
use utoipa::ToSchema;
use uuid::Uuid;

use super::plan::read;
use crate::db::changes::{self, ChangeRow};
use crate::db::{C, projections};
use crate::http::error::ApiError;

/// One change of a job; instants are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// Names the change.
    pub hash: String,
    /// Its place in the hall's feed.
    pub position: i64,
    /// The person for whom it was made; `null` for the server's own.
    pub by: Option<Uuid>,
    /// The phone that made it; `null` for the hall.
    pub device: Option<Uuid>,
    /// When it reached the hall.
    pub received_at: i64,
    /// What it added.
    pub adds: Vec<Added>,
}

/// Something that a change added to a job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Added {
    /// Where in the job it stands.
    pub what: What,
    /// Its id there.
    pub id: Uuid,
    /// The earliest that a fact can have happened.
    pub earliest: Option<i64>,
    /// The latest that it can have.
    pub latest: Option<i64>,
}

/// The parts of a job to which things are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The job itself.
    Job,
    /// A window agreed by the hall.
    Appointment,
    /// Given to somebody, or taken back.
    Assignment,
    /// The promise's clock started, paused or resumed.
    Tick,
    /// Called off.
    Cancellation,
    /// Something to mind.
    Instruction,
    /// Somebody called to an emergency.
    Call,
    /// A clash settled.
    Ruling,
    /// A message.
    Message,
    /// Something that happened at the door.
    Fact,
}

/// Tells a job's history in the order in which the hall took it.
pub async fn history(mut c: C<'_>, job: JobId) -> Result<Vec<HistoryEntry>, ApiError> {
    let times = projections::list_fact_times(c.lend(), job).await?;
    let times: BTreeMap<Uuid, (i64, i64)> =
        times.into_iter().map(|it| (it.fact_id, (it.earliest, it.latest))).collect();
    let mut doc = Automerge::new();
    let mut known = BTreeSet::new();
    let mut entries = Vec::new();
    for row in changes::list_job_changes(c, job, 0).await? {
        doc.load_incremental(&row.bytes).map_err(anyhow::Error::from)?;
        let held = parts(&read(&doc)?);
        let adds = held.difference(&known).map(|(what, id)| added(*what, *id, &times)).collect();
        known = held;
        entries.push(entry(&row, adds));
    }
    Ok(entries)
}

/// The job as it stood where a change was made, with that change: what its writer saw at that moment.
pub async fn seen_by_writer(
    c: C<'_>,
    job: JobId,
    hash: ChangeHash,
) -> Result<Option<Job>, ApiError> {
    let rows = changes::list_job_changes(c, job, 0).await?;
    if !rows.iter().any(|row| row.hash == hash.0) {
        return Ok(None);
    }
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.bytes.as_slice()).collect();
    let doc = document::load(None, &bytes).map_err(anyhow::Error::from)?;
    let then = doc.fork_at(&[hash]).map_err(anyhow::Error::from)?;
    Ok(Some(read(&then)?))
}

fn entry(row: &ChangeRow, adds: Vec<Added>) -> HistoryEntry {
    let hash = ChangeHash::try_from(row.hash.as_slice());
    HistoryEntry {
        hash: hash.map(|hash| hash.to_string()).unwrap_or_default(),
        position: row.position,
        by: row.author_id,
        device: row.device_id,
        received_at: row.received_at,
        adds,
    }
}

fn added(what: What, id: Uuid, times: &BTreeMap<Uuid, (i64, i64)>) -> Added {
    let time = times.get(&id).filter(|_| what == What::Fact);
    Added { what, id, earliest: time.map(|it| it.0), latest: time.map(|it| it.1) }
}

/// Everything in a job that has an id of its own.
fn parts(job: &Job) -> BTreeSet<(What, Uuid)> {
    let plan = &job.plan;
    let facts = job.visits.values().flat_map(|visit| visit.facts.keys());
    [(What::Job, job.id.0)]
        .into_iter()
        .chain(plan.appointments.keys().map(|id| (What::Appointment, id.0)))
        .chain(plan.assignments.keys().map(|id| (What::Assignment, id.0)))
        .chain(plan.cancelled.keys().map(|id| (What::Cancellation, id.0)))
        .chain(plan.instructions.keys().map(|id| (What::Instruction, id.0)))
        .chain(plan.calls.keys().map(|id| (What::Call, id.0)))
        .chain(plan.clock.keys().map(|id| (What::Tick, id.0)))
        .chain(plan.rulings.keys().map(|id| (What::Ruling, id.0)))
        .chain(job.messages.keys().map(|id| (What::Message, id.0)))
        .chain(facts.map(|id| (What::Fact, id.0)))
        .collect()
}
