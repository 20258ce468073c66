//! Messages of nothing but a few emoji, which are shown large.

use smallvec::SmallVec;

use super::Rendered;

/// Emoji in a message that is shown large.
const MAX_EMOJI: usize = 12;

/// Pictographs joined to the first one of an emoji. The sequences that Unicode recommends have fewer.
const MAX_JOINED: usize = 8;

const JOINER: char = '\u{200D}';
const AS_EMOJI: char = '\u{FE0F}';

/// Shown as emoji by themselves (Emoji_Presentation in Unicode's emoji-data). Blocks of pictographs are taken whole.
const PICTURES: &[(u32, u32)] = &[
    (0x231A, 0x231B),
    (0x23E9, 0x23EC),
    (0x23F0, 0x23F0),
    (0x23F3, 0x23F3),
    (0x25FD, 0x25FE),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x267F, 0x267F),
    (0x2693, 0x2693),
    (0x26A1, 0x26A1),
    (0x26AA, 0x26AB),
    (0x26BD, 0x26BE),
    (0x26C4, 0x26C5),
    (0x26CE, 0x26CE),
    (0x26D4, 0x26D4),
    (0x26EA, 0x26EA),
    (0x26F2, 0x26F3),
    (0x26F5, 0x26F5),
    (0x26FA, 0x26FA),
    (0x26FD, 0x26FD),
    (0x2705, 0x2705),
    (0x270A, 0x270B),
    (0x2728, 0x2728),
    (0x274C, 0x274C),
    (0x274E, 0x274E),
    (0x2753, 0x2755),
    (0x2757, 0x2757),
    (0x2795, 0x2797),
    (0x27B0, 0x27B0),
    (0x27BF, 0x27BF),
    (0x2B1B, 0x2B1C),
    (0x2B50, 0x2B50),
    (0x2B55, 0x2B55),
    (0x1F004, 0x1F004),
    (0x1F0CF, 0x1F0CF),
    (0x1F18E, 0x1F18E),
    (0x1F191, 0x1F19A),
    (0x1F201, 0x1F201),
    (0x1F21A, 0x1F21A),
    (0x1F22F, 0x1F22F),
    (0x1F232, 0x1F236),
    (0x1F238, 0x1F23A),
    (0x1F250, 0x1F251),
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6FF),
    (0x1F7E0, 0x1F7EB),
    (0x1F7F0, 0x1F7F0),
    (0x1F90C, 0x1F9FF),
    (0x1FA70, 0x1FAFF),
];

/// Shown as emoji when U+FE0F follows, or within a joined sequence.
const SIGNS: &[(u32, u32)] = &[
    (0xA9, 0xA9),
    (0xAE, 0xAE),
    (0x203C, 0x203C),
    (0x2049, 0x2049),
    (0x2122, 0x2122),
    (0x2139, 0x2139),
    (0x2194, 0x21AA),
    (0x2328, 0x2328),
    (0x23CF, 0x23CF),
    (0x23ED, 0x23FA),
    (0x24C2, 0x24C2),
    (0x25AA, 0x25FE),
    (0x2600, 0x27BF),
    (0x2934, 0x2935),
    (0x2B05, 0x2B07),
    (0x3030, 0x3030),
    (0x303D, 0x303D),
    (0x3297, 0x3297),
    (0x3299, 0x3299),
    (0x1F170, 0x1F17F),
    (0x1F202, 0x1F202),
    (0x1F237, 0x1F237),
];

/// None unless the text is 1 to 12 emoji, with or without spaces between them.
pub(super) fn render(source: &str) -> Option<Rendered> {
    let source = source.trim();
    if !starts_like_emoji(source.as_bytes()) {
        return None;
    }
    let mut rest = source;
    let mut count = 0;
    while !rest.is_empty() {
        rest = after_emoji(rest)?.trim_start_matches(' ');
        count += 1;
        if count > MAX_EMOJI {
            return None;
        }
    }
    let html = format!("<p class=\"jumbo\">{source}</p>");
    Some(Rendered {
        html,
        plain: source.to_owned(),
        mentions: SmallVec::new(),
        everyone: None,
        is_emoji_only: true,
    })
}

/// A cheap check that rules out nearly every other message.
fn starts_like_emoji(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(0xC2 | 0xE2 | 0xE3 | 0xF0) => true,
        Some(b'0'..=b'9' | b'#' | b'*') => matches!(bytes.get(1), Some(0xE2 | 0xEF)),
        _ => false,
    }
}

/// The text after its first emoji: a flag, a keycap, or a pictograph with skin tone, tags and joined pictographs.
fn after_emoji(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if is_regional(first) {
        return is_regional(chars.next()?).then_some(chars.as_str());
    }
    if matches!(first, '0'..='9' | '#' | '*') {
        let rest = chars.as_str();
        return rest.strip_prefix(AS_EMOJI).unwrap_or(rest).strip_prefix('\u{20E3}');
    }
    let mut rest = after_picture(text, false)?;
    let mut joined = 0;
    while let Some(next) = rest.strip_prefix(JOINER) {
        rest = after_picture(next, true)?;
        joined += 1;
        if joined > MAX_JOINED {
            return None;
        }
    }
    Some(rest)
}

fn after_picture(text: &str, joined: bool) -> Option<&str> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let mut rest = chars.as_str();
    let marked = rest.strip_prefix(AS_EMOJI);
    let tone = |text: &str| text.starts_with(|c| matches!(c, '\u{1F3FB}'..='\u{1F3FF}'));
    if !(within(PICTURES, first) || within(SIGNS, first) && (joined || marked.is_some() || tone(rest))) {
        return None;
    }
    rest = marked.unwrap_or(rest);
    if tone(rest) {
        rest = &rest['\u{1F3FB}'.len_utf8()..];
    }
    // The flags of England, Scotland and Wales spell their region in tags.
    Some(rest.trim_start_matches(|c| matches!(c, '\u{E0020}'..='\u{E007F}')))
}

fn is_regional(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

fn within(ranges: &[(u32, u32)], c: char) -> bool {
    let c = u32::from(c);
    ranges.iter().any(|&(first, last)| (first..=last).contains(&c))
}
