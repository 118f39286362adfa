//! Pictures: what a file's bytes are, and whether they are within the limits.
//!
//! Decides the kind from the first bytes, never from a name, and refuses by the header before anything large is
//! allocated. Then decodes the whole picture once, so that a file cut short is found at import and not at its slot.
//! Whether a picture suits a surface is not decided here.

use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::animation::frames;
use crate::limits::{DECODED_MAX, GIF_FRAMES_MAX, PIXELS_MAX, PROFILE_MAX, SIDE_MAX};
use crate::location::{exif_has_gps, xmp_has_gps};
use crate::refusal::MediaRefusal;

/// The kinds of pictures that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Jpeg,
    Png,
    Webp,
    Gif,
}

impl Kind {
    /// Returns the kind that the first bytes tell.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Kind::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Kind::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::Webp),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Kind::Gif),
            _ => None,
        }
    }

    /// Returns the media type, as an upload names it.
    pub fn mime(self) -> &'static str {
        self.format().to_mime_type()
    }

    fn format(self) -> ImageFormat {
        match self {
            Kind::Jpeg => ImageFormat::Jpeg,
            Kind::Png => ImageFormat::Png,
            Kind::Webp => ImageFormat::WebP,
            Kind::Gif => ImageFormat::Gif,
        }
    }

    fn frames_max(self) -> u32 {
        match self {
            Kind::Gif => GIF_FRAMES_MAX,
            Kind::Jpeg | Kind::Png | Kind::Webp => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Jpeg => "JPEG",
            Kind::Png => "PNG",
            Kind::Webp => "WebP",
            Kind::Gif => "GIF",
        })
    }
}

/// What is known of a picture that is within the limits and decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) kind: Kind,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) has_gps: bool,
}

/// Looks at a file's bytes.
pub(crate) fn look(bytes: &[u8]) -> Result<Picture, MediaRefusal> {
    let kind = Kind::of(bytes).ok_or(MediaRefusal::UnknownKind)?;
    let found = frames(kind, bytes).map_err(|what| MediaRefusal::Malformed { kind, what })?;
    if found > kind.frames_max() {
        return Err(MediaRefusal::Frames { kind, found, max: kind.frames_max() });
    }
    // The decoders hold assertions about their input; a file that meets one must not take the engine along.
    catch_unwind(AssertUnwindSafe(|| decode(kind, bytes))).unwrap_or(Err(MediaRefusal::DecoderBroke { kind }))
}

/// Opens a decoder whose header keeps to the limits; nothing large is allocated yet.
pub(crate) fn opened(kind: Kind, bytes: &[u8]) -> Result<impl ImageDecoder + '_, MediaRefusal> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODED_MAX);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|source| MediaRefusal::Undecodable { kind, source })?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, decoder.total_bytes())?;
    Ok(decoder)
}

fn decode(kind: Kind, bytes: &[u8]) -> Result<Picture, MediaRefusal> {
    let undecodable = |source: ImageError| MediaRefusal::Undecodable { kind, source };
    let mut decoder = opened(kind, bytes)?;
    let (width, height) = decoder.dimensions();
    let profile = decoder.icc_profile().map_err(undecodable)?.map_or(0, |profile| profile.len());
    let profile = u64::try_from(profile).unwrap_or(u64::MAX);
    if profile > PROFILE_MAX {
        return Err(MediaRefusal::Profile { found: profile });
    }
    let exif = decoder.exif_metadata().map_err(undecodable)?;
    let xmp = decoder.xmp_metadata().map_err(undecodable)?;
    let has_gps = exif.is_some_and(|exif| exif_has_gps(&exif)) || xmp.is_some_and(|xmp| xmp_has_gps(&xmp));
    let size = usize::try_from(decoder.total_bytes());
    let mut pixels = vec![0; size.map_err(|_| MediaRefusal::Decoded { found: decoder.total_bytes() })?];
    decoder.read_image(&mut pixels).map_err(undecodable)?;
    Ok(Picture { kind, width, height, has_gps })
}

fn check_size(width: u32, height: u32, decoded: u64) -> Result<(), MediaRefusal> {
    if width.max(height) > SIDE_MAX {
        return Err(MediaRefusal::Side { width, height });
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX {
        return Err(MediaRefusal::Pixels { found: pixels });
    }
    if decoded > DECODED_MAX {
        return Err(MediaRefusal::Decoded { found: decoded });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
