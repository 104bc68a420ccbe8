//! A WebP chunk by chunk inside its RIFF container.

use super::{PhotoError, Visitor};

const CUT: PhotoError = PhotoError::Damaged("it breaks off");

/// The bits of a `VP8X` chunk that promise EXIF, XMP or an animation.
const PROMISES: u8 = 0b0000_1110;

/// Walks a WebP; tells its width and height.
pub(super) fn walk(bytes: &[u8], visitor: &mut impl Visitor) -> Result<(u32, u32), PhotoError> {
    let head = bytes.get(..12).ok_or(CUT)?;
    let length = usize::try_from(number(&head[4..8])).map_err(|_| CUT)?;
    let end = length.checked_add(8).filter(|end| *end <= bytes.len()).ok_or(CUT)?;
    visitor.picture(head);
    let mut at = 12;
    let (mut canvas, mut image) = (None, None);
    while at < end {
        let head = bytes.get(at..at + 8).filter(|_| at + 8 <= end).ok_or(CUT)?;
        let length = usize::try_from(number(&head[4..8])).map_err(|_| CUT)?;
        // A chunk of odd length is followed by one byte that counts for nothing.
        let whole = length.checked_add(8 + length % 2).and_then(|it| at.checked_add(it));
        let whole = whole.filter(|whole| *whole <= end).ok_or(CUT)?;
        let (chunk, content) = (&bytes[at..whole], &bytes[at + 8..at + 8 + length]);
        match &head[..4] {
            b"VP8X" => {
                canvas = Some(extended_size(content)?);
                let mut shown = chunk.to_vec();
                if content[0] & PROMISES != 0 {
                    visitor.other(PhotoError::Metadata("EXIF, XMP or an animation"))?;
                    shown[8] &= !PROMISES;
                }
                visitor.picture(&shown);
            }
            b"VP8 " => {
                image = Some(lossy_size(content)?);
                visitor.picture(chunk);
            }
            b"VP8L" => {
                image = Some(lossless_size(content)?);
                visitor.picture(chunk);
            }
            b"ALPH" | b"ICCP" => visitor.picture(chunk),
            b"EXIF" => visitor.other(PhotoError::Position)?,
            _ => visitor.other(PhotoError::Metadata("a chunk beside the picture"))?,
        }
        at = whole;
    }
    if end < bytes.len() {
        visitor.other(PhotoError::Trailing { bytes: bytes.len() - end })?;
    }
    let image = image.ok_or(PhotoError::Damaged("it has no picture in it"))?;
    if canvas.is_some_and(|canvas| canvas != image) {
        return Err(PhotoError::Damaged("canvas and picture differ in size"));
    }
    Ok(image)
}

/// Writes the container's length anew after chunks were left out.
pub(super) fn close(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(bytes.len().saturating_sub(8)).unwrap_or(u32::MAX);
    if let Some(place) = bytes.get_mut(4..8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    bytes
}

fn extended_size(content: &[u8]) -> Result<(u32, u32), PhotoError> {
    let content = content.get(..10).ok_or(CUT)?;
    let less_one = |at: usize| number(&[content[at], content[at + 1], content[at + 2], 0]);
    Ok((less_one(4) + 1, less_one(7) + 1))
}

fn lossy_size(content: &[u8]) -> Result<(u32, u32), PhotoError> {
    match content.get(3..10).ok_or(CUT)? {
        &[0x9d, 0x01, 0x2a, wide, wide_high, high, high_high] => {
            let number = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            Ok((number(wide, wide_high), number(high, high_high)))
        }
        _ => Err(PhotoError::Damaged("its frame does not begin as a picture does")),
    }
}

fn lossless_size(content: &[u8]) -> Result<(u32, u32), PhotoError> {
    let content = content.get(..5).filter(|content| content[0] == 0x2f).ok_or(CUT)?;
    let bits = number(&content[1..]);
    Ok(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
}

/// Four bytes, the lowest first.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}
