//! Within a paragraph: marks, code, links and what a chat has besides.

use super::{Dialect, MAX_DEPTH, is_address, push_text};
use crate::text::Inline;

/// Bytes of a link's label, and of an address.
const MAX_LABEL: usize = 2 << 10;
const MAX_ADDRESS: usize = 4 << 10;

/// Signs in a text that could begin a link and do not. Further ones are not looked at, since each look may be long.
const MAX_FAILED: usize = 200;

pub(super) fn inlines(text: &str, dialect: &mut dyn Dialect, depth: usize) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut at = 0;
    // What has no end from some place on has none from a later place.
    let mut unclosed = vec![false; dialect.rules().marks.len()];
    let mut unclosed_code: Vec<usize> = Vec::new();
    let mut failed = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back();
        if let Some((found, length)) = dialect.token(before, rest).filter(|(_, length)| *length > 0) {
            found.into_iter().for_each(|inline| push(&mut out, inline));
            at += length;
            continue;
        }
        match c {
            '\n' => {
                out.push(Inline::Break);
                at += 1;
                continue;
            }
            '\\' if rest[1..].starts_with(|c: char| c.is_ascii_punctuation()) => {
                push_text(&mut out, &rest[1..2]);
                at += 2;
                continue;
            }
            '`' => {
                let run = run(rest, '`');
                let end = (!unclosed_code.contains(&run)).then(|| code_end(rest, run)).flatten();
                match end {
                    Some(end) => {
                        let code = rest[run..end].replace('\n', " ");
                        out.push(Inline::Code(unpadded(&code).to_owned()));
                        at += end + run;
                    }
                    None => {
                        unclosed_code.push(run);
                        push_text(&mut out, &rest[..run]);
                        at += run;
                    }
                }
                continue;
            }
            'h' if failed < MAX_FAILED && !before.is_some_and(char::is_alphanumeric) => {
                if let Some(address) = bare(rest) {
                    let label = vec![Inline::Text(address.to_owned())];
                    match dialect.link("", address) {
                        Some(found) => found.into_iter().for_each(|inline| push(&mut out, inline)),
                        None => out.push(Inline::Link { address: address.to_owned(), label }),
                    }
                    at += address.len();
                    continue;
                }
                failed += usize::from(rest.starts_with("http"));
            }
            '<' if failed < MAX_FAILED => {
                let inner =
                    rest[1..rest.floor_char_boundary(MAX_ADDRESS)].split_once('>').map(|(inner, _)| inner);
                if let Some(address) = inner.filter(|it| is_address(it) && !it.contains(char::is_whitespace))
                {
                    let label = vec![Inline::Text(address.trim_start_matches("mailto:").to_owned())];
                    out.push(Inline::Link { address: address.to_owned(), label });
                    at += address.len() + 2;
                    continue;
                }
                failed += 1;
            }
            '[' if failed < MAX_FAILED => {
                if let Some((label, address, length)) = labelled(rest) {
                    let found = match dialect.link(label, address) {
                        Some(found) => found,
                        None if is_address(address) && depth < MAX_DEPTH => {
                            let label = match label.trim() {
                                "" => vec![Inline::Text(address.to_owned())],
                                label => inlines(label, dialect, depth + 1),
                            };
                            vec![Inline::Link { address: address.to_owned(), label }]
                        }
                        None => vec![Inline::Text(rest[..length].to_owned())],
                    };
                    found.into_iter().for_each(|inline| push(&mut out, inline));
                    at += length;
                    continue;
                }
                failed += 1;
            }
            _ => {}
        }
        let marks = dialect.rules().marks;
        let mark = marks.iter().position(|(mark, _)| rest.starts_with(mark));
        if let Some(place) = mark
            && depth < MAX_DEPTH
            && !unclosed[place]
            && opens(before, rest, marks[place].0)
        {
            let (mark, style) = marks[place];
            match mark_end(rest, mark) {
                Some(end) => {
                    let inner = inlines(&rest[mark.len()..end], dialect, depth + 1);
                    out.push(style.of(inner));
                    at += end + mark.len();
                    continue;
                }
                None => unclosed[place] = true,
            }
        }
        let length = match mark {
            Some(place) => marks[place].0.len(),
            None => c.len_utf8(),
        };
        push_text(&mut out, &rest[..length]);
        at += length;
    }
    out
}

