//! Who calls: extractors that show in a handler's signature who may use it.
//!
//! [`require_session`] stands before every route that is not public, so a handler that asks for
//! nobody is still closed to strangers.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::id::{DeviceId, HallId, UserId};
use domain::stamp::Timestamp;

use super::error::ApiError;
use crate::audit::Via;
use crate::config::Config;
use crate::db::sessions;
use crate::identity::Role;
use crate::identity::session::{Standing, TOUCH_EVERY_MS, standing};
use crate::identity::token::TokenHash;
use crate::state::AppState;

/// Anybody who is signed in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person.
    pub user: UserId,
    /// The hall they work for; they see nothing of others.
    pub hall: HallId,
    /// What they may do.
    pub role: Role,
    /// What they sign in as.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// The phone, for a technician.
    pub device: Option<DeviceId>,
    /// How they came.
    pub via: Via,
    /// Names the session.
    pub session: TokenHash,
    /// When the session's password was last given.
    pub proven_at: i64,
    /// Whether their role asks for a second factor that they have not set up.
    pub lacks_factor: bool,
}

/// Whoever sits there gave their password within the last minutes; asked for beside the role before an act of weight.
///
/// Signing in is giving it. A phone comes with its own key and PIN and is not asked.
#[derive(Clone, Copy, Debug)]
pub struct PasswordGiven {
    /// Until when it counts.
    pub until: i64,
}

/// Hall staff of any kind: everybody but technicians.
#[derive(Clone, Debug)]
pub struct Staff(pub Caller);

/// Somebody who gives jobs out: dispatcher, manager or admin.
#[derive(Clone, Debug)]
pub struct Dispatcher(pub Caller);

/// Somebody who counts cash: hall staff, manager or admin.
#[derive(Clone, Debug)]
pub struct Cashier(pub Caller);

/// Somebody who runs the hall: manager or admin.
#[derive(Clone, Debug)]
pub struct Manager(pub Caller);

/// Somebody who keeps accounts and the server.
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

/// A technician with an enrolled phone.
#[derive(Clone, Debug)]
pub struct Phone {
    /// The technician.
    pub caller: Caller,
    /// The phone.
    pub device: DeviceId,
}

/// A phone that hands work in, even one that was shut out: its work then goes to quarantine.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The phone and its technician.
    pub phone: Phone,
    /// Nothing may be given to it, and nothing of it accepted without a person's word.
    pub shut_out: bool,
}

/// A session as the guard found it.
#[derive(Clone, Debug)]
struct Session {
    caller: Caller,
    shut_out: bool,
}

/// Lets in who is signed in; for every route but public ones and the phones' own.
pub async fn require_session(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let session = find_session(&state, request.headers()).await?;
    if session.shut_out {
        return Err(ApiError::ShutOut);
    }
    if session.caller.lacks_factor && !is_own(request.uri().path()) {
        return Err(ApiError::SecondFactorUnset);
    }
    request.extensions_mut().insert(session);
    Ok(next.run(request).await)
}

/// Whether a route is about the caller's own account alone.
fn is_own(path: &str) -> bool {
    ["/api/me", "/api/session"].iter().any(|own| {
        path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Lets in phones, those that were shut out too.
pub async fn require_sender(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let session = find_session(&state, request.headers()).await?;
    if session.caller.device.is_none() {
        return Err(ApiError::Forbidden(session.caller.role));
    }
    request.extensions_mut().insert(session);
    Ok(next.run(request).await)
}

/// Keeps a browser's session; its prefix makes browsers refuse it but over HTTPS, from this host, for every path.
const COOKIE: &str = "__Host-doorstep";

/// The cookie that carries a token for so many seconds; 0 removes it.
pub(super) fn cookie(token: &str, lives_s: i64) -> String {
    format!("{COOKIE}={token}; Path=/; Max-Age={lives_s}; Secure; HttpOnly; SameSite=Strict")
}

/// The hash of the token that a request carries in `Authorization`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<TokenHash> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| TokenHash::of(token.trim()))
}

/// The hash of the token that a request carries: in `Authorization`, or without one in a browser's cookie.
pub(super) fn carried(headers: &HeaderMap) -> Option<TokenHash> {
    if headers.contains_key(header::AUTHORIZATION) {
        return bearer(headers);
    }
    let kept = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        kept.flat_map(|all| all.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| TokenHash::of(token))
}

async fn find_session(state: &AppState, headers: &HeaderMap) -> Result<Session, ApiError> {
    let hash = carried(headers).ok_or(ApiError::NotSignedIn)?;
    let now_ms = state.clock.now_ms();
    let row = sessions::find_session(state.db.read().await?.c(), &hash.0)
        .await?
        .ok_or(ApiError::NotSignedIn)?;
    let role = Role::from_key(&row.role)
        .ok_or_else(|| anyhow::anyhow!("user {} has no known role", row.user_id))?;
    let standing = standing(&row, role, now_ms);
    if standing == Standing::Over {
        return Err(ApiError::NotSignedIn);
    }
    if row.device_id.is_none() && now_ms - row.seen_at >= TOUCH_EVERY_MS {
        let mut tx = state.db.begin().await?;
        sessions::touch_session(tx.c(), &hash.0, now_ms).await?;
        tx.commit().await?;
    }
    let caller = Caller {
        user: UserId(row.user_id),
        hall: HallId(row.hall_id),
        role,
        login: row.login,
        name: row.name,
        device: row.device_id.map(DeviceId),
        via: match row.device_id {
            Some(_) => Via::Phone,
            None if headers.contains_key(header::AUTHORIZATION) => Via::Program,
            None => Via::Desk,
        },
        session: hash,
        proven_at: row.proven_at,
        lacks_factor: row.factor_at.is_none() && state.config.second_factor_roles.contains(&role),
    };
    Ok(Session { caller, shut_out: standing == Standing::ShutOut })
}

/// Who the guard let in with a request.
pub(super) fn let_in(request: &Request) -> Option<Caller> {
    request.extensions().get::<Session>().map(|session| session.caller.clone())
}

impl<S: Send + Sync> FromRequestParts<S> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let session = parts.extensions.get::<Session>().ok_or(ApiError::NotSignedIn)?.clone();
        match (session.caller.role, session.caller.device) {
            (Role::Technician, Some(device)) => {
                let phone = Phone { caller: session.caller, device };
                Ok(Self { phone, shut_out: session.shut_out })
            }
            (role, _) => Err(ApiError::Forbidden(role)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Phone {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let sender = Sender::from_request_parts(parts, state).await?;
        if sender.shut_out { Err(ApiError::ShutOut) } else { Ok(sender.phone) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let session = parts.extensions.get::<Session>().ok_or(ApiError::NotSignedIn)?;
        if session.shut_out { Err(ApiError::ShutOut) } else { Ok(session.caller.clone()) }
    }
}

impl FromRequestParts<AppState> for PasswordGiven {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.device.is_some() {
            return Ok(Self { until: i64::MAX });
        }
        let until = caller.proven_at + i64::from(state.config.password_again_s) * 1_000;
        if state.clock.now_ms() < until {
            Ok(Self { until })
        } else {
            Err(ApiError::PasswordNeeded)
        }
    }
}

/// Admits the listed roles to a handler that asks for this extractor.
macro_rules! admits {
    ($($extractor:ident: $($role:ident)|+;)*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $extractor {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
                let caller = Caller::from_request_parts(parts, state).await?;
                if matches!(caller.role, $(Role::$role)|+) {
                    Ok(Self(caller))
                } else {
                    Err(ApiError::Forbidden(caller.role))
                }
            }
        }
    )*};
}

admits! {
    Staff: Dispatcher | Hall | Manager | Admin;
    Dispatcher: Dispatcher | Manager | Admin;
    Cashier: Hall | Manager | Admin;
    Manager: Manager | Admin;
    Admin: Admin;
}

/// The address a request came from; a proxy is believed only when it is trusted.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, state)
            .await
            .map_err(anyhow::Error::from)?;
        let forwarded = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim);
        let config = <std::sync::Arc<Config>>::from_ref(state);
        Ok(Self(client_address(peer.ip(), forwarded, &config.trusted_proxies)))
    }
}

