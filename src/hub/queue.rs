//! What waits for one socket: a pure state machine, without a socket, so that its rules can be tested with any sequence
//! of steps.
//!
//! Frames leave whole and in order. Past [`MAX_QUEUED`] bytes nothing more is taken in, and all that has not begun to
//! leave is dropped: the socket lags. Once the rest is written, `resync` takes the place of what was dropped, and frames
//! are taken in again.

use std::{collections::VecDeque, io::IoSlice, time::Instant};

use bytes::Bytes;
use smallvec::SmallVec;

/// Bytes that may wait for one socket. Frames are shared, so what a slow one costs is small; but it has to end.
pub(super) const MAX_QUEUED: usize = 1 << 20;

/// Buffers in one write; the kernel takes 1024.
const MAX_SLICES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Bytes>,
    /// Of `frames`, less what is written of the front one.
    bytes: usize,
    /// Bytes of the front frame that are written.
    written: usize,
    /// Since when frames are dropped.
    lagging: Option<Instant>,
}

/// What became of frames that were pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Queued,
    /// They were one too many: the socket lags from now on.
    Overflowed,
    /// It lagged already.
    Dropped,
}

impl Queue {
    pub(super) fn push(&mut self, frames: Bytes, now: Instant) -> Pushed {
        if self.lagging.is_some() {
            return Pushed::Dropped;
        }
        if self.bytes + frames.len() > MAX_QUEUED {
            self.drop_unwritten();
            self.lagging = Some(now);
            return Pushed::Overflowed;
        }
        self.put(frames);
        Pushed::Queued
    }

    /// The last frame, whatever waits: nothing is resynced after it.
    pub(super) fn push_last(&mut self, frame: Bytes) {
        self.lagging = None;
        self.put(frame);
    }

    fn put(&mut self, frames: Bytes) {
        self.bytes += frames.len();
        self.frames.push_back(frames);
    }

    /// Drops all that has not begun to leave. What is half-written has to be finished, or the stream would be out of step.
    pub(super) fn drop_unwritten(&mut self) {
        self.frames.truncate(usize::from(self.written > 0));
        self.bytes = self.frames.front().map_or(0, |front| front.len() - self.written);
    }

    /// Ends the lag once all is written: `resync` makes the frame that stands for what was dropped.
    pub(super) fn catch_up(&mut self, resync: impl FnOnce() -> Bytes) {
        if self.frames.is_empty() && self.lagging.take().is_some() {
            self.put(resync());
        }
    }

    /// What to write next: at most [`MAX_SLICES`] buffers.
    pub(super) fn slices(&self) -> SmallVec<[IoSlice<'_>; 8]> {
        let frames = self.frames.iter().take(MAX_SLICES).enumerate();
        let unwritten = |place| if place == 0 { self.written } else { 0 };
        frames.map(|(place, frame)| IoSlice::new(&frame[unwritten(place)..])).collect()
    }

    /// The only buffer, if there is just one.
    pub(super) fn only(&self) -> Option<&[u8]> {
        match self.frames.len() {
            1 => self.frames.front().map(|front| &front[self.written..]),
            _ => None,
        }
    }

