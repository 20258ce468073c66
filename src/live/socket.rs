//! One WebSocket connection: the handshake, then a small state machine that reads into the worker's shared buffer and
//! keeps nothing of its own while it is idle.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::{
    handshake::derive_accept_key,
    protocol::frame::{
        FrameHeader,
        coding::{Control, Data, OpCode},
    },
};

use super::protocol;
use crate::{
    chat::Viewer,
    hub::{HEARTBEAT_S, SIGNED_OUT, SocketId},
    transport::{Stream, Transport},
    types::UserId,
    types::event::EphemeralEvent,
    wire::{
        Event, Problem,
        frame::{self, Encoding},
    },
    worker::Worker,
};

const TOO_BIG: u16 = 1009;

/// The largest message that a client may send.
const MAX_MESSAGE: usize = 256 << 10;

/// Messages that a socket may have posted without an answer; until there is one it is not read from.
const MAX_UNDER_WAY: u32 = 256;

/// Answers `GET /ws` (RFC 6455, section 4.2) and sees to it that the connection becomes a socket.
pub(crate) fn upgrade(
    worker: &Rc<Worker>,
    mut request: Request<Incoming>,
    viewer: &Viewer,
) -> Result<Response<()>, Problem> {
    let headers = request.headers();
    let names = |name: &header::HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
    };
    let is_handshake = names(&header::CONNECTION, "upgrade")
        && names(&header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
        // 16 bytes in base64.
        && headers.get(header::SEC_WEBSOCKET_KEY).is_some_and(|key| key.len() == 24);
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| is_handshake)
        .ok_or_else(Problem::upgrade_required)?;
    let accept = derive_accept_key(key.as_bytes());
    let (encoding, subprotocol) = subprotocol(headers);
    let upgrading = hyper::upgrade::on(&mut request);
    let (worker, viewer) = (Rc::clone(worker), viewer.clone());
    tokio::task::spawn_local(async move {
        // A client that went away before the switch leaves nothing behind.
        let Ok(upgraded) = upgrading.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() else { return };
        let stream = parts.io.into_inner().into_transport();
        // What hyper held is let go before the long life of the socket begins.
        tokio::task::spawn_local(Conversation::start(worker, viewer, encoding, stream, parts.read_buf));
    });
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(accept).expect("base64 is printable"));
    if let Some(subprotocol) = subprotocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    }
    Ok(response)
}

/// The first of the offered subprotocols that we speak; JSON when none is offered.
fn subprotocol(headers: &HeaderMap) -> (Encoding, Option<&'static str>) {
    let offered =
        headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    for name in offered.flat_map(|value| value.split(',')) {
        match name.trim() {
            "campfire.json" => return (Encoding::Json, Some("campfire.json")),
            "campfire.msgpack" => return (Encoding::MessagePack, Some("campfire.msgpack")),
            _ => {}
        }
    }
    (Encoding::Json, None)
}

/// The task of a socket.
struct Conversation {
    worker: Rc<Worker>,
    id: SocketId,
    user: UserId,
    stream: Rc<Transport>,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// The parts of a fragmented message.
    fragments: Option<(Data, Vec<u8>)>,
    /// We have said that nothing more comes.
    finished: bool,
}

impl Conversation {
    fn start(
        worker: Rc<Worker>,
        viewer: Viewer,
        encoding: Encoding,
        stream: Transport,
        early: Bytes,
    ) -> Self {
        let stream = Rc::new(stream);
        let user = viewer.user;
        worker.catch_up();
        let id = worker.hub.borrow_mut().add(user, viewer.session, encoding, Rc::clone(&stream));
        // The session may have ended while the connection switched.
        if !worker.state.borrow().session_ids().any(|session| session == viewer.session) {
            worker.hub.borrow_mut().close(id, SIGNED_OUT, "signed out");
        }
        let hello = {
            let state = worker.state.borrow();
            Event::Hello { user_id: user, seq: state.seq, heartbeat_s: HEARTBEAT_S }
        };
        worker.hub.borrow_mut().send(id, &hello.json());
        worker.hub.borrow_mut().close_going_away(id);
        worker.broadcast(EphemeralEvent::Online { user, change: 1 });
        Self { worker, id, user, stream, partial: early.to_vec(), fragments: None, finished: false }
    }

