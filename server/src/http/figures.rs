//! Figures for who runs the hall: counts under headings, each number with the jobs behind it.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use chrono::{FixedOffset, NaiveDate, Offset as _, Utc};
use domain::calendar::city_day;
use domain::catalogue::Language;
use domain::id::{HallId, UserId};
use domain::ledger::shown_groups;
use domain::pack::PackId;
use domain::punctuality::Punctuality;
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::exports::{Tongue, span};
use super::extract::Query;
use crate::db::exports::Span;
use crate::db::halls::{self, HallRow};
use crate::db::verdicts::{self, StoredVerdict};
use crate::db::{Conn, devices, figures as rows, hoses as registers};
use crate::figures::hoses::{HoseFigures, Replaced};
use crate::figures::promises::{OpenPromise, WatchedCase};
use crate::figures::readings::ReadingFigures;
use crate::figures::visits::EndedVisit;
use crate::figures::{Counted, Figure, Named, arrivals, hoses, promises, readings, visits};
use crate::ledger;
use crate::reports;
use crate::state::AppState;

/// The most open promises that are listed.
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

/// What makes a line.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    Technician,
    Kind,
    #[default]
    Day,
    /// The hour of the hall's clock: of a window's start, of a visit's end.
    Hour,
}

/// Promises to the public.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseFigures {
    /// Those whose clock nobody has stopped, the first due first; at most 1000.
    #[schema(max_items = 1000)]
    open: Vec<OpenPromise>,
    /// How many these are.
    open_count: usize,
    /// Cases whose callers were not told yet, the first due first; at most 1000.
    #[schema(max_items = 1000)]
    open_cases: Vec<WatchedCase>,
    /// Those due in the days asked for, by rule.
    pub(super) by_rule: Figure,
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
    Ok(Json(Desk::of(&state, &caller, &asked).await?.promises(&state).await?))
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

/// Counts how visits ended, by technician, kind, day or hour.
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

/// Where figures are read from.
pub(super) struct Desk {
    conn: Conn,
    hall: HallRow,
    days: (NaiveDate, NaiveDate),
    span: Span,
    language: Language,
    now: Timestamp,
}

impl Desk {
    pub(super) async fn of(
        state: &AppState,
        caller: &Caller,
        asked: &AskFigure,
    ) -> Result<Self, ApiError> {
        let mut conn = state.db.read().await?;
        let hall = halls::find_hall(conn.c(), caller.hall).await?;
        let hall = hall.ok_or(ApiError::NotFound("hall"))?;
        let days = (asked.from, asked.to);
        let span = span(&hall, days)?;
        let (language, now) = (asked.lang.into(), state.clock.now());
        Ok(Self { conn, hall, days, span, language, now })
    }

    fn hall(&self) -> HallId {
        HallId(self.hall.hall_id)
    }

    fn bounds(&self) -> rows::Bounds {
        (self.span.from, self.span.until)
    }

    fn day(&self, at_ms: i64) -> NaiveDate {
        let minutes = i32::try_from(self.hall.utc_offset_minutes).unwrap_or(0);
        city_day(Timestamp::from_timestamp_millis(at_ms).unwrap_or_default(), minutes)
    }

    async fn heard(&mut self) -> Result<BTreeMap<UserId, i64>, ApiError> {
        let hall = self.hall();
        Ok(devices::list_heard_until(self.conn.c(), hall).await?)
    }

    /// Verdicts on the appointments of the days asked for, as they read now.
    async fn verdicts(&mut self) -> Result<Vec<(StoredVerdict, Punctuality)>, ApiError> {
        let (from, to) = (self.days.0.to_string(), self.days.1.to_string());
        let (hall, heard) = (self.hall(), self.heard().await?);
        let stored = verdicts::list_verdicts(self.conn.c(), hall, &from, &to).await?;
        let read = |it: StoredVerdict| {
            let punctuality = reports::punctuality(&it, self.now, &heard)?;
            Ok((it, punctuality))
        };
        Ok(stored.into_iter().map(read).collect::<anyhow::Result<_>>()?)
    }

