//! What households were told, and what they answered, as the pages of jobs and households show it (B13, A10).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{HallId, HouseholdId, JobId};
use domain::pack::PackId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Dispatcher, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::track_answers::agree;
use crate::audit::{self, Entry, Subject, What};
use crate::db::told::{self as rows, NoticeRow};
use crate::db::{C, households, jobs, tracking};
use crate::jobs::summary::WindowBody;
use crate::state::AppState;
use crate::told::{self, link};

/// Notices shown at most.
const MOST: i64 = 100;

/// Something that a household was told, or was to be told; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdNoticeBody {
    id: Uuid,
    /// The key of why.
    occasion: String,
    /// `zh` or `en`.
    language: String,
    /// What; the link that went with it is kept nowhere.
    words: String,
    job: Option<Uuid>,
    outage: Option<Uuid>,
    made_at: i64,
    /// When it may be sent: the end of the night, where it had to wait.
    send_at: i64,
    /// `waiting`, `sending`, `sent`, `failed`, or why it was not sent.
    state: String,
    ended_at: Option<i64>,
    /// What went wrong last.
    error: Option<String>,
}

impl HouseholdNoticeBody {
    fn new(row: NoticeRow) -> Self {
        let state = if row.state == "handed" { "sending".to_owned() } else { row.state };
        Self {
            id: row.notice_id,
            occasion: row.occasion,
            language: row.language,
            words: row.words,
            job: row.job_id,
            outage: row.outage_id,
            made_at: row.made_at,
            send_at: row.send_at,
            state,
            ended_at: row.ended_at,
            error: row.error,
        }
    }
}

/// What was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldBody {
    /// Newest first, at most a hundred.
    notices: Vec<HouseholdNoticeBody>,
    /// Whether any gateway takes notices; without one nobody is told.
    listens: bool,
}

async fn told_body(c: C<'_>, hall: HallId, rows: Vec<NoticeRow>) -> Result<ToldBody, ApiError> {
    let listens = told::listens(c, hall).await?;
    Ok(ToldBody { notices: rows.into_iter().map(HouseholdNoticeBody::new).collect(), listens })
}

/// Shows what the household was told of a job, and how that ended.
#[utoipa::path(
    get, path = "/api/jobs/{id}/notices", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "What was told.", body = ToldBody)),
)]
pub async fn list_job_notices(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
) -> Result<Json<ToldBody>, ApiError> {
    let mut conn = state.db.read().await?;
    jobs::find_job(conn.c(), caller.hall, id).await?.ok_or(ApiError::NotFound("job"))?;
    let rows = rows::list_of_job(conn.c(), caller.hall, id, MOST).await?;
    Ok(Json(told_body(conn.c(), caller.hall, rows).await?))
}

/// Shows what a household was told, and how that ended.
#[utoipa::path(
    get, path = "/api/households/{id}/notices", tag = "households",
    params(("id" = Uuid, Path, description = "The household.")),
    responses((status = 200, description = "What was told.", body = ToldBody)),
)]
pub async fn list_household_notices(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
) -> Result<Json<ToldBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let home = households::find_household(conn.c(), caller.hall, id).await?;
    home.ok_or(ApiError::NotFound("household"))?;
    let rows = rows::list_of_household(conn.c(), caller.hall, id, MOST).await?;
    Ok(Json(told_body(conn.c(), caller.hall, rows).await?))
}

/// What a household was given and what it answered; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswersBody {
    /// Newest first.
    links: Vec<LinkBody>,
    /// Windows that it asked for, newest first.
    wishes: Vec<WishBody>,
    rating: Option<RatedBody>,
    /// Whether links can be made: the hall has to know its own address.
    has_address: bool,
}

/// A link; the token itself is kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
struct LinkBody {
    made_at: i64,
    /// Who made it; `null` for one that a notice carried.
    made_by: Option<Uuid>,
    expires_at: i64,
    revoked_at: Option<i64>,
}

/// A window that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct WishBody {
    id: Uuid,
    case: Option<Uuid>,
    window: WindowBody,
    made_at: i64,
    /// `open`, `agreed` or `declined`.
    state: String,
    decided_by: Option<Uuid>,
    decided_at: Option<i64>,
}

/// How the household found the visit.
#[derive(Debug, Serialize, ToSchema)]
struct RatedBody {
    score: i64,
    words: String,
    rated_at: i64,
    changed_at: i64,
}

