//! Rooms: making, changing and deleting them, and setting who is in them.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Audience, Command, Refusal, Tx},
    memberships::{enter, leave, record_membership_update},
    people::Deactivate,
    reader::{ROOM, room},
    system_user,
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
            RoomKind::Open => open_room_members(tx)?,
            RoomKind::Closed | RoomKind::Direct => self.members,
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
                // Also with somebody who has been deactivated since.
                return Ok(RoomMade { room, fresh: false });
            }
        }
        require_active(tx, &members)?;
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

/// Every active user, without those who belong to rooms of their own: incoming webhooks, the system user and guests.
fn open_room_members(tx: &Tx<'_>) -> Result<Vec<UserId>, Refusal> {
    let system_user = system_user::existing(tx)?;
    Ok(tx
        .statement(
            "select id from users where status = ? and role <> 'guest' and id is not ? and id not in (select user_id from hooks)",
        )?
        .query_map((Status::Active, system_user), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Refused with `Invalid` unless each is an active user.
fn require_active(tx: &Tx<'_>, people: &[UserId]) -> Result<(), Refusal> {
    let mut statement = tx.statement("select 1 from users where id = ? and status = ?")?;
    for person in people {
        if !statement.exists((person, Status::Active))? {
            return Err(Refusal::Invalid("user_ids", "contains somebody who is not an active user"));
        }
    }
    Ok(())
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

/// Renames a room, makes it open or closed, or sets the members of a closed one. Refused with `Conflict` for members of another
/// kind of room.
#[derive(Debug)]
pub struct ChangeRoom {
    pub room: RoomId,
    pub name: Option<String>,
    pub kind: Option<RoomKind>,
    /// Whoever is not a member yet has to be active; members may have been banned since.
    pub members: Option<Vec<UserId>>,
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
            for person in open_room_members(tx)? {
                if enter(tx, self.room, person, kind.default_involvement())? {
                    added.push(person);
                }
            }
        }
        if let Some(wanted) = &self.members {
            set_members(tx, self.room, wanted)?;
        }
        record_room_update(tx, self.room, added)
    }
}

fn set_members(tx: &mut Tx<'_>, room: RoomId, wanted: &[UserId]) -> Result<(), Refusal> {
    let room = load_closed(tx, room)?;
    let before = members(tx, room.id)?;
    let added: Vec<UserId> = wanted.iter().filter(|user| !before.contains(user)).copied().collect();
    require_active(tx, &added)?;
    for leaver in before.iter().filter(|user| !wanted.contains(user)) {
        leave(tx, room.id, *leaver)?;
    }
    for member in added {
        // False for an id that is listed twice.
        if enter(tx, room.id, member, room.kind.default_involvement())? {
            record_membership_update(tx, &room, member)?;
        }
    }
    Ok(())
}

/// Refused with `Conflict` unless the room is closed: all are in an open room, and a direct room keeps its members.
fn load_closed(tx: &Tx<'_>, room: RoomId) -> Result<Room, Refusal> {
    let room = load(tx, room)?;
    if room.kind == RoomKind::Closed { Ok(room) } else { Err(NOT_CHOSEN) }
}

const NOT_CHOSEN: Refusal = Refusal::Conflict("Only a closed room has chosen members.");

/// The same for one member: guests are chosen for an open room too.
fn load_chosen(tx: &Tx<'_>, room: RoomId, member: UserId) -> Result<Room, Refusal> {
    let room = load(tx, room)?;
    match room.kind {
        RoomKind::Closed => Ok(room),
        RoomKind::Open if is_guest(tx, member)? => Ok(room),
        RoomKind::Open | RoomKind::Direct => Err(NOT_CHOSEN),
    }
}

fn is_guest(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<bool> {
    tx.statement("select 1 from users where id = ? and role = 'guest'")?.exists((user,))
}

fn record_room_update(tx: &mut Tx<'_>, room: RoomId, added: Vec<UserId>) -> Result<(), Refusal> {
    let room = load(tx, room)?;
    let view = view(tx, &room)?;
    Ok(tx.record(Audience::Room(room.id), None, &Event::RoomUpdated { room: &view }, |json| {
        Change::RoomUpdated { room: room.clone(), added, json }
    })?)
}

/// Deletes a room and its incoming webhooks. Its messages are purged in the background.
#[derive(Debug)]
pub struct DeleteRoom {
    pub room: RoomId,
}

impl Command for DeleteRoom {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let room = load(tx, self.room)?.id;
        let hooks: Vec<UserId> = tx
            .statement("select user_id from hooks where room_id = ?")?
            .query_map((room,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for hook in hooks {
            Deactivate { user: hook }.apply(tx)?;
        }
        let members = members(tx, room)?;
        tx.statement("update rooms set deleted_at = ?, members_key = null where id = ?")?
            .execute((tx.now, room))?;
        tx.statement("delete from memberships where room_id = ?")?.execute((room,))?;
        let event = Event::RoomDeleted { room_id: room };
        Ok(tx.record(Audience::Those(&members), None, &event, |json| Change::RoomDeleted { room, json })?)
    }
}

/// Makes somebody a member of a closed room, or a guest one of an open room. False if they were one already.
#[derive(Debug)]
pub struct AddMember {
    pub room: RoomId,
    pub user: UserId,
}

impl Command for AddMember {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let room = load_chosen(tx, self.room, self.user)?;
        if tx
            .statement("select 1 from memberships where room_id = ? and user_id = ?")?
            .exists((room.id, self.user))?
        {
            return Ok(false);
        }
        require_active(tx, &[self.user])?;
        enter(tx, room.id, self.user, room.kind.default_involvement())?;
        record_membership_update(tx, &room, self.user)?;
        record_room_update(tx, room.id, Vec::new())?;
        Ok(true)
    }
}

/// Removes a member of a closed room, or a guest from an open room. `NotFound` for somebody who is none.
#[derive(Debug)]
pub struct RemoveMember {
    pub room: RoomId,
    pub user: UserId,
}

impl Command for RemoveMember {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let room = load_chosen(tx, self.room, self.user)?;
        if !tx
            .statement("select 1 from memberships where room_id = ? and user_id = ?")?
            .exists((room.id, self.user))?
        {
            return Err(Refusal::NotFound);
        }
        leave(tx, room.id, self.user)?;
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
