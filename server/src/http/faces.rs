//! The web applications as files: the technician's at `/m/`, the hall's at `/c/`, a household's page at `/t/<token>`.

use axum::Router;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use std::path::Path;
use tower_http::services::ServeDir;

use super::caller::ClientAddress;
use super::error::ApiError;
use super::track;
use crate::state::AppState;

/// What a page may load and run: this hall's own files, and WebAssembly among them.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; \
    trusted-types vue doorstep";

/// What a household's page may load: its own files, and nothing that could carry its address away.
const PRIVATE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Where the page has what it says without scripts.
const PLACE: &str = "<!--said-->";

/// A year: a file whose name is a hash of it never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Serves the applications of a folder; an empty name serves none.
pub(super) fn faces(folder: &str) -> Router<AppState> {
    if folder.is_empty() {
        return Router::new();
    }
    let files =
        |name| ServeDir::new(Path::new(folder).join(name)).precompressed_br().precompressed_gzip();
    Router::new()
        .route("/", get(async || Redirect::temporary("/c/")))
        .route("/m", get(async || Redirect::permanent("/m/")))
        .route("/c", get(async || Redirect::permanent("/c/")))
        .nest_service("/m/", files("m"))
        .nest_service("/c/", files("c"))
        .nest_service("/track/", files("track"))
        .layer(from_fn(as_page))
        .route("/t/{token}", get(track_page).layer(from_fn(as_private_page)))
}

async fn as_page(request: Request, next: Next) -> Response {
    let is_hashed = request.uri().path().contains("/assets/");
    let mut response = next.run(request).await;
    let is_there = response.status().is_success() || response.status().is_redirection();
    let kept = if is_hashed && is_there { FOR_GOOD } else { "no-cache" };
    let said = [
        (header::CACHE_CONTROL, kept),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(self), geolocation=(self)"),
    ];
    for (name, value) in said {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A household's page: the same words for a link that is over and one that never was.
async fn track_page(
    State(state): State<AppState>,
    address: ClientAddress,
    UrlPath(token): UrlPath<String>,
) -> Response {
    let file = Path::new(&state.config.web).join("track/index.html");
    let Ok(page) = tokio::fs::read_to_string(file).await else {
        return ApiError::NoSuchRoute.into_response();
    };
    let (status, said) = match track::look(&state, address, &token).await {
        Ok(seen) => (StatusCode::OK, seen.plain()),
        Err(error) => (error.kind().status(), track::refused()),
    };
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, kind, page.replace(PLACE, &said)).into_response()
}

async fn as_private_page(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let said = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, PRIVATE_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow, noarchive"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in said {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
