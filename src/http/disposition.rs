//! Parameters of `Content-Disposition` in multipart bodies, as clients write them.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::text;

/// What stays as it is where a whole name is percent-encoded: the unreserved characters (RFC 3986, section 2.3).
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The name of a field.
pub(super) fn name(disposition: &str) -> Option<String> {
    parameter(disposition, "name").map(|name| browsers(&name))
}

/// The name of a file. Its forms, of which the first that is there counts: `filename*` with a charset (RFC 8187), encoded
/// words (RFC 2047), the whole name percent-encoded, and what browsers write.
pub(super) fn filename(disposition: &str) -> Option<String> {
    if let Some(name) = parameter(disposition, "filename*").and_then(|value| extended(&value)) {
        return Some(name);
    }
    let name = parameter(disposition, "filename")?;
    Some(encoded_words(&name).or_else(|| percent_encoded(&name)).unwrap_or_else(|| browsers(&name)))
}

/// A parameter, in quotes or not.
fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    let (_, mut rest) = disposition.split_once(';')?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = end_of_quotes(quoted);
                (&quoted[..end], quoted.get(end + 1..).unwrap_or_default())
            }
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted) {
            return Some(value.trim().replace("\\\"", "\""));
        }
        rest = next;
    }
}

/// Where the quote is that ends a text; its end if there is none. Names of Windows have backslashes that escape nothing, so
/// only `\"` is an escape.
fn end_of_quotes(text: &str) -> usize {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .find(|&at| bytes[at] == b'"' && (at == 0 || bytes[at - 1] != b'\\'))
        .unwrap_or(text.len())
}

/// Browsers write a quote and line breaks in percent-encoding, and nothing else (HTML, "multipart/form-data encoding
/// algorithm").
fn browsers(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// `UTF-8'en'gr%C3%BC%C3%9Fe`.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    decoded(&bytes, charset)
}

fn decoded(bytes: &[u8], charset: &str) -> Option<String> {
    text::decoded_as(bytes, charset).ok().map(|(text, _)| text)
}

/// A name of nothing but encoded words, as .NET writes it: `=?utf-8?B?Z3LDvMOfZQ==?=`. White space between words does not
/// count.
fn encoded_words(name: &str) -> Option<String> {
    let words: Option<Vec<String>> = name.split_whitespace().map(encoded_word).collect();
    words.filter(|words| !words.is_empty()).map(|words| words.concat())
}

fn encoded_word(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let mut parts = inner.splitn(3, '?');
    let (charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(text).ok()?,
        // The Q encoding is percent-encoding with another sign.
        "Q" | "q" => {
            percent_decode_str(&text.replace('_', " ").replace('%', "=25").replace('=', "%")).collect()
        }
        _ => return None,
    };
    decoded(&bytes, charset)
}

/// The name, if all of it is percent-encoded, as aiohttp writes it: encoding it again gives the same. A browser's
/// `100%41.txt` is none.
fn percent_encoded(name: &str) -> Option<String> {
    let decoded = name.contains('%').then(|| percent_decode_str(name).decode_utf8().ok()).flatten()?;
    let again = utf8_percent_encode(&decoded, &ENCODED).to_string();
    again.eq_ignore_ascii_case(name).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filename_of(parameters: &str) -> Option<String> {
        filename(&format!("form-data; {parameters}"))
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (parameters, expected) in [
            (r#"name="f"; filename="C:\temp\a.txt""#, Some(r"C:\temp\a.txt")),
            (r#"name="filename"; FileName="a\"b;c=.txt""#, Some("a\"b;c=.txt")),
            ("name=f;filename=a.txt; x=y", Some("a.txt")),
            (r#"name="a%22%0D%0A%41""#, None),
            ("filename=\"open", Some("open")),
            // Browsers, curl, undici.
            (r#"filename="a%22b%0D%0Ac d.txt""#, Some("a\"b\r\nc d.txt")),
            (r#"filename="100%41 of it.txt""#, Some("100%41 of it.txt")),
            (r#"filename="100%41.txt""#, Some("100%41.txt")),
            (r#"filename="50% off.txt""#, Some("50% off.txt")),
            (r#"filename="grüße 🚀.txt""#, Some("grüße 🚀.txt")),
            // aiohttp.
            (r#"filename="gr%C3%BC%C3%9Fe%20%F0%9F%9A%80.txt""#, Some("grüße 🚀.txt")),
            (r#"filename="a%22b.txt""#, Some("a\"b.txt")),
            (r#"filename="100%25%2041.txt""#, Some("100% 41.txt")),
            (r#"filename="a%FFb.txt""#, Some("a%FFb.txt")),
            // RFC 8187, alone and beside.
            ("filename*=UTF-8''gr%C3%BC%C3%9Fe%20x.txt", Some("grüße x.txt")),
            ("filename*=utf-8'de'gr%c3%bc%c3%9fe.txt", Some("grüße.txt")),
            ("filename*=ISO-8859-1''gr%FC%DFe.txt", Some("grüße.txt")),
            (r#"filename="gr__e.txt"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt"#, Some("grüße.txt")),
            (r#"filename*=UTF-8''gr%C3%BC%C3%9Fe.txt; filename="gr__e.txt""#, Some("grüße.txt")),
            (r#"filename*=klingon''x; filename="a.txt""#, Some("a.txt")),
            (r#"filename*=nonsense; filename="a.txt""#, Some("a.txt")),
            // RFC 2047.
            (r#"filename="=?utf-8?B?Z3LDvMOfZS50eHQ=?=""#, Some("grüße.txt")),
            (r#"filename="=?iso-8859-1?Q?gr=FC=DFe_x.txt?=""#, Some("grüße x.txt")),
            (r#"filename="=?utf-8?Q?gr=C3=BC?= =?utf-8?Q?=C3=9Fe.txt?=""#, Some("grüße.txt")),
            (r#"filename="=?utf-8?X?abc?=""#, Some("=?utf-8?X?abc?=")),
            (r#"filename="a =?utf-8?B?eA==?=""#, Some("a =?utf-8?B?eA==?=")),
        ] {
            assert_eq!(filename_of(parameters).as_deref(), expected, "{parameters}");
        }
        assert_eq!(name(r#"form-data; name="a%22%0D%0A%41""#).as_deref(), Some("a\"\r\n%41"));
    }
}
