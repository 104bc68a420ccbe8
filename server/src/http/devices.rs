//! Phones: enrolling them, listing them, shutting them out.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::id::{DeviceId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, ClientAddress, Dispatcher, PasswordGiven, Phone};
use super::error::ApiError;
use super::extract::{Body, Path, Query};
use super::page::{Limit, read_cursor};
use super::problem::ProblemKind;
use super::sessions::{Credentials, UserBody, begin_session, prove};
use crate::audit::{self, By, Entry, Subject, Via, What};
use crate::db::device_keys::{self, DeviceKeyRow};
use crate::db::devices::{self, DeviceRow, Filter};
use crate::db::sessions::Holder;
use crate::db::{enrolments, halls, sessions};
use crate::identity::Role;
use crate::identity::enrolment::{Code, MAX_ATTEMPTS};
use crate::ids::{fresh_uuid, random_bytes};
use crate::state::AppState;

/// A phone that its technician enrols.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolDevice {
    /// Who.
    #[schema(max_length = 200)]
    login: String,
    /// Their password.
    #[schema(max_length = 1024)]
    password: String,
    /// The ten digits that a dispatcher read out.
    #[schema(max_length = 40)]
    code: String,
    /// What they call the phone.
    #[schema(max_length = 100)]
    name: String,
    /// The id under which this phone was enrolled before: its session was over, and it goes on with what it holds.
    #[schema(value_type = Option<Uuid>)]
    device: Option<DeviceId>,
}

/// A phone that was enrolled.
#[derive(Serialize, ToSchema)]
pub struct EnrolledBody {
    /// To send as `Authorization: Bearer …`; shown only here.
    token: String,
    expires_at: i64,
    #[schema(value_type = Uuid)]
    device: DeviceId,
    user: UserBody,
    /// Changes when the hall was restored from a backup.
    epoch: Uuid,
    /// What the phone's PIN opens its store together with, for `lease_days`; 32 bytes in base64url.
    share: String,
    /// What opens the phone's store when its PIN is lost; 32 bytes in base64url. Given here and nowhere else.
    recovery: String,
    /// For how many days the phone may keep the share without hearing the hall.
    lease_days: u32,
}

/// A phone's share, lent again.
#[derive(Serialize, ToSchema)]
pub struct ShareBody {
    /// 32 bytes in base64url.
    share: String,
    /// For how many days the phone may keep it without hearing the hall.
    lease_days: u32,
}

/// A phone in a list; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceBody {
    #[schema(value_type = Uuid)]
    id: DeviceId,
    #[schema(value_type = Uuid)]
    user: UserId,
    name: String,
    enrolled_at: i64,
    /// When it was shut out.
    revoked_at: Option<i64>,
    /// `lost` or `retired`, where somebody said why.
    revoked_reason: Option<String>,
    /// Until when its PIN opens its store at most, unless the hall is heard; `null` once it was shut out.
    lease_until: Option<i64>,
    /// The highest count of changes that it ever said it made.
    recorded: i64,
    /// How many of them it said it still holds alone.
    pending: i64,
    /// When it was heard last.
    heard_at: Option<i64>,
}

/// Why a phone is shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevokeReason {
    /// Nobody knows who has it: its session ends at once, so that it can do nothing at all.
    Lost,
    /// It is given up, and its technician hands in what it holds.
    Retired,
}

/// How a phone is shut out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeDevice {
    /// Left out, the phone may still hand in what it holds.
    #[serde(default)]
    reason: Option<RevokeReason>,
    /// Retires a phone although it said that it holds something.
    #[serde(default)]
    even_unsent: bool,
}

/// What a phone that was shut out may still hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevokedBody {
    /// How many changes it said it holds that the hall does not have.
    unsent: i64,
    /// When it was heard last.
    heard_at: Option<i64>,
}

