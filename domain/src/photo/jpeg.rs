//! A JPEG from start of image to end of image, segment by segment.

use super::{PhotoError, Visitor};

const CUT: PhotoError = PhotoError::Damaged("it breaks off");

/// The tags of an EXIF block that say how to show the picture, and nothing of the world.
const HARMLESS_TAGS: [u16; 5] = [0x0112, 0x011a, 0x011b, 0x0128, 0x0213];

/// The EXIF tag that points to the position.
const POSITION_TAG: u16 = 0x8825;

/// Walks a JPEG; tells its width and height.
pub(super) fn walk(bytes: &[u8], visitor: &mut impl Visitor) -> Result<(u32, u32), PhotoError> {
    visitor.picture(bytes.get(..2).ok_or(CUT)?);
    let mut at = 2;
    let mut size = None;
    loop {
        let &[0xff, marker] = bytes.get(at..at + 2).ok_or(CUT)? else {
            return Err(PhotoError::Damaged("a segment does not begin with a marker"));
        };
        match marker {
            // Markers may be preceded by any number of fill bytes.
            0xff => at += 1,
            0xd9 => {
                visitor.picture(&bytes[at..at + 2]);
                at += 2;
                break;
            }
            0x01 | 0xd0..=0xd8 | 0x00 => {
                return Err(PhotoError::Damaged("a marker stands where none may"));
            }
            _ => {
                let segment = segment(bytes, at)?;
                if is_frame(marker) {
                    size = Some(frame_size(segment)?);
                }
                match foreign(marker, &segment[4..]) {
                    Some(why) => visitor.other(why)?,
                    None => visitor.picture(segment),
                }
                at += segment.len();
                if marker == 0xda {
                    let end = scan_end(bytes, at)?;
                    visitor.picture(&bytes[at..end]);
                    at = end;
                }
            }
        }
    }
    if at < bytes.len() {
        visitor.other(PhotoError::Trailing { bytes: bytes.len() - at })?;
    }
    size.ok_or(PhotoError::Damaged("it has no frame"))
}

/// A segment with its marker and length.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], PhotoError> {
    let length = bytes.get(at + 2..at + 4).ok_or(CUT)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length < 2 {
        return Err(PhotoError::Damaged("a segment is shorter than its own length"));
    }
    bytes.get(at..at + 2 + length).ok_or(CUT)
}

fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

fn frame_size(segment: &[u8]) -> Result<(u32, u32), PhotoError> {
    let &[high, low, wide_high, wide_low] = segment.get(5..9).ok_or(CUT)? else { return Err(CUT) };
    let number = |high, low| u32::from(u16::from_be_bytes([high, low]));
    Ok((number(wide_high, wide_low), number(high, low)))
}

/// Where the entropy-coded data ends: at the next marker that is no restart and no stuffed byte.
fn scan_end(bytes: &[u8], from: usize) -> Result<usize, PhotoError> {
    let mut at = from;
    loop {
        let next = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0xff));
        at += next.ok_or(CUT)?;
        match bytes.get(at + 1).ok_or(CUT)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Ok(at),
        }
    }
}

/// Why a segment is no part of the picture; `None` when it is.
fn foreign(marker: u8, content: &[u8]) -> Option<PhotoError> {
    match marker {
        0xe0 if content.starts_with(b"JFIF\0") => None,
        0xe1 if content.starts_with(b"Exif\0\0") => exif(&content[6..]),
        0xe1 => Some(PhotoError::Metadata("XMP or another APP1 block")),
        0xe2 if content.starts_with(b"ICC_PROFILE\0") => None,
        0xee if content.starts_with(b"Adobe") => None,
        0xe0..=0xef => Some(PhotoError::Metadata("a block of an application")),
        0xfe => Some(PhotoError::Metadata("a comment")),
        _ => None,
    }
}

/// An EXIF block may say how to turn the picture; anything else it says is nobody's business.
fn exif(tiff: &[u8]) -> Option<PhotoError> {
    let more = Some(PhotoError::Metadata("EXIF beyond its orientation"));
    let is_big = match tiff.get(..4) {
        Some(b"MM\0\x2a") => true,
        Some(b"II\x2a\0") => false,
        _ => return more,
    };
    let pair = |at: usize| -> Option<u16> {
        let pair = tiff.get(at..at + 2)?.try_into().ok()?;
        Some(if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let long = |at: usize| -> Option<usize> {
        let four = tiff.get(at..at + 4)?.try_into().ok()?;
        let number = if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
        usize::try_from(number).ok()
    };
    let read = || -> Option<(Vec<u16>, usize, usize)> {
        let first = long(4)?;
        let count = usize::from(pair(first)?);
        let tags = (0..count).map(|n| pair(first + 2 + 12 * n)).collect::<Option<Vec<_>>>()?;
        let end = first + 2 + 12 * count;
        Some((tags, long(end)?, end + 4))
    };
    let Some((tags, next, end)) = read() else { return more };
    if tags.contains(&POSITION_TAG) {
        return Some(PhotoError::Position);
    }
    // Two resolutions of eight bytes each are all that the harmless tags keep outside their entries.
    let is_plain = next == 0 && tiff.len() <= end + 16;
    if is_plain && tags.iter().all(|tag| HARMLESS_TAGS.contains(tag)) { None } else { more }
}
