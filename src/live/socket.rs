//! The task of one WebSocket connection: reads frames into the worker's shared buffer, checks them and hands messages
//! to [`protocol`]. It owns no buffer while it is idle.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

use super::protocol::{self, Client};
use crate::{
    chat::{Viewer, mail},
    hub::{HEARTBEAT_S, SIGNED_OUT, SocketId},
    transport::Transport,
    types::event::EphemeralEvent,
    wire::{
        Event,
        frame::{self, Encoding},
    },
    worker::Worker,
};

const TOO_BIG: u16 = 1009;

/// The largest message that a client may send.
const MAX_MESSAGE: usize = 256 << 10;

/// The task of a socket.
pub(super) struct SocketTask {
    worker: Rc<Worker>,
    id: SocketId,
    client: Client,
    stream: Rc<Transport>,
    /// Bytes received that are not yet handled: an incomplete frame, or frames left while the socket was saturated.
    partial: Vec<u8>,
    /// The parts of a fragmented message.
    fragments: Option<(Data, Vec<u8>)>,
    /// The sending direction is ended.
    finished: bool,
}

impl SocketTask {
    pub(super) fn start(
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
        if !worker.state.borrow().has_session(viewer.session) {
            worker.hub.borrow_mut().close(id, SIGNED_OUT, "signed out");
        }
        let hello = {
            let state = worker.state.borrow();
            let (seq, history) = (state.seq, state.epochs.current());
            Event::Hello { user_id: user, seq, history, heartbeat_s: HEARTBEAT_S }.json()
        };
        worker.hub.borrow_mut().answer(id, &hello);
        worker.hub.borrow_mut().close_going_away(id);
        worker.broadcast(EphemeralEvent::Online { user, change: 1 });
        mail::came_here(&worker, user);
        let client = Client { user, may_write: viewer.may_write };
        Self { worker, id, client, stream, partial: early.to_vec(), fragments: None, finished: false }
    }