/// The last address that no trusted proxy stands at; what is written before it anybody can write.
fn client_address<'h>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'h str>,
    trusted: &[IpAddr],
) -> IpAddr {
    let mut address = peer.to_canonical();
    for hop in forwarded.rev() {
        if !trusted.contains(&address) {
            break;
        }
        let Ok(before) = hop.parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    address
}

/// The server's time as one request sees it.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub Timestamp);

impl FromRequestParts<AppState> for Now {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        Ok(Self(state.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn s16_a_phone_that_was_shut_out_can_hand_in_and_nothing_else() {
        let mut parts = session_of(Role::Technician, Some(DeviceId(uuid::Uuid::nil())), true);

        let sender = Sender::from_request_parts(&mut parts, &()).await.unwrap();
        let phone = Phone::from_request_parts(&mut parts, &()).await.unwrap_err();
        let caller = Caller::from_request_parts(&mut parts, &()).await.unwrap_err();

        assert!(sender.shut_out);
        assert!(matches!(phone, ApiError::ShutOut));
        assert!(matches!(caller, ApiError::ShutOut));
    }

    #[tokio::test]
    async fn only_a_technician_with_a_phone_hands_in() {
        let mut technician = session_of(Role::Technician, None, false);
        let mut admin = session_of(Role::Admin, Some(DeviceId(uuid::Uuid::nil())), false);

        for parts in [&mut technician, &mut admin] {
            let refused = Sender::from_request_parts(parts, &()).await.unwrap_err();
            assert!(matches!(refused, ApiError::Forbidden(_)));
        }
    }

    fn session_of(role: Role, device: Option<DeviceId>, shut_out: bool) -> Parts {
        let caller = Caller {
            user: UserId(uuid::Uuid::nil()),
            hall: HallId(uuid::Uuid::nil()),
            role,
            login: "tom".to_owned(),
            name: "Tom".to_owned(),
            device,
            via: Via::Phone,
            session: TokenHash::of("token"),
            proven_at: 0,
            lacks_factor: false,
        };
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.extensions.insert(Session { caller, shut_out });
        parts
    }

    #[test]
    fn check_6_only_ones_own_account_is_open_without_the_second_factor() {
        let own = ["/api/me", "/api/me/second-factor", "/api/session", "/api/session/proof"];
        let others = ["/api/media", "/api/jobs", "/api", "/api/sessions"];

        assert!(own.into_iter().all(is_own) && !others.into_iter().any(is_own));
    }

    #[test]
    fn check_45_a_forged_address_is_not_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxy = ip("10.0.0.1");
        let heard = |peer: &str, header: &'static str| {
            client_address(ip(peer), header.split(',').map(str::trim), &[proxy])
        };

        assert_eq!(heard("203.0.113.9", "1.1.1.1"), ip("203.0.113.9"));
        assert_eq!(heard("10.0.0.1", "1.1.1.1, 203.0.113.9"), ip("203.0.113.9"));
        assert_eq!(heard("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.1"), ip("203.0.113.9"));
        assert_eq!(heard("10.0.0.1", "rubbish"), proxy);
        assert_eq!(heard("::ffff:10.0.0.1", "203.0.113.9"), ip("203.0.113.9"));
    }
}
