//! Multipart bodies (RFC 7578), read as they arrive. What is held is one frame of the body, or the head of one part: every
//! other thing of a body has a bound here, beyond which the body is refused.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};

use super::{disposition, incoming::RequestBody};
use crate::{text, wire::Problem};

/// Bytes before the first part, and after the last one, which are ignored.
const MAX_AROUND: usize = 1 << 10;

/// Bytes of the head of a part, from the boundary on. A file name has at most 255 characters on most systems, each of up
/// to 12 bytes if it is encoded.
const MAX_HEAD: usize = 8 << 10;

/// Parts of a body.
const MAX_PARTS: usize = 32;

/// Bytes a second that have to arrive in the long run; slower uploads end with 408.
const LEAST_RATE: u64 = 1 << 10;

/// The name of a part's field, and of its file if it has one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
}

pub(crate) struct Multipart {
    body: RequestBody,
    parser: Parser,
    /// How long each read may take.
    timeout: Duration,
    /// How long all reads took together, and how much they gave.
    waited: Duration,
    received: u64,
}

impl Multipart {
    /// 415 unless the content type names a boundary.
    pub(crate) fn new(body: RequestBody, content_type: &str, timeout: Duration) -> Result<Self, Problem> {
        let boundary = boundary(content_type).ok_or_else(Problem::not_multipart)?;
        Ok(Self { body, parser: Parser::new(boundary), timeout, waited: Duration::ZERO, received: 0 })
    }

    /// The next part; what is left of the one before it is ignored. None after the last one.
    pub(crate) async fn next_part(&mut self) -> Result<Option<Part>, Problem> {
        loop {
            match self.parser.next()? {
                Some(Event::Part(part)) => return Ok(Some(part)),
                Some(Event::Data(_) | Event::EndOfPart) => {}
                Some(Event::End) => {
                    // Read to its end, if that is near: the connection can then be used again.
                    let mut left = MAX_AROUND;
                    while let Some(data) = self.read().await?
                        && data.len() <= left
                    {
                        left -= data.len();
                    }
                    return Ok(None);
                }
                None => self.fill().await?,
            }
        }
    }

    /// More bytes of the current part; None at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            match self.parser.next()? {
                Some(Event::Data(data)) => return Ok(Some(data)),
                Some(_) => return Ok(None),
                None => self.fill().await?,
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Problem> {
        let data = self.read().await?.ok_or_else(|| malformed("it ends within a part"))?;
        self.parser.push(&data);
        Ok(())
    }

    /// A slow body goes on, a stalled one ends with 408, and so does one that is only just not stalled.
    async fn read(&mut self) -> Result<Option<Bytes>, Problem> {
        let began = Instant::now();
        let allowed = self.timeout + Duration::from_secs(self.received / LEAST_RATE);
        let patience = self.timeout.min(allowed.saturating_sub(self.waited));
        let read = tokio::time::timeout(patience, self.body.data()).await;
        self.waited += began.elapsed();
        let data = read.map_err(|_| Problem::timeout())??;
        self.received += data.as_ref().map_or(0, |data| data.len() as u64);
        Ok(data)
    }
}

fn malformed(why: &str) -> Problem {
    Problem::malformed(format!("The multipart body is not valid: {why}."))
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Part(Part),
    Data(Bytes),
    EndOfPart,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Head,
    Data,
    /// At a boundary that ends a part.
    Boundary,
    End,
}

/// Finds parts in bytes that are pushed to it.
struct Parser {
    buffer: BytesMut,
    /// What is before each part: a line break, two dashes, and the boundary.
    delimiter: Vec<u8>,
    stage: Stage,
    skipped: usize,
    parts: usize,
}

impl Parser {
    fn new(boundary: &str) -> Self {
        // The first boundary needs no line break before it, so there is one.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        Self { buffer, delimiter, stage: Stage::Preamble, skipped: 0, parts: 0 }
    }

    fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next event; None if more bytes are needed for it.
    fn next(&mut self) -> Result<Option<Event>, Problem> {
        match self.stage {
            Stage::Preamble => {
                let (before, is_found) = self.until_delimiter();
                self.skipped += before.len();
                // The line break is ours.
                if self.skipped > MAX_AROUND + 2 {
                    return Err(Problem::part_too_large("what is before the first part", MAX_AROUND));
                }
                if !is_found {
                    return Ok(None);
                }
                self.stage = Stage::Head;
                self.next()
            }
            Stage::Head => self.head(),
            Stage::Data => {
                let (data, is_found) = self.until_delimiter();
                if is_found {
                    self.stage = Stage::Boundary;
                }
                match data.is_empty() {
                    true if is_found => self.next(),
                    true => Ok(None),
                    false => Ok(Some(Event::Data(data))),
                }
            }
            Stage::Boundary => {
                self.stage = Stage::Head;
                Ok(Some(Event::EndOfPart))
            }
            Stage::End => Ok(Some(Event::End)),
        }
    }

    /// Takes what is before the next delimiter, and that as well; or what is no part of one, whatever follows.
    fn until_delimiter(&mut self) -> (Bytes, bool) {
        if let Some(at) = find(&self.buffer, &self.delimiter) {
            let before = self.buffer.split_to(at).freeze();
            self.buffer.advance(self.delimiter.len());
            return (before, true);
        }
        let may_begin = |at: &usize| self.delimiter.starts_with(&self.buffer[*at..]);
        let from = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
        let at = (from..self.buffer.len()).find(may_begin).unwrap_or(self.buffer.len());
        (self.buffer.split_to(at).freeze(), false)
    }

    fn head(&mut self) -> Result<Option<Event>, Problem> {
        if self.buffer.starts_with(b"--") {
            self.stage = Stage::End;
            self.buffer.clear();
            return Ok(Some(Event::End));
        }
        let end = find(&self.buffer, b"\r\n\r\n");
        if end.unwrap_or(self.buffer.len()) > MAX_HEAD {
            return Err(Problem::part_too_large("the head of a part", MAX_HEAD));
        }
        let Some(end) = end else { return Ok(None) };
        let head = self.buffer.split_to(end);
        self.buffer.advance(4);
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(Problem::too_many_parts(MAX_PARTS));
        }
        self.stage = Stage::Data;
        // Names in another charset are nearly always of Western Europe.
        let head = match std::str::from_utf8(&head) {
            Ok(head) => Cow::Borrowed(head),
            Err(_) => text::decoded(&head, "; charset=windows-1252")
                .map(|(head, _)| head)
                .unwrap_or_default()
                .into(),
        };
        let mut lines = head.split("\r\n");
        // The boundary's own line may end in white space.
        if !lines.next().unwrap_or_default().trim_matches([' ', '\t']).is_empty() {
            return Err(malformed("a boundary is not at the end of its line"));
        }
        let disposition = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
        let disposition = disposition.map(|(_, value)| value).unwrap_or_default();
        let name = disposition::name(disposition).unwrap_or_default();
        Ok(Some(Event::Part(Part { name, filename: disposition::filename(disposition) })))
    }
}

/// Where `wanted`, which begins with `\r`, begins in `bytes`.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

