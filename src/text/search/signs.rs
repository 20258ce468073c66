//! Strings whose signs are a part of what they say: `C++`, `#123`, `v1.2.3`, `foo_bar`, `node.js`, `src/main.rs`.

use std::ops::Range;

use super::fold;

/// Bytes of a string with signs at most; of longer ones (addresses) only the parts are found.
const MAX_BYTES: usize = 64;

/// Signs that may begin a string, and signs that may end it.
const LEADING: &str = "#@$./~-+";
const TRAILING: &str = "+#%";

/// Calls back with a chunk as a whole, if it has signs, and with its parts that have some; folded, in ASCII's signs. Of a
/// version the number alone is one too.
pub(super) fn each(
    text: &str,
    range: Range<usize>,
    token: &mut String,
    mut each: impl FnMut(&str, Range<usize>),
) {
    let chunk = &text[range.clone()];
    if chunk.bytes().all(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
        return;
    }
    let mut found = |part: Range<usize>, token: &mut String| {
        let Some(core) = trimmed(text, part) else { return };
        if core.len() > MAX_BYTES || !has_signs(&text[core.clone()]) {
            return;
        }
        folded(&text[core.clone()], token);
        each(token, core.clone());
        if let Some(number) = number_of(token) {
            let number = token[token.len() - number.len()..].to_owned();
            each(&number, core);
        }
    };
    found(range.clone(), token);
    if !chunk.contains(['/', '\\', ':', '@', '=']) {
        return;
    }
    let mut start = range.start;
    for (place, sign) in chunk.match_indices(['/', '\\', ':', '@', '=']) {
        found(start..range.start + place, token);
        start = range.start + place + sign.len();
    }
    // The last part of an address of a person would be that of a server, which the loop has found.
    found(start..range.end, token);
}

/// The folded string with signs that a query's word is, if it is one.
pub(super) fn of(word: &str) -> Option<String> {
    let core = trimmed(word, 0..word.len())?;
    let core = &word[core];
    if core.len() > MAX_BYTES || !has_signs(core) {
        return None;
    }
    let mut token = String::new();
    folded(core, &mut token);
    Some(token)
}

/// The number of a version: `1.2.3` of `v1.2.3`.
pub(super) fn number_of(token: &str) -> Option<&str> {
    let number = token.strip_prefix('v')?;
    (number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.')).then_some(number)
}

/// Without the punctuation around it. None without a letter or digit.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = &text[range.clone()];
    let first = part.find(is_word)?;
    let kept = part[..first].trim_start_matches(|c| !LEADING.contains(c));
    let start = range.start + first - kept.len();
    let (last, c) = part.char_indices().rev().find(|(_, c)| is_word(*c))?;
    let last = last + c.len_utf8();
    let signs = part[last..].find(|c| !TRAILING.contains(c)).unwrap_or(part.len() - last);
    Some(start..range.start + last + signs)
}

fn is_word(c: char) -> bool {
    !matches!(fold::class(c), fold::Class::Separator | fold::Class::Nothing | fold::Class::Joiner)
}

/// Whether there are signs besides hyphens and apostrophes between letters.
fn has_signs(core: &str) -> bool {
    core.char_indices().any(|(place, c)| {
        c.is_ascii_punctuation() && !(matches!(c, '-' | '\'') && place > 0 && place + 1 < core.len())
    })
}

fn folded(core: &str, token: &mut String) {
    token.clear();
    for c in core.chars() {
        match fold::class(c) {
            fold::Class::Separator if c.is_ascii_punctuation() => token.push(c),
            fold::Class::Separator | fold::Class::Nothing | fold::Class::Joiner => {}
            fold::Class::Mark => fold::mark(c, token),
            fold::Class::Symbol => token.push(c),
            _ => fold::fold(c, token),
        }
    }
}
