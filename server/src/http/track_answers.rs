//! What a household answers behind its link: a question, a wish for another window, a rating (A1, A10).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{Days, NaiveDate};
use domain::calendar::city_day;
use domain::case::CaseKind;
use domain::catalogue::{self, Language};
use domain::id::{CaseId, HallId, JobId, UserId};
use domain::job::{Appointment, Channel, PlanEntry, Window};
use domain::notice::{say_moment, say_time};
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::ClientAddress;
use super::error::ApiError;
use super::extract::{Body, Path, read_whole};
use super::instants::check_window;
use super::intake::free_windows;
use super::jobs::read_window;
use super::track::{LIVE_KIND, Opened, open};
use super::{plans, schema};
use crate::cases::{self, NewCase};
use crate::db::tracking::{self, WishRow};
use crate::db::{C, halls, households, live_events};
use crate::ids::fresh_uuid;
use crate::jobs::plan::{Addition, Terms, add, author};
use crate::jobs::summary::WindowBody;
use crate::state::AppState;

/// Questions or wishes about one job in a day.
const ANSWERS: (u32, i64) = (5, 24 * 3_600_000);

/// Days ahead for which another window can be asked for.
const DAYS_AHEAD: u64 = 14;

/// The longest question or words beside a rating.
const LONGEST_WORDS: usize = 500;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskHall {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    text: String,
}

/// Asks the hall something; it becomes a case with an owner, and is answered by a call.
#[utoipa::path(
    post, path = "/api/track/{token}/questions", tag = "track", request_body = AskHall,
    params(("token" = String, Path, description = "What stands at the end of the link.")),
    responses(
        (status = 204, description = "The hall has it."),
        (status = 429, description = "Too often."),
    ),
)]
pub async fn ask_hall(
    State(state): State<AppState>,
    address: ClientAddress,
    Path(token): Path<String>,
    Body(body): Body<AskHall>,
) -> Result<StatusCode, ApiError> {
    let opened = open(&state, address, &token).await?;
    let words = short(&body.text)?;
    allow(&state, &opened, "asks")?;
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), opened.hall(), 1).await?;
    let new = new_case(tx.c(), &opened, (CaseKind::Question, words)).await?;
    let pack = state.packs.in_force(tx.c(), opened.now).await?;
    cases::open(tx.c(), &new, (&pack, opened.now, position)).await?;
    tx.commit().await?;
    state.bell.ring(opened.hall(), position);
    Ok(StatusCode::NO_CONTENT)
}

/// A case of the household that who answers for the job owns (B4, A10).
async fn new_case(
    mut c: C<'_>,
    opened: &Opened,
    (kind, words): (CaseKind, String),
) -> Result<NewCase, ApiError> {
    let responsible = tracking::find_responsible(c.lend(), (opened.hall(), opened.job())).await?;
    let household = domain::id::HouseholdId(opened.row.household_id);
    let home = households::find_household(c, opened.hall(), household).await?;
    let caller = home.map(|it| (it.holder, it.phone)).unwrap_or_default();
    Ok(NewCase {
        id: CaseId(fresh_uuid(opened.now)),
        hall: opened.hall(),
        kind,
        channel: Channel::Other,
        household: Some(opened.row.household_id),
        caller,
        words,
        call_back: true,
        asked: None,
        by: responsible.ok_or(ApiError::NotFound("person who could answer"))?,
    })
}

/// A day to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskDay {
    /// A day of the hall's city, like 2026-03-02; from today to two weeks ahead.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
}

/// Windows that somebody could keep.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreeBody {
    windows: Vec<WindowBody>,
}

