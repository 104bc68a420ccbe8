//! Every way in which a request is refused, as RFC 9457 problem details.
//!
//! The `type` is part of the API and what a face translates; `detail` is for whoever reads the
//! reply itself and says what to do.

use axum::Json;
use axum::extract::Request;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::case::CaseError;
use domain::hazard::HazardError;
use domain::ladder::LadderError;
use domain::ledger::LedgerError;
use domain::outage::OutageError;
use domain::procedure::check::ApplicationError;
use domain::promise::ClockError;
use serde_json::json;

use super::problem::ProblemKind;
use super::version::Stale;
use crate::db::{Trouble, is_damaged, is_full, is_refused_by_disk, trouble};
use crate::erasure::EraseError;
use crate::identity::Role;
use crate::identity::password::ChoosePasswordError;
use crate::jobs::CreateJobError;
use crate::photos::UploadError;
use crate::photos::store::StoreError;
use crate::webhooks::guard::UrlError;

/// When to ask again for what lies in a photo store that is away, in seconds.
const STORE_AWAY_S: u32 = 15;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No URL like that.
    #[error("there is nothing at this address")]
    NoSuchRoute,
    /// The URL knows other methods.
    #[error("this address does not take this method")]
    MethodNotAllowed,
    /// Nothing with that id that this person may see.
    #[error("there is no such {0}: it may belong to another hall")]
    NotFound(&'static str),
    /// The body, the path or the query does not say what it has to.
    #[error("{0}")]
    BadRequest(String),
    /// The body is well formed and means something impossible.
    #[error("{0}")]
    Unprocessable(String),
    /// The body is of a kind that this URL does not take.
    #[error("send {0}")]
    WrongContentType(&'static str),
    /// The body is longer than allowed.
    #[error("send less at once")]
    TooLarge,
    /// The body did not arrive in time, in seconds.
    #[error("send the whole body within {0} s, or less at once")]
    TooSlow(u64),
    /// No token, or one that is over.
    #[error("sign in, and send the token as `Authorization: Bearer …`")]
    NotSignedIn,
    /// Log-in and password do not belong together.
    #[error("log-in or password is wrong")]
    WrongCredentials,
    /// The act asks for the password anew.
    #[error(
        "send your password to POST /api/session/proof, then this request again with the new token"
    )]
    PasswordNeeded,
    /// The password is right and does not do alone.
    #[error("send the six digits of your authenticator, or a recovery code, as `code`")]
    SecondFactorNeeded,
    /// The code is wrong, or was used.
    #[error(
        "wait for the next six digits of your authenticator: each counts once, and a recovery code too"
    )]
    SecondFactorWrong,
    /// The role does nothing before a second factor is set up.
    #[error("set up a second factor first: POST /api/me/second-factor")]
    SecondFactorUnset,
    /// Guessing is slow.
    #[error("wait {retry_after_s} s before the next try")]
    TooManyTries {
        /// When the next try is worth it.
        retry_after_s: i64,
    },
    /// Technicians come with a phone.
    #[error("technicians sign in by enrolling a phone: ask a dispatcher for a code")]
    PhoneNeeded,
    /// The code is wrong, used, too old, or another person's.
    #[error("ask a dispatcher for a new code: this one is wrong, used or older than ten minutes")]
    WrongCode,
    /// The phone or its user was shut out.
    #[error("this phone was shut out: it can only hand in what it holds")]
    ShutOut,
    /// The role does not allow it.
    #[error("a {0} may not do this")]
    Forbidden(Role),
    /// Another site sent this request from somebody's browser.
    #[error("this request came from another site")]
    CrossSite,
    /// The log-in is somebody's.
    #[error("choose another log-in: this one is taken")]
    LoginTaken,
    /// The password cannot be chosen.
    #[error(transparent)]
    Password(#[from] ChoosePasswordError),
    /// A part of a photo was not taken.
    #[error(transparent)]
    Upload(UploadError),
    /// The photo store does not answer, or does not let the server in.
    #[error("the photo store cannot be reached now: try again in a moment; what was sent is kept")]
    PhotoStore(#[source] StoreError),
    /// Something is the way it is for another reason.
    #[error("{0}")]
    Conflict(String),
    /// A rule of administration says no.
    #[error("{1}")]
    Ruled(ProblemKind, &'static str),
    /// A rule pack cannot be used.
    #[error("{}{why}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    PackRefused {
        /// Where in its text.
        line: Option<usize>,
        /// What is wrong and what to do.
        why: String,
    },
    /// The rules of cases do not allow it.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// Somebody made a case of the question at a door already.
    #[error("look at the list again: somebody made a case of this question already")]
    QuestionTaken,
    /// The rules of a household's ledger do not allow it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The rules of hazards do not allow it.
    #[error(transparent)]
    Hazard(#[from] HazardError),
    /// A step of a ladder is not written down.
    #[error(transparent)]
    Ladder(#[from] LadderError),
    /// The rules of outages do not allow it.
    #[error(transparent)]
    Outage(#[from] OutageError),
    /// The clock of a promise takes no such entry.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Something stands in the way of erasing a household.
    #[error(transparent)]
    Erase(#[from] EraseError),
    /// The rules of applications do not allow it.
    #[error(transparent)]
    Application(#[from] ApplicationError),
    /// Who reported abuse is shown to the case's owner alone.
    #[error("who reported this is shown to the case's owner alone; this look was noted")]
    ReporterSecret,
    /// Files handed in hold rows that cannot be right.
    #[error("{0} rows cannot be right: mend them, or load the good ones with `only_good`")]
    BadRows(usize),
    /// Nothing is sent to this URL.
    #[error(transparent)]
    WebhookUrl(#[from] UrlError),
    /// The idempotency key belongs to another request.
    #[error("take another idempotency key: this one was used for another request")]
    KeyReused,
    /// A request with the same idempotency key is being carried out.
    #[error("a request with this idempotency key was under way: send it again to get its reply")]
    KeyInUse,
    /// The job or case changed since the caller saw it.
    #[error("look at it again: it changed since you saw it")]
    Stale(Box<Stale>),
    /// No room is left; nothing was kept.
    #[error("the server's disk is full: nothing was kept; try again when there is room")]
    StorageFull,
    /// The disk takes no writes, or the database is damaged; nothing was kept.
    #[error("the server cannot write: nothing was kept; the operator has to look at its disk")]
    StorageBroken,
    /// The app speaks a version that is over.
    #[error(
        "update the app: this hall speaks versions from {oldest} on, and this is version {sent}"
    )]
    AppTooOld {
        /// What the phone sent.
        sent: u32,
        /// What the hall still reads.
        oldest: u32,
    },
    /// The server does not work just now, and why.
    #[error("{0}")]
    Unready(&'static str),
    /// The database does not answer.
    #[error("try again in a moment")]
    NotReady,
    /// The database went away under the request, or others won against it.
    #[error("{}", advice(*.0))]
    Trouble(Trouble, #[source] sqlx::Error),
    /// A bug or a broken machine; told to the log only.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl ApiError {
    /// The whole mapping to the kinds that the API names.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::NoSuchRoute => ProblemKind::NoSuchRoute,
            Self::MethodNotAllowed => ProblemKind::MethodNotAllowed,
            Self::NotFound(_) => ProblemKind::NotFound,
            Self::BadRequest(_) => ProblemKind::BadRequest,
            Self::Unprocessable(_) => ProblemKind::Unprocessable,
            Self::WrongContentType(_) => ProblemKind::WrongContentType,
            Self::TooLarge => ProblemKind::TooLarge,
            Self::TooSlow(_) => ProblemKind::TooSlow,
            Self::NotSignedIn => ProblemKind::NotSignedIn,
            Self::WrongCredentials => ProblemKind::WrongCredentials,
            Self::PasswordNeeded => ProblemKind::PasswordNeeded,
            Self::SecondFactorNeeded => ProblemKind::SecondFactorNeeded,
            Self::SecondFactorWrong => ProblemKind::SecondFactorWrong,
            Self::SecondFactorUnset => ProblemKind::SecondFactorUnset,
            Self::TooManyTries { .. } => ProblemKind::TooManyTries,
            Self::PhoneNeeded => ProblemKind::PhoneNeeded,
            Self::WrongCode => ProblemKind::WrongCode,
            Self::ShutOut => ProblemKind::ShutOut,
            Self::Forbidden(_) => ProblemKind::Forbidden,
            Self::CrossSite => ProblemKind::CrossSite,
            Self::LoginTaken => ProblemKind::LoginTaken,
            Self::Password(_) => ProblemKind::Password,
            Self::Upload(error) => upload_kind(error),
            Self::Conflict(_) => ProblemKind::Conflict,
            Self::Ruled(kind, _) => *kind,
            Self::PackRefused { .. } => ProblemKind::PackRefused,
            Self::Case(error) => case_kind(*error),
            Self::Ledger(_) | Self::Hazard(_) | Self::Ladder(_) => ProblemKind::LedgerState,
            Self::Outage(error) if error.is_of_state() => ProblemKind::OutageState,
            Self::Outage(_) => ProblemKind::OutageRefused,
            Self::Clock(_) => ProblemKind::ClockRefused,
            Self::Application(error) if error.is_of_state() => ProblemKind::ApplicationState,
            Self::Application(_) => ProblemKind::ApplicationRefused,
            Self::Erase(_) => ProblemKind::EraseBlocked,
            Self::QuestionTaken => ProblemKind::QuestionTaken,
            Self::ReporterSecret => ProblemKind::ReporterSecret,
            Self::BadRows(_) => ProblemKind::BadRows,
            Self::WebhookUrl(_) => ProblemKind::WebhookUrl,
            Self::KeyReused => ProblemKind::KeyReused,
            Self::KeyInUse => ProblemKind::KeyInUse,
            Self::Stale(_) => ProblemKind::Stale,
            Self::StorageFull => ProblemKind::StorageFull,
            Self::StorageBroken => ProblemKind::StorageBroken,
            Self::AppTooOld { .. } => ProblemKind::AppTooOld,
            Self::Unready(_)
            | Self::NotReady
            | Self::PhotoStore(_)
            | Self::Trouble(Trouble::Away | Trouble::LostRace, _) => ProblemKind::NotReady,
            Self::Trouble(Trouble::Unconfirmed, _) => ProblemKind::NotConfirmed,
            Self::Internal(_) => ProblemKind::Internal,
        }
    }
}

/// What whoever met trouble is told to do.
fn advice(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Away | Trouble::LostRace => "try again in a moment: nothing was stored",
        Trouble::Unconfirmed => {
            "the database went away while this was stored: send it again under the same Idempotency-Key, or look whether it is there"
        }
    }
}

/// Whether somebody else may do it, or nobody as the case stands.
fn case_kind(error: CaseError) -> ProblemKind {
    match error {
        CaseError::NotOwner | CaseError::NotOffered => ProblemKind::CaseOwner,
        CaseError::FoundedNotSaid | CaseError::OwnerAlready => ProblemKind::Unprocessable,
        CaseError::NoOffer
        | CaseError::Closed
        | CaseError::NotClosed
        | CaseError::OpenedAlready
        | CaseError::NotDecided
        | CaseError::NotTold => ProblemKind::CaseState,
    }
}

/// How a phone tells what to do: refused for good, sent again, gone on elsewhere, or later.
fn upload_kind(error: &UploadError) -> ProblemKind {
    match error {
        UploadError::Refused(_) | UploadError::Undecodable(_) => ProblemKind::PhotoRefused,
        UploadError::OtherContent => ProblemKind::PhotoHash,
        UploadError::Gap { .. } | UploadError::OtherLength { .. } => ProblemKind::PhotoOffset,
        UploadError::BadPart(_) => ProblemKind::BadRequest,
        UploadError::QuotaUsed { .. } => ProblemKind::PhotoQuota,
        UploadError::Store(_) | UploadError::Db(_) => ProblemKind::Internal,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(error = format!("{error:#}"), "a request failed");
        }
        if let Self::Trouble(_, error) = &self {
            tracing::warn!(error = error.to_string(), "the database is away or busy");
        }
        if let Self::PhotoStore(error) = &self {
            tracing::error!(error = error.to_string(), "a photo waits");
        }
        let kind = self.kind();
        let status = kind.status();
        let mut body = json!({
            "type": kind.urn(),
            "title": kind.title(),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        if let Self::PackRefused { line: Some(line), .. } = &self {
            body["line"] = json!(line);
        }
        if let Self::Outage(error) = &self {
            body["reason"] = json!(error.key());
        }
        if let Self::Erase(error) = &self {
            body["reason"] = json!(error.key());
        }
        if let Self::Application(error) = &self {
            body["reason"] = json!(error.key());
        }
        if let Self::Stale(stale) = &self {
            body["current"] = stale.current.clone();
            body["given"] = stale.given.clone();
        }
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(kind);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::TooManyTries { retry_after_s } = self {
            headers.insert(header::RETRY_AFTER, retry_after_s.into());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let retry_after_s = if let Self::PhotoStore(_) = self { STORE_AWAY_S } else { 1 };
            headers.insert(header::RETRY_AFTER, retry_after_s.into());
        }
        response
    }
}

impl From<CreateJobError> for ApiError {
    fn from(error: CreateJobError) -> Self {
        match error {
            CreateJobError::NoHousehold(_) => Self::NotFound("household"),
            it @ CreateJobError::NotOffered { .. } => Self::Unprocessable(it.to_string()),
            CreateJobError::Db(error) => error.into(),
            CreateJobError::Due(error) => error.into(),
            other @ (CreateJobError::Edit(_) | CreateJobError::Preflight(_)) => {
                Self::Internal(other.into())
            }
        }
    }
}

fn is_out_of_room(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Db(error) => error.into(),
            UploadError::Store(error) => error.into(),
            refused @ (UploadError::Refused(_)
            | UploadError::Undecodable(_)
            | UploadError::OtherContent
            | UploadError::Gap { .. }
            | UploadError::OtherLength { .. }
            | UploadError::BadPart(_)
            | UploadError::QuotaUsed { .. }) => Self::Upload(refused),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if let StoreError::Folder(io) = &error
            && is_out_of_room(io)
        {
            return Self::StorageFull;
        }
        if error.is_passing() { Self::PhotoStore(error) } else { Self::Internal(error.into()) }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if is_full(&error) {
            tracing::error!(error = error.to_string(), "the disk is full: make room");
            return Self::StorageFull;
        }
        if is_refused_by_disk(&error) || is_damaged(&error) {
            let advice = "the database cannot be written: run doorstep doctor";
            tracing::error!(error = error.to_string(), "{advice}");
            return Self::StorageBroken;
        }
        match trouble(&error) {
            Some(trouble) => Self::Trouble(trouble, error),
            None => Self::Internal(error.into()),
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<sqlx::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::Internal(error),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        if let JsonRejection::MissingJsonContentType(_) = rejection {
            return Self::WrongContentType("`Content-Type: application/json`");
        }
        if let JsonRejection::BytesRejection(rejection) = rejection {
            return rejection.into();
        }
        Self::BadRequest(rejection.body_text())
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::TooLarge
        } else {
            Self::BadRequest("the body could not be read".to_owned())
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}

/// Gives a refusal that a layer made in its own words the one shape that all have.
pub async fn as_problem(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == "application/problem+json");
    // A household's page says it in words of its own.
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_problem || is_page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge.into_response(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::WrongContentType("bodies plain or with `Content-Encoding: gzip`")
                .into_response()
        }
        status if status.is_client_error() => {
            ApiError::BadRequest("the request could not be read".to_owned()).into_response()
        }
        status => ApiError::Internal(anyhow::anyhow!("a layer answered {status}")).into_response(),
    }
}
