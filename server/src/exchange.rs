//! The path of a pushed change: what the hall does with a phone's request, in one transaction.
//!
//! Inspect → begin, lock the hall's row → load the ground → judge → store, project, tell → read the feed → commit → reply.
//! Nothing is acknowledged before the commit returned, and a repeated request changes nothing.

mod feed;
mod ground;
mod receipts;
mod store;

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::ChangeHash;
use domain::id::{DeviceId, HallId};
use domain::stamp::Timestamp;
use sync::authority::Writer;
use sync::hub::{self, Ground, Judgement, Known, Offer, Outcome, Page};
use sync::limits::{self, Limits};
use sync::message::{
    Cursor, Epoch, Judged, OLDEST, PackText, ReceiptBlock, Reply, Request, VERSION,
};
use sync::seal::SealKey;

use crate::db::devices::{self, DeviceRow};
use crate::db::halls::{self, HallRow};
use crate::db::{C, anchors, changes, packs, seal_keys};
use crate::http::caller::Sender;
use crate::http::error::ApiError;
use crate::retry::until_won;
use crate::state::AppState;

pub use store::release;

/// A phone that was heard a shorter while ago and brings nothing new is not written down again.
const HEARD_EVERY_MS: i64 = 10_000;

const DAY_MS: i64 = 86_400_000;

/// What the hall is, as one transaction found it.
struct Hall {
    row: HallRow,
    epoch: Epoch,
    key: SealKey,
}

/// Answers one request of a phone.
pub async fn exchange(state: &AppState, sender: &Sender, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let request = Request::decode(body)
        .map_err(|error| ApiError::BadRequest(format!("send a sync request: {error}")))?;
    if request.version < OLDEST {
        return Err(ApiError::AppTooOld { sent: request.version, oldest: OLDEST });
    }
    if request.version > VERSION {
        let sent = request.version;
        let what =
            format!("this hall speaks versions up to {VERSION}, not {sent}: update the server");
        return Err(ApiError::BadRequest(what));
    }
    let request = Arc::new(within_quota(state, sender, request).await?);
    let reply = until_won(|| attempt(state, sender, &request)).await?;
    Ok(reply.encode())
}

/// Leaves out what is more than a phone may hand in within a day: it gets no answer, so the phone keeps it and offers
/// it again, and everything else of the exchange goes on.
async fn within_quota(
    state: &AppState,
    sender: &Sender,
    mut request: Request,
) -> Result<Request, ApiError> {
    let most = i64::from(state.config.changes_per_day);
    if most == 0 || request.changes.is_empty() {
        return Ok(request);
    }
    let (device, since_ms) = (sender.phone.device, state.clock.now_ms() - DAY_MS);
    let came = changes::count_came(state.db.read().await?.c(), device, since_ms).await?;
    let left = usize::try_from(most - came).unwrap_or(0);
    if request.changes.len() > left {
        tracing::warn!(
            device.id = %device,
            changes.left_out = request.changes.len() - left,
            "a phone has handed in as many changes as it may in a day: it keeps the rest"
        );
        request.changes.truncate(left);
    }
    Ok(request)
}

async fn attempt(
    state: &AppState,
    sender: &Sender,
    request: &Arc<Request>,
) -> Result<Reply, ApiError> {
    let (hall, device) = (sender.phone.caller.hall, sender.phone.device);
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let found = find_hall(conn.c(), hall).await?;
    let known = devices::find_device(conn.c(), hall, device).await?;
    let known = known.ok_or(ApiError::NotFound("device"))?;
    let heard = Heard::of(&known, request, &Judgement::default(), now);
    let has_nothing = request.changes.is_empty() && request.anchors.is_empty();
    if has_nothing
        && !heard.is_news(&known)
        && !receipts::concerns(state, conn.c(), (request, &known), now).await?
    {
        // The usual poll takes no turn at writing.
        let nothing =
            Said { heard, verdicts: Vec::new(), offered: BTreeSet::new(), receipts: None };
        return read_on(conn.c(), (sender, request), (&found, now), nothing).await;
    }
    drop(conn);
    let offer = inspect_apart(request, found.epoch).await?;
    hand_in(state, sender, request, (offer, found.epoch, now)).await
}

