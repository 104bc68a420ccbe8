//! Where whole pictures lie: a folder, or a bucket of an S3-compatible store.

mod address;
mod bucket;
mod folder;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

pub use self::address::{Address, BucketAddress};
pub use self::bucket::Bucket;
use crate::config::Config;

/// A place for pictures; what was put is there after a crash.
#[derive(Debug)]
pub enum Store {
    /// A folder of this machine, or one that all nodes mount.
    Folder(PathBuf),
    /// A bucket that all nodes share.
    Bucket(Box<Bucket>),
}

/// Why a picture was not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk said no.
    #[error("the photo store's folder: {0}")]
    Folder(#[from] io::Error),
    /// What is configured names no store.
    #[error("photo_store: {0}")]
    Settings(String),
    /// The store does not answer, or has trouble of its own.
    #[error("the photo store {store} does not answer: {why}")]
    Away {
        /// Which one.
        store: String,
        /// What was heard of it.
        why: String,
    },
    /// The store does not let this server in.
    #[error(
        "the photo store {store} refuses this server ({why}): see that photo_store_key_id and photo_store_secret \
         are right and may read, write, delete and list there, and that both clocks agree"
    )]
    Denied {
        /// Which one.
        store: String,
        /// The store's own code.
        why: String,
    },
    /// Nobody made the bucket.
    #[error("the photo store {store} has no such bucket: make it, or name another in photo_store")]
    NoBucket {
        /// Which one.
        store: String,
    },
    /// What lies there is not what its name says.
    #[error(
        "what lies in the photo store as {0} is not that picture: remove it and bring it back from a backup"
    )]
    Damaged(String),
}

impl StoreError {
    /// Whether it goes when somebody has seen to the store; what a phone sent is kept until then.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Denied { .. } | Self::NoBucket { .. } => true,
            Self::Folder(_) | Self::Settings(_) | Self::Damaged(_) => false,
        }
    }
}

impl Store {
    /// Opens what is configured; a bucket is not reached yet.
    pub fn open(config: &Config) -> Result<Self, StoreError> {
        match Address::parse(config)? {
            Address::Folder(folder) => Ok(Self::Folder(folder)),
            Address::Bucket(address) => {
                let keys = (&*config.photo_store_key_id, &*config.photo_store_secret.0);
                Ok(Self::Bucket(Box::new(Bucket::open(address, keys)?)))
            }
        }
    }

    /// How people name it; no secrets.
    pub fn shown(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Bucket(bucket) => bucket.shown().to_owned(),
        }
    }

    /// Keeps bytes under a key; they are durable when this returns.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        match self {
            Self::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.to_owned());
                blocking(move || folder::put(&folder, &key, &bytes)).await
            }
            Self::Bucket(bucket) => bucket.put(key, bytes).await,
        }
    }

    /// Reads what is kept under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.to_owned());
                blocking(move || folder::get(&folder, &key)).await
            }
            Self::Bucket(bucket) => bucket.get(key).await,
        }
    }

    /// Removes what is kept under a key; what is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(key);
                blocking(move || folder::delete(&path)).await
            }
            Self::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// Whether something is kept under a key.
    pub async fn has(&self, key: &str) -> Result<bool, StoreError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(key);
                blocking(move || path.try_exists()).await
            }
            Self::Bucket(bucket) => bucket.has(key).await,
        }
    }

    /// Every key with its length in bytes.
    pub async fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder::list(&folder)).await
            }
            Self::Bucket(bucket) => bucket.list().await,
        }
    }

    /// Whether pictures can be kept now; leaves nothing behind.
    pub async fn probe(&self) -> Result<(), StoreError> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder::probe(&folder)).await
            }
            Self::Bucket(bucket) => bucket.probe().await,
        }
    }

    /// Removes what was on its way in when a server stopped before this time, Unix ms.
    pub async fn sweep(&self, before_ms: i64) -> Result<(), StoreError> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder::sweep(&folder, before_ms)).await
            }
            // An object is there whole or not at all.
            Self::Bucket(_) => Ok(()),
        }
    }
}

/// Whether this is where a picture lies: `<hall>/<two digits>/<hash>`.
fn is_key(text: &str) -> bool {
    let mut parts = text.split('/');
    let (hall, digits, hash) = (parts.next(), parts.next(), parts.next());
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (Some(hall), Some(digits), Some(hash)) = (hall, digits, hash) else { return false };
    let fits = digits.len() == 2 && hash.len() == 64 && is_hex(hash) && hash.starts_with(digits);
    fits && uuid::Uuid::parse_str(hall).is_ok() && parts.next().is_none()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(io::Error::other)??)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn what_was_put_is_read_back_and_nothing_is_left_on_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Folder(folder.path().join("photos"));
        let hash = format!("ab{}", "0".repeat(62));
        let key = format!("00000000-0000-0000-0000-000000004a11/ab/{hash}");

        assert_eq!(store.get(&key).await.unwrap(), None);
        assert!(store.list().await.unwrap().is_empty());
        store.put(&key, b"one".to_vec()).await.unwrap();
        store.put(&key, b"three".to_vec()).await.unwrap();

        assert_eq!(store.get(&key).await.unwrap().unwrap(), b"three");
        assert!(store.has(&key).await.unwrap());
        let incoming = folder.path().join("photos").join(folder::INCOMING);
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
        fs::write(incoming.join("torn"), b"half").unwrap();
        assert_eq!(store.list().await.unwrap(), BTreeMap::from([(key.clone(), 5)]));
        store.sweep(0).await.unwrap();
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 1, "it may still be under way");
        store.sweep(i64::MAX).await.unwrap();
        assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
        store.delete(&key).await.unwrap();
        store.delete(&key).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap(), None);
    }

    #[test]
    fn only_where_a_picture_can_lie_is_a_key() {
        let (hall, hash) = ("00000000-0000-0000-0000-000000004a11", "ab".repeat(32));
        assert!(is_key(&format!("{hall}/ab/{hash}")));
        for text in [
            format!("{hall}/ac/{hash}"),
            format!("{hall}/ab/{hash}/x"),
            format!("{hall}/ab/{}", hash.to_uppercase()),
            format!("hall/ab/{hash}"),
            "incoming/0123".to_owned(),
            String::new(),
        ] {
            assert!(!is_key(&text), "{text}");
        }
    }
}
