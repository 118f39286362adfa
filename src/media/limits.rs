//! How much a picture may be. What is beyond is refused with the numbers; nothing is cut or scaled.

/// Bytes of a file.
pub const BYTES_MAX: u64 = 40_000_000;

/// Pixels of one frame.
pub const PIXELS_MAX: u64 = 100_000_000;

/// Pixels of the longer side.
pub const SIDE_MAX: u32 = 16_384;

/// Bytes of the decoded picture, and of what the decoder may allocate.
pub const DECODED_MAX: u64 = 256 * 1024 * 1024;

/// Bytes of an embedded colour profile.
pub const PROFILE_MAX: u64 = 1024 * 1024;

/// Frames of a GIF; every other kind is a still picture.
pub const GIF_FRAMES_MAX: u32 = 300;

/// Pixels of a preview's longer side.
pub const PREVIEW_SIDE_MAX: u16 = 160;

/// Bytes of one part of a file's name.
pub const NAME_BYTES_MAX: usize = 200;

/// Folders below the asset root, the file's own name counted.
pub const NAME_PARTS_MAX: usize = 16;
