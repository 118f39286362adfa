//! Previews: a stored picture made small enough to be looked at in a terminal.
//!
//! Decides how a picture is made small: whole, never cut, turned as its metadata asks, its aspect kept, never enlarged;
//! what can be seen through stands on grey. Where it is drawn, and with how many colours, is the faces' business.
//! Memory is bounded as at import: the same limits hold before anything large is allocated (T16).

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, ImageDecoder, ImageError};

use crate::limits::PREVIEW_SIDE_MAX;
use crate::picture::{Kind, opened};
use crate::refusal::MediaRefusal;

/// What shows through a picture.
const GROUND: u16 = 128;

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Red, green, blue of each pixel, row by row from the top: `width * height` of them.
    pub pixels: Vec<[u8; 3]>,
}

impl Thumbnail {
    /// Returns the same picture within a smaller size: each pixel is the mean of those it stands for. Never enlarges.
    pub fn within(&self, width: u16, height: u16) -> Self {
        let size = fitted((u32::from(self.width), u32::from(self.height)), (width, height));
        let mut pixels = Vec::with_capacity(usize::from(size.0) * usize::from(size.1));
        for row in 0..size.1 {
            for column in 0..size.0 {
                pixels.push(self.mean(span(column, size.0, self.width), span(row, size.1, self.height)));
            }
        }
        Self { width: size.0, height: size.1, pixels }
    }

    fn mean(&self, columns: Range<usize>, rows: Range<usize>) -> [u8; 3] {
        let (mut sums, mut count) = ([0_u64; 3], 0_u64);
        for row in rows {
            let begin = row * usize::from(self.width);
            let part = self.pixels.get(begin + columns.start..begin + columns.end).unwrap_or_default();
            for pixel in part {
                for (sum, part) in sums.iter_mut().zip(pixel) {
                    *sum += u64::from(*part);
                }
                count += 1;
            }
        }
        sums.map(|sum| u8::try_from((sum + count / 2) / count.max(1)).unwrap_or(u8::MAX))
    }
}

/// The pixels of a side of `of` that the `at`-th of `parts` stands for: at least one.
fn span(at: u16, parts: u16, of: u16) -> Range<usize> {
    let edge = |n: usize| n * usize::from(of) / usize::from(parts.max(1));
    let at = usize::from(at);
    edge(at)..edge(at + 1).max(edge(at) + 1)
}

/// Makes a preview of at most `width` by `height` pixels, and of at most [`PREVIEW_SIDE_MAX`] a side; a side of 0 counts
/// as 1. Blocks; decodes the whole picture.
///
/// # Errors
/// Says why the bytes are no picture that can be shown.
pub fn thumbnail(bytes: &[u8], width: u16, height: u16) -> Result<Thumbnail, MediaRefusal> {
    let kind = Kind::of(bytes).ok_or(MediaRefusal::UnknownKind)?;
    let within = (width.clamp(1, PREVIEW_SIDE_MAX), height.clamp(1, PREVIEW_SIDE_MAX));
    // The decoders hold assertions about their input; a file that meets one must not take the desk along.
    catch_unwind(AssertUnwindSafe(|| made(kind, bytes, within))).unwrap_or(Err(MediaRefusal::DecoderBroke { kind }))
}

fn made(kind: Kind, bytes: &[u8], within: (u16, u16)) -> Result<Thumbnail, MediaRefusal> {
    let undecodable = |source: ImageError| MediaRefusal::Undecodable { kind, source };
    let mut decoder = opened(kind, bytes)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    let whole = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    // Made small first, turned after: a second picture of full size would double the memory.
    let turned = matches!(
        orientation,
        image::metadata::Orientation::Rotate90
            | image::metadata::Orientation::Rotate270
            | image::metadata::Orientation::Rotate90FlipH
            | image::metadata::Orientation::Rotate270FlipH
    );
    let as_stored = if turned { (within.1, within.0) } else { within };
    let (width, height) = fitted((whole.width(), whole.height()), as_stored);
    let mut small = whole.thumbnail_exact(u32::from(width), u32::from(height));
    drop(whole);
    small.apply_orientation(orientation);
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let pixels = small.to_rgba8().pixels().map(|pixel| on_ground(pixel.0)).collect();
    Ok(Thumbnail { width, height, pixels })
}

/// Returns the largest size within `within` that has a picture's aspect and is no larger than the picture; no side is 0.
pub fn fitted((width, height): (u32, u32), within: (u16, u16)) -> (u16, u16) {
    let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (most_wide, most_high) = (u64::from(within.0.max(1)).min(width), u64::from(within.1.max(1)).min(height));
    // Compared as products, so that nothing is rounded before the last step.
    let (fit_wide, fit_high) = if most_wide * height <= most_high * width {
        (most_wide, (most_wide * height + width / 2) / width)
    } else {
        ((most_high * width + height / 2) / height, most_high)
    };
    let side = |pixels: u64, most: u64| u16::try_from(pixels.clamp(1, most)).unwrap_or(u16::MAX);
    (side(fit_wide, most_wide), side(fit_high, most_high))
}

