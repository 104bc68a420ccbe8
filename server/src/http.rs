//! Every URL on one screen, and what stands before all of them.

pub mod caller;
pub mod clock;
pub mod devices;
pub mod error;
pub mod extract;
pub mod health;
pub mod jobs;
pub mod live;
pub mod photos;
pub mod quarantine;
pub mod reports;
pub mod sessions;
pub mod sync;
pub mod users;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Router, http};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;

use self::caller::{require_sender, require_session};
use self::error::ApiError;
use crate::db::Db;
use crate::state::AppState;

/// Open to everybody.
fn public() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/api/clock", get(clock::get_clock))
        .route("/api/session", post(sessions::create_session))
        .route("/api/devices", post(devices::enrol_device))
}

/// Open to who is signed in; each handler's signature says to whom of them.
fn signed_in() -> Router<AppState> {
    Router::new()
        .route("/api/session", delete(sessions::delete_session))
        .route("/api/me", get(sessions::get_me))
        .route("/api/me/password", post(sessions::change_password))
        .route("/api/users", get(users::list_users).post(users::create_user))
        .route("/api/users/{id}/disable", post(users::disable_user))
        .route("/api/users/{id}/enrolment-code", post(users::create_enrolment_code))
        .route("/api/devices", get(devices::list_devices))
        .route("/api/devices/{id}/revoke", post(devices::revoke_device))
        .route("/api/jobs", get(jobs::list_jobs).post(jobs::post_job))
        .route("/api/jobs/{id}", get(jobs::get_job))
        .route("/api/jobs/{id}/document", get(jobs::get_document))
        .route("/api/jobs/{id}/appointments", post(jobs::add_appointment))
        .route("/api/jobs/{id}/assignments", post(jobs::add_assignment))
        .route("/api/jobs/{id}/cancellations", post(jobs::add_cancellation))
        .route("/api/jobs/{id}/instructions", post(jobs::add_instruction))
        .route("/api/jobs/{id}/messages", post(jobs::add_message))
        .route("/api/jobs/{id}/rulings", post(jobs::add_ruling))
        .route("/api/jobs/{id}/photos", get(photos::list_job_photos))
        .route("/api/jobs/{id}/photos/{hash}", get(photos::get_photo))
        .route("/api/live", get(live::follow_hall))
        .route("/api/photos/missing", get(photos::list_missing_photos))
        .route("/api/quarantine", get(quarantine::list_quarantine))
        .route("/api/quarantine/{hash}/release", post(quarantine::release_change))
        .route("/api/reports/punctuality", get(reports::report_punctuality))
}

/// Open to phones, those that were shut out too; bodies may be long.
fn phones() -> Router<AppState> {
    Router::new()
        .route("/api/sync", post(sync::exchange_changes))
        .route("/api/jobs/{id}/photos/{hash}/upload", get(photos::get_upload).put(photos::put_part))
}

/// Open to everybody on loopback while a day is played.
fn played() -> Router<AppState> {
    Router::new().route("/api/clock", post(clock::set_clock))
}

/// All of it.
pub fn router(state: &AppState) -> Router {
    let config = &state.config;
    let guard = from_fn_with_state(state.clone(), require_session);
    let phone_guard = from_fn_with_state(state.clone(), require_sender);
    let sync_limit = DefaultBodyLimit::max(config.sync_body_limit_bytes);
    let mut routes = public()
        .merge(signed_in().route_layer(guard))
        .merge(phones().route_layer(phone_guard).layer(sync_limit));
    if state.clock.is_manual() {
        routes = routes.merge(played());
    }
    let longest = config.body_limit_bytes.max(config.sync_body_limit_bytes);
    routes
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        // Counts what was unpacked; the limit below counts what travelled.
        .layer(DefaultBodyLimit::max(config.body_limit_bytes))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(longest))
        .layer(from_fn_with_state(state.clone(), within_one_server))
        .layer(from_fn(same_site))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(error::as_problem))
        .layer(from_fn(headers))
        .layer(CompressionLayer::new())
        // A failure is logged once, where it becomes a reply.
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .with_state(state.clone())
}

/// Gives a request up when the database moved to another server under it: its old one may never answer.
///
/// Whether it was committed is not known then; whatever is handed in twice counts once.
async fn within_one_server(State(db): State<Db>, request: Request, next: Next) -> Response {
    let Some(mut moved) = db.moved() else { return next.run(request).await };
    tokio::select! {
        response = next.run(request) => response,
        _ = moved.changed() => ApiError::NotReady.into_response(),
    }
}

/// Refuses a write that another site made somebody's browser send.
async fn same_site(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let foreign_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = text(header::ORIGIN).is_some_and(|origin| {
        let origin_host = origin.split_once("://").map(|(_, host)| host);
        origin_host.is_none() || origin_host != text(header::HOST)
    });
    if !reads && (foreign_site || foreign_origin) {
        return ApiError::CrossSite.into_response();
    }
    next.run(request).await
}

/// Nothing of a hall is kept in caches or taken for something else.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    ApiError::Internal(anyhow::anyhow!("a handler panicked: {text}")).into_response()
}

/// Names the route, not the URL: ids and searches are nobody's business in a log.
fn span<B>(request: &http::Request<B>) -> tracing::Span {
    let path = request.extensions().get::<axum::extract::MatchedPath>();
    tracing::info_span!(
        "request",
        http.method = request.method().as_str(),
        http.route = path.map_or("none", axum::extract::MatchedPath::as_str),
    )
}
