//! A household's page behind a link: what it may see of its one job, and what it answers (A10).
//!
//! A link that is over, ended or never was is one and the same refusal.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::TimeDelta;
use domain::catalogue::{self, Language, Sentence};
use domain::id::{HallId, JobId, UserId};
use domain::job::{Job, JobKind};
use domain::ledger::language;
use domain::notice::say_moment;
use domain::pack::{NoticeRules, Pack};
use domain::round::travel;
use domain::stamp::Timestamp;
use domain::status::{Status, standing};
use domain::visit::{Fact, live_facts};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::ClientAddress;
use super::error::ApiError;
use super::extract::Path;
use crate::db::jobs::{JobRow, find_job};
use crate::db::tracking::{self, LinkRow};
use crate::db::{C, devices, halls, users, work_cards};
use crate::identity::token::{TokenHash, hex};
use crate::jobs::plan::{load, read};
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
pub(super) struct Opened {
    link: LinkRow,
    pub(super) row: JobRow,
    pub(super) rules: NoticeRules,
    pub(super) pack: std::sync::Arc<Pack>,
    pub(super) now: Timestamp,
}

impl Opened {
    pub(super) fn hall(&self) -> HallId {
        HallId(self.link.hall_id)
    }

    pub(super) fn job(&self) -> JobId {
        JobId(self.link.job_id)
    }

    fn status(&self) -> Option<Status> {
        Status::from_key(&self.row.status)
    }

    /// Whether somebody could still come at another time.
    pub(super) fn may_wish(&self) -> bool {
        let again = [Status::Unassigned, Status::Assigned, Status::NoOneHome, Status::CannotFinish];
        self.status().is_some_and(|it| again.contains(&it))
            && self.kind().is_some_and(|kind| !self.pack.kind(kind).emergency)
    }

    /// Whether somebody was there.
    pub(super) fn may_rate(&self) -> bool {
        self.status().is_some_and(|it| !it.is_open() && it != Status::Cancelled)
    }

    pub(super) fn kind(&self) -> Option<JobKind> {
        JobKind::from_key(&self.row.kind)
    }
}

/// Counts a request, and finds what a token opens.
pub(super) async fn open(
    state: &AppState,
    address: ClientAddress,
    token: &str,
) -> Result<Opened, ApiError> {
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
    if let Fact::CashTaken { amount, receipt, .. } = fact {
        let yuan = format!("{}.{:02}", amount.0 / 100, (amount.0 % 100).abs());
        return Some(Sentence::new("track.did.cash").with("yuan", yuan).with("receipt", receipt));
    }
    if let Fact::ContractSigned { number } = fact {
        return Some(Sentence::new("track.did.contract").with("number", number));
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
