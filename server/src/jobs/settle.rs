//! After a job changed: its projections and its live event, in the transaction that changed it.

use std::collections::BTreeMap;

use domain::id::{DeviceId, FactId, JobId, UserId, VisitId};
use domain::job::Job;
use domain::pack::Pack;
use domain::stamp::{BootId, Timestamp};
use domain::status::Status;
use serde_json::json;
use sqlx::types::Json;

use super::summary::{JobSummary, Known};
use crate::applications;
use crate::db::jobs::{self, JobRow};
use crate::db::live_events::{self, LiveEventRow};
use crate::db::{C, Result, anchors, changes, devices, projections};
use crate::projection::times::{Arrival, DeviceTime, facts_in};
use crate::projection::{Knowledge, project};
use crate::told;
use crate::webhooks::outbox;

/// What happened to a job, as the live stream names it.
#[derive(Clone, Debug)]
pub struct Happening {
    /// `created`, `planned`, `visited` or `said`.
    pub what: &'static str,
    /// The kinds of the facts that were added.
    pub facts: Vec<String>,
    /// These facts themselves.
    pub added: Vec<(VisitId, FactId)>,
}

/// Derives everything anew from a job and tells the live stream and webhooks, at this position.
pub async fn settle(
    mut c: C<'_>,
    job: &Job,
    happening: &Happening,
    (pack, now, position): (&Pack, Timestamp, i64),
) -> Result<()> {
    let row = derive(c.lend(), job, (pack, now, position)).await?;
    if let Some(technician) = row.technician_id.filter(|_| row.status == Status::Done.key()) {
        applications::job_done(c.lend(), job, (UserId(technician), now)).await?;
    }
    outbox::write(c.lend(), job, happening, (&row.status, position, now)).await?;
    told::write(c.lend(), job, happening, (pack, now)).await?;
    let heard_at = match row.technician_id {
        Some(technician) => devices::find_heard_at(c.lend(), technician).await?,
        None => None,
    };
    let known = Known::for_row(c.lend(), &row, now).await?;
    let summary = JobSummary::new(row, &job.briefing.household, heard_at, &known);
    let event = LiveEventRow {
        hall_id: job.hall.0,
        position,
        kind: happening.what.to_owned(),
        job_id: Some(job.id.0),
        at: now.timestamp_millis(),
        body: Json(json!({"what": happening.what, "facts": happening.facts, "job": summary})),
    };
    live_events::insert_events(c, &[event]).await
}

/// Derives everything anew from a job as it stood at this time and position.
pub async fn derive(
    mut c: C<'_>,
    job: &Job,
    (pack, now, position): (&Pack, Timestamp, i64),
) -> Result<JobRow> {
    let times = device_times(c.lend(), job.id, now).await?;
    let (row, details) = project(job, &Knowledge { pack, times: &times, now, position });
    jobs::upsert_jobs(c.lend(), std::slice::from_ref(&row)).await?;
    projections::replace_details(c, job.hall.0, job.id, &details).await?;
    Ok(row)
}

/// What the hall knew by then of the time on each device that wrote to a job.
pub async fn device_times(
    mut c: C<'_>,
    job: JobId,
    now: Timestamp,
) -> Result<BTreeMap<DeviceId, DeviceTime>> {
    let mut times: BTreeMap<DeviceId, DeviceTime> = BTreeMap::new();
    for row in changes::list_arrivals(c.lend(), job).await? {
        let received_at = chrono::DateTime::from_timestamp_millis(row.received_at);
        let boot = row.sent_boot.and_then(|boot| u32::try_from(boot).ok()).map(BootId);
        let arrival = Arrival {
            received_at: received_at.unwrap_or(now),
            sent: boot.zip(row.sent_mono_ms),
            facts: facts_in(&row.bytes),
        };
        times.entry(DeviceId(row.device_id)).or_default().arrivals.push(arrival);
    }
    for (device, time) in &mut times {
        time.anchors = anchors::list_anchors(c.lend(), *device, now.timestamp_millis()).await?;
    }
    Ok(times)
}
