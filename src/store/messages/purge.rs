//! Deleting messages: one, those of a deleted room, those of a person who was banned, those past the retention.

use super::{authorise, stored, unmention};
use crate::{
    store::{
        account::retention_days,
        command::{Audience, Command, Entry, Indexing, Refusal, Tx},
        files::remove_files,
    },
    types::event::Change,
    types::{Message, MessageId, UserId},
    wire,
};

/// How many messages of a deleted room go in one command: small enough that the writer is never held up for long.
const PURGE_STEP: usize = 500;

/// The same where each one is announced.
const REMOVE_STEP: usize = 100;

#[derive(Debug)]
pub struct DeleteMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub is_admin: bool,
}

impl Command for DeleteMessage {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (message, entry) = stored(tx, self.message)?;
        authorise(&message, self.editor, self.is_admin)?;
        delete(tx, &message, entry)
    }
}

/// Takes a message out of its room, and tells everybody there.
fn delete(tx: &mut Tx<'_>, message: &Message, entry: Entry) -> Result<(), Refusal> {
    remove(tx, message, entry)?;
    let (room, id) = (message.room_id, message.id);
    let last_message = tx
        .statement("select max(id) from messages where room_id = ?")?
        .query_row((room,), |row| row.get(0))?;
    let event = wire::Event::MessageDeleted { room_id: room, message_id: id };
    Ok(tx.record(Audience::Room(room), Some(id), &event, |json| Change::MessageDeleted {
        room,
        message: id,
        last_message,
        json,
    })?)
}

fn remove(tx: &mut Tx<'_>, message: &Message, entry: Entry) -> rusqlite::Result<()> {
    unmention(tx, message)?;
    if !message.boosts.is_empty() {
        tx.statement("delete from boosts where message_id = ?")?.execute((message.id,))?;
    }
    if message.attachment.is_some() {
        remove_files(tx, message.id)?;
    }
    if !message.embeds.is_empty() {
        tx.statement("delete from images where message_id = ?")?.execute((message.id,))?;
    }
    tx.statement("delete from messages where id = ?")?.execute((message.id,))?;
    tx.indexing.push(Indexing::Remove(entry));
    Ok(())
}

/// Removes some of the messages of deleted rooms; true if there may be more.
#[derive(Debug)]
pub struct PurgeRooms;

impl Command for PurgeRooms {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let ids: Vec<MessageId> = tx
            .statement(
                "select messages.id from rooms join messages on messages.room_id = rooms.id
                 where rooms.deleted_at is not null limit ?",
            )?
            .query_map((PURGE_STEP,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            let (message, entry) = stored(tx, *id)?;
            remove(tx, &message, entry)?;
        }
        Ok(ids.len() == PURGE_STEP)
    }
}

/// Removes some of what a person said, each announced; true if there may be more.
#[derive(Debug)]
pub struct RemoveMessagesOf {
    pub user: UserId,
}

impl Command for RemoveMessagesOf {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let ids: Vec<MessageId> = tx
            .statement("select id from messages where creator_id = ? order by id desc limit ?")?
            .query_map((self.user, REMOVE_STEP), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            let (message, entry) = stored(tx, *id)?;
            delete(tx, &message, entry)?;
        }
        Ok(ids.len() == REMOVE_STEP)
    }
}

/// Removes some of what is older than the account keeps, each announced; true if there may be more.
#[derive(Debug)]
pub struct RetireMessages;

impl Command for RetireMessages {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let Some(days) = retention_days(tx)? else { return Ok(false) };
        let horizon = tx.now.hours_ago(i64::from(days) * 24);
        let ids: Vec<MessageId> = tx
            .statement("select id from messages order by id limit ?")?
            .query_map((REMOVE_STEP,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            let (message, entry) = stored(tx, *id)?;
            // Messages are in the order of their time, so the first that stays is followed by others that do.
            if message.created_at >= horizon {
                return Ok(false);
            }
            delete(tx, &message, entry)?;
        }
        Ok(ids.len() == REMOVE_STEP)
    }
}
