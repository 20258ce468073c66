//! Texts in other charsets than UTF-8.

use encoding_rs::{Encoding, UTF_8};

/// The charset that a content type names is not one that browsers know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCharset(pub String);

/// Decodes a body by the charset that its content type names, UTF-8 if it names none; a byte order mark comes first. What is
/// not valid in it is replaced, and then the flag is true.
pub fn decoded(body: &[u8], content_type: &str) -> Result<(String, bool), UnknownCharset> {
    let label = content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map_or("", |(_, value)| value.trim().trim_matches('"').trim());
    decoded_as(body, label)
}

/// The same by the name of a charset; none is UTF-8.
pub fn decoded_as(body: &[u8], label: &str) -> Result<(String, bool), UnknownCharset> {
    let encoding = match label {
        "" => UTF_8,
        _ => Encoding::for_label(label.as_bytes()).ok_or_else(|| UnknownCharset(label.to_owned()))?,
    };
    let (text, _, was_wrong) = encoding.decode(body);
    Ok((text.into_owned(), was_wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_decoded_by_their_charset_and_byte_order_mark() {
        let ok = |text: &str| Ok((text.to_owned(), false));
        assert_eq!(decoded("Grüße".as_bytes(), "text/plain"), ok("Grüße"));
        assert_eq!(decoded(b"Gr\xFC\xDFe", "text/plain; charset=ISO-8859-1"), ok("Grüße"));
        assert_eq!(decoded(b"\x93quoted\x94", "text/plain; Charset=\"latin1\""), ok("“quoted”"));
        assert_eq!(decoded(b"\x93\xFA\x96\x7B", "text/html;charset=Shift_JIS"), ok("日本"));
        assert_eq!(decoded(b"\xEF\xBB\xBFx", "text/plain; charset=latin1"), ok("x"));
        assert_eq!(decoded(b"\xFF\xFEx\0", "text/plain"), ok("x"));
        assert_eq!(decoded(b"\xFC", "text/plain"), Ok(("\u{FFFD}".into(), true)));
        assert_eq!(decoded(b"x", "text/plain; charset=klingon"), Err(UnknownCharset("klingon".into())));
    }
}
