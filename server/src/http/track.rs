//! A household's page behind a link: what it may see of its one job, and what it answers (A10).
//!
//! A link that is over, ended or never was is one and the same refusal.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{Days, NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::case::CaseKind;
use domain::catalogue::{self, Language, Sentence};
use domain::id::{CaseId, HallId, JobId, UserId};
use domain::job::{Appointment, Channel, Job, JobKind, PlanEntry, Window};
use domain::ledger::language;
use domain::notice::{say_moment, say_time};
use domain::pack::{NoticeRules, Pack};
use domain::round::travel;
use domain::stamp::Timestamp;
use domain::status::{Status, standing};
use domain::visit::{Fact, live_facts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::ClientAddress;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::intake::free_windows;
use super::jobs::check_window;
use super::{plans, schema};
use crate::cases::{self, NewCase};
use crate::db::jobs::{JobRow, find_job};
use crate::db::tracking::{self, LinkRow, WishRow};
use crate::db::{C, devices, halls, households, live_events, users, work_cards};
use crate::identity::token::{TokenHash, hex};
use crate::ids::fresh_uuid;
use crate::jobs::plan::{Addition, Terms, add, author, load, read};
use crate::jobs::summary::WindowBody;
use crate::ledger::entries;
use crate::state::AppState;
use crate::told::{rules, stepped, travel_rules};

/// What the live stream calls what a household answered; its id is the job's.
pub const LIVE_KIND: &str = "answer";

/// Requests with one link in a minute: a page that is open asks twice.
const PER_LINK: (u32, i64) = (60, 60_000);

/// Requests from one address in a minute; a whole quarter may share it.
const PER_ADDRESS: (u32, i64) = (300, 60_000);

/// Requests from one address in a minute that found nothing: guesses.
const MISSES: (u32, i64) = (20, 60_000);

/// Questions or wishes about one job in a day.
const ANSWERS: (u32, i64) = (5, 24 * 3_600_000);

/// Days ahead for which another window can be asked for.
const DAYS_AHEAD: u64 = 14;

/// The longest question or words beside a rating.
const LONGEST_WORDS: usize = 500;

/// What a household may see; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrackBody {
    hall: String,
    /// Minutes of the hall's city east of UTC.
    utc_offset_minutes: i64,
    /// In which language the household is told, `zh` or `en`.
    #[schema(value_type = String)]
    language: Language,
    /// The key of the job's kind.
    kind: String,
    /// The key of its status.
    status: String,
    /// Since when it stands so.
    status_since: Option<i64>,
    /// When the technician's phone was heard last: what is shown is as old as that.
    heard_at: Option<i64>,
    /// The server's time.
    now: i64,
    window: Option<WindowBody>,
    /// When somebody who has set out is expected.
    expected_at: Option<i64>,
    technician: Option<TechnicianBody>,
    /// What was done, once it is.
    copy: Option<CopyBody>,
    rating: Option<RatingBody>,
    wish: Option<WishedBody>,
    may: MayBody,
    /// When the link is over.
    until: i64,
}

/// Who comes.
#[derive(Debug, Serialize, ToSchema)]
struct TechnicianBody {
    name: String,
    /// The number of the work card; empty while nobody recorded it.
    card: String,
    has_portrait: bool,
}

/// The household's copy.
#[derive(Debug, Serialize, ToSchema)]
struct CopyBody {
    ended_at: i64,
    /// What was recorded, as sentences.
    #[schema(value_type = Vec<serde_json::Value>)]
    lines: Vec<Sentence>,
}

/// A rating that was given.
#[derive(Debug, Serialize, ToSchema)]
struct RatingBody {
    score: i64,
    words: String,
    /// Until when it can be changed.
    changes_until: i64,
}

/// A window that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct WishedBody {
    window: WindowBody,
    /// `open`, `agreed` or `declined`.
    state: String,
}

/// What the page offers.
#[derive(Debug, Serialize, ToSchema)]
struct MayBody {
    ask: bool,
    wish: bool,
    rate: bool,
}

/// A link that holds, and what it opens.
struct Opened {
    link: LinkRow,
    row: JobRow,
    rules: NoticeRules,
    pack: std::sync::Arc<Pack>,
    now: Timestamp,
}

impl Opened {
    fn hall(&self) -> HallId {
        HallId(self.link.hall_id)
    }

    fn job(&self) -> JobId {
        JobId(self.link.job_id)
    }

    fn status(&self) -> Option<Status> {
        Status::from_key(&self.row.status)
    }

    /// Whether somebody could still come at another time.
    fn may_wish(&self) -> bool {
        let again = [Status::Unassigned, Status::Assigned, Status::NoOneHome, Status::CannotFinish];
        self.status().is_some_and(|it| again.contains(&it))
            && self.kind().is_some_and(|kind| !self.pack.kind(kind).emergency)
    }

    /// Whether somebody was there.
    fn may_rate(&self) -> bool {
        self.status().is_some_and(|it| !it.is_open() && it != Status::Cancelled)
    }

    fn kind(&self) -> Option<JobKind> {
        JobKind::from_key(&self.row.kind)
    }
}

