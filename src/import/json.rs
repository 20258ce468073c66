//! JSON of any size, read as a stream: only one record of a list is in memory.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufReader, Read},
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::Error;
use crate::wire::parse_json;

/// Bytes of one record. Messages with all that belongs to them have some KiB.
const MAX_RECORD: u64 = 32 << 20;

/// Bytes that are read at a time.
const BUFFER: usize = 64 << 10;

/// Bytes of a file that is parsed from memory: a stream is taken byte by byte, which is twice as slow.
const SMALL: u64 = 4 << 20;

/// What to do with a value, by its path: `` is the whole, `/chats` a member of it, `/chats[]` each entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is passed on as one record.
    Record,
    /// Its members or entries are visited.
    Enter,
    Skip,
}

/// Takes the records of a JSON file.
pub(super) trait Taker {
    fn step(&self, path: &str) -> Step;
    /// A record; None if it is not valid by itself.
    fn record(&mut self, path: &str, record: Option<Value>) -> Result<Flow, Error>;
    /// Behind the last member or entry of one that was entered.
    fn left(&mut self, _path: &str) -> Result<(), Error> {
        Ok(())
    }
}

/// Whether the rest of a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Continue,
    Stop,
}

/// How a file ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// As the taker asked.
    Stopped,
    /// It is not JSON from some place on; what stood before was taken.
    Damaged(String),
}

/// Reads a file and passes its records on. Only an error of the taker, or of the disk, is one.
pub(super) fn each(mut reader: impl Read, taker: &mut dyn Taker) -> Result<End, Error> {
    let mut walk = Walk { taker, path: String::new(), failed: None, has_stopped: false };
    let read = Cell::new(Some(0));
    let mut head = Vec::new();
    let headed = reader.by_ref().take(SMALL).read_to_end(&mut head);
    let here = Here { walk: &mut walk, read: &read };
    let result = if headed.is_ok() && (head.len() as u64) < SMALL {
        let mut json = serde_json::Deserializer::from_slice(&head);
        here.deserialize(&mut json).and_then(|()| json.end())
    } else {
        let rest = Rest { failed: headed.err(), inner: reader };
        let reader = Bounded { inner: io::Cursor::new(head).chain(rest), read: &read };
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, reader));
        here.deserialize(&mut json).and_then(|()| json.end())
    };
    if let Some(error) = walk.failed {
        return Err(error);
    }
    match result {
        _ if walk.has_stopped => Ok(End::Stopped),
        Ok(()) => Ok(End::Whole),
        Err(error) => match error.io_error_kind() {
            None | Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
                Ok(End::Damaged(error.to_string()))
            }
            Some(_) => Err(Error(format!("it cannot be read ({error})"))),
        },
    }
}

struct Walk<'a> {
    taker: &'a mut dyn Taker,
    path: String,
    failed: Option<Error>,
    has_stopped: bool,
}

/// The value at the path of the walk.
struct Here<'a, 'b> {
    walk: &'a mut Walk<'b>,
    read: &'a Cell<Option<u64>>,
}

impl Here<'_, '_> {
    fn below<T>(&mut self, name: &str, visit: impl FnOnce(Here<'_, '_>) -> T) -> T {
        let length = self.walk.path.len();
        self.walk.path.push_str(name);
        let done = visit(Here { walk: self.walk, read: self.read });
        self.walk.path.truncate(length);
        done
    }

    fn left<E: serde::de::Error>(self) -> Result<(), E> {
        self.walk.taker.left(&self.walk.path).map_err(|error| {
            self.walk.failed = Some(error);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Here<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.walk.taker.step(&self.walk.path) {
            Step::Skip => {
                self.read.set(None);
                IgnoredAny::deserialize(deserializer)?;
                self.read.set(Some(0));
                Ok(())
            }
            Step::Enter => {
                self.read.set(Some(0));
                deserializer.deserialize_any(self)
            }
            Step::Record => {
                self.read.set(Some(0));
                let raw = Box::<RawValue>::deserialize(deserializer)?;
                // Half an emoji in a text costs no record.
                let record = parse_json(raw.get().as_bytes()).ok();
                match self.walk.taker.record(&self.walk.path, record) {
                    Ok(Flow::Continue) => Ok(()),
                    Ok(Flow::Stop) => {
                        self.walk.has_stopped = true;
                        Err(D::Error::custom("stopped"))
                    }
                    Err(error) => {
                        self.walk.failed = Some(error);
                        Err(D::Error::custom("stopped"))
                    }
                }
            }
        }
    }
}

impl<'de> Visitor<'de> for Here<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.below(&format!("/{name}"), |here| map.next_value_seed(here))?;
        }
        self.left()
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while self.below("[]", |here| list.next_element_seed(here))?.is_some() {}
        self.left()
    }

    // Something else stands where a list or an object is expected: there is nothing in it.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// What stands behind the head: first the error that ended it.
