//! Photos and drawn signatures: taken in parts, checked whole, kept under the name that facts give them.
//!
//! A part and the count of it are stored in one transaction, so an upload goes on where it stopped after any crash,
//! on any node. Only a whole picture that is what its name says reaches the [`store`], and only when it lies there
//! flushed is the phone told that the hall has it. While the store is away parts are still taken; the last one is
//! answered "later", and an empty part asks again.

mod missing;
pub mod store;

use std::io::Cursor;
use std::sync::Arc;

use domain::id::{DeviceId, HallId, JobId};
use domain::photo::{self, Format, PhotoError, Picture};
use image::ImageReader;
use sha2::{Digest as _, Sha256};

pub use self::missing::list_missing;
use self::store::{Store, StoreError};
use crate::db::photos::{self, NamedRow, PhotoRow};
use crate::state::AppState;

/// The longest part of a picture in one request.
pub const MAX_PART_BYTES: usize = 512 << 10;

/// An upload that nobody goes on with for so long is forgotten.
pub const UNFINISHED_MS: i64 = 24 * 3_600_000;

const DAY_MS: i64 = 24 * 3_600_000;

/// Where photos are kept, shared by all requests.
#[derive(Clone, Debug)]
pub struct Photos {
    store: Arc<Store>,
}

/// The name of a picture: its SHA-256 in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhotoHash(String);

impl PhotoHash {
    /// Reads a name; nothing but 64 hexadecimal digits is one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digits = Sha256::digest(bytes).iter().flat_map(|byte| [byte >> 4, byte & 15]).fold(
            String::with_capacity(64),
            |mut text, digit| {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                text
            },
        );
        Self(digits)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A piece of a picture.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where in the picture it begins.
    pub offset: i64,
    /// How long the whole picture is.
    pub length: i64,
    /// The piece.
    pub bytes: axum::body::Bytes,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where the next part begins.
    pub offset: i64,
    /// Whether the hall has the whole picture, checked and flushed.
    pub held: bool,
}

