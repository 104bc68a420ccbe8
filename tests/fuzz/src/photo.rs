//! Pictures from phones: what is taken is a picture and nothing beside it (check 39).

use std::io::Cursor;

use domain::photo::{Format, MAX_BYTES, MAX_PIXELS, PhotoError, inspect, strip};
use image::{ImageFormat, RgbImage};

use crate::Inputs;

/// How a PNG begins.
const PNG: usize = 8;

/// Looks at the bytes, and once more with right checksums where they are a PNG.
pub(crate) fn run(bytes: &[u8]) {
    look(bytes);
    if Format::of(bytes) == Some(Format::Png) {
        look(&resealed(bytes));
    }
}

fn look(bytes: &[u8]) {
    let found = inspect(bytes);
    if let Ok(picture) = &found {
        let pixels = u64::from(picture.width) * u64::from(picture.height);
        assert!((1..=MAX_PIXELS).contains(&pixels) && bytes.len() <= MAX_BYTES);
    }
    let Ok(stripped) = strip(bytes) else {
        assert!(found.is_err(), "what is taken can be stripped");
        return;
    };
    assert!(stripped.len() <= bytes.len() + 1, "stripping adds nothing");
    assert_eq!(strip(&stripped).as_ref(), Ok(&stripped), "once is enough");
    match (found, inspect(&stripped)) {
        (Ok(before), Ok(after)) => {
            assert_eq!(before, after);
            // A JPEG may have bytes between its segments that only fill.
            let is_same = stripped == bytes || Format::of(bytes) == Some(Format::Jpeg);
            assert!(is_same, "nothing is taken out of what is taken");
        }
        (Ok(_), Err(error)) => panic!("a picture that was taken is refused stripped: {error}"),
        (Err(_), Ok(_)) => {}
        (Err(_), Err(error)) => {
            let is_the_picture = matches!(
                error,
                PhotoError::TooLong { .. }
                    | PhotoError::TooManyPixels { .. }
                    | PhotoError::Damaged(_)
            );
            assert!(is_the_picture, "stripping leaves {error}");
        }
    }
}

/// The PNG with the checksum that each of its parts should have.
fn resealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = PNG;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        let end = at.saturating_add(8).saturating_add(length as usize);
        let Some(named) = bytes.get(at + 4..end) else { break };
        let crc = crc32(named).to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&crc);
        at = end + 4;
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |it, _| bit(it)))
}

/// A picture in each format, and a JPEG with what cameras add.
pub(crate) fn seeds() -> Inputs {
    let picture = |format| {
        let mut bytes = Cursor::new(Vec::new());
        let pixels = RgbImage::from_fn(20, 12, |x, y| {
            image::Rgb([x, y, x * y].map(|it| it.to_le_bytes()[0]))
        });
        pixels.write_to(&mut bytes, format).expect("memory takes all bytes");
        bytes.into_inner()
    };
    let jpeg = picture(ImageFormat::Jpeg);
    let camera = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0";
    let length = u16::try_from(camera.len() + 2).unwrap_or(2).to_be_bytes();
    let tagged = [&jpeg[..2], &[0xff, 0xe1], &length, camera, &jpeg[2..]].concat();
    let png = picture(ImageFormat::Png);
    let polyglot = [&png[..], b"PK\x03\x04"].concat();
    vec![
        ("jpeg".to_owned(), jpeg),
        ("camera".to_owned(), tagged),
        ("png".to_owned(), png),
        ("polyglot".to_owned(), polyglot),
        ("webp".to_owned(), picture(ImageFormat::WebP)),
    ]
}
