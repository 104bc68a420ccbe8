//! Photos on the phone: their own store beside the log, and their way to the hall.

use domain::id::JobId;

use crate::link::LinkError;
use crate::log::StoreError;

/// The bytes of a picture that travel in one request.
pub const PART_BYTES: usize = 256 << 10;

/// Where pictures lie whole, beside the log: a folder, IndexedDB, memory.
#[expect(async_fn_in_trait, reason = "IndexedDB futures are not Send, and callers are generic")]
pub trait BlobStore {
    /// Keeps bytes under a name; they are durable when this returns `Ok`. After an error what was kept under the
    /// name before is still there.
    async fn keep_blob(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Reads what is kept under a name.
    async fn read_blob(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Lets go of a name; one that is not there is no error.
    async fn remove_blob(&mut self, name: &str) -> Result<(), StoreError>;

    /// Lists the names.
    async fn blob_names(&mut self) -> Result<Vec<String>, StoreError>;
}

/// How far the hall is with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where the next part begins.
    pub offset: usize,
    /// Whether the hall has all of it, checked and flushed.
    pub held: bool,
}

/// A piece of a picture on its way.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Where it begins.
    pub offset: usize,
    /// How long the whole picture is.
    pub length: usize,
    /// The piece; empty asks the hall to finish what it has.
    pub bytes: &'a [u8],
}

/// Why a picture did not get further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoLinkError {
    /// There was no reply, or not one that helps.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The hall is elsewhere in the picture: ask again how far it is.
    #[error("the hall is elsewhere in the picture")]
    Elsewhere,
    /// The hall will never take this picture, in its own words.
    #[error("the hall refuses the picture: {0}")]
    Refused(String),
}

/// The way of pictures to the hall.
#[expect(async_fn_in_trait, reason = "a browser's futures are not Send, and callers are generic")]
pub trait PhotoLink {
    /// Asks how far the hall is with a picture.
    async fn photo_progress(&mut self, job: JobId, hash: &str) -> Result<Progress, PhotoLinkError>;

    /// Hands in a part.
    async fn send_photo_part(
        &mut self,
        job: JobId,
        hash: &str,
        part: Part<'_>,
    ) -> Result<Progress, PhotoLinkError>;
}
