//! Who is in a room, how much of it each member wants to hear, and what each has read.

use rusqlite::{Connection, OptionalExtension};

use super::{
    Reader,
    command::{Audience, Command, Refusal, Tx},
    guests::introduce,
    rooms::{load, view},
};
use crate::{
    types::event::Change,
    types::{IdMap, Involvement, MessageId, Room, RoomId, UserId},
    wire::{Event, Membership},
};

/// Unread messages are counted up to this number.
const UNREAD_CAP: i64 = 1_000;

/// Makes somebody a member, with all earlier messages read, and tells guests of whom they see by it. False if they were a
/// member already.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    room: RoomId,
    user: UserId,
    involvement: Involvement,
) -> Result<bool, Refusal> {
    let has_entered = enter_silently(tx, room, user, involvement)?;
    if has_entered {
        introduce(tx, room, user)?;
    }
    Ok(has_entered)
}

/// The same for somebody of whom an event with these rooms follows, so that guests in them hear of it.
pub(super) fn enter_silently(
    tx: &Tx<'_>,
    room: RoomId,
    user: UserId,
    involvement: Involvement,
) -> rusqlite::Result<bool> {
    let entered = tx
        .statement(
            "insert or ignore into memberships (room_id, user_id, involvement, last_read_message_id)
             values (?1, ?2, ?3, ifnull((select max(id) from messages where room_id = ?1), 0))",
        )?
        .execute((room, user, involvement))?;
    Ok(entered == 1)
}

/// Removes a member, and records the event for them.
pub(super) fn leave(tx: &mut Tx<'_>, room: RoomId, user: UserId) -> rusqlite::Result<()> {
    tx.statement("delete from memberships where room_id = ? and user_id = ?")?.execute((room, user))?;
    let event = Event::MembershipUpdated { room_id: room, user_id: user, membership: None, room: None };
    tx.record(Audience::Person(user), None, &event, |json| Change::MembershipUpdated {
        room,
        user,
        involvement: None,
        json,
    })
}

pub(super) fn record_membership_update(
    tx: &mut Tx<'_>,
    room: &Room,
    user: UserId,
) -> Result<Membership, Refusal> {
    let membership = membership(tx.db, room.id, user)?.ok_or(Refusal::NotFound)?;
    let view = view(tx, room)?;
    let event = Event::MembershipUpdated {
        room_id: room.id,
        user_id: user,
        membership: Some(membership),
        room: Some(&view),
    };
    tx.record(Audience::Person(user), None, &event, |json| Change::MembershipUpdated {
        room: room.id,
        user,
        involvement: Some(membership.involvement),
        json,
    })?;
    Ok(membership)
}

/// Sets how much of a room a member wants to be notified of. `NotFound` for somebody who is not a member.
#[derive(Debug)]
pub struct SetInvolvement {
    pub room: RoomId,
    pub user: UserId,
    pub involvement: Involvement,
}

impl Command for SetInvolvement {
    type Output = Membership;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Membership, Refusal> {
        let changed = tx
            .statement("update memberships set involvement = ? where room_id = ? and user_id = ?")?
            .execute((self.involvement, self.room, self.user))?;
        if changed == 0 {
            return Err(Refusal::NotFound);
        }
        let room = load(tx, self.room)?;
        record_membership_update(tx, &room, self.user)
    }
}

/// Marks rooms read up to a message each, or up to the newest one if that is older. A mark never moves back.
#[derive(Debug)]
pub struct MarkRead {
    pub user: UserId,
    pub marks: Vec<(RoomId, MessageId)>,
}

impl Command for MarkRead {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        for (room, message) in self.marks {
            mark_read(tx, self.user, room, message)?;
        }
        Ok(())
    }
}

fn mark_read(tx: &mut Tx<'_>, user: UserId, room: RoomId, message: MessageId) -> rusqlite::Result<()> {
    let newest: Option<MessageId> = tx
        .statement("select max(id) from messages where room_id = ?")?
        .query_row((room,), |row| row.get(0))?;
    let Some(newest) = newest else { return Ok(()) };
    let message = message.min(newest);
    let changed = tx
        .statement(
            "update memberships set last_read_message_id = ?1
             where room_id = ?2 and user_id = ?3 and last_read_message_id < ?1",
        )?
        .execute((message, room, user))?;
    if changed > 0 {
        tx.notify(Change::ReadMarked { user, room, message });
    }
    Ok(())
}

/// A membership, with the current counts of unread messages and mentions.
fn membership(db: &Connection, room: RoomId, user: UserId) -> rusqlite::Result<Option<Membership>> {
    db.prepare_cached(
        "select involvement, last_read_message_id,
           (select count(*) from (select 1 from messages where room_id = ?1 and id > last_read_message_id limit ?3)),
           (select count(distinct message_id) from mentions
            where user_id in (?2, 0) and room_id = ?1 and message_id > last_read_message_id)
         from memberships where room_id = ?1 and user_id = ?2",
    )?
    .query_row((room, user, UNREAD_CAP), |row| {
        let last_read: MessageId = row.get(1)?;
        let involvement = row.get(0)?;
        // A hidden room shows no counts.
        let count = |place| if involvement == Involvement::Invisible { Ok(0) } else { row.get(place) };
        Ok(Membership {
            involvement,
            unread_count: count(2)?,
            mention_count: count(3)?,
            last_read_message_id: (last_read.0 > 0).then_some(last_read),
        })
    })
    .optional()
}

impl Reader {
    /// Whether a person is a member of a room.
    pub fn is_member(&self, room: RoomId, user: UserId) -> rusqlite::Result<bool> {
        self.statement("select 1 from memberships where room_id = ? and user_id = ?")?.exists((room, user))
    }

    /// A membership with its current counts; None for somebody who is not a member.
    pub fn membership(&self, room: RoomId, user: UserId) -> rusqlite::Result<Option<Membership>> {
        membership(self.connection(), room, user)
    }

    /// All of a person's memberships. `has_unread` says whether a room has a message after another, so that nothing is
    /// counted for rooms without unread messages.
    pub fn memberships(
        &self,
        user: UserId,
        has_unread: impl Fn(RoomId, MessageId) -> bool,
    ) -> rusqlite::Result<IdMap<RoomId, Membership>> {
        let mut all = self.statement(
            "select room_id, involvement, last_read_message_id from memberships where user_id = ?",
        )?;
        let mut rows = all.query((user,))?;
        let mut found = IdMap::default();
        while let Some(row) = rows.next()? {
            let (room, involvement, last_read): (_, _, MessageId) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let read = Membership {
                involvement,
                unread_count: 0,
                mention_count: 0,
                last_read_message_id: (last_read.0 > 0).then_some(last_read),
            };
            let counted = match involvement != Involvement::Invisible && has_unread(room, last_read) {
                true => self.membership(room, user)?,
                false => None,
            };
            found.insert(room, counted.unwrap_or(read));
        }
        Ok(found)
    }
}
