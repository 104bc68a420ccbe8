//! Pictures in a bucket of an S3-compatible store, which all nodes share.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use domain::photo;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
};
use tokio_stream::StreamExt as _;

use super::address::BucketAddress;
use super::{StoreError, is_key};
use crate::ids::random_bytes;

/// What the doctor writes and removes again; no picture is called that.
const PROBE: &str = "probe";

/// A server that does not take a connection by then is away.
const CONNECT: Duration = Duration::from_secs(3);

/// The longest picture over a slow line.
const REQUEST: Duration = Duration::from_secs(20);

/// How long is tried again while a phone waits for its answer.
const PATIENCE: Duration = Duration::from_secs(6);

/// How often is tried again.
const TRIES: usize = 3;

/// The code of a store in which nobody made the bucket.
const NO_BUCKET: &str = "NoSuchBucket";

/// Codes of a store that does not let somebody in.
const DENIED: [&str; 5] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
    "AuthorizationHeaderMalformed",
];

/// A bucket.
pub struct Bucket {
    store: AmazonS3,
    prefix: Path,
    shown: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.shown).finish()
    }
}

impl Bucket {
    /// Makes a client; nothing is reached yet.
    pub(super) fn open(
        address: BucketAddress,
        (key_id, secret): (&str, &str),
    ) -> Result<Self, StoreError> {
        let shown = address.shown();
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.,
            },
            max_retries: TRIES,
            retry_timeout: PATIENCE,
        };
        let options = ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST);
        let mut builder = AmazonS3Builder::new()
            .with_client_options(options)
            .with_retry(retry)
            .with_bucket_name(&address.bucket)
            .with_region(&address.region)
            .with_virtual_hosted_style_request(address.is_in_host)
            .with_access_key_id(key_id)
            .with_secret_access_key(secret);
        if let Some(endpoint) = &address.endpoint {
            // Whether plain HTTP may be spoken was decided when the address was read.
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        let store = builder.build().map_err(|error| StoreError::Settings(error.to_string()))?;
        Ok(Self { store, prefix: address.prefix, shown })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let put = self.store.put(&self.path(key), bytes.into()).await;
        put.map(drop).map_err(|error| self.told(&error))
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let got = match self.store.get(&self.path(key)).await {
            Ok(got) => got,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(self.told(&error)),
        };
        if got.meta.size > photo::MAX_BYTES as u64 {
            return Err(StoreError::Damaged(key.to_owned()));
        }
        let bytes = got.bytes().await.map_err(|error| self.told(&error))?;
        Ok(Some(bytes.into()))
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.store.delete(&self.path(key)).await {
            Err(error) if !is_absent(&error) => Err(self.told(&error)),
            _ => Ok(()),
        }
    }

    pub(super) async fn has(&self, key: &str) -> Result<bool, StoreError> {
        match self.store.head(&self.path(key)).await {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(self.told(&error)),
        }
    }

    pub(super) async fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut objects = self.store.list(prefix);
        let mut keys = BTreeMap::new();
        while let Some(object) = objects.next().await {
            let object = object.map_err(|error| self.told(&error))?;
            let parts = object.location.prefix_match(&self.prefix);
            let key = parts.map(Path::from_iter).unwrap_or_default();
            if is_key(key.as_ref()) {
                keys.insert(key.into(), object.size);
            }
        }
        Ok(keys)
    }

    /// Lists, writes, reads and removes something, as whoever uses the store has to.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let mut objects = self.store.list(Some(&self.path(PROBE)));
        objects.next().await.transpose().map_err(|error| self.told(&error))?;
        let key = format!("{PROBE}/{:032x}", u128::from_le_bytes(random_bytes()));
        self.put(&key, PROBE.as_bytes().to_vec()).await?;
        let read = self.get(&key).await;
        self.store.delete(&self.path(&key)).await.map_err(|error| self.told(&error))?;
        match read? {
            Some(bytes) if bytes == PROBE.as_bytes() => Ok(()),
            _ => Err(StoreError::Damaged(key)),
        }
    }

    fn path(&self, key: &str) -> Path {
        self.prefix.parts().chain(Path::from(key).parts()).collect()
    }

    /// What went wrong, by what is to be done about it.
    fn told(&self, error: &Error) -> StoreError {
        let (store, why) = (self.shown.clone(), reason(error));
        // What is said of a list comes without its kind, so the store's code counts as well.
        if matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
            || DENIED.contains(&why.as_str())
        {
            StoreError::Denied { store, why }
        } else if matches!(error, Error::NotFound { .. }) || why == NO_BUCKET {
            StoreError::NoBucket { store }
        } else {
            StoreError::Away { store, why }
        }
    }
}

/// Whether the bucket is there and the picture is not.
fn is_absent(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. }) && code(error).as_deref() != Some(NO_BUCKET)
}

/// The code in a reply of the store.
fn code(error: &Error) -> Option<String> {
    let text = error.to_string();
    let (_, from) = text.split_once("<Code>")?;
    from.split_once("</Code>").map(|(code, _)| code.to_owned())
}

/// The reason in few words: the store's own code, or what the system said at the bottom.
fn reason(error: &Error) -> String {
    if let Some(code) = code(error) {
        return code;
    }
    let mut deepest = error.source();
    while let Some(below) = deepest.and_then(std::error::Error::source) {
        deepest = Some(below);
    }
    deepest.map_or_else(|| error.to_string(), ToString::to_string)
}
