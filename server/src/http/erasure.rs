//! What a household may ask of the hall about its data: all of it in one file, and that it be erased (PIPL 45, 47).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::FixedOffset;
use domain::id::{ApplicationId, CaseId, HallId, HouseholdId, JobId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Manager, PasswordGiven};
use super::error::ApiError;
use super::exports::Tongue;
use super::extract::{Body, Path, Query};
use super::households;
use super::ledger_views::{Seen, ledger_body};
use crate::db::{C, erasure as rows, halls, person_files, photos};
use crate::erasure::{self, Erased};
use crate::export;
use crate::jobs::plan;
use crate::state::AppState;
use crate::{applications, cases, ledger};

/// The longest reason.
const LONGEST_REASON: usize = 500;

/// How the file is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileForm {
    /// For programs, whole.
    #[default]
    Json,
    /// For people, line by line.
    Xlsx,
}

/// How a household's file is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskHouseholdFile {
    /// The language of words in a workbook.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    #[serde(default)]
    #[param(value_type = Option<FileForm>, inline)]
    format: FileForm,
}

/// That a household be erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseHousehold {
    /// Its account number, typed again by who erases it.
    #[schema(max_length = 100)]
    account: String,
    /// Who asked, when and by which paper; no names.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasedBody {
    jobs: usize,
    changes: u64,
    photos: u64,
}

/// Gives everything that is known of a household in one file.
#[utoipa::path(
    get, path = "/api/households/{id}/file", tag = "households",
    params(("id" = Uuid, Path, description = "The household."), AskHouseholdFile),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (serde_json::Value = "application/json"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
    )),
)]
pub async fn export_household(
    State(state): State<AppState>,
    Manager(caller): Manager,
    _: PasswordGiven,
    Path(id): Path<HouseholdId>,
    Query(asked): Query<AskHouseholdFile>,
) -> Result<Response, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let file = gather(&state, conn.c(), (&caller, id)).await?;
    drop(conn);
    let (kind, end, bytes) = match asked.format {
        FileForm::Json => {
            let bytes = serde_json::to_vec_pretty(&file).map_err(anyhow::Error::from)?;
            ("application/json", "json", bytes)
        }
        FileForm::Xlsx => {
            let offset = i32::try_from(hall.utc_offset_minutes * 60).ok();
            let offset = offset.and_then(FixedOffset::east_opt);
            let offset = offset.unwrap_or(FixedOffset::east_opt(0).expect("zero is within a day"));
            let sheet = export::household(&file, asked.lang.into(), offset);
            let bytes = tokio::task::spawn_blocking(move || export::xlsx(&sheet)).await;
            let bytes = bytes.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", bytes)
        }
    };
    // The id and no account: names of files lie around in folders.
    let name = format!("attachment; filename=\"household-{id}.{end}\"");
    let name = HeaderValue::from_str(&name).map_err(anyhow::Error::from)?;
    let kind = HeaderValue::from_static(kind);
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// Erases everything that names the people of a household or was said with them; the work done there stays without them.
#[utoipa::path(
    post, path = "/api/households/{id}/erasure", tag = "households", request_body = EraseHousehold,
    params(("id" = Uuid, Path, description = "The household.")),
    responses(
        (status = 200, description = "It is gone.", body = ErasedBody),
        (status = 409, description = "Something is still open; `reason` says what."),
    ),
)]
pub async fn erase_household(
    State(state): State<AppState>,
    Manager(caller): Manager,
    _: PasswordGiven,
    Path(id): Path<HouseholdId>,
    Body(body): Body<EraseHousehold>,
) -> Result<Json<ErasedBody>, ApiError> {
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let what = format!("write a `reason` of 1 to {LONGEST_REASON} letters");
        return Err(ApiError::Unprocessable(what));
    }
    let now = state.clock.now();
    let (household, _) = households::find(state.db.read().await?.c(), &caller, id, now).await?;
    if household.account != body.account.trim() {
        let what = "send as `account` the account number of the household that is to be erased";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    let by = ((&caller).into(), caller.user);
    let Erased { jobs, emptied } =
        erasure::erase_household(&state, (caller.hall, id), by, reason).await?;
    // Whatever the store says: what it still holds goes with the next upkeep.
    if let Err(error) = erasure::take_from_store(&state).await {
        tracing::warn!(%error, "erased pictures are taken from the store later");
    }
    Ok(Json(ErasedBody { jobs, changes: emptied.changes, photos: emptied.photos }))
}

/// Everything, as the file has it.
async fn gather(
    state: &AppState,
    mut c: C<'_>,
    (caller, id): (&Caller, HouseholdId),
) -> Result<Value, ApiError> {
    let now = state.clock.now();
    let hall = caller.hall;
    let (household, today) = households::find(c.lend(), caller, id, now).await?;
    let seen = Seen { state, hall, now, today };
    let known = ledger_body(c.lend(), &seen, household).await?;
    let mut jobs = Vec::new();
    for row in rows::list_jobs(c.lend(), hall, id).await? {
        jobs.push(job_file(c.lend(), hall, JobId(row.job_id)).await?);
    }
    let mut told = Vec::new();
    for case in person_files::list_case_ids(c.lend(), id).await? {
        told.push(case_file(c.lend(), hall, CaseId(case)).await?);
    }
    let mut asked = Vec::new();
    for it in person_files::list_application_ids(c.lend(), id).await? {
        asked.push(application_file(state, c.lend(), hall, ApplicationId(it)).await?);
    }
    let beside = person_files::find_beside(c, id).await?;
    Ok(json!({
        "made_at": now.timestamp_millis(),
        "known": known,
        "jobs": jobs,
        "cases": told,
        "applications": asked,
        "beside": beside,
    }))
}

/// A job as its document says it, without groups whose consent was taken back, and what pictures there are.
async fn job_file(mut c: C<'_>, hall: HallId, id: JobId) -> Result<Value, ApiError> {
    let mut job = plan::read(&plan::load(c.lend(), id).await?)?;
    ledger::withhold(c.lend(), &mut job).await?;
    let named = photos::list_named(c, hall, id).await?;
    let pictures: Vec<Value> = named
        .into_iter()
        .map(|it| json!({"hash": it.hash, "subject": it.subject, "taken_at": it.earliest}))
        .collect();
    Ok(json!({"job": job, "pictures": pictures}))
}

async fn case_file(c: C<'_>, hall: HallId, id: CaseId) -> Result<Value, ApiError> {
    let whole = cases::find(c, hall, id).await?;
    let row = whole.row.case;
    Ok(json!({
        "number": row.number, "kind": row.kind, "channel": row.channel, "caller": row.caller_name,
        "contact": row.caller_contact, "words": row.words, "opened_at": row.opened_at, "history": whole.history,
    }))
}

async fn application_file(
    state: &AppState,
    c: C<'_>,
    hall: HallId,
    id: ApplicationId,
) -> Result<Value, ApiError> {
    let whole = applications::find(c, &state.packs, hall, id).await?;
    let row = whole.row.application;
    Ok(json!({
        "number": row.number, "procedure": row.procedure_id, "applicant": row.applicant,
        "contact": row.contact, "words": row.words, "new_holder": row.new_holder,
        "new_phone": row.new_phone, "new_address": row.new_address, "taken_at": row.taken_at,
        "history": whole.history,
    }))
}
