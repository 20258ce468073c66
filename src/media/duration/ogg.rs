//! Ogg (RFC 3533) with Vorbis, Opus (RFC 7845) or FLAC: the last page says how many samples there were.

use std::io::{self, BufRead, Seek};

use super::{array, end, part, streaminfo, wrong};

/// A page is no longer than this.
const PAGE: u64 = 65_307;

pub(super) fn duration(input: &mut (impl BufRead + Seek), size: u64) -> io::Result<f64> {
    let page: [u8; 27] = array(input)?;
    if &page[..4] != b"OggS" {
        return Err(wrong());
    }
    let serial = &page[14..18];
    let segments = part(input, page[26].into(), 255)?;
    let packet = part(input, segments.iter().map(|length| u64::from(*length)).sum(), 1 << 10)?;
    let (rate, skipped) = match &packet[..] {
        [1, b'v', b'o', b'r', b'b', b'i', b's', _, _, _, _, _, a, b, c, d, ..] => {
            (u32::from_le_bytes([*a, *b, *c, *d]), 0)
        }
        [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, a, b, ..] => {
            (48_000, u16::from_le_bytes([*a, *b]).into())
        }
        [0x7F, b'F', b'L', b'A', b'C', ..] => return streaminfo(packet.get(17..).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    let tail = end(input, size, 2 * PAGE)?;
    let last = memchr::memmem::rfind_iter(&tail, b"OggS").find_map(|at| {
        let page = tail.get(at..at + 18)?;
        let samples = i64::from_le_bytes(*page[6..].first_chunk()?);
        (&page[14..18] == serial && samples >= 0).then_some(samples)
    });
    let samples = last.ok_or_else(wrong)? - skipped;
    if rate == 0 || samples <= 0 { Err(wrong()) } else { Ok(samples as f64 / f64::from(rate)) }
}
