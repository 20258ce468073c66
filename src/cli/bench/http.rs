//! A small HTTP/1.1 client: one request at a time over a connection that is kept open.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::target::{Stream, Target};

/// The largest buffer that a connection keeps after a response, in bytes, because there may be 10,000 connections.
const MAX_KEPT_BUFFER: usize = 32 << 10;

/// The largest response, in bytes; those of the API are smaller.
const MAX_RESPONSE: usize = 64 << 20;

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server closed a kept connection before it answered. The request is to be sent on a new one.
    Stale,
    Broken(io::Error),
    Malformed(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// The bytes of a request; an empty body is omitted.
pub(super) fn request(method: &str, path: &str, host: &str, token: &str, body: &str) -> String {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    if !token.is_empty() {
        request += "authorization: Bearer ";
        request += token;
        request += "\r\n";
    }
    if !body.is_empty() {
        request += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    request += "\r\n";
    request += body;
    request
}

pub(super) struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
    /// It has answered before, so its end may be an idle timeout.
    is_used: bool,
    /// The server has announced to close it.
    is_over: bool,
}

pub(super) struct Reply<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
}

impl Connection {
    pub(super) async fn open(target: &Target) -> io::Result<Self> {
        let stream = target.connect().await?;
        Ok(Self { stream, buffer: Vec::new(), is_used: false, is_over: false })
    }

    /// The stream of a WebSocket, and what arrived after the head.
    pub(super) fn into_parts(self) -> (Stream, Vec<u8>) {
        (self.stream, self.buffer)
    }

    /// Sends a request and reads the response.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Reply<'_>, Fault> {
        if self.is_over {
            return Err(Fault::Stale);
        }
        self.buffer.clear();
        self.buffer.shrink_to(MAX_KEPT_BUFFER);
        if let Err(error) = self.stream.write_all(request).await {
            return Err(if self.is_used { Fault::Stale } else { error.into() });
        }
        let (head_length, head) = self.head().await?;
        let length = match head.length {
            Length::Known(length) => {
                while self.buffer.len() < head_length + length {
                    self.read().await?;
                }
                Some(length)
            }
            Length::Chunked => None,
        };
        let body = match length {
            Some(length) => (head_length, length),
            None => loop {
                let Some(joined) = joined(&self.buffer[head_length..]).map_err(Fault::Malformed)? else {
                    self.read().await?;
                    continue;
                };
                let start = self.buffer.len();
                self.buffer.extend_from_slice(&joined);
                break (start, joined.len());
            },
        };
        self.is_used = true;
        self.is_over = head.closes;
        Ok(Reply { status: head.status, body: &self.buffer[body.0..body.0 + body.1] })
    }

    /// Requests a WebSocket and returns the status. What arrived after the head stays in the buffer.
    pub(super) async fn upgrade(&mut self, request: &[u8]) -> Result<u16, Fault> {
        self.stream.write_all(request).await?;
        let (length, head) = self.head().await?;
        self.buffer.drain(..length);
        Ok(head.status)
    }

    async fn head(&mut self) -> Result<(usize, Head), Fault> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return Ok((end + 4, Head::parse(&self.buffer[..end]).map_err(Fault::Malformed)?));
            }
            let was_empty = self.buffer.is_empty();
            match self.read().await {
                Err(_) if was_empty && self.is_used => return Err(Fault::Stale),
                other => other?,
            }
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        if self.buffer.len() > MAX_RESPONSE {
            return Err(Fault::Malformed("it is too long"));
        }
        if self.buffer.capacity() - self.buffer.len() < 2048 {
            self.buffer.reserve(8192);
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }
}

enum Length {
    Known(usize),
    Chunked,
}

struct Head {
    status: u16,
    length: Length,
    closes: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let head = std::str::from_utf8(bytes).map_err(|_| "the head is not text")?;
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or("the first line is not a status of HTTP/1.1")?;
        let mut found = Self { status, length: Length::Known(0), closes: false };
        for line in lines {
            let (name, value) = line.split_once(':').ok_or("a header has no colon")?;
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                found.length = Length::Known(value.parse().map_err(|_| "the length is not a number")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
            {
                found.length = Length::Chunked;
            } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
                found.closes = true;
            }
        }
        if matches!(status, 100..=199 | 204 | 304) {
            found.length = Length::Known(0);
        }
        Ok(found)
    }
}

/// Decodes a chunked body (RFC 9112, section 7.1); None while it is incomplete.
fn joined(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(bytes, b"\r\n") else { return Ok(None) };
        let line = std::str::from_utf8(&bytes[..end]).map_err(|_| "a chunk has no size")?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk has no size")?;
        bytes = &bytes[end + 2..];
        if size > MAX_RESPONSE {
            return Err("a chunk is too large");
        }
        let Some(chunk) = bytes.get(..size) else { return Ok(None) };
        if size == 0 {
            // Trailers may follow; the last line is empty.
            let is_whole = bytes.starts_with(b"\r\n") || find(bytes, b"\r\n\r\n").is_some();
            return Ok(is_whole.then_some(body));
        }
        body.extend_from_slice(chunk);
        match bytes.get(size..size + 2) {
            None => return Ok(None),
            Some(b"\r\n") => bytes = &bytes[size + 2..],
            Some(_) => return Err("a chunk is longer than its size"),
        }
    }
}

/// The position of `wanted` in bytes. Scans for its first byte, which compilers vectorize.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut index = 0;
    while let Some(next) = bytes.get(index..)?.iter().position(|byte| *byte == wanted[0]) {
        index += next;
        if bytes[index..].starts_with(wanted) {
            return Some(index);
        }
        index += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_has_the_status_and_the_length_of_the_body() {
        let head = Head::parse(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nconnection: close").unwrap();
        assert!(matches!((head.status, head.length, head.closes), (200, Length::Known(12), true)));
        let head = Head::parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked").unwrap();
        assert!(matches!((head.length, head.closes), (Length::Chunked, false)));
        let head = Head::parse(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 12").unwrap();
        assert!(matches!(head.length, Length::Known(0)));
        for wrong in [
            "",
            "HTTP/1.0 200 OK",
            "HTTP/1.1 okay",
            "HTTP/1.1 200 OK\r\ncontent-length: x",
            "HTTP/1.1 200 OK\r\nnone",
        ] {
            assert!(Head::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn chunked_body_is_decoded_once_it_is_complete() {
        let whole = b"4\r\nWiki\r\n6;a=b\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n";
        assert_eq!(joined(whole).unwrap().unwrap(), b"Wikipedia in \r\n\r\nchunks.");
        for end in 0..whole.len() {
            assert_eq!(joined(&whole[..end]), Ok(None), "{end}");
        }
        assert_eq!(joined(b"0\r\nx: y\r\n\r\n").unwrap().unwrap(), b"");
        assert!(joined(b"x\r\n").is_err() && joined(b"1\r\nabc").is_err());
    }

    #[test]
    fn request_has_only_the_headers_that_it_needs() {
        assert_eq!(request("GET", "/health", "h:1", "", ""), "GET /health HTTP/1.1\r\nhost: h:1\r\n\r\n");
        let post = request("POST", "/x", "h", "t", "{}");
        assert!(
            post.contains("\r\nauthorization: Bearer t\r\n") && post.contains("\r\ncontent-length: 2\r\n")
        );
        assert!(post.ends_with("\r\n\r\n{}"));
    }
}
