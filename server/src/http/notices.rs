//! `GET /api/notices/live`: the open stream of a phone; what a person was shown; trying whether they are reached.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Phone;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::live::may_look;
use crate::db::notice_deliveries::{self, NewDelivery, OutcomeRow};
use crate::db::notices::{self, NoticeRow};
use crate::db::push;
use crate::ids::fresh_uuid;
use crate::reach::{News, NewsKind, plan, tell};
use crate::state::AppState;

/// Notices read at once.
const PAGE: i64 = 100;

/// Events that wait for a slow reader.
const QUEUE: usize = 16;

/// How often a stream looks for itself, in case a ring was lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often it says that it is open, and that it lives.
const SIGN_EVERY: Duration = Duration::from_secs(20);

/// How long a test is worth waiting for, in minutes.
const TEST_MINUTES: i64 = 10;

/// Streams what the technician has to hear, and says when their phone should exchange changes.
///
/// `event: notice` carries one that nobody was shown yet; `event: feed` says that there is something for this phone at
/// `POST /api/sync`. What was not reported as shown comes again on the next stream.
#[utoipa::path(
    get, path = "/api/notices/live", tag = "notices",
    responses((status = 200, description = "Events without end.", body = String, content_type = "text/event-stream")),
)]
pub async fn follow_notices(
    State(state): State<AppState>,
    phone: Phone,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let bell = state.bell.listen(phone.caller.hall);
    let opened_at = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    push::open_stream(tx.c(), (phone.device, phone.caller.user), opened_at).await?;
    tx.commit().await?;
    let counted = state.metrics.live_reader();
    let sent = BTreeSet::new();
    let mut stream = NoticeStream { state, phone, opened_at, after: 0, sent, sender, bell };
    tokio::spawn(async move {
        stream.run().await;
        drop(counted);
    });
    let alive = KeepAlive::new().interval(SIGN_EVERY);
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(alive))
}

/// One phone's stream.
struct NoticeStream {
    state: AppState,
    phone: Phone,
    opened_at: i64,
    /// How far the phone's feed had come.
    after: i64,
    /// What was handed over on this stream.
    sent: BTreeSet<Uuid>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    bell: watch::Receiver<i64>,
}

impl NoticeStream {
    async fn run(&mut self) {
        let mut closing = self.state.closing.clone();
        tokio::select! {
            () = self.follow() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
        if let Err(error) = self.close().await {
            tracing::warn!(%error, "that a phone's stream was closed cannot be noted");
        }
    }

    async fn follow(&mut self) {
        let hello = json!({"server_at": self.state.clock.now_ms()}).to_string();
        let _gone = self.sender.send(Ok(Event::default().event("hello").data(hello))).await;
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut sign = tokio::time::interval(SIGN_EVERY);
        loop {
            if let Err(error) = self.send_new().await {
                tracing::warn!(%error, "a phone's stream cannot read; it looks again");
            }
            tokio::select! {
                rung = self.bell.changed() => if rung.is_err() { return },
                _ = look.tick() => {}
                _ = sign.tick() => {
                    let may = may_look(&self.state, &self.phone.caller.session).await;
                    if matches!(may, Ok(false)) {
                        return;
                    }
                    if let Err(error) = self.say_open().await {
                        tracing::warn!(%error, "that a phone's stream is open cannot be noted");
                    }
                }
                () = self.sender.closed() => return,
            }
        }
    }

    async fn send_new(&mut self) -> anyhow::Result<()> {
        self.bell.borrow_and_update();
        let (user, hall) = (self.phone.caller.user, self.phone.caller.hall);
        let now_ms = self.state.clock.now_ms();
        let mut conn = self.state.db.read().await?;
        let who = (hall.0, user, self.phone.device.0);
        let end = notice_deliveries::find_feed_end(conn.c(), who, self.after).await?;
        let waiting = notices::list_waiting(conn.c(), user, (now_ms, PAGE)).await?;
        let (rules, _) = plan::rules(&self.state, conn.c()).await?;
        drop(conn);
        if end > self.after {
            self.after = end;
            let data = json!({"position": end}).to_string();
            self.sender.send(Ok(Event::default().event("feed").data(data))).await?;
        }
        let fresh = waiting.iter().filter(|row| !self.sent.contains(&row.notice_id));
        let fresh: Vec<&NoticeRow> = fresh.collect();
        if fresh.is_empty() {
            return Ok(());
        }
        for row in &fresh {
            let data = json!({
                "id": row.notice_id, "kind": row.kind, "job": row.job_id, "data": row.data.0,
                "created_at": row.created_at, "expires_at": row.expires_at,
                "urgency": rules.kind(&row.kind).urgency.key(),
            });
            let event = Event::default().event("notice").data(data.to_string());
            self.sender.send(Ok(event)).await?;
            self.sent.insert(row.notice_id);
        }
        let rows: Vec<_> = fresh.iter().map(|row| self.handed_over(row)).collect();
        let mut tx = self.state.db.begin().await?;
        notice_deliveries::insert_deliveries(tx.c(), &rows).await?;
        Ok(tx.commit().await?)
    }

    fn handed_over(&self, row: &NoticeRow) -> NewDelivery {
        let now = self.state.clock.now();
        NewDelivery {
            delivery_id: fresh_uuid(now),
            notice_id: row.notice_id,
            layer: "stream",
            subscription_id: None,
            next_at: now.timestamp_millis(),
            sent_at: Some(now.timestamp_millis()),
        }
    }

    async fn say_open(&self) -> anyhow::Result<()> {
        let mut tx = self.state.db.begin().await?;
        push::see_stream(tx.c(), self.phone.device, self.state.clock.now_ms()).await?;
        Ok(tx.commit().await?)
    }

    async fn close(&self) -> anyhow::Result<()> {
        let mut tx = self.state.db.begin().await?;
        let now_ms = self.state.clock.now_ms();
        push::close_stream(tx.c(), self.phone.device, self.opened_at, now_ms).await?;
        Ok(tx.commit().await?)
    }
}

/// Through which layer a person was shown something.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownBy {
    /// In the open app.
    Stream,
    /// By a push that they tapped.
    Push,
}

