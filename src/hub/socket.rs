//! What the hub stores for one socket.

use std::{
    rc::Rc,
    task::Waker,
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::queue::Queue;
use crate::{
    transport::Transport,
    types::{RoomId, SessionId, UserId},
    wire::frame::Encoding,
};

/// How long a client may take to receive its close frame.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Identifies a socket of this worker; the serial distinguishes it from earlier ones in the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketId {
    pub(super) slot: u32,
    pub(super) serial: u32,
}

pub(crate) struct Socket {
    pub(super) serial: u32,
    pub(crate) user: UserId,
    pub(super) session: SessionId,
    pub(crate) encoding: Encoding,
    pub(super) stream: Rc<Transport>,
    /// The rooms it has joined, in order of joining.
    pub(crate) joined: SmallVec<[RoomId; 2]>,
    pub(super) queue: Queue,
    /// It is in the hub's list of sockets to write to.
    pub(super) dirty: bool,
    /// The kernel's buffer is full; the socket's task waits for room.
    pub(crate) blocked: bool,
    /// Since when it is being closed: what is queued is written, then the connection ends.
    pub(super) closing: Option<Instant>,
    /// Once all is written, the connection stays open until the client ends it.
    pub(super) lingers: bool,
    pub(crate) dead: bool,
    pub(crate) waker: Option<Waker>,
    /// When bytes were last received, in seconds of the hub's clock.
    pub(crate) heard: u32,
    /// When `typing` was last broadcast, in seconds of the hub's clock; 0 for not typing.
    pub(crate) typed: u32,
    /// Messages posted and not yet acknowledged.
    pub(crate) under_way: u32,
}

impl Socket {
    pub(super) fn new(
        serial: u32,
        user: UserId,
        session: SessionId,
        encoding: Encoding,
        stream: Rc<Transport>,
        clock: u32,
    ) -> Self {
        Self {
            serial,
            user,
            session,
            encoding,
            stream,
            joined: SmallVec::new(),
            queue: Queue::default(),
            dirty: false,
            blocked: false,
            closing: None,
            lingers: false,
            dead: false,
            waker: None,
            heard: clock,
            typed: 0,
            under_way: 0,
        }
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Whether the connection can end: everything is written, or the client does not receive it in time.
    pub(crate) fn is_done(&self) -> bool {
        let is_written = self.is_written() && !self.lingers;
        self.dead || self.closing.is_some_and(|since| is_written || since.elapsed() > CLOSE_TIMEOUT)
    }

    /// An empty queue is not enough: over TLS, encrypted bytes may still wait for the kernel, which sets `blocked`.
    fn is_written(&self) -> bool {
        self.queue.is_empty() && !self.blocked
    }

    /// Whether only the client still has to end the connection.
    pub(crate) fn waits_for_peer(&self) -> bool {
        self.lingers && self.is_written() && !self.dead
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The memory of an idle socket in the hub: 168 bytes at present.
    #[test]
    fn socket_is_small() {
        assert!(size_of::<Option<Socket>>() <= 192, "{} bytes", size_of::<Option<Socket>>());
    }
}
