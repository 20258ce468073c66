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

/// Appends text as the value of an attribute in double quotes.
pub(super) fn attribute(html: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '\u{A0}' => html.push_str("&nbsp;"),
            _ if c.is_control() => html.push(' '),
            _ => html.push(c),
        }
    }
}

/// Characters that are removed from messages: NUL, at which SQLite's functions end, and Unicode's noncharacters, which are for
/// use within a program: the renderer uses them.
pub(super) fn is_foreign(c: char) -> bool {
    c == '\0' || ('\u{FDD0}'..='\u{FDEF}').contains(&c)
}

/// The length of the entity at the start of a text, if it spells one of those.
pub(super) fn foreign_entity(text: &str) -> Option<usize> {
    let number = text.strip_prefix("&#")?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let length = digits.bytes().take(8).take_while(u8::is_ascii_hexdigit).count();
    let c = char::from_u32(u32::from_str_radix(&digits[..length], radix).ok()?)?;
    (is_foreign(c) && digits[length..].starts_with(';')).then_some(text.len() - digits.len() + length + 1)
}