/// Counts a request, and finds what a token opens.
async fn open(state: &AppState, address: ClientAddress, token: &str) -> Result<Opened, ApiError> {
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let hash = TokenHash::of(token).0;
    let counted = state
        .strangers
        .count(format!("address {}", address.0), PER_ADDRESS, now_ms)
        .and_then(|()| state.strangers.count(format!("link {}", hex(&hash)), PER_LINK, now_ms));
    counted.map_err(|retry_after_s| ApiError::TooManyTries { retry_after_s })?;
    let mut conn = state.db.read().await?;
    let found = tracking::find_link(conn.c(), &hash, now_ms).await?;
    let opened = match found {
        Some(link) => still_open(state, conn.c(), link, now).await?,
        None => None,
    };
    drop(conn);
    if let Some(opened) = opened {
        return Ok(opened);
    }
    let missed = state.strangers.count(format!("miss {}", address.0), MISSES, now_ms);
    missed.map_err(|retry_after_s| ApiError::TooManyTries { retry_after_s })?;
    Err(ApiError::NotFound("link: it is over, or it never was"))
}

/// What a link opens, unless the job has been over for long.
async fn still_open(
    state: &AppState,
    mut c: C<'_>,
    link: LinkRow,
    now: Timestamp,
) -> Result<Option<Opened>, ApiError> {
    let row = find_job(c.lend(), HallId(link.hall_id), JobId(link.job_id)).await?;
    let Some(row) = row else { return Ok(None) };
    let pack = state.packs.find(c, &domain::pack::PackId(row.pack_id.clone())).await?;
    let rules = rules(&pack);
    let is_over = !Status::from_key(&row.status).is_some_and(Status::is_open);
    let since = row.status_since.and_then(Timestamp::from_timestamp_millis);
    let is_long_over = since.is_some_and(|at| at + TimeDelta::hours(rules.copy_hours) < now);
    let opened = Opened { link, row, rules, pack, now };
    Ok((!(is_over && is_long_over)).then_some(opened))
}

/// Shows a household what it may see of its job.
#[utoipa::path(
    get, path = "/api/track/{token}", tag = "track",
    params(("token" = String, Path, description = "What stands at the end of the link.")),
    responses(
        (status = 200, description = "How it stands.", body = TrackBody),
        (status = 429, description = "Too often."),
    ),
)]
pub async fn get_track(
    State(state): State<AppState>,
    address: ClientAddress,
    Path(token): Path<String>,
) -> Result<Json<TrackBody>, ApiError> {
    let opened = open(&state, address, &token).await?;
    Ok(Json(track_body(&state, &opened).await?))
}

/// What the page shows, for the page itself too.
pub(super) async fn look(
    state: &AppState,
    address: ClientAddress,
    token: &str,
) -> Result<TrackBody, ApiError> {
    let opened = open(state, address, token).await?;
    track_body(state, &opened).await
}

impl TrackBody {
    /// What the page says without scripts, as HTML.
    pub(super) fn plain(&self) -> String {
        let languages = match self.language {
            Language::Chinese => [Language::Chinese, Language::English],
            Language::English => [Language::English, Language::Chinese],
        };
        languages.into_iter().map(|language| self.plain_in(language)).collect()
    }

    fn plain_in(&self, language: Language) -> String {
        let say = |key: &str| catalogue::text(language, key, &[]);
        let offset = i32::try_from(self.utc_offset_minutes).unwrap_or(0);
        let moment = |ms| {
            let at = Timestamp::from_timestamp_millis(ms).unwrap_or_default();
            say_moment(at, offset, language)
        };
        let mut lines = vec![
            format!("{} · {}", self.hall, say(&format!("kind.{}", self.kind))),
            format!("{}: {}", say("track.status"), say(&format!("track.status.{}", self.status))),
        ];
        let window = self.window.map(|it| format!("{} – {}", moment(it.start), moment(it.end)));
        lines.extend(window.map(|it| format!("{}: {it}", say("track.window"))));
        lines.extend(
            self.expected_at.map(|at| format!("{}: {}", say("track.expected"), moment(at))),
        );
        lines.extend(self.technician.as_ref().map(|it| {
            format!("{}: {} · {} {}", say("track.technician"), it.name, say("track.card"), it.card)
        }));
        paragraphs(language, &lines)
    }
}

/// What the page says of a link that opens nothing.
pub(super) fn refused() -> String {
    let say = |language| paragraphs(language, &[catalogue::text(language, "track.over", &[])]);
    [Language::Chinese, Language::English].map(say).concat()
}

fn paragraphs(language: Language, lines: &[String]) -> String {
    let escaped = |line: &String| {
        let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("<p lang=\"{}\">{line}</p>", language.tag())
    };
    lines.iter().map(escaped).collect()
}

