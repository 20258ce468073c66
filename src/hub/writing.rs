//! Writing queues to connections: the frames of a queue are written together.

use bytes::Bytes;

use super::{
    Hub, Socket, SocketId,
    queue::{Now, Pushed, Replay},
};
use crate::{
    types::UserId,
    wire::{
        Event,
        frame::{self, Encoding},
    },
};

/// Posts of one socket without an acknowledgement; with that many nothing more is read from it.
const MAX_UNDER_WAY: u32 = 256;

impl Hub {
    /// Queues an answer to what a client sent, in its encoding.
    pub(crate) fn answer(&mut self, id: SocketId, json: &[u8]) {
        let Some(encoding) = self.socket(id).map(|socket| socket.encoding) else { return };
        self.answer_frame(id, frame::frame(encoding, json));
    }

    pub(crate) fn answer_frame(&mut self, id: SocketId, frame: Bytes) {
        let Some(socket) = self.socket(id).filter(|socket| socket.is_open()) else { return };
        socket.queue.push_answer(frame);
        self.mark(id.slot);
    }

    /// Queues what a client has missed: see [`Self::wanted_replay`].
    pub(crate) fn replay(&mut self, id: SocketId, replay: Replay) {
        let Some(socket) = self.socket(id).filter(|socket| socket.is_open()) else { return };
        socket.queue.push_replay(replay);
        self.mark(id.slot);
    }

    /// Queues frames of events.
    pub(super) fn push(&mut self, slot: u32, frames: Bytes) {
        let now = Now { clock: self.clock, turn: self.turn };
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        if !socket.is_open() {
            return;
        }
        if !socket.blocked && socket.queue.is_crowded_by(&frames) {
            // What the kernel takes now is not too much.
            self.write(slot);
        }
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        if socket.queue.push(frames, now) == Pushed::Overflowed {
            self.slow.push(SocketId { slot, serial: socket.serial });
            self.metrics.resyncs.add(1);
        }
        self.mark(slot);
    }

    /// Has a socket written to at the next flush, unless it waits for the kernel. One that lags needs that for its
    /// `resync`, even if all its frames were dropped.
    fn mark(&mut self, slot: u32) {
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        if !socket.dirty && !socket.blocked {
            socket.dirty = true;
            self.dirty.push_back(slot);
        }
    }

    pub(crate) fn has_frames(&self) -> bool {
        !self.dirty.is_empty() || !self.awaiting_replay.is_empty()
    }

    /// Writes to at most `count` of the sockets that have frames.
    pub(crate) fn flush_some(&mut self, count: usize) {
        for _ in 0..count {
            let Some(slot) = self.dirty.pop_front() else { return };
            if let Some(socket) = self.sockets[slot as usize].as_mut() {
                socket.dirty = false;
                self.write(slot);
            }
        }
    }

    /// Writes as much of the queue as the kernel accepts.
    pub(crate) fn write(&mut self, slot: u32) {
        let seq = self.seq;
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        loop {
            socket.queue.catch_up(|| frame::frame(socket.encoding, &Event::Resync { seq }.json()));
            let awaits_replay = socket.queue.wanted().is_some();
            let written = if socket.queue.is_empty() || awaits_replay {
                // Over TLS, encrypted bytes may still wait for the kernel.
                match socket.stream.try_flush() {
                    Ok(()) if awaits_replay => {
                        if !std::mem::replace(&mut socket.awaits_replay, true) {
                            self.awaiting_replay.push_back(SocketId { slot, serial: socket.serial });
                        }
                        break;
                    }
                    Ok(()) => {
                        socket.queue.shrink();
                        break;
                    }
                    Err(error) => Err(error),
                }
            } else if let Some(only) = socket.queue.only() {
                // send() of one buffer takes 2 to 10 % less time than writev().
                socket.stream.try_write(only)
            } else {
                socket.stream.try_write_vectored(&socket.queue.slices())
            };
            match written {
                Ok(count) => {
                    self.metrics.writes.add(1);
                    self.metrics.written_bytes.add(count as u64);
                    socket.queue.advance(count);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    socket.blocked = true;
                    socket.wake();
                    return;
                }
                Err(_) => {
                    socket.dead = true;
                    break;
                }
            }
        }
        if socket.dead || socket.closing.is_some() {
            socket.wake();
        } else if socket.paused && !socket.queue.has_many_answers() {
            socket.paused = false;
            socket.wake();
        }
    }

    /// Whether nothing more is read from a socket for now: it is closing, too many posts wait for the writer, or it
    /// does not take its answers. Its task is woken once that changes.
    pub(crate) fn is_saturated(&mut self, id: SocketId) -> bool {
        let has_many = |socket: &Socket| socket.queue.has_many_answers();
        if self.draining.is_some() {
            return true;
        }
        if self.socket(id).is_some_and(|socket| has_many(socket) && !socket.blocked) {
            self.write(id.slot);
        }
        let Some(socket) = self.socket(id) else { return true };
        socket.paused = has_many(socket);
        socket.paused || !socket.is_open() || socket.under_way >= MAX_UNDER_WAY
    }

    /// The next socket that has written everything before a replay, with its user and what it wants. It gets it by
    /// [`Self::fill`].
    pub(crate) fn next_awaiting(&mut self) -> Option<(SocketId, UserId, Encoding, Replay)> {
        while let Some(id) = self.awaiting_replay.pop_front() {
            let Some(socket) = self.socket(id).filter(|socket| socket.is_open()) else { continue };
            socket.awaits_replay = false;
            if let Some(replay) = socket.queue.wanted() {
                return Some((id, socket.user, socket.encoding, replay));
            }
        }
        None
    }

    /// Queues the next piece of a replay, and what is left of it.
    pub(crate) fn fill(&mut self, id: SocketId, frames: Bytes, rest: Option<Replay>) {
        if let Some(socket) = self.socket(id).filter(|socket| socket.queue.wanted().is_some()) {
            socket.queue.fill(frames, rest);
            self.mark(id.slot);
        }
    }

    /// The kernel accepts bytes of this socket again.
    pub(crate) fn unblock(&mut self, id: SocketId) {
        if let Some(socket) = self.socket(id) {
            socket.blocked = false;
            self.write(id.slot);
        }
    }
}
