//! Taking a request on: whose it is, and who could come when.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{NaiveDate, TimeDelta};
use domain::calendar::{Span, Spans, city_day, over_at};
use domain::household::Household;
use domain::id::{HallId, HouseholdId, JobId, UserId};
use domain::job::{JobKind, Window};
use domain::pack::{Pack, Start, TravelRules};
use domain::round::Call;
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::application_views::CallsRuleBody;
use super::board::{load, travel_rules};
use super::caller::{Dispatcher, Staff};
use super::error::ApiError;
use super::extract::{Body, Query};
use super::jobs::day_bounds;
use super::outage_views::{HomeOutage, list_home_outages};
use super::page::Words;
use super::qualifications::{SkillBody, named};
use super::schema;
use crate::applications;
use crate::board::{self, Day, Offer, Person, Wanted};
use crate::cases::rules;
use crate::db::halls::find_hall;
use crate::db::households;
use crate::jobs::summary::WindowBody;
use crate::ledger;
use crate::state::AppState;

/// Households shown for a search; whoever has more to choose from types more.
const MOST_FOUND: i64 = 20;

/// Technicians named for a window.
const MOST_OFFERS: usize = 5;

/// Which households to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindHouseholds {
    /// Words in account, holder, address or phone number.
    #[param(value_type = String, max_length = 100)]
    text: Words,
}

/// Households that were found.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdsBody {
    /// At most twenty, by account.
    #[schema(value_type = Vec<serde_json::Value>)]
    households: Vec<Household>,
    /// Their outages that were announced and are not over, or were over within the last day, by household.
    outages: BTreeMap<Uuid, Vec<HomeOutage>>,
}

/// What somebody asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskOffers {
    /// The account number of the household.
    #[schema(max_length = 100)]
    account: String,
    #[schema(schema_with = schema::job_kind)]
    kind: JobKind,
    /// A day of the hall's city, like 2026-03-02.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
}

/// Who could come when.
#[derive(Debug, Serialize, ToSchema)]
pub struct OffersBody {
    /// The windows of the day that are not over.
    windows: Vec<OfferedWindow>,
    /// For what cannot wait for a window: who is there first.
    nearest: Vec<OfferBody>,
}

/// A window with those who could keep it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedWindow {
    window: WindowBody,
    /// How many could keep it and make nobody late.
    fitting: usize,
    /// The best of them.
    offers: Vec<OfferBody>,
}

/// Somebody who could come.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferBody {
    #[schema(value_type = Uuid)]
    technician: UserId,
    /// When they would be at the door, Unix milliseconds.
    reached_at: i64,
    /// Straight metres from the door before.
    metres: Option<f64>,
    /// How many doors would be reached late by it.
    makes_late: usize,
    /// Minutes behind the window's end, or behind what was promised; zero when in time.
    late_minutes: i64,
    /// Whether the door lies in their own area.
    in_area: bool,
}

/// A job that cannot wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskNearest {
    #[schema(value_type = Uuid)]
    job: JobId,
}

/// Who could be at a job first.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearestBody {
    /// When what was promised is broken, Unix milliseconds.
    due_at: Option<i64>,
    /// Those who may be sent, who is there first first; at most five.
    nearest: Vec<OfferBody>,
    /// What whoever is sent has to be able to do.
    skills: Vec<SkillBody>,
}

/// The clocks that start when something is taken on.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromisesBody {
    /// Until the caller is told.
    cases: Vec<PromisedBody>,
    /// Until somebody is at the door, or the work is done.
    jobs: Vec<PromisedBody>,
    /// The kinds of job that the rule pack in force offers, in the order in which lists show them.
    kinds: Vec<&'static str>,
    /// Until a call is answered (B3).
    calls: CallsRuleBody,
}

/// A clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromisedBody {
    /// The rule of the rulebook.
    rule: String,
    /// The kinds of case or job that it binds.
    kinds: Vec<&'static str>,
    /// What starts it.
    #[schema(schema_with = schema::promise_start)]
    starts: Start,
    /// When it would be over if it started now, Unix ms.
    due_at: i64,
    /// The same by the rulebook's other figure, where it gives two.
    guide_due_at: Option<i64>,
}

