//! AVIF and HEIC (ISO/IEC 23008-12, in the boxes of ISO/IEC 14496-12).

use std::io::{self, BufRead, Seek};

use image::metadata::Orientation;

use super::{Head, MAX_PARTS, array, boxes, part, skip, word, wrong};

/// Bytes of the box of metadata, or of a film's.
const MAX_META: usize = 4 << 20;

pub(super) fn head(input: &mut (impl BufRead + Seek)) -> io::Result<Head> {
    let mut found = None;
    let mut is_sequence = false;
    for _ in 0..MAX_PARTS {
        let Ok([a, b, c, d, kind @ ..]) = array::<8>(input) else { break };
        let length = match u32::from_be_bytes([a, b, c, d]) {
            1 => u64::from_be_bytes(array(input)?).checked_sub(16),
            0 => Some(MAX_META as u64),
            length => u64::from(length).checked_sub(8),
        };
        let length = length.ok_or_else(wrong)?;
        match &kind {
            b"ftyp" => {
                let brands = part(input, length, 1 << 10)?;
                is_sequence = brands.starts_with(b"avis") || brands.starts_with(b"msf1");
            }
            b"mini" => found = mini(&part(input, length, 16)?).or(found),
            b"meta" => found = item(&part(input, length, MAX_META)?).or(found),
            b"moov" if is_sequence => {
                found = film(&part(input, length, MAX_META)?).or(found);
                break;
            }
            _ if skip(input, length).is_err() => break,
            _ => {}
        }
        if found.is_some() && !is_sequence {
            break;
        }
    }
    found.ok_or_else(wrong)
}

fn inside<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(found, _)| *found == kind).map(|(_, content)| content)
}

fn half(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

/// The primary item of a `meta` box, cropped and turned by its properties.
fn item(meta: &[u8]) -> Option<Head> {
    let meta = meta.get(4..)?;
    let pitm = inside(meta, b"pitm")?;
    let primary = if *pitm.first()? == 0 { half(pitm, 4)? } else { word(pitm, 4)? };
    let iprp = inside(meta, b"iprp")?;
    let properties: Vec<_> = boxes(inside(iprp, b"ipco")?).collect();
    let ipma = boxes(iprp).filter(|(kind, _)| *kind == b"ipma");
    let indexes = ipma.map(|(_, ipma)| associated(ipma, primary)).find(|indexes| !indexes.is_empty())?;
    let mut head = None;
    for (kind, content) in indexes.iter().filter_map(|index| properties.get(index.checked_sub(1)?)) {
        match (*kind, &mut head) {
            (b"ispe", _) => head = Some(Head::still(word(content, 4)?, word(content, 8)?)),
            (b"clap", Some(head)) => crop(content, head),
            (b"irot", Some(head)) => {
                // Quarters of a turn, against the clock.
                head.orientation = match *content.first()? & 3 {
                    1 => Orientation::Rotate270,
                    2 => Orientation::Rotate180,
                    3 => Orientation::Rotate90,
                    _ => head.orientation,
                };
            }
            _ => {}
        }
    }
    head
}

/// A `clap` box: a size, and how far its middle is from the picture's. Chromium crops only what begins in the corner, and shows
/// the whole picture otherwise.
fn crop(clap: &[u8], head: &mut Head) {
    let fraction = |at: usize| {
        let (above, below) = (word(clap, at)? as i32, word(clap, at + 4)?);
        (below > 0).then(|| f64::from(above) / f64::from(below))
    };
    let (Some(width), Some(height), Some(right), Some(down)) =
        (fraction(0), fraction(8), fraction(16), fraction(24))
    else {
        return;
    };
    let begins_in_corner = |whole: u32, part: f64, by: f64| {
        part >= 1.0 && part <= f64::from(whole) && ((f64::from(whole) - part) / 2.0 + by).abs() < 0.5
    };
    if begins_in_corner(head.width, width, right) && begins_in_corner(head.height, height, down) {
        (head.width, head.height) = (width as u32, height as u32);
    }
}

/// A `mini` box, which has all that a picture needs in some bits (ISO/IEC 23008-12, amendment 3 of 2025).
fn mini(bytes: &[u8]) -> Option<Head> {
    let bits = u128::from_be_bytes(*bytes.first_chunk()?);
    let take = |from: u32, count: u32| (bits << from >> (128 - count)) as u32;
    let count = if take(16, 1) == 1 { 15 } else { 7 };
    let mut head = Head::still(1 + take(17, count), 1 + take(17 + count, count));
    head.orientation = Orientation::from_exif(take(13, 3) as u8 + 1)?;
    (take(0, 2) == 0).then_some(head)
}

/// The numbers of an item's properties, counted from 1.
fn associated(ipma: &[u8], item: u32) -> Vec<usize> {
    let mut found = Vec::new();
    let mut read = || {
        let (version, is_wide) = (*ipma.first()?, ipma.get(3)? & 1 == 1);
        let mut at = 8;
        for _ in 0..word(ipma, 4)? {
            let id = if version == 0 { half(ipma, at)? } else { word(ipma, at)? };
            at += if version == 0 { 2 } else { 4 };
            let count = usize::from(*ipma.get(at)?);
            at += 1;
            let step = if is_wide { 2 } else { 1 };
            if id == item {
                for at in (0..count).map(|n| at + n * step) {
                    // The topmost bit says whether readers have to know the property.
                    let index =
                        if is_wide { half(ipma, at)? & 0x7FFF } else { u32::from(*ipma.get(at)? & 0x7F) };
                    found.push(index as usize);
                }
                return Some(());
            }
            at += count * step;
        }
        Some(())
    };
    let _ = read();
    found
}

/// The first track of pictures.
fn film(moov: &[u8]) -> Option<Head> {
    let tracks = boxes(moov).filter(|(kind, _)| *kind == b"trak");
    tracks
        .filter_map(|(_, trak)| {
            let tkhd = inside(trak, b"tkhd")?;
            let at = if *tkhd.first()? == 0 { 76 } else { 88 };
            let mut head = Head::still(word(tkhd, at)? >> 16, word(tkhd, at + 4)? >> 16);
            head.is_animated = true;
            (head.pixels() > 0).then_some(head)
        })
        .next()
}
