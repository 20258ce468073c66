//! What one socket may cause in a time. Times are in seconds of the hub's clock.

use crate::types::RoomId;

/// Rooms that a socket may join at once, and how many more in each second.
const JOINS: u32 = 1_000;
const JOINS_PER_SECOND: u32 = 50;

/// Rooms in which a socket may begin to type in one second.
const TYPING_ROOMS: u8 = 4;

/// Limits joining, which others are told of and which reads what was missed.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    spent: u32,
    since: u32,
}

impl Joins {
    /// Counts a join; false if it is too many.
    pub(crate) fn take(&mut self, clock: u32) -> bool {
        let seconds = clock.saturating_sub(self.since);
        self.since = clock;
        self.spent = self.spent.saturating_sub(seconds.saturating_mul(JOINS_PER_SECOND));
        let is_in_time = self.spent < JOINS;
        self.spent += u32::from(is_in_time);
        is_in_time
    }
}

/// Limits what others are told of typing: once a second that it begins, and once that it ends.
#[derive(Debug, Default)]
pub(super) struct Typing {
    room: RoomId,
    /// The second in which it began, counted from 1; 0 for never.
    began: u32,
    /// How often it began in that second.
    count: u8,
    is_active: bool,
}

impl Typing {
    /// Whether others are told that it begins or ends in a room.
    pub(super) fn change(&mut self, room: RoomId, is_active: bool, clock: u32) -> bool {
        if !is_active {
            return room == self.room && std::mem::take(&mut self.is_active);
        }
        let began = clock.saturating_add(1);
        let count = if self.began == began { self.count } else { 0 };
        if count > 0 && room == self.room || count >= TYPING_ROOMS {
            return false;
        }
        *self = Self { room, began, count: count + 1, is_active };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B10.
    #[test]
    fn typing_is_told_once_a_second_however_often_it_changes() {
        let mut typing = Typing::default();
        let room = RoomId(1);
        for clock in [0, 1, 7] {
            assert!(typing.change(room, true, clock));
            assert!(typing.change(room, false, clock));
            for _ in 0..100 {
                assert!(!typing.change(room, true, clock) && !typing.change(room, false, clock));
            }
        }
        // It is told again while it lasts, and its end whenever that is.
        assert!(
            typing.change(room, true, 8) && !typing.change(room, true, 8) && typing.change(room, true, 9)
        );
        assert!(!typing.change(RoomId(2), false, 9) && typing.change(room, false, 9));
        // In another room it is told at once, but not in any number of them.
        assert!(typing.change(room, true, 10) && typing.change(RoomId(2), true, 10));
        let told = (3..100).filter(|room| typing.change(RoomId(*room), true, 10)).count();
        assert_eq!(told, usize::from(TYPING_ROOMS) - 2);
    }

    /// B10.
    #[test]
    fn joins_are_limited_by_the_second_after_a_burst() {
        let mut joins = Joins::default();
        let taken = |joins: &mut Joins, clock| (0..2 * JOINS).filter(|_| joins.take(clock)).count() as u32;
        assert_eq!(taken(&mut joins, 0), JOINS);
        assert_eq!(taken(&mut joins, 1), JOINS_PER_SECOND);
        assert_eq!(taken(&mut joins, 3), 2 * JOINS_PER_SECOND);
        assert_eq!(taken(&mut joins, u32::MAX), JOINS);
    }
}
