//! The second factor at desks: setting it up, asking for it at the door, and taking it off who lost it (check 6).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{find, role_above};
use super::caller::{Manager, PasswordGiven, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::problem::ProblemKind;
use super::sessions::{UserBody, note_failure};
use crate::audit::{self, By, Entry, Subject, Via, What};
use crate::db::{Tx, second_factors, sessions};
use crate::identity::second_factor::{SharedSecret, draw_recovery_codes, recovery_hash};
use crate::state::AppState;

/// How one's own second factor stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorBody {
    /// Since when signing in asks for a code, Unix milliseconds; `null` while it does not.
    since: Option<i64>,
    /// Whether one's role has to have one.
    is_required: bool,
    /// How many recovery codes are left.
    #[schema(minimum = 0)]
    recovery_codes: i64,
}

/// What an authenticator has to know; shown only here.
#[derive(Debug, Serialize, ToSchema)]
pub struct SharedSecretBody {
    /// To type.
    secret: String,
    /// To show as a QR code.
    uri: String,
}

/// The six digits that the authenticator shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSecondFactor {
    #[schema(max_length = 64)]
    code: String,
}

/// Codes for the day the authenticator is lost, each good for one sign-in; shown only here.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodesBody {
    recovery_codes: Vec<String>,
}

/// Says how the caller's second factor stands.
#[utoipa::path(
    get, path = "/api/me/second-factor", tag = "session",
    responses((status = 200, description = "As it stands.", body = SecondFactorBody)),
)]
pub async fn get_second_factor(
    Staff(caller): Staff,
    State(state): State<AppState>,
) -> Result<Json<SecondFactorBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let row = second_factors::find_second_factor(conn.c(), caller.user).await?;
    Ok(Json(SecondFactorBody {
        since: row.and_then(|row| row.confirmed_at),
        is_required: state.config.second_factor_roles.contains(&caller.role),
        recovery_codes: second_factors::count_recovery_codes(conn.c(), caller.user).await?,
    }))
}

/// Draws a secret for the caller's authenticator; it counts once a code of it was sent back.
#[utoipa::path(
    post, path = "/api/me/second-factor", tag = "session",
    responses(
        (status = 200, description = "To be shown to the authenticator.", body = SharedSecretBody),
        (status = 409, description = "There is one: remove it first."),
    ),
)]
pub async fn begin_second_factor(
    Staff(caller): Staff,
    _: PasswordGiven,
    State(state): State<AppState>,
) -> Result<Json<SharedSecretBody>, ApiError> {
    let secret = SharedSecret::draw();
    let uri = secret.uri(&caller.login)?;
    let (bytes, now_ms) = (secret.bytes(), state.clock.now_ms());
    let mut tx = state.db.begin().await?;
    if !second_factors::begin_second_factor(tx.c(), caller.user, bytes, now_ms).await? {
        return Err(stands("remove your second factor before you set up another"));
    }
    tx.commit().await?;
    Ok(Json(SharedSecretBody { secret: secret.base32(), uri }))
}

/// Turns the caller's second factor on with a first code of it, and ends their other sessions.
#[utoipa::path(
    post, path = "/api/me/second-factor/confirm", tag = "session", request_body = ConfirmSecondFactor,
    responses(
        (status = 200, description = "Signing in asks for a code from now on.", body = RecoveryCodesBody),
        (status = 409, description = "None was begun, or it is on."),
        (status = 422, description = "The code is not the one that it shows."),
    ),
)]
pub async fn confirm_second_factor(
    Staff(caller): Staff,
    State(state): State<AppState>,
    Body(body): Body<ConfirmSecondFactor>,
) -> Result<Json<RecoveryCodesBody>, ApiError> {
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    let row = second_factors::find_second_factor(tx.c(), caller.user).await?;
    let begun = row.filter(|row| row.confirmed_at.is_none());
    let begun = begun.ok_or_else(|| stands("begin with POST /api/me/second-factor"))?;
    let Some(step) = SharedSecret::stored(begun.secret).step_of(&body.code, now_ms)? else {
        let what = "send the six digits that it shows now, and look whether its clock is right";
        return Err(ApiError::Unprocessable(what.to_owned()));
    };
    if !second_factors::confirm_second_factor(tx.c(), caller.user, now_ms, step).await? {
        return Err(stands("it is on already"));
    }
    let recovery_codes = draw_recovery_codes();
    for code in &recovery_codes {
        let hash = recovery_hash(caller.user, code);
        second_factors::insert_recovery_code(tx.c(), caller.user, &hash).await?;
    }
    sessions::end_user_sessions(tx.c(), caller.user, Some(&caller.session.0), now_ms).await?;
    let entry = Entry::new(&caller, What::FactorSet, Subject::Nothing);
    audit::keep(tx.c(), now, entry).await?;
    tx.commit().await?;
    Ok(Json(RecoveryCodesBody { recovery_codes }))
}

