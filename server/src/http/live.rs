//! `GET /api/live`: what happens in the hall, as it happens, without a gap and without a double.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use domain::id::HallId;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;
use uuid::Uuid;

use super::caller::Staff;
use super::error::ApiError;
use super::extract::Query;
use super::track;
use crate::db::live_events::{self, LiveEventRow};
use crate::db::{Result, halls, sessions, upkeep};
use crate::identity::token::TokenHash;
use crate::jobs::summary;
use crate::state::AppState;
use crate::{applications, cases, cash, leak, ledger, outage, reminders};

/// Events read at once.
const PAGE: i64 = 200;

/// Events that wait for a slow reader.
const QUEUE: usize = 64;

/// How often a stream looks for itself, in case a ring was lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the snapshot shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskLive {
    /// Of jobs that are over only those whose window (or, without one, creation) is this instant or later, Unix milliseconds.
    since: Option<i64>,
}

/// Streams a snapshot and what follows, or what followed `Last-Event-ID`.
///
/// `event: snapshot` carries every job that was asked for, each `event: job` one that changed, each `event: case`,
/// `event: household`, `event: leak`, `event: outage` or `event: cash` names one that changed; ids are the hall's positions.
#[utoipa::path(
    get, path = "/api/live", tag = "live",
    params(AskLive, ("Last-Event-ID" = Option<i64>, Header, description = "Where the reader was.", minimum = 0)),
    responses((status = 200, description = "Events without end.", body = String, content_type = "text/event-stream")),
)]
pub async fn follow_hall(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskLive>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let bell = state.bell.listen(caller.hall);
    let epoch = halls::find_epoch(state.db.read().await?.c()).await?;
    let place = match headers.get("last-event-id") {
        Some(id) => find_place(&state, (caller.hall, epoch), id).await?,
        None => None,
    };
    let after = match place {
        Some(place) => place,
        None => send_snapshot(&state, (caller.hall, epoch), asked.since, &sender).await?,
    };
    let session = caller.session;
    let counted = state.metrics.live_reader();
    let mut stream = LiveStream { state, hall: caller.hall, epoch, session, after, sender, bell };
    tokio::spawn(async move {
        stream.run().await;
        drop(counted);
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default()))
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// The place that a reader was at; `None` when nothing leads on from there, so that it needs a snapshot.
///
/// After a restore the same positions may tell of other things, and long after, what followed may be deleted.
async fn find_place(
    state: &AppState,
    (hall, epoch): (HallId, Uuid),
    id: &HeaderValue,
) -> Result<Option<i64>, ApiError> {
    let refuse = |why: &str| {
        let what_to_do = "send the id of an event as Last-Event-ID, or none for a snapshot";
        ApiError::BadRequest(format!("{why}: {what_to_do}"))
    };
    let known =
        id.to_str().ok().and_then(parse_id).ok_or_else(|| refuse("this is no event's id"))?;
    if known.0 != epoch {
        return Ok(None);
    }
    let mut conn = state.db.read().await?;
    let row = halls::find_hall(conn.c(), hall).await?;
    let next = row.ok_or(ApiError::NotFound("hall"))?.next_position;
    if known.1 >= next {
        return Err(refuse("the hall has not come that far"));
    }
    let floor = upkeep::find_live_floor(conn.c(), hall).await?;
    Ok((known.1 >= floor).then_some(known.1))
}

/// An event's id: `<epoch>-<position>`.
fn event_id(epoch: Uuid, position: i64) -> String {
    format!("{}-{position}", epoch.simple())
}

fn parse_id(id: &str) -> Option<(Uuid, i64)> {
    let (epoch, position) = id.split_once('-')?;
    let position = position.parse().ok().filter(|position| *position >= 0)?;
    Some((Uuid::try_parse(epoch).ok()?, position))
}

/// Sends the jobs as they stand; tells the position from which events continue it.
async fn send_snapshot(
    state: &AppState,
    (hall, epoch): (HallId, Uuid),
    since: Option<i64>,
    sender: &Sender,
) -> Result<i64, ApiError> {
    let mut conn = state.db.read().await?;
    // The position first: what commits between the two is told twice in content, never left out.
    let row = halls::find_hall(conn.c(), hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let position = row.next_position - 1;
    let jobs = summary::list_recent(conn.c(), hall, since, state.clock.now()).await?;
    let data = json!({"jobs": jobs, "position": position});
    let id = event_id(epoch, position);
    let event = Event::default().id(id).event("snapshot").data(data.to_string());
    let _gone = sender.send(Ok(event)).await;
    Ok(position)
}

/// Whether the session that opened a stream still stands. Watching is using it, so idleness does not end it.
pub(super) async fn may_look(state: &AppState, session: &TokenHash) -> Result<bool> {
    let mut conn = state.db.read().await?;
    let session = sessions::find_session(conn.c(), &session.0).await?;
    Ok(session.is_some_and(|it| {
        let has_ended = it.ended_at.is_some() || it.disabled_at.is_some();
        !has_ended && state.clock.now_ms() < it.expires_at
    }))
}

/// One reader's place in the hall's feed.
struct LiveStream {
    state: AppState,
    hall: HallId,
    epoch: Uuid,
    session: TokenHash,
    after: i64,
    sender: Sender,
    bell: tokio::sync::watch::Receiver<i64>,
}

impl LiveStream {
    /// Follows the hall until the server stops, wherever the reader is by then.
    async fn run(&mut self) {
        let mut closing = self.state.closing.clone();
        tokio::select! {
            () = self.follow() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    async fn follow(&mut self) {
        // Outlives each turn: a hall where something happens all the time looks as often as a quiet one.
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            match self.send_new().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "a live stream cannot read; it looks again");
                }
            }
            tokio::select! {
                rung = self.bell.changed() => if rung.is_err() { return },
                _ = look.tick() => {
                    // Whether somebody may still look is asked as well; a database that is away says nothing of it.
                    if matches!(may_look(&self.state, &self.session).await, Ok(false)) {
                        return;
                    }
                }
                () = self.sender.closed() => return,
            }
        }
    }

    /// Sends one page of what is new; whether there may be more.
    async fn send_new(&mut self) -> Result<bool> {
        self.bell.borrow_and_update();
        let mut conn = self.state.db.read().await?;
        let rows = live_events::list_events(conn.c(), self.hall, self.after, PAGE).await?;
        drop(conn);
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
        for row in rows {
            self.after = row.position;
            if self.sender.send(Ok(event(self.epoch, row))).await.is_err() {
                return Ok(false);
            }
        }
        Ok(is_full)
    }
}

fn event(epoch: Uuid, row: LiveEventRow) -> Event {
    let mut data = row.body.0;
    data["at"] = json!(row.at);
    data["position"] = json!(row.position);
    let others = [
        applications::LIVE_KIND,
        cases::LIVE_KIND,
        ledger::LIVE_KIND,
        leak::LIVE_KIND,
        outage::LIVE_KIND,
        cash::LIVE_KIND,
        reminders::LIVE_KIND,
        track::LIVE_KIND,
    ];
    let name = others.into_iter().find(|it| *it == row.kind).unwrap_or("job");
    Event::default().id(event_id(epoch, row.position)).event(name).data(data.to_string())
}