fn on_ground([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    let alpha = u16::from(alpha);
    let mixed = |part: u8| (u16::from(part) * alpha + GROUND * (255 - alpha) + 127) / 255;
    [red, green, blue].map(|part| u8::try_from(mixed(part)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::picture::tests::drawn;

    /// A PNG of four quarters: red, green over blue, white; the lower right one seen through where asked.
    fn quarters(side: u32, see_through: bool) -> Vec<u8> {
        let mut pixels = Vec::new();
        for y in 0..side {
            for x in 0..side {
                let colour = match (x < side / 2, y < side / 2) {
                    (true, true) => [255, 0, 0, 255],
                    (false, true) => [0, 255, 0, 255],
                    (true, false) => [0, 0, 255, 255],
                    (false, false) => [255, 255, 255, if see_through { 0 } else { 255 }],
                };
                pixels.extend(colour);
            }
        }
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(&pixels, side, side, ExtendedColorType::Rgba8).unwrap();
        bytes
    }

    #[test]
    fn a_small_picture_has_the_colours_of_the_large_one_in_their_places() {
        let small = thumbnail(&quarters(64, false), 2, 2).unwrap();
        assert_eq!((small.width, small.height), (2, 2));
        assert_eq!(small.pixels, [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]);
    }

    #[test]
    fn a_preview_made_smaller_is_the_mean_of_what_it_stands_for() {
        let whole = thumbnail(&quarters(64, false), 64, 64).unwrap();
        let small = whole.within(2, 2);
        assert_eq!(small.pixels, [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]);
        assert_eq!(whole.within(1, 1).pixels, [[128, 128, 128]]);
        assert_eq!(whole.within(500, 500), whole);
        for (width, height) in [(1, 64), (63, 64), (7, 3), (0, 0)] {
            let small = whole.within(width, height);
            assert_eq!(small.pixels.len(), usize::from(small.width) * usize::from(small.height));
        }
    }

    #[test]
    fn what_can_be_seen_through_stands_on_grey() {
        let small = thumbnail(&quarters(8, true), 2, 2).unwrap();
        assert_eq!(small.pixels.last(), Some(&[128, 128, 128]));
    }

    #[test]
    fn every_kind_is_made_small_with_its_aspect_kept_and_never_enlarged() {
        for kind in [Kind::Jpeg, Kind::Png, Kind::Webp, Kind::Gif] {
            let small = thumbnail(&drawn(kind, (90, 30), None), 30, 30).unwrap();
            assert_eq!((small.width, small.height), (30, 10), "{kind}");
            assert_eq!(small.pixels.len(), 300, "{kind}");
            let same = thumbnail(&drawn(kind, (9, 3), None), 30, 30).unwrap();
            assert_eq!((same.width, same.height), (9, 3), "{kind}");
        }
    }

    #[test]
    fn a_picture_that_asks_to_be_turned_is_turned() {
        // Little-endian TIFF, one entry: tag 0x0112, a short, value 6, which is a quarter to the right.
        let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
        exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
        let small = thumbnail(&drawn(Kind::Jpeg, (40, 20), Some(exif)), 10, 20).unwrap();
        assert_eq!((small.width, small.height), (10, 20));
    }

    #[test]
    fn no_preview_is_larger_than_the_bound_and_none_is_empty() {
        let large = drawn(Kind::Png, (400, 300), None);
        let small = thumbnail(&large, u16::MAX, u16::MAX).unwrap();
        assert_eq!((small.width, small.height), (160, 120));
        let least = thumbnail(&large, 0, 0).unwrap();
        assert_eq!((least.width, least.height), (1, 1));
    }

    #[test]
    fn what_is_no_picture_is_refused_with_why() {
        assert!(matches!(thumbnail(b"<svg/>", 8, 8), Err(MediaRefusal::UnknownKind)));
        let whole = drawn(Kind::Png, (64, 64), None);
        let cut = whole.get(..whole.len() / 2).unwrap();
        assert!(matches!(thumbnail(cut, 8, 8), Err(MediaRefusal::Undecodable { kind: Kind::Png, .. })));
    }

    proptest! {
        #[test]
        fn a_fitted_size_keeps_within_and_touches_a_side(
            of in (1_u32..20_000, 1_u32..20_000),
            within in (1_u16..300, 1_u16..300),
        ) {
            let (width, height) = fitted(of, within);
            prop_assert!((1..=within.0).contains(&width) && (1..=within.1).contains(&height));
            prop_assert!(u32::from(width) <= of.0 && u32::from(height) <= of.1);
            prop_assert!(
                width == within.0 || height == within.1 || u32::from(width) == of.0 || u32::from(height) == of.1
            );
        }

        #[test]
        fn damaged_files_are_shown_or_refused(
            kind in prop::sample::select(vec![Kind::Jpeg, Kind::Png, Kind::Webp, Kind::Gif]),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        ) {
            let mut bytes = drawn(kind, (16, 16), None);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(small) = thumbnail(&bytes, 8, 8) {
                prop_assert_eq!(small.pixels.len(), usize::from(small.width) * usize::from(small.height));
                prop_assert!(small.width <= 8 && small.height <= 8);
            }
        }
    }
}