/// Appends an element; texts join.
fn push(out: &mut Vec<Inline>, inline: Inline) {
    match inline {
        Inline::Text(text) => push_text(out, &text),
        inline => out.push(inline),
    }
}

fn run(text: &str, sign: char) -> usize {
    text.len() - text.trim_start_matches(sign).len()
}

/// Where a run of exactly so many backticks stands behind the first one.
fn code_end(text: &str, length: usize) -> Option<usize> {
    let mut from = length;
    while let Some(place) = text[from..].find('`').map(|place| from + place) {
        let found = run(&text[place..], '`');
        if found == length && place > length {
            return Some(place);
        }
        from = place + found;
    }
    None
}

fn unpadded(code: &str) -> &str {
    match code.strip_prefix(' ').and_then(|code| code.strip_suffix(' ')) {
        Some(inner) if !inner.trim().is_empty() => inner,
        _ => code,
    }
}

/// Whether a mark may begin something: not before a blank, and within a word only where no underscore marks it.
fn opens(before: Option<char>, text: &str, mark: &str) -> bool {
    let after = text[mark.len()..].chars().next();
    let in_word = mark.starts_with('_') && before.is_some_and(char::is_alphanumeric);
    after.is_some_and(|c| !c.is_whitespace()) && !in_word
}

/// Where the mark that begins a text ends.
fn mark_end(text: &str, mark: &str) -> Option<usize> {
    let sign = mark.chars().next()?;
    let mut from = mark.len();
    let mut has_code = true;
    while let Some(place) = text[from..].find([sign, '`', '\\']).map(|place| from + place) {
        let c = text[place..].chars().next()?;
        if c == '\\' {
            let next = text[place + 1..].chars().next().map_or(0, char::len_utf8);
            from = place + 1 + next;
            continue;
        }
        let length = run(&text[place..], c);
        from = place + length;
        if c == '`' {
            // Marks within code are none.
            match has_code.then(|| code_end(&text[place..], length)).flatten() {
                Some(end) => from = place + end + length,
                None => has_code = false,
            }
            continue;
        }
        // Of a run that ends two marks, the last signs are the outer's.
        let fits = length == mark.len() || length == 3 && mark.len() < 3;
        let end = place + length - mark.len().min(length);
        let is_blank_before = text[..place].ends_with(char::is_whitespace);
        let in_word = sign == '_' && text[from..].starts_with(char::is_alphanumeric);
        let is_empty = text.get(mark.len()..end).is_none_or(|inner| inner.trim().is_empty());
        if fits && !is_blank_before && !in_word && !is_empty {
            return Some(end);
        }
    }
    None
}

/// The bare address that begins a text, without the punctuation behind it.
fn bare(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let window = &text[..text.floor_char_boundary(MAX_ADDRESS + 1)];
    let end = window
        .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '|'))
        .unwrap_or(window.len());
    let mut address = &window[..end];
    loop {
        let trimmed = address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
        let trimmed = match trimmed.strip_suffix(')') {
            Some(inner) if inner.matches(')').count() >= inner.matches('(').count() => inner,
            _ => trimmed,
        };
        if trimmed.len() == address.len() {
            break;
        }
        address = trimmed;
    }
    (address.len() > scheme.len() && address.len() <= MAX_ADDRESS).then_some(address)
}

/// `[label](address)` at the start of a text, and its length.
fn labelled(text: &str) -> Option<(&str, &str, usize)> {
    let window = &text[..text.floor_char_boundary(MAX_LABEL)];
    let mut open = 0;
    let end = window.char_indices().find_map(|(place, c)| {
        match c {
            '[' => open += 1,
            ']' => open -= 1,
            _ => {}
        }
        (open == 0).then_some(place)
    })?;
    let inner = text[end + 1..].strip_prefix('(')?;
    let inner = &inner[..inner.floor_char_boundary(MAX_ADDRESS)];
    let mut open = 1;
    let close = inner.char_indices().find_map(|(place, c)| {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            '\n' => open = -1,
            _ => {}
        }
        (open <= 0).then_some(place)
    })?;
    if !inner[close..].starts_with(')') {
        return None;
    }
    let address = inner[..close].trim();
    let address = match address.strip_prefix('<').and_then(|it| it.strip_suffix('>')) {
        Some(address) => address,
        // A title may follow.
        None => address.split_once(char::is_whitespace).map_or(address, |(address, _)| address),
    };
    Some((&text[1..end], address, end + 2 + close + 1))
}
