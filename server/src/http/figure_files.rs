//! Figures as files, for spreadsheets: what the console shows as a chart, number by number.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::extract::State;
use axum::response::IntoResponse;
use chrono::NaiveDate;
use domain::catalogue;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::Staff;
use super::error::ApiError;
use super::exports::{Form, Tongue, download};
use super::extract::{Path, Query};
use super::figures::{AskFigure, By, Desk};
use crate::export::{Sheet, Value};
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
    /// Hoses that were put in.
    Replaced,
    /// Hoses on the wall today by age.
    Due,
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
            Self::Replaced => "replaced",
            Self::Due => "due",
        }
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
    Path(which): Path<Which>,
    Query(asked): Query<AskFile>,
) -> Result<impl IntoResponse, ApiError> {
    let AskFile { from, to, by, lang, format } = asked;
    let desk = Desk::of(&state, &caller, &AskFigure { from, to, lang }).await?;
    let figure = match which {
        Which::Arrivals => desk.arrivals(by).await?,
        Which::Lateness => desk.lateness().await?,
        Which::Promises => desk.promises(&state).await?.by_rule,
        Which::Told => desk.readings().await?.told,
        Which::Measures => desk.readings().await?.measures,
        Which::Since => desk.readings().await?.since,
        Which::Conduct => desk.conduct(&state).await?,
        Which::Outcomes => desk.outcomes(by).await?,
        Which::Replaced => desk.hoses(&state).await?.replaced,
        Which::Due => desk.hoses(&state).await?.due,
    };
    let say = |key: &str| catalogue::text(lang.into(), key, &[]);
    let title = say(&format!("figures.file.{}", which.key()));
    let sheet = sheet(figure, title, say("figures.under"));
    let name = format!("{}-{from}-{to}", which.key());
    download(sheet, format, &name).await
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
