//! Times that people send: windows and instants within a century that calendars know.

use domain::job::Window;
use domain::stamp::Timestamp;

use super::error::ApiError;
use super::schema;

/// A window ends after it starts, in a century that calendars know.
pub(super) fn check_window(window: Window) -> Result<(), ApiError> {
    check_century(window)?;
    if window.start < window.end {
        return Ok(());
    }
    Err(ApiError::Unprocessable("let the window end after it starts".to_owned()))
}

/// Both ends lie in a century that calendars know.
pub(super) fn check_century(window: Window) -> Result<(), ApiError> {
    let known = schema::EARLIEST_MS..=schema::LATEST_MS;
    let instants = [window.start, window.end].map(|at| at.timestamp_millis());
    if !instants.iter().all(|at| known.contains(at)) {
        let what = "let a window lie between the years 2000 and 2100, in Unix milliseconds";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    Ok(())
}

/// An instant of a century that calendars know.
pub(super) fn instant(ms: i64) -> Result<Timestamp, ApiError> {
    let known = schema::EARLIEST_MS..=schema::LATEST_MS;
    let at = Timestamp::from_timestamp_millis(ms).filter(|_| known.contains(&ms));
    let what = "send times between the years 2000 and 2100, in Unix milliseconds";
    at.ok_or_else(|| ApiError::Unprocessable(what.to_owned()))
}
