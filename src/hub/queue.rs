//! The outgoing queue of one socket: a state machine without I/O, so that it can be tested with any sequence of steps.
//!
//! It holds events, answers to what the client sent, and replays: what a room's history has for a client that was away.
//! All are written whole and in order; a replay is read from the database once everything before it is written, a piece
//! at a time.
//!
//! More than [`MAX_QUEUED`] bytes are queued only by a burst: what is committed at once or shortly after another, for a
//! client that had kept up before. It has [`BURST_S`] to catch up. A push beyond that drops all events and replays of which nothing is written:
//! the socket lags, and further events are dropped. Once the rest is written, a `resync` event replaces what was
//! dropped, and the queue accepts events again. Answers are never dropped; a client that does not take them is not read
//! from ([`Queue::has_many_answers`]).

use std::{collections::VecDeque, io::IoSlice};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    memory,
    types::{RoomId, Seq},
};

/// Bytes queued for one socket. Frames are shared between sockets, but a slow client must not hold them for ever.
const MAX_QUEUED: usize = 1 << 20;

/// Seconds in which a client has to receive a burst. The clock counts whole ones, so it may be one less.
const BURST_S: u32 = 2;

/// Bytes queued by a burst of one turn: an eighth of the memory there is, within bounds.
fn max_burst() -> usize {
    ((memory::limit() / 8) as usize).clamp(MAX_BURST_OF_TURNS, 64 << 20)
}

/// The same of several turns.
const MAX_BURST_OF_TURNS: usize = 4 << 20;

/// Bytes of answers from which on nothing more is read from the client.
const MAX_ANSWERS: u32 = 256 << 10;

/// Buffers in one write; the kernel takes 1024.
const MAX_SLICES: usize = 64;

#[derive(Debug)]
enum Item {
    Event(Bytes),
    Answer(Bytes),
    Replay(Replay),
}

/// The events of a room after `since` and up to `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replay {
    pub(crate) room: RoomId,
    pub(crate) since: Seq,
    pub(crate) until: Seq,
}

impl Item {
    /// The frames; None for a replay.
    fn frames(&self) -> Option<&Bytes> {
        match self {
            Self::Event(frames) | Self::Answer(frames) => Some(frames),
            Self::Replay(_) => None,
        }
    }

    fn len(&self) -> usize {
        self.frames().map_or(0, Bytes::len)
    }
}

/// The time of a push.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Now {
    /// In seconds.
    pub(super) clock: u32,
    /// What is pushed in the same turn was committed together: no client could receive some of it before the rest.
    pub(super) turn: u32,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    /// Bytes in `items` that are not yet written.
    bytes: usize,
    /// Bytes of the front item that are written.
    written: u32,
    /// Bytes of the answers in `items`.
    answers: u32,
    /// The turn of the last push, and the bytes queued before it.
    turn: u32,
    before: u32,
    /// Bytes that are allowed for the time of a burst.
    burst: u32,
    /// When the last burst or lag began.
    since: u32,
    lags: bool,
}

/// What became of an event that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Queued,
    /// Dropped, with the events before it: the socket lags from now on.
    Overflowed,
    /// Dropped: the socket lagged already.
    Dropped,
}

impl Queue {
    /// Queues frames of events.
    pub(super) fn push(&mut self, frames: Bytes, now: Now) -> Pushed {
        if self.lags {
            return Pushed::Dropped;
        }
        if self.turn != now.turn {
            self.turn = now.turn;
            self.before = self.bytes as u32;
        }
        let bytes = self.bytes + frames.len();
        if bytes > MAX_QUEUED && !self.allows(bytes, now.clock) {
            self.drop_events();
            self.lags = true;
            self.since = now.clock;
            return Pushed::Overflowed;
        }
        self.put(Item::Event(frames));
        Pushed::Queued
    }

    /// Whether more than [`MAX_QUEUED`] bytes may be queued.
    fn allows(&mut self, bytes: usize, clock: u32) -> bool {
        if self.before as usize <= MAX_QUEUED && bytes <= max_burst() {
            self.burst = bytes.max(MAX_BURST_OF_TURNS) as u32;
            self.since = clock;
            return true;
        }
        bytes <= self.burst as usize && clock.saturating_sub(self.since) < BURST_S
    }

    /// Whether more than [`MAX_QUEUED`] bytes would be queued with these.
    pub(super) fn is_crowded_by(&self, frames: &Bytes) -> bool {
        self.bytes + frames.len() > MAX_QUEUED
    }

