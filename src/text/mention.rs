//! Mentions: `@[Name](user:5)`, `@here` and `@room`.

use std::borrow::Cow;

use super::chars::is_of_word;
use crate::types::UserId;

/// Bytes between the brackets of a mention: a name is shorter, with all its signs escaped.
const MAX_LABEL: usize = 800;

/// A mention of more than one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Everyone {
    /// Those who are online.
    Here,
    /// All members of the room.
    Room,
}

impl Everyone {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Here => "@here",
            Self::Room => "@room",
        }
    }
}

/// A mention of one person in Markdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mention<'a> {
    pub(super) user: UserId,
    /// What stands between the brackets, with its backslashes.
    pub(super) label: &'a str,
    pub(super) source: &'a str,
}

/// The mention at the start of a text. Any sign may stand in the name, escaped or not: it ends at the first `](user:ID)`.
pub(super) fn at(text: &str) -> Option<Mention<'_>> {
    let label = text.strip_prefix("@[")?;
    let bytes = &label.as_bytes()[..label.len().min(MAX_LABEL)];
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'\n' => return None,
            b'\\' => place += 1,
            b'@' if bytes.get(place + 1) == Some(&b'[') => return None,
            b']' => {
                if let Some((user, length)) = target_at(&label[place..]) {
                    let source = &text[..2 + place + length];
                    return Some(Mention { user, label: &label[..place], source });
                }
            }
            _ => {}
        }
        place += 1;
    }
    None
}

/// The user of `](user:5)` at the start of a text, and its length.
fn target_at(text: &str) -> Option<(UserId, usize)> {
    let rest = text.strip_prefix("](user:")?;
    let digits = rest.bytes().take(20).take_while(u8::is_ascii_digit).count();
    let id = rest[..digits].parse().ok()?;
    rest[digits..].starts_with(')').then_some((UserId(id), text.len() - rest.len() + digits + 1))
}

/// A label without the backslashes that escape its signs.
pub(super) fn unescaped(label: &str) -> Cow<'_, str> {
    if !label.contains('\\') {
        return Cow::Borrowed(label);
    }
    let mut text = String::with_capacity(label.len());
    let mut chars = label.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => text.extend(chars.next()),
            _ => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// The mention of everyone at `place` of a text, if it is a word of its own. In scripts without spaces between words it
/// always is.
pub(super) fn everyone_at(text: &str, place: usize) -> Option<Everyone> {
    let found = [Everyone::Here, Everyone::Room]
        .into_iter()
        .find(|everyone| text[place..].starts_with(everyone.word()))?;
    let before = text[..place].chars().next_back();
    let after = text[place + found.word().len()..].chars().next();
    let joins = |c: char| is_latin(c) || c.is_ascii_digit() || matches!(c, '_' | '@' | '/');
    let is_word =
        !before.is_some_and(|c| joins(c) || matches!(c, '.' | '-' | '+')) && !after.is_some_and(joins);
    is_word.then_some(found)
}

/// Whether it is a letter that an English word could go on with.
fn is_latin(c: char) -> bool {
    is_of_word(c) && (c < '\u{250}' || ('\u{1E00}'..'\u{1F00}').contains(&c))
}
