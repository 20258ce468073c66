//! MP3 (ISO/IEC 11172-3 and 13818-3): the number of frames, which its first frame may say, or the bytes at a constant rate.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::{array, wrong};

/// Bytes behind the tags in which the first frame begins.
const BEGINNING: u64 = 64 << 10;

struct Frame {
    /// Samples a second, samples of a frame, and bits a second.
    rate: u32,
    samples: u32,
    bits: u32,
    length: usize,
    /// Where Xing's or LAME's tag stands.
    tag: usize,
}

pub(super) fn duration(input: &mut (impl BufRead + Seek), size: u64) -> io::Result<f64> {
    let mut start = 0;
    let head: [u8; 10] = array(input)?;
    if head.starts_with(b"ID3") {
        // Seven bits of each byte count.
        start = 10 + head[6..].iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7F));
    }
    input.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    input.take(BEGINNING).read_to_end(&mut bytes)?;
    let found = (0..bytes.len()).find_map(|at| {
        let first = frame(&bytes[at..])?;
        // Chance makes one frame: another has to follow, or the end of the file.
        let rest = bytes.get(at + first.length..).unwrap_or_default();
        (rest.len() < 4 || frame(rest).is_some()).then_some((at, first))
    });
    let (at, first) = found.ok_or_else(wrong)?;
    let bytes = &bytes[at..];
    let word = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map(|it| u32::from_be_bytes(*it));
    let count = match bytes.get(first.tag..first.tag + 4) {
        Some(b"Xing" | b"Info") if word(first.tag + 4).is_some_and(|flags| flags & 1 == 1) => {
            word(first.tag + 8)
        }
        _ if bytes.get(36..40) == Some(b"VBRI") => word(50),
        _ => None,
    };
    Ok(match count {
        Some(count) => f64::from(count) * f64::from(first.samples) / f64::from(first.rate),
        None => (size - start - at as u64) as f64 * 8.0 / f64::from(first.bits),
    })
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    const KILOBITS: [[u32; 15]; 2] = [
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let [0xFF, a, b, c] = *bytes.first_chunk()? else { return None };
    // Layer III of any version, with a known rate of bits and of samples.
    if a & 0xE6 != 0xE2 || a & 0x18 == 0x08 || b >> 4 == 15 || b >> 4 == 0 || b >> 2 & 3 == 3 {
        return None;
    }
    let is_first = a & 0x18 == 0x18;
    let halved = match a & 0x18 {
        0x18 => 0,
        0x10 => 1,
        _ => 2,
    };
    let rate = [44_100, 48_000, 32_000][usize::from(b >> 2 & 3)] >> halved;
    let bits = 1_000 * KILOBITS[usize::from(!is_first)][usize::from(b >> 4)];
    let samples = if is_first { 1_152 } else { 576 };
    let length = (samples / 8 * bits / rate + u32::from(b >> 1 & 1)) as usize;
    let is_mono = c >> 6 == 3;
    let side = match (is_first, is_mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    Some(Frame { rate, samples, bits, length, tag: 4 + side })
}
