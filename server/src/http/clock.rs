//! The server's clock, and setting it when a day is played.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::extract::Body;
use crate::clock::Clock;

/// What the clock shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockBody {
    /// The server's time, Unix milliseconds.
    now: i64,
    /// Whether it stands still until somebody sets it.
    manual: bool,
}

/// What a manual clock shall show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// Unix milliseconds.
    #[schema(minimum = -8_334_601_228_800_000_i64, maximum = 8_210_266_876_799_999_i64)]
    now_ms: i64,
}

/// Says what time it is.
#[utoipa::path(
    get, path = "/api/clock", tag = "server",
    responses((status = 200, description = "The server's time.", body = ClockBody)),
)]
pub async fn get_clock(State(clock): State<Clock>) -> Json<ClockBody> {
    Json(ClockBody { now: clock.now_ms(), manual: clock.is_manual() })
}

/// Sets the manual clock; the route exists only with one, and only on loopback.
#[utoipa::path(
    post, path = "/api/clock", tag = "server", request_body = SetClock,
    responses((status = 200, description = "What it shows now.", body = ClockBody)),
)]
pub async fn set_clock(
    State(clock): State<Clock>,
    Body(body): Body<SetClock>,
) -> Result<Json<ClockBody>, ApiError> {
    if clock.set(body.now_ms) {
        Ok(get_clock(State(clock)).await)
    } else {
        Err(ApiError::Unprocessable("no clock shows this time".to_owned()))
    }
}
