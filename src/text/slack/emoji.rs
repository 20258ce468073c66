//! Names of emoji, as senders write them: GitHub's, which most know, and Slack's where they differ.

use std::{collections::HashMap, sync::LazyLock};

use emojis::SkinTone;

/// Slack's names that GitHub has not, or has for another emoji; a line for each. Flags (`flag-de`) follow a rule.
static OF_SLACK: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| include_str!("emoji.txt").lines().filter_map(|line| line.split_once(' ')).collect());

/// Bytes of the longest name.
const MAX_NAME: usize = 64;

const SKIN_TONE: &str = ":skin-tone-";

/// Replaces names like `:fire:` and `:wave::skin-tone-3:` by emoji.
pub(super) fn emojified(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(':') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let is_word = |text: &str| text.ends_with(char::is_alphanumeric);
        let length = match at(rest) {
            // Within a word, as in an address of IPv6, it is none.
            Some((_, length)) if is_word(&out) && rest[length..].starts_with(char::is_alphanumeric) => {
                out.push(':');
                1
            }
            Some((emoji, length)) => {
                out.push_str(&emoji);
                length
            }
            None => {
                out.push(':');
                1
            }
        };
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The emoji whose name, with its colons, begins a text, and the bytes of the name.
pub(super) fn at(text: &str) -> Option<(String, usize)> {
    let after = text.strip_prefix(':')?;
    let end = after.bytes().take(MAX_NAME).position(|byte| byte == b':')?;
    let name = &after[..end];
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'\'');
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let length = end + 2;
    let tone = text[length..].strip_prefix(SKIN_TONE).and_then(|rest| {
        let tone = tone(rest.chars().next()?)?;
        rest[1..].starts_with(':').then_some(tone)
    });
    match tone {
        Some(tone) => Some((emoji_of(name, Some(tone))?, length + SKIN_TONE.len() + 2)),
        None => Some((emoji_of(name, None)?, length)),
    }
}

/// Slack's tones are those of Fitzpatrick's scale, of which the first two are one.
fn tone(digit: char) -> Option<SkinTone> {
    Some(match digit {
        '1' | '2' => SkinTone::Light,
        '3' => SkinTone::MediumLight,
        '4' => SkinTone::Medium,
        '5' => SkinTone::MediumDark,
        '6' => SkinTone::Dark,
        _ => return None,
    })
}

/// The emoji of a name without colons.
fn emoji_of(name: &str, tone: Option<SkinTone>) -> Option<String> {
    if let Some(digit) = name.strip_prefix("skin-tone-") {
        let tone = tone_sign(digit.parse().ok()?)?;
        return Some(tone.to_owned());
    }
    let found = match OF_SLACK.get(name) {
        Some(found) => (*found).to_owned(),
        None => match emojis::get_by_shortcode(name) {
            Some(found) => found.as_str().to_owned(),
            None => flag(name)?,
        },
    };
    let toned = tone.and_then(|tone| emojis::get(&found)?.with_skin_tone(tone));
    Some(toned.map_or(found, |toned| toned.as_str().to_owned()))
}

/// An emoji in the tone of a number of Slack's, if it has tones.
pub(super) fn toned(emoji: String, number: Option<u64>) -> String {
    let tone = number.and_then(|number| tone(char::from_digit(number.try_into().ok()?, 10)?));
    let toned = tone.and_then(|tone| emojis::get(&emoji)?.with_skin_tone(tone));
    toned.map_or(emoji, |toned| toned.as_str().to_owned())
}

fn tone_sign(number: u32) -> Option<&'static str> {
    ["🏻", "🏼", "🏽", "🏾", "🏿"].get(number.checked_sub(2)? as usize).copied()
}

/// `flag-de` is two regional letters.
fn flag(name: &str) -> Option<String> {
    let code = name.strip_prefix("flag-").filter(|code| code.len() == 2)?;
    let letters: Option<String> = code
        .bytes()
        .map(|byte| {
            byte.is_ascii_lowercase().then(|| char::from_u32(0x1F1E6 + u32::from(byte - b'a'))).flatten()
        })
        .collect();
    letters.filter(|letters| emojis::get(letters).is_some())
}

/// The emoji of an icon, whose name may have its colons or not, or be the emoji itself.
pub(super) fn icon(text: &str) -> Option<String> {
    let name = text.trim();
    let name = name.strip_prefix(':').and_then(|name| name.strip_suffix(':')).unwrap_or(name);
    let (name, tone_name) = name.split_once("::").map_or((name, None), |(name, tone)| (name, Some(tone)));
    let tone = tone_name.and_then(|name| tone(name.strip_prefix("skin-tone-")?.chars().next()?));
    emoji_of(name, tone).or_else(|| emojis::get(name).map(|emoji| emoji.as_str().to_owned()))
}

/// The emoji of code points in hexadecimal, joined by dashes, as rich text has them.
pub(super) fn of_code_points(text: &str) -> Option<String> {
    let emoji: String = text
        .split('-')
        .map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?))
        .collect::<Option<_>>()?;
    Some(emoji).filter(|emoji| !emoji.is_empty() && emoji.chars().count() <= 16 && !emoji.is_ascii())
}
