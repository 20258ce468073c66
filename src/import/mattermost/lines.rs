//! The lines of a bulk export.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::Value;

use crate::{
    import::{Error, archive::Archive},
    wire::parse_json,
};

/// Bytes of a line, which has a post with all its replies. A longer one is passed over.
const MAX_LINE: u64 = 32 << 20;

/// A line.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// Its type, and what stands under its name.
    Record(String, Value),
    /// It is no JSON, has no type, or is too long.
    Fault,
}

/// Passes on the lines of a file. False if it is damaged: what stands before was passed on.
pub(super) fn each(
    archive: &Archive,
    path: &str,
    take: &mut dyn FnMut(Line) -> Result<(), Error>,
) -> Result<bool, Error> {
    archive.read(path, |reader| each_of(reader, take))
}

fn each_of(reader: &mut dyn Read, take: &mut dyn FnMut(Line) -> Result<(), Error>) -> Result<bool, Error> {
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        match next(&mut reader, &mut line) {
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        if line.len() as u64 > MAX_LINE {
            take(Line::Fault)?;
        } else if !line.trim_ascii().is_empty() {
            take(record(&line).unwrap_or(Line::Fault))?;
        }
    }
}

/// Reads a line, or the beginning of one that is too long. False at the end.
fn next(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let read = reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', line)?;
    if read as u64 > MAX_LINE && line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

fn record(line: &[u8]) -> Option<Line> {
    let mut value: Value = parse_json(line).ok()?;
    let kind = value["type"].as_str()?.to_owned();
    let record = value.get_mut(&kind).map(Value::take).unwrap_or_default();
    Some(Line::Record(kind, record))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut take = |line| {
            lines.push(line);
            Ok(())
        };
        assert!(each_of(&mut &bytes[..], &mut take).unwrap());
        lines
    }

    #[test]
    fn lines_are_records_or_faults() {
        let text = "\u{FEFF}{\"type\":\"team\",\"team\":{\"name\":\"a\"}}\r\n\n[1]\n{\"type\":7}\nnone\n{\"type\":\"x\"}";
        let expected = [
            Line::Record("team".into(), json!({ "name": "a" })),
            Line::Fault,
            Line::Fault,
            Line::Fault,
            Line::Record("x".into(), Value::Null),
        ];
        assert_eq!(read(text.as_bytes()), expected);
        assert_eq!(
            read(b"\xFF\xFE\n{\"type\":\"y\",\"y\":\"\\ud83d\"}"),
            [Line::Fault, Line::Record("y".into(), json!("\u{FFFD}"))]
        );
    }

    #[test]
    fn line_of_more_than_32_mib_is_passed_over_alone() {
        let mut text =
            format!("{{\"type\":\"a\",\"a\":\"{}\"}}\n", "x".repeat(MAX_LINE as usize)).into_bytes();
        text.extend(b"{\"type\":\"b\"}\n");
        assert_eq!(read(&text), [Line::Fault, Line::Record("b".into(), Value::Null)]);
    }
}