/// Takes what a phone brings, in one transaction with the reading of what it gets.
async fn hand_in(
    state: &AppState,
    sender: &Sender,
    request: &Request,
    (offer, inspected_in, now): (Offer, Epoch, Timestamp),
) -> Result<Reply, ApiError> {
    let (hall, device) = (sender.phone.caller.hall, sender.phone.device);
    let writer = Writer { user: sender.phone.caller.user, device };
    let now_ms = now.timestamp_millis();
    let offered = offer.offered().collect();
    let mut tx = state.db.begin().await?;
    let mut apart = BTreeSet::new();
    let mut judgement = Judgement::default();
    if !offer.is_empty() || !request.anchors.is_empty() || request.receipts.is_some() {
        // Holds the hall's row until the commit, so that position order is commit order.
        halls::take_positions(tx.c(), hall, 0).await?;
    }
    let mut found = find_hall(tx.c(), hall).await?;
    if !offer.is_empty() && found.epoch == inspected_in {
        let from = (writer, sender.shut_out);
        let ground = ground::load(tx.c(), hall, &offer, from, &found.key).await?;
        let known = ground.known.iter();
        apart.extend(known.filter(|it| matches!(it.1, Known::Quarantined { .. })).map(|it| *it.0));
        judgement = judge_apart(offer, ground).await?;
    }
    let anchors = &request.anchors[..request.anchors.len().min(limits::ANCHORS)];
    anchors::insert_anchors(tx.c(), device, anchors, now_ms).await?;
    let (boot, mono_ms) = (request.boot.0, request.mono_ms);
    let sent = store::Sent { writer, now, arrived_at: now, boot, mono_ms };
    let positions = store::store(state, &mut tx, hall, (&judgement, &apart), &sent).await?;
    let known = devices::find_device(tx.c(), hall, device).await?;
    let known = known.ok_or(ApiError::NotFound("device"))?;
    let receipts = if sender.shut_out {
        None
    } else {
        receipts::give(state, &mut tx, (hall, request, &known), now).await?
    };
    let heard = Heard::of(&known, request, &judgement, now);
    if heard.is_news(&known) {
        devices::hear_device(tx.c(), device, heard.recorded, heard.pending, now_ms).await?;
    }
    let end = halls::find_hall(tx.c(), hall).await?.map_or(0, |row| row.next_position - 1);
    found.row.next_position = end + 1;
    let verdicts = judgement.verdicts(&positions, &found.key);
    let said = Said { heard, verdicts, offered, receipts };
    let reply = read_on(tx.c(), (sender, request), (&found, now), said).await?;
    tx.commit().await?;
    for (_, _, outcome) in &judgement.outcomes {
        state.metrics.count_change(outcome);
    }
    if !judgement.jobs.is_empty() {
        state.bell.ring(hall, end);
    }
    Ok(reply)
}

/// What a request came to, beside what its phone has not read yet.
struct Said {
    heard: Heard,
    verdicts: Vec<Judged>,
    offered: BTreeSet<ChangeHash>,
    receipts: Option<ReceiptBlock>,
}

/// Reads what the phone has not read yet, and puts the reply together.
async fn read_on(
    mut c: C<'_>,
    (sender, request): (&Sender, &Request),
    (found, now): (&Hall, Timestamp),
    said: Said,
) -> Result<Reply, ApiError> {
    let caller = &sender.phone.caller;
    let page = if sender.shut_out {
        Page::default()
    } else {
        feed::page(c.lend(), caller.hall, caller.user, (request, found), &said.offered).await?
    };
    Ok(Reply {
        version: VERSION,
        cursor: Cursor { epoch: found.epoch, position: page.position },
        safe: found.row.safe_position,
        server_at: now,
        verdicts: said.verdicts,
        documents: page.documents,
        withdrawn: page.withdrawn,
        packs: lacking_packs(c, request).await?,
        more: page.more,
        recorded: u64::try_from(said.heard.recorded).unwrap_or(0),
        receipts: said.receipts,
    })
}

