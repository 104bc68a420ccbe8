//! The kinds of refusals: stable names that are part of the API, each with its status.

use axum::http::StatusCode;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, extensions::ExtensionsBuilder};
use utoipa::{PartialSchema, ToSchema};

/// Defines the kinds with their status, name and title, and lists them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:ident, $key:literal, $title:literal;)*) => {
        /// A kind of refusal; its `type` is `urn:doorstep:<key>` and never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProblemKind {
            $($(#[$doc])* $kind,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The status that it comes with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }

            /// The end of its `type`.
            pub fn key(self) -> &'static str {
                match self { $(Self::$kind => $key,)* }
            }

            /// What it is called.
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }
        }
    };
}

kinds! {
    /// The body, the path or the query does not say what it has to.
    BadRequest = BAD_REQUEST, "bad-request", "Bad request";
    /// No token, or one that is over.
    NotSignedIn = UNAUTHORIZED, "not-signed-in", "Not signed in";
    /// Log-in and password do not belong together.
    WrongCredentials = UNAUTHORIZED, "wrong-credentials", "Wrong log-in or password";
    /// The password is right, and a code of the second factor has to come with it.
    SecondFactorNeeded = UNAUTHORIZED, "second-factor-needed", "Code of the second factor needed";
    /// The code of the second factor is wrong or was used.
    SecondFactorWrong = UNAUTHORIZED, "second-factor-wrong", "Wrong code of the second factor";
    /// The role does nothing before a second factor is set up.
    SecondFactorUnset = FORBIDDEN, "second-factor-unset", "Second factor to be set up";
    /// The second factor as it stands does not allow it.
    SecondFactorState = CONFLICT, "second-factor-state", "Not with this second factor now";
    /// The role does not allow it.
    Forbidden = FORBIDDEN, "forbidden", "Not allowed";
    /// The act asks for the password again: it was given too long ago.
    PasswordNeeded = FORBIDDEN, "password-needed", "Password needed again";
    /// Technicians come with a phone.
    PhoneNeeded = FORBIDDEN, "phone-needed", "Phone needed";
    /// The enrolment code cannot be used.
    WrongCode = FORBIDDEN, "wrong-code", "Wrong enrolment code";
    /// The phone or its user was shut out.
    ShutOut = FORBIDDEN, "shut-out", "Phone shut out";
    /// Another site sent the request from somebody's browser.
    CrossSite = FORBIDDEN, "cross-site", "From another site";
    /// No such URL.
    NoSuchRoute = NOT_FOUND, "no-such-route", "No such address";
    /// Nothing with that id that the caller may see.
    NotFound = NOT_FOUND, "not-found", "Not found";
    /// The URL knows other methods.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
    /// Rows of the files handed in cannot be right, so none was loaded.
    BadRows = UNPROCESSABLE_ENTITY, "bad-rows", "Rows that cannot be right";
    /// Something is the way it is for another reason.
    Conflict = CONFLICT, "conflict", "Conflict";
    /// The case has another owner, or is offered to somebody else.
    CaseOwner = FORBIDDEN, "case-owner", "Somebody else's case";
    /// Who reported abuse is shown to the case's owner alone; the look was noted.
    ReporterSecret = FORBIDDEN, "reporter-secret", "Reporter kept secret";
    /// The case as it stands does not allow it.
    CaseState = CONFLICT, "case-state", "Not with this case now";
    /// Somebody made a case of this question already.
    QuestionTaken = CONFLICT, "question-taken", "Question taken";
    /// The household's ledger as it stands does not allow it.
    LedgerState = CONFLICT, "ledger-state", "Not with this ledger now";
    /// The outage as it stands does not allow it; `reason` says why.
    OutageState = CONFLICT, "outage-state", "Not with this outage now";
    /// The clock of a promise takes no such entry.
    ClockRefused = CONFLICT, "clock-refused", "Not with this clock now";
    /// The outage cannot be so; `reason` says why.
    OutageRefused = UNPROCESSABLE_ENTITY, "outage-refused", "Not an outage like that";
    /// The application as it stands does not allow it; `reason` says why.
    ApplicationState = CONFLICT, "application-state", "Not with this application now";
    /// Nothing like that stands in an application; `reason` says why.
    ApplicationRefused = UNPROCESSABLE_ENTITY, "application-refused", "Not in an application like that";
    /// A request with the same idempotency key is being carried out.
    KeyInUse = CONFLICT, "key-in-use", "Idempotency key in use";
    /// The household cannot be erased as things stand; `reason` says why.
    EraseBlocked = CONFLICT, "erase-blocked", "Not to be erased now";
    /// The job or case changed since the caller saw it; `current` and `given` show both versions.
    Stale = PRECONDITION_FAILED, "stale", "Changed meanwhile";
    /// The log-in is somebody's.
    LoginTaken = CONFLICT, "login-taken", "Log-in taken";
    /// The bytes of a photo are not those of its name.
    PhotoHash = CONFLICT, "photo-hash", "Photo does not have its hash";
    /// A part of a photo does not follow the last one.
    PhotoOffset = CONFLICT, "photo-offset", "Not the next part";
    /// The body did not arrive in time.
    TooSlow = REQUEST_TIMEOUT, "too-slow", "Too slow";
    /// The body is longer than allowed.
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "Too large";
    /// The body is of a kind that the URL does not take.
    WrongContentType = UNSUPPORTED_MEDIA_TYPE, "wrong-content-type", "Wrong content type";
    /// The request is well formed and means something impossible.
    Unprocessable = UNPROCESSABLE_ENTITY, "unprocessable", "Impossible request";
    /// Nothing is sent to this URL.
    WebhookUrl = UNPROCESSABLE_ENTITY, "webhook-url", "URL not accepted";
    /// A rule pack cannot be used; `line` tells where.
    PackRefused = UNPROCESSABLE_ENTITY, "pack-refused", "Rule pack not accepted";
    /// A rule pack of that name was there already.
    PackKnown = CONFLICT, "pack-known", "Rule pack known";
    /// A rule pack that holds stays.
    PackHolds = CONFLICT, "pack-holds", "Rule pack holds";
    /// Nobody makes, changes or shuts out somebody of that role but an admin.
    RoleAbove = FORBIDDEN, "role-above", "Role for admins to give";
    /// Nobody does this to themselves.
    OwnAccount = CONFLICT, "own-account", "One's own account";
    /// The hall would have no admin left.
    LastAdmin = CONFLICT, "last-admin", "Last admin";
    /// Their phones have to be shut out first.
    HasPhones = CONFLICT, "has-phones", "Has phones";
    /// The phone holds what the hall does not have.
    StillHolds = CONFLICT, "still-holds", "Phone holds something";
    /// The idempotency key belongs to another request.
    KeyReused = UNPROCESSABLE_ENTITY, "key-reused", "Idempotency key of another request";
    /// The password cannot be chosen.
    Password = UNPROCESSABLE_ENTITY, "password", "Password not accepted";
    /// A photo is none that the hall keeps.
    PhotoRefused = UNPROCESSABLE_ENTITY, "photo-refused", "Photo not accepted";
    /// Guessing is slow.
    TooManyTries = TOO_MANY_REQUESTS, "too-many-tries", "Too many tries";
    /// A phone has sent as much as it may on one day.
    PhotoQuota = TOO_MANY_REQUESTS, "photo-quota", "Photos of the day used up";
    /// A bug or a broken machine.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error";
    /// No room is left on the server's disk.
    StorageFull = INSUFFICIENT_STORAGE, "storage-full", "No room left";
    /// The server's disk takes no writes, or its database is damaged.
    StorageBroken = SERVICE_UNAVAILABLE, "storage-broken", "Storage broken";
    /// The phone's app speaks a version that is over.
    AppTooOld = UPGRADE_REQUIRED, "app-too-old", "App too old";
    /// The database does not answer.
    NotReady = SERVICE_UNAVAILABLE, "not-ready", "Not ready";
    /// The database went away while something was stored: it is there, or it is not.
    NotConfirmed = SERVICE_UNAVAILABLE, "not-confirmed", "Not confirmed";
}

