//! Files that leave the hall: tables, a technician's calendar, a map.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{NaiveDate, TimeDelta};
use domain::catalogue::Language;
use domain::id::UserId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, PasswordGiven, Staff};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::jobs::day_bounds;
use crate::db::exports::{self, Span};
use crate::db::halls::{self, HallRow};
use crate::db::users;
use crate::export::{self, MOST_ROWS, Sheet, Table};
use crate::identity::Role;
use crate::state::AppState;

/// The longest time of one file.
const MOST_DAYS: i64 = 400;

/// Which days, and of what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskTable {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
    /// The key of a kind of job.
    #[param(max_length = 100)]
    kind: Option<String>,
    /// Only this technician's.
    technician: Option<Uuid>,
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskDays {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    pub(super) from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    pub(super) to: NaiveDate,
    /// The language of words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    pub(super) lang: Tongue,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tongue {
    #[default]
    Zh,
    En,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    #[default]
    Xlsx,
    Csv,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::Zh => Self::Chinese,
            Tongue::En => Self::English,
        }
    }
}

/// Writes a table for spreadsheets, or for billing.
#[utoipa::path(
    get, path = "/api/exports/{table}", tag = "exports",
    params(("table" = inline(Table), Path, description = "What to write."), AskTable),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_table(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Path(table): Path<Table>,
    Query(asked): Query<AskTable>,
) -> Result<impl IntoResponse, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let AskTable { from, to, kind, technician, lang, format } = asked;
    let which = Span { kind, technician, ..span(&hall, (from, to))? };
    let how = (lang.into(), state.clock.now());
    let sheet = export::rows(conn.c(), &hall, (table, &which), how).await?;
    let sheet = sheet.map_err(|error| ApiError::Unprocessable(error.to_string()))?;
    drop(conn);
    download(sheet, format, &format!("{}-{from}-{to}", table.key())).await
}

/// Writes a sheet as a file of this name.
pub(super) async fn download(
    sheet: Sheet,
    format: Form,
    name: &str,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let writing = tokio::task::spawn_blocking(move || match format {
        Form::Csv => export::csv(&sheet).map_err(anyhow::Error::from),
        Form::Xlsx => export::xlsx(&sheet).map_err(anyhow::Error::from),
    });
    let bytes = writing.await.map_err(anyhow::Error::from)??;
    let (kind, ending) = match format {
        Form::Csv => ("text/csv; charset=utf-8", "csv"),
        Form::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    };
    let name = format!("attachment; filename=\"{name}.{ending}\"");
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes))
}

/// Gives a technician's jobs as a calendar: to hall staff, and to themselves.
#[utoipa::path(
    get, path = "/api/technicians/{id}/calendar", tag = "exports",
    params(("id" = Uuid, Path, description = "The technician."), AskDays),
    responses((
        status = 200, description = "The calendar.",
        body = String, content_type = "text/calendar",
    )),
)]
pub async fn get_calendar(
    State(state): State<AppState>,
    caller: Caller,
    _: PasswordGiven,
    Path(technician): Path<UserId>,
    Query(asked): Query<AskDays>,
) -> Result<impl IntoResponse, ApiError> {
    if caller.role == Role::Technician && caller.user != technician {
        return Err(ApiError::NotFound("technician"));
    }
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let user = users::find_user(conn.c(), technician).await?;
    let user = user.filter(|user| user.hall_id == caller.hall.0);
    user.ok_or(ApiError::NotFound("technician"))?;
    let technician = Some(technician.0);
    let which = Span { technician, ..span(&hall, (asked.from, asked.to))? };
    let jobs = exports::list_jobs(conn.c(), caller.hall, &which).await?;
    let text = export::calendar::calendar(&jobs, asked.lang.into(), state.clock.now());
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text))
}

/// Gives jobs as points on a map.
#[utoipa::path(
    get, path = "/api/map/jobs", tag = "exports", params(AskDays),
    responses((
        status = 200, description = "A GeoJSON feature collection.",
        body = serde_json::Value, content_type = "application/geo+json",
    )),
)]
pub async fn map_jobs(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Query(asked): Query<AskDays>,
) -> Result<impl IntoResponse, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let which = span(&hall, (asked.from, asked.to))?;
    let jobs = exports::list_jobs(conn.c(), caller.hall, &which).await?;
    let text = export::map::collection(&jobs).to_string();
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], text))
}

/// Whole days of the hall's city.
pub(super) fn span(hall: &HallRow, (from, to): (NaiveDate, NaiveDate)) -> Result<Span, ApiError> {
    if from > to || to - from > TimeDelta::days(MOST_DAYS) {
        let what = "let `from` be no later than `to`, and at most 400 days before it";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    let (from, _) = day_bounds(from, hall.utc_offset_minutes)?;
    let (_, until) = day_bounds(to, hall.utc_offset_minutes)?;
    Ok(Span { from, until, kind: None, technician: None, limit: MOST_ROWS })
}
