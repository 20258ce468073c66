//! The present names of mentioned people in stored messages.

use super::{rewrite, stored};
use crate::{
    store::command::{Command, Entry, Indexing, Refusal, Tx},
    text,
    types::{MessageId, RoomId, UserId},
};

/// Messages of one transaction, so that posts do not wait.
const RENAME_STEP: usize = 50;

/// Puts a user's present name into up to 50 messages that mention them, newest rooms first, each with an event. Returns
/// the last of them if there may be more, to go on before it.
#[derive(Debug)]
pub struct RenameMentions {
    pub user: UserId,
    pub before: Option<(RoomId, MessageId)>,
}

impl Command for RenameMentions {
    type Output = Option<(RoomId, MessageId)>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Output, Refusal> {
        let Self { user, before } = self;
        let (room, message) = before.unwrap_or((RoomId(i64::MAX), MessageId(i64::MAX)));
        let name: String =
            tx.statement("select name from users where id = ?")?.query_row((user,), |row| row.get(0))?;
        let mentions: Vec<(RoomId, MessageId)> = tx
            .statement(
                "select room_id, message_id from mentions where user_id = ? and (room_id, message_id) < (?, ?)
                 order by room_id desc, message_id desc limit ?",
            )?
            .query_map((user, room, message, RENAME_STEP), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (_, id) in &mentions {
            match rename(tx, *id, user, &name) {
                Err(Refusal::NotFound) => {}
                done => done?,
            }
        }
        Ok(mentions.last().copied().filter(|_| mentions.len() == RENAME_STEP))
    }
}

fn rename(tx: &mut Tx<'_>, id: MessageId, user: UserId, name: &str) -> Result<(), Refusal> {
    let (mut message, before) = stored(tx, id)?;
    let Some((html, plain)) = text::with_name(&message.content, &message.html, &before.plain, user, name)
    else {
        return Ok(());
    };
    message.html = html;
    let json = rewrite(tx, &message)?;
    tx.statement("update messages set plain = ? where id = ?")?.execute((&plain, id))?;
    let (room, creator) = (message.room_id, message.creator_id);
    let (addresses, tags) = (before.addresses.clone(), before.tags.clone());
    tx.indexing.push(Indexing::Remove(before));
    tx.indexing.push(Indexing::Add(Entry { message: id, room, creator, plain, addresses, tags }));
    Ok(tx.record_update(room, id, None, json)?)
}
