//! The hub: rooms → sockets of this worker. A committed event becomes one frame per encoding, pushed by one loop to
//! the queues of the room's sockets; what has gathered on a queue leaves in one write.

mod drain;
mod presence;

use std::{
    collections::VecDeque,
    io::IoSlice,
    rc::Rc,
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use self::presence::{Changed, Presence};
use crate::{
    metrics::WorkerMetrics,
    store::State,
    transport::Line,
    types::event::{self, Change, SessionEnd, Whisper},
    types::{IdMap, Involvement, MessageId, RoomId, RoomKind, Seq, SessionId, UserId},
    wire::{
        Event,
        event::committed_json,
        frame::{self, Encoding},
    },
};

/// A client pings, or is pinged, within so many seconds; after twice that in silence its socket is closed.
pub(crate) const HEARTBEAT_S: u32 = 30;

/// Bytes that may wait for one socket. Frames are shared, so what a slow one costs is small; but it has to end.
const MAX_QUEUED: usize = 1 << 20;

/// A socket that has not drained for so long after it was left behind is closed.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// A closed socket gets so long to take its close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Buffers in one write; the kernel takes 1024.
const MAX_SLICES: usize = 64;

/// Bytes of frames of one room that are joined into one shared chunk.
const CHUNK: usize = 64 << 10;

pub(crate) const SIGNED_OUT: u16 = 4001;
pub(crate) const BANNED: u16 = 4003;
pub(crate) const TOO_SLOW: u16 = 4008;

/// Names a socket of this worker; the serial tells it from an earlier one in the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketId {
    slot: u32,
    serial: u32,
}

pub(crate) struct Socket {
    serial: u32,
    pub(crate) user: UserId,
    session: SessionId,
    pub(crate) encoding: Encoding,
    stream: Rc<Line>,
    /// The rooms it has joined, the last one last.
    pub(crate) joined: SmallVec<[RoomId; 2]>,
    queue: VecDeque<Bytes>,
    queued: usize,
    /// Bytes of the queue's front that are written.
    written: usize,
    dirty: bool,
    /// The kernel's buffer is full: its task waits until it is not.
    pub(crate) blocked: bool,
    /// Left behind since: its queue was dropped, and it will be told to resync.
    lagging: Option<Instant>,
    /// Nothing but what is queued is to be written; then the connection ends.
    closing: Option<Instant>,
    /// When all is said, its connection ends once its client has ended it too.
    says_goodbye: bool,
    pub(crate) dead: bool,
    pub(crate) waker: Option<Waker>,
    /// Seconds of the hub's clock at which something was heard of it.
    pub(crate) heard: u32,
    pub(crate) typed: u32,
    /// Messages posted and not yet answered.
    pub(crate) under_way: u32,
}

#[derive(Default)]
struct Audience {
    /// By encoding: JSON, MessagePack.
    joined: [Vec<u32>; 2],
    /// Sockets of members who have not joined the room and want to know of it; made anew when `seen` is old.
    lurkers: Vec<u32>,
    seen: u64,
}

/// Consecutive messages of one room, gathered so that they leave as one chunk.
#[derive(Default)]
struct Run {
    room: Option<RoomId>,
    frames: [BytesMut; 2],
    count: u64,
    unread: Vec<Unread>,
}

struct Unread {
    message: MessageId,
    creator: UserId,
    mentions: SmallVec<[UserId; 4]>,
    everyone: bool,
}

pub struct Hub {
    sockets: Vec<Option<Socket>>,
    free: Vec<u32>,
    rooms: IdMap<RoomId, Audience>,
    users: IdMap<UserId, SmallVec<[u32; 2]>>,
    dirty: VecDeque<u32>,
    laggards: Vec<SocketId>,
    presence: Presence,
    /// What the other workers have to hear of this one's sockets.
    pub(crate) outbox: Vec<Whisper>,
    run: Run,
    /// Set once the server goes away.
    leaving: Option<drain::Leaving>,
    /// Moves on whenever somebody's lurking may have changed.
    generation: u64,
    serial: u32,
    /// Seconds since the start, as of the last tick.
    pub(crate) clock: u32,
    pub(crate) seq: Seq,
    metrics: Arc<WorkerMetrics>,
}

