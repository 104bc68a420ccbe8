//! The server's clock, and setting it when a day is played.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::extract::Body;
use crate::clock::Clock;

/// What the clock shows.
#[derive(Debug, Serialize)]
pub struct ClockBody {
    now: i64,
    manual: bool,
}

/// What a manual clock shall show.
#[derive(Debug, Deserialize)]
pub struct SetClock {
    now_ms: i64,
}

/// Says what time it is.
pub async fn get_clock(State(clock): State<Clock>) -> Json<ClockBody> {
    Json(ClockBody { now: clock.now_ms(), manual: clock.is_manual() })
}

/// Sets the manual clock; the route exists only with one, and only on loopback.
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
