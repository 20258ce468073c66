//! Bots: users that programs speak as.

use rusqlite::OptionalExtension;

use super::{
    Reader,
    command::{Command, Refusal, Tx},
    people::{Deactivate, join_open_rooms, load, record_user_update, rename_mentions},
    sessions::{NewSession, end_sessions},
};
use crate::{
    types::event::{Change, SessionEnd},
    types::{Role, Scope, SessionKind, Status, User, UserId},
};

/// Makes a bot and its key.
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
        let bot = UserId(tx.db.last_insert_rowid());
        join_open_rooms(tx, bot)?;
        tx.statement("insert into bots (user_id, webhook_url, key) values (?, ?, ?)")?.execute((
            bot,
            &self.webhook_url,
            &self.secret,
        ))?;
        tx.notify(Change::WebhookSet { bot, on: self.webhook_url.is_some() });
        self.key.start_as(tx, bot, SessionKind::Bot, Scope::Write, None)?;
        Ok(bot)
    }
}

fn load_bot(tx: &Tx<'_>, id: UserId) -> Result<User, Refusal> {
    let is_bot = tx.statement("select 1 from bots where user_id = ?")?.exists((id,))?;
    let user = load(tx, id)?;
    if is_bot && user.is_active() { Ok(user) } else { Err(Refusal::NotFound) }
}

/// Changes the fields that are given. `NotFound` for a removed bot.
#[derive(Debug)]
pub struct ChangeBot {
    pub bot: UserId,
    pub name: Option<String>,
    /// Some(None) removes the webhook.
    pub webhook_url: Option<Option<String>>,
}

impl Command for ChangeBot {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        load_bot(tx, self.bot)?;
        if let Some(url) = &self.webhook_url {
            tx.statement("update bots set webhook_url = ? where user_id = ?")?.execute((url, self.bot))?;
            tx.notify(Change::WebhookSet { bot: self.bot, on: url.is_some() });
        }
        if let Some(name) = &self.name {
            tx.statement("update users set name = ? where id = ?")?.execute((name, self.bot))?;
            rename_mentions(tx, self.bot)?;
            record_user_update(tx, self.bot, Vec::new())?;
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
        self.key.start_as(tx, self.bot, SessionKind::Bot, Scope::Write, None)?;
        Ok(())
    }
}

/// Removes a bot. Its messages stay.
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

/// Removes a bot's key, its webhook and its row of incoming webhooks.
pub(super) fn remove_key_and_hooks(tx: &mut Tx<'_>, bot: UserId) -> rusqlite::Result<()> {
    tx.statement("delete from bots where user_id = ?")?.execute((bot,))?;
    tx.statement("delete from hooks where user_id = ?")?.execute((bot,))?;
    tx.notify(Change::WebhookSet { bot, on: false });
    Ok(())
}

/// A bot that has not been removed.
#[derive(Debug)]
pub struct Bot {
    pub id: UserId,
    pub webhook_url: Option<String>,
}

impl Reader {
    /// All bots that have not been removed, in order of id.
    pub fn bots(&self) -> rusqlite::Result<Vec<Bot>> {
        self.statement(
            "select bots.user_id, webhook_url from bots join users on users.id = user_id where status = ? order by user_id",
        )?
        .query_map((Status::Active,), |row| Ok(Bot { id: row.get(0)?, webhook_url: row.get(1)? }))?
        .collect()
    }

    /// A bot, unless it has been removed.
    pub fn bot(&self, id: UserId) -> rusqlite::Result<Option<Bot>> {
        Ok(self.bots()?.into_iter().find(|bot| bot.id == id))
    }

    /// The secret half of a bot's key.
    pub fn bot_key(&self, id: UserId) -> rusqlite::Result<Option<String>> {
        self.statement("select key from bots where user_id = ?")?
            .query_row((id,), |row| row.get(0))
            .optional()
    }
}