    /// Queues a frame that is never dropped.
    pub(super) fn push_answer(&mut self, frame: Bytes) {
        self.put(Item::Answer(frame));
    }

    /// Queues what a client has missed. A lagging socket gets a `resync` instead.
    pub(super) fn push_replay(&mut self, replay: Replay) {
        if !self.lags {
            self.put(Item::Replay(replay));
        }
    }

    /// Queues the last frame; no replay or `resync` comes before it.
    pub(super) fn push_last(&mut self, frame: Bytes) {
        self.lags = false;
        self.items.retain(|item| !matches!(item, Item::Replay(_)));
        self.put(Item::Answer(frame));
    }

    fn put(&mut self, item: Item) {
        self.bytes += item.len();
        if let Item::Answer(frame) = &item {
            self.answers += frame.len() as u32;
        }
        self.items.push_back(item);
    }

    /// Drops what has not begun to be written. A partly written frame stays, or the client would misread the stream.
    pub(super) fn drop_unwritten(&mut self) {
        self.retain(|_| false);
    }

    fn drop_events(&mut self) {
        self.retain(|item| matches!(item, Item::Answer(_)));
    }

    /// Drops the replays of a room.
    pub(super) fn drop_replays(&mut self, room: RoomId) {
        self.retain(|item| !matches!(item, Item::Replay(replay) if replay.room == room));
    }

    fn retain(&mut self, wanted: impl Fn(&Item) -> bool) {
        let mut is_begun = self.written > 0;
        self.items.retain(|item| std::mem::take(&mut is_begun) || wanted(item));
        self.bytes = self.items.iter().map(Item::len).sum::<usize>() - self.written as usize;
        let answers = self.items.iter().filter(|item| matches!(item, Item::Answer(_)));
        self.answers = answers.map(Item::len).sum::<usize>() as u32;
    }

    /// Ends the lag once all is written: queues the event that `resync` makes.
    pub(super) fn catch_up(&mut self, resync: impl FnOnce() -> Bytes) {
        if self.lags && self.items.is_empty() {
            self.lags = false;
            self.put(Item::Event(resync()));
        }
    }

    /// The replay of which the next piece is wanted, since everything before it is written.
    pub(super) fn wanted(&self) -> Option<Replay> {
        match self.items.front() {
            Some(Item::Replay(replay)) => Some(*replay),
            _ => None,
        }
    }

    /// Replaces the wanted replay by the frames of its next piece, and what is left of it.
    pub(super) fn fill(&mut self, frames: Bytes, rest: Option<Replay>) {
        debug_assert!(self.wanted().is_some());
        self.items.pop_front();
        if let Some(rest) = rest {
            self.items.push_front(Item::Replay(rest));
        }
        if !frames.is_empty() {
            self.bytes += frames.len();
            self.items.push_front(Item::Event(frames));
        }
    }

    /// The buffers to write next, at most [`MAX_SLICES`].
    pub(super) fn slices(&self) -> SmallVec<[IoSlice<'_>; 8]> {
        let frames = self.items.iter().map_while(Item::frames).take(MAX_SLICES).enumerate();
        let unwritten = |place| if place == 0 { self.written as usize } else { 0 };
        frames.map(|(place, frame)| IoSlice::new(&frame[unwritten(place)..])).collect()
    }

    /// The only buffer to write next, if there is just one.
    pub(super) fn only(&self) -> Option<&[u8]> {
        match self.items.get(1) {
            None | Some(Item::Replay(_)) => {
                self.items.front().and_then(Item::frames).map(|frames| &frames[self.written as usize..])
            }
            Some(_) => None,
        }
    }

    /// Removes `count` bytes, which are written.
    pub(super) fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        if self.bytes <= MAX_QUEUED {
            self.burst = 0;
        }
        while let Some(frames) = self.items.front().and_then(Item::frames) {
            let left = frames.len() - self.written as usize;
            if count < left {
                self.written += count as u32;
                return;
            }
            count -= left;
            self.written = 0;
            if let Some(Item::Answer(frame)) = self.items.pop_front() {
                self.answers -= frame.len() as u32;
            }
        }
    }

    /// Frees the buffer, which an idle socket does not need.
    pub(super) fn shrink(&mut self) {
        self.items = VecDeque::new();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether so much is not taken by the client that nothing more is read from it.
    pub(super) fn has_many_answers(&self) -> bool {
        self.answers > MAX_ANSWERS
    }

    /// When it began to lag, by the clock; None if it does not.
    pub(super) fn lagging_since(&self) -> Option<u32> {
        self.lags.then_some(self.since)
    }
}

#[cfg(test)]
mod tests;
