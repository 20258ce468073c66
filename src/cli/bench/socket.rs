//! A lean WebSocket client: whole frames in, whole frames out, one read buffer for all of them.

use std::{
    borrow::Cow,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    delivery::Marker,
    http::{self, Connection, Fault},
    target::{Stream, Target},
};

/// No frame of the server is as long.
const MAX_FRAME: usize = 16 << 20;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

pub(super) struct Socket {
    stream: Stream,
    /// The start of a frame whose end has not come.
    kept: Vec<u8>,
    /// What waits to be written.
    out: Vec<u8>,
}

impl Socket {
    pub(super) async fn open(target: &Target, token: &str) -> Result<Self, String> {
        let mut connection = Connection::open(target).await.map_err(|error| error.to_string())?;
        let request = http::request("GET", "/ws", &target.host, token, "");
        // Any key will do: we are no browser that a cache could mislead (RFC 6455, section 10.3).
        let request = request.trim_end().to_owned()
            + "\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            + "sec-websocket-protocol: campfire.json\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        match connection.upgrade(request.as_bytes()).await {
            Ok(101) => {}
            Ok(status) => return Err(format!("the server answers {status} to a socket")),
            Err(Fault::Broken(error)) => return Err(error.to_string()),
            Err(Fault::Stale) => return Err("the server closed the connection".into()),
            Err(Fault::Malformed(why)) => return Err(why.into()),
        }
        let (stream, mut kept) = connection.into_parts();
        kept.shrink_to_fit();
        Ok(Self { stream, kept, out: Vec::new() })
    }

    /// Queues a text; `poll` sends it.
    pub(super) fn say(&mut self, text: &str) {
        put_frame(&mut self.out, TEXT, text.as_bytes());
    }

