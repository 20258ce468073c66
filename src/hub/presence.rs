//! Presence: who is online, and who has which room open. Every worker counts the sockets of all workers.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Hub;
use crate::{
    store::State,
    types::{IdMap, RoomId, RoomKind, UserId},
    wire::Event,
};

/// How long a removed socket still counts, so that reloading a page does not show as leaving.
const GRACE: Duration = Duration::from_secs(60);

/// With more users than this in a room, changes of its presence are not sent: the number of events would grow with the
/// square of the users.
const MAX_SHOWN: usize = 256;

#[derive(Default)]
pub(super) struct Presence {
    rooms: IdMap<RoomId, IdMap<UserId, i32>>,
    online: IdMap<UserId, i32>,
    /// Removed sockets of this worker, and when they cease to count.
    departures: VecDeque<(Instant, UserId, Vec<RoomId>)>,
    /// What changed since presence was last sent.
    pub(super) changed: Vec<Changed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Room(RoomId, UserId),
    Online(UserId),
}

impl Presence {
    pub(super) fn count_room(&mut self, room: RoomId, user: UserId, change: i32) {
        let people = self.rooms.entry(room).or_default();
        if counted(people, user, change) && people.len() <= MAX_SHOWN {
            note(&mut self.changed, Changed::Room(room, user));
        }
        if people.is_empty() {
            self.rooms.remove(&room);
        }
    }

    pub(super) fn count_online(&mut self, user: UserId, change: i32) {
        if counted(&mut self.online, user, change) {
            note(&mut self.changed, Changed::Online(user));
        }
    }

    pub(super) fn is_online(&self, user: UserId) -> bool {
        self.online.contains_key(&user)
    }

    pub(super) fn is_in(&self, room: RoomId, user: UserId) -> bool {
        self.rooms.get(&room).is_some_and(|people| people.contains_key(&user))
    }

    /// Users in a room by id, [`MAX_SHOWN`] at most.
    fn people_in(&self, room: RoomId) -> Vec<UserId> {
        let Some(people) = self.rooms.get(&room) else { return Vec::new() };
        let mut ids: Vec<_> = people.keys().copied().take(MAX_SHOWN).collect();
        ids.sort_unstable();
        ids
    }

    /// A socket was removed; it counts for [`GRACE`] longer.
    pub(super) fn depart(&mut self, user: UserId, rooms: Vec<RoomId>, now: Instant) {
        self.departures.push_back((now + GRACE, user, rooms));
    }

    /// The next removed socket that no longer counts.
    pub(super) fn departed(&mut self, now: Instant) -> Option<(UserId, Vec<RoomId>)> {
        if self.departures.front()?.0 > now {
            return None;
        }
        self.departures.pop_front().map(|(_, user, rooms)| (user, rooms))
    }
}

/// Changes a count; true if it became, or ceased to be, zero.
fn counted(people: &mut IdMap<UserId, i32>, user: UserId, change: i32) -> bool {
    let count = people.entry(user).or_insert(0);
    let before = *count;
    *count += change;
    let after = *count;
    if after <= 0 {
        people.remove(&user);
    }
    (before > 0) != (after > 0)
}

fn note(changed: &mut Vec<Changed>, change: Changed) {
    if !changed.contains(&change) {
        changed.push(change);
    }
}

impl Hub {
    pub(crate) fn presence_changed(&self) -> bool {
        !self.presence.changed.is_empty()
    }

    /// Sends the changes since the last call: one event per user and room, with the present state.
    pub(crate) fn tell_presence(&mut self, state: &State) {
        for change in std::mem::take(&mut self.presence.changed) {
            match change {
                Changed::Room(room, user) => {
                    let is_direct =
                        state.rooms.get(&room).is_none_or(|found| found.room.kind == RoomKind::Direct);
                    if !is_direct {
                        let online = self.presence.is_in(room, user);
                        let json = presence_json(room, user, online);
                        self.send_to_room(room, &json, None);
                    }
                }
                Changed::Online(user) => {
                    let online = self.presence.is_online(user);
                    for (room, partner) in state.direct_partners(user).collect::<Vec<_>>() {
                        self.send_to_user(partner, &presence_json(room, user, online));
                    }
                }
            }
        }
    }

    /// Users with a socket in a room, by id; in a direct room, its members with any socket.
    pub(crate) fn present(&self, state: &State, room: RoomId) -> Vec<UserId> {
        match state.rooms.get(&room) {
            Some(found) if found.room.kind == RoomKind::Direct => {
                let mut ids: Vec<_> =
                    found.members.keys().copied().filter(|user| self.presence.is_online(*user)).collect();
                ids.sort_unstable();
                ids
            }
            // Somebody who was removed a moment ago may still be counted.
            Some(found) => {
                let mut ids = self.presence.people_in(room);
                ids.retain(|user| found.members.contains_key(user));
                ids
            }
            None => Vec::new(),
        }
    }

    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.presence.is_online(user)
    }

    /// Whether a user has joined the room with any socket.
    pub(crate) fn is_reading(&self, room: RoomId, user: UserId) -> bool {
        self.presence.is_in(room, user)
    }

    /// The users online with whom a user shares a direct room, by id.
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
}

fn presence_json(room: RoomId, user: UserId, online: bool) -> Vec<u8> {
    Event::Presence { room_id: room, user_id: user, online }.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_lasts_until_the_last_socket_is_gone() {
        let mut presence = Presence::default();
        let (room, ana) = (RoomId(1), UserId(7));
        presence.count_room(room, ana, 1);
        presence.count_room(room, ana, 1);
        assert_eq!(std::mem::take(&mut presence.changed), [Changed::Room(room, ana)]);
        presence.count_room(room, ana, -1);
        assert!(presence.changed.is_empty() && presence.is_in(room, ana));
        presence.count_room(room, ana, -1);
        assert_eq!(presence.changed, [Changed::Room(room, ana)]);
        assert!(presence.people_in(room).is_empty());
    }

    #[test]
    fn dropped_socket_counts_for_a_minute() {
        let mut presence = Presence::default();
        let now = Instant::now();
        presence.depart(UserId(7), vec![RoomId(1)], now);
        assert_eq!(presence.departed(now + Duration::from_secs(59)), None);
        assert_eq!(presence.departed(now + GRACE), Some((UserId(7), vec![RoomId(1)])));
    }
}
