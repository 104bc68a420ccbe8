//! Versions of a job: `ETag`, `If-None-Match` and `If-Match`.
//!
//! A tag is `"<position>.<digest>"`: the position in the hall's feed where the job changed last, and a digest of the
//! body, which also changes with what the clock alone decides. An edit is held to the position: it is the job that
//! somebody edits, not the time they read it at.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::id::JobId;
use domain::job::Job;
use domain::status::standing;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sync::document;

use super::error::ApiError;
use crate::db::{C, changes};

/// Which version of a job somebody edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<Tag>>);

/// A tag as somebody sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    text: String,
    /// `None` for a tag that this server never gave.
    position: Option<i64>,
}

/// The tag of a job that changed last at a position, without a body's digest: enough for `If-Match`.
pub fn tag(position: i64) -> String {
    format!("\"{position}\"")
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut tags = Vec::new();
        for value in parts.headers.get_all(header::IF_MATCH) {
            for text in value.to_str().unwrap_or_default().split(',').map(str::trim) {
                if text == "*" {
                    return Ok(Self(None));
                }
                tags.push(read_tag(text));
            }
        }
        Ok(Self((!tags.is_empty()).then_some(tags)))
    }
}

/// Reads a tag; one that no server gave is one that no version has.
fn read_tag(text: &str) -> Tag {
    let is_weak = text.starts_with("W/");
    let opaque =
        text.trim_start_matches("W/").strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    // A weak tag is never enough to edit by.
    let position = opaque.and_then(|it| it.split('.').next()).filter(|_| !is_weak);
    Tag { text: text.to_owned(), position: position.and_then(|it| it.parse().ok()) }
}

impl IfMatch {
    /// Whether an edit of what stands at this version is one of what the caller saw.
    pub(super) fn allows(&self, version: i64) -> bool {
        self.0.as_ref().is_none_or(|tags| tags.iter().any(|tag| tag.position == Some(version)))
    }

    /// The first tag as it was sent.
    pub(super) fn first(&self) -> Option<&str> {
        self.0.as_ref()?.first().map(|tag| tag.text.as_str())
    }

    /// Refuses an edit of a job that changed since the caller saw it; the refusal shows both versions.
    pub async fn check(&self, c: C<'_>, current: &Job, position: i64) -> Result<(), ApiError> {
        let Some(tags) = &self.0 else { return Ok(()) };
        if tags.iter().any(|tag| tag.position == Some(position)) {
            return Ok(());
        }
        let given = tags.first();
        let seen = given.and_then(|tag| tag.position).filter(|seen| *seen < position);
        let seen = match seen {
            Some(seen) => as_of(c, current.id, seen).await?,
            None => None,
        };
        let given = json!({"etag": given.map(|tag| &tag.text), "job": seen, "standing": seen.as_ref().map(standing)});
        let current = json!({"etag": tag(position), "job": current, "standing": standing(current)});
        Err(ApiError::Stale(Box::new(Stale { current, given })))
    }
}

/// A job as it is and as the caller saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stale {
    /// As it is.
    pub current: Value,
    /// As it was at the tag given; its `job` is null when this server never gave that tag.
    pub given: Value,
}

/// A job as it stood at a position.
async fn as_of(c: C<'_>, job: JobId, position: i64) -> Result<Option<Job>, ApiError> {
    let rows = changes::list_job_changes(c, job, 0).await?;
    let bytes: Vec<_> = rows
        .iter()
        .filter(|row| row.position <= position)
        .map(|row| row.bytes.as_slice())
        .collect();
    if bytes.is_empty() {
        return Ok(None);
    }
    let doc = document::load(None, &bytes).map_err(anyhow::Error::from)?;
    Ok(Some(document::read(&doc).map_err(anyhow::Error::from)?))
}

/// Replies with a body and its tag, or with 304 when the caller has it.
pub(super) fn reply(
    asked: &HeaderMap,
    position: i64,
    headers: impl IntoIterator<Item = (header::HeaderName, HeaderValue)>,
    body: Vec<u8>,
) -> Response {
    let mut digest = [0; 8];
    digest.copy_from_slice(&Sha256::digest(&body)[..8]);
    let etag = format!("\"{position}.{:016x}\"", u64::from_be_bytes(digest));
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    let mut known = known.flat_map(|it| it.split(',')).map(str::trim);
    let is_known = known.any(|it| it == "*" || it.trim_start_matches("W/") == etag);
    let etag = HeaderValue::from_str(&etag).expect("digits and letters make a header");
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = body.into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        response
    };
    response.headers_mut().insert(header::ETAG, etag);
    response
}
