//! Messages: posting, editing, deleting, and pages of them.

mod edit;
mod page;
mod post;
mod purge;
mod rename;

use bytes::Bytes;
use rusqlite::Connection;
use smallvec::SmallVec;

use super::command::{Entry, Refusal, Tx};
use crate::types::{Message, MessageId, RoomId, UserId, event::Mentions};

pub use edit::{EditMessage, RemoveEmbed, SetEmbeds};
pub use page::{MessageRow, MessageWords, Page, Select};
pub use post::{PostMessage, Posted};
pub(super) use purge::entry as entry_of;
pub use purge::{DeleteMessage, PurgeRooms, RemoveMessagesOf, RetireMessages};
pub use rename::RenameMentions;

/// A message's text and what is derived from it, rendered before it reaches the writer.
#[derive(Debug, Default)]
pub struct Text {
    pub content: String,
    pub html: String,
    pub plain: String,
    /// What it contains, as tags of the index (`link`, `sound`).
    pub tags: String,
    pub mentions: SmallVec<[UserId; 4]>,
    /// Whether everybody in the room is mentioned.
    pub everyone: bool,
    pub is_emoji_only: bool,
}

/// Inserts a message's mentions. User 0 stands for everybody in the room.
pub(super) fn mention(
    db: &Connection,
    room: RoomId,
    message: MessageId,
    mentions: &[UserId],
    everyone: bool,
) -> rusqlite::Result<()> {
    if mentions.is_empty() && !everyone {
        return Ok(());
    }
    let mut insert =
        db.prepare_cached("insert or ignore into mentions (user_id, room_id, message_id) values (?, ?, ?)")?;
    for user in mentions.iter().copied().chain(everyone.then_some(UserId(0))) {
        insert.execute((user, room, message))?;
    }
    Ok(())
}

/// Reads a message's mentions.
fn mentions(tx: &Tx<'_>, message: MessageId) -> rusqlite::Result<Mentions> {
    let mut mentions = Mentions::default();
    let mut rows = tx.statement("select user_id from mentions where message_id = ? order by user_id")?;
    let mut rows = rows.query((message,))?;
    while let Some(row) = rows.next()? {
        match row.get(0)? {
            UserId(0) => mentions.everyone = true,
            user => mentions.users.push(user),
        }
    }
    Ok(mentions)
}

/// Removes a message's mentions.
fn unmention(tx: &Tx<'_>, message: MessageId) -> rusqlite::Result<()> {
    tx.statement("delete from mentions where message_id = ?")?.execute((message,)).map(drop)
}

/// A message, parsed, and what the index has of it.
pub(super) fn stored(tx: &Tx<'_>, id: MessageId) -> Result<(Message, Entry), Refusal> {
    let (json, plain, addresses, tags) = tx
        .statement("select json, plain, addresses, tags from messages where id = ?")?
        .query_row((id,), |row| Ok((bytes(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let message: Message = serde_json::from_slice(&json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
    })?;
    let (room, creator) = (message.room_id, message.creator_id);
    Ok((message, Entry { message: id, room, creator, plain, addresses, tags }))
}

/// Stores the JSON of a changed message, and returns it.
pub(super) fn rewrite(tx: &Tx<'_>, message: &Message) -> rusqlite::Result<Bytes> {
    let json = Bytes::from(serde_json::to_vec(message).expect("a message serialises to JSON"));
    tx.statement("update messages set json = ? where id = ?")?.execute((&*json, message.id))?;
    Ok(json)
}

/// Refused with `Forbidden` unless the editor is the author or an administrator.
fn authorise(creator: UserId, editor: UserId, is_admin: bool) -> Result<(), Refusal> {
    if creator == editor || is_admin {
        Ok(())
    } else {
        Err(Refusal::Forbidden("Only its author or an administrator may change a message."))
    }
}

/// A blob column.
pub(super) fn bytes(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}
