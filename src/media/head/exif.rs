//! The orientation of a picture in its EXIF data (Exif 2.32, section 4.6: a TIFF).

use image::metadata::Orientation;

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

/// None if the data is not readable, or says nothing of it.
pub(super) fn orientation(tiff: &[u8]) -> Option<Orientation> {
    let is_little = match tiff.get(..4)? {
        [b'I', b'I', 42, 0] => true,
        [b'M', b'M', 0, 42] => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let bytes = tiff.get(4..8)?.try_into().ok()?;
    let ifd = if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) } as usize;
    let count = usize::from(short(ifd)?);
    let entry = (0..count).map(|n| ifd + 2 + 12 * n).find(|entry| short(*entry) == Some(ORIENTATION))?;
    (short(entry + 2)? == SHORT).then_some(())?;
    Orientation::from_exif(u8::try_from(short(entry + 8)?).ok()?)
}
