//! Location: whether a picture's metadata says where it was taken (threat T28).
//!
//! Decides only that there is a place for it, not what it says; a block that cannot be read counts as one that may tell.

/// Whether EXIF metadata has a GPS directory.
///
/// Reads the first directory of the TIFF structure for the tag that points to it (EXIF 2.32, section 4.6.3).
pub(crate) fn exif_has_gps(exif: &[u8]) -> bool {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    has_gps(tiff).unwrap_or(true)
}

/// Whether an XMP packet names a GPS property.
pub(crate) fn xmp_has_gps(xmp: &[u8]) -> bool {
    [&b"GPSLatitude"[..], b"GPSLongitude", b"GPSCoordinates", b"GPSDest"]
        .iter()
        .any(|name| xmp.windows(name.len()).any(|window| window == *name))
}

/// `None` when the structure is broken.
fn has_gps(tiff: &[u8]) -> Option<bool> {
    const GPS_POINTER: u16 = 0x8825;
    const ENTRY: usize = 12;
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |bytes: [u8; 2]| if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) };
    let start: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let start = usize::try_from(if little { u32::from_le_bytes(start) } else { u32::from_be_bytes(start) }).ok()?;
    let directory = tiff.get(start..)?;
    let (count, entries) = directory.split_first_chunk::<2>()?;
    let entries = entries.get(..usize::from(short(*count)) * ENTRY)?;
    Some(entries.chunks_exact(ENTRY).any(|entry| match entry {
        [a, b, ..] => short([*a, *b]) == GPS_POINTER,
        _ => false,
    }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An EXIF block whose first directory has the given tags.
    pub(crate) fn exif(little: bool, tags: &[u16]) -> Vec<u8> {
        let short = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let long = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut block = if little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
        block.extend(long(8));
        block.extend(short(u16::try_from(tags.len()).unwrap()));
        for &tag in tags {
            block.extend(short(tag));
            block.extend(short(4));
            block.extend(long(1));
            block.extend(long(26));
        }
        block.extend(long(0));
        block
    }

    #[test]
    fn a_gps_directory_is_found_in_either_byte_order() {
        for little in [true, false] {
            assert!(exif_has_gps(&exif(little, &[0x010F, 0x8825])));
            assert!(!exif_has_gps(&exif(little, &[0x010F, 0x8769])));
            assert!(!exif_has_gps(&exif(little, &[])));
            assert!(exif_has_gps(&[b"Exif\0\0".to_vec(), exif(little, &[0x8825])].concat()));
        }
    }

    #[test]
    fn broken_blocks_count_as_telling() {
        assert!(exif_has_gps(b""));
        assert!(exif_has_gps(b"II*\0\xff\xff\xff\xff"));
        let mut cut = exif(true, &[0x010F]);
        cut.truncate(15);
        assert!(exif_has_gps(&cut));
    }

    #[test]
    fn xmp_properties_are_found() {
        assert!(xmp_has_gps(b"<rdf:Description exif:GPSLatitude=\"51,27N\"/>"));
        assert!(!xmp_has_gps(b"<rdf:Description xmp:CreatorTool=\"x\"/>"));
        assert!(!xmp_has_gps(b""));
    }
}