/// Says which other windows of a day somebody could keep.
#[utoipa::path(
    post, path = "/api/track/{token}/windows", tag = "track", request_body = AskDay,
    params(("token" = String, Path, description = "What stands at the end of the link.")),
    responses(
        (status = 200, description = "Those that are free.", body = FreeBody),
        (status = 409, description = "Not as the job stands."),
        (status = 429, description = "Too often."),
    ),
)]
pub async fn list_windows(
    State(state): State<AppState>,
    address: ClientAddress,
    Path(token): Path<String>,
    Body(body): Body<AskDay>,
) -> Result<Json<FreeBody>, ApiError> {
    let opened = open(&state, address, &token).await?;
    Ok(Json(FreeBody { windows: free_on(&state, &opened, body.day).await? }))
}

async fn free_on(
    state: &AppState,
    opened: &Opened,
    day: NaiveDate,
) -> Result<Vec<WindowBody>, ApiError> {
    let kind = opened.kind().filter(|_| opened.may_wish());
    let Some(kind) = kind else {
        return Err(ApiError::Conflict(
            "the window of this visit cannot be changed now".to_owned(),
        ));
    };
    let offset = opened.pack.time.utc_offset_minutes;
    let today = city_day(opened.now, offset);
    let last = today.checked_add_days(Days::new(DAYS_AHEAD)).unwrap_or(today);
    if !(today..=last).contains(&day) {
        let what = format!("ask for a day from {today} to {last}");
        return Err(ApiError::Unprocessable(what));
    }
    let of = (opened.hall(), opened.job(), domain::id::HouseholdId(opened.row.household_id));
    free_windows(state, of, (kind, day)).await
}

/// A window to ask for.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishFor {
    #[schema(schema_with = schema::window)]
    #[serde(deserialize_with = "read_window")]
    window: Window,
}

/// Asks for another window; the hall agrees it, or it is agreed at once where the rules say so (A1).
#[utoipa::path(
    post, path = "/api/track/{token}/wishes", tag = "track", request_body = WishFor,
    params(("token" = String, Path, description = "What stands at the end of the link.")),
    responses(
        (status = 204, description = "The hall has it."),
        (status = 409, description = "Not free any more, or not as the job stands."),
        (status = 429, description = "Too often."),
    ),
)]
pub async fn wish_window(
    State(state): State<AppState>,
    address: ClientAddress,
    Path(token): Path<String>,
    Body(body): Body<WishFor>,
) -> Result<StatusCode, ApiError> {
    let opened = open(&state, address, &token).await?;
    check_window(body.window)?;
    let offset = opened.pack.time.utc_offset_minutes;
    let free = free_on(&state, &opened, city_day(body.window.start, offset)).await?;
    let (start, end) = (body.window.start.timestamp_millis(), body.window.end.timestamp_millis());
    if !free.iter().any(|it| (it.start, it.end) == (start, end)) {
        return Err(ApiError::Conflict(
            "this window is not free any more: choose another".to_owned(),
        ));
    }
    allow(&state, &opened, "wishes")?;
    let at_once = opened.rules.agree_at_once;
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), opened.hall(), 2).await?;
    let day = say_moment(body.window.start, offset, Language::Chinese);
    let window = format!("{day}–{}", say_time(body.window.end, offset));
    let words = catalogue::text(Language::Chinese, "told.wish_words", &[("window", window)]);
    let new = new_case(tx.c(), &opened, (CaseKind::Request, words)).await?;
    if !at_once {
        let pack = state.packs.in_force(tx.c(), opened.now).await?;
        cases::open(tx.c(), &new, (&pack, opened.now, position)).await?;
    }
    let wish = WishRow {
        wish_id: fresh_uuid(opened.now),
        hall_id: opened.hall().0,
        job_id: opened.job().0,
        case_id: (!at_once).then_some(new.id.0),
        window_start: start,
        window_end: end,
        made_at: opened.now.timestamp_millis(),
        state: "open".to_owned(),
        decided_by: None,
        decided_at: None,
    };
    tracking::supersede_wishes(tx.c(), opened.job(), opened.now.timestamp_millis()).await?;
    tracking::insert_wish(tx.c(), &wish).await?;
    let answered = (LIVE_KIND, opened.job().0);
    live_events::insert_hint(tx.c(), opened.hall(), answered, (opened.now, position + 1)).await?;
    tx.commit().await?;
    state.bell.ring(opened.hall(), position + 1);
    if at_once {
        agree(&state, (opened.hall(), new.by), opened.job(), &wish).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Agrees a window that was asked for, in somebody's name.
pub(super) async fn agree(
    state: &AppState,
    (hall, by): (HallId, UserId),
    job: JobId,
    wish: &WishRow,
) -> Result<(), ApiError> {
    let now = state.clock.now();
    let instant = |ms| Timestamp::from_timestamp_millis(ms).unwrap_or(now);
    let window = Window { start: instant(wish.window_start), end: instant(wish.window_end) };
    let made = Appointment { window, channel: Channel::Other, author: author(by, now) };
    let addition = Addition::Entry(PlanEntry::Appointment(made));
    add(state, (hall, by), job, (&addition, &Terms::default())).await?;
    let mut tx = state.db.begin().await?;
    let decided = ("agreed", Some(by), now.timestamp_millis());
    tracking::decide_wish(tx.c(), wish.wish_id, decided).await?;
    Ok(tx.commit().await?)
}

/// How a household found a visit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// From 1 to 5, which is best.
    #[schema(minimum = 1, maximum = 5)]
    #[serde(deserialize_with = "read_whole")]
    score: i64,
    #[serde(default)]
    #[schema(max_length = 500)]
    words: String,
}