/// Says which promises start when a case or job is taken on now.
#[utoipa::path(
    get, path = "/api/intake/promises", tag = "cases",
    responses((status = 200, description = "The clocks.", body = PromisesBody)),
)]
pub async fn list_promises(
    State(state): State<AppState>,
    Staff(_caller): Staff,
) -> Result<Json<PromisesBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let now = state.clock.now();
    let pack = state.packs.in_force(conn.c(), now).await?;
    let over_at = |span| over_at(span, now, &[], &pack).timestamp_millis();
    let cases = rules(&pack).promises.into_iter().map(|it| PromisedBody {
        rule: it.rule,
        kinds: it.kinds.iter().map(|kind| kind.key()).collect(),
        starts: Start::Taken,
        due_at: over_at(Span::Minutes(it.minutes)),
        guide_due_at: None,
    });
    let jobs = pack.promises.iter().map(|it| PromisedBody {
        rule: it.rule.clone(),
        kinds: it.kinds.iter().map(|kind| kind.key()).collect(),
        starts: it.starts,
        due_at: over_at(it.span()),
        guide_due_at: it.guide.and_then(Spans::span).map(over_at),
    });
    let offered = JobKind::ALL.into_iter().filter(|kind| pack.offers(*kind));
    let kinds = offered.map(JobKind::key).collect();
    let calls = applications::rules(&pack).calls.into();
    Ok(Json(PromisesBody { cases: cases.collect(), jobs: jobs.collect(), kinds, calls }))
}

/// Finds households.
#[utoipa::path(
    get, path = "/api/households", tag = "households", params(FindHouseholds),
    responses((status = 200, description = "Those found.", body = HouseholdsBody)),
)]
pub async fn find_households(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<FindHouseholds>,
) -> Result<Json<HouseholdsBody>, ApiError> {
    let Some(pattern) = asked.text.pattern() else {
        return Ok(Json(HouseholdsBody { households: Vec::new(), outages: BTreeMap::new() }));
    };
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let today = city_day(state.clock.now(), i32::try_from(hall.utc_offset_minutes).unwrap_or(0));
    let found = households::search_households(conn.c(), caller.hall, &pattern, MOST_FOUND).await?;
    let ids: Vec<HouseholdId> = found.iter().map(|it| it.id).collect();
    let of = (caller.hall, ids.as_slice());
    let outages = list_home_outages(conn.c(), of, state.clock.now()).await?;
    let mut households = Vec::with_capacity(found.len());
    for household in found {
        households.push(ledger::shown(conn.c(), household, today).await?);
    }
    Ok(Json(HouseholdsBody { households, outages }))
}

/// Says who could come when, and changes nothing.
#[utoipa::path(
    post, path = "/api/board/offers", tag = "board", request_body = AskOffers,
    responses(
        (status = 200, description = "Who could.", body = OffersBody),
        (status = 404, description = "No such household."),
    ),
)]
pub async fn offer_windows(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Body(asked): Body<AskOffers>,
) -> Result<Json<OffersBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let household =
        households::find_household_by_account(conn.c(), caller.hall, &asked.account).await?;
    let household = household.ok_or(ApiError::NotFound("household"))?;
    let people = board::people(conn.c(), caller.hall).await?;
    let now = state.clock.now();
    // What nobody took on yet has no id; this one is nobody's.
    let (job, kind) = (JobId(Uuid::nil()), asked.kind);
    let call = Call { job, kind, window: None, place: household.place, is_there: false };
    let rules = travel_rules(&state, conn.c()).await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    let (address, skills) = (household.address.as_str(), &pack.kind(kind).skills);
    let wanted = |window| Wanted { call: Call { window: Some(window), ..call }, address, skills };
    if let Some(window) = promised(&pack, kind, now) {
        let offset = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
        let day = load(conn.c(), &hall, city_day(now, offset), &state).await?;
        let nearest = nearest(&day, &wanted(window), &people, &rules);
        return Ok(Json(OffersBody { windows: Vec::new(), nearest }));
    }
    let bounds = day_bounds(asked.day, hall.utc_offset_minutes)?;
    let day = load(conn.c(), &hall, asked.day, &state).await?;
    let windows = windows(bounds.0, &rules).into_iter().filter(|window| window.end > now);
    let offered = windows.map(|window| offered(&day, &wanted(window), &people, &rules));
    Ok(Json(OffersBody { windows: offered.collect(), nearest: Vec::new() }))
}

