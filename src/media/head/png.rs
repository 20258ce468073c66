//! PNG and APNG (PNG Specification, third edition).

use std::io::{self, BufRead, Seek};

use super::{Head, MAX_PARTS, array, exif, part, skip, wrong};

/// Bytes of EXIF data that are looked at; the orientation stands near its beginning.
const MAX_EXIF: usize = 64 << 10;

pub(super) fn head(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    skip(input, 8)?;
    let ihdr: [u8; 25] = array(input)?;
    if &ihdr[4..8] != b"IHDR" {
        return Err(wrong());
    }
    let side = |at: usize| u32::from_be_bytes([ihdr[at], ihdr[at + 1], ihdr[at + 2], ihdr[at + 3]]);
    let mut head = Head::still(side(8), side(12));
    if head.width > i32::MAX as u32 || head.height > i32::MAX as u32 {
        return Err(wrong());
    }
    // What follows may be cut off: the size is known.
    let _ = chunks(input, &mut head);
    Ok(head)
}

/// The chunks before the pixels.
fn chunks(input: &mut (impl BufRead + Seek), head: &mut Head) -> io::Result<()> {
    for _ in 0..MAX_PARTS {
        let [a, b, c, d, kind @ ..]: [u8; 8] = array(input)?;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        match &kind {
            b"IDAT" | b"IEND" => break,
            b"acTL" => {
                let control = part(input, length, 8)?;
                head.is_animated =
                    control.first_chunk().is_some_and(|frames| u32::from_be_bytes(*frames) > 1);
            }
            b"eXIf" => {
                let turned = exif::orientation(&part(input, length, MAX_EXIF)?);
                head.orientation = turned.unwrap_or(head.orientation);
            }
            _ => skip(input, length)?,
        }
        skip(input, 4)?;
    }
    Ok(())
}