/// Why a part was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The picture is whole and not to be had like this; what came of it is forgotten.
    #[error(transparent)]
    Refused(#[from] PhotoError),
    /// Its container is in order and no decoder takes it.
    #[error("the picture cannot be decoded ({0}): take it again")]
    Undecodable(String),
    /// The whole is not what its name says; what came is forgotten.
    #[error("the bytes sent do not have this hash: send them again from the beginning")]
    OtherContent,
    /// The part is not the next one.
    #[error("{received} bytes are here: go on from there")]
    Gap {
        /// Where the next part begins.
        received: i64,
    },
    /// An upload under this name has another length.
    #[error("this upload was begun with {length} bytes: send that length, or wait a day")]
    OtherLength {
        /// The length it was begun with.
        length: i64,
    },
    /// The numbers cannot be.
    #[error("{0}")]
    BadPart(&'static str),
    /// The phone has handed in as much as one may in a day.
    #[error("this phone has used up its {quota_bytes} bytes of photos a day: go on tomorrow")]
    QuotaUsed {
        /// How much that is.
        quota_bytes: i64,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database said no.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
}

impl Photos {
    /// Keeps photos in this store.
    pub fn new(store: Store) -> Self {
        Self { store: Arc::new(store) }
    }

    /// Whether photos can be kept now.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }

    /// Takes what lies under a key from the store; what is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.delete(key).await
    }

    /// Reads a picture that the hall holds; what is not what its name says is an error.
    pub async fn read(
        &self,
        hall: HallId,
        hash: &PhotoHash,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key(hall, hash.as_str());
        match self.store.get(&key).await? {
            Some(bytes) if PhotoHash::of(&bytes) != *hash => Err(StoreError::Damaged(key)),
            read => Ok(read),
        }
    }
}

/// How far a phone is with a picture.
pub async fn progress(
    state: &AppState,
    (hall, device): (HallId, DeviceId),
    hash: &PhotoHash,
) -> Result<Progress, UploadError> {
    let mut conn = state.db.read().await?;
    if let Some(held) = photos::find_photo(conn.c(), hall, hash.as_str()).await? {
        return Ok(Progress { offset: held.size_bytes, held: true });
    }
    if let Some(begun) = photos::find_upload(conn.c(), device, hash.as_str()).await? {
        // What was begun goes on whether the store answers or not, until it is whole.
        return Ok(Progress { offset: begun.received_bytes, held: false });
    }
    drop(conn);
    let held = find(state, hall, device, hash).await?;
    Ok(Progress { offset: held.as_ref().map_or(0, |held| held.size_bytes), held: held.is_some() })
}

/// Finds a picture that the hall holds.
///
/// The store is the truth: after a database was restored from a backup it may hold what the database forgot, and
/// then the database is told again.
pub async fn find(
    state: &AppState,
    hall: HallId,
    device: DeviceId,
    hash: &PhotoHash,
) -> Result<Option<PhotoRow>, UploadError> {
    let found = photos::find_photo(state.db.read().await?.c(), hall, hash.as_str()).await?;
    if found.is_some() {
        return Ok(found);
    }
    let Some(bytes) = state.photos.read(hall, hash).await? else { return Ok(None) };
    let Ok(picture) = check(hash, &bytes) else { return Ok(None) };
    let row = row(state, (device, hash), &picture, bytes.len());
    let mut tx = state.db.begin().await?;
    photos::insert_photo(tx.c(), hall, &row).await?;
    tx.commit().await?;
    Ok(Some(row))
}

/// Takes a part; with the last one the picture is checked and kept.
pub async fn take_part(
    state: &AppState,
    (hall, device): (HallId, DeviceId),
    hash: &PhotoHash,
    part: Part,
) -> Result<Progress, UploadError> {
    let count = i64::try_from(part.bytes.len()).unwrap_or(i64::MAX);
    let longest = i64::try_from(photo::MAX_BYTES).unwrap_or(i64::MAX);
    if part.bytes.len() > MAX_PART_BYTES {
        return Err(UploadError::BadPart("send at most 524288 bytes in a part"));
    }
    if part.length > longest {
        let bytes = usize::try_from(part.length).unwrap_or(usize::MAX);
        return Err(PhotoError::TooLong { bytes }.into());
    }
    let end = part.offset.checked_add(count).filter(|end| part.offset >= 0 && *end <= part.length);
    let Some(end) = end.filter(|_| part.length > 0) else {
        return Err(UploadError::BadPart("let offset and part lie inside length"));
    };
    let so_far = progress(state, (hall, device), hash).await?;
    if so_far.held {
        return Ok(so_far);
    }
    let received = store_part(state, device, hash, &part).await?;
    if received < part.length {
        // A part that came before is no error: its answer was lost on the way.
        if end > received && part.offset != received {
            return Err(UploadError::Gap { received });
        }
        return Ok(Progress { offset: received, held: false });
    }
    finish(state, (hall, device), hash).await?;
    Ok(Progress { offset: received, held: true })
}

/// Stores a part when it is the next one; tells how much is here then.
async fn store_part(
    state: &AppState,
    device: DeviceId,
    hash: &PhotoHash,
    part: &Part,
) -> Result<i64, UploadError> {
    let now_ms = state.clock.now_ms();
    let name = (device, hash.as_str());
    let mut tx = state.db.begin().await?;
    let begun = photos::find_upload(tx.c(), device, hash.as_str()).await?;
    if begun.is_none() {
        photos::delete_old_uploads(tx.c(), now_ms - UNFINISHED_MS).await?;
        let used = photos::sum_bytes(tx.c(), device, now_ms - DAY_MS).await?;
        let quota_bytes = i64::try_from(state.config.photo_quota_bytes).unwrap_or(i64::MAX);
        if used.saturating_add(part.length) > quota_bytes {
            return Err(UploadError::QuotaUsed { quota_bytes });
        }
        photos::insert_upload(tx.c(), name, part.length, now_ms).await?;
    }
    let upload = photos::find_upload(tx.c(), device, hash.as_str()).await?;
    let upload = upload.ok_or(sqlx::Error::RowNotFound)?;
    if upload.size_bytes != part.length {
        return Err(UploadError::OtherLength { length: upload.size_bytes });
    }
    let mut received = upload.received_bytes;
    if part.offset == received && !part.bytes.is_empty() {
        if !photos::add_part(tx.c(), name, (part.offset, &part.bytes), now_ms).await? {
            return Err(UploadError::Gap { received });
        }
        received += i64::try_from(part.bytes.len()).unwrap_or(0);
    }
    tx.commit().await?;
    Ok(received)
}

/// Checks a picture that is whole and keeps it; what is refused is forgotten.
async fn finish(
    state: &AppState,
    (hall, device): (HallId, DeviceId),
    hash: &PhotoHash,
) -> Result<(), UploadError> {
    let bytes = photos::read_parts(state.db.read().await?.c(), device, hash.as_str()).await?;
    let (name, judged) = (hash.clone(), bytes.clone());
    let checked = tokio::task::spawn_blocking(move || check(&name, &judged)).await;
    let checked = checked.unwrap_or_else(|_| Err(UploadError::Undecodable("it breaks".to_owned())));
    let picture = match checked {
        Ok(picture) => picture,
        Err(error) => {
            let mut tx = state.db.begin().await?;
            photos::delete_upload(tx.c(), device, hash.as_str()).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let row = row(state, (device, hash), &picture, bytes.len());
    state.photos.store.put(&key(hall, hash.as_str()), bytes).await?;
    let mut tx = state.db.begin().await?;
    photos::insert_photo(tx.c(), hall, &row).await?;
    photos::delete_upload(tx.c(), device, hash.as_str()).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether these bytes are a picture that may be kept under this name.
fn check(hash: &PhotoHash, bytes: &[u8]) -> Result<Picture, UploadError> {
    if PhotoHash::of(bytes) != *hash {
        return Err(UploadError::OtherContent);
    }
    let picture = photo::inspect(bytes)?;
    // A second opinion: what browsers will make of it, from a decoder that shares no code with the walk.
    let format = match picture.format {
        Format::Jpeg => image::ImageFormat::Jpeg,
        Format::Png => image::ImageFormat::Png,
        Format::Webp => image::ImageFormat::WebP,
    };
    let decoded = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions();
    match decoded {
        Ok(size) if size == (picture.width, picture.height) => Ok(picture),
        Ok(_) => Err(UploadError::Undecodable("its sizes differ".to_owned())),
        Err(error) => Err(UploadError::Undecodable(error.to_string())),
    }
}

fn row(
    state: &AppState,
    (device, hash): (DeviceId, &PhotoHash),
    picture: &Picture,
    length: usize,
) -> PhotoRow {
    PhotoRow {
        hash: hash.as_str().to_owned(),
        media_type: picture.format.media_type().to_owned(),
        size_bytes: i64::try_from(length).unwrap_or(i64::MAX),
        width: i64::from(picture.width),
        height: i64::from(picture.height),
        device_id: device.0,
        received_at: state.clock.now_ms(),
        erased_at: None,
    }
}

/// Forgets uploads that nobody went on with for a day; tells how many.
pub async fn sweep(state: &AppState) -> Result<u64, UploadError> {
    let before_ms = state.clock.now_ms() - UNFINISHED_MS;
    let mut tx = state.db.begin().await?;
    let forgotten = photos::delete_old_uploads(tx.c(), before_ms).await?;
    tx.commit().await?;
    state.photos.store.sweep(before_ms).await?;
    Ok(forgotten)
}

/// The photos that a job names.
pub async fn list(
    state: &AppState,
    hall: HallId,
    job: JobId,
) -> Result<Vec<NamedRow>, sqlx::Error> {
    photos::list_named(state.db.read().await?.c(), hall, job).await
}

/// Where in the store a picture lies: each hall's apart, so that one hall's pictures say nothing of another's.
pub fn key(hall: HallId, hash: &str) -> String {
    format!("{hall}/{}/{hash}", hash.get(..2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_40_a_name_is_a_hash_and_nothing_that_leads_elsewhere() {
        let hash = PhotoHash::of(b"");
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hash.as_str(), empty);
        assert_eq!(PhotoHash::parse(&empty.to_uppercase()), Some(hash));
        for text in ["", "..", "../../etc/passwd", &empty[1..], &format!("{empty}0"), "C:"] {
            assert_eq!(PhotoHash::parse(text), None);
        }
        assert_eq!(PhotoHash::parse(&format!("{}\0", &empty[1..])), None);
    }
}
