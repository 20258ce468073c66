//! JSON that clients send. It may have halves of characters: programs that cut a text cut emoji in two, and write the half
//! that is left as `\ud83d` (RFC 8259, section 8.2). Each becomes U+FFFD, as in browsers.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Parses JSON. What is valid is parsed once; the halves are looked for when that fails.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|error| match without_halves(bytes) {
        Cow::Owned(mended) => serde_json::from_slice(&mended),
        Cow::Borrowed(_) => Err(error),
    })
}

/// The code unit of a `\u` escape at the start.
fn escape(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Replaces escapes of surrogates that are not in pairs. Owned if there are any.
fn without_halves(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Option<Vec<u8>> = None;
    let mut written = 0;
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[from..]) {
        let place = from + found;
        let is_low = |unit: u16| (0xDC00..0xE000).contains(&unit);
        from = match escape(&bytes[place..]) {
            Some(0xD800..0xDC00) if escape(&bytes[place + 6..]).is_some_and(is_low) => place + 12,
            Some(0xD800..0xE000) => {
                let out = out.get_or_insert_with(|| Vec::with_capacity(bytes.len()));
                out.extend_from_slice(&bytes[written..place]);
                out.extend_from_slice(b"\\ufffd");
                written = place + 6;
                written
            }
            Some(_) => place + 6,
            // Any other escape has two characters.
            None => (place + 2).min(bytes.len()),
        };
    }
    match out {
        Some(mut out) => {
            out.extend_from_slice(&bytes[written..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Option<String> {
        parse_json(json.as_bytes()).ok()
    }

    #[test]
    fn halves_of_characters_become_replacement_characters() {
        for (json, text) in [
            (r#""a\ud83d""#, "a\u{FFFD}"),
            (r#""\uDE80b""#, "\u{FFFD}b"),
            (r#""\ud83d\ud83d\ude80""#, "\u{FFFD}🚀"),
            (r#""\ude80\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (r#""\ud83d\n""#, "\u{FFFD}\n"),
            (r#""\ud83dx\u0041""#, "\u{FFFD}xA"),
            (r#""\ud83d\u0041""#, "\u{FFFD}A"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{FFFD}"),
            (r#""\ud83d\ude80""#, "🚀"),
        ] {
            assert_eq!(parsed(json).as_deref(), Some(text), "{json}");
        }
        assert_eq!(parsed("\u{FEFF}\"x\"").as_deref(), Some("x"));
        for wrong in [r#""\ud83"#, r#""\ud83d"#, r#""\ud83z""#, r#"\ud83d"#, "\"\\", "", "\\"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_has_no_halves_is_left_as_it_is() {
        for text in [r#""\ud83d\ude80 \\ud83d \" \u00e9""#, "", "\\", "\\u", "\\ud8"] {
            assert!(matches!(without_halves(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
    }
}
