//! Writing down what was judged, and letting changes out of quarantine.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use domain::id::{DeviceId, HallId, JobId, UserId};
use domain::stamp::Timestamp;
use serde_json::json;
use sync::authority::Writer;
use sync::document;
use sync::hub::{JobJudgement, Judgement, Kept, Offer, Outcome, Refused};
use sync::limits::Limits;
use sync::message::Position;

use super::{find_hall, ground, judge_apart};
use crate::audit::{self, By, Entry, Subject, What};
use crate::cash;
use crate::db::changes::{self, ChangeRow};
use crate::db::documents::{self, DocumentRow, SnapshotRow};
use crate::db::quarantine::{self, QuarantineRow};
use crate::db::waiting::{self, WaitingRow};
use crate::db::{C, Tx, actors, grants, halls};
use crate::http::error::ApiError;
use crate::jobs::settle::{Happening, settle};
use crate::leak;
use crate::retry::until_won;
use crate::state::AppState;
use crate::twice;

/// A job with this many changes since its last snapshot gets a new one.
const SNAPSHOT_EVERY: usize = 32;

/// Who sent a request, and when by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) writer: Writer,
    pub(super) now: Timestamp,
    /// When it arrived: earlier than now for a change that comes out of quarantine.
    pub(super) arrived_at: Timestamp,
    pub(super) boot: u32,
    pub(super) mono_ms: i64,
}

/// Writes a judgement; tells the positions of what was accepted.
pub(super) async fn store(
    state: &AppState,
    tx: &mut Tx,
    hall: HallId,
    (judgement, apart): (&Judgement, &BTreeSet<ChangeHash>),
    sent: &Sent,
) -> Result<BTreeMap<ChangeHash, Position>, ApiError> {
    let mut positions = BTreeMap::new();
    let bindings: Vec<(Vec<u8>, DeviceId)> = judgement
        .bindings
        .iter()
        .map(|(actor, device)| (actor.to_bytes().to_vec(), *device))
        .collect();
    actors::insert_actors(tx.c(), &bindings, sent.now.timestamp_millis()).await?;
    for job in &judgement.jobs {
        store_job(state, tx, hall, (job, sent), &mut positions).await?;
    }
    let kept: Vec<_> = judgement.waiting.iter().map(|kept| waiting_row(hall, kept, sent)).collect();
    waiting::insert_waiting(tx.c(), &kept).await?;
    let refused = &judgement.quarantined;
    let rows: Vec<_> = refused.iter().map(|refused| refused_row(hall, refused, sent)).collect();
    for refused in refused.iter().filter(|refused| refused.has_waited) {
        let (hash, by) = (&refused.hash.0, (refused.writer.device, refused.writer.user));
        waiting::delete_waiting_of(tx.c(), hash, refused.job, by).await?;
    }
    quarantine::upsert_quarantined(tx.c(), &rows).await?;
    let kept = judgement.waiting.iter().map(|kept| &kept.hash);
    for hash in positions.keys().chain(kept).filter(|hash| apart.contains(hash)) {
        let now_ms = sent.now.timestamp_millis();
        quarantine::release_quarantined(tx.c(), &hash.0, None, now_ms).await?;
    }
    Ok(positions)
}

