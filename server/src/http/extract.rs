//! Extractors for bodies, paths and queries whose refusals are problem details.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Deserializer};

use super::error::ApiError;

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

/// The captures of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

/// The query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::WrongContentType("`Content-Type: application/json`"));
        }
        let bytes = Bytes::from_request(request, state).await?;
        // Every body is an object; a list would be read as its fields in their order.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            let rule = "send a JSON object, as the description of this operation says";
            return Err(ApiError::Unprocessable(rule.to_owned()));
        }
        let axum::Json(body) = axum::Json::from_bytes(&bytes)?;
        if has_nul(&bytes) {
            return Err(no_nul());
        }
        Ok(Self(body))
    }
}

/// A body that may be left out altogether.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Path(path) =
            axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(path))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let has_nul = parts.uri.query().is_some_and(|query| query.contains("%00"));
        let axum::extract::Query(query) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        if has_nul { Err(no_nul()) } else { Ok(Self(query)) }
    }
}

/// Reads a whole number; for JSON `480.0` is as whole a number as `480`.
pub(super) fn read_whole<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    whole(&serde_json::Number::deserialize(deserializer)?)
}

/// Reads a whole number that may be left out.
pub(super) fn read_whole_or_none<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    let number = Option::<serde_json::Number>::deserialize(deserializer)?;
    number.as_ref().map(whole).transpose()
}

fn whole<T: FromStr, E: serde::de::Error>(number: &serde_json::Number) -> Result<T, E> {
    let text = number.to_string();
    let whole = text.strip_suffix(".0").unwrap_or(&text).parse().ok();
    whole.ok_or_else(|| E::custom(format!("send a whole number, not {text}")))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// No database keeps the letter U+0000 in a text.
fn no_nul() -> ApiError {
    ApiError::Unprocessable("leave out the letter U+0000: no text has it".to_owned())
}

/// Whether JSON spells the letter U+0000; a backslash before the escape makes it plain text.
fn has_nul(json: &[u8]) -> bool {
    let escape = b"\\u0000";
    let starts = json.windows(escape.len()).enumerate().filter(|(_, window)| window == escape);
    let mut backslashes =
        starts.map(|(at, _)| json[..at].iter().rev().take_while(|byte| **byte == b'\\').count());
    backslashes.any(|before| before % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_no_database_keeps_is_found_wherever_it_stands() {
        assert!(has_nul(br#"{"text":"\u0000"}"#));
        assert!(has_nul(br#"{"text":"\\\u0000"}"#));
        assert!(!has_nul(br#"{"text":"\\u0000"}"#));
        assert!(!has_nul(br#"{"text":"0000"}"#));
    }
}