    pub(super) async fn arrivals(mut self, by: By) -> Result<Figure, ApiError> {
        let read = self.verdicts().await?;
        let heading = |verdict: &StoredVerdict| match by {
            By::Technician => person(verdict.technician_id, verdict.technician_name.as_ref()),
            By::Kind => Named::word(self.language, "kind", &verdict.kind),
            By::Day => Named::plain(verdict.day.as_str()),
            By::Hour => hour(verdict.window_start, self.hall.utc_offset_minutes),
        };
        Ok(arrivals::turned_out(&read, heading, self.language))
    }

    pub(super) async fn lateness(mut self) -> Result<Figure, ApiError> {
        let (from, to) = (self.days.0.to_string(), self.days.1.to_string());
        let (hall, read) = (self.hall(), self.verdicts().await?);
        let came = rows::list_arrivals(self.conn.c(), hall, &from, &to).await?;
        Ok(arrivals::lateness(&read, &came, self.language))
    }

    pub(super) async fn promises(mut self, state: &AppState) -> Result<PromiseFigures, ApiError> {
        let (hall, bounds, heard) = (self.hall(), self.bounds(), self.heard().await?);
        let stored = rows::list_promises(self.conn.c(), hall, bounds).await?;
        let read = stored.into_iter().map(|it| {
            let due = (it.due_at, it.answerable);
            let state = reports::promise_state(it.state.clone(), due, self.now, &heard);
            (it, state)
        });
        let read: Vec<_> = read.collect();
        let cases = rows::list_case_promises(self.conn.c(), hall, bounds).await?;
        let is_asked = |due_at: i64| (bounds.0..bounds.1).contains(&due_at);
        let of_jobs = read.iter().filter(|(it, _)| is_asked(it.due_at));
        let of_jobs =
            of_jobs.map(|(it, state)| (it.rule.as_str(), state.as_str(), Counted::Job(it.job_id)));
        let of_cases = cases.iter().filter(|it| is_asked(it.due_at));
        let of_cases =
            of_cases.map(|it| (it.rule.as_str(), it.state(self.now), Counted::Case(it.case_id)));
        let by_rule = promises::by_rule(of_jobs.chain(of_cases), self.language);
        let mut open_cases = Vec::new();
        for stored in cases.into_iter().filter(|it| it.told_at.is_none()).take(MOST_OPEN) {
            let pack = state.packs.find(self.conn.c(), &PackId(stored.pack_id.clone())).await?;
            let rules = pack.cases.as_ref().map(|cases| cases.promises.as_slice());
            let binds = rules.into_iter().flatten().find(|it| it.rule == stored.rule);
            let warn_minutes = binds.and_then(|rule| rule.warn_minutes);
            open_cases.push(promises::open_case(stored, warn_minutes, self.now, self.language));
        }
        let running = read.into_iter().filter(|(it, _)| it.state == "running");
        let running: Vec<_> = running.collect();
        let open_count = running.len();
        let mut open = Vec::new();
        for (stored, reads) in running.into_iter().take(MOST_OPEN) {
            let pack = state.packs.find(self.conn.c(), &PackId(stored.pack_id.clone())).await?;
            let binds = pack.promises.iter().find(|rule| {
                rule.rule == stored.rule && rule.kinds.iter().any(|it| it.key() == stored.kind)
            });
            open.push(promises::open(stored, binds, (reads, self.now), self.language));
        }
        Ok(PromiseFigures { open, open_count, open_cases, by_rule })
    }

    pub(super) async fn readings(mut self) -> Result<ReadingFigures, ApiError> {
        let (hall, bounds) = (self.hall(), self.bounds());
        let read = rows::list_readings(self.conn.c(), hall, bounds).await?;
        let answers = rows::list_reading_answers(self.conn.c(), hall, bounds.0).await?;
        Ok(readings::abnormal(&read, &answers, self.language))
    }

