//! JPEG (ITU-T T.81) with EXIF.

use std::io::{self, BufRead, Seek};

use super::{Head, MAX_PARTS, array, exif, part, skip, wrong};

pub(super) fn head(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    skip(input, 2)?;
    let mut orientation = None;
    for _ in 0..MAX_PARTS {
        let marker = marker(input)?;
        // Markers that stand alone.
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            continue;
        }
        let length = u64::from(u16::from_be_bytes(array(input)?)).checked_sub(2).ok_or_else(wrong)?;
        match marker {
            // All frames but DHT, JPG and DAC, which stand among them.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let [_, a, b, c, d, components]: [u8; 6] = array(input)?;
                let (height, width) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                let mut head = Head::still(width.into(), height.into());
                head.has_inks = components == 4;
                head.orientation = orientation.unwrap_or(head.orientation);
                return Ok(head);
            }
            0xE1 if orientation.is_none() => {
                let segment = part(input, length, 64 << 10)?;
                orientation = segment.strip_prefix(b"Exif\0").and_then(|it| exif::orientation(it.get(1..)?));
            }
            0xD9 | 0xDA => break,
            _ => skip(input, length)?,
        }
    }
    Err(wrong())
}

/// The next marker. Some writers leave bytes between segments; decoders pass over them.
fn marker(input: &mut (impl BufRead + Seek)) -> io::Result<u8> {
    for _ in 0..64 << 10 {
        let [mut byte] = array(input)?;
        if byte == 0xFF {
            while byte == 0xFF {
                [byte] = array(input)?;
            }
            if byte != 0 {
                return Ok(byte);
            }
        }
    }
    Err(wrong())
}