    /// So many bytes of [`Self::slices`] are written.
    pub(super) fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(front) = self.frames.front() {
            let left = front.len() - self.written;
            if count < left {
                self.written += count;
                return;
            }
            count -= left;
            self.written = 0;
            self.frames.pop_front();
        }
    }

    /// An idle socket holds no buffer.
    pub(super) fn shrink(&mut self) {
        self.frames = VecDeque::new();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn lagging_since(&self) -> Option<Instant> {
        self.lagging
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        /// A frame of so many bytes.
        Push(usize),
        /// The kernel takes so many bytes at most.
        Write(usize),
        DropUnwritten,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1..200_000_usize).prop_map(Step::Push),
            1 => (MAX_QUEUED - 10..MAX_QUEUED + 10).prop_map(Step::Push),
            4 => (0..300_000_usize).prop_map(Step::Write),
            1 => Just(Step::DropUnwritten),
        ]
    }

    /// Frames that tell themselves apart: eight bytes of a number, then zeros.
    fn frame(number: u64, length: usize) -> Bytes {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.resize(length.max(8), 0);
        bytes.into()
    }

    const RESYNC: u64 = u64::MAX;

    proptest! {
        /// Whatever comes in whichever order: frames leave whole and in order, those that are missing are told by one
        /// resync in their place, and no more than the bound ever waits.
        #[test]
        fn queue_loses_nothing_without_a_resync(steps in vec(step(), 1..120)) {
            let (mut queue, now) = (Queue::default(), Instant::now());
            let mut out: Vec<u8> = Vec::new();
            let mut lengths = std::collections::HashMap::from([(RESYNC, 8)]);
            // What is to leave, in order; frames that were dropped are taken out again.
            let mut expected: Vec<u64> = Vec::new();
            let mut next = 0;
            let write = |queue: &mut Queue, out: &mut Vec<u8>, expected: &mut Vec<u64>, mut room: usize| {
                loop {
                    queue.catch_up(|| { expected.push(RESYNC); frame(RESYNC, 8) });
                    let slices = queue.slices();
                    prop_assert!(slices.len() <= MAX_SLICES);
                    if let Some(only) = queue.only() {
                        prop_assert_eq!(only, &*slices[0]);
                    }
                    let mut taken = 0;
                    for slice in &slices {
                        let count = slice.len().min(room - taken);
                        out.extend_from_slice(&slice[..count]);
                        taken += count;
                    }
                    drop(slices);
                    queue.advance(taken);
                    room -= taken;
                    if queue.is_empty() && queue.lagging_since().is_none() || taken == 0 { return Ok(()); }
                }
            };
            for step in steps {
                match step {
                    Step::Push(length) => {
                        let made = frame(next, length);
                        lengths.insert(next, made.len());
                        match queue.push(made, now) {
                            Pushed::Queued => expected.push(next),
                            Pushed::Overflowed => forget_unbegun(&mut expected, &lengths, out.len()),
                            Pushed::Dropped => prop_assert!(queue.lagging_since().is_some()),
                        }
                        next += 1;
                    }
                    Step::Write(room) => write(&mut queue, &mut out, &mut expected, room)?,
                    Step::DropUnwritten => {
                        queue.drop_unwritten();
                        forget_unbegun(&mut expected, &lengths, out.len());
                    }
                }
                prop_assert!(queue.bytes <= MAX_QUEUED);
                prop_assert_eq!(queue.bytes, queue.frames.iter().map(Bytes::len).sum::<usize>() - queue.written);
            }
            write(&mut queue, &mut out, &mut expected, usize::MAX >> 1)?;
            prop_assert!(queue.is_empty() && queue.bytes == 0 && queue.lagging_since().is_none());
            let mut seen = Vec::new();
            let mut rest = &out[..];
            while let Some((number, _)) = rest.split_first_chunk() {
                let number = u64::from_be_bytes(*number);
                let (frame, after) = rest.split_at(lengths[&number]);
                prop_assert!(frame[8..].iter().all(|byte| *byte == 0), "frames are whole");
                seen.push(number);
                rest = after;
            }
            prop_assert_eq!(seen, expected);
        }
    }

    /// Takes out of `expected` what has not begun to leave, `written` bytes being out.
    fn forget_unbegun(
        expected: &mut Vec<u64>,
        lengths: &std::collections::HashMap<u64, usize>,
        written: usize,
    ) {
        let mut begins = 0;
        expected.retain(|number| {
            let is_begun = begins < written;
            begins += lengths[number];
            is_begun
        });
    }

    #[test]
    fn queue_takes_the_close_frame_however_full_it_is() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        assert_eq!(queue.push(frame(0, MAX_QUEUED), now), Pushed::Queued);
        assert_eq!(queue.push(frame(1, 8), now), Pushed::Overflowed);
        queue.push_last(frame(2, 8));
        assert_eq!(queue.only().map(<[u8]>::len), Some(8), "what had not begun to leave is dropped");
        assert!(queue.lagging_since().is_none());
    }
}