    pub(super) async fn conduct(mut self, state: &AppState) -> Result<Figure, ApiError> {
        let (hall, bounds) = (self.hall(), self.bounds());
        let answers = rows::list_answers(self.conn.c(), hall, bounds).await?;
        let pack = state.packs.in_force(self.conn.c(), self.now).await?;
        Ok(visits::conduct(answers, &pack, self.language))
    }

    pub(super) async fn outcomes(mut self, by: By) -> Result<Figure, ApiError> {
        let (hall, bounds) = (self.hall(), self.bounds());
        let ended = rows::list_ended_visits(self.conn.c(), hall, bounds).await?;
        let heading = |visit: &EndedVisit| match by {
            By::Technician => person(Some(visit.technician_id), visit.technician_name.as_ref()),
            By::Kind => Named::word(self.language, "kind", &visit.kind),
            By::Day => Named::plain(self.day(visit.ended_at).to_string()),
            By::Hour => hour(visit.ended_at, self.hall.utc_offset_minutes),
        };
        Ok(visits::outcomes(&ended, heading, self.language))
    }

    pub(super) async fn hoses(mut self, state: &AppState) -> Result<HoseFigures, ApiError> {
        let hall = self.hall();
        let pack = state.packs.in_force(self.conn.c(), self.now).await?;
        let register = registers::list_hall_hoses(self.conn.c(), hall).await?;
        let before = registers::list_hall_replacements(self.conn.c(), hall).await?;
        let changes = rows::list_hose_changes(self.conn.c(), hall).await?;
        let mut groups = rows::list_hall_groups(self.conn.c(), hall).await?;
        let mut done: BTreeMap<_, _> = before
            .into_iter()
            .map(|(hose, (household, it))| {
                let job = it.job.map(|job| job.0);
                (hose, Replaced { job, household, on: it.on, free: it.free })
            })
            .collect();
        // The register may tell of a technician's own replacement again.
        done.extend(changes.iter().map(|it| {
            let (household, on) = (it.household, it.installed.installed_on);
            (it.installed.id, Replaced { job: Some(it.job), household, on, free: it.free })
        }));
        let (from, to) = self.days;
        let asked: Vec<_> = done.into_values().filter(|it| (from..=to).contains(&it.on)).collect();
        let today = self.day(self.now.timestamp_millis());
        let free: BTreeSet<_> = asked.iter().filter(|it| it.free).map(|it| it.household).collect();
        groups.retain(|household, _| free.contains(household));
        for household in free {
            let entries = ledger::entries(self.conn.c(), household).await?;
            let register = groups.remove(&household).unwrap_or_default();
            // Nobody's group is told who took their consent back.
            groups.insert(household, shown_groups(&register, &entries, today));
        }
        let removed: BTreeSet<_> = changes.iter().filter_map(|it| it.removed).collect();
        let put_in = changes.iter().map(|it| (it.household, it.installed));
        let wall = hoses::on_the_wall(register, put_in, &removed);
        let replaced = hoses::replaced(&asked, &groups, &pack, self.language);
        let due = hoses::due(&wall, today, &pack, self.language);
        let doors = rows::list_doors(self.conn.c(), hall).await?;
        let doors = hoses::doors([&replaced, &due], doors);
        Ok(HoseFigures { replaced, due, doors })
    }
}

/// A person as a heading; nobody has an empty key.
fn person(id: Option<Uuid>, name: Option<&String>) -> Named {
    let key = id.map(|id| id.to_string()).unwrap_or_default();
    Named { key, name: name.cloned().unwrap_or_default() }
}

/// The hour of the hall's clock in which an instant lies, as its heading.
pub(super) fn hour(at_ms: i64, utc_offset_minutes: i64) -> Named {
    let minutes = i32::try_from(utc_offset_minutes).unwrap_or(0);
    let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
    let at = Timestamp::from_timestamp_millis(at_ms).unwrap_or_default().with_timezone(&offset);
    let key = at.format("%H").to_string();
    Named { name: format!("{key}:00–{key}:59"), key }
}
