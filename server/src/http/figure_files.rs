//! Figures as files, for spreadsheets: what the console shows as a chart, number by number.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::extract::State;
use axum::response::IntoResponse;
use chrono::NaiveDate;
use domain::catalogue;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::{PasswordGiven, Staff};
use super::error::ApiError;
use super::exports::{Form, Tongue, download};
use super::extract::{Path, Query};
use super::figure_desk::{By, Desk};
use super::figures::AskFigure;
use crate::db::halls;
use crate::export::{self, Sheet, Value};
use crate::figures::{Figure, Named};
use crate::state::AppState;

/// Which days, by what, and how it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskFile {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
    /// What makes a line of arrivals and outcomes, a day when nothing is said; of no use elsewhere.
    #[serde(default)]
    #[param(value_type = Option<By>, inline)]
    by: By,
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// What can be written.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Appointments and how they turned out.
    Arrivals,
    /// How late arrivals were.
    Lateness,
    /// Promises that were due.
    Promises,
    /// Abnormal readings: was the household told.
    Told,
    /// Abnormal readings: what was done.
    Measures,
    /// Abnormal readings: is the meter normal since.
    Since,
    /// Answers to the conduct checklist.
    Conduct,
    /// How visits ended.
    Outcomes,
    /// How households found finished work.
    Ratings,
    /// Hoses that were put in.
    Replaced,
    /// Hoses on the wall today by age.
    Due,
    /// Accounts opened by ways to the hall.
    Trips,
    /// Accounts opened by days to first gas.
    FirstGas,
    /// Applications by how it went with papers.
    Papers,
    /// Calls by how soon they were answered.
    Calls,
}

impl Which {
    fn key(self) -> &'static str {
        match self {
            Self::Arrivals => "arrivals",
            Self::Lateness => "lateness",
            Self::Promises => "promises",
            Self::Told => "told",
            Self::Measures => "measures",
            Self::Since => "since",
            Self::Conduct => "conduct",
            Self::Outcomes => "outcomes",
            Self::Ratings => "ratings",
            Self::Replaced => "replaced",
            Self::Due => "due",
            Self::Trips => "trips",
            Self::FirstGas => "first_gas",
            Self::Papers => "papers",
            Self::Calls => "calls",
        }
    }

    async fn figure(self, mut desk: Desk, by: By, state: &AppState) -> Result<Figure, ApiError> {
        Ok(match self {
            Self::Arrivals => desk.arrivals(by).await?,
            Self::Lateness => desk.lateness().await?,
            Self::Promises => desk.promises(state, 0).await?.by_rule,
            Self::Told => desk.readings().await?.told,
            Self::Measures => desk.readings().await?.measures,
            Self::Since => desk.readings().await?.since,
            Self::Conduct => desk.conduct(state).await?,
            Self::Outcomes => desk.outcomes(by).await?,
            Self::Ratings => desk.ratings(by).await?,
            Self::Replaced => desk.hoses(state).await?.replaced,
            Self::Due => desk.hoses(state).await?.due,
            Self::Trips => desk.trips(state).await?.trips,
            Self::FirstGas => desk.trips(state).await?.first_gas,
            Self::Papers => desk.trips(state).await?.papers,
            Self::Calls => desk.calls(by).await?,
        })
    }
}

/// Writes a figure for spreadsheets: a line for each heading, a column for each number and share.
#[utoipa::path(
    get, path = "/api/exports/figures/{figure}", tag = "exports",
    params(("figure" = inline(Which), Path, description = "What to write."), AskFile),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_figure(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Path(which): Path<Which>,
    Query(asked): Query<AskFile>,
) -> Result<impl IntoResponse, ApiError> {
    let AskFile { from, to, by, lang, format } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    let figure = which.figure(desk, by, &state).await?;
    let say = |key: &str| catalogue::text(lang.into(), key, &[]);
    let title = say(&format!("figures.file.{}", which.key()));
    let sheet = sheet(figure, title, say("figures.under"));
    let name = format!("{}-{from}-{to}", which.key());
    download(sheet, format, &name).await
}

/// Which number of a figure, and how what is behind it is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskBehind {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
    /// What makes a line of arrivals and outcomes, a day when nothing is said; of no use elsewhere.
    #[serde(default)]
    #[param(value_type = Option<By>, inline)]
    by: By,
    /// The key of the heading; `total` for all lines together.
    #[param(max_length = 100)]
    line: String,
    /// The key of the column.
    #[param(max_length = 100)]
    column: String,
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// Writes what is behind a number of a figure: every job, household and case of the caller's hall.
#[utoipa::path(
    get, path = "/api/exports/figures/{figure}/behind", tag = "exports",
    params(("figure" = inline(Which), Path, description = "Whose number."), AskBehind),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_behind(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Path(which): Path<Which>,
    Query(asked): Query<AskBehind>,
) -> Result<impl IntoResponse, ApiError> {
    let AskBehind { from, to, by, line, column, lang, format } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    let figure = which.figure(desk, by, &state).await?;
    let pile = figure.pile(&line, &column).ok_or_else(|| {
        let what = "send as `line` and `column` keys that this figure has in these days";
        ApiError::Unprocessable(what.to_owned())
    })?;
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let how = (&state.packs, lang.into(), state.clock.now());
    let sheet = export::behind(conn.c(), &hall, pile, how).await?;
    drop(conn);
    download(sheet, format, &format!("{}-behind-{from}-{to}", which.key())).await
}

fn sheet(figure: Figure, title: String, under: String) -> Sheet {
    let names = |named: Vec<Named>| named.into_iter().map(|it| it.name);
    let headers = [under].into_iter().chain(names(figure.columns)).chain(names(figure.rates));
    let rows = figure.lines.into_iter().chain([figure.total]).map(|line| {
        let counts = line
            .cells
            .iter()
            .map(|cell| Value::Whole(i64::try_from(cell.count).unwrap_or(i64::MAX)));
        let shares = line.rates.into_iter().map(|rate| rate.map_or(Value::Empty, Value::Share));
        [Value::Text(line.heading.name)].into_iter().chain(counts).chain(shares).collect()
    });
    Sheet { title, headers: headers.collect(), rows: rows.collect() }
}
