//! The path of a pushed change: what the hall does with a phone's request, in one transaction.
//!
//! Inspect → lock the hall's row → load the ground → judge → store, project, tell → read the feed → commit → reply.
//! Nothing is acknowledged before the commit returned, and a repeated request changes nothing.

mod feed;
mod ground;
mod store;

use std::collections::BTreeSet;

use domain::id::HallId;
use sync::authority::Writer;
use sync::hub::{Judgement, Known, Offer, Page, judge};
use sync::limits::Limits;
use sync::message::{Cursor, Epoch, PackText, Reply, Request, VERSION};
use sync::seal::SealKey;

use crate::db::halls::{self, HallRow};
use crate::db::{C, anchors, devices, is_retryable, packs};
use crate::http::caller::Sender;
use crate::http::error::ApiError;
use crate::state::AppState;

pub use store::release;

/// How often a transaction is tried that lost against another.
const TRIES: usize = 4;

/// A phone that was heard a shorter while ago and brings nothing new is not written down again.
const HEARD_EVERY_MS: i64 = 10_000;

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
    let mut tries = 1;
    loop {
        match attempt(state, sender, &request).await {
            Err(ApiError::Internal(error)) if tries < TRIES && is_lost_race(&error) => tries += 1,
            answered => return answered.map(|reply| reply.encode()),
        }
    }
}

fn is_lost_race(error: &anyhow::Error) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_retryable)
}

async fn attempt(state: &AppState, sender: &Sender, request: &Request) -> Result<Reply, ApiError> {
    let device = sender.phone.device;
    let writer = Writer { user: sender.phone.caller.user, device };
    let hall = sender.phone.caller.hall;
    let now = state.clock.now();
    let limits = Limits::default();
    let mut tx = state.db.begin().await?;
    let found = find_hall(tx.c(), hall).await?;
    let offer = Offer::inspect(request, found.epoch, &limits);
    let offered = offer.offered().collect();
    let mut apart = BTreeSet::new();
    let judgement = if offer.is_empty() {
        Judgement::default()
    } else {
        // Holds the hall's row until the commit, so that position order is commit order.
        halls::take_positions(tx.c(), hall, 0).await?;
        let ground =
            ground::load(tx.c(), hall, &offer, (writer, sender.shut_out), &found.key).await?;
        let known = ground.known.iter();
        apart.extend(known.filter(|it| matches!(it.1, Known::Quarantined { .. })).map(|it| *it.0));
        judge_apart(offer, ground).await?
    };
    let (boot, mono_ms) = (request.boot.0, request.mono_ms);
    let sent = store::Sent { writer, now, arrived_at: now, boot, mono_ms };
    let now_ms = now.timestamp_millis();
    anchors::insert_anchors(tx.c(), device, &request.anchors, now_ms).await?;
    let positions = store::store(state, &mut tx, hall, (&judgement, &apart), &sent).await?;
    let recorded = hear(tx.c(), hall, request, &sent).await?;
    let end = halls::find_hall(tx.c(), hall).await?.map_or(0, |row| row.next_position - 1);
    let page = if sender.shut_out {
        Page::default()
    } else {
        feed::page(tx.c(), hall, writer.user, (request, &found, end), &offered).await?
    };
    let lacking = lacking_packs(tx.c(), request).await?;
    tx.commit().await?;
    if !judgement.jobs.is_empty() {
        state.bell.ring(hall, end);
    }
    Ok(Reply {
        version: VERSION,
        cursor: Cursor { epoch: found.epoch, position: page.position },
        safe: found.row.safe_position,
        server_at: now,
        verdicts: judgement.verdicts(&positions, &found.key),
        documents: page.documents,
        withdrawn: page.withdrawn,
        packs: lacking,
        more: page.more,
        recorded,
    })
}

async fn find_hall(mut c: C<'_>, hall: HallId) -> Result<Hall, ApiError> {
    let row = halls::find_hall(c.lend(), hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let epoch = Epoch(*halls::find_epoch(c.lend()).await?.as_bytes());
    let key = halls::find_seal_key(c).await?;
    let key: [u8; 32] =
        key.try_into().map_err(|_| anyhow::anyhow!("the seal key has not 32 bytes"))?;
    Ok(Hall { row, epoch, key: SealKey::new(key) })
}

/// Judges on a thread of its own: merging documents takes milliseconds, and other requests must not wait for it.
async fn judge_apart(offer: Offer, ground: sync::hub::Ground) -> Result<Judgement, ApiError> {
    let judged = tokio::task::spawn_blocking(move || judge(&offer, &ground)).await;
    judged.map_err(|error| ApiError::Internal(error.into()))
}

/// Notes that the phone was heard; tells the highest count of changes that it ever reported.
async fn hear(
    mut c: C<'_>,
    hall: HallId,
    request: &Request,
    sent: &store::Sent,
) -> Result<u64, ApiError> {
    let device = sent.writer.device;
    let known = devices::find_device(c.lend(), hall, device).await?;
    let known = known.ok_or(ApiError::NotFound("device"))?;
    let recorded = i64::try_from(request.recorded).unwrap_or(i64::MAX);
    let pending = i64::try_from(request.pending).unwrap_or(i64::MAX);
    let now_ms = sent.now.timestamp_millis();
    let is_news = recorded > known.recorded
        || pending != known.pending
        || known.heard_at.is_none_or(|heard| (now_ms - heard).abs() >= HEARD_EVERY_MS);
    if is_news {
        devices::hear_device(c, device, recorded, pending, now_ms).await?;
    }
    Ok(u64::try_from(known.recorded.max(recorded)).unwrap_or(0))
}

async fn lacking_packs(c: C<'_>, request: &Request) -> Result<Vec<PackText>, ApiError> {
    let rows = packs::list_packs(c).await?;
    let texts = rows.into_iter().map(|row| PackText::new(row.toml));
    Ok(texts.filter(|text| !request.packs.contains(&text.hash)).collect())
}