/// Writes one job's new changes, what is derived from them, and its live event.
async fn store_job(
    state: &AppState,
    tx: &mut Tx,
    hall: HallId,
    (job, sent): (&JobJudgement, &Sent),
    positions: &mut BTreeMap<ChangeHash, Position>,
) -> Result<(), ApiError> {
    let count = i64::try_from(job.accepted.len()).unwrap_or(i64::MAX);
    let first = halls::take_positions(tx.c(), hall, count + 1).await?;
    if job.before.is_none() {
        let row = DocumentRow {
            job_id: job.id.0,
            hall_id: hall.0,
            household_id: job.after.briefing.household.id.0,
            pack_id: job.after.pack.0.clone(),
            created_at: job.after.created_at.timestamp_millis(),
        };
        documents::insert_document(tx.c(), &row).await?;
    }
    let mut rows = Vec::with_capacity(job.accepted.len());
    for (accepted, position) in job.accepted.iter().zip(first..) {
        positions.insert(accepted.hash, position);
        // What waited came with an earlier request: nothing is known of that moment but that it is over.
        let is_own = !accepted.has_waited && accepted.device == Some(sent.writer.device);
        rows.push(ChangeRow {
            hash: accepted.hash.0.to_vec(),
            hall_id: hall.0,
            job_id: job.id.0,
            position,
            actor: accepted.actor.to_bytes().to_vec(),
            seq: i64::try_from(accepted.seq).unwrap_or(i64::MAX),
            device_id: accepted.device.map(|it| it.0),
            author_id: Some(accepted.writer.user.0),
            received_at: sent.now.timestamp_millis(),
            sent_boot: is_own.then_some(i64::from(sent.boot)),
            sent_mono_ms: is_own.then_some(sent.mono_ms),
            bytes: accepted.bytes.clone(),
        });
        if accepted.leaves_waiting {
            waiting::delete_waiting(tx.c(), &accepted.hash.0).await?;
        }
    }
    changes::insert_changes(tx.c(), &rows).await?;
    if job.accepted.iter().any(|change| change.is_returned) {
        take_back(tx, hall, job, first).await?;
    }
    let pack = state.packs.find(tx.c(), &job.after.pack).await?;
    let happening = happening(job);
    let last = first + count;
    settle(tx.c(), &job.after, &happening, (&pack, sent.now, last)).await?;
    // Boxed: it is long, rare, and in the way of every exchange.
    Box::pin(leak::look(state, tx, (hall, job.id))).await?;
    if happening.facts.iter().any(|kind| kind == "cash_taken") {
        Box::pin(cash::look(tx, (hall, &job.after), (&pack, sent.now))).await?;
    }
    if happening.facts.iter().any(|kind| twice::FACTS.contains(&kind.as_str())) {
        Box::pin(twice::look(tx, (hall, &job.after), (&pack, sent.now))).await?;
    }
    snapshot_if_long(tx.c(), job.id, (last, sent.now)).await
}

fn happening(job: &JobJudgement) -> Happening {
    let kinds = job.new_facts.iter().filter_map(|(visit, fact)| {
        let recorded = job.after.visits.get(visit)?.facts.get(fact)?;
        serde_json::to_value(&recorded.fact).ok()?["type"].as_str().map(str::to_owned)
    });
    let facts: Vec<String> = kinds.collect();
    let what = if facts.is_empty() { "said" } else { "visited" };
    Happening { what, facts, added: job.new_facts.clone() }
}

/// Who may hold a job is told by its plan; when a phone brought that back after a restore, so are the grants.
async fn take_back(
    tx: &mut Tx,
    hall: HallId,
    job: &JobJudgement,
    position: Position,
) -> Result<(), ApiError> {
    let known = grants::list_job_grants(tx.c(), job.id).await?;
    let holder = domain::status::assigned(&job.after);
    let called: BTreeSet<_> = job.after.plan.calls.values().map(|it| it.technician).collect();
    for live in known.iter().filter(|grant| grant.withdrawn_position.is_none()) {
        if Some(UserId(live.user_id)) != holder && !called.contains(&UserId(live.user_id)) {
            grants::withdraw_grant(tx.c(), job.id, UserId(live.user_id), position).await?;
        }
    }
    let is_held = |user: UserId| {
        known.iter().any(|it| it.user_id == user.0 && it.withdrawn_position.is_none())
    };
    let given = job.after.plan.assignments.values().filter_map(|it| it.technician);
    for user in &called {
        if !is_held(*user) && !known.iter().any(|it| it.user_id == user.0) {
            grants::insert_grant(tx.c(), hall, job.id, *user, position).await?;
        }
    }
    for user in given.filter(|it| !called.contains(it)).collect::<BTreeSet<_>>() {
        if is_held(user) || (Some(user) != holder && known.iter().any(|it| it.user_id == user.0)) {
            continue;
        }
        grants::insert_grant(tx.c(), hall, job.id, user, position).await?;
        if Some(user) != holder {
            // Held once: its phone is told again that it lost the job.
            grants::withdraw_grant(tx.c(), job.id, user, position).await?;
        }
    }
    Ok(())
}

fn waiting_row(hall: HallId, kept: &Kept, sent: &Sent) -> WaitingRow {
    let writer = kept.waiting.writer;
    let voucher = kept.waiting.voucher.map(|voucher| {
        minicbor::to_vec(voucher)
            .expect("memory takes all bytes, and no field refuses to be written")
    });
    WaitingRow {
        hash: kept.hash.0.to_vec(),
        hall_id: hall.0,
        job_id: kept.job.0,
        actor: kept.actor.to_bytes().to_vec(),
        seq: i64::try_from(kept.seq).unwrap_or(i64::MAX),
        device_id: writer.device.0,
        user_id: writer.user.0,
        received_at: sent.now.timestamp_millis(),
        sent_boot: i64::from(sent.boot),
        sent_mono_ms: sent.mono_ms,
        bytes: kept.waiting.bytes.clone(),
        voucher,
    }
}

