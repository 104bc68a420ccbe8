//! The people of a hall: adding them, shutting them out, codes for their phones.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::UserId;
use serde::{Deserialize, Serialize};

use super::caller::{Caller, Dispatcher, Manager, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::sessions::{UserBody, user_body};
use crate::db::users::{self, UserRow};
use crate::db::{devices, enrolments, is_unique_violation, sessions};
use crate::identity::enrolment::{Code, LIFETIME_MS};
use crate::identity::password::check_choice;
use crate::identity::{Role, is_login, normal_login};
use crate::ids::fresh_uuid;
use crate::state::AppState;

/// Somebody to add.
#[derive(Deserialize)]
pub struct CreateUser {
    login: String,
    name: String,
    role: Role,
    password: String,
}

/// Somebody in a list.
#[derive(Debug, Serialize)]
pub struct ListedUser {
    #[serde(flatten)]
    user: UserBody,
    disabled: bool,
}

/// The people of a hall.
#[derive(Debug, Serialize)]
pub struct UsersBody {
    users: Vec<ListedUser>,
}

/// A code to read out to a technician.
#[derive(Debug, Serialize)]
pub struct EnrolmentCodeBody {
    code: String,
    expires_at: i64,
}

/// Lists the people of the caller's hall.
pub async fn list_users(
    Staff(caller): Staff,
    State(state): State<AppState>,
) -> Result<Json<UsersBody>, ApiError> {
    let rows = users::list_users(state.db.read().await?.c(), caller.hall).await?;
    let users = rows
        .into_iter()
        .map(|row| {
            let disabled = row.disabled_at.is_some();
            Ok(ListedUser { user: user_body(row)?, disabled })
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(Json(UsersBody { users }))
}

/// Adds somebody to the caller's hall.
pub async fn create_user(
    Manager(caller): Manager,
    State(state): State<AppState>,
    Body(body): Body<CreateUser>,
) -> Result<(StatusCode, Json<UserBody>), ApiError> {
    if !caller.role.manages(body.role) {
        return Err(ApiError::Forbidden(caller.role));
    }
    let login = normal_login(&body.login);
    if !is_login(&login) {
        let rule = "a log-in has 2 to 64 letters, digits, dots, dashes or underscores";
        return Err(ApiError::Unprocessable(rule.to_owned()));
    }
    check_choice(&login, &body.password)?;
    let now = state.clock.now();
    let row = UserRow {
        user_id: fresh_uuid(now),
        hall_id: caller.hall.0,
        login,
        name: body.name.trim().to_owned(),
        role: body.role.key().to_owned(),
        password_hash: Some(state.passwords.hash(&body.password).await?),
        created_at: now.timestamp_millis(),
        disabled_at: None,
    };
    let mut tx = state.db.begin().await?;
    match users::insert_user(tx.c(), &row).await {
        Err(error) if is_unique_violation(&error) => return Err(ApiError::LoginTaken),
        inserted => inserted?,
    }
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(user_body(row)?)))
}

/// Shuts somebody out at once: their sessions end, their phones may only hand in what they hold.
pub async fn disable_user(
    Manager(caller): Manager,
    State(state): State<AppState>,
    Path(user): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    if !caller.role.manages(user.role) {
        return Err(ApiError::Forbidden(caller.role));
    }
    if user.id == caller.user {
        return Err(ApiError::Conflict(
            "nobody shuts themselves out: ask another admin".to_owned(),
        ));
    }
    let now_ms = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    users::disable_user(tx.c(), user.id, now_ms).await?;
    sessions::end_user_sessions(tx.c(), user.id, None, now_ms).await?;
    devices::revoke_user_devices(tx.c(), user.id, now_ms).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a code with which a technician enrols a phone; any earlier one of theirs is over.
pub async fn create_enrolment_code(
    Dispatcher(caller): Dispatcher,
    State(state): State<AppState>,
    Path(user): Path<UserId>,
) -> Result<(StatusCode, Json<EnrolmentCodeBody>), ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    if user.role != Role::Technician {
        return Err(ApiError::Conflict("only technicians enrol phones".to_owned()));
    }
    let code = Code::draw();
    let now_ms = state.clock.now_ms();
    let expires_at = now_ms + LIFETIME_MS;
    let mut tx = state.db.begin().await?;
    let lifetime = (now_ms, expires_at);
    enrolments::insert_enrolment(tx.c(), &code.hash(user.id), user.id, caller.user, lifetime)
        .await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(EnrolmentCodeBody { code: code.reveal(), expires_at })))
}

/// Finds somebody of the caller's hall who was not shut out.
async fn find_in_hall(
    state: &AppState,
    caller: &Caller,
    user: UserId,
) -> Result<UserBody, ApiError> {
    let row = users::find_user(state.db.read().await?.c(), user).await?;
    row.filter(|row| row.hall_id == caller.hall.0 && row.disabled_at.is_none())
        .map_or(Err(ApiError::NotFound("person")), user_body)
}
