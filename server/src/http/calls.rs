//! Calls to the hall: recorded by telephone systems or by hand, judged by the rings that were promised (B3, D7).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::stamp::Timestamp;
use domain::telephone::{Answered, judge};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Staff;
use super::error::ApiError;
use super::extract::{read_whole, read_whole_or_none};
use super::once::Once;
use super::schema;
use crate::applications::rules;
use crate::db::calls::{self, CallRow};
use crate::ids::fresh_uuid;
use crate::retry::until_won;
use crate::state::AppState;

/// The longest number of an agent.
const LONGEST_AGENT: usize = 20;

/// The most rings that anybody counts.
const MOST_RINGS: u32 = 100;

/// A call to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCall {
    /// How often it rang.
    #[schema(maximum = 100)]
    #[serde(deserialize_with = "read_whole")]
    rings: u32,
    /// Whether somebody answered; a call that nobody answered is lost.
    answered: bool,
    /// The number of the agent who answered; needed for an answered call.
    #[serde(default)]
    #[schema(max_length = 20)]
    agent: String,
    /// Whether the agent gave that number.
    #[serde(default)]
    number_given: bool,
    /// When it was, Unix milliseconds; now when left out.
    #[schema(minimum = 946_684_800_000_i64, maximum = 4_102_444_800_000_i64)]
    #[serde(default, deserialize_with = "read_whole_or_none")]
    at: Option<i64>,
}

/// How a call was judged.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallBody {
    id: Uuid,
    #[schema(schema_with = schema::answered)]
    answered_as: &'static str,
}

/// Records a call with its rings; for telephone systems, and by hand.
#[utoipa::path(
    post, path = "/api/calls", tag = "applications", request_body = RecordCall,
    responses((status = 201, description = "It is recorded, and judged for good.", body = CallBody)),
)]
pub async fn record_call(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Once(body, receipt): Once<RecordCall>,
) -> Result<(StatusCode, Json<CallBody>), ApiError> {
    let at = check(&body, state.clock.now())?;
    let recorded = until_won(async || {
        let mut tx = state.db.begin().await?;
        let pack = state.packs.in_force(tx.c(), at).await?;
        let judged = judge(body.rings, body.answered, &rules(&pack).calls);
        let agent = if judged == Answered::Lost { "" } else { body.agent.trim() };
        let row = CallRow {
            call_id: fresh_uuid(state.clock.now()),
            at: at.timestamp_millis(),
            agent: agent.to_owned(),
            number_given: body.number_given && !agent.is_empty(),
            rings: i64::from(body.rings),
            answered_as: judged.key().to_owned(),
            pack_id: pack.id.0.clone(),
            recorded_by: caller.user.0,
        };
        calls::insert_call(tx.c(), caller.hall, &row).await?;
        let recorded = CallBody { id: row.call_id, answered_as: judged.key() };
        receipt.keep(tx.c(), &recorded, state.clock.now_ms()).await?;
        tx.commit().await?;
        Ok(recorded)
    });
    Ok((StatusCode::CREATED, Json(recorded.await?)))
}

/// When the call was, if it can be so.
fn check(body: &RecordCall, now: Timestamp) -> Result<Timestamp, ApiError> {
    let refused = |what: String| Err(ApiError::Unprocessable(what));
    if body.rings > MOST_RINGS {
        return refused(format!("send `rings` of {MOST_RINGS} or fewer"));
    }
    if body.agent.chars().count() > LONGEST_AGENT {
        return refused(format!("say `agent` in {LONGEST_AGENT} letters or fewer"));
    }
    if body.answered && body.agent.trim().is_empty() {
        return refused("send `agent`: who answered has a number".to_owned());
    }
    let Some(at_ms) = body.at else { return Ok(now) };
    let known = schema::EARLIEST_MS..=now.timestamp_millis();
    let at = Timestamp::from_timestamp_millis(at_ms).filter(|_| known.contains(&at_ms));
    match at {
        Some(at) => Ok(at),
        None => refused("send as `at` an instant that was, in Unix milliseconds".to_owned()),
    }
}