/// The parameter `boundary` of a multipart content type: 1 to 70 characters (RFC 2046, section 5.1.1), none of them a
/// semicolon.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (_, value) = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    ((1..=70).contains(&value.len()) && value.bytes().all(|byte| (0x20..0x7F).contains(&byte)))
        .then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = b"ignored\r\n--b \r\ncontent-disposition: form-data; name=\"content\"\r\n\r\nHi\r\n--c\r\n--b\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a%22b.txt\"\r\ncontent-type: x/y\r\n\r\n\r\n--\r\n--b--\r\nend";

    /// The parts of a body that arrives in these pieces, each with its data.
    fn parts(boundary: &str, pieces: &[&[u8]]) -> Result<Vec<(Part, Vec<u8>)>, Problem> {
        let mut parser = Parser::new(boundary);
        let mut parts = Vec::new();
        let mut pieces = pieces.iter();
        loop {
            match parser.next()? {
                Some(Event::Part(part)) => parts.push((part, Vec::new())),
                Some(Event::Data(data)) => parts.last_mut().expect("a part").1.extend_from_slice(&data),
                Some(Event::EndOfPart) => {}
                Some(Event::End) => return Ok(parts),
                None => match pieces.next() {
                    Some(piece) => parser.push(piece),
                    None => return Err(malformed("it ends within a part")),
                },
            }
        }
    }

    fn part(name: &str, filename: Option<&str>) -> Part {
        Part { name: name.into(), filename: filename.map(str::to_owned) }
    }

    fn expected() -> Vec<(Part, Vec<u8>)> {
        vec![
            (part("content", None), b"Hi\r\n--c".to_vec()),
            (part("file", Some("a\"b.txt")), b"\r\n--".to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn parts_are_the_same_however_the_body_is_cut(cuts in prop::collection::vec(0..BODY.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&BODY[from..cut]);
                from = cut;
            }
            pieces.push(&BODY[from..]);
            prop_assert_eq!(parts("b", &pieces).unwrap(), expected());
        }

        #[test]
        fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[-b\r\n:;=\" a]{0,200}") {
            let _ = parts("b", &[&bytes]);
            let _ = parts("b", &[b"--b\r\n", text.as_bytes()]);
            let _ = (boundary(&text), disposition::filename(&text));
        }
    }

    /// B9.
    #[test]
    fn everything_in_a_body_has_a_bound() {
        let refused =
            |body: &[u8]| parts("b", &[body]).map(|parts| parts.len()).map_err(|it| (it.status, it.detail));
        let long = "x".repeat(MAX_HEAD);
        let (status, detail) = refused(format!("{}\r\n--b", &long[..MAX_AROUND + 1]).as_bytes()).unwrap_err();
        assert!(status == 413 && detail.contains("before the first part"), "{detail}");
        assert_eq!(refused(format!("{}\r\n--b--", &long[..MAX_AROUND]).as_bytes()), Ok(0));
        for head in [format!("--b\r\nx: {long}"), format!("--b{long}{long}")] {
            let (status, detail) = refused(head.as_bytes()).unwrap_err();
            assert!(status == 413 && detail.contains("the head of a part"), "{detail}");
        }
        let empty = "--b\r\n\r\n\r\n\r\n".repeat(MAX_PARTS);
        assert_eq!(refused(format!("{empty}--b--").as_bytes()), Ok(MAX_PARTS));
        let (status, detail) = refused(format!("{empty}--b\r\n\r\n\r\n\r\n--b--").as_bytes()).unwrap_err();
        assert!(status == 413 && detail.contains("more than 32 parts"), "{detail}");
        // The parser holds no more of a part's data than may begin a boundary.
        let mut parser = Parser::new("b");
        parser.push(b"--b\r\n\r\n");
        assert!(matches!(parser.next(), Ok(Some(Event::Part(_)))));
        parser.push(format!("{long}\r\n-").as_bytes());
        assert!(matches!(parser.next(), Ok(Some(Event::Data(data))) if data.len() == MAX_HEAD + 3 - 3));
        assert_eq!(parser.buffer, "\r\n-");
    }

    #[test]
    fn incomplete_bodies_are_malformed() {
        for body in [
            "",
            "--b",
            "--b\r\n",
            "--b\r\nnonsense",
            "--b\r\n\r\nx",
            "--b\r\n\r\nx\r\n--b",
            "--bx\r\n\r\n\r\n--b--",
        ] {
            assert_eq!(parts("b", &[body.as_bytes()]).unwrap_err().status, 400, "{body:?}");
        }
    }

    #[test]
    fn boundary_is_read_from_the_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
        assert_eq!(boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\""), Some("a b"));
        for wrong in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=a",
            "application/json",
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
        ] {
            assert_eq!(boundary(wrong), None, "{wrong}");
        }
    }
}
