//! Which deliveries a run has to see, and the faults: missing, doubled, out of order, in the wrong room.

use std::collections::HashMap;

use serde::Serialize;

/// The start of every message of a run, from which a receiver knows what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// The id of the run, because there may be messages of an earlier one.
    pub(super) run: u32,
    pub(super) room: usize,
    /// The index of the message in its room.
    pub(super) number: usize,
    pub(super) sender: usize,
    /// When it was due, in nanoseconds since the start.
    pub(super) due: u64,
}

impl Marker {
    pub(super) const START: &str = "bench:";

    pub(super) fn write(&self) -> String {
        let Self { run, room, number, sender, due } = self;
        format!("{}{run:08x}:{room}:{number}:{sender}:{due}", Self::START)
    }

    /// Parses the start of the content of a message.
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

/// A set of numbers, as a bit set.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    /// Returns false if it was in the set already.
    fn add(&mut self, number: usize) -> bool {
        let is_new = !self.has(number);
        if self.0.len() <= number / 64 {
            self.0.resize(number / 64 + 1, 0);
        }
        self.0[number / 64] |= 1 << (number % 64);
        is_new
    }
}

/// The messages of a room.
#[derive(Default)]
struct History {
    senders: Vec<u32>,
    /// The next message of the same sender, which must be delivered later; 0 if there is none yet.
    next: Vec<u32>,
    latest: HashMap<usize, usize>,
    /// The messages that the server has acknowledged.
    acknowledged: Seen,
}

/// A socket that has joined a room.
struct Receiver {
    room: usize,
    /// The first message that was sent after it joined.
    from: usize,
    seen: Seen,
    is_gone: bool,
}

/// All messages and receivers of a run.
#[derive(Default)]
pub(super) struct Deliveries {
    rooms: Vec<History>,
    receivers: Vec<Receiver>,
    pub(super) counts: Counts,
}

/// Counts of deliveries and faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) expected: u64,
    pub(super) received: u64,
    pub(super) missing: u64,
    pub(super) doubled: u64,
    pub(super) out_of_order: u64,
    pub(super) wrong_room: u64,
    /// Frames that cannot be parsed, or name a message that was not sent.
    pub(super) unreadable: u64,
    /// Resync events, which sockets get that are too slow.
    pub(super) resyncs: u64,
    pub(super) lost_sockets: u64,
}

impl Counts {
    /// Faults, none of which a correct server has.
    pub(super) fn wrong(&self) -> u64 {
        self.missing + self.doubled + self.out_of_order + self.wrong_room + self.unreadable
    }
}

impl Deliveries {
    pub(super) fn new(rooms: usize) -> Self {
        Self { rooms: (0..rooms).map(|_| History::default()).collect(), ..Self::default() }
    }

    /// Adds a message that is about to be sent and returns its number in the room.
    pub(super) fn send(&mut self, room: usize, sender: usize) -> usize {
        let history = &mut self.rooms[room];
        let number = history.senders.len();
        history.senders.push(sender as u32);
        history.next.push(0);
        if let Some(last) = history.latest.insert(sender, number) {
            history.next[last] = number as u32;
        }
        number
    }

    /// Marks a message as acknowledged: receivers that joined before it have to get it.
    pub(super) fn acknowledge(&mut self, room: usize, number: usize) {
        self.rooms[room].acknowledged.add(number);
        self.counts.messages += 1;
    }

    /// Adds a receiver that has joined a room.
    pub(super) fn join(&mut self, room: usize) -> usize {
        let from = self.rooms[room].senders.len();
        self.receivers.push(Receiver { room, from, seen: Seen::default(), is_gone: false });
        self.receivers.len() - 1
    }

    /// Removes a receiver whose connection broke: its missing deliveries do not count.
    pub(super) fn lose(&mut self, receiver: usize) {
        self.receivers[receiver].is_gone = true;
        self.counts.lost_sockets += 1;
    }

    /// Takes in a delivery. Returns true if it is correct, so that its latency counts.
    pub(super) fn receive(&mut self, receiver: usize, marker: &Marker) -> bool {
        let receiver = &mut self.receivers[receiver];
        if marker.room != receiver.room {
            self.counts.wrong_room += 1;
            return false;
        }
        let history = &self.rooms[marker.room];
        if history.senders.get(marker.number) != Some(&(marker.sender as u32)) {
            self.counts.unreadable += 1;
            return false;
        }
        if !receiver.seen.add(marker.number) {
            self.counts.doubled += 1;
            return false;
        }
        let mut later = history.next[marker.number] as usize;
        // Each sender has one unacknowledged message, so the chain is short unless the receiver is far behind.
        for _ in 0..64 {
            if later == 0 {
                break;
            }
            if receiver.seen.has(later) {
                self.counts.out_of_order += 1;
                break;
            }
            later = history.next[later] as usize;
        }
        true
    }

