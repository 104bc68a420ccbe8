//! What the hall adds to a job: plan entries and messages, made in the document under the process's own actor.

use std::collections::BTreeSet;

use automerge::Automerge;
use domain::callout;
use domain::id::{EntryId, HallId, JobId, MessageId, UserId};
use domain::job::{Assignment, Author, Job, Message, PlanEntry, Ruling};
use domain::promise;
use domain::stamp::{BootId, Stamp, Timestamp};
use domain::status::standing;
use sync::document::{self, Pen};
use sync::limits::Limits;
use sync::preflight;
use uuid::Uuid;

use super::settle::{Happening, settle};
use crate::db::changes::{self, ChangeRow};
use crate::db::{C, Tx, documents, grants, halls, jobs};
use crate::http::error::ApiError;
use crate::http::once::Receipt;
use crate::http::plans::AddedBody;
use crate::http::version::{IfMatch, tag};
use crate::ids::{fresh_uuid, moment_past};
use crate::leak;
use crate::near;
use crate::reach;
use crate::retry::until_won;
use crate::state::AppState;

/// Something the hall adds.
#[derive(Clone, Debug)]
pub enum Addition {
    /// An entry of the plan.
    Entry(PlanEntry),
    /// A line to the technician.
    Message(String),
}

/// On which terms something is added.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Which version of the job the caller saw.
    pub seen: IfMatch,
    /// Makes a repeated request add nothing.
    pub receipt: Receipt,
}

/// Adds to a job of the hall; tells the id under which it stands.
pub async fn add(
    state: &AppState,
    (hall, by): (HallId, UserId),
    job: JobId,
    (addition, terms): (&Addition, &Terms),
) -> Result<AddedBody, ApiError> {
    until_won(|| add_once(state, (hall, by), job, (addition, terms))).await
}

async fn add_once(
    state: &AppState,
    (hall, by): (HallId, UserId),
    job: JobId,
    (addition, terms): (&Addition, &Terms),
) -> Result<AddedBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // The hall's row first: whoever holds it is the only one who changes the hall's documents.
    let position = halls::take_positions(tx.c(), hall, 2).await?;
    documents::find_document(tx.c(), hall, job).await?.ok_or(ApiError::NotFound("job"))?;
    let mut doc = load(tx.c(), job).await?;
    let before = read(&doc)?;
    let row = jobs::find_job(tx.c(), hall, job).await?.ok_or(ApiError::NotFound("job"))?;
    terms.seen.check(tx.c(), &before, row.updated_position).await?;
    if let Addition::Entry(PlanEntry::Ruling(ruling)) = addition {
        check_ruling(&before, ruling)?;
    }
    let pack = state.packs.find(tx.c(), &before.pack).await?;
    if let Addition::Entry(PlanEntry::Tick(tick)) = addition {
        promise::check(&before, tick, now, &pack)?;
    }
    let id = fresh_uuid(moment_after(&before, now));
    let bytes = write(state, &mut doc, (id, by, now), addition)?;
    let row = change_row((hall, by, job), (position, now), bytes)?;
    changes::insert_changes(tx.c(), &[row]).await?;
    if let Addition::Entry(PlanEntry::Assignment(assignment)) = addition {
        take_back(&mut tx, (job, &callout::accepted_by(&before)), assignment, position).await?;
    }
    let after = read(&doc)?;
    let what = if matches!(addition, Addition::Entry(_)) { "planned" } else { "said" };
    let happening = Happening { what, facts: Vec::new(), added: Vec::new() };
    settle(tx.c(), &after, &happening, (&pack, now, position + 1)).await?;
    let offset = pack.time.utc_offset_minutes;
    let near_until = near::until(now, offset, state.config.near_days_ahead);
    grants::insert_near_grant(tx.c(), job, position, near_until.timestamp_millis()).await?;
    reach::jobs::tell_changed(tx.c(), (&before, &after), by, (near_until, now)).await?;
    let added = AddedBody { entry: id, etag: tag(position + 1) };
    let reached = Box::pin(leak::look(state, &mut tx, (hall, job))).await?;
    terms.receipt.keep(tx.c(), &added, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(hall, reached.unwrap_or(position + 1));
    Ok(added)
}

