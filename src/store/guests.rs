//! Guests: they see only the people with whom they share a room, so they are told of somebody when that begins. Nothing is told
//! when it ends: what they hear of somebody ends with it.

use super::{
    command::{Audience, Command, Refusal, Tx},
    memberships::leave,
    people::{ChangeUser, load},
};
use crate::{
    types::event::Change,
    types::{Role, RoomId, RoomKind, User, UserId},
    wire::Event,
};

/// Members of a room who share no other room with one of them.
const STRANGERS: &str = "select one.user_id from memberships one join users on users.id = one.user_id
    where one.room_id = ?1 and one.user_id <> ?2
      and not exists (select 1 from memberships a join memberships b on b.room_id = a.room_id
        where a.user_id = one.user_id and b.user_id = ?2 and a.room_id <> ?1)";

/// Tells guests of those whom they see from now on, since somebody has become a member of a room.
pub(super) fn introduce(tx: &mut Tx<'_>, room: RoomId, entered: UserId) -> Result<(), Refusal> {
    // By an index that has no others.
    if !tx.statement("select 1 from users where role = 'guest'")?.exists(())? {
        return Ok(());
    }
    let guests = strangers(tx, &format!("{STRANGERS} and role = 'guest'"), room, entered)?;
    let entered = load(tx, entered)?;
    if !guests.is_empty() {
        show(tx, &entered, guests)?;
    }
    if entered.is_guest() {
        for stranger in strangers(tx, STRANGERS, room, entered.id)? {
            let stranger = load(tx, stranger)?;
            show(tx, &stranger, vec![entered.id])?;
        }
    }
    Ok(())
}

fn strangers(tx: &Tx<'_>, sql: &str, room: RoomId, entered: UserId) -> rusqlite::Result<Vec<UserId>> {
    tx.statement(sql)?.query_map((room, entered), |row| row.get(0))?.collect()
}

fn show(tx: &mut Tx<'_>, user: &User, to: Vec<UserId>) -> rusqlite::Result<()> {
    let event = Event::UserUpdated { user: user.public() };
    tx.record(Audience::Those(&to), None, &event, |json| Change::UserShown { to: to.clone(), json })
}

/// Makes somebody a guest, who keeps those of their rooms that are listed, and all direct ones. Refused with `Invalid` if
/// one is not theirs, and like [`ChangeUser`], which it does too.
#[derive(Debug)]
pub struct BecomeGuest {
    pub rooms: Vec<RoomId>,
    pub change: ChangeUser,
}

impl Command for BecomeGuest {
    type Output = User;

    fn apply(self, tx: &mut Tx<'_>) -> Result<User, Refusal> {
        let user = self.change.user;
        let shared: Vec<RoomId> = tx
            .statement(
                "select room_id from memberships join rooms on rooms.id = room_id where user_id = ? and kind <> ?",
            )?
            .query_map((user, RoomKind::Direct), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if self.rooms.iter().any(|room| !shared.contains(room)) {
            return Err(Refusal::Invalid("room_ids", "contains a room that this person is not in"));
        }
        for room in shared.into_iter().filter(|room| !self.rooms.contains(room)) {
            leave(tx, room, user)?;
        }
        ChangeUser { role: Some(Role::Guest), ..self.change }.apply(tx)
    }
}
