//! Telegram Desktop writes what is not JSON: control characters as `\x0B`, and (in 2022) the files of custom emoji without
//! quotes. Both are repaired while the file is read.

use std::{
    cell::Cell,
    io::{self, Read},
};

/// Bytes of a value without quotes.
const MAX_BARE: usize = 4 << 10;

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// Gives JSON that can be read.
pub(super) struct Repaired<'a, R> {
    inner: R,
    state: State,
    /// What was read and not given yet.
    output: Vec<u8>,
    given: usize,
    /// A value without quotes, as far as it was read.
    bare: Vec<u8>,
    repairs: &'a Cell<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of texts.
    Outside,
    /// Behind a colon.
    Value,
    Bare,
    Text,
    /// Behind a backslash in a text.
    Escape,
    /// Behind `\x`.
    Hex,
    /// Behind `\x` and a digit.
    HexOf(u8),
}

impl<'a, R: Read> Repaired<'a, R> {
    /// `repairs` counts them.
    pub(super) fn new(inner: R, repairs: &'a Cell<u64>) -> Self {
        Self { inner, state: State::Outside, output: Vec::new(), given: 0, bare: Vec::new(), repairs }
    }

    fn mend(&mut self) {
        self.repairs.set(self.repairs.get() + 1);
    }

    fn take(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Text, b'\\') => State::Escape,
            (State::Text, b'"') => {
                self.output.push(byte);
                State::Outside
            }
            (State::Text, 0..0x20) => {
                self.mend();
                self.output.extend(format!("\\u{byte:04x}").bytes());
                State::Text
            }
            (State::Text, _) => {
                self.output.push(byte);
                State::Text
            }
            (State::Escape, b'x') => State::Hex,
            (State::Escape, _) => {
                let is_known = b"\"\\/bfnrtu".contains(&byte);
                if !is_known {
                    self.mend();
                }
                self.output.extend(if is_known { &b"\\"[..] } else { b"\\\\" });
                self.state = State::Text;
                return match is_known {
                    true => self.output.push(byte),
                    false => self.take(byte),
                };
            }
            (State::Hex, _) if byte.is_ascii_hexdigit() => State::HexOf(byte),
            (State::HexOf(first), _) if byte.is_ascii_hexdigit() => {
                self.mend();
                self.output.extend(b"\\u00");
                self.output.extend([first, byte]);
                State::Text
            }
            (State::Hex, _) => return self.not_hex(b"", byte),
            (State::HexOf(first), _) => return self.not_hex(&[first], byte),
            (State::Outside | State::Value, b'"') => {
                self.output.push(byte);
                State::Text
            }
            (State::Outside, b':') => {
                self.output.push(byte);
                State::Value
            }
            (State::Value, b' ' | b'\t' | b'\r' | b'\n') => {
                self.output.push(byte);
                State::Value
            }
            (State::Value, b'{' | b'[' | b'-' | b'0'..=b'9') | (State::Outside, _) => {
                self.output.push(byte);
                State::Outside
            }
            (State::Value, _) => {
                self.bare.push(byte);
                State::Bare
            }
            (State::Bare, b'\n') => {
                self.end_bare();
                self.output.push(byte);
                State::Outside
            }
            (State::Bare, b',' | b'}' | b']')
                if [&b"true"[..], b"false", b"null"].contains(&self.bare.trim_ascii()) =>
            {
                self.end_bare();
                self.output.push(byte);
                State::Outside
            }
            (State::Bare, _) => {
                self.bare.push(byte);
                // So long is none of these: it stays as it is, and is an error then.
                match self.bare.len() > MAX_BARE {
                    true => {
                        self.output.append(&mut self.bare);
                        State::Outside
                    }
                    false => State::Bare,
                }
            }
        };
    }

    /// A backslash and an `x` without two digits behind it are these two signs.
    fn not_hex(&mut self, digits: &[u8], byte: u8) {
        self.mend();
        self.output.extend(b"\\\\x");
        self.output.extend(digits);
        self.state = State::Text;
        self.take(byte);
    }

    /// Puts a value that ended with its line between quotes, unless it is one of JSON's words.
    fn end_bare(&mut self) {
        let bare = std::mem::take(&mut self.bare);
        let value = bare.trim_ascii_end();
        let (value, comma) = match value.strip_suffix(b",") {
            Some(value) => (value, &b","[..]),
            None => (value, &b""[..]),
        };
        match value {
            b"true" | b"false" | b"null" => self.output.extend(value),
            _ => {
                self.mend();
                self.output.push(b'"');
                for byte in value {
                    if matches!(byte, b'"' | b'\\') {
                        self.output.push(b'\\');
                    }
                    self.output.push(if *byte < 0x20 { b' ' } else { *byte });
                }
                self.output.push(b'"');
            }
        }
        self.output.extend(comma);
    }
}

impl<R: Read> Read for Repaired<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() {
            self.output.clear();
            self.given = 0;
            let mut piece = [0; PIECE];
            let read = self.inner.read(&mut piece)?;
            if read == 0 {
                if self.bare.is_empty() {
                    return Ok(0);
                }
                self.end_bare();
            }
            piece[..read].iter().for_each(|byte| self.take(*byte));
        }
        let length = buffer.len().min(self.output.len() - self.given);
        buffer[..length].copy_from_slice(&self.output[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(json: &str) -> (String, u64) {
        let repairs = Cell::new(0);
        let mut text = String::new();
        Repaired::new(json.as_bytes(), &repairs).read_to_string(&mut text).unwrap();
        (text, repairs.get())
    }

    #[test]
    fn json_stays_as_it_is() {
        for json in [
            r#"{"a": "b\\x41 \" \u00e4 \n", "c": [true, false,null], "d":-1.5, "e": {"f":null}}"#,
            "{\n \"a\": true,\n \"b\": null\n}",
            r#"["x: y", {"http://": "\\\\"}]"#,
        ] {
            assert_eq!(repaired(json), (json.to_owned(), 0));
        }
    }

    #[test]
    fn control_characters_are_repaired_outside_of_pairs_of_backslashes() {
        assert_eq!(
            repaired(r#"{"a":"tab\x0Bvertical C:\\x41 \\\x1f"}"#).0,
            r#"{"a":"tab\u000Bvertical C:\\x41 \\\u001f"}"#
        );
        assert_eq!(repaired(r#"["\xZ", "\x4", "\q", "\x\n"]"#).0, r#"["\\xZ", "\\x4", "\\q", "\\x\n"]"#);
        assert_eq!(repaired("[\"a\nb\"]").0, r#"["a\u000ab"]"#);
    }

    #[test]
    fn values_without_quotes_get_them() {
        let json = "{\n \"document_id\": video_files/sticker (2).webm\n}";
        assert_eq!(
            repaired(json),
            ("{\n \"document_id\": \"video_files/sticker (2).webm\"\n}".to_owned(), 1)
        );
        let json = "{\n \"document_id\": files/a, \"b\".tgs,\n \"c\": true\n}";
        assert_eq!(repaired(json).0, "{\n \"document_id\": \"files/a, \\\"b\\\".tgs\",\n \"c\": true\n}");
    }

    #[test]
    fn value_without_an_end_is_given_back_after_4_kib() {
        let json = format!("{{\"a\": {}", "x".repeat(MAX_BARE * 3));
        assert!(repaired(&json).0.len() >= json.len());
        assert_eq!(repaired("{\"a\": x").0, "{\"a\": \"x\"");
    }
}
