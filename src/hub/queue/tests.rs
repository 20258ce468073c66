use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// An event of so many bytes.
    Push(usize),
    Answer(usize),
    /// A replay of so many pieces.
    Replay(i64),
    DropReplays,
    /// The kernel takes so many bytes at most.
    Write(usize),
    DropUnwritten,
    /// Some seconds pass.
    Wait(u32),
    Turn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..200_000_usize).prop_map(Step::Push),
        1 => (MAX_QUEUED - 10..MAX_QUEUED + 10).prop_map(Step::Push),
        3 => (1..20_000_usize).prop_map(Step::Answer),
        2 => (0..4_i64).prop_map(Step::Replay),
        6 => (0..300_000_usize).prop_map(Step::Write),
        1 => Just(Step::DropReplays),
        1 => Just(Step::DropUnwritten),
        2 => (1..4_u32).prop_map(Step::Wait),
        6 => Just(Step::Turn),
    ]
}

const ROOM: RoomId = RoomId(1);
/// Longer than any other frame but those at the bound.
const PIECE: usize = 200_001;

/// Distinguishable frames: eight bytes of a number, then zeros.
fn frame(number: u64, length: usize) -> Bytes {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(length.max(8), 0);
    bytes.into()
}

const RESYNC: u64 = u64::MAX;

/// What is expected of a queue: frames in order, without those that were dropped.
#[derive(Default)]
struct Model {
    queue: Queue,
    out: Vec<u8>,
    expected: Vec<Expected>,
    /// Of the next frame. The numbers of a replay's pieces follow its `since`.
    next: u64,
    now: Now,
}

struct Expected {
    number: u64,
    length: usize,
    is_answer: bool,
    is_replay: bool,
}

impl Model {
    fn expect(&mut self, length: usize, is_answer: bool, is_replay: bool) -> Bytes {
        self.next += 1;
        let made = frame(self.next, length);
        self.expected.push(Expected { number: self.next, length: made.len(), is_answer, is_replay });
        made
    }

    /// Removes the frames that begin at or after what is written, but for those that stay.
    fn forget_unbegun(&mut self, stays: impl Fn(&Expected) -> bool) {
        let (mut begins, written) = (0, self.out.len());
        self.expected.retain(|frame| {
            let is_begun = begins < written;
            begins += frame.length;
            is_begun || stays(frame)
        });
    }

