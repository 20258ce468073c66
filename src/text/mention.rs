//! Mentions: `@[Name](user:5)`, `@here` and `@room`.

use crate::types::UserId;

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

/// The user that a link's address (`user:5`) refers to.
pub(super) fn user_of(address: &str) -> Option<UserId> {
    let digits = address.strip_prefix("user:")?;
    // `parse` would take a plus sign as well.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok().map(UserId)).flatten()
}

/// The mention of everyone at `place` of a text, if it is a word of its own.
pub(super) fn everyone_at(text: &str, place: usize) -> Option<Everyone> {
    let found = [Everyone::Here, Everyone::Room]
        .into_iter()
        .find(|everyone| text[place..].starts_with(everyone.word()))?;
    let before = text[..place].chars().next_back();
    let after = text[place + found.word().len()..].chars().next();
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '/');
    let is_word =
        !before.is_some_and(|c| joins(c) || matches!(c, '.' | '-' | '+')) && !after.is_some_and(joins);
    is_word.then_some(found)
}
