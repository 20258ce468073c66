//! Who receives an event: sockets that have joined its room get its frames, those of the other members an `unread`.

use bytes::{Bytes, BytesMut};

use super::{ENCODINGS, Hub, Socket, place};
use crate::{
    store::State,
    types::{
        Involvement, MessageId, RoomId, Seq, UserId,
        event::{self, Change, ChangedMentions, EphemeralEvent, Mentions},
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
    notes: Vec<Note>,
}

/// What concerns the counts of members whose sockets have not joined the room.
struct Note {
    message: MessageId,
    creator: UserId,
    kind: NoteKind,
}

enum NoteKind {
    Created(Mentions),
    Edited(Box<ChangedMentions>),
    Deleted(Mentions),
}

impl Note {
    /// Whether the frame for this user differs from that for most others.
    fn names(&self, user: UserId) -> bool {
        let is_named = |mentions: &Mentions| mentions.users.contains(&user);
        self.creator == user
            || match &self.kind {
                NoteKind::Created(mentions) | NoteKind::Deleted(mentions) => is_named(mentions),
                NoteKind::Edited(changed) => is_named(&changed.before) || is_named(&changed.after),
            }
    }

    /// The event for a user; None if nothing changes for them. One's own messages never count.
    fn event(&self, room_id: RoomId, user: UserId) -> Option<Event<'static>> {
        let message_id = self.message;
        let changed = |unread, mentions| Event::UnreadChanged { room_id, message_id, unread, mentions };
        let is_own = self.creator == user;
        match &self.kind {
            NoteKind::Created(_) if is_own => Some(Event::Read { room_id, message_id }),
            NoteKind::Created(mentions) => {
                Some(Event::Unread { room_id, message_id, mention: mentions.include(user) })
            }
            _ if is_own => None,
            NoteKind::Deleted(mentions) => Some(changed(-1, -i8::from(mentions.include(user)))),
            NoteKind::Edited(edit) => {
                let change = i8::from(edit.after.include(user)) - i8::from(edit.before.include(user));
                (change != 0).then(|| changed(0, change))
            }
        }
    }
}

impl Hub {
    /// Queues an event for this worker's sockets. `state` includes it already, except for a deleted room. If it is not
    /// about a message, [`Self::end_run`] came first, with the state before it.
    pub(crate) fn deliver(&mut self, event: &event::Event, state: &State) {
        if event.seq > self.seq {
            self.seq = event.seq;
        }
        match &event.change {
            Change::MessageCreated { room, message, creator, mentions, .. } => {
                self.continue_run(*room, state);
                self.note(*message, *creator, NoteKind::Created(mentions.clone()));
                self.gather(*room, event, state);
            }
            Change::MessageUpdated { room, message, mentions, .. } => {
                self.continue_run(*room, state);
                if let Some(changed) = mentions {
                    self.note(*message, changed.creator, NoteKind::Edited(changed.clone()));
                }
                self.gather(*room, event, state);
            }
            Change::MessageDeleted { room, message, creator, mentions, .. } => {
                self.continue_run(*room, state);
                self.note(*message, *creator, NoteKind::Deleted(mentions.clone()));
                self.gather(*room, event, state);
            }
            Change::BoostChanged { room, .. } => {
                self.continue_run(*room, state);
                self.gather(*room, event, state);
            }
            change => self.deliver_other(event, change, state),
        }
    }

    /// Ends a run of another room, and begins one of this.
    fn continue_run(&mut self, room: RoomId, state: &State) {
        if self.run.room != Some(room) {
            self.end_run(state);
            self.run.room = Some(room);
        }
    }

    fn note(&mut self, message: MessageId, creator: UserId, kind: NoteKind) {
        self.run.notes.push(Note { message, creator, kind });
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

    /// Queues what was collected of a run, for those who are members in this state.
    pub(crate) fn end_run(&mut self, state: &State) {
        let Some(room) = self.run.room.take() else { return };
        let count = std::mem::take(&mut self.run.count);
        let frames = [self.run.frames[0].split().freeze(), self.run.frames[1].split().freeze()];
        let notes = std::mem::take(&mut self.run.notes);
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
        if !notes.is_empty() {
            self.notify_unjoined(room, &notes, state);
        }
    }

    /// Sends `unread` and `unread_changed` to the sockets of members that have not joined the room, and `read` to those
    /// of the author.
    fn notify_unjoined(&mut self, room: RoomId, notes: &[Note], state: &State) {
        let unjoined = self.unjoined(room, state);
        let mut plain: [Option<Bytes>; 2] = [None, None];
        for slot in &unjoined {
            let Some(socket) = &self.sockets[*slot as usize] else { continue };
            let (user, encoding) = (socket.user, socket.encoding);
            let is_named = notes.iter().any(|note| note.names(user));
            let made = match &plain[place(encoding)] {
                Some(frames) if !is_named => frames.clone(),
                _ => {
                    let mut frames = BytesMut::new();
                    for event in notes.iter().filter_map(|note| note.event(room, user)) {
                        frame::put_frame(&mut frames, encoding, &event.json());
                    }
                    frames.freeze()
                }
            };
            if !is_named {
                plain[place(encoding)] = Some(made.clone());
            }
            if !made.is_empty() {
                self.metrics.deliveries.add(notes.len() as u64);
                self.push(*slot, made);
            }
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
            Change::UserUpdated { user, .. } => {
                self.generation += 1;
                self.tell(&json, |socket| state.sees(socket.user, user.id));
            }
            Change::UserShown { to, .. } => to.iter().for_each(|guest| self.send_to_user(*guest, &json)),
            Change::AccountUpdated { .. } => {
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
            | Change::MailWaits { .. }
            | Change::LanguageNoted { .. }
            | Change::AddressesBlocked { .. }
            | Change::JobsWaiting
            | Change::Reloaded => {}
        }
    }

    /// Sends what another process has written to every socket: events, or `resync` instead. Guests, who may not hear all of
    /// them, get `resync`. `state` includes it already.
    pub(crate) fn catch_up(&mut self, events: Option<&[Vec<u8>]>, seq: Seq, state: &State) {
        self.generation += 1;
        self.seq = seq;
        let hears = |socket: &Socket| events.is_some() && !state.is_guest(socket.user);
        for json in events.unwrap_or_default() {
            self.tell(json, hears);
        }
        self.tell(&Event::Resync { seq }.json(), |socket| !hears(socket));
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