    /// Counts expected, received and missing deliveries, and returns the missing.
    pub(super) fn count(&mut self) -> u64 {
        let (mut expected, mut missing) = (0, 0);
        for receiver in self.receivers.iter().filter(|receiver| !receiver.is_gone) {
            for (place, acknowledged) in self.rooms[receiver.room].acknowledged.0.iter().enumerate() {
                let skipped = receiver.from.saturating_sub(place * 64).min(64);
                let due = acknowledged & u64::MAX.checked_shl(skipped as u32).unwrap_or(0);
                expected += u64::from(due.count_ones());
                let seen = receiver.seen.0.get(place).copied().unwrap_or(0);
                missing += u64::from((due & !seen).count_ones());
            }
        }
        // Messages that were sent while the receiver joined may be delivered, and do not count.
        (self.counts.expected, self.counts.received, self.counts.missing) =
            (expected, expected - missing, missing);
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends messages of these senders to room 0, and acknowledges them.
    fn send_all(deliveries: &mut Deliveries, senders: &[usize]) -> Vec<Marker> {
        let mut send = |sender: &usize| {
            let number = deliveries.send(0, *sender);
            deliveries.acknowledge(0, number);
            Marker { run: 1, room: 0, number, sender: *sender, due: 0 }
        };
        senders.iter().map(&mut send).collect()
    }

    #[test]
    fn marker_round_trips() {
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
    fn undelivered_message_is_missing_until_it_arrives() {
        let mut deliveries = Deliveries::new(1);
        let (one, other) = (deliveries.join(0), deliveries.join(0));
        let sent = send_all(&mut deliveries, &[7; 100]);
        for marker in &sent {
            assert!(deliveries.receive(one, marker));
        }
        for marker in sent.iter().filter(|marker| ![3, 64, 99].contains(&marker.number)) {
            assert!(deliveries.receive(other, marker));
        }
        assert_eq!((deliveries.count(), deliveries.counts.expected), (3, 200));
        for late in [3, 64, 99] {
            assert!(deliveries.receive(other, &sent[late]));
        }
        assert_eq!((deliveries.count(), deliveries.counts.received), (0, 200));
        assert_eq!(deliveries.counts.out_of_order, 2, "the last one had nothing after it");
    }

    #[test]
    fn deliveries_are_expected_of_messages_acknowledged_after_joining() {
        let mut deliveries = Deliveries::new(1);
        let early = send_all(&mut deliveries, &[1; 70]);
        let receiver = deliveries.join(0);
        let late = send_all(&mut deliveries, &[1; 10]);
        let unacknowledged = deliveries.send(0, 1);
        assert_eq!((deliveries.count(), deliveries.counts.expected), (10, 10));
        // A message from before it joined may be delivered.
        assert!(deliveries.receive(receiver, &early[69]));
        for marker in &late {
            deliveries.receive(receiver, marker);
        }
        deliveries.receive(receiver, &Marker { run: 1, room: 0, number: unacknowledged, sender: 1, due: 0 });
        assert_eq!((deliveries.count(), deliveries.counts.wrong()), (0, 0));
    }

    #[test]
    fn doubled_foreign_and_unknown_messages_are_counted_separately() {
        let mut deliveries = Deliveries::new(2);
        let receiver = deliveries.join(0);
        let sent = send_all(&mut deliveries, &[4, 5]);
        assert!(deliveries.receive(receiver, &sent[0]) && !deliveries.receive(receiver, &sent[0]));
        assert!(!deliveries.receive(receiver, &Marker { room: 1, ..sent[1] }));
        assert!(!deliveries.receive(receiver, &Marker { sender: 9, ..sent[1] }));
        assert!(!deliveries.receive(receiver, &Marker { number: 77, ..sent[1] }));
        assert!(deliveries.receive(receiver, &sent[1]));
        deliveries.count();
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
    fn order_is_checked_per_sender() {
        let mut deliveries = Deliveries::new(1);
        let receiver = deliveries.join(0);
        // Messages 0 and 2 are of one sender, 1 and 3 of the other.
        let sent = send_all(&mut deliveries, &[1, 2, 1, 2]);
        for number in [1, 0, 3, 2] {
            deliveries.receive(receiver, &sent[number]);
        }
        assert_eq!(deliveries.counts.out_of_order, 0);
        let sent = send_all(&mut deliveries, &[1, 1, 1]);
        for number in [2, 0, 1] {
            deliveries.receive(receiver, &sent[number]);
        }
        assert_eq!(deliveries.counts.out_of_order, 2);
    }

    #[test]
    fn lost_receiver_misses_nothing() {
        let mut deliveries = Deliveries::new(1);
        let receiver = deliveries.join(0);
        send_all(&mut deliveries, &[1; 5]);
        deliveries.lose(receiver);
        assert_eq!((deliveries.count(), deliveries.counts.lost_sockets), (0, 1));
    }
}
