//! Who hears an event: sockets that have joined its room get its frames, those of other members an `unread`.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::{ENCODINGS, Hub, Socket, place};
use crate::{
    store::State,
    types::{
        Involvement, MessageId, RoomId, UserId,
        event::{self, Change, EphemeralEvent},
    },
    wire::{Event, event::committed_json, frame},
};

/// Bytes of frames of one room that are joined into one shared chunk.
const CHUNK: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Audience {
    /// By encoding: JSON, MessagePack.
    pub(super) joined: [Vec<u32>; 2],
    /// Sockets of members who have not joined the room and want to know of it; made anew when `seen` is old.
    unjoined: Vec<u32>,
    seen: u64,
}

/// Consecutive messages of one room, gathered so that they leave as one chunk.
#[derive(Default)]
pub(super) struct Run {
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

impl Hub {
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
            self.tell_unjoined(room, &unread, state);
        }
    }

    /// `unread` to members' sockets that have not joined the room; `read` to the author's own.
    fn tell_unjoined(&mut self, room: RoomId, unread: &[Unread], state: &State) {
        let unjoined = self.unjoined(room, state);
        let mut plain: [Option<Bytes>; 2] = [None, None];
        for slot in &unjoined {
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
            audience.unjoined = unjoined;
        }
    }

    fn unjoined(&mut self, room: RoomId, state: &State) -> Vec<u32> {
        if let Some(audience) = self.rooms.get_mut(&room)
            && audience.seen == self.generation
        {
            return std::mem::take(&mut audience.unjoined);
        }
        let Some(found) = state.rooms.get(&room) else { return Vec::new() };
        let wants = |involvement: Involvement| involvement != Involvement::Invisible;
        let mut unjoined = Vec::new();
        let mut take = |slots: &[u32]| {
            let elsewhere = |slot: &&u32| {
                self.sockets[**slot as usize].as_ref().is_some_and(|socket| !socket.joined.contains(&room))
            };
            unjoined.extend(slots.iter().filter(elsewhere));
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
        unjoined
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

    pub(super) fn tell_person(&mut self, user: UserId, json: &[u8]) {
        for slot in self.users.get(&user).cloned().unwrap_or_default() {
            let Some(socket) = &self.sockets[slot as usize] else { continue };
            let frame = frame::frame(socket.encoding, json);
            self.metrics.deliveries.add(1);
            self.push(slot, frame);
        }
    }

    /// Tells the sockets in a room, but those of one person.
    pub(super) fn tell_room(&mut self, room: RoomId, json: &[u8], but: Option<UserId>) {
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

    pub(crate) fn receive(&mut self, event: EphemeralEvent, state: &State) {
        match event {
            EphemeralEvent::Typing { room, user, active } => {
                let event = Event::Typing { room_id: room, user_id: user, active };
                // In order with the messages that it came after.
                self.end_run(state);
                self.tell_room(room, &event.json(), Some(user));
            }
            EphemeralEvent::Present { room, user, change } => self.presence.count_room(room, user, change),
            EphemeralEvent::Online { user, change } => self.presence.count_online(user, change),
        }
    }
}
