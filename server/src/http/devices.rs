//! Phones: enrolling them, listing them, shutting them out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{DeviceId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::{Caller, ClientAddress, Dispatcher};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::sessions::{Credentials, UserBody, begin_session, prove};
use crate::db::devices::{self, DeviceRow};
use crate::db::{enrolments, halls};
use crate::identity::Role;
use crate::identity::enrolment::{Code, MAX_ATTEMPTS};
use crate::ids::fresh_uuid;
use crate::state::AppState;

/// A phone that its technician enrols.
#[derive(Deserialize)]
pub struct EnrolDevice {
    #[serde(flatten)]
    credentials: Credentials,
    code: String,
    name: String,
}

/// A phone that was enrolled.
#[derive(Debug, Serialize)]
pub struct EnrolledBody {
    token: String,
    expires_at: i64,
    device: DeviceId,
    user: UserBody,
    epoch: Uuid,
}

/// A phone in a list; instants are Unix milliseconds.
#[derive(Debug, Serialize)]
pub struct DeviceBody {
    id: DeviceId,
    user: UserId,
    name: String,
    enrolled_at: i64,
    revoked_at: Option<i64>,
    recorded: i64,
    pending: i64,
    heard_at: Option<i64>,
}

/// Phones.
#[derive(Debug, Serialize)]
pub struct DevicesBody {
    devices: Vec<DeviceBody>,
}

/// Enrols a phone with its technician's password and a one-time code.
pub async fn enrol_device(
    State(state): State<AppState>,
    from: ClientAddress,
    Body(body): Body<EnrolDevice>,
) -> Result<(StatusCode, Json<EnrolledBody>), ApiError> {
    let proven = prove(&state, from, &body.credentials).await?;
    if proven.user.role != Role::Technician {
        return Err(ApiError::Forbidden(proven.user.role));
    }
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let user = &proven.user;
    let code = Code::typed(&body.code).hash(user.id);
    let mut tx = state.db.begin().await?;
    if !enrolments::use_enrolment(tx.c(), &code, user.id, MAX_ATTEMPTS, now_ms).await? {
        enrolments::count_wrong_code(tx.c(), user.id).await?;
        tx.commit().await?;
        return Err(ApiError::WrongCode);
    }
    let device = DeviceId(fresh_uuid(now));
    devices::insert_device(tx.c(), device, (user.hall, user.id), body.name.trim(), now_ms).await?;
    let (token, expires_at) = begin_session(&state, &mut tx, user, Some(device)).await?;
    let epoch = halls::find_epoch(tx.c()).await?;
    proven.succeed(&state, &mut tx).await?;
    tx.commit().await?;
    let user = proven.user;
    Ok((StatusCode::CREATED, Json(EnrolledBody { token, expires_at, device, user, epoch })))
}

/// Lists the phones of the caller's hall; a technician sees their own.
pub async fn list_devices(
    caller: Caller,
    State(state): State<AppState>,
) -> Result<Json<DevicesBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let rows = if caller.role == Role::Technician {
        devices::list_user_devices(conn.c(), caller.user).await?
    } else {
        devices::list_devices(conn.c(), caller.hall).await?
    };
    Ok(Json(DevicesBody { devices: rows.into_iter().map(device_body).collect() }))
}

/// Shuts a phone out: it is given nothing more, and what it hands in waits for a person's word.
pub async fn revoke_device(
    Dispatcher(caller): Dispatcher,
    State(state): State<AppState>,
    Path(device): Path<DeviceId>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    let row = devices::find_device(tx.c(), caller.hall, device).await?;
    let row = row.ok_or(ApiError::NotFound("phone"))?;
    devices::revoke_device(tx.c(), DeviceId(row.device_id), state.clock.now_ms()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn device_body(row: DeviceRow) -> DeviceBody {
    DeviceBody {
        id: DeviceId(row.device_id),
        user: UserId(row.user_id),
        name: row.name,
        enrolled_at: row.enrolled_at,
        revoked_at: row.revoked_at,
        recorded: row.recorded,
        pending: row.pending,
        heard_at: row.heard_at,
    }
}
