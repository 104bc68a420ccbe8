//! Outages: written down, announced, prolonged, ended, called off (B13).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::job::Window;
use domain::outage::OutageKind;
use domain::pack::PackId;
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Dispatcher, Staff};
use super::error::ApiError;
use super::extract::{Body, Path, Query, read_whole};
use super::instants::check_window;
use super::jobs::read_window;
use super::once::{Once, Receipt};
use super::outage_preview::AskPicks;
use super::outage_views::{OutageBody, OutageSummary, outage_body};
use super::page::{Limit, read_cursor};
use super::schema;
use crate::audit::What;
use crate::db::outages as rows;
use crate::outage::{Deed, Wanted};
use crate::retry::until_won;
use crate::state::AppState;

/// Letters of area and reason: what a text message has room for.
const LONGEST_WORDS: usize = 200;

/// Which outages to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListOutages {
    /// Only those that are not over.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    open: bool,
    /// The last page's `next`.
    after: Option<String>,
    /// Outages on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of outages.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutagesBody {
    /// The last to begin first.
    outages: Vec<OutageSummary>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// Lists outages with how many households were told, and how the promise stands.
#[utoipa::path(
    get, path = "/api/outages", tag = "outages", params(ListOutages),
    responses((status = 200, description = "A page of outages.", body = OutagesBody)),
)]
pub async fn list_outages(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<ListOutages>,
) -> Result<Json<OutagesBody>, ApiError> {
    let now = state.clock.now();
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((i64::MAX, Uuid::max()));
    let mut conn = state.db.read().await?;
    let which = (after, asked.open);
    let listed = rows::list_counted(conn.c(), caller.hall, which, asked.limit.rows()).await?;
    let next = asked.limit.next(&listed, |row| (row.outage.from_at, row.outage.outage_id));
    let mut outages = Vec::with_capacity(listed.len());
    for row in listed {
        let pack = state.packs.find(conn.c(), &PackId(row.outage.pack_id.clone())).await?;
        outages.push(OutageSummary::new(row, &pack, now));
    }
    Ok(Json(OutagesBody { outages, next }))
}

/// Shows an outage: its promise, what households were told, and of a draft what announcing it would come to.
#[utoipa::path(
    get, path = "/api/outages/{id}", tag = "outages",
    params(("id" = Uuid, Path, description = "The outage.")),
    responses((status = 200, description = "All that is known of it.", body = OutageBody)),
)]
pub async fn get_outage(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<Uuid>,
) -> Result<Json<OutageBody>, ApiError> {
    let mut conn = state.db.read().await?;
    Ok(Json(outage_body(&state, conn.c(), (caller.hall, id)).await?))
}

/// An outage to write down.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOutage {
    #[schema(schema_with = schema::outage_kind)]
    kind: OutageKind,
    #[schema(schema_with = schema::window)]
    #[serde(deserialize_with = "read_window")]
    window: Window,
    picks: AskPicks,
    /// Where, in the words that households read.
    #[schema(min_length = 1, max_length = 200)]
    area: String,
    /// Why, in the words that households read.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

impl WriteOutage {
    fn wanted(&self) -> Result<Wanted, ApiError> {
        check_window(self.window)?;
        Ok(Wanted {
            kind: self.kind,
            area: words(&self.area, "area")?,
            reason: words(&self.reason, "reason")?,
            span: self.window,
            picks: self.picks.clone().area()?,
        })
    }
}

/// Words that there are, and that fit.
fn words(text: &str, name: &str) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::Unprocessable(format!("say something in `{name}`")));
    }
    fitting(text, name)
}

/// Words that fit, without the spaces around them.
pub(super) fn fitting(text: &str, name: &str) -> Result<String, ApiError> {
    if text.chars().count() > LONGEST_WORDS {
        let what = format!("send a `{name}` of {LONGEST_WORDS} letters or fewer");
        return Err(ApiError::Unprocessable(what));
    }
    Ok(text.trim().to_owned())
}

/// What was written down or done.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutageMade {
    id: Uuid,
}

/// Writes an outage down as a draft: nobody is told, but its promise runs.
#[utoipa::path(
    post, path = "/api/outages", tag = "outages", request_body = WriteOutage,
    responses((status = 201, description = "The draft.", body = OutageMade)),
)]
pub async fn write_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Once(body, receipt): Once<WriteOutage>,
) -> Result<(StatusCode, Json<OutageMade>), ApiError> {
    let wanted = body.wanted()?;
    let made = until_won(|| write(&state, &caller, (&wanted, None), &receipt)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes a draft, such as moving it.
#[utoipa::path(
    put, path = "/api/outages/{id}", tag = "outages", request_body = WriteOutage,
    params(("id" = Uuid, Path, description = "The outage.")),
    responses(
        (status = 200, description = "The draft.", body = OutageMade),
        (status = 409, description = "Households were told of it."),
    ),
)]
pub async fn revise_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<Uuid>,
    Body(body): Body<WriteOutage>,
) -> Result<Json<OutageMade>, ApiError> {
    let wanted = body.wanted()?;
    let none = Receipt::default();
    Ok(Json(until_won(|| write(&state, &caller, (&wanted, Some(id)), &none)).await?))
}

/// What somebody says when they announce.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnounceOutage {
    /// Why the promise is broken; needed where it is.
    #[serde(default)]
    #[schema(max_length = 200)]
    why: String,
}

