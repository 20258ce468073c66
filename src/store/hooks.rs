//! Incoming webhooks: names under which programs post to one room.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    memberships::enter,
    people::{Deactivate, record_user_update},
    rooms,
};
use crate::types::{HookId, Role, RoomId, RoomKind, Timestamp, TokenHash, UserId};

#[derive(Debug, serde::Serialize)]
pub struct Hook {
    pub id: HookId,
    pub name: String,
    pub room_id: RoomId,
    pub user_id: UserId,
    pub created_at: Timestamp,
}

/// Makes an incoming webhook: a name that speaks in one room.
#[derive(Debug)]
pub struct CreateHook {
    pub name: String,
    pub room: RoomId,
    pub creator: UserId,
    pub token: TokenHash,
}

impl Command for CreateHook {
    type Output = HookId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<HookId, Refusal> {
        let room =
            rooms::load(tx, self.room).map_err(|_| Refusal::Invalid("room_id", "is no room that is here"))?;
        if room.kind == RoomKind::Direct {
            return Err(Refusal::Invalid("room_id", "is a direct room, which belongs to its members"));
        }
        tx.statement("insert into users (name, role, created_at) values (?, ?, ?)")?.execute((
            &self.name,
            Role::Bot,
            tx.now,
        ))?;
        let user = UserId(tx.db.last_insert_rowid());
        enter(tx, self.room, user, room.kind.default_involvement())?;
        // Only its own room: it has nothing to say, or to read, in another.
        record_user_update(tx, user, vec![self.room])?;
        tx.statement(
            "insert into hooks (user_id, room_id, token_hash, creator_id, created_at) values (?, ?, ?, ?, ?)",
        )?
        .execute((user, self.room, self.token, self.creator, tx.now))?;
        Ok(HookId(tx.db.last_insert_rowid()))
    }
}

/// Takes an incoming webhook away; what it said stays.
#[derive(Debug)]
pub struct RemoveHook {
    pub hook: HookId,
}

impl Command for RemoveHook {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let user: UserId = tx
            .statement("select user_id from hooks where id = ?")?
            .query_row((self.hook,), |row| row.get(0))?;
        Deactivate { user }.apply(tx)
    }
}

impl Reader {
    pub fn hooks(&self) -> rusqlite::Result<Vec<Hook>> {
        self.statement(
            "select hooks.id, users.name, room_id, user_id, hooks.created_at from hooks join users on users.id = user_id
             order by hooks.id",
        )?
        .query_map((), hook)?
        .collect()
    }

    /// Who speaks by this token, and where.
    pub fn hook_of(&self, token: &TokenHash) -> rusqlite::Result<Option<Hook>> {
        self.statement(
            "select hooks.id, users.name, room_id, user_id, hooks.created_at from hooks join users on users.id = user_id
             where token_hash = ?",
        )?
        .query_row((token,), hook)
        .optional()
    }
}

fn hook(row: &rusqlite::Row<'_>) -> rusqlite::Result<Hook> {
    Ok(Hook {
        id: row.get(0)?,
        name: row.get(1)?,
        room_id: row.get(2)?,
        user_id: row.get(3)?,
        created_at: row.get(4)?,
    })
}
