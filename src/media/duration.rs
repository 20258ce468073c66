//! How long a sound or a film lasts, and how large its picture is, from a few bytes of the file.

mod ebml;
mod frames;
mod ogg;

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::head::{array, boxes, part, skip, word, wrong};

/// Bytes of the box that describes a film. What is behind them is samples' tables.
const MAX_MOOV: usize = 4 << 20;

/// Boxes, chunks or elements that are looked at.
const MAX_PARTS: usize = 4_096;

/// A longer one is a mistake of the file.
const MAX_SECONDS: f64 = 1_000.0 * 3_600.0;

/// What is known of a sound or a film.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Film {
    pub duration_s: Option<f64>,
    /// Of its picture in pixels, as it is displayed.
    pub size: Option<(u32, u32)>,
    /// It has tracks, and none of them is a picture.
    pub is_sound_only: bool,
}

/// What a file of this content type says of itself.
pub fn film(input: &mut (impl BufRead + Seek), size: u64, content_type: &str) -> Film {
    let found = match content_type {
        "video/mp4" | "video/quicktime" | "audio/mp4" => mp4(input),
        "video/webm" => ebml::film(input),
        "audio/ogg" => ogg::duration(input, size).map(lasting),
        "audio/wav" => wav(input, size).map(lasting),
        "audio/flac" => flac(input).map(lasting),
        "audio/mpeg" => frames::duration(input, size).map(lasting),
        _ => Err(wrong()),
    };
    let mut film = found.unwrap_or_default();
    let milliseconds = |seconds: f64| (seconds * 1_000.0).round() / 1_000.0;
    film.duration_s = film.duration_s.filter(|it| *it > 0.0 && *it < MAX_SECONDS).map(milliseconds);
    film.size = film.size.filter(|(width, height)| *width > 0 && *height > 0);
    film
}

fn lasting(seconds: f64) -> Film {
    Film { duration_s: Some(seconds), size: None, is_sound_only: true }
}

/// MP4 and QuickTime (ISO/IEC 14496-12): the `moov` box may stand behind the samples.
fn mp4(input: &mut (impl BufRead + Seek)) -> io::Result<Film> {
    for _ in 0..MAX_PARTS {
        let [a, b, c, d, kind @ ..]: [u8; 8] = array(input)?;
        let length = match u32::from_be_bytes([a, b, c, d]) {
            1 => u64::from_be_bytes(array(input)?).checked_sub(16),
            0 => Some(MAX_MOOV as u64),
            length => u64::from(length).checked_sub(8),
        };
        let length = length.ok_or_else(wrong)?;
        if &kind == b"moov" {
            return Ok(moov(&part(input, length, MAX_MOOV)?));
        }
        skip(input, length)?;
    }
    Err(wrong())
}

fn moov(moov: &[u8]) -> Film {
    let mut film = Film::default();
    let mut scale = 0.0;
    let (mut has_picture, mut has_sound) = (false, false);
    for (kind, content) in boxes(moov) {
        match kind {
            b"mvhd" => {
                scale = timed(content, 12, 20).0;
                film.duration_s = timed(content, 12, 20).1.map(|units| units / scale);
            }
            // Of a film in fragments: what all of them last.
            b"mvex" => {
                let mehd = boxes(content).find(|(kind, _)| *kind == b"mehd").map(|(_, content)| content);
                let units = mehd.and_then(|mehd| match mehd.first()? {
                    0 => word(mehd, 4).map(f64::from),
                    _ => Some(long(mehd, 4)? as f64),
                });
                film.duration_s = units.map(|units| units / scale).or(film.duration_s);
            }
            b"trak" => {
                let size = track(content);
                has_picture |= size.is_some();
                has_sound |= size.is_none() && is_sound(content);
                film.size = film.size.or(size);
            }
            _ => {}
        }
    }
    film.is_sound_only = has_sound && !has_picture;
    film.duration_s = film.duration_s.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    film
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The time scale and the duration of a box, which stand at `at` in version 0, and at `later` in version 1.
fn timed(content: &[u8], at: usize, later: usize) -> (f64, Option<f64>) {
    let read = || match content.first()? {
        0 => Some((word(content, at)?, u64::from(word(content, at + 4)?), u64::from(u32::MAX))),
        _ => Some((word(content, later)?, long(content, later + 4)?, u64::MAX)),
    };
    let Some((scale, units, unknown)) = read() else { return (0.0, None) };
    (f64::from(scale), (units != unknown).then_some(units as f64))
}

/// The size of a track's picture, turned by its matrix; None of a sound.
fn track(trak: &[u8]) -> Option<(u32, u32)> {
    let (_, tkhd) = boxes(trak).find(|(kind, _)| *kind == b"tkhd")?;
    let at = if *tkhd.first()? == 0 { 40 } else { 52 };
    let (width, height) = (word(tkhd, at + 36)? >> 16, word(tkhd, at + 40)? >> 16);
    let is_turned = word(tkhd, at)? == 0 && word(tkhd, at + 4)? != 0;
    let size = if is_turned { (height, width) } else { (width, height) };
    (width > 0 && height > 0).then_some(size)
}

fn is_sound(trak: &[u8]) -> bool {
    let inside =
        |bytes, name: &[u8; 4]| boxes(bytes).find(|(kind, _)| *kind == name).map(|(_, content)| content);
    let handler = inside(trak, b"mdia").and_then(|mdia| inside(mdia, b"hdlr"));
    handler.and_then(|hdlr| hdlr.get(8..12)) == Some(b"soun")
}

/// RIFF/WAVE: the bytes of its samples at so many a second.
fn wav(input: &mut (impl BufRead + Seek), size: u64) -> io::Result<f64> {
    skip(input, 12)?;
    let mut rate = None;
    for _ in 0..MAX_PARTS {
        let [kind @ .., a, b, c, d]: [u8; 8] = array(input)?;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        match &kind {
            b"fmt " => {
                let format = part(input, length + length % 2, 16)?;
                rate = format.get(8..).and_then(<[u8]>::first_chunk).map(|it| u32::from_le_bytes(*it));
            }
            b"data" => {
                // A program that recorded to a pipe could not know the length.
                let bytes = length.min(size.saturating_sub(input.stream_position()?));
                return rate
                    .filter(|rate| *rate > 0)
                    .map(|rate| bytes as f64 / f64::from(rate))
                    .ok_or_else(wrong);
            }
            _ => skip(input, length + length % 2)?,
        }
    }
    Err(wrong())
}

/// FLAC (RFC 9639): the number of samples stands in the first block.
fn flac(input: &mut impl Read) -> io::Result<f64> {
    let head: [u8; 26] = array(input)?;
    streaminfo(head.get(8..).ok_or_else(wrong)?)
}

fn streaminfo(block: &[u8]) -> io::Result<f64> {
    let bits = long(block, 10).ok_or_else(wrong)?;
    let (rate, samples) = (bits >> 44, bits & ((1 << 36) - 1));
    if rate == 0 || samples == 0 { Err(wrong()) } else { Ok(samples as f64 / rate as f64) }
}

/// The last bytes of a file, at most so many.
fn end(input: &mut (impl BufRead + Seek), size: u64, most: u64) -> io::Result<Vec<u8>> {
    input.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    input.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
