//! Rule packs: which there are, which holds, what a new one would change.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use chrono::NaiveDate;
use domain::calendar::Span;
use domain::id::UserId;
use domain::pack::{Difference, Looser, Pack, PackError, PackId, Scope, compare, line_of, looser};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sync::message::PackText;
use utoipa::{IntoParams, ToSchema};

use super::caller::{Admin, Manager, Staff};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::jobs::day_bounds;
use super::once::Once;
use super::problem::ProblemKind;
use super::schema;
use crate::audit::{self, Entry, Subject, What};
use crate::db::packs::{self, ListedPackRow, PackRow, find_pack};
use crate::db::{C, halls};
use crate::packs::has_begun;
use crate::packs::trial::{self, Trial};
use crate::state::AppState;

/// A longer text is no rule pack; the program's own has 7 kB.
const LONGEST_TEXT: usize = 262_144;

/// Days that a trial looks back at most.
const MOST_DAYS: u16 = 31;

/// A rule pack in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackBody {
    id: String,
    /// The first day on which new jobs are judged by it.
    #[schema(value_type = String, format = Date)]
    valid_from: NaiveDate,
    /// Whose rules these are.
    source: String,
    added_at: i64,
    /// Who brought it; `null` for one that comes with the program.
    #[schema(value_type = Option<Uuid>)]
    added_by: Option<UserId>,
    /// When it was taken back, before it held.
    withdrawn_at: Option<i64>,
    /// Whether a job that is taken on now is judged by it.
    in_force: bool,
    /// Whether its first day has come: it can no longer be taken back.
    has_begun: bool,
    /// How many jobs keep it, of all halls.
    jobs: i64,
    /// Its figures that are looser than a law, and laws of a city looser than the nation's.
    looser: Vec<LooserBody>,
    /// The last day whose holidays were published; `null` for a pack without a calendar.
    #[schema(value_type = Option<String>, format = Date)]
    published_until: Option<NaiveDate>,
}

/// A figure that is looser than the law above it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LooserBody {
    /// The rule of the rulebook.
    rule: String,
    /// Whose figure: `city` for a law, `null` for the company's own.
    of: Option<&'static str>,
    #[schema(schema_with = schema::span)]
    figure: Span,
    /// Where the figure stands.
    source: String,
    /// Whose law is stricter: `nation` or `city`.
    than: &'static str,
    #[schema(schema_with = schema::span)]
    law: Span,
    /// Where the law stands.
    law_source: String,
}

/// The rule packs of the server, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct PacksBody {
    packs: Vec<PackBody>,
}

/// A rule pack to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPack {
    /// The pack as TOML, as `GET /api/packs/{id}/text` gives one.
    #[schema(min_length = 1, max_length = 262_144)]
    toml: String,
}

/// What differs between two packs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedBody {
    /// By table and item: what was added, removed, or changed from what into what, with both sources.
    #[schema(value_type = Vec<serde_json::Value>)]
    differences: Vec<Difference>,
}

/// Which other pack to hold beside it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskCompare {
    /// The older pack's name.
    #[param(value_type = String, max_length = 200)]
    with: PackId,
}

/// How far back to try it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskTrial {
    /// The jobs of so many days, today among them.
    #[param(minimum = 1, maximum = 31)]
    days: u16,
}

/// Gives a rule pack by which a job may be judged.
#[utoipa::path(
    get, path = "/api/packs/{id}", tag = "packs",
    params(("id" = String, Path, description = "The pack's name.", max_length = 200)),
    responses((status = 200, description = "The pack.", body = serde_json::Value)),
)]
pub async fn get_pack(
    State(state): State<AppState>,
    Staff(_): Staff,
    Path(id): Path<PackId>,
) -> Result<Json<Pack>, ApiError> {
    let mut conn = state.db.read().await?;
    Ok(Json(find(&state, conn.c(), &id).await?))
}

