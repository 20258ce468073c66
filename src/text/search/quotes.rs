//! All the quotes of the world as `"`.

use std::borrow::Cow;

use super::words::is_within_hebrew;

/// Single quotes, which are also apostrophes and feet: only a pair around whole words is quotes.
const OPENING: [char; 5] = ['‘', '‚', '‛', '‹', '›'];
const CLOSING: [char; 4] = ['’', '‘', '›', '‹'];

fn is_double(c: char) -> bool {
    matches!(
        c,
        '"' | '“'
            | '”'
            | '„'
            | '‟'
            | '«'
            | '»'
            | '＂'
            | '「'
            | '」'
            | '『'
            | '』'
            | '｢'
            | '｣'
            | '《'
            | '》'
            | '〈'
            | '〉'
            | '〝'
            | '〞'
            | '〟'
            | '❝'
            | '❞'
            | '⹂'
    )
}

/// What was typed, with each quote as `"`.
pub(super) fn straight(typed: &str) -> Cow<'_, str> {
    if typed.is_ascii() {
        return Cow::Borrowed(typed);
    }
    let mut straight = String::with_capacity(typed.len());
    // Where the single quote ends that is open.
    let mut closing = None;
    for (place, c) in typed.char_indices() {
        let rest = &typed[place + c.len_utf8()..];
        let begins = typed[..place].chars().next_back().is_none_or(char::is_whitespace);
        if closing == Some(place) || is_double(c) && !is_within_hebrew(typed, place, c) {
            straight.push('"');
        } else if begins
            && OPENING.contains(&c)
            && let Some(end) = end_of(rest)
        {
            straight.push('"');
            closing = Some(place + c.len_utf8() + end);
        } else if is_within_hebrew(typed, place, c) {
            // It would begin a phrase.
            straight.push('״');
        } else {
            straight.push(c);
        }
    }
    Cow::Owned(straight)
}

/// Where a closing single quote stands behind a word.
fn end_of(rest: &str) -> Option<usize> {
    rest.char_indices().find_map(|(place, c)| {
        let ends = rest[place + c.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
        (ends && place > 0 && CLOSING.contains(&c)).then_some(place)
    })
}
