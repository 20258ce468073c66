//! Escaping in the same form as the sanitiser's, so that it leaves escaped text unchanged.

/// Appends text as HTML, but not for attributes: quotes are not escaped.
pub(super) fn text(html: &mut String, text: &str) {
    let mut rest = text;
    while let Some(place) = rest.find(['&', '<', '>', '\u{A0}']) {
        html.push_str(&rest[..place]);
        let special = rest[place..].chars().next().unwrap_or_default();
        html.push_str(match special {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "&nbsp;",
        });
        rest = &rest[place + special.len_utf8()..];
    }
    html.push_str(rest);
}

/// Appends an address as the value of an attribute in double quotes.
pub(super) fn address(html: &mut String, address: &str) {
    for c in address.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("%22"),
            '<' => html.push_str("%3C"),
            '>' => html.push_str("%3E"),
            ' ' => html.push_str("%20"),
            // Parsers of addresses skip tabs and line ends, so "java\nscript:" could hide here; no address needs them.
            _ if c.is_control() => {}
            _ => html.push(c),
        }
    }
}

/// NUL, which is removed from messages: SQLite's functions end at it.
pub(super) fn is_foreign(c: char) -> bool {
    c == '\0'
}