struct Rest<R> {
    failed: Option<io::Error>,
    inner: R,
}

impl<R: Read> Read for Rest<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.failed.take().map_or_else(|| self.inner.read(buffer), Err)
    }
}

/// Fails when one record is larger than any can be.
struct Bounded<'a, R> {
    inner: R,
    /// Bytes since the last record began; None where nothing is kept.
    read: &'a Cell<Option<u64>>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let total = self.read.get().map(|before| before + read as u64);
        self.read.set(total);
        match total.is_some_and(|total| total > MAX_RECORD) {
            true => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a record of more than {} MiB", MAX_RECORD >> 20),
            )),
            false => Ok(read),
        }
    }
}

/// A text that is not empty.
pub(super) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

/// A whole number, also as a text.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// An id, which is a number in some exports and a text in others.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A list; nothing if it is none.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Taker for Seen {
        fn step(&self, path: &str) -> Step {
            match path {
                "" | "/messages" => Step::Enter,
                "/skipped" => Step::Skip,
                _ => Step::Record,
            }
        }

        fn record(&mut self, path: &str, record: Option<Value>) -> Result<Flow, Error> {
            self.0.push(format!("{path} {}", record.map_or("broken".into(), |record| record.to_string())));
            match self.0.last().is_some_and(|last| last.ends_with("\"stop\"")) {
                true => Ok(Flow::Stop),
                false => Ok(Flow::Continue),
            }
        }

        fn left(&mut self, path: &str) -> Result<(), Error> {
            self.0.push(format!("{path} end"));
            Ok(())
        }
    }

    fn seen(json: &str) -> (Vec<String>, End) {
        let mut seen = Seen::default();
        let end = each(json.as_bytes(), &mut seen).unwrap();
        (seen.0, end)
    }

    #[test]
    fn records_of_a_list_come_one_by_one() {
        let (records, end) = seen(r#"{"name":"A","messages":[{"id":1},2],"skipped":[[[{}]]]}"#);
        assert_eq!(
            records,
            ["/name \"A\"", "/messages[] {\"id\":1}", "/messages[] 2", "/messages end", " end"]
        );
        assert_eq!(end, End::Whole);
    }

    #[test]
    fn record_that_is_not_valid_by_itself_is_passed_over() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let (records, end) = seen(&format!(r#"{{"messages":[1e999,{deep},3]}}"#));
        assert_eq!(records[..3], ["/messages[] broken", "/messages[] broken", "/messages[] 3"]);
        assert_eq!(end, End::Whole);
    }

    #[test]
    fn damaged_file_gives_what_stood_before() {
        for json in [r#"{"messages":[1,2,{"a"#, r#"{"messages":[1,2,oops]}"#] {
            let (records, end) = seen(json);
            assert_eq!(records, ["/messages[] 1", "/messages[] 2"]);
            let End::Damaged(why) = end else { panic!("{end:?}") };
            assert!(why.contains("line 1 column"), "{why}");
        }
        assert!(matches!(seen("").1, End::Damaged(_)));
        assert_eq!(seen(r#"{"messages":null}"#).0, [" end"]);
        assert_eq!(seen(r#"{"messages":"none"}"#).0, [" end"]);
    }

    #[test]
    fn taker_can_stop() {
        let (records, end) = seen(r#"{"messages":[1,"stop",2]}"#);
        assert_eq!((records.len(), end), (2, End::Stopped));
    }

    #[test]
    fn record_of_more_than_32_mib_ends_its_file_and_a_skipped_part_may_be_larger() {
        let large = "x".repeat(MAX_RECORD as usize + BUFFER);
        let (_, end) = seen(&format!(r#"{{"messages":["{large}"]}}"#));
        assert!(matches!(end, End::Damaged(why) if why.contains("more than 32 MiB")));
        let (records, end) = seen(&format!(r#"{{"skipped":"{large}","messages":[1]}}"#));
        assert_eq!((records[0].as_str(), end), ("/messages[] 1", End::Whole));
    }
}
