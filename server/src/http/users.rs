//! The people of a hall: adding them, shutting them out, codes for their phones.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::accounts::{check_admins, check_name, role_above};
use super::caller::{Caller, Dispatcher, Manager, PasswordGiven, Staff};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::once::Once;
use super::page::{Limit, Words, read_cursor};
use super::problem::ProblemKind;
use super::schema;
use super::sessions::{UserBody, user_body};
use crate::audit::{self, Entry, Subject, What};
use crate::db::users::{self, Filter, UserRow};
use crate::db::{devices, enrolments, is_unique_violation, sessions};
use crate::identity::enrolment::{Code, LIFETIME_MS};
use crate::identity::password::check_choice;
use crate::identity::{Role, is_login, normal_login};
use crate::ids::fresh_uuid;
use crate::state::AppState;

/// Somebody to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// 2 to 64 letters, digits, dots, dashes or underscores.
    #[schema(min_length = 2, max_length = 64)]
    login: String,
    /// What they are called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(schema_with = schema::role)]
    role: Role,
    /// At least 12 characters, at most 128, and not a common one.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
}

/// Somebody in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedUser {
    #[serde(flatten)]
    user: UserBody,
    /// Whether they were shut out.
    disabled: bool,
}

/// The people of a hall.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersBody {
    users: Vec<ListedUser>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// A code to read out to a technician.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrolmentCodeBody {
    /// Ten digits, for one phone.
    code: String,
    /// Ten minutes from now.
    expires_at: i64,
}

/// Which people to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListUsers {
    /// Only people of this role.
    #[param(schema_with = schema::role)]
    role: Option<Role>,
    /// Only people who were shut out, or only those who were not.
    disabled: Option<bool>,
    /// Words in log-in or name.
    #[param(value_type = Option<String>, max_length = 100)]
    text: Option<Words>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// Lists the people of the caller's hall by log-in.
#[utoipa::path(
    get, path = "/api/users", tag = "people", params(ListUsers),
    responses((status = 200, description = "A page of people.", body = UsersBody)),
)]
pub async fn list_users(
    Staff(caller): Staff,
    State(state): State<AppState>,
    Query(asked): Query<ListUsers>,
) -> Result<Json<UsersBody>, ApiError> {
    let after: Option<String> = read_cursor(asked.after.as_deref())?;
    let filter = Filter {
        role: asked.role.map(|role| role.key().to_owned()),
        disabled: asked.disabled,
        pattern: asked.text.as_ref().and_then(Words::pattern),
    };
    let page = (after.unwrap_or_default(), asked.limit.rows());
    let mut conn = state.db.read().await?;
    let rows = users::list_users(conn.c(), caller.hall, &filter, page).await?;
    let next = asked.limit.next(&rows, |row| row.login.clone());
    let users = rows
        .into_iter()
        .map(|row| {
            let disabled = row.disabled_at.is_some();
            Ok(ListedUser { user: user_body(row)?, disabled })
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(Json(UsersBody { users, next }))
}

/// Adds somebody to the caller's hall.
///
/// Managers add technicians, dispatchers and hall staff; admins add anybody.
#[utoipa::path(
    post, path = "/api/users", tag = "people", request_body = CreateUser,
    responses(
        (status = 201, description = "They can sign in.", body = UserBody),
        (status = 409, description = "Choose another log-in."),
    ),
)]
pub async fn create_user(
    Manager(caller): Manager,
    _: PasswordGiven,
    State(state): State<AppState>,
    Once(body, receipt): Once<CreateUser>,
) -> Result<(StatusCode, Json<UserBody>), ApiError> {
    if !caller.role.manages(body.role) {
        return Err(role_above());
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
        name: check_name(&body.name)?.to_owned(),
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
    let made = user_body(row)?;
    receipt.keep(tx.c(), &made, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::PersonAdded, Subject::Id("person", made.id.0));
    audit::keep(tx.c(), now, entry.with(json!({"role": made.role}))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Shuts somebody out at once: their sessions end, their phones may only hand in what they hold.
#[utoipa::path(
    post, path = "/api/users/{id}/disable", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The person.")),
    responses(
        (status = 204, description = "They are out."),
        (status = 409, description = "Nobody shuts themselves out."),
    ),
)]
pub async fn disable_user(
    Manager(caller): Manager,
    _: PasswordGiven,
    State(state): State<AppState>,
    Path(user): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    if user.id == caller.user {
        let what = "ask another admin: nobody shuts themselves out";
        return Err(ApiError::Ruled(ProblemKind::OwnAccount, what));
    }
    if !caller.role.manages(user.role) {
        return Err(role_above());
    }
    let now_ms = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    users::disable_user(tx.c(), user.id, now_ms).await?;
    sessions::end_user_sessions(tx.c(), user.id, None, now_ms).await?;
    devices::revoke_user_devices(tx.c(), user.id, now_ms).await?;
    check_admins(&mut tx, caller.hall, user.role).await?;
    let entry = Entry::new(&caller, What::PersonDisabled, Subject::Id("person", user.id.0));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a code with which a technician enrols a phone; any earlier one of theirs is over.
#[utoipa::path(
    post, path = "/api/users/{id}/enrolment-code", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The technician.")),
    responses(
        (status = 201, description = "To read out to them; shown only here.", body = EnrolmentCodeBody),
        (status = 409, description = "Only technicians enrol phones."),
    ),
)]
pub async fn create_enrolment_code(
    Dispatcher(caller): Dispatcher,
    _: PasswordGiven,
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
    let entry = Entry::new(&caller, What::CodeMade, Subject::Id("person", user.id.0));
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(EnrolmentCodeBody { code: code.reveal(), expires_at })))
}

/// Finds somebody of the caller's hall who was not shut out.
pub(super) async fn find_in_hall(
    state: &AppState,
    caller: &Caller,
    user: UserId,
) -> Result<UserBody, ApiError> {
    let row = users::find_user(state.db.read().await?.c(), user).await?;
    row.filter(|row| row.hall_id == caller.hall.0 && row.disabled_at.is_none())
        .map_or(Err(ApiError::NotFound("person")), user_body)
}