    /// Reads what there is. False when the connection has ended.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let worker = Rc::clone(&self.worker);
        loop {
            match self.stream.poll_read_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(())) => {}
            }
            let mut scratch = worker.scratch.borrow_mut();
            match self.stream.try_read(&mut scratch) {
                Ok(0) => return Poll::Ready(false),
                Ok(count) if self.partial.is_empty() => {
                    let used = self.take_frames(&mut scratch[..count]);
                    self.partial.extend_from_slice(&scratch[used..count]);
                }
                Ok(count) => {
                    let mut whole = std::mem::take(&mut self.partial);
                    whole.extend_from_slice(&scratch[..count]);
                    drop(scratch);
                    let used = self.take_frames(&mut whole);
                    if used < whole.len() {
                        whole.drain(..used);
                        self.partial = whole;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(false),
            }
            if self.is_saturated() {
                // An answer wakes the task.
                return Poll::Pending;
            }
        }
    }

    fn is_saturated(&self) -> bool {
        let mut hub = self.worker.hub.borrow_mut();
        hub.is_draining()
            || hub
                .socket(self.id)
                .is_none_or(|socket| socket.under_way >= MAX_UNDER_WAY || socket.is_closing())
    }

    /// Ends our side of the connection and reads on, whatever comes, until the client has ended its own.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.finished, true) {
            // If it is gone already, the read says so.
            self.stream.end();
        }
        let mut scratch = self.worker.scratch.borrow_mut();
        loop {
            match self.stream.poll_read_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            match self.stream.try_read(&mut scratch) {
                Ok(1..) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// Handles the whole frames in a buffer; answers how many bytes they were.
    fn take_frames(&mut self, buffer: &mut [u8]) -> usize {
        let mut used = 0;
        {
            let mut hub = self.worker.hub.borrow_mut();
            let clock = hub.clock;
            if let Some(socket) = hub.socket(self.id) {
                socket.heard = clock;
            }
        }
        loop {
            let mut cursor = std::io::Cursor::new(&buffer[used..]);
            let (header, length) = match FrameHeader::parse(&mut cursor) {
                Ok(Some(parsed)) => parsed,
                Ok(None) => return used,
                Err(_) => {
                    self.close(1002, "not a frame");
                    return buffer.len();
                }
            };
            let start = used + cursor.position() as usize;
            if let Err((code, reason)) = self.check(&header, length) {
                self.close(code, reason);
                return buffer.len();
            }
            // Bounded by the check.
            let end = start + length as usize;
            if end > buffer.len() {
                return used;
            }
            let payload = &mut buffer[start..end];
            unmask(payload, header.mask.unwrap_or_default());
            if let Err((code, reason)) = self.take_frame(&header, payload) {
                self.close(code, reason);
                return buffer.len();
            }
            used = end;
        }
    }

    /// The rules that can be held against a frame's header alone (RFC 6455, section 5).
    fn check(&self, header: &FrameHeader, length: u64) -> Result<(), (u16, &'static str)> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err((1002, "reserved bits are set"));
        }
        if header.mask.is_none() {
            return Err((1002, "a client has to mask its frames"));
        }
        match header.opcode {
            OpCode::Control(_) if length > 125 || !header.is_final => {
                Err((1002, "a control frame is short and whole"))
            }
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                Err((1002, "unknown opcode"))
            }
            OpCode::Data(Data::Continue) if self.fragments.is_none() => Err((1002, "nothing to continue")),
            OpCode::Data(Data::Text | Data::Binary) if self.fragments.is_some() => {
                Err((1002, "a message is not finished"))
            }
            OpCode::Data(_) => {
                let before = self.fragments.as_ref().map_or(0, |(_, bytes)| bytes.len());
                if length > (MAX_MESSAGE - before) as u64 { Err((TOO_BIG, "too big")) } else { Ok(()) }
            }
            OpCode::Control(_) => Ok(()),
        }
    }

    fn take_frame(&mut self, header: &FrameHeader, payload: &[u8]) -> Result<(), (u16, &'static str)> {
        match header.opcode {
            OpCode::Control(Control::Ping) => {
                self.worker.hub.borrow_mut().send_frame(self.id, frame::pong(payload));
                Ok(())
            }
            OpCode::Control(Control::Close) => {
                // Answered with the code that was given (section 5.5.1), if it is one that may be sent (7.4).
                match (payload, payload.first_chunk().map(|code| u16::from_be_bytes(*code))) {
                    ([], _) => Err((1000, "")),
                    (_, Some(code @ (1000..=1003 | 1007..=1014 | 3000..=4999))) => Err((code, "")),
                    _ => Err((1002, "no such close code")),
                }
            }
            OpCode::Control(_) => Ok(()),
            OpCode::Data(kind) => match (self.fragments.take(), header.is_final) {
                (None, true) => self.take_message(kind, payload),
                (None, false) => {
                    self.fragments = Some((kind, payload.to_vec()));
                    Ok(())
                }
                (Some((kind, mut message)), is_final) => {
                    message.extend_from_slice(payload);
                    if is_final {
                        return self.take_message(kind, &message);
                    }
                    self.fragments = Some((kind, message));
                    Ok(())
                }
            },
        }
    }

    fn take_message(&self, kind: Data, payload: &[u8]) -> Result<(), (u16, &'static str)> {
        let encoding = self.worker.hub.borrow_mut().socket(self.id).map(|socket| socket.encoding);
        match (encoding, kind) {
            (Some(Encoding::Json), Data::Text) if std::str::from_utf8(payload).is_err() => {
                Err((1007, "not UTF-8"))
            }
            (Some(Encoding::Json), Data::Text) | (Some(Encoding::MessagePack), Data::Binary) => {
                protocol::handle(
                    &self.worker,
                    self.id,
                    self.user,
                    encoding.unwrap_or(Encoding::Json),
                    payload,
                );
                Ok(())
            }
            _ => Err((1003, "this subprotocol has frames of the other kind")),
        }
    }

    fn close(&self, code: u16, reason: &str) {
        let mut hub = self.worker.hub.borrow_mut();
        hub.close(self.id, code, reason);
        if code == TOO_BIG {
            // Its client is in the middle of it: closed at once, the connection would be reset, and the reason lost.
            hub.linger(self.id);
        }
    }
}