/// Lists the rule packs of the server, those taken back too.
#[utoipa::path(
    get, path = "/api/packs", tag = "packs",
    responses((status = 200, description = "All of them.", body = PacksBody)),
)]
pub async fn list_packs(
    State(state): State<AppState>,
    Manager(_): Manager,
) -> Result<Json<PacksBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let holds = state.packs.in_force(conn.c(), state.clock.now()).await?;
    let mut bodies = Vec::new();
    for row in packs::list_packs(conn.c()).await? {
        let pack = find(&state, conn.c(), &PackId(row.pack_id.clone())).await?;
        bodies.push(pack_body(&state, row, &pack, pack.id == holds.id));
    }
    Ok(Json(PacksBody { packs: bodies }))
}

/// Gives a rule pack's text, to begin another one with.
#[utoipa::path(
    get, path = "/api/packs/{id}/text", tag = "packs",
    params(("id" = String, Path, description = "The pack's name.", max_length = 200)),
    responses((status = 200, description = "The TOML.", body = String, content_type = "application/toml")),
)]
pub async fn get_pack_text(
    State(state): State<AppState>,
    Manager(_): Manager,
    Path(id): Path<PackId>,
) -> Result<impl IntoResponse, ApiError> {
    let row = find_pack(state.db.read().await?.c(), &id.0).await?;
    let row = row.ok_or(ApiError::NotFound("rule pack"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/toml")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"pack.toml\""),
        ),
    ];
    Ok((headers, row.toml))
}

/// Adds a rule pack that holds from a day still to come; a pack that there is never changes.
#[utoipa::path(
    post, path = "/api/packs", tag = "packs", request_body = AddPack,
    responses(
        (status = 201, description = "It holds from its first day.", body = PackBody),
        (status = 409, description = "A pack of that name was there already."),
        (status = 422, description = "It cannot be used: the problem tells the line."),
    ),
)]
pub async fn add_pack(
    State(state): State<AppState>,
    Admin(caller): Admin,
    Once(body, receipt): Once<AddPack>,
) -> Result<(StatusCode, Json<PackBody>), ApiError> {
    let now = state.clock.now();
    let pack = check(&body.toml, now)?;
    let text = PackText::new(body.toml);
    let row = PackRow {
        pack_id: pack.id.0.clone(),
        hash: text.hash.0.to_vec(),
        toml: text.toml,
        added_at: now.timestamp_millis(),
        added_by: Some(caller.user.0),
        withdrawn_at: None,
    };
    let mut tx = state.db.begin().await?;
    if !packs::insert_pack(tx.c(), &row).await? {
        let what =
            "give the pack an id of its own: a pack of this name was here, and packs never change";
        return Err(ApiError::Ruled(ProblemKind::PackKnown, what));
    }
    let listed = ListedPackRow {
        pack_id: row.pack_id,
        added_at: row.added_at,
        added_by: row.added_by,
        withdrawn_at: None,
        jobs: 0,
    };
    let made = pack_body(&state, listed, &pack, false);
    receipt.keep(tx.c(), &made, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::PackAdded, Subject::Name("pack", made.id.clone()));
    audit::keep(tx.c(), now, entry.with(json!({"valid_from": made.valid_from}))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Tells what differs between two rule packs.
#[utoipa::path(
    get, path = "/api/packs/{id}/differences", tag = "packs",
    params(("id" = String, Path, description = "The newer pack's name.", max_length = 200), AskCompare),
    responses((status = 200, description = "What differs.", body = ComparedBody)),
)]
pub async fn compare_packs(
    State(state): State<AppState>,
    Manager(_): Manager,
    Path(id): Path<PackId>,
    Query(asked): Query<AskCompare>,
) -> Result<Json<ComparedBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let new = find(&state, conn.c(), &id).await?;
    let old = find(&state, conn.c(), &asked.with).await?;
    Ok(Json(ComparedBody { differences: compare(&old, &new) }))
}

/// Judges the hall's latest jobs by a rule pack on paper; nothing is written, and every job keeps its own.
#[utoipa::path(
    get, path = "/api/packs/{id}/trial", tag = "packs",
    params(("id" = String, Path, description = "The pack's name.", max_length = 200), AskTrial),
    responses((status = 200, description = "What would be otherwise.", body = Trial)),
)]
pub async fn try_pack(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(id): Path<PackId>,
    Query(asked): Query<AskTrial>,
) -> Result<Json<Trial>, ApiError> {
    if !(1..=MOST_DAYS).contains(&asked.days) {
        return Err(ApiError::BadRequest(format!("send `days` from 1 to {MOST_DAYS}")));
    }
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let new = find(&state, conn.c(), &id).await?;
    let now = state.clock.now();
    let offset = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let today = domain::calendar::city_day(now, offset);
    let first = today - chrono::TimeDelta::days(i64::from(asked.days) - 1);
    let (from, _) = day_bounds(first, hall.utc_offset_minutes)?;
    Ok(Json(trial::try_pack(conn.c(), &state.packs, caller.hall, (&new, from, now)).await?))
}

