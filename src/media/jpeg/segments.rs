//! Tables and metadata that stand in segments of their own.

use std::{collections::BTreeMap, io};

use super::{bits::Huffman, frame::Frame, wrong};

/// Bytes of a colour profile. Those of presses are the largest, with two megabytes.
const MAX_ICC: usize = 4 << 20;

/// What the components mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colors {
    YCbCr,
    Rgb,
    /// Inks, inverted as Adobe writes them: 255 is none.
    Cmyk,
    Ycck,
}

#[derive(Default)]
pub(super) struct Segments {
    pub(super) quantization: [Option<Box<[u16; 64]>>; 4],
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
    pub(super) restart_interval: usize,
    /// The transform that Adobe's segment names.
    adobe: Option<u8>,
    is_jfif: bool,
    /// By their numbers.
    icc: BTreeMap<u8, Vec<u8>>,
}

impl Segments {
    pub(super) fn take(&mut self, marker: u8, segment: &[u8]) -> io::Result<()> {
        match marker {
            0xDB => self.quantization(segment)?,
            0xC4 => self.huffman(segment)?,
            0xDD => {
                let interval = segment.first_chunk().ok_or_else(wrong)?;
                self.restart_interval = u16::from_be_bytes(*interval).into();
            }
            0xE0 if segment.starts_with(b"JFIF\0") => self.is_jfif = true,
            0xE2 => {
                if let Some([number, _, profile @ ..]) = segment.strip_prefix(b"ICC_PROFILE\0")
                    && self.icc.values().map(Vec::len).sum::<usize>() + profile.len() <= MAX_ICC
                {
                    self.icc.entry(*number).or_insert_with(|| profile.to_vec());
                }
            }
            // Shorter ones are no segments of Adobe's.
            0xEE if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied().or(self.adobe),
            _ => {}
        }
        Ok(())
    }

    fn quantization(&mut self, mut segment: &[u8]) -> io::Result<()> {
        while let [head, rest @ ..] = segment {
            let bytes = if head >> 4 == 0 { 1 } else { 2 };
            let table = rest.get(..64 * bytes).ok_or_else(wrong)?;
            let value = |n: usize| match bytes {
                1 => table[n].into(),
                _ => u16::from_be_bytes([table[2 * n], table[2 * n + 1]]),
            };
            let slot = self.quantization.get_mut(usize::from(head & 15)).ok_or_else(wrong)?;
            *slot = Some(Box::new(std::array::from_fn(value)));
            segment = &rest[64 * bytes..];
        }
        Ok(())
    }

    fn huffman(&mut self, mut segment: &[u8]) -> io::Result<()> {
        while let [head, rest @ ..] = segment {
            let (table, rest) = Huffman::read(rest)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15)).ok_or_else(wrong)? = Some(table);
            segment = rest;
        }
        Ok(())
    }

    /// The colour profile, as its pieces stand in the file.
    pub(super) fn icc(&self) -> Vec<u8> {
        self.icc.values().flatten().copied().collect()
    }

    /// As libjpeg guesses, which all browsers use.
    pub(super) fn colors(&self, frame: &Frame) -> Colors {
        match (frame.components.len(), self.adobe) {
            (4, Some(2)) => Colors::Ycck,
            (4, _) => Colors::Cmyk,
            _ if self.is_jfif => Colors::YCbCr,
            (_, Some(0)) => Colors::Rgb,
            (_, Some(_)) => Colors::YCbCr,
            _ if frame.components.iter().map(|it| it.id).eq(*b"RGB") => Colors::Rgb,
            _ => Colors::YCbCr,
        }
    }
}