fn refused_row(hall: HallId, refused: &Refused, sent: &Sent) -> QuarantineRow {
    QuarantineRow {
        hash: refused.hash.0.to_vec(),
        hall_id: hall.0,
        job_id: Some(refused.job.0),
        device_id: refused.writer.device.0,
        user_id: refused.writer.user.0,
        reason: refused.reason.clone(),
        detail: refused.detail.clone(),
        received_at: sent.arrived_at.timestamp_millis(),
        sent_boot: i64::from(sent.boot),
        sent_mono_ms: sent.mono_ms,
        bytes: refused.bytes.clone(),
        released_at: None,
        released_by: None,
    }
}

/// Shortens loading; the raw changes stay, and a snapshot is made only when both agree (S10).
async fn snapshot_if_long(
    mut c: C<'_>,
    job: JobId,
    (position, now): (Position, Timestamp),
) -> Result<(), ApiError> {
    let made = documents::find_snapshot(c.lend(), job).await?;
    let after = made.map_or(0, |made| made.position);
    let since = changes::count_job_changes(c.lend(), job, after).await?;
    if usize::try_from(since).unwrap_or(0) < SNAPSHOT_EVERY {
        return Ok(());
    }
    let rows = changes::list_job_changes(c.lend(), job, 0).await?;
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.bytes.as_slice()).collect();
    let doc = document::load(None, &bytes).map_err(|error| ApiError::Internal(error.into()))?;
    match document::snapshot(&doc, &bytes) {
        Ok(bytes) => {
            let row = SnapshotRow { job_id: job.0, position, bytes };
            Ok(documents::upsert_snapshot(c, &row, now.timestamp_millis()).await?)
        }
        Err(error) => {
            tracing::error!(job.id = %job, %error, "no snapshot: it would not say what the changes say");
            Ok(())
        }
    }
}

/// Lets a change out of quarantine, as far as what it does allows.
pub async fn release(
    state: &AppState,
    hall: HallId,
    hash: ChangeHash,
    by: By,
) -> Result<&'static str, ApiError> {
    until_won(|| release_once(state, hall, hash, by)).await
}

async fn release_once(
    state: &AppState,
    hall: HallId,
    hash: ChangeHash,
    by: By,
) -> Result<&'static str, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let found = find_hall(tx.c(), hall).await?;
    halls::take_positions(tx.c(), hall, 0).await?;
    let apart = quarantine::find_quarantined(tx.c(), hall, &hash.0).await?;
    let apart = apart.filter(|it| it.released_at.is_none()).ok_or(ApiError::NotFound("change"))?;
    let job = apart.job_id.map(JobId).ok_or(ApiError::NotFound("job"))?;
    let writer = Writer { user: UserId(apart.user_id), device: DeviceId(apart.device_id) };
    let offer = Offer::release(job, apart.bytes, &Limits::default());
    let ground = ground::load(tx.c(), hall, &offer, (writer, false), &found.key).await?;
    let judgement = judge_apart(offer, ground).await?;
    let outcome = judgement.outcomes.first().map(|(_, _, outcome)| outcome.clone());
    let arrived_at = chrono::DateTime::from_timestamp_millis(apart.received_at).unwrap_or(now);
    let boot = u32::try_from(apart.sent_boot).unwrap_or(0);
    let sent = Sent { writer, now, arrived_at, boot, mono_ms: apart.sent_mono_ms };
    quarantine::release_quarantined(tx.c(), &hash.0, by.user, now.timestamp_millis()).await?;
    // One that is refused again goes back, with the reason that holds now.
    store(state, &mut tx, hall, (&judgement, &BTreeSet::new()), &sent).await?;
    let end = halls::find_hall(tx.c(), hall).await?.map_or(0, |row| row.next_position - 1);
    let entry = Entry::new(by, What::ChangeReleased, Subject::Id("job", job.0));
    audit::keep(tx.c(), now, entry.with(json!({"change": hash.to_string()}))).await?;
    tx.commit().await?;
    state.bell.ring(hall, end);
    match outcome {
        Some(Outcome::Quarantined(reason)) => {
            Err(ApiError::Unprocessable(format!("the change still cannot be taken: {reason}")))
        }
        Some(Outcome::Waiting) => Ok("waiting"),
        Some(Outcome::Accepted | Outcome::Duplicate { .. }) | None => Ok("accepted"),
    }
}
