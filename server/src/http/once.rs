//! Creating once, however often the request is sent: `Idempotency-Key`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::id::UserId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sqlx::types::Json as SqlJson;

use super::caller::Caller;
use super::error::ApiError;
use super::extract::Body;
use crate::db::receipts::{self, ReceiptRow};
use crate::db::{C, is_unique_violation};
use crate::state::AppState;

/// How long a key is known.
const KEPT_MS: i64 = 24 * 3_600_000;

/// The longest key.
const LONGEST_KEY: usize = 255;

/// A body, and under which key what it asks for is created.
///
/// A request that was carried out before never reaches the handler: it is answered as it was then.
#[derive(Clone, Debug)]
pub struct Once<T>(pub T, pub Receipt);

/// Keeps the reply of a creation, when the caller gave a key.
#[derive(Clone, Debug, Default)]
pub struct Receipt(Option<Key>);

#[derive(Clone, Debug)]
struct Key {
    user: UserId,
    hash: Vec<u8>,
    digest: Vec<u8>,
}

impl<T: DeserializeOwned> FromRequest<AppState> for Once<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (parts, Once(bytes, receipt)) = take(request, state).await?;
        let request = Request::from_parts(parts, bytes.into());
        let body = Body::from_request(request, state).await.map_err(ApiError::into_response)?;
        Ok(Self(body.0, receipt))
    }
}

/// A file as a body, and under which key it is handed in.
#[derive(Clone, Debug)]
pub struct OnceFile(pub Once<Bytes>);

impl FromRequest<AppState> for OnceFile {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        Ok(Self(take(request, state).await?.1))
    }
}

/// Reads a body and its key; a request that was carried out before is refused with its reply.
async fn take(request: Request, state: &AppState) -> Result<(Parts, Once<Bytes>), Response> {
    let (mut parts, body) = request.into_parts();
    let refuse = |error: ApiError| error.into_response();
    let caller = Caller::from_request_parts(&mut parts, state).await.map_err(refuse)?;
    let request = Request::from_parts(parts.clone(), body);
    let bytes = Bytes::from_request(request, state).await.map_err(|it| refuse(it.into()))?;
    let asked = format!("{} {}\n", parts.method, parts.uri);
    let key = key(&parts.headers).map_err(refuse)?.map(|key| Key {
        user: caller.user,
        hash: Sha256::digest(key).to_vec(),
        digest: Sha256::new()
            .chain_update(Sha256::digest([key, b"/request"].concat()))
            .chain_update(asked)
            .chain_update(&bytes)
            .finalize()
            .to_vec(),
    });
    if let Some(key) = &key
        && let Some(reply) = again(state, key).await.map_err(refuse)?
    {
        return Err(reply);
    }
    Ok((parts, Once(bytes, Receipt(key))))
}

fn key(headers: &HeaderMap) -> Result<Option<&[u8]>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.as_bytes();
    if (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic) {
        return Ok(Some(key));
    }
    let what = "send as `Idempotency-Key` 1 to 255 printable ASCII characters without spaces";
    Err(ApiError::BadRequest(what.to_owned()))
}

/// The reply to the same request before.
async fn again(state: &AppState, key: &Key) -> Result<Option<Response>, ApiError> {
    let after = state.clock.now_ms() - KEPT_MS;
    let mut conn = state.db.read().await?;
    let Some(row) = receipts::find_receipt(conn.c(), (key.user, &key.hash), after).await? else {
        return Ok(None);
    };
    if row.request_digest != key.digest {
        return Err(ApiError::KeyReused);
    }
    let status = u16::try_from(row.status).ok().and_then(|it| StatusCode::from_u16(it).ok());
    let replayed =
        (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    let status = status.unwrap_or(StatusCode::CREATED);
    Ok(Some((status, [replayed], Json(row.body.0)).into_response()))
}

impl Receipt {
    /// Keeps what is about to be replied, in the transaction that creates; its body must hold no secret.
    pub async fn keep(
        &self,
        mut c: C<'_>,
        body: &impl Serialize,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        let Some(key) = &self.0 else { return Ok(()) };
        receipts::delete_receipts(c.lend(), now_ms - KEPT_MS).await?;
        let body = serde_json::to_value(body).map_err(anyhow::Error::from)?;
        let row = ReceiptRow {
            request_digest: key.digest.clone(),
            status: i64::from(StatusCode::CREATED.as_u16()),
            body: SqlJson(body),
        };
        match receipts::insert_receipt(c, (key.user, &key.hash), &row, now_ms).await {
            Err(error) if is_unique_violation(&error) => Err(ApiError::KeyInUse),
            kept => Ok(kept?),
        }
    }
}
