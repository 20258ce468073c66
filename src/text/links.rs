//! Addresses: which schemes links may have, and where bare addresses are in a text.
//!
//! They end where linkify-it ends them, in all scripts, but for what Markdown needs: a backtick and a `|` end them too, and
//! the callers cut marks of emphasis off.

use std::net::Ipv6Addr;

use super::chars::{is_gap, is_of_word, is_punctuation};

/// The only schemes that a link may have.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

#[cfg(test)]
thread_local! {
    /// Whether links may have any address, as in the suites of Markdown, which are full of relative ones.
    pub(super) static ANY_ADDRESS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Labels of a host, and characters of a label.
const MAX_LABELS: usize = 11;
const MAX_LABEL: usize = 63;

/// Characters in the name of a mail address, in the user information of an address, between quotes, and between brackets; and brackets within
/// brackets. They bound the time that a search takes.
const MAX_MAIL_NAME: usize = 64;
const MAX_USER: usize = 50;
const MAX_QUOTED: usize = 100;
const MAX_BRACKETED: usize = 1_000;
const MAX_BRACKETS: usize = 4;

/// Whether a link may have this address.
pub(super) fn is_allowed(address: &str) -> bool {
    #[cfg(test)]
    if ANY_ADDRESS.get() {
        return true;
    }
    has_scheme(address) || is_inner(address)
}

/// Whether an address leads to a room of this server, or to a message in one: `/rooms/5/@7`.
pub(super) fn is_inner(address: &str) -> bool {
    let is_id = |text: &str| (1..20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = address.strip_prefix("/rooms/") else { return false };
    match rest.split_once("/@") {
        Some((room, message)) => is_id(room) && is_id(message),
        None => is_id(rest),
    }
}

/// Whether an address has one of those schemes.
pub(super) fn has_scheme(address: &str) -> bool {
    SCHEMES.iter().any(|scheme| starts_with(address, scheme) && address.len() > scheme.len())
}

/// The end of the bare address that starts at `place` of a text, if one does: `https://…`, `http://…`, `www.…`, `mailto:…`.
pub(super) fn bare_at(text: &str, place: usize) -> Option<usize> {
    let rest = &text[place..];
    let prefix =
        ["https://", "http://", "www.", "mailto:"].into_iter().find(|prefix| starts_with(rest, prefix))?;
    // In some scripts no space stands before it, but letters and digits of ASCII could begin another scheme.
    let before = text.as_bytes()[..place].last().copied().unwrap_or(b' ');
    if before.is_ascii_alphanumeric() || prefix == "www." && b"./-@:".contains(&before) {
        return None;
    }
    let after = &rest[prefix.len()..];
    let length = match prefix {
        "mailto:" => {
            let name = after.find(|c: char| !is_of_mail_name(c))?;
            let host = after[name..].strip_prefix('@').filter(|_| (1..=MAX_MAIL_NAME).contains(&name))?;
            name + 1 + host_end(host, 1..=MAX_LABELS)?
        }
        "www." => {
            let host = host_end(after, 2..=MAX_LABELS).map(|host| host + port_end(&after[host..]))?;
            ends_host(&after[host..]).then(|| host + path_end(&after[host..]))?
        }
        _ => {
            let user = user_end(after);
            let with_user = (user > 0).then(|| Some(user + web_end(&after[user..])?)).flatten();
            with_user.or_else(|| web_end(after))?
        }
    };
    Some(place + prefix.len() + length)
}

/// The end of the host, port and path at the start of a text.
fn web_end(text: &str) -> Option<usize> {
    let end = ipv6_end(text).or_else(|| host_end(text, 1..=MAX_LABELS))?;
    let end = end + port_end(&text[end..]);
    ends_host(&text[end..]).then(|| end + path_end(&text[end..]))
}

/// The mail address around the `@` at `place`, from `floor` on, if there is one.
pub(super) fn mail_at(text: &str, floor: usize, place: usize) -> Option<(usize, usize)> {
    let name = text.as_bytes()[floor..place].iter().rev().take(MAX_MAIL_NAME + 1);
    let length = name.take_while(|byte| is_of_mail_name(char::from(**byte))).count();
    if length > MAX_MAIL_NAME {
        return None;
    }
    // Quotes and marks of emphasis may stand before a name, and no more than one dot may stand within.
    let name = &text[place - length..place];
    let name = name.trim_start_matches(['.', '\'', '_', '~', '&', '{', '}', '=', '/', '?', '#', '!']);
    if name.is_empty() || name.ends_with('.') || name.contains("..") {
        return None;
    }
    let start = place - name.len();
    if text[..start].chars().next_back().is_some_and(|c| is_of_word(c) || c == '@') {
        return None;
    }
    let host = &text[place + 1..];
    let end = host_end(host, 2..=5)?;
    let last = host[..end].rsplit('.').next().unwrap_or_default();
    let rest = &host[end..];
    // `git@github.com:o/r.git` is the address of a repository.
    let goes_on = rest.strip_prefix(':').is_some_and(|after| after.starts_with(|c: char| !is_gap(c)))
        || rest.starts_with('@');
    (ends_host(rest) && !last.contains('-') && !goes_on).then_some((start, place + 1 + end))
}

fn is_of_mail_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-!#$%&'+/=?^_{}~.".contains(c)
}

/// Whether it may stand in the name of a host, in any script. A backtick begins code and a `|` ends a cell.
fn is_of_label(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || !matches!(c, '<' | '>' | '\u{FF5C}' | '`' | '|') && !is_gap(c) && !is_punctuation(c)
}

/// The end of the name of a host at the start of a text.
fn host_end(text: &str, labels: std::ops::RangeInclusive<usize>) -> Option<usize> {
    let mut end = 0;
    let mut count = 0;
    loop {
        let label = label_end(&text[end..])?;
        end += label;
        count += 1;
        let goes_on = text[end..].strip_prefix('.').is_some_and(|rest| rest.starts_with(is_of_label));
        if !goes_on {
            break;
        }
        if count == *labels.end() {
            return None;
        }
        end += 1;
    }
    (count >= *labels.start()).then_some(end)
}

fn label_end(text: &str) -> Option<usize> {
    let mut end = 0;
    for (count, (place, c)) in text.char_indices().enumerate() {
        if !is_of_label(c) && (c != '-' || count == 0) {
            break;
        }
        if count == MAX_LABEL {
            return None;
        }
        end = place + c.len_utf8();
    }
    (end > 0 && !text[..end].ends_with('-')).then_some(end)
}

/// Whether the name of a host may end before this text.
fn ends_host(rest: &str) -> bool {
    let mut chars = rest.chars();
    let Some(first) = chars.next() else { return true };
    let next = chars.next();
    let is_end = |c: Option<char>| c.is_none_or(|c| is_gap(c) || is_punctuation(c));
    match first {
        '-' | '_' => false,
        ':' => !next.is_some_and(|c| c.is_ascii_digit()),
        '.' => next != Some('-') && is_end(next),
        '<' | '>' | '\u{FF5C}' | '`' | '|' => true,
        _ => is_end(Some(first)),
    }
}

fn user_end(text: &str) -> usize {
    for (count, (place, c)) in text.char_indices().enumerate() {
        match c {
            '@' if count > 0 => return place + 1,
            '@' | '/' | '[' | ']' | '(' | ')' | '`' | '|' | '<' | '>' => break,
            _ if is_gap(c) || count == MAX_USER => break,
            _ => {}
        }
    }
    0
}

fn ipv6_end(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('[')?;
    let end = rest.bytes().take(46).position(|byte| byte == b']')?;
    rest[..end].parse::<Ipv6Addr>().ok().map(|_| end + 2)
}

fn port_end(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(':') else { return 0 };
    let digits = rest.bytes().take(6).take_while(u8::is_ascii_digit).count();
    if (1..=5).contains(&digits) && rest[..digits].parse::<u16>().is_ok() { digits + 1 } else { 0 }
}

/// The end of a path, query or fragment at the start of a text.
fn path_end(text: &str) -> usize {
    if !text.starts_with(['/', '?', '#']) {
        return 0;
    }
    let mut end = 1;
    while let Some(length) = path_piece(&text[end..]) {
        end += length;
    }
    if end == 1 && !text.starts_with('/') { 0 } else { end }
}

/// The length of the next piece of a path, if the path goes on. Punctuation goes on only if something follows it.
fn path_piece(text: &str) -> Option<usize> {
    let c = text.chars().next()?;
    let rest = &text[c.len_utf8()..];
    let next = rest.chars().next();
    let is_before = |ends: fn(char) -> bool| next.is_some_and(|next| !is_gap(next) && !ends(next));
    match c {
        '`' | '|' | '<' | '>' | '\u{FF5C}' => None,
        '\\' | '/' | ':' | '%' | '@' | '#' | '&' | '=' | '_' | '~' | '*' | '-' => Some(1),
        '(' => bracketed(text, '(', ')', MAX_BRACKETS),
        '[' => bracketed(text, '[', ']', MAX_BRACKETS),
        '{' => bracketed(text, '{', '}', MAX_BRACKETS),
        '"' => quoted(rest, '"'),
        '\'' => quoted(rest, '\'')
            .or_else(|| next.is_some_and(|next| next == '-' || is_of_label(next)).then_some(1)),
        '.' => {
            let dots = text.bytes().take(20).take_while(|byte| *byte == b'.').count();
            let after = &text[dots..];
            let after = after.strip_prefix(':').unwrap_or(after);
            let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '%' | '/' | '&');
            if dots > 1 && after.starts_with(goes_on) {
                return Some(text.len() - after.len() + 1);
            }
            is_before(|next| next == '.').then_some(1)
        }
        ',' | ';' => is_before(|_| false).then_some(1),
        '?' => is_before(|next| next == '?').then_some(1),
        '!' => {
            let signs = text.bytes().take(20).take_while(|byte| *byte == b'!').count();
            let next = text[signs..].chars().next();
            next.is_some_and(|next| next != '!' && !is_gap(next)).then_some(signs)
        }
        _ => (!is_gap(c) && !is_punctuation(c)).then_some(c.len_utf8()),
    }
}

/// The length of a pair of brackets and what is between them.
fn bracketed(text: &str, open: char, close: char, depth: usize) -> Option<usize> {
    let mut end = open.len_utf8();
    for _ in 0..=MAX_BRACKETED {
        let c = text[end..].chars().next()?;
        if c == close {
            return Some(end + c.len_utf8());
        }
        if c == '`' || is_gap(c) || c == open && depth == 1 {
            return None;
        }
        end += if c == open { bracketed(&text[end..], open, close, depth - 1)? } else { c.len_utf8() };
    }
    None
}

/// The length of a quoted text with its quotes; `text` starts behind the first.
fn quoted(text: &str, quote: char) -> Option<usize> {
    for (count, (place, c)) in text.char_indices().enumerate() {
        if c == quote {
            return (count > 0).then_some(place + 2);
        }
        if c == '`' || is_gap(c) || count == MAX_QUOTED {
            return None;
        }
    }
    None
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}
