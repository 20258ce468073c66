//! Who has to hear which message, and what came instead: missing, doubled, out of order, in the wrong room.

use std::collections::HashMap;

use serde::Serialize;

/// What every message of a run starts with, so that a receiver knows where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Of the run: there may be messages of an earlier one.
    pub(super) run: u32,
    pub(super) room: usize,
    /// Which message of the room it is.
    pub(super) number: usize,
    pub(super) sender: usize,
    /// When it was due, in nanoseconds after the start.
    pub(super) due: u64,
}

impl Marker {
    pub(super) const START: &str = "bench:";

    pub(super) fn write(&self) -> String {
        let Self { run, room, number, sender, due } = self;
        format!("{}{run:08x}:{room}:{number}:{sender}:{due}", Self::START)
    }

    /// Reads it off the start of a message's content.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        let end = content.iter().position(|byte| matches!(byte, b' ' | b'"')).unwrap_or(content.len());
        let mut parts = std::str::from_utf8(&content[..end]).ok()?.strip_prefix(Self::START)?.split(':');
        let marker = Self {
            run: u32::from_str_radix(parts.next()?, 16).ok()?,
            room: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
            sender: parts.next()?.parse().ok()?,
            due: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(marker)
    }
}

/// Numbers that were seen, a bit each.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    /// False if it was there already.
    fn add(&mut self, number: usize) -> bool {
        let is_new = !self.has(number);
        if self.0.len() <= number / 64 {
            self.0.resize(number / 64 + 1, 0);
        }
        self.0[number / 64] |= 1 << (number % 64);
        is_new
    }
}

/// What was said in a room.
#[derive(Default)]
struct Talk {
    senders: Vec<u32>,
    /// The next message of the same sender here, which must not come before; 0 if there is none yet.
    next: Vec<u32>,
    latest: HashMap<usize, usize>,
    /// The server has promised it.
    promised: Seen,
}

struct Receiver {
    room: usize,
    /// The first message that was sent after it had joined.
    from: usize,
    seen: Seen,
    is_gone: bool,
}

/// The receivers' books.
#[derive(Default)]
pub(super) struct Deliveries {
    rooms: Vec<Talk>,
    receivers: Vec<Receiver>,
    pub(super) counts: Counts,
}

/// What the deliveries came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) expected: u64,
    pub(super) received: u64,
    pub(super) missing: u64,
    pub(super) doubled: u64,
    pub(super) out_of_order: u64,
    pub(super) wrong_room: u64,
    /// Frames that are no message of ours where one has to be.
    pub(super) unreadable: u64,
    /// Sockets that were told to ask anew, because they did not drain.
    pub(super) resyncs: u64,
    pub(super) lost_sockets: u64,
}

impl Counts {
    /// Deliveries that a correct server does not make, or does.
    pub(super) fn wrong(&self) -> u64 {
        self.missing + self.doubled + self.out_of_order + self.wrong_room + self.unreadable
    }
}

impl Deliveries {
    pub(super) fn new(rooms: usize) -> Self {
        Self { rooms: (0..rooms).map(|_| Talk::default()).collect(), ..Self::default() }
    }

    /// A message goes out; its number in the room.
    pub(super) fn send(&mut self, room: usize, sender: usize) -> usize {
        let talk = &mut self.rooms[room];
        let number = talk.senders.len();
        talk.senders.push(sender as u32);
        talk.next.push(0);
        if let Some(last) = talk.latest.insert(sender, number) {
            talk.next[last] = number as u32;
        }
        number
    }

    /// The server has it: from now on whoever had joined before has to hear it.
    pub(super) fn promise(&mut self, room: usize, number: usize) {
        self.rooms[room].promised.add(number);
        self.counts.messages += 1;
    }

    /// Somebody has joined a room.
    pub(super) fn join(&mut self, room: usize) -> usize {
        let from = self.rooms[room].senders.len();
        self.receivers.push(Receiver { room, from, seen: Seen::default(), is_gone: false });
        self.receivers.len() - 1
    }

    /// A receiver's connection broke: what it did not hear is counted as that, not as missing.
    pub(super) fn lose(&mut self, receiver: usize) {
        self.receivers[receiver].is_gone = true;
        self.counts.lost_sockets += 1;
    }

    /// Something came. True if it is as it should be, so that its latency counts.
    pub(super) fn receive(&mut self, receiver: usize, marker: &Marker) -> bool {
        let receiver = &mut self.receivers[receiver];
        if marker.room != receiver.room {
            self.counts.wrong_room += 1;
            return false;
        }
        let talk = &self.rooms[marker.room];
        if talk.senders.get(marker.number) != Some(&(marker.sender as u32)) {
            self.counts.unreadable += 1;
            return false;
        }
        if !receiver.seen.add(marker.number) {
            self.counts.doubled += 1;
            return false;
        }
        let mut later = talk.next[marker.number] as usize;
        // A sender has one message under way, so the chain is short; where it is not, the receiver is far behind.
        for _ in 0..64 {
            if later == 0 {
                break;
            }
            if receiver.seen.has(later) {
                self.counts.out_of_order += 1;
                break;
            }
            later = talk.next[later] as usize;
        }
        true
    }

