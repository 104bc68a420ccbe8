//! Reports: whether people arrive when they promised (A2).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::id::HallId;
use domain::punctuality::{Punctuality, Tally};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::Staff;
use super::error::ApiError;
use super::exports::Tongue;
use super::extract::Query;
use super::figure_desk::{By, counted_halls, hall_heading, hour};
use crate::db::devices;
use crate::db::halls::{self, HallRow};
use crate::db::verdicts::{self, StoredVerdict};
use crate::figures::{MOST_NAMED, Named};
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
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
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
    /// The jobs behind each number, each once, at most 200.
    jobs: BTreeMap<&'static str, Vec<Uuid>>,
}

/// The report.
#[derive(Debug, Serialize, ToSchema)]
pub struct PunctualityBody {
    rows: Vec<PunctualityRow>,
    /// On time out of what can be judged, of all rows together.
    rate: Option<f64>,
    /// Of what is over and was not released, the share of which nobody can tell how it turned out.
    untold_rate: Option<f64>,
}

/// Counts appointments of some days by technician, kind, day, hour or, for admins, hall.
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
    let now = state.clock.now();
    let own = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let mut rows: BTreeMap<String, PunctualityRow> = BTreeMap::new();
    let mut all = Tally::default();
    for hall in counted_halls(conn.c(), (&own, caller.role), asked.by).await? {
        let id = HallId(hall.hall_id);
        let heard_until = devices::list_heard_until(conn.c(), id).await?;
        for verdict in &verdicts::list_verdicts(conn.c(), id, &from, &to).await? {
            let heading = heading(verdict, asked.by, asked.lang, &hall);
            let fresh = || PunctualityRow::of(heading.clone());
            let row = rows.entry(heading.key.clone()).or_insert_with(fresh);
            let punctuality = reports::punctuality(verdict, now, &heard_until)?;
            let is_own = id == caller.hall;
            row.count(is_own.then_some(verdict.job_id), punctuality);
            all.count(punctuality);
        }
    }
    let (rate, untold_rate) = (all.on_time_rate(), all.untold_rate());
    Ok(Json(PunctualityBody { rows: rows.into_values().collect(), rate, untold_rate }))
}

impl PunctualityRow {
    fn of(Named { key, name }: Named) -> Self {
        Self { key, name, tally: Tally::default(), rate: None, jobs: BTreeMap::new() }
    }

    /// Counts one; a job of another hall is not named.
    fn count(&mut self, job: Option<Uuid>, punctuality: Punctuality) {
        self.tally.count(punctuality);
        self.rate = self.tally.on_time_rate();
        let jobs = self.jobs.entry(punctuality.key()).or_default();
        if let Some(job) = job.filter(|job| jobs.len() < MOST_NAMED && !jobs.contains(job)) {
            jobs.push(job);
        }
    }
}

/// Days are compared as text, so only the one way of writing them will do.
fn check_day(name: &str, text: String) -> Result<String, ApiError> {
    let day: Option<NaiveDate> = text.parse().ok();
    if text.len() == 10 && day.is_some_and(|day| day.to_string() == text) {
        return Ok(text);
    }
    Err(ApiError::BadRequest(format!("send `{name}` as a day like 2026-03-02")))
}

fn heading(verdict: &StoredVerdict, by: By, lang: Tongue, hall: &HallRow) -> Named {
    let language = lang.into();
    match by {
        By::Technician => {
            let key = verdict.technician_id.map(|id| id.to_string()).unwrap_or_default();
            Named { key, name: verdict.technician_name.clone().unwrap_or_default() }
        }
        By::Kind => Named::word(language, "kind", &verdict.kind),
        By::Day => Named::plain(verdict.day.as_str()),
        By::Hour => hour(verdict.window_start, hall.utc_offset_minutes),
        By::Hall => hall_heading(hall),
    }
}
