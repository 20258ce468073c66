//! Boxes (ISO/IEC 14496-12).

use super::MAX_PARTS;

/// The boxes within a box, with their kinds.
pub(crate) fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        let kind = bytes.get(4..8)?.first_chunk()?;
        let end = if length == 0 { bytes.len() } else { length.min(bytes.len()) };
        let content = bytes.get(8..end)?;
        bytes = &bytes[end..];
        Some((kind, content))
    })
    .take(MAX_PARTS)
}

pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
