//! A PNG chunk by chunk, each with its checksum.

use super::{PhotoError, Visitor};

const CUT: PhotoError = PhotoError::Damaged("it breaks off");

/// The chunks that make the picture; text, time, EXIF and what applications add are none of them.
const OF_THE_PICTURE: [&[u8; 4]; 12] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"bKGD", b"pHYs",
];

/// Walks a PNG; tells its width and height.
pub(super) fn walk(bytes: &[u8], visitor: &mut impl Visitor) -> Result<(u32, u32), PhotoError> {
    visitor.picture(bytes.get(..8).ok_or(CUT)?);
    let mut at = 8;
    let mut size = None;
    loop {
        let head = bytes.get(at..at + 8).ok_or(CUT)?;
        let length = usize::try_from(number(&head[..4])).map_err(|_| CUT)?;
        let chunk = at.checked_add(length).and_then(|end| bytes.get(at..end.checked_add(12)?));
        let chunk = chunk.ok_or(CUT)?;
        let (kind, content) = (&head[4..], &chunk[8..8 + length]);
        if crc32(&chunk[4..8 + length]) != number(&chunk[8 + length..]) {
            return Err(PhotoError::Damaged("a checksum does not fit"));
        }
        match (kind, size) {
            (b"IHDR", None) if length == 13 => {
                size = Some((number(content), number(&content[4..])));
            }
            (b"IHDR", _) | (_, None) => return Err(PhotoError::Damaged("its header is amiss")),
            (_, Some(_)) => {}
        }
        if OF_THE_PICTURE.iter().any(|known| *known == kind) {
            visitor.picture(chunk);
        } else if kind == b"eXIf" {
            // The block may hold a position; PNG needs none to be shown.
            visitor.other(PhotoError::Position)?;
        } else {
            visitor.other(PhotoError::Metadata("text or another chunk beside the picture"))?;
        }
        at += chunk.len();
        if kind == b"IEND" {
            break;
        }
    }
    if at < bytes.len() {
        visitor.other(PhotoError::Trailing { bytes: bytes.len() - at })?;
    }
    size.ok_or(CUT)
}

/// Four bytes, the highest first.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

/// The checksum of PNG's chunks (ISO 3309), bit by bit: pictures are few and short.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
