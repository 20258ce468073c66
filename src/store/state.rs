//! The small tables in memory: account, people, rooms, memberships, sessions. Each worker has a copy of its own,
//! built at start and changed only by committed events.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::epochs::Epochs;
use crate::{
    types::event::{Change, Event, Session},
    types::{
        Account, IdMap, Involvement, Language, MessageId, Room, RoomId, RoomKind, Seq, SessionId, Timestamp,
        TokenHash, User, UserId, network_of,
    },
};

/// A worker's copy of the small tables.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The last event that is part of this state.
    pub seq: Seq,
    pub epochs: Epochs,
    pub account: Option<Account>,
    pub users: IdMap<UserId, User>,
    pub rooms: IdMap<RoomId, RoomState>,
    rooms_of: IdMap<UserId, Vec<RoomId>>,
    sessions: HashMap<TokenHash, Session>,
    /// The ids of `sessions`.
    session_ids: IdMap<SessionId, ()>,
    /// Bots that get their messages by a webhook.
    pub webhooks: HashSet<UserId>,
    /// People with a push subscription.
    pub pushed: HashSet<UserId>,
    /// People whom a mail is to tell of something.
    pub mail_waits: HashSet<UserId>,
    /// The languages of the pages that people have open, as far as they are known.
    pub languages: IdMap<UserId, Language>,
    /// Blocked addresses, as networks (see `network_of`).
    blocked: HashSet<IpAddr>,
}

/// A room with its members.
#[derive(Clone, Debug)]
pub struct RoomState {
    pub room: Room,
    pub members: IdMap<UserId, Involvement>,
    pub last_message: Option<MessageId>,
    /// The seq of the last event in the room. A cached page is valid for as long as this stays the same.
    pub version: Seq,
}

impl RoomState {
    /// The members' ids in ascending order.
    pub fn member_ids(&self) -> Vec<UserId> {
        let mut ids: Vec<_> = self.members.keys().copied().collect();
        ids.sort_unstable();
        ids
    }
}

impl State {
    /// An empty state as of a position in the history.
    pub fn at(seq: Seq) -> Self {
        Self { seq, ..Self::default() }
    }

    /// Whether the network of an address is blocked.
    pub fn is_blocked(&self, address: IpAddr) -> bool {
        !self.blocked.is_empty() && self.blocked.contains(&network_of(address))
    }

    /// Replaces the blocked networks.
    pub fn block(&mut self, addresses: &[IpAddr]) {
        self.blocked = addresses.iter().copied().collect();
    }

    /// The session of a token.
    pub fn session(&self, token: &TokenHash) -> Option<&Session> {
        self.sessions.get(token)
    }

