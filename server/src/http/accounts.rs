//! Changing people who are there: name, role, sessions, password, letting in again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{HallId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::{Caller, Manager, PasswordGiven};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::problem::ProblemKind;
use super::schema;
use super::sessions::{UserBody, user_body};
use crate::audit::{self, Entry, Subject, What};
use crate::db::{Tx, devices, halls, sessions, users};
use crate::identity::Role;
use crate::identity::password::check_choice;
use crate::state::AppState;

/// Another name or role for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// What they are called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(schema_with = schema::role)]
    role: Role,
}

/// Another password for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// At least 12 characters, at most 128, and not a common one.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
}

/// How many sessions were ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedBody {
    pub(super) sessions: u64,
}

/// Changes somebody's name and role; what they may do follows at once.
#[utoipa::path(
    put, path = "/api/users/{id}", tag = "people", request_body = ChangeUser,
    params(("id" = Uuid, Path, description = "The person.")),
    responses(
        (status = 200, description = "They are called and may do that.", body = UserBody),
        (status = 409, description = "Their own role, the last admin's, or that of somebody with a phone."),
    ),
)]
pub async fn change_user(
    Manager(caller): Manager,
    _: PasswordGiven,
    State(state): State<AppState>,
    Path(id): Path<UserId>,
    Body(body): Body<ChangeUser>,
) -> Result<Json<UserBody>, ApiError> {
    let mut tx = state.db.begin().await?;
    let (before, _) = find(&mut tx, &caller, id).await?;
    if !caller.role.manages(before.role) || !caller.role.manages(body.role) {
        return Err(role_above());
    }
    let name = check_name(&body.name)?;
    let has_new_role = before.role != body.role;
    if has_new_role && id == caller.user {
        let what = "ask another admin: nobody changes their own role";
        return Err(ApiError::Ruled(ProblemKind::OwnAccount, what));
    }
    if has_new_role && devices::count_live_phones(tx.c(), id).await? > 0 {
        let what = "shut their phones out first: only technicians have phones";
        return Err(ApiError::Ruled(ProblemKind::HasPhones, what));
    }
    users::change_user(tx.c(), id, name, body.role.key()).await?;
    if has_new_role {
        check_admins(&mut tx, caller.hall, before.role).await?;
        sessions::end_all_sessions(tx.c(), id, state.clock.now_ms()).await?;
    }
    let detail = json!({"role": body.role, "was": before.role, "name": before.name != name});
    let entry = Entry::new(&caller, What::PersonChanged, Subject::Id("person", id.0));
    audit::keep(tx.c(), state.clock.now(), entry.with(detail)).await?;
    tx.commit().await?;
    Ok(Json(UserBody { name: name.to_owned(), role: body.role, ..before }))
}

/// Lets somebody in again who was shut out; their phones stay out until they are enrolled anew.
#[utoipa::path(
    post, path = "/api/users/{id}/enable", tag = "people",
    params(("id" = Uuid, Path, description = "The person.")),
    responses((status = 204, description = "They can sign in.")),
)]
pub async fn enable_user(
    Manager(caller): Manager,
    _: PasswordGiven,
    State(state): State<AppState>,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let mut tx = state.db.begin().await?;
    let (user, _) = find(&mut tx, &caller, id).await?;
    if !caller.role.manages(user.role) {
        return Err(role_above());
    }
    users::enable_user(tx.c(), id).await?;
    let entry = Entry::new(&caller, What::PersonEnabled, Subject::Id("person", id.0));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of somebody but the caller's own; a phone then asks for a code and keeps what it holds.
#[utoipa::path(
    post, path = "/api/users/{id}/end-sessions", tag = "people",
    params(("id" = Uuid, Path, description = "The person.")),
    responses((status = 200, description = "They have to sign in anew.", body = EndedBody)),
)]
pub async fn end_sessions(
    Manager(caller): Manager,
    State(state): State<AppState>,
    Path(id): Path<UserId>,
) -> Result<Json<EndedBody>, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    let (user, _) = find(&mut tx, &caller, id).await?;
    let sessions = if id == caller.user {
        sessions::end_user_sessions(tx.c(), id, Some(&caller.session.0), now_ms).await?
    } else if caller.role.manages(user.role) {
        sessions::end_all_sessions(tx.c(), id, now_ms).await?
    } else {
        return Err(role_above());
    };
    let entry = Entry::new(&caller, What::SessionsEnded, Subject::Id("person", id.0));
    audit::keep(tx.c(), state.clock.now(), entry.with(json!({"count": sessions}))).await?;
    tx.commit().await?;
    Ok(Json(EndedBody { sessions }))
}

/// Gives somebody another password and ends their sessions at desks; it is told them in person.
#[utoipa::path(
    post, path = "/api/users/{id}/password", tag = "people", request_body = ResetPassword,
    params(("id" = Uuid, Path, description = "The person.")),
    responses(
        (status = 204, description = "It holds from now on."),
        (status = 409, description = "One's own is changed with the old one."),
    ),
)]
pub async fn reset_password(
    Manager(caller): Manager,
    _: PasswordGiven,
    State(state): State<AppState>,
    Path(id): Path<UserId>,
    Body(body): Body<ResetPassword>,
) -> Result<StatusCode, ApiError> {
    // Hashing takes long on purpose, and nobody waits for it with the database in hand.
    let user = {
        let mut tx = state.db.begin().await?;
        find(&mut tx, &caller, id).await?.0
    };
    if id == caller.user {
        let what = "change your own password with the old one";
        return Err(ApiError::Ruled(ProblemKind::OwnAccount, what));
    }
    if !caller.role.manages(user.role) {
        return Err(role_above());
    }
    check_choice(&user.login, &body.password)?;
    let hash = state.passwords.hash(&body.password).await?;
    let now_ms = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    users::set_password_hash(tx.c(), id, &hash).await?;
    sessions::end_user_sessions(tx.c(), id, None, now_ms).await?;
    let entry = Entry::new(&caller, What::PasswordReset, Subject::Id("person", id.0));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why a manager does not do this.
pub(super) fn role_above() -> ApiError {
    let what = "ask an admin: managers look after technicians, dispatchers and hall staff";
    ApiError::Ruled(ProblemKind::RoleAbove, what)
}

/// What somebody, or a hall, can be called.
pub(super) fn check_name(name: &str) -> Result<&str, ApiError> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(ApiError::Unprocessable("write a name of 1 to 100 letters".to_owned()))
}

/// Refuses what left the hall without an admin; called after somebody of this role was lost.
///
/// The hall's row is held, so that two admins cannot each shut the other out.
pub(super) async fn check_admins(tx: &mut Tx, hall: HallId, lost: Role) -> Result<(), ApiError> {
    if lost != Role::Admin {
        return Ok(());
    }
    halls::take_positions(tx.c(), hall, 0).await?;
    if users::count_admins(tx.c(), hall).await? == 0 {
        let what = "make another admin first: this is the hall's last one";
        return Err(ApiError::Ruled(ProblemKind::LastAdmin, what));
    }
    Ok(())
}

/// Finds somebody of the caller's hall, and whether they were shut out.
pub(super) async fn find(
    tx: &mut Tx,
    caller: &Caller,
    user: UserId,
) -> Result<(UserBody, bool), ApiError> {
    let row = users::find_user(tx.c(), user).await?;
    let row = row.filter(|row| row.hall_id == caller.hall.0).ok_or(ApiError::NotFound("person"))?;
    let disabled = row.disabled_at.is_some();
    Ok((user_body(row)?, disabled))
}