async fn track_body(state: &AppState, opened: &Opened) -> Result<TrackBody, ApiError> {
    let (row, rules) = (&opened.row, &opened.rules);
    let mut conn = state.db.read().await?;
    let hall =
        halls::find_hall(conn.c(), opened.hall()).await?.ok_or(ApiError::NotFound("hall"))?;
    let written = entries(conn.c(), domain::id::HouseholdId(row.household_id)).await?;
    let technician = match row.technician_id.map(UserId) {
        Some(id) => technician_body(conn.c(), id).await?,
        None => None,
    };
    let heard_at = match row.technician_id.map(UserId) {
        Some(id) => devices::find_heard_at(conn.c(), id.0).await?,
        None => None,
    };
    let window = row.window_start.zip(row.window_end);
    let status = opened.status();
    let since = row.status_since.and_then(Timestamp::from_timestamp_millis);
    let expected = since.filter(|_| status == Some(Status::SetOut)).map(|since| {
        let way = travel(None, &travel_rules(&opened.pack));
        let start = row.window_start.and_then(Timestamp::from_timestamp_millis);
        stepped((since + way).max(start.unwrap_or(since)).max(opened.now))
    });
    let copy = if status == Some(Status::Done) {
        let job = read(&load(conn.c(), opened.job()).await?)?;
        copy_body(&job, &opened.pack, row.status_since.unwrap_or(row.created_at))
    } else {
        None
    };
    let rating = tracking::find_rating(conn.c(), opened.hall(), opened.job()).await?;
    let rating = rating.map(|it| RatingBody {
        score: it.score,
        words: it.words,
        changes_until: it.rated_at + rules.rating_change_hours * 3_600_000,
    });
    let now = opened.now.timestamp_millis();
    let may_rate = opened.may_rate() && rating.as_ref().is_none_or(|it| it.changes_until > now);
    let wishes = tracking::list_wishes(conn.c(), opened.hall(), opened.job()).await?;
    Ok(TrackBody {
        hall: hall.name,
        utc_offset_minutes: hall.utc_offset_minutes,
        language: language(&written),
        kind: row.kind.clone(),
        status: row.status.clone(),
        status_since: row.status_since,
        heard_at,
        now,
        window: window.map(|(start, end)| WindowBody { start, end }),
        expected_at: expected.map(|at| at.timestamp_millis()),
        technician,
        copy,
        rating,
        wish: wishes.into_iter().next().map(|it| WishedBody {
            window: WindowBody { start: it.window_start, end: it.window_end },
            state: it.state,
        }),
        may: MayBody { ask: true, wish: opened.may_wish(), rate: may_rate },
        until: opened.link.expires_at,
    })
}

async fn technician_body(mut c: C<'_>, id: UserId) -> Result<Option<TechnicianBody>, ApiError> {
    let Some(user) = users::find_user(c.lend(), id).await? else { return Ok(None) };
    let card = work_cards::find_card(c, id).await?;
    let has_portrait = card.as_ref().is_some_and(|it| it.has_portrait);
    let card = card.map(|it| it.number).unwrap_or_default();
    Ok(Some(TechnicianBody { name: user.name, card, has_portrait }))
}

/// What the visit that counts recorded and the household saw: no meters, no numbers of others.
fn copy_body(job: &Job, pack: &Pack, ended_at: i64) -> Option<CopyBody> {
    let visit = job.visits.get(&standing(job).visit?)?;
    let live = live_facts(visit);
    let lines = live.iter().filter_map(|(_, it)| did(&it.fact, pack)).collect();
    Some(CopyBody { ended_at, lines })
}

fn did(fact: &Fact, pack: &Pack) -> Option<Sentence> {
    if let Fact::TightnessTested { tight } = fact {
        return Some(Sentence::new(if *tight { "track.did.tight" } else { "track.did.not_tight" }));
    }
    if let Fact::GasSwitched { on } = fact {
        return Some(Sentence::new(if *on { "track.did.gas_on" } else { "track.did.gas_off" }));
    }
    if let Fact::HoseReplaced { free, .. } = fact {
        return Some(Sentence::new(if *free { "track.did.hose_free" } else { "track.did.hose" }));
    }
    if let Fact::CashTaken { amount, receipt } = fact {
        let yuan = format!("{}.{:02}", amount.0 / 100, (amount.0 % 100).abs());
        return Some(Sentence::new("track.did.cash").with("yuan", yuan).with("receipt", receipt));
    }
    if let Fact::HazardFound { item, .. } = fact {
        let rule = pack.hazards.iter().find(|it| it.id == *item)?;
        return Some(Sentence::new("track.did.hazard").naming("item", &rule.name()));
    }
    matches!(fact, Fact::Signed { .. }).then(|| Sentence::new("track.did.signed"))
}

/// Shows the picture on the work card of who comes.
#[utoipa::path(
    get, path = "/api/track/{token}/portrait", tag = "track",
    params(("token" = String, Path, description = "What stands at the end of the link.")),
    responses(
        (status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 429, description = "Too often."),
    ),
)]
pub async fn get_portrait(
    State(state): State<AppState>,
    address: ClientAddress,
    Path(token): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let opened = open(&state, address, &token).await?;
    let technician = opened.row.technician_id.map(UserId).ok_or(ApiError::NotFound("picture"))?;
    let found = work_cards::find_portrait(state.db.read().await?.c(), technician).await?;
    let jpeg = found.ok_or(ApiError::NotFound("picture"))?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg))
}

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