async fn find_hall(mut c: C<'_>, hall: HallId) -> Result<Hall, ApiError> {
    let row = halls::find_hall(c.lend(), hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let epoch = Epoch(*halls::find_epoch(c.lend()).await?.as_bytes());
    Ok(Hall { row, epoch, key: find_seal_key(c).await? })
}

/// The newest secret that a backup covers seals; all are believed.
async fn find_seal_key(mut c: C<'_>) -> Result<SealKey, ApiError> {
    let first = (halls::find_seal_key(c.lend()).await?, true);
    let further = seal_keys::list_seal_keys(c).await?;
    let further = further.into_iter().map(|row| (row.secret, row.covered_at.is_some()));
    let all = further.chain([first]).map(|(secret, is_covered)| {
        let secret: [u8; 32] =
            secret.try_into().map_err(|_| anyhow::anyhow!("a seal key has not 32 bytes"))?;
        Ok((secret, is_covered))
    });
    let mut all = all.collect::<anyhow::Result<Vec<_>>>()?;
    let sealing = all.iter().position(|(_, is_covered)| *is_covered).unwrap_or(0);
    let key = SealKey::new(all.remove(sealing).0);
    Ok(all.into_iter().fold(key, |key, (other, _)| key.knowing(other)))
}

/// Measures and parses on a thread of its own, before anything is locked for it.
async fn inspect_apart(request: &Arc<Request>, epoch: Epoch) -> Result<Offer, ApiError> {
    let request = Arc::clone(request);
    let inspect = move || Offer::inspect(&request, epoch, &Limits::default());
    let inspected = tokio::task::spawn_blocking(inspect).await;
    inspected.map_err(|error| ApiError::Internal(error.into()))
}

/// Judges on a thread of its own: merging documents takes milliseconds, and other requests must not wait for it.
async fn judge_apart(offer: Offer, ground: Ground) -> Result<Judgement, ApiError> {
    let judged = tokio::task::spawn_blocking(move || hub::judge_apart(offer, &ground)).await;
    judged.map_err(|error| ApiError::Internal(error.into()))
}

/// What a phone says of itself.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// The highest count of changes that it ever reported.
    recorded: i64,
    /// How many it holds that the hall has not taken, those of this request taken off.
    pending: i64,
    at_ms: i64,
}

impl Heard {
    fn of(known: &DeviceRow, request: &Request, judgement: &Judgement, now: Timestamp) -> Self {
        let recorded = i64::try_from(request.recorded).unwrap_or(i64::MAX);
        let pending = i64::try_from(request.pending).unwrap_or(i64::MAX);
        let own = Some(DeviceId(known.device_id));
        let accepted: BTreeSet<_> = (judgement.accepted())
            .filter(|(_, change)| change.device == own)
            .map(|(_, change)| change.hash)
            .collect();
        let taken = judgement.outcomes.iter().filter(|(hash, _, outcome)| match outcome {
            Outcome::Accepted => accepted.contains(hash),
            Outcome::Duplicate { device, .. } => *device == own,
            Outcome::Waiting | Outcome::Quarantined(_) => false,
        });
        let taken = i64::try_from(taken.count()).unwrap_or(i64::MAX);
        Self {
            recorded: recorded.max(known.recorded),
            pending: (pending - taken).max(0),
            at_ms: now.timestamp_millis(),
        }
    }

    /// Whether it is worth being written down.
    fn is_news(&self, known: &DeviceRow) -> bool {
        self.recorded > known.recorded
            || self.pending != known.pending
            || known.heard_at.is_none_or(|heard| (self.at_ms - heard).abs() >= HEARD_EVERY_MS)
    }
}

async fn lacking_packs(mut c: C<'_>, request: &Request) -> Result<Vec<PackText>, ApiError> {
    let mut lacking = Vec::new();
    for (id, hash) in packs::list_pack_hashes(c.lend()).await? {
        if request.packs.iter().any(|held| held.0[..] == hash[..]) {
            continue;
        }
        let row = packs::find_pack(c.lend(), &id).await?;
        lacking.extend(row.map(|row| PackText::new(row.toml)));
    }
    Ok(lacking)
}