/// Phones.
#[derive(Debug, Serialize, ToSchema)]
pub struct DevicesBody {
    devices: Vec<DeviceBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// Enrols a phone with its technician's password and a one-time code.
#[utoipa::path(
    post, path = "/api/devices", tag = "people", request_body = EnrolDevice,
    responses(
        (status = 201, description = "The phone can exchange.", body = EnrolledBody),
        (status = 401, description = "Wrong."), (status = 403, description = "Not this way."),
        (status = 404, description = "They have no such phone."),
        (status = 429, description = "Wait as long as `Retry-After` says."),
    ),
)]
pub async fn enrol_device(
    State(state): State<AppState>,
    from: ClientAddress,
    Body(body): Body<EnrolDevice>,
) -> Result<(StatusCode, Json<EnrolledBody>), ApiError> {
    let credentials = Credentials { login: body.login, password: body.password };
    let proven = prove(&state, (from, Via::Phone), &credentials).await?;
    if proven.user.role != Role::Technician {
        return Err(ApiError::Forbidden(proven.user.role));
    }
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let user = &proven.user;
    let code = Code::typed(&body.code).hash(user.id);
    let mut tx = state.db.begin().await?;
    if let Some(device) = body.device {
        let known = devices::find_device(tx.c(), user.hall, device).await?;
        known.filter(|it| it.user_id == user.id.0).ok_or(ApiError::NotFound("phone"))?;
    }
    if !enrolments::use_enrolment(tx.c(), &code, user.id, MAX_ATTEMPTS, now_ms).await? {
        enrolments::count_wrong_code(tx.c(), user.id).await?;
        let by = By { hall: Some(user.hall), user: None, device: None, via: Via::Phone };
        let entry = Entry::new(by, What::SignInFailed, Subject::Id("person", user.id.0));
        audit::keep(tx.c(), now, entry.with(json!({"why": "code"}))).await?;
        tx.commit().await?;
        return Err(ApiError::WrongCode);
    }
    let device = body.device.unwrap_or_else(|| DeviceId(fresh_uuid(now)));
    if body.device.is_some() {
        sessions::end_device_sessions(tx.c(), device, now_ms).await?;
    } else {
        let name = body.name.trim();
        devices::insert_device(tx.c(), device, (user.hall, user.id), name, now_ms).await?;
    }
    let holder = Holder { user: user.id, device: Some(device.0), address: None, agent: None };
    let (token, expires_at) = begin_session(&state, &mut tx, user.role, &holder).await?;
    let epoch = halls::find_epoch(tx.c()).await?;
    let keys = device_keys::find_or_keep(tx.c(), device, &drawn_keys()).await?;
    proven.succeed(&state, &mut tx).await?;
    let by =
        By { hall: Some(user.hall), user: Some(user.id), device: Some(device), via: Via::Phone };
    let entry = Entry::new(by, What::PhoneEnrolled, Subject::Id("phone", device.0));
    let detail = json!({"again": body.device.is_some()});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    tx.commit().await?;
    let user = proven.user;
    let (share, recovery) = (BASE64.encode(&keys.share), BASE64.encode(&keys.recovery));
    let lease_days = state.config.lease_days;
    let enrolled =
        EnrolledBody { token, expires_at, device, user, epoch, share, recovery, lease_days };
    Ok((StatusCode::CREATED, Json(enrolled)))
}

/// Lends a phone its share again, so that its PIN goes on opening its store.
#[utoipa::path(
    get, path = "/api/devices/self/share", tag = "phones",
    responses((status = 200, description = "For another lease.", body = ShareBody)),
)]
pub async fn get_share(
    State(state): State<AppState>,
    phone: Phone,
) -> Result<Json<ShareBody>, ApiError> {
    let mut tx = state.db.begin().await?;
    let keys = device_keys::find_or_keep(tx.c(), phone.device, &drawn_keys()).await?;
    tx.commit().await?;
    let share = BASE64.encode(&keys.share);
    Ok(Json(ShareBody { share, lease_days: state.config.lease_days }))
}

fn drawn_keys() -> DeviceKeyRow {
    let (share, recovery) = (random_bytes::<32>().to_vec(), random_bytes::<32>().to_vec());
    DeviceKeyRow { share, recovery }
}

