//! Figures for who runs the hall: counts under headings, each number with the jobs behind it.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Staff;
use super::error::ApiError;
use super::exports::Tongue;
use super::extract::Query;
use super::figure_desk::{By, Desk};
use crate::figures::Figure;
use crate::figures::counter::TripFigures;
use crate::figures::hoses::HoseFigures;
use crate::figures::promises::{OpenPromise, WatchedCase, WatchedOutage, WatchedSupply};
use crate::figures::readings::ReadingFigures;
use crate::state::AppState;

/// The most open promises that an answer lists.
const MOST_OPEN: usize = 1000;

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskFigure {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    pub(super) from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    pub(super) to: NaiveDate,
    /// The language of names.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    pub(super) lang: Tongue,
}

/// Which days, and by what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskOutcomes {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
    /// What makes a line.
    #[param(inline)]
    by: By,
    /// The language of names.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
}

/// Promises to the public.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseFigures {
    /// Those whose clock nobody has stopped, the first due first; at most 1000.
    #[schema(max_items = 1000)]
    pub(super) open: Vec<OpenPromise>,
    /// How many these are.
    pub(super) open_count: usize,
    /// Cases whose callers were not told yet, the first due first; at most 1000.
    #[schema(max_items = 1000)]
    pub(super) open_cases: Vec<WatchedCase>,
    /// Outages of which somebody is still to be told, the first due first; at most 1000.
    #[schema(max_items = 1000)]
    pub(super) open_outages: Vec<WatchedOutage>,
    /// Supplies that were stopped because of hazards and are to be restored, the first due first; at most 1000.
    #[schema(max_items = 1000)]
    pub(super) open_supplies: Vec<WatchedSupply>,
    /// Those due in the days asked for, by rule.
    pub(super) by_rule: Figure,
}

/// Counts appointments by how they turned out, by technician, kind, day, hour or, for admins, hall.
#[utoipa::path(
    get, path = "/api/reports/arrivals", tag = "reports", params(AskOutcomes),
    responses((status = 200, description = "A line for each.", body = Figure)),
)]
pub async fn report_arrivals(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskOutcomes>,
) -> Result<Json<Figure>, ApiError> {
    let AskOutcomes { from, to, by, lang } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    Ok(Json(desk.arrivals(by).await?))
}

/// Counts arrivals by how late they were; those over a band's edge are in none.
#[utoipa::path(
    get, path = "/api/reports/lateness", tag = "reports", params(AskFigure),
    responses((status = 200, description = "A line for each band of minutes.", body = Figure)),
)]
pub async fn report_lateness(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskFigure>,
) -> Result<Json<Figure>, ApiError> {
    Ok(Json(Desk::of(&state, &caller, &asked).await?.lateness().await?))
}

/// Lists the promises that run, and counts those due in some days by how they turned out.
#[utoipa::path(
    get, path = "/api/reports/promises", tag = "reports", params(AskFigure),
    responses((status = 200, description = "Open promises and a line for each rule.", body = PromiseFigures)),
)]
pub async fn report_promises(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskFigure>,
) -> Result<Json<PromiseFigures>, ApiError> {
    Ok(Json(Desk::of(&state, &caller, &asked).await?.promises(&state, MOST_OPEN).await?))
}

/// Counts abnormal readings: was the household told, what was done, and is the meter normal since.
#[utoipa::path(
    get, path = "/api/reports/readings", tag = "reports", params(AskFigure),
    responses((status = 200, description = "A line for each finding.", body = ReadingFigures)),
)]
pub async fn report_readings(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskFigure>,
) -> Result<Json<ReadingFigures>, ApiError> {
    Ok(Json(Desk::of(&state, &caller, &asked).await?.readings().await?))
}

/// Counts the answers to the conduct checklist.
#[utoipa::path(
    get, path = "/api/reports/conduct", tag = "reports", params(AskFigure),
    responses((status = 200, description = "A line for each item.", body = Figure)),
)]
pub async fn report_conduct(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskFigure>,
) -> Result<Json<Figure>, ApiError> {
    Ok(Json(Desk::of(&state, &caller, &asked).await?.conduct(&state).await?))
}

/// Counts how visits ended, by technician, kind, day, hour or, for admins, hall.
#[utoipa::path(
    get, path = "/api/reports/outcomes", tag = "reports", params(AskOutcomes),
    responses((status = 200, description = "A line for each.", body = Figure)),
)]
pub async fn report_outcomes(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskOutcomes>,
) -> Result<Json<Figure>, ApiError> {
    let AskOutcomes { from, to, by, lang } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    Ok(Json(desk.outcomes(by).await?))
}

/// Counts finished jobs by how their households found them, by technician, kind, day, hour or, for admins, hall.
#[utoipa::path(
    get, path = "/api/reports/ratings", tag = "reports", params(AskOutcomes),
    responses((status = 200, description = "A line for each.", body = Figure)),
)]
pub async fn report_ratings(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskOutcomes>,
) -> Result<Json<Figure>, ApiError> {
    let AskOutcomes { from, to, by, lang } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    Ok(Json(desk.ratings(by).await?))
}

/// Counts hoses: those put in by month, free or paid, and those on the wall over their span today.
#[utoipa::path(
    get, path = "/api/reports/hoses", tag = "reports", params(AskFigure),
    responses((status = 200, description = "A line for each month, and one for each kind.", body = HoseFigures)),
)]
pub async fn report_hoses(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskFigure>,
) -> Result<Json<HoseFigures>, ApiError> {
    Ok(Json(Desk::of(&state, &caller, &asked).await?.hoses(&state).await?))
}

/// Counts accounts opened by ways to the hall and days to first gas, and applications by how it went with papers.
#[utoipa::path(
    get, path = "/api/reports/trips", tag = "reports", params(AskFigure),
    responses((status = 200, description = "Of what was taken on in those days.", body = TripFigures)),
)]
pub async fn report_trips(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskFigure>,
) -> Result<Json<TripFigures>, ApiError> {
    Ok(Json(Desk::of(&state, &caller, &asked).await?.trips(&state).await?))
}

/// Counts calls by how soon they were answered, by the agent's number (`technician`), day, hour or, for admins, hall.
#[utoipa::path(
    get, path = "/api/reports/calls", tag = "reports", params(AskOutcomes),
    responses((status = 200, description = "A line for each.", body = Figure)),
)]
pub async fn report_calls(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskOutcomes>,
) -> Result<Json<Figure>, ApiError> {
    let AskOutcomes { from, to, by, lang } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    Ok(Json(desk.calls(by).await?))
}
