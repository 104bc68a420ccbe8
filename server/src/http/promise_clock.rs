//! The clock of a job's promise: how it runs, and what the hall enters when it starts late or has to stand still.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::JobId;
use domain::job::{ClockEvent, Job, PlanEntry, Tick};
use domain::pack::{Pack, Start};
use domain::promise;
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Dispatcher;
use super::error::ApiError;
use super::extract::{Path, read_whole, read_whole_or_none};
use super::instants::instant;
use super::once::Once;
use super::plans::{AddedBody, added, said};
use super::schema;
use super::version::IfMatch;
use crate::jobs::plan::{Addition, Terms, author};
use crate::state::AppState;

/// How the clock of a job's promise runs; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseClockBody {
    /// The rule of the rulebook.
    rule: String,
    /// What starts it.
    #[schema(schema_with = schema::promise_start)]
    starts: Start,
    /// Since when it runs; `null` while it waits for papers and payment.
    started_at: Option<i64>,
    /// When the promise is broken; while the clock stands still, as if it had not stopped.
    due_at: Option<i64>,
    /// When the time of the rulebook's other, looser figure is over; it judges nothing.
    guide_due_at: Option<i64>,
    /// Since when it stands still, until somebody says that it runs on.
    paused_since: Option<i64>,
    /// Whether the pack's calendar knows the days up to `due_at` by a published notice.
    is_published: bool,
}

/// How the clock of a job's promise runs; `None` where nothing is promised.
pub(super) fn clock_of(job: &Job, pack: &Pack) -> Option<PromiseClockBody> {
    let rule = pack.promise(job.kind)?;
    let clock = promise::clock(job, pack);
    let ms = |at: Timestamp| at.timestamp_millis();
    let day = clock.map(|it| domain::calendar::city_day(it.due_at, pack.time.utc_offset_minutes));
    let is_published = |day| pack.calendar.as_ref().is_none_or(|it| it.is_published(day));
    Some(PromiseClockBody {
        rule: rule.rule.clone(),
        starts: rule.starts,
        started_at: clock.map(|it| ms(it.started_at)),
        due_at: clock.map(|it| ms(it.due_at)),
        guide_due_at: clock.and_then(|it| it.guide_due_at).map(ms),
        paused_since: clock.and_then(|it| it.paused_since).map(ms),
        is_published: day.is_none_or(is_published),
    })
}

/// What happened to the clock of a promise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterTick {
    event: TickEvent,
    /// Since when, Unix ms; not later than now.
    #[serde(deserialize_with = "read_whole")]
    at: i64,
    /// Why the clock stands still, in words; of pauses only.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// When a paused clock runs on by itself, Unix ms; without it, somebody has to say so.
    #[serde(default, deserialize_with = "read_whole_or_none")]
    until: Option<i64>,
}

/// What can happen to the clock of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TickEvent {
    /// Papers and payment are complete.
    Started,
    /// The household cannot be served yet.
    Paused,
    /// The household can be served again.
    Resumed,
}

impl EnterTick {
    fn event(self) -> Result<ClockEvent, ApiError> {
        let event = match self.event {
            TickEvent::Paused => {
                let until = self.until.map(instant).transpose()?;
                let reason = said(self.reason.unwrap_or_default())?;
                return Ok(ClockEvent::Paused { reason, until });
            }
            TickEvent::Started => ClockEvent::Started,
            TickEvent::Resumed => ClockEvent::Resumed,
        };
        if self.reason.is_some() || self.until.is_some() {
            let what = "send `reason` and `until` with a pause only";
            return Err(ApiError::Unprocessable(what.to_owned()));
        }
        Ok(event)
    }
}

/// Enters what happened to the clock of a job's promise (B1, B6).
#[utoipa::path(
    post, path = "/api/jobs/{id}/clock", tag = "jobs", request_body = EnterTick,
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 201, description = "It stands in the job.", body = AddedBody)),
)]
pub async fn add_tick(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
    seen: IfMatch,
    Once(body, receipt): Once<EnterTick>,
) -> Result<(StatusCode, Json<AddedBody>), ApiError> {
    let author = author(caller.user, state.clock.now());
    let tick = Tick { at: instant(body.at)?, event: body.event()?, author };
    added(&state, &caller, id, (Addition::Entry(PlanEntry::Tick(tick)), Terms { seen, receipt }))
        .await
}
