//! BMP and ICO.

use std::io::{self, BufRead, Seek};

use super::{Head, array, png, skip, wrong};

pub(super) fn bmp(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    skip(input, 14)?;
    match u32::from_le_bytes(array(input)?) {
        // OS/2, version 1
        12 => {
            let [a, b, c, d] = array(input)?;
            Ok(Head::still(u16::from_le_bytes([a, b]).into(), u16::from_le_bytes([c, d]).into()))
        }
        16..=256 => {
            let (width, height) = (i32::from_le_bytes(array(input)?), i32::from_le_bytes(array(input)?));
            // A negative height means that its first row is the topmost.
            let width = u32::try_from(width).map_err(|_| wrong())?;
            Ok(Head::still(width, height.unsigned_abs()))
        }
        _ => Err(wrong()),
    }
}

/// The largest of its pictures, as browsers choose.
pub(super) fn icon(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    let [_, _, 1 | 2, 0, a, b] = array(input)? else { return Err(wrong()) };
    let mut best = (Head::still(0, 0), 0, 0);
    for _ in 0..u16::from_le_bytes([a, b]) {
        let [width, height, _, _, _, _, depth, _, _, _, _, _, offset @ ..]: [u8; 16] = array(input)?;
        // 256 does not fit in a byte, and is written as 0.
        let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
        let found = Head::still(side(width), side(height));
        if (found.pixels(), depth) > (best.0.pixels(), best.1) {
            best = (found, depth, u32::from_le_bytes(offset));
        }
    }
    // A PNG inside knows its own size.
    input.seek(io::SeekFrom::Start(best.2.into()))?;
    if input.fill_buf()?.starts_with(b"\x89PNG") {
        return png::head(input);
    }
    Ok(best.0)
}
