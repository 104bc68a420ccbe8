//! Pictures for a phone that has no camera: real files, each another, with what cameras add to them.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use sha2::{Digest as _, Sha256};

/// An EXIF block as cameras write it, with a position: made up, like everything in the demo.
const CAMERA_SAYS: &[u8] =
    b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0\0\x01\
    \0\0\0\x01\0\0\0\x04\x02\x02\0\0\0\0\0\0";

/// Takes a photo; the same words give the same picture.
pub(super) fn photo(words: &str) -> anyhow::Result<Vec<u8>> {
    let mut dots = Dots::of(words);
    // Every eighth is as large as a good camera's, so that it travels in several parts.
    let (width, height) = if dots.next() < 32 { (1024, 768) } else { (320, 240) };
    let tint = [dots.next(), dots.next(), dots.next()];
    let pixels = RgbImage::from_fn(width, height, |x, y| {
        let grain = dots.next() & 0x3f;
        let shade = u8::try_from((x + y) % 192).unwrap_or(0);
        Rgb(tint.map(|part| (part >> 1).wrapping_add(shade >> 1).wrapping_add(grain)))
    });
    let plain = encode(&pixels.into(), ImageFormat::Jpeg)?;
    let length = u16::try_from(CAMERA_SAYS.len() + 2)?.to_be_bytes();
    Ok([&plain[..2], &[0xff, 0xe1], &length, CAMERA_SAYS, &plain[2..]].concat())
}

/// Draws a signature.
pub(super) fn signature(words: &str) -> anyhow::Result<Vec<u8>> {
    let mut dots = Dots::of(words);
    let mut paper = GrayImage::from_pixel(240, 96, Luma([255]));
    let (mut x, mut y) = (20_u32, 48_u32);
    while x < 220 {
        x += u32::from(dots.next() % 3);
        y = (y + u32::from(dots.next() % 7)).saturating_sub(3).clamp(8, 88);
        paper.put_pixel(x, y, Luma([0]));
    }
    encode(&paper.into(), ImageFormat::Png)
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

/// Numbers that words lead to.
struct Dots(u32);

impl Dots {
    fn of(words: &str) -> Self {
        let hash = Sha256::digest(words);
        Self(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
    }

    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0.to_be_bytes()[0]
    }
}

#[cfg(test)]
mod tests {
    use domain::photo::{self as rule, PhotoError};

    use super::*;

    #[test]
    fn a_photo_tells_its_position_until_it_is_stripped_and_a_signature_tells_nothing() {
        let taken = photo("a door").unwrap();
        assert_eq!(rule::inspect(&taken), Err(PhotoError::Position));
        assert!(rule::inspect(&rule::strip(&taken).unwrap()).is_ok());
        assert_eq!(taken, photo("a door").unwrap());
        assert_ne!(taken, photo("another door").unwrap());
        assert!(rule::inspect(&signature("a name").unwrap()).is_ok());
    }
}