/// That a person was shown something.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownBody {
    by: ShownBy,
}

/// Says that a person was shown a notice; layers that still wait are called off. Saying it again changes nothing.
#[utoipa::path(
    post, path = "/api/notices/{id}/shown", tag = "notices", request_body = ShownBody,
    params(("id" = uuid::Uuid, Path, description = "The notice.")),
    responses((status = 204, description = "It is noted.")),
)]
pub async fn show_notice(
    State(state): State<AppState>,
    phone: Phone,
    Path(notice): Path<Uuid>,
    Body(body): Body<ShownBody>,
) -> Result<StatusCode, ApiError> {
    let by = match body.by {
        ShownBy::Stream => "stream",
        ShownBy::Push => "push",
    };
    let user = phone.caller.user;
    let mut tx = state.db.begin().await?;
    let found = notices::find_notice(tx.c(), notice, user).await?;
    found.ok_or(ApiError::NotFound("notice"))?;
    notices::show_notice(tx.c(), (notice, user), by, state.clock.now_ms()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What came of a notice in one layer.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeBody {
    /// `stream`, `push` or `gateway`.
    layer: String,
    /// `pending`, `sent`, `given_up` or `not_needed`.
    state: String,
    /// How often it was tried.
    attempts: i64,
    /// What was answered last.
    last_status: Option<i64>,
    /// What went wrong last.
    last_error: Option<String>,
    /// When it was taken.
    sent_at: Option<i64>,
}

/// A notice and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeBody {
    id: Uuid,
    /// What kind of news it is.
    kind: String,
    created_at: i64,
    /// When a person was shown it.
    shown_at: Option<i64>,
    /// Through which layer.
    shown_by: Option<String>,
    /// Layer by layer; a layer that is not here was not asked.
    layers: Vec<OutcomeBody>,
}

/// Shows what came of a notice to the caller, layer by layer.
#[utoipa::path(
    get, path = "/api/notices/{id}", tag = "notices",
    params(("id" = uuid::Uuid, Path, description = "The notice.")),
    responses((status = 200, description = "What came of it so far.", body = NoticeBody)),
)]
pub async fn get_notice(
    State(state): State<AppState>,
    phone: Phone,
    Path(notice): Path<Uuid>,
) -> Result<Json<NoticeBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let found = notices::find_notice(conn.c(), notice, phone.caller.user).await?;
    let row = found.ok_or(ApiError::NotFound("notice"))?;
    let layers = notice_deliveries::list_outcomes(conn.c(), notice).await?;
    Ok(Json(NoticeBody {
        id: row.notice_id,
        kind: row.kind,
        created_at: row.created_at,
        shown_at: row.shown_at,
        shown_by: row.shown_by,
        layers: layers.into_iter().map(OutcomeBody::from).collect(),
    }))
}

impl From<OutcomeRow> for OutcomeBody {
    fn from(row: OutcomeRow) -> Self {
        let OutcomeRow { layer, state, attempts, last_status, last_error, sent_at } = row;
        Self { layer, state, attempts, last_status, last_error, sent_at }
    }
}

/// A notice that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeBody {
    id: Uuid,
}

/// Sends the caller a test through every layer; `GET /api/notices/{id}` shows what came of it.
#[utoipa::path(
    post, path = "/api/notices/test", tag = "notices",
    responses((status = 201, description = "It is on its way.", body = MadeBody)),
)]
pub async fn send_test(
    State(state): State<AppState>,
    phone: Phone,
) -> Result<(StatusCode, Json<MadeBody>), ApiError> {
    let now = state.clock.now();
    let news = News {
        hall: phone.caller.hall,
        to: phone.caller.user,
        job: None,
        kind: NewsKind::Test,
        expires_at: now + TimeDelta::minutes(TEST_MINUTES),
        data: json!({}),
    };
    let mut tx = state.db.begin().await?;
    let made = tell(tx.c(), &[news], now).await?;
    tx.commit().await?;
    state.bell.nudge(phone.caller.hall);
    let id = made.first().copied().ok_or_else(|| anyhow::anyhow!("one news is one notice"))?;
    Ok((StatusCode::CREATED, Json(MadeBody { id })))
}
