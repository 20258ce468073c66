//! Who is online, and who is reading which room: counts of sockets over all workers, kept by each worker alike.

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

/// A dropped socket counts for so long, so that a reload does not flicker.
const GRACE: Duration = Duration::from_secs(60);

/// In a room with more people than this, who comes and goes is not told: it would be a number of messages that
/// grows with the square of the people, and no face would be found among them.
pub(super) const CROWD: usize = 256;

#[derive(Default)]
pub(super) struct Presence {
    rooms: IdMap<RoomId, IdMap<UserId, i32>>,
    online: IdMap<UserId, i32>,
    /// Sockets of this worker that dropped, and when they cease to count.
    departures: VecDeque<(Instant, UserId, Vec<RoomId>)>,
    /// What changed since the last telling.
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
        if counted(people, user, change) && people.len() <= CROWD {
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

    /// Some of who is in a room, in order; all of them unless it is a crowd.
    pub(super) fn people_in(&self, room: RoomId) -> Vec<UserId> {
        let Some(people) = self.rooms.get(&room) else { return Vec::new() };
        let mut ids: Vec<_> = people.keys().copied().take(CROWD).collect();
        ids.sort_unstable();
        ids
    }

    /// A socket dropped: it counts a while longer.
    pub(super) fn depart(&mut self, user: UserId, rooms: Vec<RoomId>, now: Instant) {
        self.departures.push_back((now + GRACE, user, rooms));
    }

    /// Those whose time is up.
    pub(super) fn departed(&mut self, now: Instant) -> Option<(UserId, Vec<RoomId>)> {
        if self.departures.front()?.0 > now {
            return None;
        }
        self.departures.pop_front().map(|(_, user, rooms)| (user, rooms))
    }
}

/// Changes a count; true if somebody came or went by it.
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
}

fn presence_json(room: RoomId, user: UserId, online: bool) -> Vec<u8> {
    Event::Presence { room_id: room, user_id: user, online }.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_with_two_sockets_is_there_until_the_second_is_gone() {
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
    fn a_dropped_socket_counts_for_a_minute() {
        let mut presence = Presence::default();
        let now = Instant::now();
        presence.depart(UserId(7), vec![RoomId(1)], now);
        assert_eq!(presence.departed(now + Duration::from_secs(59)), None);
        assert_eq!(presence.departed(now + GRACE), Some((UserId(7), vec![RoomId(1)])));
    }
}
