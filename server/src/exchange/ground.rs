//! What the database knows of what an offer touches.

use std::collections::BTreeMap;

use automerge::{ActorId, ChangeHash};
use domain::id::{DeviceId, HallId, JobId, UserId};
use sync::authority::Writer;
use sync::hub::{GrantState, Ground, JobGround, Known, Offer, Waiting};
use sync::seal::{SealKey, Voucher};

use crate::db::waiting::{WaitingRow, WaitsRow};
use crate::db::{C, Result, actors, changes, documents, grants, quarantine, waiting};

/// Loads the ground of an offer.
pub(super) async fn load(
    mut c: C<'_>,
    hall: HallId,
    offer: &Offer,
    (writer, is_revoked): (Writer, bool),
    key: &SealKey,
) -> Result<Ground> {
    let mut jobs = BTreeMap::new();
    for job in offer.jobs() {
        if documents::find_document(c.lend(), hall, job).await?.is_some() {
            jobs.insert(job, load_job(c.lend(), job, writer.user).await?);
        }
    }
    let hashes: Vec<Vec<u8>> = offer.hashes().iter().map(|hash| hash.0.to_vec()).collect();
    let known = load_known(c.lend(), &hashes, writer).await?;
    let waiting = jobs.values().flat_map(|job: &JobGround| &job.waiting);
    let waiting_actors = waiting.filter_map(|it| actor_of(&it.bytes));
    let named: Vec<Vec<u8>> =
        offer.actors().into_iter().chain(waiting_actors).map(|it| it.to_bytes().to_vec()).collect();
    let bound = actors::find_actors(c, &named).await?;
    let actors = bound
        .into_iter()
        .map(|row| (ActorId::from(row.actor.as_slice()), DeviceId(row.device_id)))
        .collect();
    Ok(Ground { writer, is_revoked, jobs, known, actors, key: key.clone() })
}

async fn load_job(mut c: C<'_>, job: JobId, user: UserId) -> Result<JobGround> {
    let snapshot = documents::find_snapshot(c.lend(), job).await?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.position);
    let changes = changes::list_job_changes(c.lend(), job, after).await?;
    let grants = grants::list_job_grants(c.lend(), job).await?;
    let last = grants.iter().rfind(|grant| grant.user_id == user.0);
    let waiting = waiting::list_waiting(c, job).await?;
    Ok(JobGround {
        snapshot: snapshot.map(|snapshot| snapshot.bytes),
        changes: changes.into_iter().map(|row| row.bytes).collect(),
        grant: match last.map(|grant| grant.withdrawn_position) {
            None => GrantState::Never,
            Some(None) => GrantState::Held,
            Some(Some(_)) => GrantState::Withdrawn,
        },
        waiting: waiting.into_iter().map(waits).collect(),
    })
}

fn waits(row: WaitingRow) -> Waiting {
    let voucher = row.voucher.as_deref();
    let voucher = voucher.and_then(|bytes| minicbor::decode::<Voucher>(bytes).ok());
    let writer = Writer { user: UserId(row.user_id), device: DeviceId(row.device_id) };
    Waiting { bytes: row.bytes, writer, voucher }
}

/// The actor of a change that passed the preflight when it came.
fn actor_of(bytes: &[u8]) -> Option<ActorId> {
    let change = automerge::Change::from_bytes(bytes.to_vec()).ok()?;
    Some(change.actor_id().clone())
}

async fn load_known(
    mut c: C<'_>,
    hashes: &[Vec<u8>],
    writer: Writer,
) -> Result<BTreeMap<ChangeHash, Known>> {
    let mut known = BTreeMap::new();
    for row in quarantine::find_unreleased(c.lend(), hashes).await? {
        let writer = Writer { user: UserId(row.user_id), device: DeviceId(row.device_id) };
        insert(&mut known, &row.hash, Known::Quarantined { reason: row.reason, writer });
    }
    let is_own = |it: &WaitsRow| (it.device_id, it.user_id) == (writer.device.0, writer.user.0);
    for row in waiting::find_waiting(c.lend(), hashes).await?.iter().filter(|row| is_own(row)) {
        insert(&mut known, &row.hash, Known::Waiting);
    }
    for row in changes::find_known_changes(c, hashes).await? {
        let (job, position) = (JobId(row.job_id), row.position);
        let device = row.device_id.map(DeviceId);
        insert(&mut known, &row.hash, Known::Accepted { job, position, device });
    }
    Ok(known)
}

fn insert(known: &mut BTreeMap<ChangeHash, Known>, hash: &[u8], what: Known) {
    if let Ok(hash) = hash.try_into() {
        known.insert(ChangeHash(hash), what);
    }
}