    fn write(&mut self, mut room: usize) -> Result<(), TestCaseError> {
        loop {
            let expected = &mut self.expected;
            self.queue.catch_up(|| {
                expected.push(Expected { number: RESYNC, length: 8, is_answer: false, is_replay: false });
                frame(RESYNC, 8)
            });
            if let Some(Replay { room, since, until }) = self.queue.wanted() {
                prop_assert_eq!((self.queue.written, self.queue.slices().len()), (0, 0));
                let rest = Replay { room, since: Seq(since.0 + 1), until };
                let piece = if since < until { frame(since.0 as u64 + 1, PIECE) } else { Bytes::new() };
                self.queue.fill(piece, Some(rest).filter(|rest| rest.since < until));
            }
            let slices = self.queue.slices();
            prop_assert!(slices.len() <= MAX_SLICES);
            if let Some(only) = self.queue.only() {
                prop_assert_eq!((only, slices.len()), (&*slices[0], 1));
            }
            let mut taken = 0;
            for slice in &slices {
                let count = slice.len().min(room - taken);
                self.out.extend_from_slice(&slice[..count]);
                taken += count;
            }
            let is_stuck = taken == 0 && !slices.is_empty();
            drop(slices);
            self.queue.advance(taken);
            room -= taken;
            if is_stuck || self.queue.is_empty() && !self.queue.lags {
                return Ok(());
            }
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.now;
        match step {
            Step::Push(length) => {
                let made = self.expect(length, false, false);
                let before = self.queue.bytes + made.len();
                match self.queue.push(made, now) {
                    Pushed::Queued => {
                        let Queue { bytes, before, burst, since, .. } = self.queue;
                        let has_kept_up = before as usize <= MAX_QUEUED;
                        let has_time = bytes <= burst as usize && now.clock - since < BURST_S;
                        prop_assert!(bytes <= MAX_QUEUED || has_kept_up || has_time);
                    }
                    Pushed::Overflowed => {
                        prop_assert!(before > MAX_QUEUED && self.queue.before as usize > MAX_QUEUED);
                        prop_assert_eq!(self.queue.lagging_since(), Some(now.clock));
                        self.forget_unbegun(|frame| frame.is_answer);
                    }
                    Pushed::Dropped => {
                        prop_assert!(self.queue.lagging_since().is_some());
                        self.expected.pop();
                    }
                }
            }
            Step::Answer(length) => {
                let made = self.expect(length, true, false);
                self.queue.push_answer(made);
            }
            Step::Replay(pieces) => {
                let since = Seq(self.next as i64);
                let replay = Replay { room: ROOM, since, until: Seq(since.0 + pieces) };
                self.queue.push_replay(replay);
                let count = if self.queue.lags { 0 } else { pieces };
                (0..count).for_each(|_| drop(self.expect(PIECE, false, true)));
            }
            Step::DropReplays => {
                self.queue.drop_replays(ROOM);
                // A piece that was read stays.
                let is_read = self.queue.items.iter().any(|item| item.len() == PIECE);
                let (mut begins, mut spared, written) = (0, is_read, self.out.len());
                self.expected.retain(|frame| {
                    let is_done = begins + frame.length <= written;
                    begins += frame.length;
                    is_done || !frame.is_replay || std::mem::take(&mut spared)
                });
            }
            Step::Write(room) => self.write(room)?,
            Step::DropUnwritten => {
                self.queue.drop_unwritten();
                self.forget_unbegun(|_| false);
            }
            Step::Wait(seconds) => self.now.clock += seconds,
            Step::Turn => self.now.turn += 1,
        }
        let Queue { items, bytes, written, answers, .. } = &self.queue;
        prop_assert_eq!(*bytes, items.iter().map(Item::len).sum::<usize>() - *written as usize);
        let is_answer = |item: &&Item| matches!(item, Item::Answer(_));
        prop_assert_eq!(*answers as usize, items.iter().filter(is_answer).map(Item::len).sum::<usize>());
        Ok(())
    }
}

proptest! {
    /// For any sequence of steps: frames are written whole and in order, no answer is missing, one resync replaces
    /// the events that were dropped, and more than the bound is queued only for the time of a burst. B6.
    #[test]
    fn queue_loses_nothing_without_a_resync(steps in vec(step(), 1..120)) {
        let mut model = Model::default();
        for step in steps {
            model.take(step)?;
        }
        model.write(usize::MAX >> 1)?;
        let queue = &model.queue;
        prop_assert!(queue.is_empty() && (queue.bytes, queue.answers) == (0, 0) && !queue.lags);
        let mut rest = &model.out[..];
        for Expected { number, length, .. } in &model.expected {
            let (frame, after) = rest.split_at_checked(*length).ok_or(TestCaseError::fail("too few bytes"))?;
            prop_assert_eq!(frame.first_chunk().map(|it| u64::from_be_bytes(*it)), Some(*number));
            prop_assert!(frame[8..].iter().all(|byte| *byte == 0), "frames are whole");
            rest = after;
        }
        prop_assert!(rest.is_empty());
    }
}

fn at(clock: u32, turn: u32) -> Now {
    Now { clock, turn }
}

/// A queue with one frame of as many bytes as the bound, of the first turn.
fn full() -> Queue {
    let mut queue = Queue::default();
    assert_eq!(queue.push(frame(0, MAX_QUEUED), at(0, 1)), Pushed::Queued);
    queue
}

#[test]
fn queue_takes_the_close_frame_however_full_it_is() {
    let mut queue = full();
    assert_eq!(queue.push(frame(1, 8), at(0, 2)), Pushed::Queued, "it had kept up");
    assert_eq!(queue.push(frame(1, MAX_BURST_OF_TURNS), at(0, 3)), Pushed::Overflowed);
    queue.push_last(frame(2, 8));
    assert_eq!(queue.only().map(<[u8]>::len), Some(8), "what had not begun to leave is dropped");
    assert!(queue.lagging_since().is_none());
}

/// B6.
#[test]
fn burst_is_queued_and_given_time() {
    let mut queue = full();
    for _ in 0..20 {
        assert_eq!(queue.push(frame(1, MAX_QUEUED), at(5, 1)), Pushed::Queued, "of one commit");
    }
    queue.advance(MAX_QUEUED);
    // As much as the burst was is taken for its time,
    assert_eq!(queue.push(frame(2, MAX_QUEUED), at(6, 2)), Pushed::Queued);
    queue.advance(20 * MAX_QUEUED);
    assert_eq!(queue.push(frame(3, 8), at(60, 3)), Pushed::Queued, "it has kept up");
    // not for longer, and not more.
    for (now, length) in [(at(7, 2), 8), (at(6, 2), 2 * MAX_QUEUED)] {
        let mut queue = full();
        assert_eq!(queue.push(frame(1, 20 * MAX_QUEUED), at(5, 1)), Pushed::Queued);
        queue.advance(MAX_QUEUED);
        assert_eq!(queue.push(frame(2, length), now), Pushed::Overflowed);
    }
    // What comes in several turns is less.
    for (length, expected) in [(2 * MAX_QUEUED, Pushed::Queued), (3 * MAX_QUEUED, Pushed::Overflowed)] {
        let mut queue = full();
        assert_eq!(queue.push(frame(1, MAX_QUEUED), at(5, 2)), Pushed::Queued);
        assert_eq!(queue.push(frame(2, length), at(5, 3)), expected);
    }
    assert_eq!(full().push(frame(1, max_burst()), at(0, 1)), Pushed::Overflowed, "no burst is that large");
}

/// B6.
#[test]
fn frame_above_the_bound_is_queued_and_silences_nothing() {
    let mut queue = Queue::default();
    assert_eq!(queue.push(frame(1, 2 * MAX_QUEUED), at(0, 1)), Pushed::Queued);
    assert_eq!(queue.push(frame(2, 8), at(0, 1)), Pushed::Queued);
    queue.advance(2 * MAX_QUEUED + 8);
    assert_eq!(queue.push(frame(3, 8), at(60, 2)), Pushed::Queued);
}
