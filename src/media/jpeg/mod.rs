//! Decodes JPEG at a half, a fourth or an eighth of its size (ITU-T T.81: baseline and progressive, Huffman, 8 bits).
//!
//! The libraries for JPEG in Rust decode whole pictures, or keep all coefficients of progressive ones: 750 MB for 250
//! megapixels. A thumbnail needs the lowest coefficients of each block only, and memory for no more. What is cut off or broken
//! is shown as far as it goes, as libjpeg does, which browsers use.

mod bits;
mod frame;
mod idct;
mod scan;
mod segments;

use std::io::{self, BufRead};

use bits::Bits;
use frame::Frame;
use segments::{Colors, Segments};

/// Scans of a picture. Each may visit every block, and takes a few bytes only.
const MAX_SCANS: usize = 100;

/// A picture whose samples are in memory, a plane for each component.
pub(crate) struct Decoded {
    pub width: usize,
    pub height: usize,
    /// The colour profile, if there is one.
    pub icc: Vec<u8>,
    colors: Colors,
    frame: Frame,
}

impl Decoded {
    pub(crate) fn has_inks(&self) -> bool {
        self.frame.components.len() == 4
    }

    /// The row `y`: the three or four channels of each pixel (red, green and blue, or the inks).
    pub(crate) fn row(&self, y: usize, row: &mut Vec<[u8; 4]>) {
        row.clear();
        let planes = &self.frame.components;
        let lines: Vec<_> = planes.iter().map(|plane| plane.line(y, &self.frame)).collect();
        row.extend((0..self.width).map(|x| {
            let at = |n: usize| lines[n].0[x * lines[n].1 / lines[n].2];
            match (self.colors, lines.len()) {
                (_, ..3) => [at(0), at(0), at(0), 255],
                (Colors::Rgb, _) => [at(0), at(1), at(2), 255],
                (Colors::YCbCr, _) => from_ycbcr(at(0), at(1), at(2), 255),
                (Colors::Cmyk, 3) => [at(0), at(1), at(2), 255],
                (Colors::Cmyk, _) => [at(0), at(1), at(2), at(3)],
                (Colors::Ycck, 3) => from_ycbcr(at(0), at(1), at(2), 255),
                (Colors::Ycck, _) => {
                    let [red, green, blue, _] = from_ycbcr(at(0), at(1), at(2), 0);
                    [255 - red, 255 - green, 255 - blue, at(3)]
                }
            }
        }));
    }
}

/// JFIF 1.02, page 3.
fn from_ycbcr(y: u8, cb: u8, cr: u8, rest: u8) -> [u8; 4] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let channel = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [channel(y + 91_881 * cr), channel(y - 22_554 * cb - 46_802 * cr), channel(y + 116_130 * cb), rest]
}

/// Decodes a picture at the largest of these sizes whose memory fits in the budget: the whole divided by `by`, which is
/// 1, 2, 4 or 8, or by one of the greater of them.
pub(crate) fn decode(input: impl BufRead, by: usize, budget: usize) -> io::Result<Decoded> {
    let mut bits = Bits::new(input);
    let mut segments = Segments::default();
    let mut frame: Option<Frame> = None;
    let mut scans = 0;
    // The file may be cut off: what is there is shown.
    while let Some(marker) = bits.marker()? {
        match marker {
            0xD8 | 0x01 | 0xD0..=0xD7 => {}
            0xD9 => break,
            0xC0..=0xC2 if frame.is_none() => {
                frame = Some(Frame::new(&bits.segment()?, marker == 0xC2, by, budget)?);
            }
            // Other frames: lossless, hierarchical, arithmetic coding.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return Err(wrong()),
            0xDA => {
                let frame = frame.as_mut().ok_or_else(wrong)?;
                let header = bits.segment()?;
                scans += 1;
                if scans > MAX_SCANS || scan::decode(frame, &segments, &header, &mut bits).is_err() {
                    break;
                }
            }
            _ => {
                let Ok(segment) = bits.segment() else { break };
                segments.take(marker, &segment)?;
            }
        }
    }
    let mut frame = frame.filter(|_| scans > 0).ok_or_else(wrong)?;
    frame.finish(&segments);
    let colors = segments.colors(&frame);
    let (width, height) = frame.size();
    Ok(Decoded { width, height, colors, icc: segments.icc(), frame })
}

fn wrong() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests;