impl ProblemKind {
    /// The `type` of its problem details.
    pub fn urn(self) -> String {
        format!("urn:doorstep:{}", self.key())
    }
}

impl PartialSchema for ProblemKind {
    fn schema() -> RefOr<Schema> {
        let titles: serde_json::Value = Self::ALL
            .iter()
            .map(|kind| (kind.urn(), kind.title().into()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|kind| kind.urn())))
            .description(Some(
                "What is wrong: stable, so programs and translations may rest on it.",
            ))
            .extensions(Some(ExtensionsBuilder::new().add("x-titles", titles).build()))
            .into()
    }
}

impl ToSchema for ProblemKind {}

/// Problem details as RFC 9457 has them.
#[derive(Debug, ToSchema)]
#[schema(as = Problem)]
#[expect(
    dead_code,
    reason = "read by the derived schema; the body itself is written field by field"
)]
pub struct Problem {
    r#type: ProblemKind,
    /// The kind in words.
    title: String,
    /// The reply's status again.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What to do about it, for whoever reads the reply; may change.
    detail: String,
    /// With `pack-refused`: the line of the text, where one can be told.
    line: Option<usize>,
    /// With `outage-…`, `application-…` and `erase-blocked`: the key of the rule that says no.
    reason: Option<String>,
    /// With `stale`: the job as it is, `{etag, job, standing}`.
    current: Option<serde_json::Value>,
    /// With `stale`: the job as it was at the tag that was sent, where this server knows it.
    given: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_type_of_its_own_and_a_status_of_a_refusal() {
        let keys: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.key()).collect();

        assert_eq!(keys.len(), ProblemKind::ALL.len());
        assert!(ProblemKind::ALL.iter().all(|kind| kind.status().as_u16() >= 400));
    }
}
