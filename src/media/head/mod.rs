//! The size of a picture in pixels, as browsers display it, from its head alone: the pixels behind it may be cut off,
//! broken, or more than are decoded.

mod boxes;
mod exif;
mod gif;
mod heif;
mod jpeg;
mod jxl;
mod plain;
mod png;
mod webp;

use std::io::{self, BufRead, Read, Seek};

use image::metadata::Orientation;

pub(crate) use boxes::{boxes, word};

/// Segments, chunks or boxes that are looked at: a file of nothing but heads is not read to its end.
const MAX_PARTS: usize = 4_096;

/// What is known before anything is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// In pixels, as they are stored.
    pub width: u32,
    pub height: u32,
    /// How it is turned for display.
    pub orientation: Orientation,
    /// Whether a browser shows more than one frame.
    pub is_animated: bool,
    /// Whether its channels are inks.
    pub has_inks: bool,
}

impl Head {
    fn still(width: u32, height: u32) -> Self {
        Self { width, height, orientation: Orientation::NoTransforms, is_animated: false, has_inks: false }
    }

    /// As it is displayed.
    pub(crate) fn size(&self) -> (u32, u32) {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        match self.orientation {
            Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => (self.height, self.width),
            _ => (self.width, self.height),
        }
    }

    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The head of a picture of this content type; None if it has none, or one of no pixels.
pub(crate) fn head(input: &mut (impl BufRead + Seek), content_type: &str) -> Option<Head> {
    let head = match content_type {
        "image/png" => png::head(input),
        "image/jpeg" => jpeg::head(input),
        "image/gif" => gif::head(input),
        "image/webp" => webp::head(input),
        "image/avif" | "image/heic" => heif::head(input),
        "image/bmp" => plain::bmp(input),
        "image/x-icon" => plain::icon(input),
        "image/jxl" => jxl::head(input),
        _ => return None,
    };
    head.ok().filter(|head| head.pixels() > 0)
}

pub(crate) fn array<const N: usize>(input: &mut impl io::Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn skip(input: &mut (impl BufRead + Seek), bytes: u64) -> io::Result<()> {
    input.seek_relative(i64::try_from(bytes).map_err(|_| wrong())?)
}

/// At most `most` bytes of a part that has `length`; the input stands behind the part afterwards.
pub(crate) fn part(input: &mut (impl BufRead + Seek), length: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let wanted = length.min(most as u64);
    (&mut *input).take(wanted).read_to_end(&mut bytes)?;
    skip(input, length - bytes.len() as u64)?;
    Ok(bytes)
}

pub(crate) fn wrong() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests;
