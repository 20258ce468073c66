//! Replays: what a room's history has for sockets that were away, read in pieces as they take them.

use bytes::{Bytes, BytesMut};

use super::Worker;
use crate::{
    hub::Replay,
    types::UserId,
    wire::{
        Event,
        frame::{self, Encoding},
    },
};

/// Bytes of a piece: it ends with the event that reaches this.
const PIECE: usize = 64 << 10;

impl Worker {
    /// Reads the next piece of a replay for up to `count` sockets that have received everything before it.
    pub(crate) fn read_replays(&self, count: usize) {
        for _ in 0..count {
            let Some((id, user, encoding, replay)) = self.hub.borrow_mut().next_awaiting() else { return };
            let (frames, rest) = self.piece(user, encoding, replay).unwrap_or_else(|error| {
                tracing::error!(%error, room = replay.room.0, "could not read what a socket has missed");
                (self.resync(encoding), None)
            });
            self.hub.borrow_mut().fill(id, frames, rest);
        }
    }

    fn piece(
        &self,
        user: UserId,
        encoding: Encoding,
        replay: Replay,
    ) -> rusqlite::Result<(Bytes, Option<Replay>)> {
        let Replay { room, since, until } = replay;
        if self.state.borrow().involvement(room, user).is_none() {
            return Ok((Bytes::new(), None));
        }
        if since < self.reader.pruned_up_to()? {
            return Ok((self.resync(encoding), None));
        }
        let (events, is_all) = self.reader.replay(room, since, until, PIECE)?;
        let mut frames = BytesMut::new();
        for (seq, change) in &events {
            frame::put_frame(&mut frames, encoding, &change.json(*seq));
        }
        let rest = events.last().filter(|_| !is_all).map(|(seq, _)| Replay { since: *seq, ..replay });
        Ok((frames.freeze(), rest))
    }

    fn resync(&self, encoding: Encoding) -> Bytes {
        frame::frame(encoding, &Event::Resync { seq: self.state.borrow().seq }.json())
    }
}
