//! Photos and signatures: phones hand them in part by part, the hall looks at them.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use domain::id::{DeviceId, FactId, JobId, UserId, VisitId};
use domain::photo::Format;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Phone, Sender, Staff};
use super::error::ApiError;
use super::extract::{Path, Query};
use crate::db::documents;
use crate::db::photos::{self as rows, NamedRow};
use crate::identity::Role;
use crate::photos::{self, Part, PhotoHash, Progress};
use crate::state::AppState;

/// Photos that the report of what is missing shows at most.
const LONGEST_REPORT: i64 = 500;

/// How far an upload is.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadBody {
    /// Where the next part begins.
    offset: i64,
    /// Whether the hall has the whole picture: from then on the phone may let go of it.
    held: bool,
}

/// Where a part belongs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PutPart {
    /// Where in the picture the part begins.
    #[param(minimum = 0)]
    offset: i64,
    /// How long the whole picture is.
    #[param(minimum = 1)]
    length: i64,
}

/// A photo or signature that a fact names.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhotoBody {
    #[schema(value_type = Uuid)]
    job: JobId,
    #[schema(value_type = Uuid)]
    visit: VisitId,
    #[schema(value_type = Uuid)]
    fact: FactId,
    /// `photo_taken`, `signed` or `road_blocked`.
    kind: String,
    /// What it shows, for a photo.
    subject: Option<String>,
    /// Its name: SHA-256 in hexadecimal.
    hash: String,
    #[schema(value_type = Uuid)]
    technician: UserId,
    /// The earliest it can have been taken, Unix ms.
    taken_at: i64,
    /// Whether the fact was taken back.
    withdrawn: bool,
    /// Whether the hall has the picture yet.
    held: bool,
    /// When it was erased, Unix ms.
    erased_at: Option<i64>,
    media_type: Option<String>,
    size_bytes: Option<i64>,
    received_at: Option<i64>,
}

/// Photos that facts name.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhotosBody {
    photos: Vec<PhotoBody>,
}

/// Tells a phone how far it is with a picture.
#[utoipa::path(
    get, path = "/api/jobs/{id}/photos/{hash}/upload", tag = "phones",
    params(
        ("id" = Uuid, Path, description = "A job that the technician holds or held."),
        ("hash" = String, Path, description = "SHA-256 in hexadecimal.", pattern = "^[0-9a-f]{64}$"),
    ),
    responses((status = 200, description = "How far.", body = UploadBody)),
)]
pub async fn get_upload(
    State(state): State<AppState>,
    sender: Sender,
    Path((job, hash)): Path<(JobId, String)>,
) -> Result<Json<UploadBody>, ApiError> {
    let hash = may_send(&state, &sender.phone, job, &hash).await?;
    let from = (sender.phone.caller.hall, sender.phone.device);
    let progress = photos::progress(&state, from, &hash).await?;
    Ok(Json(upload_body(progress)))
}

/// Takes the next part of a picture; one that came before does no harm.
#[utoipa::path(
    put, path = "/api/jobs/{id}/photos/{hash}/upload", tag = "phones",
    params(
        ("id" = Uuid, Path, description = "A job that the technician holds or held."),
        ("hash" = String, Path, description = "SHA-256 in hexadecimal.", pattern = "^[0-9a-f]{64}$"),
        PutPart,
    ),
    request_body(content = String, description = "The part.", content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "How far the upload is now.", body = UploadBody),
        (status = 409, description = "Ask how far it is, and go on from there."),
        (status = 429, description = "Go on tomorrow."),
        (status = 503, description = "The photo store is away: send the last part again later."),
    ),
)]
pub async fn put_part(
    State(state): State<AppState>,
    sender: Sender,
    Path((job, hash)): Path<(JobId, String)>,
    Query(asked): Query<PutPart>,
    bytes: Bytes,
) -> Result<Json<UploadBody>, ApiError> {
    let hash = may_send(&state, &sender.phone, job, &hash).await?;
    let from = (sender.phone.caller.hall, sender.phone.device);
    let part = Part { offset: asked.offset, length: asked.length, bytes };
    let progress = photos::take_part(&state, from, &hash, part).await?;
    Ok(Json(upload_body(progress)))
}

/// Lists the photos that a job's facts name, and which of them the hall has.
///
/// Technicians see them for jobs that they hold or were at the door of.
#[utoipa::path(
    get, path = "/api/jobs/{id}/photos", tag = "photos",
    params(("id" = Uuid, Path, description = "The job.")),
    responses((status = 200, description = "All of them.", body = PhotosBody)),
)]
pub async fn list_job_photos(
    State(state): State<AppState>,
    caller: Caller,
    Path(job): Path<JobId>,
) -> Result<Json<PhotosBody>, ApiError> {
    may_look(&state, &caller, job).await?;
    let named = photos::list(&state, caller.hall, job).await?;
    Ok(Json(PhotosBody { photos: named.into_iter().map(photo_body).collect() }))
}