/// The windows of a day that somebody could keep for a job that is moved; a household is told no more than that.
pub(super) async fn free_windows(
    state: &AppState,
    (hall, job, household): (HallId, JobId, HouseholdId),
    (kind, day): (JobKind, NaiveDate),
) -> Result<Vec<WindowBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let row = find_hall(conn.c(), hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let home = households::find_household(conn.c(), hall, household).await?;
    let home = home.ok_or(ApiError::NotFound("household"))?;
    let people = board::people(conn.c(), hall).await?;
    let (now, rules) = (state.clock.now(), travel_rules(state, conn.c()).await?);
    let pack = state.packs.in_force(conn.c(), now).await?;
    let bounds = day_bounds(day, row.utc_offset_minutes)?;
    let mut on = load(conn.c(), &row, day, state).await?;
    on.take(job);
    let call = Call { job, kind, window: None, place: home.place, is_there: false };
    let (address, skills) = (home.address.as_str(), &pack.kind(kind).skills);
    let ahead = windows(bounds.0, &rules).into_iter().filter(|window| window.start > now);
    let offered = ahead.map(|window| {
        let wanted = Wanted { call: Call { window: Some(window), ..call }, address, skills };
        offered(&on, &wanted, &people, &rules)
    });
    Ok(offered.filter(|it| it.fitting > 0).map(|it| it.window).collect())
}

/// Says who could be at a job first, and changes nothing.
#[utoipa::path(
    post, path = "/api/board/nearest", tag = "board", request_body = AskNearest,
    responses(
        (status = 200, description = "Who could.", body = NearestBody),
        (status = 404, description = "No such job, or nobody has to go there any more."),
    ),
)]
pub async fn find_nearest(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Body(asked): Body<AskNearest>,
) -> Result<Json<NearestBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let found = board::find(conn.c(), caller.hall, asked.job).await?;
    let task = found.ok_or(ApiError::NotFound("job that somebody still has to go to"))?;
    let people = board::people(conn.c(), caller.hall).await?;
    let offset = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let today = city_day(state.clock.now(), offset);
    let mut day = load(conn.c(), &hall, today, &state).await?;
    day.take(asked.job);
    let rules = travel_rules(&state, conn.c()).await?;
    let pack = state.packs.in_force(conn.c(), state.clock.now()).await?;
    let skills = &pack.kind(task.call.kind).skills;
    let wanted = Wanted { call: task.call, address: &task.address, skills };
    Ok(Json(NearestBody {
        due_at: task.due.map(|due| due.timestamp_millis()),
        nearest: nearest(&day, &wanted, &people, &rules),
        skills: named(skills, &pack),
    }))
}

/// Minutes decide here; whom it makes late is told beside them.
fn nearest(
    day: &Day,
    wanted: &Wanted<'_>,
    people: &[Person],
    rules: &TravelRules,
) -> Vec<OfferBody> {
    let mut nearest = board::offers(day, wanted, people, rules);
    nearest.sort_by_key(|offer| (offer.reached_at, offer.makes_late));
    nearest.iter().take(MOST_OFFERS).map(offer_body).collect()
}

fn offered(
    day: &Day,
    wanted: &Wanted<'_>,
    people: &[Person],
    rules: &TravelRules,
) -> OfferedWindow {
    let all = board::offers(day, wanted, people, rules);
    let fitting = all.iter().filter(|offer| offer.makes_late == 0);
    let window = wanted.call.window.map(|window| WindowBody {
        start: window.start.timestamp_millis(),
        end: window.end.timestamp_millis(),
    });
    OfferedWindow {
        window: window.unwrap_or(WindowBody { start: 0, end: 0 }),
        fitting: fitting.clone().count(),
        offers: fitting.take(MOST_OFFERS).map(offer_body).collect(),
    }
}

/// For an emergency the time in which the public was promised somebody on the spot (B2).
fn promised(pack: &Pack, kind: JobKind, now: Timestamp) -> Option<Window> {
    let rule = pack.promise(kind)?;
    let end = over_at(rule.span(), now, &[], pack);
    pack.kind(kind).emergency.then_some(Window { start: now, end })
}

/// The windows of a day that begins at this instant.
fn windows(day_start_ms: i64, rules: &TravelRules) -> Vec<Window> {
    let start = Timestamp::from_timestamp_millis(day_start_ms).unwrap_or_default();
    let at = |hour: u8| start + TimeDelta::hours(i64::from(hour));
    let offered = rules.offered_hours.iter();
    offered.map(|(from, to)| Window { start: at(*from), end: at(*to) }).collect()
}

fn offer_body(offer: &Offer) -> OfferBody {
    OfferBody {
        technician: offer.technician,
        reached_at: offer.reached_at.timestamp_millis(),
        metres: offer.metres,
        makes_late: offer.makes_late,
        late_minutes: offer.late.num_minutes(),
        in_area: offer.is_in_area,
    }
}
