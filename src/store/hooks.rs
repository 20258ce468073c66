//! Incoming webhooks: users as which other programs post to one room.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    memberships::enter_silently,
    people::{Deactivate, record_user_update, rename_mentions},
    rooms,
};
use crate::types::{HookFormat, HookId, Role, RoomId, RoomKind, Timestamp, TokenHash, UserId};

/// An incoming webhook.
#[derive(Debug, serde::Serialize)]
pub struct Hook {
    pub id: HookId,
    pub name: String,
    pub room_id: RoomId,
    pub user_id: UserId,
    pub format: HookFormat,
    pub created_at: Timestamp,
}

/// Makes an incoming webhook, with a user of its own. Refused with `Invalid` for a direct room.
#[derive(Debug)]
pub struct CreateHook {
    pub name: String,
    pub room: RoomId,
    pub creator: UserId,
    pub token: TokenHash,
    pub format: HookFormat,
}

impl Command for CreateHook {
    type Output = HookId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<HookId, Refusal> {
        let room =
            rooms::load(tx, self.room).map_err(|_| Refusal::Invalid("room_id", "is not an existing room"))?;
        if room.kind == RoomKind::Direct {
            return Err(Refusal::Invalid("room_id", "is a direct room, which belongs to its members"));
        }
        tx.statement("insert into users (name, role, created_at) values (?, ?, ?)")?.execute((
            &self.name,
            Role::Bot,
            tx.now,
        ))?;
        let user = UserId(tx.db.last_insert_rowid());
        enter_silently(tx, self.room, user, room.kind.default_involvement())?;
        tx.statement(
            "insert into hooks (user_id, room_id, token_hash, creator_id, created_at, format) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute((user, self.room, self.token, self.creator, tx.now, self.format))?;
        let hook = HookId(tx.db.last_insert_rowid());
        // It joins no other room, not even open ones. It is known by its hook as one that only posts.
        record_user_update(tx, user, vec![self.room])?;
        Ok(hook)
    }
}

/// Changes the fields that are given. `NotFound` for a removed webhook.
#[derive(Debug)]
pub struct ChangeHook {
    pub hook: HookId,
    pub name: Option<String>,
    pub format: Option<HookFormat>,
}

impl Command for ChangeHook {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let user: UserId = tx
            .statement("select user_id from hooks where id = ?")?
            .query_row((self.hook,), |row| row.get(0))?;
        if let Some(format) = self.format {
            tx.statement("update hooks set format = ? where id = ?")?.execute((format, self.hook))?;
        }
        if let Some(name) = &self.name {
            tx.statement("update users set name = ? where id = ?")?.execute((name, user))?;
            rename_mentions(tx, user)?;
            record_user_update(tx, user, Vec::new())?;
        }
        Ok(())
    }
}

/// Removes an incoming webhook. Its messages stay.
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
    /// All incoming webhooks, in order of id.
    pub fn hooks(&self) -> rusqlite::Result<Vec<Hook>> {
        self.statement(
            "select hooks.id, users.name, room_id, user_id, hooks.created_at, format from hooks join users on users.id = user_id
             order by hooks.id",
        )?
        .query_map((), hook)?
        .collect()
    }

    /// An incoming webhook, unless it has been removed.
    pub fn hook(&self, id: HookId) -> rusqlite::Result<Option<Hook>> {
        Ok(self.hooks()?.into_iter().find(|hook| hook.id == id))
    }

    /// The incoming webhook with this token.
    pub fn hook_of(&self, token: &TokenHash) -> rusqlite::Result<Option<Hook>> {
        self.statement(
            "select hooks.id, users.name, room_id, user_id, hooks.created_at, format from hooks join users on users.id = user_id
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
        format: row.get(5)?,
    })
}
