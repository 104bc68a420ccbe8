//! Who was told of an outage, when and how: as a list, as a file, and notices that went up at doors (B13).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::id::HallId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Dispatcher, PasswordGiven, Staff};
use super::error::ApiError;
use super::exports::{Form, Tongue, download};
use super::extract::{Path, Query, read_whole};
use super::once::{Once, Receipt};
use super::outage_views::shown_state;
use super::outages::instant;
use super::page::{Limit, read_cursor};
use crate::audit::What;
use crate::db::outage_told::{self as told_rows, RecordRow};
use crate::db::{C, halls, outages as rows};
use crate::export::{self, MOST_ROWS};
use crate::outage::{Deed, newest_cause};
use crate::retry::until_won;
use crate::state::AppState;
use crate::told::outages::{OFF, ON};

/// Households named at once at most.
const MOST_NAMED: usize = 5000;

/// Whether households are told that the gas is off, or that it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutagePhase {
    /// The gas is, or will be, off.
    #[default]
    Off,
    /// It is on again, or stays on.
    On,
}

impl OutagePhase {
    fn key(self) -> &'static str {
        match self {
            Self::Off => OFF,
            Self::On => ON,
        }
    }
}

/// Which households to list.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordPart {
    /// All of them.
    #[default]
    All,
    /// Those who were not told.
    NotTold,
    /// Those whom no message reaches: a notice has to go on their doors.
    Doors,
}

impl RecordPart {
    fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NotTold => "not_told",
            Self::Doors => "doors",
        }
    }
}

/// Which part of a record.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListRecord {
    /// What they are told of.
    #[serde(default)]
    #[param(value_type = Option<OutagePhase>, inline)]
    phase: OutagePhase,
    /// Which of them.
    #[serde(default)]
    #[param(value_type = Option<RecordPart>, inline)]
    part: RecordPart,
    /// The last page's `next`.
    after: Option<String>,
    /// Households on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordBody {
    /// By address.
    households: Vec<ToldHousehold>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// How one household was told, or was not; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldHousehold {
    household: Uuid,
    account: String,
    holder: String,
    address: String,
    phone: String,
    /// When it was told first; `null` while it was not.
    told_at: Option<i64>,
    /// `message` or `door`.
    how: Option<String>,
    /// Who says that a notice is on the door.
    told_by: Option<Uuid>,
    told_by_name: Option<String>,
    /// How the newest message stands; `null` where nothing was written down.
    state: Option<String>,
    /// When that was written down, and settled.
    made_at: Option<i64>,
    ended_at: Option<i64>,
    /// What went wrong last.
    error: Option<String>,
}

impl From<RecordRow> for ToldHousehold {
    fn from(row: RecordRow) -> Self {
        Self {
            household: row.household_id,
            account: row.account,
            holder: row.holder,
            address: row.address,
            phone: row.phone,
            told_at: row.told_at,
            how: row.how,
            told_by: row.told_by,
            told_by_name: row.told_by_name,
            state: row.state.map(shown_state),
            made_at: row.made_at,
            ended_at: row.ended_at,
            error: row.error,
        }
    }
}

/// Lists the households of an outage with who was told when, by which way, and who was not.
#[utoipa::path(
    get, path = "/api/outages/{id}/households", tag = "outages",
    params(("id" = Uuid, Path, description = "The outage."), ListRecord),
    responses((status = 200, description = "A page of the record.", body = RecordBody)),
)]
pub async fn list_outage_households(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<Uuid>,
    Query(asked): Query<ListRecord>,
) -> Result<Json<RecordBody>, ApiError> {
    let after: (String, Uuid) = read_cursor(asked.after.as_deref())?.unwrap_or_default();
    let mut conn = state.db.read().await?;
    let cause = find_cause(conn.c(), (caller.hall, id), asked.phase).await?;
    let of = (id, asked.phase.key(), cause.as_str());
    let place = (asked.part.key(), (after.0.as_str(), after.1));
    let listed = told_rows::list_record(conn.c(), of, place, asked.limit.rows()).await?;
    let next = asked.limit.next(&listed, |row| (row.address.clone(), row.household_id));
    Ok(Json(RecordBody { households: listed.into_iter().map(Into::into).collect(), next }))
}

