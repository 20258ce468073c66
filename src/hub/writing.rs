//! From queues to connections: what has gathered on a queue leaves in one write.

use std::time::Instant;

use bytes::Bytes;

use super::{Hub, SocketId, queue::Pushed};
use crate::wire::{Event, frame};

impl Hub {
    pub(crate) fn send(&mut self, id: SocketId, json: &[u8]) {
        let Some(encoding) = self.socket(id).map(|socket| socket.encoding) else { return };
        self.push(id.slot, frame::frame(encoding, json));
    }

    pub(crate) fn send_frame(&mut self, id: SocketId, frame: Bytes) {
        if self.socket(id).is_some() {
            self.push(id.slot, frame);
        }
    }

    pub(super) fn push(&mut self, slot: u32, frames: Bytes) {
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        if socket.closing.is_some() || socket.dead {
            return;
        }
        match socket.queue.push(frames, Instant::now()) {
            Pushed::Queued => {}
            Pushed::Dropped => return,
            Pushed::Overflowed => {
                self.slow.push(SocketId { slot, serial: socket.serial });
                self.metrics.resyncs.add(1);
                return;
            }
        }
        if !socket.dirty && !socket.blocked {
            socket.dirty = true;
            self.dirty.push_back(slot);
        }
    }

    pub(crate) fn has_frames(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Writes to some of the sockets that have frames; true if there are more.
    pub(crate) fn flush_some(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let Some(slot) = self.dirty.pop_front() else { return false };
            if let Some(socket) = self.sockets[slot as usize].as_mut() {
                socket.dirty = false;
                self.write(slot);
            }
        }
        !self.dirty.is_empty()
    }

    /// Writes what the kernel takes.
    pub(crate) fn write(&mut self, slot: u32) {
        let seq = self.seq;
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        loop {
            socket.queue.catch_up(|| frame::frame(socket.encoding, &Event::Resync { seq }.json()));
            let written = if socket.queue.is_empty() {
                socket.queue.shrink();
                // Over TLS there may be something encrypted that the kernel did not take.
                match socket.stream.try_flush() {
                    Ok(()) => break,
                    Err(error) => Err(error),
                }
            } else if let Some(only) = socket.queue.only() {
                // One buffer by itself leaves by send(), which takes 2 to 10 % less than writev().
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
        }
    }

    /// The kernel takes bytes of this socket again.
    pub(crate) fn unblock(&mut self, id: SocketId) {
        if let Some(socket) = self.socket(id) {
            socket.blocked = false;
            self.write(id.slot);
        }
    }
}