/// Announces a draft: every household in its area is told, once.
#[utoipa::path(
    post, path = "/api/outages/{id}/announcement", tag = "outages", request_body = AnnounceOutage,
    params(("id" = Uuid, Path, description = "The outage.")),
    responses(
        (status = 201, description = "Households are being told.", body = OutageMade),
        (status = 409, description = "It is no draft."),
        (status = 422, description = "It breaks the promise, and nobody said why; or its times cannot be."),
    ),
)]
pub async fn announce_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<Uuid>,
    Once(body, receipt): Once<AnnounceOutage>,
) -> Result<(StatusCode, Json<OutageMade>), ApiError> {
    let why = fitting(&body.why, "why")?;
    act(&state, &caller, (id, receipt), Act::Announce(why)).await
}

/// Another end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProlongOutage {
    /// The end from now on, Unix milliseconds.
    #[serde(deserialize_with = "read_whole")]
    until: i64,
    /// Why, in the words that households read; as before when left out.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// Lets an outage end later than was said: every household is told the new end.
#[utoipa::path(
    post, path = "/api/outages/{id}/prolongations", tag = "outages", request_body = ProlongOutage,
    params(("id" = Uuid, Path, description = "The outage.")),
    responses(
        (status = 201, description = "Households are being told.", body = OutageMade),
        (status = 409, description = "It was not announced, or is over."),
    ),
)]
pub async fn prolong_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<Uuid>,
    Once(body, receipt): Once<ProlongOutage>,
) -> Result<(StatusCode, Json<OutageMade>), ApiError> {
    let (until, reason) = (instant(body.until)?, fitting(&body.reason, "reason")?);
    act(&state, &caller, (id, receipt), Act::Prolong(until, reason)).await
}

/// When the gas was on again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndOutage {
    /// Unix milliseconds, no later than now.
    #[serde(deserialize_with = "read_whole")]
    at: i64,
}

/// Ends an outage: every household is told that the gas is on again.
#[utoipa::path(
    post, path = "/api/outages/{id}/end", tag = "outages", request_body = EndOutage,
    params(("id" = Uuid, Path, description = "The outage.")),
    responses(
        (status = 201, description = "Households are being told.", body = OutageMade),
        (status = 409, description = "It was not announced, has not begun, or is over."),
    ),
)]
pub async fn end_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<Uuid>,
    Once(body, receipt): Once<EndOutage>,
) -> Result<(StatusCode, Json<OutageMade>), ApiError> {
    let at = instant(body.at)?;
    act(&state, &caller, (id, receipt), Act::End(at)).await
}

/// Why an outage is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOutage {
    /// For the hall; households do not read it.
    #[schema(min_length = 1, max_length = 200)]
    why: String,
}

/// Calls an outage off: whoever was told of it is told that the gas stays on.
#[utoipa::path(
    post, path = "/api/outages/{id}/cancellation", tag = "outages", request_body = CancelOutage,
    params(("id" = Uuid, Path, description = "The outage.")),
    responses(
        (status = 201, description = "It is called off.", body = OutageMade),
        (status = 409, description = "It is over."),
    ),
)]
pub async fn cancel_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<Uuid>,
    Once(body, receipt): Once<CancelOutage>,
) -> Result<(StatusCode, Json<OutageMade>), ApiError> {
    let why = words(&body.why, "why")?;
    act(&state, &caller, (id, receipt), Act::Cancel(why)).await
}

async fn write(
    state: &AppState,
    caller: &Caller,
    (wanted, draft): (&Wanted, Option<Uuid>),
    receipt: &Receipt,
) -> Result<OutageMade, ApiError> {
    let mut deed = Deed::begin(state, caller).await?;
    let id = deed.write(wanted.clone(), draft).await?;
    done(deed, (id, receipt), (What::OutageWritten, Value::Null)).await
}

/// What is done with an outage.
enum Act {
    Announce(String),
    Prolong(Timestamp, String),
    End(Timestamp),
    Cancel(String),
}

async fn act(
    state: &AppState,
    caller: &Caller,
    (id, receipt): (Uuid, Receipt),
    act: Act,
) -> Result<(StatusCode, Json<OutageMade>), ApiError> {
    let made = until_won(|| act_once(state, caller, (id, &receipt), &act)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn act_once(
    state: &AppState,
    caller: &Caller,
    (id, receipt): (Uuid, &Receipt),
    act: &Act,
) -> Result<OutageMade, ApiError> {
    let mut deed = Deed::begin(state, caller).await?;
    let entered = match act {
        Act::Announce(why) => (What::OutageAnnounced, deed.announce(id, why).await?),
        Act::Prolong(until, why) => (What::OutageProlonged, deed.prolong(id, (*until, why)).await?),
        Act::End(at) => (What::OutageEnded, deed.end(id, *at).await?),
        Act::Cancel(why) => (What::OutageCancelled, deed.cancel(id, why).await?),
    };
    done(deed, (id, receipt), entered).await
}

/// Keeps the receipt and commits.
async fn done(
    mut deed: Deed<'_>,
    (id, receipt): (Uuid, &Receipt),
    entered: (What, Value),
) -> Result<OutageMade, ApiError> {
    let (made, now_ms) = (OutageMade { id }, deed.now_ms());
    receipt.keep(deed.tx.c(), &made, now_ms).await?;
    deed.commit(id, entered).await?;
    Ok(made)
}

/// An instant that can be.
pub(super) fn instant(ms: i64) -> Result<Timestamp, ApiError> {
    let at = Timestamp::from_timestamp_millis(ms);
    let is_sane = (schema::EARLIEST_MS..=schema::LATEST_MS).contains(&ms);
    at.filter(|_| is_sane).ok_or_else(|| {
        ApiError::Unprocessable(
            "send an instant in Unix milliseconds, from 2000 to 2100".to_owned(),
        )
    })
}