/// Rates the visit; it can be changed for as long as the rules say.
#[utoipa::path(
    put, path = "/api/track/{token}/rating", tag = "track", request_body = Rate,
    params(("token" = String, Path, description = "What stands at the end of the link.")),
    responses(
        (status = 204, description = "The hall has it."),
        (status = 409, description = "Nobody was there yet, or it cannot be changed any more."),
        (status = 429, description = "Too often."),
    ),
)]
pub async fn rate_visit(
    State(state): State<AppState>,
    address: ClientAddress,
    Path(token): Path<String>,
    Body(body): Body<Rate>,
) -> Result<StatusCode, ApiError> {
    let opened = open(&state, address, &token).await?;
    if !(1..=5).contains(&body.score) {
        return Err(ApiError::Unprocessable("send a `score` from 1 to 5".to_owned()));
    }
    let words = if body.words.trim().is_empty() { String::new() } else { short(&body.words)? };
    if !opened.may_rate() {
        return Err(ApiError::Conflict("rate the visit when it is over".to_owned()));
    }
    let now_ms = opened.now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), opened.hall(), 1).await?;
    let before = tracking::find_rating(tx.c(), opened.hall(), opened.job()).await?;
    let changes_ms = opened.rules.rating_change_hours * 3_600_000;
    if before.is_some_and(|it| it.rated_at + changes_ms <= now_ms) {
        return Err(ApiError::Conflict("this rating cannot be changed any more".to_owned()));
    }
    let rated = (body.score, words.as_str());
    tracking::upsert_rating(tx.c(), (opened.hall(), opened.job()), rated, now_ms).await?;
    let answered = (LIVE_KIND, opened.job().0);
    live_events::insert_hint(tx.c(), opened.hall(), answered, (opened.now, position)).await?;
    tx.commit().await?;
    state.bell.ring(opened.hall(), position);
    Ok(StatusCode::NO_CONTENT)
}

fn short(text: &str) -> Result<String, ApiError> {
    if text.chars().count() > LONGEST_WORDS {
        return Err(ApiError::Unprocessable(format!("say it in {LONGEST_WORDS} letters or fewer")));
    }
    plans::said(text.trim().to_owned())
}

/// Counts what a household sends in about one job.
fn allow(state: &AppState, opened: &Opened, what: &str) -> Result<(), ApiError> {
    let key = format!("{what} {}", opened.job());
    let counted = state.strangers.count(key, ANSWERS, opened.now.timestamp_millis());
    counted.map_err(|retry_after_s| ApiError::TooManyTries { retry_after_s })
}
