//! Rooms, who is in them, and what each member has read.

use rusqlite::{Connection, OptionalExtension};

use super::{
    Reader,
    command::{Audience, Command, Refusal, Tx},
    reader::{ROOM, room},
};
use crate::{
    types::event::Change,
    types::{IdMap, Involvement, MessageId, Room, RoomId, RoomKind, Status, UserId},
    wire::{Event, Membership, RoomView},
};

/// Unread messages are counted up to here; beyond it a number tells nobody anything.
const UNREAD_CAP: i64 = 1_000;

/// Makes a room. A direct one with the same people is made once only.
#[derive(Debug)]
pub struct CreateRoom {
    pub creator: UserId,
    pub kind: RoomKind,
    pub name: Option<String>,
    pub members: Vec<UserId>,
}

#[derive(Debug)]
pub struct RoomMade {
    pub room: RoomId,
    /// False if the direct room was there already.
    pub fresh: bool,
}

impl Command for CreateRoom {
    type Output = RoomMade;

    fn apply(self, tx: &mut Tx<'_>) -> Result<RoomMade, Refusal> {
        let mut members = match self.kind {
            RoomKind::Open => everybody(tx)?,
            RoomKind::Closed | RoomKind::Direct => known(tx, &self.members)?,
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

/// The same people give the same key, in whatever order they are named.
pub(super) fn members_key(sorted: &[UserId]) -> String {
    sorted.iter().map(UserId::to_string).collect::<Vec<_>>().join(",")
}

fn everybody(tx: &Tx<'_>) -> rusqlite::Result<Vec<UserId>> {
    tx.statement("select id from users where status = ?")?
        .query_map((Status::Active,), |row| row.get(0))?
        .collect()
}

/// The same list, if each is an active person.
fn known(tx: &Tx<'_>, people: &[UserId]) -> Result<Vec<UserId>, Refusal> {
    let mut statement = tx.statement("select 1 from users where id = ? and status = ?")?;
    for person in people {
        if !statement.exists((person, Status::Active))? {
            return Err(Refusal::Invalid("user_ids", "names somebody who is not here"));
        }
    }
    Ok(people.to_vec())
}

/// A new member has read what was said before.
pub(super) fn enter(
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

pub(super) fn load(tx: &Tx<'_>, id: RoomId) -> rusqlite::Result<Room> {
    tx.statement(&format!("select {ROOM} from rooms where id = ? and deleted_at is null"))?
        .query_row((id,), room)
}

fn members(tx: &Tx<'_>, room: RoomId) -> rusqlite::Result<Vec<UserId>> {
    tx.statement("select user_id from memberships where room_id = ?")?
        .query_map((room,), |row| row.get(0))?
        .collect()
}

fn view<'a>(tx: &Tx<'_>, room: &'a Room) -> rusqlite::Result<RoomView<'a>> {
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
            for person in everybody(tx)? {
                if enter(tx, self.room, person, kind.default_involvement())? {
                    added.push(person);
                }
            }
        }
        updated(tx, self.room, added)
    }
}

fn updated(tx: &mut Tx<'_>, room: RoomId, added: Vec<UserId>) -> Result<(), Refusal> {
    let room = load(tx, room)?;
    let view = view(tx, &room)?;
    Ok(tx.record(Audience::Room(room.id), None, &Event::RoomUpdated { room: &view }, |json| {
        Change::RoomUpdated { room: room.clone(), added, json }
    })?)
}

/// Ends a room. Its messages go in the background.
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

/// Sets who is in a closed room.
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
        let wanted = known(tx, &self.members)?;
        for leaver in members(tx, room.id)? {
            if !wanted.contains(&leaver) {
                leave(tx, room.id, leaver)?;
            }
        }
        for member in wanted {
            if enter(tx, room.id, member, room.kind.default_involvement())? {
                membership_updated(tx, &room, member)?;
            }
        }
        updated(tx, room.id, Vec::new())
    }
}

/// Takes somebody out of a room, and tells them.
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

fn membership_updated(tx: &mut Tx<'_>, room: &Room, user: UserId) -> Result<Membership, Refusal> {
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
        membership_updated(tx, &room, self.user)
    }
}

/// Marks a room read up to a message. What was read stays read, and nothing is read before it is there.
#[derive(Debug)]
pub struct MarkRead {
    pub room: RoomId,
    pub user: UserId,
    pub message: MessageId,
}

impl Command for MarkRead {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let newest: Option<MessageId> = tx
            .statement("select max(id) from messages where room_id = ?")?
            .query_row((self.room,), |row| row.get(0))?;
        let Some(newest) = newest else { return Ok(()) };
        let message = self.message.min(newest);
        let changed = tx
            .statement(
                "update memberships set last_read_message_id = ?1
                 where room_id = ?2 and user_id = ?3 and last_read_message_id < ?1",
            )?
            .execute((message, self.room, self.user))?;
        if changed > 0 {
            tx.tell(Change::ReadMarked { user: self.user, room: self.room, message });
        }
        Ok(())
    }
}

/// A member's relation to a room, with what is unread counted as it stands.
pub(super) fn membership(
    db: &Connection,
    room: RoomId,
    user: UserId,
) -> rusqlite::Result<Option<Membership>> {
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
        // Who has hidden a room does not want to know.
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
    /// A room that has not been deleted.
    pub fn room(&self, id: RoomId) -> rusqlite::Result<Option<Room>> {
        self.statement(&format!("select {ROOM} from rooms where id = ? and deleted_at is null"))?
            .query_row((id,), room)
            .optional()
    }

    pub fn is_member(&self, room: RoomId, user: UserId) -> rusqlite::Result<bool> {
        self.statement("select 1 from memberships where room_id = ? and user_id = ?")?.exists((room, user))
    }

    pub fn membership(&self, room: RoomId, user: UserId) -> rusqlite::Result<Option<Membership>> {
        membership(self.connection(), room, user)
    }

    /// All of a person's memberships. `has_unread` says whether a room has anything after a message, so that the rooms
    /// that are read, which most are, need no counting.
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