/// Shows the links of a job and what the household answered by them.
#[utoipa::path(
    get, path = "/api/jobs/{id}/answers", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "Links and answers.", body = AnswersBody)),
)]
pub async fn get_answers(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<JobId>,
) -> Result<Json<AnswersBody>, ApiError> {
    let mut conn = state.db.read().await?;
    jobs::find_job(conn.c(), caller.hall, id).await?.ok_or(ApiError::NotFound("job"))?;
    let links = tracking::list_links(conn.c(), caller.hall, id).await?;
    let wishes = tracking::list_wishes(conn.c(), caller.hall, id).await?;
    let rating = tracking::find_rating(conn.c(), caller.hall, id).await?;
    let links = links.into_iter().map(|it| LinkBody {
        made_at: it.made_at,
        made_by: it.made_by,
        expires_at: it.expires_at,
        revoked_at: it.revoked_at,
    });
    let wishes = wishes.into_iter().map(|it| WishBody {
        id: it.wish_id,
        case: it.case_id,
        window: WindowBody { start: it.window_start, end: it.window_end },
        made_at: it.made_at,
        state: it.state,
        decided_by: it.decided_by,
        decided_at: it.decided_at,
    });
    Ok(Json(AnswersBody {
        links: links.collect(),
        wishes: wishes.collect(),
        rating: rating.map(|it| RatedBody {
            score: it.score,
            words: it.words,
            rated_at: it.rated_at,
            changed_at: it.changed_at,
        }),
        has_address: !state.config.public_url.is_empty(),
    }))
}

/// A link to give to the household.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeLink {
    /// Shown only here.
    link: String,
    expires_at: i64,
}

/// Makes a link to the household's page of a job; it is shown this once.
#[utoipa::path(
    post, path = "/api/jobs/{id}/links", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 201, description = "To give to the household.", body = MadeLink),
        (status = 409, description = "The server does not know its own address."),
    ),
)]
pub async fn make_link(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, Json<MadeLink>), ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let row = jobs::find_job(tx.c(), caller.hall, id).await?.ok_or(ApiError::NotFound("job"))?;
    if state.config.public_url.is_empty() {
        let what = "set public_url first: the server does not know where households reach it";
        return Err(ApiError::Conflict(what.to_owned()));
    }
    let pack = state.packs.find(tx.c(), &PackId(row.pack_id)).await?;
    let terms = (&told::rules(&pack), now);
    let made = link::make(tx.c(), (caller.hall, id), Some(caller.user), terms).await?;
    let (token, expires_at) = made.ok_or(ApiError::NotFound("job"))?;
    let entry = Entry::new(&caller, What::LinkMade, Subject::Id("job", id.0));
    audit::keep(tx.c(), now, entry).await?;
    tx.commit().await?;
    let link = link::address(&state.config.public_url, &token);
    Ok((StatusCode::CREATED, Json(MadeLink { link, expires_at })))
}

/// How many links were ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedLinks {
    links: u64,
}

/// Ends every link of a job at once.
#[utoipa::path(
    delete, path = "/api/jobs/{id}/links", tag = "jobs",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "None opens anything any more.", body = EndedLinks)),
)]
pub async fn revoke_links(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<JobId>,
) -> Result<Json<EndedLinks>, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    jobs::find_job(tx.c(), caller.hall, id).await?.ok_or(ApiError::NotFound("job"))?;
    let of = (caller.hall, id);
    let links = tracking::revoke_links(tx.c(), of, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::LinksEnded, Subject::Id("job", id.0));
    audit::keep(tx.c(), now, entry.with(json!({"count": links}))).await?;
    tx.commit().await?;
    Ok(Json(EndedLinks { links }))
}

/// What is decided of a wish.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideWish {
    /// Whether the window holds from now on.
    agree: bool,
}

/// Agrees a window that a household asked for, or declines it (A1).
#[utoipa::path(
    post, path = "/api/jobs/{id}/wishes/{wish}", tag = "jobs", request_body = DecideWish,
    params(
        ("id" = Uuid, Path, description = "The job."),
        ("wish" = Uuid, Path, description = "The wish."),
    ),
    responses(
        (status = 204, description = "It is decided."),
        (status = 409, description = "It was decided before."),
    ),
)]
pub async fn decide_wish(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path((id, wish)): Path<(JobId, Uuid)>,
    Body(body): Body<DecideWish>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    let found = tracking::find_wish(tx.c(), (caller.hall, id), wish).await?;
    let found = found.ok_or(ApiError::NotFound("wish"))?;
    if found.state != "open" {
        return Err(ApiError::Conflict("this wish was decided before".to_owned()));
    }
    if body.agree {
        drop(tx);
        agree(&state, (caller.hall, caller.user), id, &found).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let decided = ("declined", Some(caller.user), state.clock.now_ms());
    tracking::decide_wish(tx.c(), wish, decided).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