/// Lists photos that facts name and the hall does not have yet, oldest first, 500 at most.
#[utoipa::path(
    get, path = "/api/photos/missing", tag = "photos",
    responses((status = 200, description = "The oldest of them.", body = PhotosBody)),
)]
pub async fn list_missing_photos(
    State(state): State<AppState>,
    Staff(caller): Staff,
) -> Result<Json<PhotosBody>, ApiError> {
    let missing = photos::list_missing(&state, caller.hall, LONGEST_REPORT).await?;
    Ok(Json(PhotosBody { photos: missing.into_iter().map(photo_body).collect() }))
}

/// Gives a picture to somebody who may see the job that names it.
#[utoipa::path(
    get, path = "/api/jobs/{id}/photos/{hash}", tag = "photos",
    params(
        ("id" = Uuid, Path, description = "The job."),
        ("hash" = String, Path, description = "SHA-256 in hexadecimal.", pattern = "^[0-9a-f]{64}$"),
    ),
    responses((
        status = 200, description = "The picture, as a download.",
        body = String, content_type = "application/octet-stream",
    )),
)]
pub async fn get_photo(
    State(state): State<AppState>,
    caller: Caller,
    Path((job, hash)): Path<(JobId, String)>,
) -> Result<impl IntoResponse, ApiError> {
    may_look(&state, &caller, job).await?;
    let hash = PhotoHash::parse(&hash).ok_or(ApiError::NotFound("photo"))?;
    let named = photos::list(&state, caller.hall, job).await?;
    let named = named.into_iter().find(|named| named.hash == hash.as_str());
    let named = named.ok_or(ApiError::NotFound("photo"))?;
    let held = photos::find(&state, caller.hall, DeviceId(named.device_id), &hash).await?;
    let held = held.ok_or(ApiError::NotFound("photo here yet: it is still on the phone"))?;
    if held.erased_at.is_some() {
        return Err(ApiError::NotFound(
            "photo any more: its time was over, or the household asked for it",
        ));
    }
    let format = Format::from_media_type(&held.media_type);
    let format = format.ok_or_else(|| anyhow::anyhow!("{} is no photo's", held.media_type))?;
    let bytes = state.photos.read(caller.hall, &hash).await?;
    let bytes = bytes
        .ok_or_else(|| anyhow::anyhow!("photo {} is listed and not in the store", hash.as_str()))?;
    let name = format!("attachment; filename=\"{}.{}\"", &hash.as_str()[..16], format.extension());
    // Never a page of ours, whatever a browser makes of it.
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, bytes))
}

/// A phone hands in for jobs that its technician holds or held.
async fn may_send(
    state: &AppState,
    phone: &Phone,
    job: JobId,
    hash: &str,
) -> Result<PhotoHash, ApiError> {
    let mut conn = state.db.read().await?;
    if !rows::has_held(conn.c(), phone.caller.hall, job, phone.caller.user).await? {
        return Err(ApiError::NotFound("job"));
    }
    PhotoHash::parse(hash).ok_or_else(|| {
        ApiError::BadRequest("name the photo by its SHA-256 in 64 hexadecimal digits".to_owned())
    })
}

/// Hall staff look at the hall's jobs, technicians at those they hold or were at the door of.
async fn may_look(state: &AppState, caller: &Caller, job: JobId) -> Result<(), ApiError> {
    let mut conn = state.db.read().await?;
    let found = documents::find_document(conn.c(), caller.hall, job).await?;
    let sees = match caller.role {
        Role::Technician => rows::may_view(conn.c(), job, caller.user).await?,
        Role::Dispatcher | Role::Hall | Role::Manager | Role::Admin => true,
    };
    if found.is_some() && sees { Ok(()) } else { Err(ApiError::NotFound("job")) }
}

fn upload_body(progress: Progress) -> UploadBody {
    UploadBody { offset: progress.offset, held: progress.held }
}

fn photo_body(row: NamedRow) -> PhotoBody {
    PhotoBody {
        job: JobId(row.job_id),
        visit: VisitId(row.visit_id),
        fact: FactId(row.fact_id),
        kind: row.kind,
        subject: row.subject,
        hash: row.hash,
        technician: UserId(row.technician_id),
        taken_at: row.earliest,
        withdrawn: row.withdrawn,
        held: row.media_type.is_some() && row.erased_at.is_none(),
        erased_at: row.erased_at,
        media_type: row.media_type,
        size_bytes: row.size_bytes,
        received_at: row.received_at,
    }
}
