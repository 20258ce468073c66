//! Files of mongodump: BSON documents behind one another, each with its length first.

use std::io::{self, Read};

use bson::raw::{RawArray, RawBsonRef, RawDocument};
use serde_json::Value;

use super::super::Error;

/// Bytes of a document: MongoDB allows 16 MiB, and some more within.
const MAX_DOCUMENT: usize = 17 << 20;

/// Documents within one another.
const MAX_DEPTH: usize = 32;

/// How the reading of a file ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    Damaged(String),
}

/// Calls `take` with each document, and the place where it begins.
pub(super) fn each(
    reader: &mut dyn Read,
    mut take: impl FnMut(&RawDocument, u64) -> Result<(), Error>,
) -> Result<End, Error> {
    let mut reader = io::BufReader::with_capacity(256 << 10, reader);
    let mut place = 0_u64;
    let mut document = Vec::new();
    loop {
        let damaged = |why: &str| Ok(End::Damaged(format!("{why} at byte {place}")));
        let mut length = [0; 4];
        let mut read = 0;
        while read < length.len() {
            match reader.read(&mut length[read..])? {
                0 if read == 0 => return Ok(End::Whole),
                0 => return damaged("it breaks off"),
                more => read += more,
            }
        }
        let size = usize::try_from(i32::from_le_bytes(length)).unwrap_or_default();
        if !(5..=MAX_DOCUMENT).contains(&size) {
            return damaged("there is no document of MongoDB");
        }
        document.clear();
        document.extend(length);
        if (&mut reader).take(size as u64 - 4).read_to_end(&mut document)? < size - 4 {
            return damaged("it breaks off");
        }
        // One that is damaged within is shown as an empty one.
        let empty = [5, 0, 0, 0, 0];
        let raw = RawDocument::from_bytes(&document).or_else(|_| RawDocument::from_bytes(&empty));
        if let Ok(raw) = raw {
            take(raw, place)?;
        }
        place += size as u64;
    }
}

/// A document as JSON: moments are milliseconds, ids are texts, and what JSON does not have is null.
pub(super) fn json(document: &RawDocument) -> Value {
    object(document, 0)
}

fn object(document: &RawDocument, depth: usize) -> Value {
    // Behind an element that cannot be read nothing can be.
    let elements = document.iter_elements().map_while(Result::ok);
    elements
        .map(|element| {
            (element.key().as_str().to_owned(), element.value().map_or(Value::Null, |it| value(it, depth)))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn array(array: &RawArray, depth: usize) -> Value {
    let elements = array.iter_elements().map_while(Result::ok);
    elements
        .map(|element| element.value().map_or(Value::Null, |it| value(it, depth)))
        .collect::<Vec<_>>()
        .into()
}

fn value(value: RawBsonRef<'_>, depth: usize) -> Value {
    match value {
        RawBsonRef::Document(_) | RawBsonRef::Array(_) if depth >= MAX_DEPTH => Value::Null,
        RawBsonRef::Document(document) => object(document, depth + 1),
        RawBsonRef::Array(list) => array(list, depth + 1),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => text.into(),
        RawBsonRef::Boolean(is) => is.into(),
        RawBsonRef::Int32(number) => number.into(),
        RawBsonRef::Int64(number) => number.into(),
        RawBsonRef::Double(number) => number.into(),
        RawBsonRef::DateTime(moment) => moment.timestamp_millis().into(),
        RawBsonRef::ObjectId(id) => id.to_hex().into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<Value>, End) {
        let mut found = Vec::new();
        let end = each(&mut &*bytes, |document, _| {
            found.push(json(document));
            Ok(())
        });
        (found, end.unwrap())
    }

    fn document(elements: &[u8]) -> Vec<u8> {
        let mut bytes = (elements.len() as i32 + 5).to_le_bytes().to_vec();
        bytes.extend(elements);
        bytes.push(0);
        bytes
    }

    #[test]
    fn documents_come_one_by_one_and_odd_values_are_null() {
        // An int32, a regular expression, a date, a decimal, an undefined value.
        let mut odd = b"\x10a\0\x01\0\0\0\x0br\0x\0i\0\x09d\0\xe8\x03\0\0\0\0\0\0\x13n\0".to_vec();
        odd.extend([0; 16]);
        odd.extend(b"\x06u\0");
        let both = [document(&odd), document(b"\x02s\0\x02\0\0\0b\0\0")].concat();
        let (found, end) = read(&both);
        assert_eq!(found[0], serde_json::json!({"a": 1, "r": null, "d": 1000, "n": null, "u": null}));
        assert_eq!(found[1], serde_json::json!({"s": "b"}));
        assert_eq!(end, End::Whole);
    }

    #[test]
    fn wrong_bytes_never_panic_and_the_next_document_is_read() {
        let good = document(b"\x02s\0\x02\0\0\0b\0\0");
        for broken in [
            &b"\x7fz\0abc"[..],
            b"\x02s\0\xff\xff\xff\x7fb\0\0",
            b"\x02s\0\x02\0\0\0\xff\0",
            b"\x03d\0\x40\0\0\0",
        ] {
            let (found, end) = read(&[document(broken), good.clone()].concat());
            assert_eq!((found.len(), end), (2, End::Whole));
            assert_eq!(found[1], serde_json::json!({"s": "b"}));
        }
        for length in 1..good.len() {
            assert!(matches!(read(&good[..length]).1, End::Damaged(_)), "{length}");
        }
    }

    #[test]
    fn document_of_more_than_17_mib_ends_its_file() {
        for size in [(MAX_DOCUMENT as i32) + 1, 4, 0, -5] {
            let (found, end) = read(&[&size.to_le_bytes()[..], &[0; 64]].concat());
            assert_eq!(
                (found.len(), end),
                (0, End::Damaged("there is no document of MongoDB at byte 0".into()))
            );
        }
    }

    #[test]
    fn documents_within_one_another_end_after_32() {
        let mut inner = document(b"");
        for _ in 0..200 {
            let mut element = b"\x03d\0".to_vec();
            element.extend(&inner);
            inner = document(&element);
        }
        let (found, _) = read(&inner);
        let mut depth = 0;
        let mut at = &found[0];
        while at.is_object() {
            at = &at["d"];
            depth += 1;
        }
        assert_eq!(depth, MAX_DEPTH + 1);
    }
}