impl Future for Conversation {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.partial.is_empty() {
            // Sent together with the handshake, or left when the socket was saturated.
            let mut early = std::mem::take(&mut this.partial);
            let used = this.take_frames(&mut early);
            early.drain(..used);
            this.partial = early;
        }
        {
            let mut hub = this.worker.hub.borrow_mut();
            let Some(socket) = hub.socket(this.id) else { return Poll::Ready(()) };
            if !socket.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                socket.waker = Some(cx.waker().clone());
            }
            while hub.socket(this.id).is_some_and(|socket| socket.blocked) {
                match this.stream.poll_write_ready(cx) {
                    Poll::Ready(Ok(())) => hub.unblock(this.id),
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => break,
                }
            }
        }
        if !this.is_saturated()
            && let Poll::Ready(false) = this.read(cx)
        {
            return Poll::Ready(());
        }
        this.worker.flush_if_needed();
        let waits =
            this.worker.hub.borrow_mut().socket(this.id).is_some_and(|socket| socket.waits_for_peer());
        if waits && this.linger(cx).is_ready() {
            return Poll::Ready(());
        }
        let done = this.worker.hub.borrow_mut().socket(this.id).is_none_or(|socket| socket.is_done());
        if done { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // However the conversation ended, the hub forgets the socket.
        self.worker.hub.borrow_mut().remove(self.id);
    }
}

/// Takes the mask off (RFC 6455, section 5.3), four bytes at a time.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut words = payload.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, mask) in word.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The future of a socket's task, 88 bytes as of now: what it needs to read and to write is the worker's.
    #[test]
    fn an_idle_conversation_is_small() {
        assert!(size_of::<Conversation>() <= 128, "{} bytes", size_of::<Conversation>());
    }
}