    /// Reads and handles what is available. False when the connection has ended.
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
                    let used = self.handle_frames(&mut scratch[..count]);
                    self.partial.extend_from_slice(&scratch[used..count]);
                }
                Ok(count) => {
                    let mut whole = std::mem::take(&mut self.partial);
                    whole.extend_from_slice(&scratch[..count]);
                    drop(scratch);
                    let used = self.handle_frames(&mut whole);
                    if used < whole.len() {
                        whole.drain(..used);
                        self.partial = whole;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(false),
            }
            if self.is_saturated() {
                return Poll::Pending;
            }
        }
    }

    /// Whether nothing more is read now.
    fn is_saturated(&self) -> bool {
        self.worker.hub.borrow_mut().is_saturated(self.id)
    }

    /// Ends the sending direction and discards what is received until the client ends the connection.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.finished, true) {
            // If the connection has ended, the read returns an error.
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

    /// Handles the complete frames in a buffer and returns their length in bytes.
    fn handle_frames(&mut self, buffer: &mut [u8]) -> usize {
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
                    self.close(1002, "invalid frame header");
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
            if let Err((code, reason)) = self.handle_frame(&header, payload) {
                self.close(code, reason);
                return buffer.len();
            }
            used = end;
        }
    }

    /// Checks a frame by its header alone (RFC 6455, section 5.2 to 5.5); an error is a close code and a reason.
    fn check(&self, header: &FrameHeader, length: u64) -> Result<(), (u16, &'static str)> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err((1002, "reserved bits must not be set"));
        }
        if header.mask.is_none() {
            return Err((1002, "frames of a client must be masked"));
        }
        match header.opcode {
            OpCode::Control(_) if length > 125 || !header.is_final => {
                Err((1002, "a control frame must have at most 125 bytes and not be fragmented"))
            }
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                Err((1002, "unknown opcode"))
            }
            OpCode::Data(Data::Continue) if self.fragments.is_none() => Err((1002, "no message to continue")),
            OpCode::Data(Data::Text | Data::Binary) if self.fragments.is_some() => {
                Err((1002, "expected a continuation of the message"))
            }
            OpCode::Data(_) => {
                let before = self.fragments.as_ref().map_or(0, |(_, bytes)| bytes.len());
                if length > (MAX_MESSAGE - before) as u64 {
                    Err((TOO_BIG, "message too big"))
                } else {
                    Ok(())
                }
            }
            OpCode::Control(_) => Ok(()),
        }
    }

    fn handle_frame(&mut self, header: &FrameHeader, payload: &[u8]) -> Result<(), (u16, &'static str)> {
        match header.opcode {
            OpCode::Control(Control::Ping) => {
                self.worker.hub.borrow_mut().answer_frame(self.id, frame::pong(payload));
                Ok(())
            }
            OpCode::Control(Control::Close) => {
                // Echoes the code (section 5.5.1), if it is one that may be sent (section 7.4).
                match payload.split_first_chunk().map(|(code, reason)| (u16::from_be_bytes(*code), reason)) {
                    None if payload.is_empty() => Err((1000, "")),
                    Some((code @ (1000..=1003 | 1007..=1014 | 3000..=4999), reason)) => {
                        // Section 5.5.1: the reason is UTF-8.
                        std::str::from_utf8(reason).map_err(|_| (1007, "not UTF-8")).and(Err((code, "")))
                    }
                    _ => Err((1002, "invalid close code")),
                }
            }
            OpCode::Control(_) => Ok(()),
            OpCode::Data(kind) => match (self.fragments.take(), header.is_final) {
                (None, true) => self.handle_message(kind, payload),
                (None, false) => {
                    self.fragments = Some((kind, payload.to_vec()));
                    Ok(())
                }
                (Some((kind, mut message)), is_final) => {
                    message.extend_from_slice(payload);
                    if is_final {
                        return self.handle_message(kind, &message);
                    }
                    self.fragments = Some((kind, message));
                    Ok(())
                }
            },
        }
    }

    fn handle_message(&self, kind: Data, payload: &[u8]) -> Result<(), (u16, &'static str)> {
        let encoding = self.worker.hub.borrow_mut().socket(self.id).map(|socket| socket.encoding);
        match (encoding, kind) {
            (Some(Encoding::Json), Data::Text) if std::str::from_utf8(payload).is_err() => {
                Err((1007, "not UTF-8"))
            }
            (Some(Encoding::Json), Data::Text) | (Some(Encoding::MessagePack), Data::Binary) => {
                protocol::handle(
                    &self.worker,
                    self.id,
                    self.client,
                    encoding.unwrap_or(Encoding::Json),
                    payload,
                );
                Ok(())
            }
            _ => Err((1003, "wrong type of frame for this subprotocol")),
        }
    }

    fn close(&self, code: u16, reason: &str) {
        let mut hub = self.worker.hub.borrow_mut();
        hub.close(self.id, code, reason);
        if code == TOO_BIG {
            // The client is still sending: closing now would reset the connection and lose the reason.
            hub.linger(self.id);
        }
    }
}

impl Future for SocketTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.partial.is_empty() {
            // Received with the handshake, or left when the socket was saturated.
            let mut early = std::mem::take(&mut this.partial);
            let used = this.handle_frames(&mut early);
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

impl Drop for SocketTask {
    fn drop(&mut self) {
        // However the task ends, the hub removes the socket.
        self.worker.hub.borrow_mut().remove(self.id);
    }
}

/// Removes the mask (RFC 6455, section 5.3), four bytes at a time.
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

    /// The memory of an idle socket's task: 88 bytes at present, since its buffers are the worker's.
    #[test]
    fn idle_socket_task_is_small() {
        assert!(size_of::<SocketTask>() <= 128, "{} bytes", size_of::<SocketTask>());
    }
}
