//! What the hub stores for one socket.

use std::{
    rc::Rc,
    task::Waker,
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::{
    budget::{Joins, Typing},
    queue::Queue,
};
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
    /// It is in the hub's list of sockets that want the next piece of a replay.
    pub(super) awaits_replay: bool,
    /// Nothing is read until the client has taken its answers.
    pub(super) paused: bool,
    pub(crate) waker: Option<Waker>,
    /// When bytes were last received, in seconds of the hub's clock.
    pub(crate) heard: u32,
    pub(crate) joins: Joins,
    /// None until it types.
    pub(super) typing: Option<Box<Typing>>,
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
            awaits_replay: false,
            paused: false,
            waker: None,
            heard: clock,
            joins: Joins::default(),
            typing: None,
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

    /// Whether others are told that it begins or ends typing in a room.
    pub(crate) fn types(&mut self, room: RoomId, is_active: bool, clock: u32) -> bool {
        self.typing.get_or_insert_default().change(room, is_active, clock)
    }

    /// Whether frames may still be queued.
    pub(super) fn is_open(&self) -> bool {
        self.closing.is_none() && !self.dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The memory of an idle socket in the hub.
    #[test]
    fn socket_is_small() {
        assert!(size_of::<Option<Socket>>() <= 192, "{} bytes", size_of::<Option<Socket>>());
    }
}
