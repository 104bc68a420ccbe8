//! Pictures as cameras, forgers and bad networks make them, made here with a real encoder.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;

#[test]
fn a_picture_of_each_format_is_taken_with_its_size() {
    for format in Format::ALL {
        let bytes = picture(format);
        let found = inspect(&bytes).unwrap();
        assert_eq!(found, Picture { format, width: 40, height: 24 });
        assert_eq!(strip(&bytes).unwrap(), bytes, "there is nothing to strip");
    }
}

#[test]
fn check_39_a_jpeg_that_tells_its_position_is_refused_and_strip_takes_it_out() {
    let original = picture(Format::Jpeg);
    for is_big in [true, false] {
        let tagged = with_segment(&original, 0xe1, &exif(is_big, &[0x0112, 0x8825]));
        assert_eq!(inspect(&tagged), Err(PhotoError::Position));
        assert_eq!(strip(&tagged).unwrap(), original);
    }
}

#[test]
fn check_39_exif_may_say_how_to_turn_a_picture_and_nothing_else() {
    let original = picture(Format::Jpeg);
    let turned = with_segment(&original, 0xe1, &exif(true, &[0x0112]));
    assert!(inspect(&turned).is_ok());
    assert_eq!(strip(&turned).unwrap(), turned);

    let mut hiding = exif(true, &[0x0112]);
    hiding.extend([b'x'; 40]);
    for block in [exif(true, &[0x0112, 0x010f]), hiding, b"Exif\0\0??".to_vec()] {
        let tagged = with_segment(&original, 0xe1, &block);
        assert!(matches!(inspect(&tagged), Err(PhotoError::Metadata(_))));
        assert_eq!(strip(&tagged).unwrap(), original);
    }
}

#[test]
fn check_39_nothing_travels_inside_or_behind_a_picture() {
    let jpeg = picture(Format::Jpeg);
    let png = picture(Format::Png);
    let webp = picture(Format::Webp);
    let in_jpeg = |marker, content: &[u8]| with_segment(&jpeg, marker, content);
    let hidden = [
        (in_jpeg(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), &jpeg),
        (in_jpeg(0xed, b"Photoshop 3.0\0"), &jpeg),
        (in_jpeg(0xfe, b"<script>alert(1)</script>"), &jpeg),
        (with_chunk(&png, *b"tEXt", b"Comment\0<script>"), &png),
        (with_chunk(&png, *b"eXIf", b"MM\0\x2a"), &png),
        (with_riff(&webp, *b"EXIF", b"MM\0\x2a"), &webp),
        (with_riff(&webp, *b"XMP ", b"<x/>"), &webp),
    ];
    for (bytes, original) in hidden {
        assert!(
            matches!(inspect(&bytes), Err(PhotoError::Metadata(_) | PhotoError::Position)),
            "{:?}",
            inspect(&bytes)
        );
        assert_eq!(&strip(&bytes).unwrap(), original);
    }
    for original in [jpeg, png, webp] {
        let polyglot = [&original[..], b"PK\x03\x04 an archive"].concat();
        assert_eq!(inspect(&polyglot), Err(PhotoError::Trailing { bytes: 15 }));
        assert_eq!(strip(&polyglot).unwrap(), original);
    }
}

#[test]
fn check_39_what_is_no_picture_is_refused() {
    for bytes in [&b""[..], b"%PDF-1.7", b"<svg/>", b"GIF89a", b"PK\x03\x04", b"<html>"] {
        assert_eq!(inspect(bytes), Err(PhotoError::UnknownFormat));
    }
}

#[test]
fn check_39_forty_thousand_pixels_square_are_refused_by_the_header_alone() {
    let mut bytes = picture(Format::Png);
    let mut header = bytes[8..33].to_vec();
    header[8..16].copy_from_slice(&[0, 0, 0x9c, 0x40, 0, 0, 0x9c, 0x40]);
    let content = header[8..21].to_vec();
    bytes.splice(8..33, chunk(*b"IHDR", &content));

    assert_eq!(inspect(&bytes), Err(PhotoError::TooManyPixels { pixels: 1_600_000_000 }));
    assert_eq!(inspect(&vec![0; MAX_BYTES + 1]), Err(PhotoError::TooLong { bytes: MAX_BYTES + 1 }));
}

#[test]
fn a_picture_cut_anywhere_is_damaged() {
    for format in Format::ALL {
        let bytes = picture(format);
        for length in 12..bytes.len() {
            assert!(inspect(&bytes[..length]).is_err(), "{format:?} cut at {length}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_a_panic_and_what_strip_leaves_passes(
        format in prop::sample::select(Format::ALL.to_vec()),
        at in 0_usize..900, junk in prop::collection::vec(any::<u8>(), 0..40), cut in 0_usize..20,
    ) {
        let mut bytes = picture(format);
        let at = at.min(bytes.len());
        let cut = cut.min(bytes.len() - at);
        bytes.splice(at..at + cut, junk);
        let _judged = inspect(&bytes);
        if let Ok(stripped) = strip(&bytes)
            && let Err(error) = inspect(&stripped)
        {
            let is_size = matches!(error, PhotoError::TooManyPixels { .. } | PhotoError::Damaged(_));
            prop_assert!(is_size, "{error:?}");
        }
    }
}

fn picture(format: Format) -> Vec<u8> {
    let pixels = RgbImage::from_fn(40, 24, |x, y| {
        image::Rgb([x, y, x * y].map(|it| u8::try_from(it % 251).unwrap()))
    });
    let format = match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::Webp => ImageFormat::WebP,
    };
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

fn exif(is_big: bool, tags: &[u16]) -> Vec<u8> {
    let pair = |it: u16| if is_big { it.to_be_bytes() } else { it.to_le_bytes() };
    let long = |it: u32| if is_big { it.to_be_bytes() } else { it.to_le_bytes() };
    let mut block = b"Exif\0\0".to_vec();
    block.extend(if is_big { b"MM" } else { b"II" });
    block.extend(pair(42));
    block.extend(long(8));
    block.extend(pair(u16::try_from(tags.len()).unwrap()));
    for tag in tags {
        block.extend([pair(*tag), pair(3)].concat());
        block.extend([long(1), long(1)].concat());
    }
    block.extend(long(0));
    block
}

fn with_chunk(png: &[u8], kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(kind, content), &png[33..]].concat()
}

fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&kind[..], content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let mut crc = u32::MAX;
    for byte in &named {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    [&length[..], &named, &(!crc).to_be_bytes()].concat()
}

fn with_riff(webp: &[u8], kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    webp::close([webp, &kind, &length, content].concat())
}
