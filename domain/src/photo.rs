//! What a photo or a drawn signature may be: a JPEG, PNG or WebP picture and nothing beside it.
//!
//! A picture is named by its content, so nobody may change it on the way: what it must not carry, the place
//! where it was taken above all, is taken out on the phone by [`strip`] before it gets its name, and [`inspect`]
//! refuses what still has it. Both look at the container alone; whether the picture decodes is another question.

mod jpeg;
mod png;
mod webp;

use serde::{Deserialize, Serialize};

/// The longest picture, in bytes.
pub const MAX_BYTES: usize = 10 << 20;

/// The most pixels of a picture.
pub const MAX_PIXELS: u64 = 40_000_000;

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// The content type that it is served with.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// How a file's name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The format that begins with these bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Finds the format of a content type.
    pub fn from_media_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.media_type() == text)
    }
}

/// A picture as its container tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// How it is written.
    pub format: Format,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Why a picture is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// It is longer than [`MAX_BYTES`].
    #[error("the picture has {bytes} bytes: make it smaller, {MAX_BYTES} at most")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It has more than [`MAX_PIXELS`].
    #[error("the picture has {pixels} pixels: make it smaller, {MAX_PIXELS} at most")]
    TooManyPixels {
        /// How many it has.
        pixels: u64,
    },
    /// It is no JPEG, PNG or WebP.
    #[error("send a JPEG, PNG or WebP picture: this is none of them")]
    UnknownFormat,
    /// It breaks off or its parts do not fit together.
    #[error("the picture is damaged ({0}): take it again")]
    Damaged(&'static str),
    /// It tells where it was taken.
    #[error(
        "the picture tells where it was taken: strip its EXIF position before it gets its hash"
    )]
    Position,
    /// It carries something that is no picture.
    #[error("the picture carries {0}: strip everything but the picture before it gets its hash")]
    Metadata(&'static str),
    /// Something follows the picture's end.
    #[error("{bytes} bytes follow the end of the picture: strip them before it gets its hash")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// Looks at a picture's container from the first byte to the last.
pub fn inspect(bytes: &[u8]) -> Result<Picture, PhotoError> {
    if bytes.len() > MAX_BYTES {
        return Err(PhotoError::TooLong { bytes: bytes.len() });
    }
    let format = Format::of(bytes).ok_or(PhotoError::UnknownFormat)?;
    let (width, height) = match format {
        Format::Jpeg => jpeg::walk(bytes, &mut Judge)?,
        Format::Png => png::walk(bytes, &mut Judge)?,
        Format::Webp => webp::walk(bytes, &mut Judge)?,
    };
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(PhotoError::Damaged("it has no pixels"));
    }
    if pixels > MAX_PIXELS {
        return Err(PhotoError::TooManyPixels { pixels });
    }
    Ok(Picture { format, width, height })
}

/// Takes out everything that is no picture: position, camera, comments, thumbnails, what follows the end.
///
/// The result passes [`inspect`] unless the picture itself is damaged or too large.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, PhotoError> {
    let mut kept = Kept { bytes: Vec::with_capacity(bytes.len()) };
    match Format::of(bytes).ok_or(PhotoError::UnknownFormat)? {
        Format::Jpeg => jpeg::walk(bytes, &mut kept)?,
        Format::Png => png::walk(bytes, &mut kept)?,
        Format::Webp => {
            webp::walk(bytes, &mut kept)?;
            return Ok(webp::close(kept.bytes));
        }
    };
    Ok(kept.bytes)
}

/// What a walk through a container meets.
trait Visitor {
    /// A piece of the picture itself.
    fn picture(&mut self, bytes: &[u8]);

    /// Something that is no picture; an error ends the walk.
    fn other(&mut self, why: PhotoError) -> Result<(), PhotoError>;
}

/// Refuses what is no picture.
struct Judge;

impl Visitor for Judge {
    fn picture(&mut self, _bytes: &[u8]) {}

    fn other(&mut self, why: PhotoError) -> Result<(), PhotoError> {
        Err(why)
    }
}

/// Keeps the picture and leaves the rest.
struct Kept {
    bytes: Vec<u8>,
}

impl Visitor for Kept {
    fn picture(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn other(&mut self, _why: PhotoError) -> Result<(), PhotoError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