    /// Counts what has to have come by now, and what of it has not.
    pub(super) fn settle(&mut self) -> u64 {
        let (mut expected, mut missing) = (0, 0);
        for receiver in self.receivers.iter().filter(|receiver| !receiver.is_gone) {
            for (place, promised) in self.rooms[receiver.room].promised.0.iter().enumerate() {
                let skipped = receiver.from.saturating_sub(place * 64).min(64);
                let due = promised & u64::MAX.checked_shl(skipped as u32).unwrap_or(0);
                expected += u64::from(due.count_ones());
                let seen = receiver.seen.0.get(place).copied().unwrap_or(0);
                missing += u64::from((due & !seen).count_ones());
            }
        }
        // What came although it was under way while its receiver joined is welcome, and does not count.
        (self.counts.expected, self.counts.received, self.counts.missing) =
            (expected, expected - missing, missing);
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of these senders in room 0, all promised.
    fn talk(deliveries: &mut Deliveries, senders: &[usize]) -> Vec<Marker> {
        let mut send = |sender: &usize| {
            let number = deliveries.send(0, *sender);
            deliveries.promise(0, number);
            Marker { run: 1, room: 0, number, sender: *sender, due: 0 }
        };
        senders.iter().map(&mut send).collect()
    }

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        let marker = Marker { run: 0xBEEF, room: 3, number: 120, sender: 17, due: 123_456_789 };
        assert_eq!(marker.write(), "bench:0000beef:3:120:17:123456789");
        for tail in ["", " embers and more", "\",\"html\":\"\""] {
            assert_eq!(Marker::read(format!("{}{tail}", marker.write()).as_bytes()), Some(marker), "{tail}");
        }
        for wrong in
            ["", "bench:", "bench:1:2:3:4", "bench:1:2:3:4:5:6", "bench:x:2:3:4:5", "hello bench:1:2:3:4:5"]
        {
            assert_eq!(Marker::read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn what_does_not_come_is_missing_until_it_does() {
        let mut deliveries = Deliveries::new(1);
        let (one, other) = (deliveries.join(0), deliveries.join(0));
        let said = talk(&mut deliveries, &[7; 100]);
        for marker in &said {
            assert!(deliveries.receive(one, marker));
        }
        for marker in said.iter().filter(|marker| ![3, 64, 99].contains(&marker.number)) {
            assert!(deliveries.receive(other, marker));
        }
        assert_eq!((deliveries.settle(), deliveries.counts.expected), (3, 200));
        for late in [3, 64, 99] {
            assert!(deliveries.receive(other, &said[late]));
        }
        assert_eq!((deliveries.settle(), deliveries.counts.received), (0, 200));
        assert_eq!(deliveries.counts.out_of_order, 2, "the last one had nothing after it");
    }

    #[test]
    fn only_what_was_promised_after_joining_has_to_come() {
        let mut deliveries = Deliveries::new(1);
        let early = talk(&mut deliveries, &[1; 70]);
        let receiver = deliveries.join(0);
        let late = talk(&mut deliveries, &[1; 10]);
        let unpromised = deliveries.send(0, 1);
        assert_eq!((deliveries.settle(), deliveries.counts.expected), (10, 10));
        // What was under way while it joined may come.
        assert!(deliveries.receive(receiver, &early[69]));
        for marker in &late {
            deliveries.receive(receiver, marker);
        }
        deliveries.receive(receiver, &Marker { run: 1, room: 0, number: unpromised, sender: 1, due: 0 });
        assert_eq!((deliveries.settle(), deliveries.counts.wrong()), (0, 0));
    }

    #[test]
    fn what_comes_twice_or_from_elsewhere_is_told_apart() {
        let mut deliveries = Deliveries::new(2);
        let receiver = deliveries.join(0);
        let said = talk(&mut deliveries, &[4, 5]);
        assert!(deliveries.receive(receiver, &said[0]) && !deliveries.receive(receiver, &said[0]));
        assert!(!deliveries.receive(receiver, &Marker { room: 1, ..said[1] }));
        assert!(!deliveries.receive(receiver, &Marker { sender: 9, ..said[1] }));
        assert!(!deliveries.receive(receiver, &Marker { number: 77, ..said[1] }));
        assert!(deliveries.receive(receiver, &said[1]));
        deliveries.settle();
        let wanted = Counts {
            messages: 2,
            expected: 2,
            received: 2,
            doubled: 1,
            wrong_room: 1,
            unreadable: 2,
            ..Counts::default()
        };
        assert_eq!((deliveries.counts.wrong(), &deliveries.counts), (4, &wanted));
    }

    #[test]
    fn the_order_is_each_senders_own() {
        let mut deliveries = Deliveries::new(1);
        let receiver = deliveries.join(0);
        // Two who talk at once: 0 and 2 are of one, 1 and 3 of the other.
        let said = talk(&mut deliveries, &[1, 2, 1, 2]);
        for number in [1, 0, 3, 2] {
            deliveries.receive(receiver, &said[number]);
        }
        assert_eq!(deliveries.counts.out_of_order, 0);
        let said = talk(&mut deliveries, &[1, 1, 1]);
        for number in [2, 0, 1] {
            deliveries.receive(receiver, &said[number]);
        }
        assert_eq!(deliveries.counts.out_of_order, 2);
    }

    #[test]
    fn who_is_gone_misses_nothing() {
        let mut deliveries = Deliveries::new(1);
        let receiver = deliveries.join(0);
        talk(&mut deliveries, &[1; 5]);
        deliveries.lose(receiver);
        assert_eq!((deliveries.settle(), deliveries.counts.lost_sockets), (0, 1));
    }
}
