//! Rooms: making, changing and deleting them, and setting who is in them.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Audience, Command, Refusal, Tx},
    memberships::{enter, leave, record_membership_update},
    reader::{ROOM, room},
};
use crate::{
    types::event::Change,
    types::{Room, RoomId, RoomKind, Status, UserId},
    wire::{Event, RoomView},
};

/// Makes a room. For a direct room with the same members as an existing one, returns that. Refused with `Invalid` if a
/// member is not an active user.
#[derive(Debug)]
pub struct CreateRoom {
    pub creator: UserId,
    pub kind: RoomKind,
    pub name: Option<String>,
    pub members: Vec<UserId>,
}

/// A room, new or found.
#[derive(Debug)]
pub struct RoomMade {
    pub room: RoomId,
    /// False if the direct room existed already.
    pub fresh: bool,
}

impl Command for CreateRoom {
    type Output = RoomMade;

    fn apply(self, tx: &mut Tx<'_>) -> Result<RoomMade, Refusal> {
        let mut members = match self.kind {
            RoomKind::Open => active_users(tx)?,
            RoomKind::Closed | RoomKind::Direct => require_active(tx, &self.members)?,
        };
        if !members.contains(&self.creator) {
            members.push(self.creator);
        }
        members.sort_unstable();
        members.dedup();
        let key = (self.kind == RoomKind::Direct).then(|| members_key(&members));
        if let Some(key) = &key {
            let found = tx
                .statement("select id from rooms where members_key = ?")?
                .query_row((key,), |row| row.get(0))
                .optional()?;
            if let Some(room) = found {
                return Ok(RoomMade { room, fresh: false });
            }
        }
        tx.statement(
            "insert into rooms (name, kind, creator_id, members_key, created_at, updated_at) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute((&self.name, self.kind, self.creator, &key, tx.now, tx.now))?;
        let id = RoomId(tx.db.last_insert_rowid());
        let involvement = self.kind.default_involvement();
        for member in &members {
            enter(tx, id, *member, involvement)?;
        }
        let room = load(tx, id)?;
        let view = view(tx, &room)?;
        let members = members.into_iter().map(|member| (member, involvement)).collect();
        tx.record(Audience::Room(id), None, &Event::RoomCreated { room: &view }, |json| {
            Change::RoomCreated { room: room.clone(), members, json }
        })?;
        Ok(RoomMade { room: id, fresh: true })
    }
}

/// The key by which a direct room of these members is found. `sorted` is in ascending order.
pub(super) fn members_key(sorted: &[UserId]) -> String {
    sorted.iter().map(UserId::to_string).collect::<Vec<_>>().join(",")
}

fn active_users(tx: &Tx<'_>) -> rusqlite::Result<Vec<UserId>> {
    tx.statement("select id from users where status = ?")?
        .query_map((Status::Active,), |row| row.get(0))?
        .collect()
}

/// The same list; refused with `Invalid` unless each is an active user.
fn require_active(tx: &Tx<'_>, people: &[UserId]) -> Result<Vec<UserId>, Refusal> {
    let mut statement = tx.statement("select 1 from users where id = ? and status = ?")?;
    for person in people {
        if !statement.exists((person, Status::Active))? {
            return Err(Refusal::Invalid("user_ids", "contains somebody who is not an active user"));
        }
    }
    Ok(people.to_vec())
}

pub(super) fn load(tx: &Tx<'_>, id: RoomId) -> rusqlite::Result<Room> {
    tx.statement(&format!("select {ROOM} from rooms where id = ? and deleted_at is null"))?
        .query_row((id,), room)
}

fn members(tx: &Tx<'_>, room: RoomId) -> rusqlite::Result<Vec<UserId>> {
    tx.statement("select user_id from memberships where room_id = ?")?
        .query_map((room,), |row| row.get(0))?
        .collect()
}

pub(super) fn view<'a>(tx: &Tx<'_>, room: &'a Room) -> rusqlite::Result<RoomView<'a>> {
    let (member_count, last_message_id): (usize, _) = tx
        .statement(
            "select (select count(*) from memberships where room_id = ?1), (select max(id) from messages where room_id = ?1)",
        )?
        .query_row((room.id,), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let member_ids = if room.kind == RoomKind::Direct { Some(members(tx, room.id)?) } else { None };
    Ok(RoomView { room, last_message_id, member_count, member_ids, membership: None })
}

/// Renames a room, or makes it open or closed.
#[derive(Debug)]
pub struct ChangeRoom {
    pub room: RoomId,
    pub name: Option<String>,
    pub kind: Option<RoomKind>,
}

impl Command for ChangeRoom {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let before = load(tx, self.room)?;
        let kind = self.kind.unwrap_or(before.kind);
        if kind != before.kind && (kind == RoomKind::Direct || before.kind == RoomKind::Direct) {
            return Err(Refusal::Invalid("kind", "a direct room stays direct, and no other becomes one"));
        }
        if before.kind == RoomKind::Direct && self.name.is_some() {
            return Err(Refusal::Invalid("name", "a direct room has none"));
        }
        tx.statement("update rooms set name = ifnull(?, name), kind = ?, updated_at = ? where id = ?")?
            .execute((&self.name, kind, tx.now, self.room))?;
        let mut added = Vec::new();
        if kind == RoomKind::Open && before.kind == RoomKind::Closed {
            for person in active_users(tx)? {
                if enter(tx, self.room, person, kind.default_involvement())? {
                    added.push(person);
                }
            }
        }
        record_room_update(tx, self.room, added)
    }
}

fn record_room_update(tx: &mut Tx<'_>, room: RoomId, added: Vec<UserId>) -> Result<(), Refusal> {
    let room = load(tx, room)?;
    let view = view(tx, &room)?;
    Ok(tx.record(Audience::Room(room.id), None, &Event::RoomUpdated { room: &view }, |json| {
        Change::RoomUpdated { room: room.clone(), added, json }
    })?)
}

/// Deletes a room. Its messages are purged in the background.
#[derive(Debug)]
pub struct DeleteRoom {
    pub room: RoomId,
}

impl Command for DeleteRoom {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let room = load(tx, self.room)?.id;
        let members = members(tx, room)?;
        tx.statement("update rooms set deleted_at = ?, members_key = null where id = ?")?
            .execute((tx.now, room))?;
        tx.statement("delete from memberships where room_id = ?")?.execute((room,))?;
        let event = Event::RoomDeleted { room_id: room };
        Ok(tx.record(Audience::Those(&members), None, &event, |json| Change::RoomDeleted { room, json })?)
    }
}

/// Sets the members of a closed room. Refused with `Conflict` for other kinds of rooms.
#[derive(Debug)]
pub struct ReplaceMembers {
    pub room: RoomId,
    pub members: Vec<UserId>,
}

impl Command for ReplaceMembers {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let room = load(tx, self.room)?;
        if room.kind != RoomKind::Closed {
            return Err(Refusal::Conflict("Only a closed room has chosen members."));
        }
        let wanted = require_active(tx, &self.members)?;
        for leaver in members(tx, room.id)? {
            if !wanted.contains(&leaver) {
                leave(tx, room.id, leaver)?;
            }
        }
        for member in wanted {
            if enter(tx, room.id, member, room.kind.default_involvement())? {
                record_membership_update(tx, &room, member)?;
            }
        }
        record_room_update(tx, room.id, Vec::new())
    }
}

impl Reader {
    /// A room that has not been deleted.
    pub fn room(&self, id: RoomId) -> rusqlite::Result<Option<Room>> {
        self.statement(&format!("select {ROOM} from rooms where id = ? and deleted_at is null"))?
            .query_row((id,), room)
            .optional()
    }
}
