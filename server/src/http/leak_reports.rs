//! `POST /api/leaks`: a leak in two fields, at a household or at a place that no register knows (B2, B4).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::case::CaseKind;
use domain::catalogue::{Language, text};
use domain::household::Household;
use domain::id::CaseId;
use domain::job::{Channel, JobKind};
use domain::road::Likely;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::jobs::{JobWanted, LONGEST_PHONE, Made, check_request, make_job};
use super::once::{Once, Receipt};
use super::version;
use crate::cases::{self, NewCase};
use crate::db::{Tx, halls, households};
use crate::ids::fresh_uuid;
use crate::places;
use crate::retry::until_won;
use crate::state::AppState;

/// Letters of a place in words.
const LONGEST_PLACE: usize = 200;

/// A leak that somebody reports; send either `account` or `place`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginLeak {
    /// The account number of the household.
    #[schema(min_length = 1, max_length = 100)]
    account: Option<String>,
    /// Where, in words, when no register knows the place: a corridor, a crossing, a home without an account.
    #[schema(min_length = 1, max_length = 200)]
    place: Option<String>,
    /// The number that the caller can be reached at.
    #[schema(min_length = 1, max_length = 40)]
    phone: String,
    /// What they say, in words.
    #[serde(default)]
    #[schema(max_length = 2000)]
    request: String,
}

/// A leak taken on; people's phones ring by now.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeakBegunBody {
    /// Its job.
    id: Uuid,
    /// The case of who called; the taker owns it until somebody accepts it (B4).
    case: Uuid,
    /// What people call that case.
    case_number: i64,
    /// To send as `If-Match` with the next edit.
    etag: String,
}

/// Where it leaks.
enum Where<'a> {
    /// At a household of the register.
    Account(&'a str),
    /// At a place in words, likely to be near a known door.
    Place(&'a str, Option<Likely>),
}

/// Takes on a leak and calls the nearest who may be sent, at once; the caller's phone is sent what to do until then.
#[utoipa::path(
    post, path = "/api/leaks", tag = "leaks", request_body = BeginLeak,
    responses(
        (status = 201, description = "The hall has it, and phones ring.", body = LeakBegunBody),
        (status = 404, description = "No such household."),
    ),
)]
pub async fn begin_leak(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Once(body, receipt): Once<BeginLeak>,
) -> Result<(StatusCode, Json<LeakBegunBody>), ApiError> {
    let refuse = |what: &str| Err(ApiError::Unprocessable(what.to_owned()));
    let phone = body.phone.trim();
    if phone.is_empty() || body.phone.chars().count() > LONGEST_PHONE {
        return refuse("send as `phone` the number that the caller can be reached at");
    }
    check_request(&body.request)?;
    let (account, place) = (body.account.as_deref(), body.place.as_deref());
    let fits = |words: &str| words.chars().count() <= LONGEST_PLACE && !words.trim().is_empty();
    let at = match (account, place) {
        (Some(account), None) => Where::Account(account.trim()),
        (None, Some(words)) if fits(words) => {
            let words = words.trim();
            let mut conn = state.db.read().await?;
            Where::Place(words, places::likely(conn.c(), caller.hall, words).await?)
        }
        (None, Some(_)) => return refuse("say in `place` where it leaks, in 200 letters or fewer"),
        (Some(_), Some(_)) | (None, None) => return refuse("send either account or place"),
    };
    let made = until_won(|| begin(&state, &caller, (&body, phone, &at), &receipt)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn begin(
    state: &AppState,
    caller: &Caller,
    (body, phone, at): (&BeginLeak, &str, &Where<'_>),
    receipt: &Receipt,
) -> Result<LeakBegunBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // The hall's row first: the number of a place is the next one.
    halls::take_positions(tx.c(), caller.hall, 0).await?;
    let household = match at {
        Where::Account(account) => {
            let found = households::find_household_by_account(tx.c(), caller.hall, account).await?;
            found.ok_or(ApiError::NotFound("household"))?
        }
        Where::Place(words, likely) => {
            let (by, said) = ((caller.hall, caller.user), (*words, phone));
            places::make(state, &mut tx, by, said, likely.as_ref()).await?
        }
    };
    let wanted = JobWanted {
        kind: JobKind::Emergency,
        household: household.id,
        request: &body.request,
        caller_phone: phone,
        appointment: None,
        technician: None,
    };
    let job = make_job(state, caller, &mut tx, &wanted).await?;
    let said = (body.request.trim(), phone);
    let (case, number, reached) =
        open_case(state, caller, &mut tx, (&household, &job), said).await?;
    let etag = version::tag(job.position);
    let made = LeakBegunBody { id: job.id.0, case: case.0, case_number: number, etag };
    receipt.keep(tx.c(), &made, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, reached);
    Ok(made)
}

/// Opens the case of who called, in the taker's name, with the job that was made of it.
async fn open_case(
    state: &AppState,
    caller: &Caller,
    tx: &mut Tx,
    (household, job): (&Household, &Made),
    (words, phone): (&str, &str),
) -> Result<(CaseId, i64, i64), ApiError> {
    let now = state.clock.now();
    let position = halls::take_positions(tx.c(), caller.hall, 2).await?;
    let pack = state.packs.in_force(tx.c(), now).await?;
    let unsaid = || text(Language::Chinese, "case.leak_words", &[]);
    let new = NewCase {
        id: CaseId(fresh_uuid(now)),
        hall: caller.hall,
        kind: CaseKind::LeakReport,
        channel: Channel::Phone,
        household: Some(household.id.0),
        caller: (household.holder.clone(), phone.to_owned()),
        words: if words.is_empty() { unsaid() } else { words.to_owned() },
        call_back: false,
        asked: None,
        by: caller.user,
    };
    let number = cases::open(tx.c(), &new, (&pack, now, position)).await?;
    let of = (job.id, caller.user);
    cases::link_job(tx.c(), (caller.hall, new.id), of, (now, position + 1)).await?;
    Ok((new.id, number, position + 1))
}
