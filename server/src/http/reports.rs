//! Reports: whether people arrive when they promised (A2).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::catalogue::{self, Language};
use domain::punctuality::Tally;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Staff;
use super::error::ApiError;
use super::extract::Query;
use crate::db::devices;
use crate::db::verdicts::{self, StoredVerdict};
use crate::reports;
use crate::state::AppState;

/// Which days to report, and by what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskPunctuality {
    /// The first day, like 2026-03-02.
    #[param(format = Date)]
    from: String,
    /// The last day, no earlier.
    #[param(format = Date)]
    to: String,
    /// What makes a line.
    #[param(inline)]
    by: By,
    /// The language of names.
    #[serde(default)]
    #[param(value_type = Option<Lang>, inline)]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    Technician,
    Kind,
    Day,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Lang {
    #[default]
    Zh,
    En,
}

/// One line of the report.
#[derive(Debug, Serialize, ToSchema)]
pub struct PunctualityRow {
    key: String,
    name: String,
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    tally: Tally,
    /// On time out of what can be judged.
    rate: Option<f64>,
}

/// The report.
#[derive(Debug, Serialize, ToSchema)]
pub struct PunctualityBody {
    rows: Vec<PunctualityRow>,
}

/// Counts appointments of some days by technician, kind or day.
#[utoipa::path(
    get, path = "/api/reports/punctuality", tag = "reports", params(AskPunctuality),
    responses((status = 200, description = "A line for each.", body = PunctualityBody)),
)]
pub async fn report_punctuality(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskPunctuality>,
) -> Result<Json<PunctualityBody>, ApiError> {
    let (from, to) = (check_day("from", asked.from)?, check_day("to", asked.to)?);
    if from > to {
        return Err(ApiError::Unprocessable("let `from` be no later than `to`".to_owned()));
    }
    let mut conn = state.db.read().await?;
    let stored = verdicts::list_verdicts(conn.c(), caller.hall, &from, &to).await?;
    let heard_until = devices::list_heard_until(conn.c(), caller.hall).await?;
    let now = state.clock.now();
    let mut rows: BTreeMap<String, (String, Tally)> = BTreeMap::new();
    for verdict in &stored {
        let (key, name) = heading(verdict, asked.by, asked.lang);
        let (_, tally) = rows.entry(key).or_insert_with(|| (name, Tally::default()));
        tally.count(reports::punctuality(verdict, now, &heard_until)?);
    }
    let rows = rows.into_iter().map(|(key, (name, tally))| {
        let rate = tally.on_time_rate();
        PunctualityRow { key, name, tally, rate }
    });
    Ok(Json(PunctualityBody { rows: rows.collect() }))
}

/// Days are compared as text, so only the one way of writing them will do.
fn check_day(name: &str, text: String) -> Result<String, ApiError> {
    let day: Option<NaiveDate> = text.parse().ok();
    if text.len() == 10 && day.is_some_and(|day| day.to_string() == text) {
        return Ok(text);
    }
    Err(ApiError::BadRequest(format!("send `{name}` as a day like 2026-03-02")))
}

fn heading(verdict: &StoredVerdict, by: By, lang: Lang) -> (String, String) {
    let language = match lang {
        Lang::Zh => Language::Chinese,
        Lang::En => Language::English,
    };
    match by {
        By::Technician => {
            let key = verdict.technician_id.map(|id| id.to_string()).unwrap_or_default();
            (key, verdict.technician_name.clone().unwrap_or_default())
        }
        By::Kind => {
            let name = catalogue::text(language, &format!("kind.{}", verdict.kind), &[]);
            (verdict.kind.clone(), name)
        }
        By::Day => (verdict.day.clone(), verdict.day.clone()),
    }
}
