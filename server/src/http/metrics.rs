//! `GET /metrics` for Prometheus, and the counting of requests.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::caller::bearer;
use super::error::ApiError;
use crate::identity::token::TokenHash;
use crate::state::AppState;

/// Tells figures: to whoever has the configured token, or without one to this machine alone.
#[utoipa::path(
    get, path = "/metrics", tag = "server",
    responses(
        (status = 200, description = "Figures in the text format of OpenMetrics.", body = String,
         content_type = "application/openmetrics-text"),
        (status = 401, description = "The configured token was not sent."),
        (status = 404, description = "Nobody beyond this machine may read them."),
    ),
)]
pub async fn get_metrics(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let token = &state.config.metrics_token.0;
    if token.is_empty() {
        // A proxy on this machine brings strangers, and says so.
        let is_forwarded =
            headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
        if is_forwarded || !peer.ip().to_canonical().is_loopback() {
            return Err(ApiError::NoSuchRoute);
        }
    } else if bearer(&headers) != Some(TokenHash::of(token)) {
        return Err(ApiError::NotSignedIn);
    }
    let text = state.metrics.tell(&state).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}

/// Counts each request by its route and how long its reply took to begin.
pub async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let began = Instant::now();
    let response = next.run(request).await;
    let (status, seconds) = (response.status().as_u16(), began.elapsed().as_secs_f64());
    state.metrics.count_request(method.as_str(), &route, status, seconds);
    response
}
