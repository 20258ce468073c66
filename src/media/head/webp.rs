//! WebP (RFC 9649). Browsers do not turn it by its EXIF data.

use std::io::{self, BufRead, Seek};

use super::{Head, array, skip, wrong};

const ANIMATION: u8 = 0x02;

pub(super) fn head(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    skip(input, 12)?;
    let [kind @ .., _, _, _, _]: [u8; 8] = array(input)?;
    match &kind {
        b"VP8X" => {
            let [flags, _, _, _, a, b, c, d, e, f]: [u8; 10] = array(input)?;
            let mut head =
                Head::still(1 + u32::from_le_bytes([a, b, c, 0]), 1 + u32::from_le_bytes([d, e, f, 0]));
            head.is_animated = flags & ANIMATION != 0;
            Ok(head)
        }
        b"VP8 " => {
            let [_, _, _, 0x9D, 0x01, 0x2A, a, b, c, d] = array(input)? else { return Err(wrong()) };
            let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
            Ok(Head::still(side(a, b), side(c, d)))
        }
        b"VP8L" => {
            let [0x2F, bits @ ..]: [u8; 5] = array(input)? else { return Err(wrong()) };
            let bits = u32::from_le_bytes(bits);
            Ok(Head::still(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
        }
        _ => Err(wrong()),
    }
}