/// Which phones to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDevices {
    /// Only this person's.
    #[param(value_type = Option<Uuid>)]
    user: Option<UserId>,
    /// Only phones that were shut out, or only those that were not.
    revoked: Option<bool>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// Lists the phones of the caller's hall, oldest first; a technician sees their own.
#[utoipa::path(
    get, path = "/api/devices", tag = "people", params(ListDevices),
    responses((status = 200, description = "A page of phones.", body = DevicesBody)),
)]
pub async fn list_devices(
    caller: Caller,
    State(state): State<AppState>,
    Query(asked): Query<ListDevices>,
) -> Result<Json<DevicesBody>, ApiError> {
    let own = (caller.role == Role::Technician).then_some(caller.user);
    let filter = Filter { owner: own, user: asked.user, revoked: asked.revoked };
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((i64::MIN, Uuid::nil()));
    let mut conn = state.db.read().await?;
    let page = (after, asked.limit.rows());
    let rows = devices::list_devices(conn.c(), caller.hall, &filter, page).await?;
    let next = asked.limit.next(&rows, |row| (row.enrolled_at, row.device_id));
    let lease_days = state.config.lease_days;
    let devices = rows.into_iter().map(|row| device_body(row, lease_days)).collect();
    Ok(Json(DevicesBody { devices, next }))
}

/// Shuts a phone out: it is given nothing more, and what it hands in waits for a person's word.
#[utoipa::path(
    post, path = "/api/devices/{id}/revoke", tag = "people",
    params(("id" = Uuid, Path, description = "The phone.")),
    request_body = Option<RevokeDevice>,
    responses(
        (status = 200, description = "It is out.", body = RevokedBody),
        (status = 409, description = "It holds something: let it hand in, or say `even_unsent`."),
    ),
)]
pub async fn revoke_device(
    Dispatcher(caller): Dispatcher,
    _: PasswordGiven,
    State(state): State<AppState>,
    Path(device): Path<DeviceId>,
    body: Option<Body<Option<RevokeDevice>>>,
) -> Result<Json<RevokedBody>, ApiError> {
    let RevokeDevice { reason, even_unsent } = body.and_then(|body| body.0).unwrap_or_default();
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    let row = devices::find_device(tx.c(), caller.hall, device).await?;
    let row = row.ok_or(ApiError::NotFound("phone"))?;
    if reason == Some(RevokeReason::Retired) && row.pending > 0 && !even_unsent {
        let what = "let the phone hand in first, or send `even_unsent` to give up what it holds";
        return Err(ApiError::Ruled(ProblemKind::StillHolds, what));
    }
    let why = reason.map(|reason| match reason {
        RevokeReason::Lost => "lost",
        RevokeReason::Retired => "retired",
    });
    devices::revoke_device(tx.c(), device, why, now_ms).await?;
    if reason == Some(RevokeReason::Lost) {
        sessions::end_device_sessions(tx.c(), device, now_ms).await?;
    }
    let entry = Entry::new(&caller, What::PhoneRevoked, Subject::Id("phone", device.0));
    let detail = json!({"reason": why, "unsent": row.pending});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    tx.commit().await?;
    Ok(Json(RevokedBody { unsent: row.pending, heard_at: row.heard_at }))
}

fn device_body(row: DeviceRow, lease_days: u32) -> DeviceBody {
    let lease_ms = i64::from(lease_days) * 86_400_000;
    let is_live = row.revoked_at.is_none();
    let lent_at = row.heard_at.unwrap_or(row.enrolled_at);
    DeviceBody {
        id: DeviceId(row.device_id),
        user: UserId(row.user_id),
        name: row.name,
        enrolled_at: row.enrolled_at,
        revoked_at: row.revoked_at,
        revoked_reason: row.revoked_reason,
        lease_until: is_live.then_some(lent_at + lease_ms),
        recorded: row.recorded,
        pending: row.pending,
        heard_at: row.heard_at,
    }
}
