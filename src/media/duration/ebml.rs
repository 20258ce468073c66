//! WebM and Matroska (RFC 8794, RFC 9559).

use std::io::{self, BufRead, Seek};

use super::{Film, MAX_PARTS, array, part, skip, wrong};

const HEADER: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK: u32 = 0xAE;
const VIDEO: u32 = 0xE0;
const AUDIO: u32 = 0xE1;
const WIDTH: u32 = 0xB0;
const HEIGHT: u32 = 0xBA;
const CLUSTER: u32 = 0x1F43_B675;

/// Bytes of an element that is looked into.
const MAX_ELEMENT: usize = 1 << 20;

/// What stands before the first cluster. A recording of a browser has no duration there.
pub(super) fn film(input: &mut (impl BufRead + Seek)) -> io::Result<Film> {
    let mut film = Film::default();
    for _ in 0..MAX_PARTS {
        let Ok(Some((id, length))) = element(input) else { break };
        match id {
            HEADER => skip(input, length.ok_or_else(wrong)?)?,
            SEGMENT => {}
            CLUSTER => break,
            INFO => film.duration_s = info(&part(input, length.ok_or_else(wrong)?, MAX_ELEMENT)?),
            TRACKS => tracks(&part(input, length.ok_or_else(wrong)?, MAX_ELEMENT)?, &mut film),
            _ => skip(input, length.ok_or_else(wrong)?)?,
        }
    }
    Ok(film)
}

/// An element's id and length; the length may be unknown.
fn element(input: &mut (impl BufRead + Seek)) -> io::Result<Option<(u32, Option<u64>)>> {
    let [first] = array(input)?;
    let more = first.leading_zeros();
    if more > 3 {
        return Ok(None);
    }
    let mut id = u32::from(first);
    for _ in 0..more {
        let [byte] = array(input)?;
        id = id << 8 | u32::from(byte);
    }
    let [first] = array(input)?;
    let more = first.leading_zeros();
    if more > 7 {
        return Ok(None);
    }
    let mut length = u64::from(first) & (0x7F >> more);
    for _ in 0..more {
        let [byte] = array(input)?;
        length = length << 8 | u64::from(byte);
    }
    let is_unknown = length == (1 << (7 * (more + 1))) - 1;
    Ok(Some((id, (!is_unknown).then_some(length))))
}

/// The elements within one.
fn elements(mut bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let mut found = Vec::new();
    while found.len() < MAX_PARTS {
        let mut cursor = io::Cursor::new(bytes);
        let Ok(Some((id, Some(length)))) = element(&mut cursor) else { break };
        let at = cursor.position() as usize;
        let Some(end) = usize::try_from(length).ok().and_then(|length| at.checked_add(length)) else { break };
        let end = end.min(bytes.len());
        found.push((id, &bytes[at..end]));
        bytes = &bytes[end..];
    }
    found
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn info(bytes: &[u8]) -> Option<f64> {
    let (mut scale, mut duration) = (1_000_000, None);
    for (id, content) in elements(bytes) {
        match (id, content.len()) {
            (TIMESTAMP_SCALE, _) => scale = number(content),
            (DURATION, 4) => duration = Some(f64::from(f32::from_bits(number(content) as u32))),
            (DURATION, 8) => duration = Some(f64::from_bits(number(content))),
            _ => {}
        }
    }
    duration.map(|duration| duration * scale as f64 / 1e9)
}

fn tracks(bytes: &[u8], film: &mut Film) {
    let mut has_sound = false;
    for (_, track) in elements(bytes).into_iter().filter(|(id, _)| *id == TRACK) {
        for (id, content) in elements(track) {
            has_sound |= id == AUDIO;
            if id == VIDEO {
                let side = |wanted: u32| {
                    elements(content)
                        .into_iter()
                        .find(|(id, _)| *id == wanted)
                        .map(|(_, it)| number(it) as u32)
                };
                film.size = film.size.or(side(WIDTH).zip(side(HEIGHT)));
            }
        }
    }
    film.is_sound_only = has_sound && film.size.is_none();
}
