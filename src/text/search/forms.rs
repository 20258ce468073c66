//! Other forms of a word, besides its stems: spellings, and the parts of names in code.

use std::ops::Range;

use super::{
    fold::{self, Class},
    words::{MAX_JOINED, MAX_TOKEN, cut},
};

/// Calls back with other spellings of a word: ü as ue, the singular of Portuguese plurals, and without the articles and prepositions that Arabic and Hebrew
/// write as one with it.
pub(super) fn each_spelling(source: &str, folded: &str, mut each: impl FnMut(&str)) {
    let lower = fold::lower(source);
    if lower.contains(['ä', 'ö', 'ü', 'å', 'ø']) {
        let mut spelled = String::with_capacity(lower.len() + 4);
        for c in lower.chars() {
            match c {
                'ä' => spelled.push_str("ae"),
                'ö' | 'ø' => spelled.push_str("oe"),
                'ü' => spelled.push_str("ue"),
                'å' => spelled.push_str("aa"),
                _ => fold::fold(c, &mut spelled),
            }
        }
        each(cut(&spelled));
    }
    // Portuguese plurals, which its stemmer leaves as they are.
    for plural in ["ões", "ães", "ãos"] {
        if lower.ends_with(plural) && folded.len() > 4 {
            each(cut(&[&folded[..folded.len() - 3], "ao"].concat()));
        }
    }
    let first = folded.chars().next();
    let prefixes: &[&str] = match first {
        Some('\u{5D0}'..='\u{5EA}') => {
            &["וה", "וב", "ול", "ומ", "שה", "מה", "ה", "ו", "ב", "ל", "מ", "ש", "כ"]
        }
        Some('\u{620}'..='\u{64A}') => &["وال", "بال", "فال", "كال", "ال", "لل", "و", "ب", "ل"],
        _ => &[],
    };
    for prefix in prefixes {
        if let Some(rest) = folded.strip_prefix(prefix)
            && rest.chars().count() > 2
        {
            each(cut(rest));
        }
    }
}

/// Calls back with the parts of a word in camel case or of letters and digits, and with what is at its end: of
/// `getUserName` they are `get`, `user`, `name` and `username`.
pub(super) fn each_part(source: &str, token: &mut String, mut each: impl FnMut(&str, Range<usize>)) {
    let bytes = source.as_bytes();
    if bytes.iter().all(u8::is_ascii_lowercase) {
        return;
    }
    // Most words have none: capitals after a small letter, small letters after two capitals, digits beside letters.
    let has_parts = !source.is_ascii()
        || bytes.windows(2).any(|two| {
            two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()
                || two[0].is_ascii_digit() != two[1].is_ascii_digit()
        })
        || bytes
            .windows(3)
            .any(|three| three[..2].iter().all(u8::is_ascii_uppercase) && three[2].is_ascii_lowercase());
    if !has_parts || bytes.len() > MAX_TOKEN {
        return;
    }
    let mut starts = vec![0];
    let mut last: Option<char> = None;
    let mut chars = source.char_indices().peekable();
    while let Some((place, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let begins = last.is_some_and(|last| {
            last.is_lowercase() && c.is_uppercase()
                || last.is_uppercase() && c.is_uppercase() && next.is_some_and(char::is_lowercase)
                || last.is_numeric() != c.is_numeric() && c.is_alphanumeric() && last.is_alphanumeric()
        });
        if begins {
            starts.push(place);
        }
        last = Some(c);
    }
    if !(2..=MAX_JOINED).contains(&starts.len()) {
        return;
    }
    starts.push(source.len());
    for (part, two) in starts.windows(2).enumerate() {
        let is_number = source[two[0]..].starts_with(char::is_numeric);
        if source[two[0]..two[1]].chars().nth(1).is_some() || is_number {
            fold_part(&source[two[0]..two[1]], token);
            each(cut(token), two[0]..two[1]);
        }
        if part > 0 && part + 2 < starts.len() {
            fold_part(&source[two[0]..], token);
            each(cut(token), two[0]..source.len());
        }
    }
}

fn fold_part(source: &str, folded: &mut String) {
    folded.clear();
    for c in source.chars() {
        match fold::class(c) {
            Class::Mark => fold::mark(c, folded),
            Class::Separator | Class::Nothing | Class::Joiner => {}
            _ => fold::fold(c, folded),
        }
    }
}