/// Takes a rule pack back before its first day; its name stays taken.
#[utoipa::path(
    post, path = "/api/packs/{id}/withdraw", tag = "packs",
    params(("id" = String, Path, description = "The pack's name.", max_length = 200)),
    responses(
        (status = 204, description = "It will never hold."),
        (status = 409, description = "It holds, or comes with the program."),
    ),
)]
pub async fn withdraw_pack(
    State(state): State<AppState>,
    Admin(caller): Admin,
    Path(id): Path<PackId>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    let row = find_pack(tx.c(), &id.0).await?.ok_or(ApiError::NotFound("rule pack"))?;
    let pack = state.packs.find(tx.c(), &id).await?;
    if row.added_by.is_none() || has_begun(&pack, state.clock.now()) {
        let what = "bring out another pack: one that holds, or comes with the program, stays";
        return Err(ApiError::Ruled(ProblemKind::PackHolds, what));
    }
    packs::withdraw_pack(tx.c(), &id.0, state.clock.now_ms()).await?;
    let entry = Entry::new(&caller, What::PackWithdrawn, Subject::Name("pack", id.0.clone()));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(state: &AppState, mut c: C<'_>, id: &PackId) -> Result<Pack, ApiError> {
    find_pack(c.lend(), &id.0).await?.ok_or(ApiError::NotFound("rule pack"))?;
    Ok((*state.packs.find(c, id).await?).clone())
}

/// Reads a new pack; it begins tomorrow at the earliest, so that somebody can look at it before it judges.
fn check(toml: &str, now: domain::stamp::Timestamp) -> Result<Pack, ApiError> {
    let refuse = |line: Option<usize>, why: String| ApiError::PackRefused { line, why };
    if toml.len() > LONGEST_TEXT {
        return Err(refuse(None, format!("send at most {LONGEST_TEXT} bytes")));
    }
    let pack = Pack::parse(toml).map_err(|error| {
        let why = match &error {
            PackError::Toml(error) => error.message().to_owned(),
            other @ (PackError::MissingKind { .. }
            | PackError::Twice { .. }
            | PackError::Season { .. }
            | PackError::Order { .. }
            | PackError::Number { .. }) => other.to_string(),
        };
        refuse(line_of(toml, &error), why)
    })?;
    let line =
        |key: &str| toml.lines().position(|line| line.trim().starts_with(key)).map(|it| it + 1);
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=200).contains(&pack.id.0.len()) || !pack.id.0.chars().all(letters) {
        let why =
            "id: write letters, digits, dots, dashes and underscores, like city-gas-2027-01-01";
        return Err(refuse(line("id"), why.to_owned()));
    }
    if has_begun(&pack, now) {
        let why = format!("valid_from: write a day after today, not {}", pack.valid_from);
        return Err(refuse(line("valid_from"), why));
    }
    Ok(pack)
}

fn pack_body(state: &AppState, row: ListedPackRow, pack: &Pack, in_force: bool) -> PackBody {
    PackBody {
        id: row.pack_id,
        valid_from: pack.valid_from,
        source: pack.source.clone(),
        added_at: row.added_at,
        added_by: row.added_by.map(UserId),
        withdrawn_at: row.withdrawn_at,
        in_force,
        has_begun: has_begun(pack, state.clock.now()),
        jobs: row.jobs,
        looser: looser(pack).into_iter().map(looser_body).collect(),
        published_until: pack.calendar.as_ref().map(|it| it.published_until),
    }
}

fn looser_body(it: Looser) -> LooserBody {
    LooserBody {
        rule: it.rule,
        of: it.of.map(Scope::key),
        figure: it.figure,
        source: it.source,
        than: it.than.key(),
        law: it.law,
        law_source: it.law_source,
    }
}
