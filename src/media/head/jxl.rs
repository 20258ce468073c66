//! JPEG XL (ISO/IEC 18181), as a bare codestream or in boxes.

use std::io::{self, BufRead, Read, Seek};

use image::metadata::Orientation;

use super::{Head, MAX_PARTS, array, skip, wrong};

/// Bytes of a codestream that its size and orientation lie within.
const HEAD: usize = 32;

pub(super) fn head(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    if input.fill_buf()?.starts_with(&[0xFF, 0x0A]) {
        return codestream(&beginning(input)?);
    }
    for _ in 0..MAX_PARTS {
        let [a, b, c, d, kind @ ..]: [u8; 8] = array(input)?;
        let mut length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let mut before = 8;
        if length == 1 {
            length = u64::from_be_bytes(array(input)?);
            before = 16;
        }
        match &kind {
            b"jxlc" | b"jxlp" => {
                if &kind == b"jxlp" {
                    skip(input, 4)?;
                }
                return codestream(&beginning(input)?);
            }
            _ => skip(input, length.checked_sub(before).ok_or_else(wrong)?)?,
        }
    }
    Err(wrong())
}

fn beginning(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(HEAD as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bits, the least significant first.
struct Bits<'a>(&'a [u8], usize);

impl Bits<'_> {
    fn take(&mut self, count: usize) -> io::Result<u32> {
        let mut value = 0;
        for bit in 0..count {
            let byte = self.0.get(self.1 / 8).ok_or_else(wrong)?;
            value |= u32::from(byte >> (self.1 % 8) & 1) << bit;
            self.1 += 1;
        }
        Ok(value)
    }

    /// A side of more than 256 pixels.
    fn side(&mut self) -> io::Result<u32> {
        let bits = [9, 13, 18, 30][self.take(2)? as usize];
        Ok(1 + self.take(bits)?)
    }
}

/// Annex D: SizeHeader, and the beginning of ImageMetadata.
fn codestream(bytes: &[u8]) -> io::Result<Head> {
    let mut bits = Bits(bytes.strip_prefix(&[0xFF, 0x0A]).ok_or_else(wrong)?, 0);
    let (width, height) = size(&mut bits)?;
    let mut head = Head::still(width, height);
    let _ = metadata(&mut bits, &mut head);
    Ok(head)
}

fn size(bits: &mut Bits<'_>) -> io::Result<(u32, u32)> {
    let is_small = bits.take(1)? == 1;
    let side = |bits: &mut Bits<'_>| if is_small { Ok(8 * (1 + bits.take(5)?)) } else { bits.side() };
    let height = side(bits)?;
    let by = |above: u64, below: u64| u32::try_from(u64::from(height) * above / below).map_err(|_| wrong());
    let width = match bits.take(3)? {
        0 => side(bits)?,
        1 => height,
        2 => by(12, 10)?,
        3 => by(4, 3)?,
        4 => by(3, 2)?,
        5 => by(16, 9)?,
        6 => by(5, 4)?,
        _ => by(2, 1)?,
    };
    Ok((width, height))
}

fn metadata(bits: &mut Bits<'_>, head: &mut Head) -> io::Result<()> {
    let is_all_default = bits.take(1)? == 1;
    if is_all_default || bits.take(1)? == 0 {
        return Ok(());
    }
    let orientation = Orientation::from_exif(bits.take(3)? as u8 + 1);
    head.orientation = orientation.unwrap_or(head.orientation);
    let has_intrinsic_size = bits.take(1)? == 1;
    if has_intrinsic_size {
        size(bits)?;
    }
    let has_preview = bits.take(1)? == 1;
    head.is_animated = !has_preview && bits.take(1)? == 1;
    Ok(())
}
