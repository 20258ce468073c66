//! Addresses: which ones may be followed, and where bare ones stand in a text.

/// The only schemes that a link may have.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// Whether a link may lead there.
pub(super) fn is_allowed(address: &str) -> bool {
    SCHEMES.iter().any(|scheme| starts_with(address, scheme) && address.len() > scheme.len())
}

/// Whether a bare address starts at `place` of a text; then where it ends.
pub(super) fn bare_at(text: &str, place: usize) -> Option<usize> {
    let rest = &text[place..];
    let prefix = ["https://", "http://", "www."].into_iter().find(|prefix| starts_with(rest, prefix))?;
    if text[..place].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | '@')) {
        return None;
    }
    // Before the search for the end: a flood of schemes without hosts must not be searched again for each.
    if !rest[prefix.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '[') {
        return None;
    }
    let end = rest
        .find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`'))
        .unwrap_or(rest.len());
    let address = without_tail(&rest[..end]);
    let host = address.get(prefix.len()..)?;
    (prefix != "www." || host.contains('.')).then_some(place + address.len())
}

/// Punctuation at the end belongs to the sentence, and so does a bracket that was opened before the address.
fn without_tail(address: &str) -> &str {
    let mut address = address;
    // Counted once: a flood of brackets must not be counted again for each of them.
    let count = |text: &str, wanted: char| text.chars().filter(|c| *c == wanted).count();
    let mut surplus = [('(', ')'), ('[', ']')]
        .map(|(open, close)| count(address, close).saturating_sub(count(address, open)));
    while let Some(last) = address.chars().next_back() {
        let drops = match last {
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '_' | '~' | '\u{201D}' | '\u{2019}'
            | '\u{2026}' => true,
            ')' | ']' => {
                let surplus = &mut surplus[usize::from(last == ']')];
                let drops = *surplus > 0;
                *surplus -= usize::from(drops);
                drops
            }
            _ => false,
        };
        if !drops {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}