/// Enters plan entries into a job in the caller's transaction, under the hall's row; returns the position of the last.
pub async fn enter(
    state: &AppState,
    tx: &mut Tx,
    (hall, by): (HallId, UserId),
    (job, entries): (JobId, &[PlanEntry]),
) -> Result<i64, ApiError> {
    let now = state.clock.now();
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let first = halls::take_positions(tx.c(), hall, count + 1).await?;
    let mut doc = load(tx.c(), job).await?;
    let mut rows = Vec::with_capacity(entries.len());
    for (entry, position) in entries.iter().zip(first..) {
        let id = fresh_uuid(moment_after(&read(&doc)?, now));
        let bytes = write(state, &mut doc, (id, by, now), &Addition::Entry(entry.clone()))?;
        rows.push(change_row((hall, by, job), (position, now), bytes)?);
    }
    changes::insert_changes(tx.c(), &rows).await?;
    let after = read(&doc)?;
    let pack = state.packs.find(tx.c(), &after.pack).await?;
    let happening = Happening { what: "planned", facts: Vec::new(), added: Vec::new() };
    settle(tx.c(), &after, &happening, (&pack, now, first + count)).await?;
    Ok(first)
}

/// A ruling decides what clashes now, in favour of a visit that there is.
fn check_ruling(job: &Job, ruling: &Ruling) -> Result<(), ApiError> {
    let open = standing(job).clashes;
    if ruling.settles.is_empty() || !ruling.settles.iter().all(|clash| open.contains(clash)) {
        let what = "send in `settles` clashes that the job shows now; look at it again";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    if ruling.stands.is_some_and(|visit| !job.visits.contains_key(&visit)) {
        return Err(ApiError::Unprocessable("send in `stands` a visit of this job".to_owned()));
    }
    Ok(())
}

/// Loads a job's document from its snapshot and the changes after it.
pub async fn load(mut c: C<'_>, job: JobId) -> Result<Automerge, ApiError> {
    let snapshot = documents::find_snapshot(c.lend(), job).await?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.position);
    let rows = changes::list_job_changes(c, job, after).await?;
    if rows.iter().any(|row| row.bytes.is_empty()) {
        // It was erased.
        return Err(ApiError::NotFound("job"));
    }
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.bytes.as_slice()).collect();
    let snapshot = snapshot.as_ref().map(|snapshot| snapshot.bytes.as_slice());
    document::load(snapshot, &bytes).map_err(|error| ApiError::Internal(error.into()))
}

/// Reads a job from its document.
pub fn read(doc: &Automerge) -> Result<Job, ApiError> {
    document::read(doc).map_err(|error| ApiError::Internal(error.into()))
}

fn write(
    state: &AppState,
    doc: &mut Automerge,
    (id, by, now): (Uuid, UserId, Timestamp),
    addition: &Addition,
) -> Result<Vec<u8>, ApiError> {
    let pen = Pen { actor: state.actor.clone(), at: now };
    let written = match addition {
        Addition::Entry(entry) => document::plan_change(doc, &pen, EntryId(id), entry),
        Addition::Message(text) => {
            // The server's clock is the anchor itself: boot zero, no doubt.
            let stamp = Stamp {
                wall_at: now,
                boot: BootId(0),
                mono_ms: now.timestamp_millis(),
                anchor: None,
            };
            let message = Message { author: by, stamp, text: text.clone() };
            document::message_change(doc, &pen, MessageId(id), &message)
        }
    };
    written.map_err(|error| ApiError::Internal(error.into()))
}

/// A moment after everything that stands in the job, for the id of what is added now.
fn moment_after(job: &Job, now: Timestamp) -> Timestamp {
    moment_past(job.newest_ms(), now)
}

/// The raw change as a row of the hall's own.
pub fn change_row(
    (hall, by, job): (HallId, UserId, JobId),
    (position, now): (i64, Timestamp),
    bytes: Vec<u8>,
) -> Result<ChangeRow, ApiError> {
    let inspected = preflight::inspect(&bytes, &Limits::default())
        .map_err(|error| ApiError::Internal(error.into()))?;
    Ok(ChangeRow {
        hash: inspected.hash.0.to_vec(),
        hall_id: hall.0,
        job_id: job.0,
        position,
        actor: inspected.actor.to_bytes().to_vec(),
        seq: i64::try_from(inspected.seq).unwrap_or(i64::MAX),
        device_id: None,
        author_id: Some(by.0),
        received_at: now.timestamp_millis(),
        sent_boot: None,
        sent_mono_ms: None,
        bytes,
    })
}

/// Takes the job from everybody but its new holder and those who come to help them.
async fn take_back(
    tx: &mut Tx,
    (job, team): (JobId, &BTreeSet<UserId>),
    assignment: &Assignment,
    position: i64,
) -> Result<(), ApiError> {
    let known = grants::list_job_grants(tx.c(), job).await?;
    let live = known.iter().filter(|grant| grant.withdrawn_position.is_none());
    let others = live.map(|grant| UserId(grant.user_id));
    let others = others.filter(|user| !team.contains(user));
    for user in others.filter(|user| Some(*user) != assignment.technician) {
        grants::withdraw_grant(tx.c(), job, user, position).await?;
    }
    Ok(())
}

/// Who decides, and when by the server's clock.
pub fn author(by: UserId, now: Timestamp) -> Author {
    Author { by, at: now }
}
