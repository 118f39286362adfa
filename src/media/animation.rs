//! Frames: how many whole pictures a file holds, counted without decoding any.
//!
//! Walks the container's own structure; every step goes forward in the bytes, so that a walk ends with the file. Whether
//! so many frames are allowed is decided in [`crate::picture`].

use crate::picture::Kind;

/// Returns the number of frames; `Err` says what is wrong with the container.
pub(crate) fn frames(kind: Kind, bytes: &[u8]) -> Result<u32, &'static str> {
    match kind {
        Kind::Jpeg => jpeg(bytes),
        Kind::Png => png(bytes),
        Kind::Webp => webp(bytes),
        Kind::Gif => gif(bytes),
    }
}

/// What is left of a file, taken from the front.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| "it ends too early")
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        self.array::<1>().map(|[byte]| byte)
    }
}

/// JPEG: always one, but the picture has to come to its end: decoders paint what is missing grey and say nothing.
fn jpeg(bytes: &[u8]) -> Result<u32, &'static str> {
    const END: u8 = 0xD9;
    const SCAN: u8 = 0xDA;
    let mut rest = Rest(bytes);
    rest.take(2)?;
    loop {
        match marker(&mut rest)? {
            END => return Ok(1),
            // Restarts and the like have no length.
            0x01 | 0xD0..=0xD7 => {}
            name => {
                let length = u16::from_be_bytes(rest.array()?);
                rest.take(usize::from(length).checked_sub(2).ok_or("a part has no length")?)?;
                if name == SCAN {
                    skip_scan(&mut rest);
                }
            }
        }
    }
}

/// The name of the next marker; any number of FF may come before it.
fn marker(rest: &mut Rest<'_>) -> Result<u8, &'static str> {
    if rest.byte()? != 0xFF {
        return Err("a part is of no known sort");
    }
    loop {
        match rest.byte()? {
            0xFF => {}
            name => return Ok(name),
        }
    }
}

/// Goes to the first marker behind a scan's data, in which FF is followed by 00 or is a restart.
fn skip_scan(rest: &mut Rest<'_>) {
    let end = rest.0.windows(2).position(|pair| matches!(pair, [0xFF, 0x01..=0xCF | 0xD8..=0xFE]));
    rest.0 = end.and_then(|end| rest.0.get(end..)).unwrap_or_default();
}

/// PNG: an `acTL` chunk before the picture's data announces an animation.
fn png(bytes: &[u8]) -> Result<u32, &'static str> {
    let mut rest = Rest(bytes);
    rest.take(8)?;
    loop {
        let length = u32::from_be_bytes(rest.array()?);
        let name: [u8; 4] = rest.array()?;
        let mut data = Rest(rest.take(usize::try_from(length).map_err(|_| "a part is too long")?)?);
        rest.take(4)?;
        match &name {
            b"acTL" => return Ok(u32::from_be_bytes(data.array()?).max(1)),
            b"IDAT" => return Ok(1),
            b"IEND" => return Err("it holds no picture"),
            _ => {}
        }
    }
}

/// WebP: one `ANMF` chunk a frame; none in a still picture.
fn webp(bytes: &[u8]) -> Result<u32, &'static str> {
    let mut rest = Rest(bytes);
    rest.take(4)?;
    let length = u32::from_le_bytes(rest.array()?);
    let mut rest = Rest(rest.take(usize::try_from(length).map_err(|_| "it is too long")?)?);
    rest.take(4)?;
    let mut found = 0_u32;
    while !rest.0.is_empty() {
        let name: [u8; 4] = rest.array()?;
        let length = usize::try_from(u32::from_le_bytes(rest.array()?)).map_err(|_| "a part is too long")?;
        rest.take(length)?;
        if length % 2 == 1 && !rest.0.is_empty() {
            rest.take(1)?;
        }
        found += u32::from(&name == b"ANMF");
    }
    Ok(found.max(1))
}

/// GIF: a descriptor and its data a frame, among extensions, up to the trailer.
fn gif(bytes: &[u8]) -> Result<u32, &'static str> {
    const EXTENSION: u8 = 0x21;
    const FRAME: u8 = 0x2C;
    const TRAILER: u8 = 0x3B;
    let mut rest = Rest(bytes);
    rest.take(10)?;
    let packed = rest.byte()?;
    rest.take(2)?;
    skip_colours(&mut rest, packed)?;
    let mut found = 0_u32;
    loop {
        match rest.byte()? {
            EXTENSION => {
                rest.take(1)?;
                skip_blocks(&mut rest)?;
            }
            FRAME => {
                rest.take(8)?;
                let packed = rest.byte()?;
                skip_colours(&mut rest, packed)?;
                rest.take(1)?;
                skip_blocks(&mut rest)?;
                found += 1;
            }
            TRAILER if found == 0 => return Err("it holds no picture"),
            TRAILER => return Ok(found),
            _ => return Err("a part is of no known sort"),
        }
    }
}

fn skip_colours(rest: &mut Rest<'_>, packed: u8) -> Result<(), &'static str> {
    if packed & 0x80 != 0 {
        rest.take(3 << ((packed & 7) + 1))?;
    }
    Ok(())
}

fn skip_blocks(rest: &mut Rest<'_>) -> Result<(), &'static str> {
    loop {
        let length = rest.byte()?;
        if length == 0 {
            return Ok(());
        }
        rest.take(usize::from(length))?;
    }
}
