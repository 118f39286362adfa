//! Kinds, limits and damage, with pictures made here.

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, Frame, ImageEncoder, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;
use crate::location::tests::exif;

/// A picture of one colour, with or without an EXIF block.
pub(crate) fn drawn(kind: Kind, (width, height): (u32, u32), exif: Option<Vec<u8>>) -> Vec<u8> {
    fn encode(mut encoder: impl ImageEncoder, (width, height): (u32, u32), exif: Option<Vec<u8>>) {
        if let Some(exif) = exif {
            encoder.set_exif_metadata(exif).unwrap();
        }
        let pixels: Vec<u8> = (0..width * height).flat_map(|_| [180, 90, 30]).collect();
        encoder.write_image(&pixels, width, height, ExtendedColorType::Rgb8).unwrap();
    }
    let mut bytes = Vec::new();
    match kind {
        Kind::Jpeg => encode(JpegEncoder::new(&mut bytes), (width, height), exif),
        Kind::Png => encode(PngEncoder::new(&mut bytes), (width, height), exif),
        Kind::Webp => encode(WebPEncoder::new_lossless(&mut bytes), (width, height), exif),
        Kind::Gif => bytes = gif(width, height, 1),
    }
    bytes
}

fn gif(width: u32, height: u32, frames: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let frame = Frame::new(RgbaImage::from_pixel(width, height, Rgba([180, 90, 30, 255])));
    GifEncoder::new(&mut bytes).encode_frames(std::iter::repeat_n(frame, frames)).unwrap();
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [name, data].concat();
    [&u32::try_from(data.len()).unwrap().to_be_bytes(), named.as_slice(), &crc(&named).to_be_bytes()].concat()
}

/// A PNG whose header claims a size and colour type, with `after` before its data.
fn claimed_png((width, height): (u32, u32), colour: u8, after: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, colour, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n";
    // A deflate stream of one empty stored block: next to nothing, whatever the header says.
    let data = [0x78, 0x01, 0x01, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01];
    [&signature[..], &chunk(b"IHDR", &header), after, &chunk(b"IDAT", &data), &chunk(b"IEND", &[])].concat()
}

fn refused(bytes: &[u8]) -> MediaRefusal {
    look(bytes).unwrap_err()
}

#[test]
fn kinds_and_sizes_are_told_by_the_bytes() {
    for kind in [Kind::Jpeg, Kind::Png, Kind::Webp, Kind::Gif] {
        let found = look(&drawn(kind, (33, 7), None)).unwrap();
        assert_eq!(found, Picture { kind, width: 33, height: 7, has_gps: false });
    }
    assert_eq!(Kind::Webp.mime(), "image/webp");
    assert_eq!(Kind::Jpeg.mime(), "image/jpeg");
    for other in
        [&b""[..], b"<svg/>", b"%PDF-1.7", b"BM", b"RIFF\0\0\0\0WAVE", b"GIF88a", b"#EXTM3U", b"\0\0\0 ftypisom"]
    {
        assert!(matches!(refused(other), MediaRefusal::UnknownKind), "{other:?}");
    }
}

#[test]
fn a_place_in_the_metadata_is_seen() {
    for kind in [Kind::Jpeg, Kind::Png, Kind::Webp] {
        let has_gps = |tags: &[u16]| look(&drawn(kind, (8, 8), Some(exif(true, tags)))).unwrap().has_gps;
        assert!(has_gps(&[0x010F, 0x8825]), "{kind}");
        assert!(!has_gps(&[0x010F]), "{kind}");
    }
}

#[test]
fn claims_beyond_the_limits_are_refused_before_anything_is_allocated() {
    const RGB: u8 = 2;
    const GREY: u8 = 0;
    assert!(matches!(refused(&claimed_png((16_385, 1), GREY, &[])), MediaRefusal::Side { width: 16_385, height: 1 }));
    assert!(matches!(refused(&claimed_png((1, 2_000_000_000), GREY, &[])), MediaRefusal::Side { .. }));
    assert!(matches!(refused(&claimed_png((10_001, 10_000), GREY, &[])), MediaRefusal::Pixels { found: 100_010_000 }));
    assert!(matches!(refused(&claimed_png((10_000, 9_999), RGB, &[])), MediaRefusal::Decoded { found: 299_970_000 }));
    // Within the limits, but there is no data behind the claim.
    assert!(matches!(refused(&claimed_png((4_000, 4_000), RGB, &[])), MediaRefusal::Undecodable { .. }));
}

#[test]
fn pictures_that_move_are_refused_unless_gifs_of_300_frames() {
    let control = |frames: u32| chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat());
    assert!(matches!(
        refused(&claimed_png((4, 4), 2, &control(2))),
        MediaRefusal::Frames { kind: Kind::Png, found: 2, max: 1 }
    ));
    let chunks = |frames: usize| {
        let body =
            [b"WEBP".to_vec(), [b"ANMF".to_vec(), 3_u32.to_le_bytes().to_vec(), vec![0; 4]].concat().repeat(frames)];
        let body = body.concat();
        [b"RIFF".to_vec(), u32::try_from(body.len()).unwrap().to_le_bytes().to_vec(), body].concat()
    };
    assert!(matches!(refused(&chunks(3)), MediaRefusal::Frames { kind: Kind::Webp, found: 3, max: 1 }));
    assert_eq!(look(&gif(4, 4, 300)).unwrap().kind, Kind::Gif);
    assert!(matches!(refused(&gif(4, 4, 301)), MediaRefusal::Frames { kind: Kind::Gif, found: 301, max: 300 }));
}

#[test]
fn colour_profiles_beyond_a_megabyte_are_refused() {
    let with_profile = |length: usize| {
        let mut bytes = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.set_icc_profile(vec![7; length]).unwrap();
        encoder.write_image(&[1; 12], 2, 2, ExtendedColorType::Rgb8).unwrap();
        bytes
    };
    assert!(look(&with_profile(1024 * 1024)).is_ok());
    assert!(matches!(refused(&with_profile(1024 * 1024 + 2)), MediaRefusal::Profile { found: 1_048_578 }));
}

#[test]
fn files_cut_short_are_refused() {
    for kind in [Kind::Jpeg, Kind::Png, Kind::Webp, Kind::Gif] {
        let whole = drawn(kind, (64, 64), None);
        for part in [13, whole.len() / 2, whole.len() - 13] {
            let cut = &whole[..part];
            assert!(
                matches!(refused(cut), MediaRefusal::Malformed { .. } | MediaRefusal::Undecodable { .. }),
                "{kind} of {part} bytes"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_looked_at_or_refused(
        kind in prop::sample::select(vec![Kind::Jpeg, Kind::Png, Kind::Webp, Kind::Gif]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = drawn(kind, (16, 16), None);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(1 + length.index(bytes.len() * 2));
        if let Ok(found) = look(&bytes) {
            prop_assert!(found.width <= SIDE_MAX && found.height <= SIDE_MAX);
        }
    }
}