    /// A person's sessions of all kinds, in no order.
    pub fn sessions_of(&self, user: UserId) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(move |session| session.user_id == user)
    }

    /// Whether a session has not ended.
    pub fn has_session(&self, session: SessionId) -> bool {
        self.session_ids.contains_key(&session)
    }

    /// The rooms that a person is a member of, in no order.
    pub fn rooms_of(&self, user: UserId) -> &[RoomId] {
        self.rooms_of.get(&user).map_or(&[], Vec::as_slice)
    }

    /// A member's involvement; None for somebody who is not a member.
    pub fn involvement(&self, room: RoomId, user: UserId) -> Option<Involvement> {
        self.rooms.get(&room)?.members.get(&user).copied()
    }

    /// Whether a room has a message after this one.
    pub fn has_after(&self, room: RoomId, message: MessageId) -> bool {
        self.rooms.get(&room).is_some_and(|found| found.last_message.is_some_and(|last| last > message))
    }

    pub fn is_guest(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(User::is_guest)
    }

    /// Whether somebody may know of a user: guests only of those with whom they share a room.
    pub fn sees(&self, viewer: UserId, user: UserId) -> bool {
        let is_there =
            |room: &RoomId| self.rooms.get(room).is_some_and(|room| room.members.contains_key(&user));
        viewer == user || !self.is_guest(viewer) || self.rooms_of(viewer).iter().any(is_there)
    }

    /// Everybody of whom somebody may know, in no order.
    pub fn users_seen_by(&self, viewer: UserId) -> Vec<&User> {
        if !self.is_guest(viewer) {
            return self.users.values().collect();
        }
        let rooms = self.rooms_of(viewer).iter().filter_map(|room| self.rooms.get(room));
        let mut seen: HashSet<UserId> = rooms.flat_map(|room| room.members.keys().copied()).collect();
        seen.insert(viewer);
        seen.into_iter().filter_map(|user| self.users.get(&user)).collect()
    }

    /// Everybody with whom a person shares a direct room.
    pub fn direct_partners(&self, user: UserId) -> impl Iterator<Item = (RoomId, UserId)> + '_ {
        self.rooms_of(user)
            .iter()
            .filter_map(|id| self.rooms.get(id))
            .filter(|room| room.room.kind == RoomKind::Direct)
            .flat_map(move |room| {
                room.members
                    .keys()
                    .filter(move |member| **member != user)
                    .map(|member| (room.room.id, *member))
            })
    }

    /// Adds or replaces a user.
    pub fn add_user(&mut self, user: User) {
        self.users.insert(user.id, user);
    }

    /// Adds or replaces a session.
    pub fn add_session(&mut self, session: Session) {
        self.session_ids.insert(session.id, ());
        self.sessions.insert(session.token_hash, session);
    }

    /// Adds a room without members.
    pub fn add_room(&mut self, room: Room, last_message: Option<MessageId>, version: Seq) {
        let state = RoomState { members: IdMap::default(), last_message, version, room };
        let id = state.room.id;
        if let Some(before) = self.rooms.insert(id, state) {
            // Known already, since the state was read again meanwhile.
            for user in before.members.keys() {
                if let Some(rooms) = self.rooms_of.get_mut(user) {
                    rooms.retain(|room| *room != id);
                }
            }
        }
    }

    /// Adds a member, or changes their involvement. Does nothing for an unknown room.
    pub fn add_member(&mut self, room: RoomId, user: UserId, involvement: Involvement) {
        if let Some(state) = self.rooms.get_mut(&room)
            && state.members.insert(user, involvement).is_none()
        {
            self.rooms_of.entry(user).or_default().push(room);
        }
    }

    fn remove_member(&mut self, room: RoomId, user: UserId) {
        if let Some(state) = self.rooms.get_mut(&room) {
            state.members.remove(&user);
        }
        if let Some(rooms) = self.rooms_of.get_mut(&user) {
            rooms.retain(|id| *id != room);
        }
    }

    fn room_changed(&mut self, room: RoomId, seq: Seq) -> Option<&mut RoomState> {
        let state = self.rooms.get_mut(&room)?;
        state.version = seq;
        Some(state)
    }

    /// Applies a committed event.
    pub fn apply(&mut self, event: &Event) {
        if event.seq > self.seq {
            self.seq = event.seq;
        }
        match &event.change {
            Change::MessageCreated { room, message, .. } => {
                if let Some(state) = self.room_changed(*room, event.seq) {
                    state.last_message = Some(*message);
                }
            }
            Change::MessageUpdated { room, .. } | Change::BoostChanged { room, .. } => {
                self.room_changed(*room, event.seq);
            }
            Change::MessageDeleted { room, last_message, .. } => {
                if let Some(state) = self.room_changed(*room, event.seq) {
                    state.last_message = *last_message;
                }
            }
            Change::RoomCreated { room, members, .. } => {
                self.add_room(room.clone(), None, event.seq);
                for (user, involvement) in members {
                    self.add_member(room.id, *user, *involvement);
                }
            }
            Change::RoomUpdated { room, added, .. } => {
                if let Some(state) = self.room_changed(room.id, event.seq) {
                    state.room = room.clone();
                }
                for user in added {
                    self.add_member(room.id, *user, room.kind.default_involvement());
                }
            }
            Change::RoomDeleted { room, .. } => {
                if let Some(state) = self.rooms.remove(room) {
                    for user in state.members.keys() {
                        if let Some(rooms) = self.rooms_of.get_mut(user) {
                            rooms.retain(|id| id != room);
                        }
                    }
                }
            }
            Change::MembershipUpdated { room, user, involvement, .. } => {
                self.remove_member(*room, *user);
                if let Some(involvement) = involvement {
                    self.add_member(*room, *user, *involvement);
                }
            }
            Change::UserUpdated { user, rooms, .. } => {
                for room in rooms {
                    let kind = self.rooms.get(room).map_or(RoomKind::Open, |state| state.room.kind);
                    self.add_member(*room, user.id, kind.default_involvement());
                }
                self.add_user(user.clone());
            }
            Change::AccountUpdated { account, .. } => self.account = Some(account.clone()),
            Change::SessionStarted { session } => self.add_session(session.clone()),
            Change::SessionEnded { token_hash, session, .. } => {
                self.sessions.remove(token_hash);
                self.session_ids.remove(session);
            }
            Change::SessionTouched { token_hash, at } => self.touch_session(token_hash, *at),
            Change::WebhookSet { bot, on } => set(&mut self.webhooks, *bot, *on),
            Change::PushSet { user, on } => set(&mut self.pushed, *user, *on),
            Change::MailWaits { user, on } => set(&mut self.mail_waits, *user, *on),
            Change::LanguageNoted { user, language } => drop(self.languages.insert(*user, *language)),
            Change::AddressesBlocked { addresses } => self.block(addresses),
            Change::ReadMarked { .. } | Change::UserShown { .. } | Change::JobsWaiting | Change::Reloaded => {
            }
        }
    }

    fn touch_session(&mut self, token: &TokenHash, at: Timestamp) {
        if let Some(session) = self.sessions.get_mut(token) {
            session.last_active_at = at;
        }
    }
}

fn set(people: &mut HashSet<UserId>, user: UserId, on: bool) {
    if on {
        people.insert(user);
    } else {
        people.remove(&user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case 36.
    #[test]
    fn session_is_known_until_it_ends() {
        let mut state = State::default();
        let apply = |state: &mut State, change| state.apply(&Event { seq: Seq(0), change });
        let session = |id: i64| Session {
            id: SessionId(id),
            token_hash: TokenHash([id as u8; 32]),
            user_id: UserId(1),
            kind: crate::types::SessionKind::Device,
            scope: crate::types::Scope::Admin,
            last_active_at: Timestamp(0),
        };
        state.add_session(session(1));
        apply(&mut state, Change::SessionStarted { session: session(2) });
        assert!(state.has_session(SessionId(1)) && state.has_session(SessionId(2)));
        let why = crate::types::event::SessionEnd::SignedOut;
        let (token_hash, session) = (session(1).token_hash, SessionId(1));
        apply(&mut state, Change::SessionEnded { token_hash, session, why });
        assert!(!state.has_session(SessionId(1)) && state.has_session(SessionId(2)));
        assert!(!state.has_session(SessionId(3)));
    }

    #[test]
    fn blocking_covers_an_ipv4_address_or_an_ipv6_network() {
        let mut state = State::default();
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        state.block(&[network_of(parse("203.0.113.9")), network_of(parse("2001:db8:1:2:3:4:5:6"))]);
        for blocked in ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8:1:2::1"] {
            assert!(state.is_blocked(parse(blocked)), "{blocked}");
        }
        for free in ["203.0.113.10", "2001:db8:1:3::1"] {
            assert!(!state.is_blocked(parse(free)), "{free}");
        }
    }
}