fn place(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Json => 0,
        Encoding::MessagePack => 1,
    }
}

const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::MessagePack];

impl Hub {
    pub(crate) fn new(metrics: Arc<WorkerMetrics>) -> Self {
        Self {
            sockets: Vec::new(),
            free: Vec::new(),
            rooms: IdMap::default(),
            users: IdMap::default(),
            dirty: VecDeque::new(),
            laggards: Vec::new(),
            presence: Presence::default(),
            outbox: Vec::new(),
            run: Run::default(),
            leaving: None,
            generation: 1,
            serial: 0,
            clock: 0,
            seq: Seq(0),
            metrics,
        }
    }

    pub(crate) fn add(
        &mut self,
        user: UserId,
        session: SessionId,
        encoding: Encoding,
        stream: Rc<Line>,
    ) -> SocketId {
        self.serial = self.serial.wrapping_add(1);
        self.generation += 1;
        let socket = Socket {
            serial: self.serial,
            user,
            session,
            encoding,
            stream,
            joined: SmallVec::new(),
            queue: VecDeque::new(),
            queued: 0,
            written: 0,
            dirty: false,
            blocked: false,
            lagging: None,
            closing: None,
            says_goodbye: false,
            dead: false,
            waker: None,
            heard: self.clock,
            typed: 0,
            under_way: 0,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.sockets[slot as usize] = Some(socket);
                slot
            }
            None => {
                self.sockets.push(Some(socket));
                (self.sockets.len() - 1) as u32
            }
        };
        self.users.entry(user).or_default().push(slot);
        self.metrics.sockets.add(1);
        SocketId { slot, serial: self.serial }
    }

    /// The socket's connection has ended. Answers the rooms that it was in; the caller tells the others.
    pub(crate) fn remove(&mut self, id: SocketId) -> Option<(UserId, Vec<RoomId>)> {
        self.socket(id)?;
        let socket = self.sockets[id.slot as usize].take()?;
        self.generation += 1;
        for room in &socket.joined {
            self.unlist(*room, id.slot, socket.encoding);
        }
        if let Some(slots) = self.users.get_mut(&socket.user) {
            slots.retain(|slot| *slot != id.slot);
            if slots.is_empty() {
                self.users.remove(&socket.user);
            }
        }
        self.free.push(id.slot);
        self.metrics.sockets.set(self.metrics.sockets.get() - 1);
        self.presence.depart(socket.user, socket.joined.to_vec(), Instant::now());
        Some((socket.user, socket.joined.to_vec()))
    }

    pub(crate) fn socket(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets.get_mut(id.slot as usize)?.as_mut().filter(|socket| socket.serial == id.serial)
    }

    /// True if it had not joined before.
    pub(crate) fn join(&mut self, id: SocketId, room: RoomId) -> bool {
        let Some(socket) = self.socket(id) else { return false };
        let known = socket.joined.iter().position(|joined| *joined == room);
        if let Some(place) = known {
            socket.joined.remove(place);
        }
        socket.joined.push(room);
        if known.is_some() {
            return false;
        }
        let encoding = socket.encoding;
        self.rooms.entry(room).or_default().joined[place(encoding)].push(id.slot);
        self.generation += 1;
        self.metrics.rooms.set(self.rooms.len() as u64);
        true
    }

    /// True if it was in there.
    pub(crate) fn leave(&mut self, id: SocketId, room: RoomId) -> bool {
        let Some(socket) = self.socket(id) else { return false };
        let Some(place) = socket.joined.iter().position(|joined| *joined == room) else { return false };
        socket.joined.remove(place);
        let encoding = socket.encoding;
        self.unlist(room, id.slot, encoding);
        self.generation += 1;
        true
    }

    fn unlist(&mut self, room: RoomId, slot: u32, encoding: Encoding) {
        let Some(audience) = self.rooms.get_mut(&room) else { return };
        let list = &mut audience.joined[place(encoding)];
        if let Some(found) = list.iter().position(|listed| *listed == slot) {
            list.swap_remove(found);
        }
        if audience.joined.iter().all(Vec::is_empty) {
            self.rooms.remove(&room);
        }
        self.metrics.rooms.set(self.rooms.len() as u64);
    }

    /// Tells this worker's sockets of an event that `state` knows already.
    pub(crate) fn deliver(&mut self, event: &event::Event, state: &State) {
        if event.seq > self.seq {
            self.seq = event.seq;
        }
        match &event.change {
            Change::MessageCreated { room, message, creator, mentions, everyone, .. } => {
                self.run_on(*room, state);
                self.run.unread.push(Unread {
                    message: *message,
                    creator: *creator,
                    mentions: mentions.clone(),
                    everyone: *everyone,
                });
                self.gather(*room, event, state);
            }
            Change::MessageUpdated { room, .. }
            | Change::BoostChanged { room, .. }
            | Change::MessageDeleted { room, .. } => {
                self.run_on(*room, state);
                self.gather(*room, event, state);
            }
            change => {
                self.end_run(state);
                self.deliver_other(event, change, state);
            }
        }
    }

    /// Ends the run of another room.
    fn run_on(&mut self, room: RoomId, state: &State) {
        if self.run.room != Some(room) {
            self.end_run(state);
            self.run.room = Some(room);
        }
    }

    fn gather(&mut self, room: RoomId, event: &event::Event, state: &State) {
        let Some(audience) = self.rooms.get(&room) else { return };
        let wanted = [!audience.joined[0].is_empty(), !audience.joined[1].is_empty()];
        if wanted == [false, false] {
            return;
        }
        let Some(json) = committed_json(event) else { return };
        for encoding in ENCODINGS {
            if wanted[place(encoding)] {
                frame::put_frame(&mut self.run.frames[place(encoding)], encoding, &json);
            }
        }
        self.run.count += 1;
        if self.run.frames.iter().any(|frames| frames.len() > CHUNK) {
            self.end_run(state);
            self.run.room = Some(room);
        }
    }

    pub(crate) fn end_of_batch(&mut self, state: &State) {
        self.end_run(state);
    }

    fn end_run(&mut self, state: &State) {
        let Some(room) = self.run.room.take() else { return };
        let count = std::mem::take(&mut self.run.count);
        let frames = [self.run.frames[0].split().freeze(), self.run.frames[1].split().freeze()];
        let unread = std::mem::take(&mut self.run.unread);
        if count > 0
            && let Some(audience) = self.rooms.get_mut(&room)
        {
            // The list is taken out while its sockets are pushed to, and put back.
            let lists = std::mem::take(&mut audience.joined);
            for (list, frames) in lists.iter().zip(&frames) {
                if !frames.is_empty() {
                    self.metrics.deliveries.add(list.len() as u64 * count);
                    for slot in list {
                        self.push(*slot, frames.clone());
                    }
                }
            }
            if let Some(audience) = self.rooms.get_mut(&room) {
                audience.joined = lists;
            }
        }
        if !unread.is_empty() {
            self.tell_lurkers(room, &unread, state);
        }
    }

    /// `unread` to members' sockets that have not joined the room; `read` to the author's own.
    fn tell_lurkers(&mut self, room: RoomId, unread: &[Unread], state: &State) {
        let lurkers = self.lurkers(room, state);
        let mut plain: [Option<Bytes>; 2] = [None, None];
        for slot in &lurkers {
            let Some(socket) = &self.sockets[*slot as usize] else { continue };
            let (user, encoding) = (socket.user, socket.encoding);
            let involved = state.involvement(room, user).is_some_and(|found| found != Involvement::Nothing);
            let is_meant = |note: &Unread| involved && (note.everyone || note.mentions.contains(&user));
            let special = unread.iter().any(|note| note.creator == user || is_meant(note));
            let made = match &plain[place(encoding)] {
                Some(frames) if !special => frames.clone(),
                _ => {
                    let mut frames = BytesMut::new();
                    for note in unread {
                        let (room_id, message_id) = (room, note.message);
                        let event = if note.creator == user {
                            Event::Read { room_id, message_id }
                        } else {
                            Event::Unread { room_id, message_id, mention: is_meant(note) }
                        };
                        frame::put_frame(&mut frames, encoding, &event.json());
                    }
                    frames.freeze()
                }
            };
            if !special {
                plain[place(encoding)] = Some(made.clone());
            }
            self.metrics.deliveries.add(unread.len() as u64);
            self.push(*slot, made);
        }
        if let Some(audience) = self.rooms.get_mut(&room) {
            audience.lurkers = lurkers;
        }
    }

    fn lurkers(&mut self, room: RoomId, state: &State) -> Vec<u32> {
        if let Some(audience) = self.rooms.get_mut(&room)
            && audience.seen == self.generation
        {
            return std::mem::take(&mut audience.lurkers);
        }
        let Some(found) = state.rooms.get(&room) else { return Vec::new() };
        let wants = |involvement: Involvement| involvement != Involvement::Invisible;
        let mut lurkers = Vec::new();
        let mut take = |slots: &[u32]| {
            let elsewhere = |slot: &&u32| {
                self.sockets[**slot as usize].as_ref().is_some_and(|socket| !socket.joined.contains(&room))
            };
            lurkers.extend(slots.iter().filter(elsewhere));
        };
        // Over the members or over those online here, whichever are fewer.
        if found.members.len() < self.users.len() {
            for (user, involvement) in &found.members {
                if let Some(slots) = self.users.get(user).filter(|_| wants(*involvement)) {
                    take(slots);
                }
            }
        } else {
            for (user, slots) in &self.users {
                if found.members.get(user).copied().is_some_and(wants) {
                    take(slots);
                }
            }
        }
        if let Some(audience) = self.rooms.get_mut(&room) {
            audience.seen = self.generation;
        }
        lurkers
    }

    fn deliver_other(&mut self, event: &event::Event, change: &Change, state: &State) {
        match change {
            Change::SessionEnded { session, why, .. } => return self.close_session(*session, *why),
            Change::ReadMarked { user, room, message } => {
                let event = Event::Read { room_id: *room, message_id: *message };
                return self.tell_person(*user, &event.json());
            }
            _ => {}
        }
        let Some(json) = committed_json(event) else { return };
        match change {
            Change::RoomCreated { room, .. } | Change::RoomUpdated { room, .. } => {
                self.generation += 1;
                self.tell_members(room.id, &json, state);
            }
            Change::RoomDeleted { room, .. } => {
                self.tell_members(*room, &json, state);
                self.empty(*room, |_| true);
            }
            Change::MembershipUpdated { room, user, involvement, .. } => {
                self.generation += 1;
                self.tell_person(*user, &json);
                if involvement.is_none() {
                    self.empty(*room, |member| member == *user);
                }
            }
            _ => {
                self.generation += 1;
                self.tell(&json, |_| true);
            }
        }
    }

    /// Makes the frames that are needed and pushes them to every socket of whom `wanted` says so.
    fn tell(&mut self, json: &[u8], wanted: impl Fn(&Socket) -> bool) {
        let mut made: [Option<Bytes>; 2] = [None, None];
        for slot in 0..self.sockets.len() {
            let Some(socket) = self.sockets[slot].as_ref().filter(|socket| wanted(socket)) else { continue };
            let encoding = socket.encoding;
            let frame = made[place(encoding)].get_or_insert_with(|| frame::frame(encoding, json)).clone();
            self.metrics.deliveries.add(1);
            self.push(slot as u32, frame);
        }
    }

    fn tell_members(&mut self, room: RoomId, json: &[u8], state: &State) {
        self.tell(json, |socket| state.involvement(room, socket.user).is_some());
    }

    fn tell_person(&mut self, user: UserId, json: &[u8]) {
        for slot in self.users.get(&user).cloned().unwrap_or_default() {
            let Some(socket) = &self.sockets[slot as usize] else { continue };
            let frame = frame::frame(socket.encoding, json);
            self.metrics.deliveries.add(1);
            self.push(slot, frame);
        }
    }

    /// Tells the sockets in a room, but those of one person.
    fn tell_room(&mut self, room: RoomId, json: &[u8], but: Option<UserId>) {
        let Some(audience) = self.rooms.get_mut(&room) else { return };
        let lists = std::mem::take(&mut audience.joined);
        for (list, encoding) in lists.iter().zip(ENCODINGS) {
            if list.is_empty() {
                continue;
            }
            let frame = frame::frame(encoding, json);
            for slot in list {
                if self.sockets[*slot as usize].as_ref().is_some_and(|socket| Some(socket.user) != but) {
                    self.metrics.deliveries.add(1);
                    self.push(*slot, frame.clone());
                }
            }
        }
        if let Some(audience) = self.rooms.get_mut(&room) {
            audience.joined = lists;
        }
    }

    /// Takes people's sockets out of a room.
    fn empty(&mut self, room: RoomId, who: impl Fn(UserId) -> bool) {
        self.generation += 1;
        let Some(audience) = self.rooms.get(&room) else { return };
        let slots: Vec<u32> = audience.joined.iter().flatten().copied().collect();
        for slot in slots {
            let Some(socket) = self.sockets[slot as usize].as_ref().filter(|socket| who(socket.user)) else {
                continue;
            };
            let (user, id) = (socket.user, SocketId { slot, serial: socket.serial });
            self.leave(id, room);
            self.outbox.push(Whisper::Present { room, user, change: -1 });
        }
    }

    pub(crate) fn send(&mut self, id: SocketId, json: &[u8]) {
        let Some(encoding) = self.socket(id).map(|socket| socket.encoding) else { return };
        self.push(id.slot, frame::frame(encoding, json));
    }

    pub(crate) fn send_frame(&mut self, id: SocketId, frame: Bytes) {
        if self.socket(id).is_some() {
            self.push(id.slot, frame);
        }
    }

    fn push(&mut self, slot: u32, frames: Bytes) {
        let Some(socket) = self.sockets[slot as usize].as_mut() else { return };
        if socket.lagging.is_some() || socket.closing.is_some() || socket.dead {
            return;
        }
        if socket.queued + frames.len() > MAX_QUEUED {
            // What is half-written has to be finished, or the stream would be out of step.
            let keep = usize::from(socket.written > 0);
            socket.queue.truncate(keep);
            socket.queued = socket.queue.front().map_or(0, |front| front.len() - socket.written);
            socket.lagging = Some(Instant::now());
            self.laggards.push(SocketId { slot, serial: socket.serial });
            self.metrics.resyncs.add(1);
            return;
        }
        socket.queued += frames.len();
        socket.queue.push_back(frames);
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
            if socket.queue.is_empty() {
                if socket.lagging.take().is_some() {
                    let frame = frame::frame(socket.encoding, &Event::Resync { seq }.json());
                    socket.queued = frame.len();
                    socket.queue.push_back(frame);
                    continue;
                }
                // An idle socket holds no buffer.
                socket.queue = VecDeque::new();
            }
            let written = match socket.queue.front() {
                // Over TLS there may be something encrypted that the kernel did not take.
                None => match socket.stream.try_flush() {
                    Ok(()) => break,
                    Err(error) => Err(error),
                },
                // One buffer by itself leaves by send(), which takes 2 to 10 % less than writev().
                Some(only) if socket.queue.len() == 1 => socket.stream.try_write(&only[socket.written..]),
                _ => {
                    let mut slices: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
                    for (place, frame) in socket.queue.iter().take(MAX_SLICES).enumerate() {
                        slices.push(IoSlice::new(if place == 0 { &frame[socket.written..] } else { frame }));
                    }
                    socket.stream.try_write_vectored(&slices)
                }
            };
            match written {
                Ok(count) => {
                    self.metrics.writes.add(1);
                    self.metrics.written_bytes.add(count as u64);
                    socket.advance(count);
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

    /// Nothing more is queued; what is goes out, then a close frame, then the connection ends.
    pub(crate) fn close(&mut self, id: SocketId, code: u16, reason: &str) {
        let Some(socket) = self.socket(id) else { return };
        if socket.closing.is_some() {
            return;
        }
        let frame = frame::close(CloseCode::from(code), reason);
        socket.lagging = None;
        socket.queued += frame.len();
        socket.queue.push_back(frame);
        socket.closing = Some(Instant::now());
        let blocked = socket.blocked;
        self.laggards.push(id);
        if !blocked {
            self.write(id.slot);
        }
    }

    /// A socket that is being closed says its last, and its client gets the time to hear it.
    pub(crate) fn read_on(&mut self, id: SocketId) {
        if let Some(socket) = self.socket(id) {
            socket.says_goodbye = true;
        }
    }

    fn close_session(&mut self, session: SessionId, why: SessionEnd) {
        let (code, reason) = match why {
            SessionEnd::SignedOut => (SIGNED_OUT, "signed out"),
            SessionEnd::Deactivated => (SIGNED_OUT, "deactivated"),
            SessionEnd::Banned => (BANNED, "banned"),
        };
        for id in self.ids(|socket| socket.session == session) {
            self.close_at_once(id, code, reason);
        }
    }

    /// Drops what is queued: it is no longer for them.
    fn close_at_once(&mut self, id: SocketId, code: u16, reason: &str) {
        if let Some(socket) = self.socket(id) {
            let keep = usize::from(socket.written > 0);
            socket.queue.truncate(keep);
            self.close(id, code, reason);
        }
    }

    pub(crate) fn close_ended_sessions(&mut self, state: &State) {
        let open: std::collections::HashSet<SessionId> = state.session_ids().collect();
        for id in self.ids(|socket| !open.contains(&socket.session)) {
            self.close_at_once(id, SIGNED_OUT, "signed out");
        }
    }

    fn ids(&self, wanted: impl Fn(&Socket) -> bool) -> Vec<SocketId> {
        let found = self.sockets.iter().enumerate().filter_map(|(slot, socket)| {
            socket
                .as_ref()
                .filter(|socket| wanted(socket))
                .map(|socket| SocketId { slot: slot as u32, serial: socket.serial })
        });
        found.collect()
    }

    pub(crate) fn hear(&mut self, whisper: Whisper, state: &State) {
        match whisper {
            Whisper::Typing { room, user, active } => {
                let event = Event::Typing { room_id: room, user_id: user, active };
                // In order with the messages that it came after.
                self.end_run(state);
                self.tell_room(room, &event.json(), Some(user));
            }
            Whisper::Present { room, user, change } => self.presence.count_room(room, user, change),
            Whisper::Online { user, change } => self.presence.count_online(user, change),
        }
    }

    pub(crate) fn presence_changed(&self) -> bool {
        !self.presence.changed.is_empty()
    }

    /// Tells who came and went since the last time, each once, as it is now.
    pub(crate) fn tell_presence(&mut self, state: &State) {
        for change in std::mem::take(&mut self.presence.changed) {
            match change {
                Changed::Room(room, user) => {
                    let is_direct =
                        state.rooms.get(&room).is_none_or(|found| found.room.kind == RoomKind::Direct);
                    if !is_direct {
                        let online = self.presence.is_in(room, user);
                        let json = presence_json(room, user, online);
                        self.tell_room(room, &json, None);
                    }
                }
                Changed::Online(user) => {
                    let online = self.presence.is_online(user);
                    for (room, partner) in state.direct_partners(user).collect::<Vec<_>>() {
                        self.tell_person(partner, &presence_json(room, user, online));
                    }
                }
            }
        }
    }

    pub(crate) fn present(&self, state: &State, room: RoomId) -> Vec<UserId> {
        match state.rooms.get(&room) {
            Some(found) if found.room.kind == RoomKind::Direct => {
                let mut ids: Vec<_> =
                    found.members.keys().copied().filter(|user| self.presence.is_online(*user)).collect();
                ids.sort_unstable();
                ids
            }
            _ => self.presence.people_in(room),
        }
    }

    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.presence.is_online(user)
    }

    /// Whether a person has the room open somewhere.
    pub(crate) fn is_reading(&self, room: RoomId, user: UserId) -> bool {
        self.presence.is_in(room, user)
    }

    /// Those online with whom a person shares a direct room.
    pub(crate) fn online_partners(&self, state: &State, user: UserId) -> Vec<UserId> {
        let mut ids: Vec<_> = state
            .direct_partners(user)
            .map(|(_, partner)| partner)
            .filter(|partner| self.presence.is_online(*partner))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Once a second: pings a thirtieth of the sockets, ends the silent and the slow. Answers who has been gone long enough.
    pub(crate) fn tick(&mut self, clock: u32) -> Vec<(UserId, Vec<RoomId>)> {
        self.clock = clock;
        let mut slot = (clock % HEARTBEAT_S) as usize;
        while slot < self.sockets.len() {
            if let Some(socket) = self.sockets[slot].as_mut() {
                if clock.saturating_sub(socket.heard) > 2 * HEARTBEAT_S {
                    socket.dead = true;
                    socket.wake();
                } else {
                    self.push(slot as u32, frame::ping());
                }
            }
            slot += HEARTBEAT_S as usize;
        }
        let now = Instant::now();
        for id in std::mem::take(&mut self.laggards) {
            let Some(socket) = self.socket(id) else { continue };
            if let Some(since) = socket.closing {
                if now.duration_since(since) > CLOSE_WITHIN {
                    socket.dead = true;
                    socket.wake();
                    continue;
                }
            } else if socket.lagging.is_some_and(|since| now.duration_since(since) > DRAIN_WITHIN) {
                self.metrics.slow_closes.add(1);
                self.close(id, TOO_SLOW, "too slow");
            } else if socket.lagging.is_none() {
                continue;
            }
            self.laggards.push(id);
        }
        let mut gone = Vec::new();
        while let Some(departed) = self.presence.departed(now) {
            gone.push(departed);
        }
        gone
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

fn presence_json(room: RoomId, user: UserId, online: bool) -> Vec<u8> {
    Event::Presence { room_id: room, user_id: user, online }.json()
}

impl Socket {
    fn advance(&mut self, mut count: usize) {
        self.queued -= count;
        while let Some(front) = self.queue.front() {
            let left = front.len() - self.written;
            if count < left {
                self.written += count;
                return;
            }
            count -= left;
            self.written = 0;
            self.queue.pop_front();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// All is said, or nobody listens: the connection can end.
    pub(crate) fn is_done(&self) -> bool {
        let all_said = self.is_all_said() && !self.says_goodbye;
        self.dead || self.closing.is_some_and(|since| all_said || since.elapsed() > CLOSE_WITHIN)
    }

    /// Over TLS there may be something left that the kernel did not take, with nothing on the queue.
    fn is_all_said(&self) -> bool {
        self.queue.is_empty() && !self.blocked
    }

    /// All is said, and its client is still to say goodbye.
    pub(crate) fn waits_for_goodbye(&self) -> bool {
        self.says_goodbye && self.is_all_said() && !self.dead
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
    fn a_socket_is_small() {
        assert!(size_of::<Option<Socket>>() <= 192, "{} bytes", size_of::<Option<Socket>>());
    }
}
