//! Who receives an event: sockets that have joined its room get its frames, those of the other members an `unread`.

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

/// Bytes of frames of one room that are concatenated into one shared chunk.
const CHUNK: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Audience {
    /// By encoding: JSON, MessagePack.
    pub(super) joined: [Vec<u32>; 2],
    /// Sockets of members that have not joined the room and whose involvement is not `invisible`. Rebuilt when `seen`
    /// differs from the generation of the hub.
    unjoined: Vec<u32>,
    seen: u64,
}

/// Consecutive events of one room, collected so that they are queued as one chunk.
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
    /// Queues an event for this worker's sockets. `state` includes it already, except for a deleted room.
    pub(crate) fn deliver(&mut self, event: &event::Event, state: &State) {
        if event.seq > self.seq {
            self.seq = event.seq;
        }
        match &event.change {
            Change::MessageCreated { room, message, creator, mentions, everyone, .. } => {
                self.continue_run(*room, state);
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
                self.continue_run(*room, state);
                self.gather(*room, event, state);
            }
            change => {
                self.end_run(state);
                self.deliver_other(event, change, state);
            }
        }
    }

    /// Ends a run of another room, and begins one of this.
    fn continue_run(&mut self, room: RoomId, state: &State) {
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
            // Pushing borrows the hub, so the lists are taken out meanwhile.
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
            self.notify_unjoined(room, &unread, state);
        }
    }

    /// Sends `unread` to the sockets of members that have not joined the room, and `read` to those of the author.
    fn notify_unjoined(&mut self, room: RoomId, unread: &[Unread], state: &State) {
        let unjoined = self.unjoined(room, state);
        let mut plain: [Option<Bytes>; 2] = [None, None];
        for slot in &unjoined {
            let Some(socket) = &self.sockets[*slot as usize] else { continue };
            let (user, encoding) = (socket.user, socket.encoding);
            let involved = state.involvement(room, user).is_some_and(|found| found != Involvement::Nothing);
            let is_mentioned = |note: &Unread| involved && (note.everyone || note.mentions.contains(&user));
            let special = unread.iter().any(|note| note.creator == user || is_mentioned(note));
            let made = match &plain[place(encoding)] {
                Some(frames) if !special => frames.clone(),
                _ => {
                    let mut frames = BytesMut::new();
                    for note in unread {
                        let (room_id, message_id) = (room, note.message);
                        let event = if note.creator == user {
                            Event::Read { room_id, message_id }
                        } else {
                            Event::Unread { room_id, message_id, mention: is_mentioned(note) }
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
        // Iterates over the members or over the users online here, whichever are fewer.
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
        let json = committed_json(event).unwrap_or_default();
        // No arm for all the rest: what is new has to say who may hear it.
        match change {
            Change::SessionEnded { session, why, .. } => self.close_session(*session, *why),
            Change::ReadMarked { user, room, message } => {
                let event = Event::Read { room_id: *room, message_id: *message };
                self.send_to_user(*user, &event.json());
            }
            Change::RoomCreated { room, .. } | Change::RoomUpdated { room, .. } => {
                self.generation += 1;
                self.send_to_members(room.id, &json, state);
            }
            Change::RoomDeleted { room, .. } => {
                self.send_to_members(*room, &json, state);
                self.remove_from_room(*room, |_| true);
            }
            Change::MembershipUpdated { room, user, involvement, .. } => {
                self.generation += 1;
                self.send_to_user(*user, &json);
                if involvement.is_none() {
                    self.remove_from_room(*room, |member| member == *user);
                }
            }
            Change::UserUpdated { .. } | Change::AccountUpdated { .. } => {
                self.generation += 1;
                self.tell(&json, |_| true);
            }
            // `deliver` has gathered these.
            Change::MessageCreated { .. }
            | Change::MessageUpdated { .. }
            | Change::MessageDeleted { .. }
            | Change::BoostChanged { .. } => {}
            // Nobody is told of these.
            Change::SessionStarted { .. }
            | Change::SessionTouched { .. }
            | Change::WebhookSet { .. }
            | Change::PushSet { .. }
            | Change::AddressesBlocked { .. }
            | Change::JobsWaiting
            | Change::Reloaded => {}
        }
    }

    /// Pushes an event to every socket for which `wanted` is true. A frame is encoded once per encoding.
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

    fn send_to_members(&mut self, room: RoomId, json: &[u8], state: &State) {
        self.tell(json, |socket| state.involvement(room, socket.user).is_some());
    }

    pub(super) fn send_to_user(&mut self, user: UserId, json: &[u8]) {
        for slot in self.users.get(&user).cloned().unwrap_or_default() {
            let Some(socket) = &self.sockets[slot as usize] else { continue };
            let frame = frame::frame(socket.encoding, json);
            self.metrics.deliveries.add(1);
            self.push(slot, frame);
        }
    }

    /// Pushes an event to the sockets that have joined a room, except those of the user `but`.
    pub(super) fn send_to_room(&mut self, room: RoomId, json: &[u8], but: Option<UserId>) {
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
                // Keeps the order with the messages before it.
                self.end_run(state);
                self.send_to_room(room, &event.json(), Some(user));
            }
            EphemeralEvent::Present { room, user, change } => self.presence.count_room(room, user, change),
            EphemeralEvent::Online { user, change } => self.presence.count_online(user, change),
        }
    }
}
