//! Signing in and out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::{DeviceId, HallId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, ClientAddress, carried, cookie};
use super::error::ApiError;
use super::extract::Body;
use super::{schema, second_factor};
use crate::audit::{self, By, Entry, Subject, Via, What};
use crate::db::sessions::Holder;
use crate::db::users::{self, UserRow};
use crate::db::{Tx, halls, sessions};
use crate::identity::password::{Checked, check_choice};
use crate::identity::session::lifetime;
use crate::identity::throttle::{self, Counted, Limits, Try};
use crate::identity::token::Token;
use crate::identity::{Role, normal_login};
use crate::state::AppState;

/// Letters that are kept of what a browser calls itself.
const LONGEST_AGENT: usize = 200;

/// What somebody signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Who.
    #[schema(max_length = 200)]
    pub login: String,
    /// Their password.
    #[schema(max_length = 1024)]
    pub password: String,
}

/// How somebody begins a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Who.
    #[schema(max_length = 200)]
    login: String,
    /// Their password.
    #[schema(max_length = 1024)]
    password: String,
    /// For who has a second factor: the six digits of their authenticator, or a recovery code.
    #[schema(max_length = 64)]
    code: Option<String>,
    /// For a browser: the token comes as a cookie that no script can read, and not in the reply.
    #[serde(default)]
    as_cookie: bool,
}

/// Who somebody is, as they may know it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserBody {
    /// The person.
    #[schema(value_type = uuid::Uuid)]
    pub id: UserId,
    /// What they sign in as.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// Their role.
    #[schema(schema_with = schema::role)]
    pub role: Role,
    /// The hall they work for.
    #[schema(value_type = uuid::Uuid)]
    pub hall: HallId,
}

/// A session that began.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionBody {
    /// To send as `Authorization: Bearer …`; shown only here, and `null` when it went as a cookie.
    token: Option<String>,
    /// When it ends whatever happens.
    expires_at: i64,
    user: UserBody,
}

/// The caller themselves.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeBody {
    #[serde(flatten)]
    user: UserBody,
    /// What their hall is called.
    hall_name: String,
    /// Its city's distance from UTC.
    utc_offset_minutes: i64,
    /// The phone, for a technician.
    #[schema(value_type = Option<uuid::Uuid>)]
    device: Option<DeviceId>,
    /// Whether nothing is open to them before they have set up a second factor.
    lacks_second_factor: bool,
}

/// Another password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schema(max_length = 1024)]
    current: String,
    /// At least 12 characters, at most 128, and not a common one.
    #[schema(min_length = 12, max_length = 128)]
    new: String,
}

/// Signs somebody in who works at the hall; a session that the request carries is over.
#[utoipa::path(
    post, path = "/api/session", tag = "session", request_body = SignIn,
    responses(
        (status = 200, description = "A session began.", body = SessionBody),
        (status = 401, description = "Wrong, or the code of a second factor is missing."),
        (status = 403, description = "Not this way."),
        (status = 429, description = "Wait as long as `Retry-After` says."),
    ),
)]
pub async fn create_session(
    State(state): State<AppState>,
    from: ClientAddress,
    headers: HeaderMap,
    Body(asked): Body<SignIn>,
) -> Result<Response, ApiError> {
    let credentials = Credentials { login: asked.login, password: asked.password };
    let via = if asked.as_cookie { Via::Desk } else { Via::Program };
    let proven = prove(&state, (from, via), &credentials).await?;
    if proven.user.role == Role::Technician {
        return Err(ApiError::PhoneNeeded);
    }
    let mut tx = state.db.begin().await?;
    second_factor::ask(&state, &mut tx, (&proven.user, via), asked.code.as_deref()).await?;
    proven.succeed(&state, &mut tx).await?;
    if let Some(old) = carried(&headers) {
        sessions::end_session(tx.c(), &old.0, state.clock.now_ms()).await?;
    }
    let agent = agent(&headers);
    let holder =
        Holder { user: proven.user.id, device: None, address: Some(from.0.to_string()), agent };
    let (token, expires_at) = begin_session(&state, &mut tx, proven.user.role, &holder).await?;
    let (hall, user) = (Some(proven.user.hall), Some(proven.user.id));
    let entry = Entry::new(By { hall, user, device: None, via }, What::SignedIn, Subject::Nothing);
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(hand_over(token, asked.as_cookie, (expires_at, state.clock.now_ms()), proven.user))
}

/// Gives a token to who sits there: in the reply, or to a browser in a cookie.
pub(super) fn hand_over(
    token: String,
    as_cookie: bool,
    (expires_at, now_ms): (i64, i64),
    user: UserBody,
) -> Response {
    if !as_cookie {
        return Json(SessionBody { token: Some(token), expires_at, user }).into_response();
    }
    let lives_s = (expires_at - now_ms).max(0) / 1_000;
    let body = SessionBody { token: None, expires_at, user };
    ([(header::SET_COOKIE, cookie(&token, lives_s))], Json(body)).into_response()
}

/// What a browser or program calls itself, as far as it tells its owner something.
fn agent(headers: &HeaderMap) -> Option<String> {
    let said = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(said.chars().filter(|it| !it.is_control()).take(LONGEST_AGENT).collect())
}

/// Ends the caller's session.
#[utoipa::path(
    delete, path = "/api/session", tag = "session",
    responses((status = 204, description = "The token is over.")),
)]
pub async fn delete_session(
    caller: Caller,
    State(state): State<AppState>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = state.db.begin().await?;
    sessions::end_session(tx.c(), &caller.session.0, state.clock.now_ms()).await?;
    let entry = Entry::new(&caller, What::SignedOut, Subject::Nothing);
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0))]))
}