/// Gives up the caller's second factor, where their role may do without.
#[utoipa::path(
    delete, path = "/api/me/second-factor", tag = "session",
    responses(
        (status = 204, description = "Signing in asks for the password alone."),
        (status = 409, description = "Their role has to have one."),
    ),
)]
pub async fn remove_second_factor(
    Staff(caller): Staff,
    _: PasswordGiven,
    State(state): State<AppState>,
) -> Result<StatusCode, ApiError> {
    if state.config.second_factor_roles.contains(&caller.role) {
        return Err(stands("your role has to have one: for another phone, ask who keeps accounts"));
    }
    let mut tx = state.db.begin().await?;
    if second_factors::delete_second_factor(tx.c(), caller.user).await? {
        let entry = Entry::new(&caller, What::FactorRemoved, Subject::Nothing);
        audit::keep(tx.c(), state.clock.now(), entry).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the second factor off somebody who lost it, and ends their sessions at desks; they come in person.
#[utoipa::path(
    delete, path = "/api/users/{id}/second-factor", tag = "people",
    params(("id" = Uuid, Path, description = "The person.")),
    responses(
        (status = 204, description = "Their password alone lets them in, and they can set up another."),
        (status = 409, description = "One's own is given up at /api/me/second-factor."),
    ),
)]
pub async fn reset_second_factor(
    Manager(caller): Manager,
    _: PasswordGiven,
    State(state): State<AppState>,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let (user, _) = find(&mut tx, &caller, id).await?;
    if id == caller.user {
        let what = "ask another admin: nobody takes off a second factor of their own this way";
        return Err(ApiError::Ruled(ProblemKind::OwnAccount, what));
    }
    if !caller.role.manages(user.role) {
        return Err(role_above());
    }
    if second_factors::delete_second_factor(tx.c(), id).await? {
        sessions::end_user_sessions(tx.c(), id, None, now.timestamp_millis()).await?;
        let entry = Entry::new(&caller, What::FactorReset, Subject::Id("person", id.0));
        audit::keep(tx.c(), now, entry).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks who comes with the right password for a code, where they have a second factor; a code counts once.
pub(super) async fn ask(
    state: &AppState,
    tx: &mut Tx,
    (user, via): (&UserBody, Via),
    code: Option<&str>,
) -> Result<(), ApiError> {
    let row = second_factors::find_second_factor(tx.c(), user.id).await?;
    let Some(row) = row.filter(|row| row.confirmed_at.is_some()) else { return Ok(()) };
    let code = code.map(str::trim).filter(|code| !code.is_empty());
    let code = code.ok_or(ApiError::SecondFactorNeeded)?;
    let now = state.clock.now();
    let secret = SharedSecret::stored(row.secret);
    let is_new = if let Some(step) = secret.step_of(code, now.timestamp_millis())? {
        second_factors::take_step(tx.c(), user.id, step).await?
    } else {
        let hash = recovery_hash(user.id, code);
        let was_one = second_factors::use_recovery_code(tx.c(), user.id, &hash).await?;
        if was_one {
            let by = By { hall: Some(user.hall), user: Some(user.id), device: None, via };
            let entry = Entry::new(by, What::RecoveryUsed, Subject::Nothing);
            audit::keep(tx.c(), now, entry).await?;
        }
        was_one
    };
    if is_new {
        return Ok(());
    }
    note_failure(state, Some((user.hall, user.id.0)), via, "code");
    Err(ApiError::SecondFactorWrong)
}

/// Why a second factor is not begun, confirmed or given up as it stands.
fn stands(what: &'static str) -> ApiError {
    ApiError::Ruled(ProblemKind::SecondFactorState, what)
}
