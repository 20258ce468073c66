//! Addresses: which schemes links may have, and where bare addresses are in a text.

/// The only schemes that a link may have.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// Whether a link may have this address.
pub(super) fn is_allowed(address: &str) -> bool {
    SCHEMES.iter().any(|scheme| starts_with(address, scheme) && address.len() > scheme.len())
}

/// The end of the bare address that starts at `place` of a text, if one does.
pub(super) fn bare_at(text: &str, place: usize) -> Option<usize> {
    let rest = &text[place..];
    let prefix = ["https://", "http://", "www."].into_iter().find(|prefix| starts_with(rest, prefix))?;
    if text[..place].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | '@')) {
        return None;
    }
    // Checked before the search for the end, so that a text of many schemes without hosts takes linear time.
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

/// Cuts off the sentence's punctuation, and closing brackets that were opened before the address.
fn without_tail(address: &str) -> &str {
    let mut address = address;
    // Counted once, so that many brackets take linear time.
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
