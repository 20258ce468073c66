//! Bots and incoming webhooks: users that programs speak as.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    people::{Deactivate, NewSession, arrived, end_sessions, load, updated},
    rooms::enter,
};
use crate::{
    types::event::{Change, SessionEnd},
    types::{HookId, Role, RoomId, SessionKind, Status, Timestamp, TokenHash, User, UserId},
};

/// Makes a bot, with its key.
#[derive(Debug)]
pub struct CreateBot {
    pub name: String,
    pub webhook_url: Option<String>,
    pub secret: String,
    pub key: NewSession,
}

impl Command for CreateBot {
    type Output = UserId;

    fn apply(self, tx: &mut Tx<'_>) -> Result<UserId, Refusal> {
        tx.statement("insert into users (name, role, created_at) values (?, ?, ?)")?.execute((
            &self.name,
            Role::Bot,
            tx.now,
        ))?;
        let bot = arrived(tx)?;
        tx.statement("insert into bots (user_id, webhook_url, key) values (?, ?, ?)")?.execute((
            bot,
            &self.webhook_url,
            &self.secret,
        ))?;
        tx.tell(Change::WebhookSet { bot, on: self.webhook_url.is_some() });
        self.key.start_as(tx, bot, SessionKind::Bot, None)?;
        Ok(bot)
    }
}

fn load_bot(tx: &Tx<'_>, id: UserId) -> Result<User, Refusal> {
    let is_bot = tx.statement("select 1 from bots where user_id = ?")?.exists((id,))?;
    let user = load(tx, id)?;
    if is_bot && user.is_active() { Ok(user) } else { Err(Refusal::NotFound) }
}

/// Changes what is given, leaves the rest.
#[derive(Debug)]
pub struct ChangeBot {
    pub bot: UserId,
    pub name: Option<String>,
    /// Some(None) takes the webhook away.
    pub webhook_url: Option<Option<String>>,
}

impl Command for ChangeBot {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        load_bot(tx, self.bot)?;
        if let Some(url) = &self.webhook_url {
            tx.statement("update bots set webhook_url = ? where user_id = ?")?.execute((url, self.bot))?;
            tx.tell(Change::WebhookSet { bot: self.bot, on: url.is_some() });
        }
        if let Some(name) = &self.name {
            tx.statement("update users set name = ? where id = ?")?.execute((name, self.bot))?;
            updated(tx, self.bot, Vec::new())?;
        }
        Ok(())
    }
}

/// Gives a bot a new key; the old one stops working.
#[derive(Debug)]
pub struct RenewBotKey {
    pub bot: UserId,
    pub secret: String,
    pub key: NewSession,
}

impl Command for RenewBotKey {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        load_bot(tx, self.bot)?;
        tx.statement("update bots set key = ? where user_id = ?")?.execute((&self.secret, self.bot))?;
        end_sessions(tx, self.bot, Some(SessionKind::Bot), None, SessionEnd::SignedOut)?;
        self.key.start_as(tx, self.bot, SessionKind::Bot, None)?;
        Ok(())
    }
}

/// Removes a bot; what it said stays.
#[derive(Debug)]
pub struct RemoveBot {
    pub bot: UserId,
}

impl Command for RemoveBot {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        load_bot(tx, self.bot)?;
        Deactivate { user: self.bot }.apply(tx)
    }
}

/// A bot that goes takes its webhooks with it.
pub(super) fn forget(tx: &mut Tx<'_>, bot: UserId) -> rusqlite::Result<()> {
    tx.statement("delete from bots where user_id = ?")?.execute((bot,))?;
    tx.statement("delete from hooks where user_id = ?")?.execute((bot,))?;
    tx.tell(Change::WebhookSet { bot, on: false });
    Ok(())
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
        let room = super::rooms::load(tx, self.room)
            .map_err(|_| Refusal::Invalid("room_id", "is no room that is here"))?;
        if room.kind == crate::types::RoomKind::Direct {
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
        updated(tx, user, vec![self.room])?;
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

#[derive(Debug)]
pub struct Bot {
    pub id: UserId,
    pub webhook_url: Option<String>,
}

#[derive(Debug, serde::Serialize)]
pub struct Hook {
    pub id: HookId,
    pub name: String,
    pub room_id: RoomId,
    pub user_id: UserId,
    pub created_at: Timestamp,
}

impl Reader {
    pub fn bots(&self) -> rusqlite::Result<Vec<Bot>> {
        self.statement(
            "select bots.user_id, webhook_url from bots join users on users.id = user_id where status = ? order by user_id",
        )?
        .query_map((Status::Active,), |row| Ok(Bot { id: row.get(0)?, webhook_url: row.get(1)? }))?
        .collect()
    }

    pub fn bot(&self, id: UserId) -> rusqlite::Result<Option<Bot>> {
        Ok(self.bots()?.into_iter().find(|bot| bot.id == id))
    }

    /// The secret half of a bot's key.
    pub fn bot_key(&self, id: UserId) -> rusqlite::Result<Option<String>> {
        self.statement("select key from bots where user_id = ?")?
            .query_row((id,), |row| row.get(0))
            .optional()
    }

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
