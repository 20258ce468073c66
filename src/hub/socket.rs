//! A socket as the hub has it.

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

/// A closed socket gets so long to take its close frame.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Names a socket of this worker; the serial tells it from an earlier one in the same slot.
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
    /// The rooms it has joined, the last one last.
    pub(crate) joined: SmallVec<[RoomId; 2]>,
    pub(super) queue: Queue,
    /// It is on the hub's list of those to write to.
    pub(super) dirty: bool,
    /// The kernel's buffer is full: its task waits until it is not.
    pub(crate) blocked: bool,
    /// Nothing but what is queued is to be written; then the connection ends.
    pub(super) closing: Option<Instant>,
    /// Once all is written, the connection ends only when its client has ended it too.
    pub(super) lingers: bool,
    pub(crate) dead: bool,
    pub(crate) waker: Option<Waker>,
    /// Seconds of the hub's clock at which something was heard of it.
    pub(crate) heard: u32,
    pub(crate) typed: u32,
    /// Messages posted and not yet answered.
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

    /// All is written, or nobody reads it: the connection can end.
    pub(crate) fn is_done(&self) -> bool {
        let is_written = self.is_written() && !self.lingers;
        self.dead || self.closing.is_some_and(|since| is_written || since.elapsed() > CLOSE_WITHIN)
    }

    /// Over TLS there may be something left that the kernel did not take, with nothing on the queue.
    fn is_written(&self) -> bool {
        self.queue.is_empty() && !self.blocked
    }

    /// All is written, and the client is still to end the connection.
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

    /// What every socket has in the hub, however idle it is: 168 bytes as of now.
    #[test]
    fn socket_is_small() {
        assert!(size_of::<Option<Socket>>() <= 192, "{} bytes", size_of::<Option<Socket>>());
    }
}