/// Says who the caller is.
#[utoipa::path(
    get, path = "/api/me", tag = "session",
    responses((status = 200, description = "The caller.", body = MeBody)),
)]
pub async fn get_me(
    caller: Caller,
    State(state): State<AppState>,
) -> Result<Json<MeBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let user = UserBody {
        id: caller.user,
        login: caller.login,
        name: caller.name,
        role: caller.role,
        hall: caller.hall,
    };
    let (hall_name, utc_offset_minutes) = (hall.name, hall.utc_offset_minutes);
    let (device, lacks_second_factor) = (caller.device, caller.lacks_factor);
    Ok(Json(MeBody { user, hall_name, utc_offset_minutes, device, lacks_second_factor }))
}

/// Changes the caller's password and ends their other sessions.
#[utoipa::path(
    post, path = "/api/me/password", tag = "session", request_body = ChangePassword,
    responses(
        (status = 204, description = "It holds from now on."),
        (status = 429, description = "Wait as long as `Retry-After` says."),
    ),
)]
pub async fn change_password(
    caller: Caller,
    State(state): State<AppState>,
    from: ClientAddress,
    Body(change): Body<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let credentials = Credentials { login: caller.login.clone(), password: change.current };
    let proven = prove(&state, (from, caller.via), &credentials).await?;
    check_choice(&caller.login, &change.new)?;
    let hash = state.passwords.hash(&change.new).await?;
    let mut tx = state.db.begin().await?;
    proven.succeed(&state, &mut tx).await?;
    users::set_password_hash(tx.c(), caller.user, &hash).await?;
    let now_ms = state.clock.now_ms();
    sessions::end_user_sessions(tx.c(), caller.user, Some(&caller.session.0), now_ms).await?;
    let entry = Entry::new(&caller, What::PasswordChanged, Subject::Nothing);
    audit::keep(tx.c(), state.clock.now(), entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody whose password was right.
pub(super) struct Proven {
    pub(super) user: UserBody,
    counted: Try,
    new_hash: Option<String>,
}

/// Checks log-in and password, slowly for guessers and in equal time for nobody's log-in.
pub(super) async fn prove(
    state: &AppState,
    (ClientAddress(address), via): (ClientAddress, Via),
    credentials: &Credentials,
) -> Result<Proven, ApiError> {
    let login = normal_login(&credentials.login);
    let limits = Limits::from(&*state.config);
    let counted = throttle::count(&state.db, limits, &login, address, state.clock.now_ms()).await?;
    let counted = match counted {
        Counted::Go(counted) => counted,
        Counted::Wait(retry_after_s) => {
            note_failure(state, None, via, "too_many");
            return Err(ApiError::TooManyTries { retry_after_s });
        }
    };
    let row = users::find_user_by_login(state.db.read().await?.c(), &login).await?;
    let stored = row.as_ref().and_then(|row| row.password_hash.as_deref());
    let checked = state.passwords.check(&credentials.password, stored).await?;
    let whose = row.as_ref().map(|row| (HallId(row.hall_id), row.user_id));
    let row = row.filter(|row| row.disabled_at.is_none() && checked != Checked::Wrong);
    let Some(row) = row else {
        note_failure(state, whose, via, "password");
        return Err(ApiError::WrongCredentials);
    };
    let new_hash = match checked {
        Checked::Wrong => return Err(ApiError::WrongCredentials),
        Checked::Right => None,
        Checked::RightButWeak => Some(state.passwords.hash(&credentials.password).await?),
    };
    Ok(Proven { user: user_body(row)?, counted, new_hash })
}

/// Notes a failed try: whose log-in it was, where it was anybody's, and never what was typed.
pub(super) fn note_failure(state: &AppState, whose: Option<(HallId, Uuid)>, via: Via, why: &str) {
    let by = By { hall: whose.map(|(hall, _)| hall), user: None, device: None, via };
    let subject = whose.map_or(Subject::Nothing, |(_, user)| Subject::Id("person", user));
    let entry = Entry::new(by, What::SignInFailed, subject).with(json!({"why": why}));
    state.audit.note(state.clock.now(), entry);
}

impl Proven {
    /// Does what letting somebody in entails, in the caller's transaction.
    pub(super) async fn succeed(&self, state: &AppState, tx: &mut Tx) -> Result<(), ApiError> {
        let limits = Limits::from(&*state.config);
        self.counted.succeed(tx, limits, state.clock.now_ms()).await?;
        if let Some(hash) = &self.new_hash {
            users::set_password_hash(tx.c(), self.user.id, hash).await?;
        }
        Ok(())
    }
}

/// Begins a session with a fresh token; returns the token and when it ends.
pub(super) async fn begin_session(
    state: &AppState,
    tx: &mut Tx,
    role: Role,
    holder: &Holder,
) -> Result<(String, i64), ApiError> {
    let token = Token::draw();
    let now_ms = state.clock.now_ms();
    let expires_at = now_ms + lifetime(role).absolute_ms;
    sessions::insert_session(tx.c(), &token.hash().0, holder, now_ms, expires_at).await?;
    Ok((token.reveal(), expires_at))
}

/// Turns a stored person into what others may know of them.
pub(super) fn user_body(row: UserRow) -> Result<UserBody, ApiError> {
    let role = Role::from_key(&row.role)
        .ok_or_else(|| anyhow::anyhow!("user {} has no known role", row.user_id))?;
    Ok(UserBody {
        id: UserId(row.user_id),
        login: row.login,
        name: row.name,
        role,
        hall: HallId(row.hall_id),
    })
}