/// The cause of a phase's newest message; refuses an outage of nobody's or another hall's.
async fn find_cause(
    mut c: C<'_>,
    (hall, id): (HallId, Uuid),
    phase: OutagePhase,
) -> Result<String, ApiError> {
    rows::find_outage(c.lend(), hall, id).await?.ok_or(ApiError::NotFound("outage"))?;
    Ok(newest_cause(&rows::list_tellings(c, id).await?, phase.key()))
}

/// How a record is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskRecord {
    /// Which of the households.
    #[serde(default)]
    #[param(value_type = Option<RecordPart>, inline)]
    part: RecordPart,
    /// What they are told of.
    #[serde(default)]
    #[param(value_type = Option<OutagePhase>, inline)]
    phase: OutagePhase,
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// Writes the record of an outage for spreadsheets: each household with who told it, when and how.
#[utoipa::path(
    get, path = "/api/outages/{id}/record", tag = "outages",
    params(("id" = Uuid, Path, description = "The outage."), AskRecord),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_outage(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Path(id): Path<Uuid>,
    Query(asked): Query<AskRecord>,
) -> Result<impl IntoResponse, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let cause = find_cause(conn.c(), (caller.hall, id), asked.phase).await?;
    let of = (id, asked.phase.key(), cause.as_str());
    let place = (asked.part.key(), ("", Uuid::nil()));
    let listed = told_rows::list_record(conn.c(), of, place, MOST_ROWS).await?;
    drop(conn);
    let sheet = export::outage_record(listed, &hall, asked.lang.into());
    download(sheet, asked.format, &format!("outage-{}-{}", asked.phase.key(), asked.part.key()))
        .await
}

/// Notices that went up at doors.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteDoors {
    /// What they say.
    #[serde(default)]
    #[schema(inline)]
    phase: OutagePhase,
    /// When they went up, Unix milliseconds; no later than now.
    #[serde(deserialize_with = "read_whole")]
    at: i64,
    /// At whose doors; everybody's who was not told when left out.
    #[schema(value_type = Option<Vec<Uuid>>)]
    households: Option<BTreeSet<Uuid>>,
}

/// How many were told by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoorsNoted {
    /// Households that nobody had told before.
    told: u64,
}

/// Notes that notices are on doors: whoever lives there counts as told. Who was told before stays as they were.
#[utoipa::path(
    post, path = "/api/outages/{id}/doors", tag = "outages", request_body = NoteDoors,
    params(("id" = Uuid, Path, description = "The outage.")),
    responses(
        (status = 201, description = "It is in the record.", body = DoorsNoted),
        (status = 409, description = "It was not announced; or, for `on`, is not over."),
    ),
)]
pub async fn note_doors(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(id): Path<Uuid>,
    Once(body, receipt): Once<NoteDoors>,
) -> Result<(StatusCode, Json<DoorsNoted>), ApiError> {
    if body.households.as_ref().is_some_and(|it| it.len() > MOST_NAMED) {
        let what = format!("name {MOST_NAMED} households or fewer at once");
        return Err(ApiError::Unprocessable(what));
    }
    let noted = until_won(|| note_once(&state, &caller, (id, &body), &receipt)).await?;
    Ok((StatusCode::CREATED, Json(noted)))
}

async fn note_once(
    state: &AppState,
    caller: &Caller,
    (id, body): (Uuid, &NoteDoors),
    receipt: &Receipt,
) -> Result<DoorsNoted, ApiError> {
    let mut deed = Deed::begin(state, caller).await?;
    let what = (body.phase.key(), instant(body.at)?);
    let told = deed.note_doors(id, what, body.households.as_ref()).await?;
    let noted = DoorsNoted { told };
    let now_ms = deed.now_ms();
    receipt.keep(deed.tx.c(), &noted, now_ms).await?;
    let detail = json!({"phase": body.phase.key(), "at": body.at, "households": told});
    deed.commit(id, (What::OutageDoorsNoted, detail)).await?;
    Ok(noted)
}