    /// Sends what waits and hands every text that came to `hear`. Ready only when the socket has ended: why.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
        hear: &mut dyn FnMut(&[u8]),
    ) -> Poll<String> {
        // What came along with the handshake's answer.
        if !self.kept.is_empty()
            && let Err(end) = self.take(&[], hear)
        {
            return Poll::Ready(end);
        }
        loop {
            if let Err(error) = self.flush(cx) {
                return Poll::Ready(error.to_string());
            }
            let mut buffer = ReadBuf::new(scratch);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => {
                    return Poll::Ready("the connection broke off".into());
                }
                Ok(()) => {}
                Err(error) => return Poll::Ready(error.to_string()),
            }
            if let Err(end) = self.take(buffer.filled(), hear) {
                return Poll::Ready(end);
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        while !self.out.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out) {
                Poll::Ready(Ok(written)) => drop(self.out.drain(..written)),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the frames out of what was read.
    fn take(&mut self, read: &[u8], hear: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let mut kept = std::mem::take(&mut self.kept);
        let bytes = if kept.is_empty() {
            read
        } else {
            kept.extend_from_slice(read);
            &kept
        };
        let mut place = 0;
        while let Some((opcode, start, end)) = frame(&bytes[place..])? {
            let payload = &bytes[place + start..place + end];
            match opcode {
                TEXT => hear(payload),
                PING => put_frame(&mut self.out, PONG, payload),
                CLOSE => {
                    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    return Err(format!("the server closed it with {code}"));
                }
                _ => {}
            }
            place += end;
        }
        self.kept = bytes[place..].to_vec();
        Ok(())
    }
}

/// The first frame in these bytes: opcode, and where its payload starts and ends. None if it is not all there.
fn frame(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, String> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x80 == 0 || second & 0x80 != 0 {
        return Err("a frame is masked or not whole".into());
    }
    let (start, length) = match second {
        126 => match rest.first_chunk() {
            Some(length) => (4, u64::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(length) => (10, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        length => (2, u64::from(*length)),
    };
    if length > MAX_FRAME as u64 {
        return Err("a frame is too long".into());
    }
    let end = start + length as usize;
    Ok((bytes.len() >= end).then_some((first & 0x0F, start, end)))
}

/// A client's frame. The mask is zero, which leaves the payload as it is.
fn put_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length => {
            // Nothing that we say is longer than 64 KiB.
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// What a text says, as far as we care.
#[derive(Debug, PartialEq)]
pub(super) enum Said<'a> {
    Joined,
    /// A message of the bench, and the room that the server puts it in, if that was looked at.
    Created(Marker, Option<i64>),
    /// Of our message with this id.
    Ack(Cow<'a, str>),
    /// The code, and the message that it is about.
    Error(Cow<'a, str>, Option<Cow<'a, str>>),
    Resync,
    /// Somebody else's, or nothing to us.
    Other,
    Unreadable,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    client_message_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    room_id: i64,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

impl<'a> Said<'a> {
    /// Reads a text. Of messages, which are nearly all of it, only the marker is looked for, unless it is to be
    /// `thorough`.
    pub(super) fn read(text: &'a [u8], thorough: bool) -> Self {
        const CONTENT: &[u8] = b"\"content\":\"";
        if !thorough
            && text.starts_with(b"{\"type\":\"message.created\"")
            && text.ends_with(b"}}")
            && let Some(place) = http::find(text, CONTENT)
            && let Some(marker) = Marker::read(&text[place + CONTENT.len()..])
        {
            return Self::Created(marker, None);
        }
        let Ok(event) = serde_json::from_slice::<Event<'_>>(text) else { return Self::Unreadable };
        match &*event.kind {
            "joined" => Self::Joined,
            "message.created" => match event.message {
                Some(message) => Marker::read(message.content.as_bytes())
                    .map_or(Self::Other, |marker| Self::Created(marker, Some(message.room_id))),
                None => Self::Unreadable,
            },
            "ack" => event.client_message_id.map_or(Self::Unreadable, Self::Ack),
            "error" => Self::Error(event.code.unwrap_or_default(), event.client_message_id),
            "resync" => Self::Resync,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{self as server, Encoding};

    #[test]
    fn the_servers_frames_are_read_wherever_they_are_cut() {
        let long = format!("\"{}\"", "x".repeat(70_000));
        let texts = ["{}", &long[..300], &long];
        let mut bytes = Vec::new();
        for text in texts {
            bytes.extend_from_slice(&server::frame(Encoding::Json, text.as_bytes()));
        }
        let mut place = 0;
        for text in texts {
            let (opcode, start, end) = frame(&bytes[place..]).unwrap().unwrap();
            assert_eq!((opcode, &bytes[place + start..place + end]), (TEXT, text.as_bytes()));
            for cut in [0, 1, start - 1, end - 1] {
                assert_eq!(frame(&bytes[place..place + cut]), Ok(None));
            }
            place += end;
        }
        assert_eq!(place, bytes.len());
        assert!(frame(&[0x01, 0]).is_err() && frame(&[0x81, 0x80]).is_err());
        assert!(frame(&[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    }

    #[test]
    fn texts_are_told_apart_quickly_and_thoroughly() {
        let marker = Marker { run: 7, room: 0, number: 1, sender: 2, due: 3 };
        let created = format!(
            r#"{{"type":"message.created","seq":9,"message":{{"id":4,"room_id":5,"creator_id":1,"content":"{} ember","html":""}}}}"#,
            marker.write()
        );
        assert_eq!(Said::read(created.as_bytes(), false), Said::Created(marker, None));
        assert_eq!(Said::read(created.as_bytes(), true), Said::Created(marker, Some(5)));
        let other = created.replace("bench:", "Bench ");
        assert_eq!(Said::read(other.as_bytes(), false), Said::Other);
        assert_eq!(Said::read(&created.as_bytes()[..created.len() - 1], false), Said::Unreadable);
        let ack = br#"{"type":"ack","client_message_id":"a-1","message":{"room_id":5,"content":"x"}}"#;
        assert_eq!(Said::read(ack, false), Said::Ack("a-1".into()));
        let error = br#"{"type":"error","code":"rate_limited","detail":"x","client_message_id":"a-1"}"#;
        assert_eq!(Said::read(error, false), Said::Error("rate_limited".into(), Some("a-1".into())));
        assert_eq!(Said::read(br#"{"type":"joined","room_id":1,"seq":1,"present":[]}"#, false), Said::Joined);
        assert_eq!(Said::read(br#"{"type":"resync","seq":1}"#, false), Said::Resync);
        assert_eq!(Said::read(br#"{"type":"presence","room_id":1}"#, false), Said::Other);
        assert_eq!(Said::read(b"nonsense", false), Said::Unreadable);
    }
}
