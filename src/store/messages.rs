//! Messages: posting, editing, deleting, and pages of them.

use bytes::{BufMut, Bytes, BytesMut};
use rusqlite::OptionalExtension;
use serde::Serialize;
use smallvec::SmallVec;

use super::{
    Reader,
    command::{Audience, Command, Indexing, Refusal, Tx},
};
use crate::{
    event::Change,
    types::{Attachment, Boost, Embed, Message, MessageId, MessageKind, RoomId, Timestamp, UserId},
};

/// How many messages of a deleted room go in one command: small enough that the writer is never held up for long.
const PURGE_STEP: usize = 500;

/// A message's text with all that follows from it, made before it reaches the writer.
#[derive(Debug)]
pub struct Text {
    pub content: String,
    pub html: String,
    pub plain: String,
    pub mentions: SmallVec<[UserId; 4]>,
    pub everyone: bool,
}

/// Posts a message. The same `client_message_id` of the same person in the same room posts nothing again.
#[derive(Debug)]
pub struct PostMessage {
    room: RoomId,
    creator: UserId,
    client_message_id: Option<String>,
    reply_to: Option<MessageId>,
    /// The finished object but for its id and time, which only the writer knows.
    rest: Vec<u8>,
    plain: String,
    mentions: SmallVec<[UserId; 4]>,
    everyone: bool,
    at: Option<Timestamp>,
}

impl PostMessage {
    pub fn new(
        room: RoomId,
        creator: UserId,
        client_message_id: Option<String>,
        reply_to: Option<MessageId>,
        text: Text,
    ) -> Self {
        #[derive(Serialize)]
        struct Rest<'a> {
            room_id: RoomId,
            creator_id: UserId,
            client_message_id: Option<&'a str>,
            kind: MessageKind,
            content: &'a str,
            html: &'a str,
            edited_at: Option<Timestamp>,
            reply_to_id: Option<MessageId>,
            mentions: &'a [UserId],
            boosts: &'a [Boost],
            attachment: Option<Attachment>,
            embeds: &'a [Embed],
        }
        let rest = Rest {
            room_id: room,
            creator_id: creator,
            client_message_id: client_message_id.as_deref(),
            kind: MessageKind::Text,
            content: &text.content,
            html: &text.html,
            edited_at: None,
            reply_to_id: reply_to,
            mentions: &text.mentions,
            boosts: &[],
            attachment: None,
            embeds: &[],
        };
        let rest = serde_json::to_vec(&rest).expect("a message has nothing that JSON cannot say");
        let Text { plain, mentions, everyone, .. } = text;
        Self { room, creator, client_message_id, reply_to, rest, plain, mentions, everyone, at: None }
    }

    /// For talk that was had elsewhere, or is made up.
    pub fn at(mut self, moment: Timestamp) -> Self {
        self.at = Some(moment);
        self
    }
}

#[derive(Debug)]
pub struct Posted {
    pub id: MessageId,
    pub json: Bytes,
    /// False if it had been posted before.
    pub fresh: bool,
}

impl Command for PostMessage {
    type Output = Posted;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Posted, Refusal> {
        if let Some(client_id) = &self.client_message_id
            && let Some((id, json)) = posted_before(tx, self.room, self.creator, client_id)?
        {
            return Ok(Posted { id, json, fresh: false });
        }
        if let Some(reply_to) = self.reply_to {
            tx.statement("select 1 from messages where id = ? and room_id = ?")?
                .query_row((reply_to, self.room), |_| Ok(()))
                .optional()?
                .ok_or(Refusal::Invalid("reply_to_id", "is not a message of this room"))?;
        }
        let id = MessageId(tx.next_seq().0);
        // Marks the room read for its author, and proves in the same step that the author is a member.
        let member = tx
            .statement("update memberships set last_read_message_id = ? where room_id = ? and user_id = ?")?
            .execute((id, self.room, self.creator))?;
        if member == 0 {
            return Err(Refusal::NotFound);
        }
        let json = self.finished(id, tx.now);
        tx.statement(
            "insert into messages (id, room_id, creator_id, client_message_id, json, plain) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute((id, self.room, self.creator, &self.client_message_id, &*json, &self.plain))?;
        mention(tx, self.room, id, &self.mentions, self.everyone)?;
        tx.indexing.push(Indexing::Add {
            message: id,
            room: self.room,
            creator: self.creator,
            plain: self.plain,
        });
        let change = Change::MessageCreated {
            room: self.room,
            message: id,
            creator: self.creator,
            mentions: self.mentions,
            everyone: self.everyone,
            json: json.clone(),
        };
        // No row in `events`: the message's own row is the record.
        tx.events.push(crate::event::Event { seq: *tx.seq, change });
        Ok(Posted { id, json, fresh: true })
    }
}

impl PostMessage {
    fn finished(&self, id: MessageId, now: Timestamp) -> Bytes {
        use std::fmt::Write;
        let mut json = BytesMut::with_capacity(self.rest.len() + 64);
        write!(json, r#"{{"id":{id},"created_at":"{}","#, self.at.unwrap_or(now))
            .expect("memory takes any text");
        json.put_slice(&self.rest[1..]);
        json.freeze()
    }
}

fn posted_before(
    tx: &Tx<'_>,
    room: RoomId,
    creator: UserId,
    client_id: &str,
) -> rusqlite::Result<Option<(MessageId, Bytes)>> {
    tx.statement(
        "select id, json from messages where room_id = ? and creator_id = ? and client_message_id = ?",
    )?
    .query_row((room, creator, client_id), |row| Ok((row.get(0)?, bytes(row, 1)?)))
    .optional()
}

fn mention(
    tx: &Tx<'_>,
    room: RoomId,
    message: MessageId,
    mentions: &[UserId],
    everyone: bool,
) -> rusqlite::Result<()> {
    if mentions.is_empty() && !everyone {
        return Ok(());
    }
    let mut insert =
        tx.statement("insert or ignore into mentions (user_id, room_id, message_id) values (?, ?, ?)")?;
    for user in mentions.iter().copied().chain(everyone.then_some(UserId(0))) {
        insert.execute((user, room, message))?;
    }
    Ok(())
}

fn unmention(tx: &Tx<'_>, message: &Message) -> rusqlite::Result<()> {
    let mut delete =
        tx.statement("delete from mentions where user_id = ? and room_id = ? and message_id = ?")?;
    for user in message.mentions.iter().copied().chain([UserId(0)]) {
        delete.execute((user, message.room_id, message.id))?;
    }
    Ok(())
}

/// A message with what the index knows of it.
fn stored(tx: &Tx<'_>, id: MessageId) -> Result<(Message, String), Refusal> {
    let (json, plain) = tx
        .statement("select json, plain from messages where id = ?")?
        .query_row((id,), |row| Ok((bytes(row, 0)?, row.get(1)?)))?;
    let message = serde_json::from_slice(&json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
    })?;
    Ok((message, plain))
}

/// Its author, or an administrator, may change a message.
fn authorise(message: &Message, editor: UserId, is_admin: bool) -> Result<(), Refusal> {
    if message.creator_id == editor || is_admin {
        Ok(())
    } else {
        Err(Refusal::Forbidden("Only its author or an administrator may change a message."))
    }
}

#[derive(Debug)]
pub struct EditMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub is_admin: bool,
    pub text: Text,
}

impl Command for EditMessage {
    type Output = Bytes;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Bytes, Refusal> {
        let (mut message, old_plain) = stored(tx, self.message)?;
        authorise(&message, self.editor, self.is_admin)?;
        unmention(tx, &message)?;
        message.content = self.text.content;
        message.html = self.text.html;
        message.mentions = self.text.mentions.to_vec();
        message.edited_at = Some(tx.now);
        mention(tx, message.room_id, message.id, &message.mentions, self.text.everyone)?;
        let json =
            Bytes::from(serde_json::to_vec(&message).expect("a message has nothing that JSON cannot say"));
        tx.statement("update messages set json = ?, plain = ? where id = ?")?.execute((
            &*json,
            &self.text.plain,
            message.id,
        ))?;
        let (room, creator) = (message.room_id, message.creator_id);
        tx.indexing.push(Indexing::Remove { message: message.id, room, creator, plain: old_plain });
        tx.indexing.push(Indexing::Add { message: message.id, room, creator, plain: self.text.plain });
        let change = Change::MessageUpdated { room, message: message.id, json: json.clone() };
        tx.record("message.updated", Audience::Room(room), Some(message.id), "", change)?;
        Ok(json)
    }
}

#[derive(Debug)]
pub struct DeleteMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub is_admin: bool,
}

impl Command for DeleteMessage {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (message, plain) = stored(tx, self.message)?;
        authorise(&message, self.editor, self.is_admin)?;
        remove(tx, &message, plain)?;
        let (room, id) = (message.room_id, message.id);
        let last_message = tx
            .statement("select max(id) from messages where room_id = ?")?
            .query_row((room,), |row| row.get(0))?;
        let payload = format!(r#""room_id":{room},"message_id":{id}"#);
        let change = Change::MessageDeleted { room, message: id, last_message };
        tx.record("message.deleted", Audience::Room(room), Some(id), &payload, change)?;
        Ok(())
    }
}

fn remove(tx: &mut Tx<'_>, message: &Message, plain: String) -> rusqlite::Result<()> {
    unmention(tx, message)?;
    tx.statement("delete from messages where id = ?")?.execute((message.id,))?;
    tx.indexing.push(Indexing::Remove {
        message: message.id,
        room: message.room_id,
        creator: message.creator_id,
        plain,
    });
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
            let (message, plain) = stored(tx, *id)?;
            remove(tx, &message, plain)?;
        }
        Ok(ids.len() == PURGE_STEP)
    }
}

/// Which part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    Newest,
    Before(MessageId),
    After(MessageId),
    Around(MessageId),
}

/// Finished objects, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    pub messages: Vec<(MessageId, Bytes)>,
    pub has_before: bool,
    pub has_after: bool,
}

impl Reader {
    /// A page of a room. `limit` messages at most.
    pub fn page(&self, room: RoomId, select: Select, limit: usize) -> rusqlite::Result<Page> {
        match select {
            Select::Newest => {
                let (messages, has_before) = self.older(room, MessageId(i64::MAX), limit)?;
                Ok(Page { messages, has_before, has_after: false })
            }
            Select::Before(id) => {
                let (messages, has_before) = self.older(room, id, limit)?;
                let has_after = self.exists_from(room, id)?;
                Ok(Page { messages, has_before, has_after })
            }
            Select::After(id) => {
                let (messages, has_after) = self.newer(room, id, limit)?;
                let has_before = self.exists_up_to(room, id)?;
                Ok(Page { messages, has_before, has_after })
            }
            Select::Around(id) => {
                // The message itself counts to the older half.
                let half = limit.div_ceil(2);
                let (mut messages, has_before) = self.older(room, MessageId(id.0.saturating_add(1)), half)?;
                let (newer, has_after) = self.newer(room, id, limit - half)?;
                messages.extend(newer);
                Ok(Page { messages, has_before, has_after })
            }
        }
    }

    fn older(
        &self,
        room: RoomId,
        before: MessageId,
        limit: usize,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let sql = "select id, json from messages where room_id = ? and id < ? order by id desc limit ?";
        let (mut messages, more) = self.some(sql, room, before, limit)?;
        messages.reverse();
        Ok((messages, more))
    }

    fn newer(
        &self,
        room: RoomId,
        after: MessageId,
        limit: usize,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let sql = "select id, json from messages where room_id = ? and id > ? order by id limit ?";
        self.some(sql, room, after, limit)
    }

    /// Up to `limit` rows, and whether there is one more.
    fn some(
        &self,
        sql: &str,
        room: RoomId,
        edge: MessageId,
        limit: usize,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let mut statement = self.statement(sql)?;
        let mut rows = statement.query((room, edge, limit + 1))?;
        let mut messages = Vec::with_capacity(limit);
        while let Some(row) = rows.next()? {
            if messages.len() == limit {
                return Ok((messages, true));
            }
            messages.push((row.get(0)?, bytes(row, 1)?));
        }
        Ok((messages, false))
    }

    fn exists_from(&self, room: RoomId, id: MessageId) -> rusqlite::Result<bool> {
        self.statement("select exists (select 1 from messages where room_id = ? and id >= ?)")?
            .query_row((room, id), |row| row.get(0))
    }

    fn exists_up_to(&self, room: RoomId, id: MessageId) -> rusqlite::Result<bool> {
        self.statement("select exists (select 1 from messages where room_id = ? and id <= ?)")?
            .query_row((room, id), |row| row.get(0))
    }

    /// One message: its room, its author, and its finished object.
    pub fn message(&self, id: MessageId) -> rusqlite::Result<Option<(RoomId, UserId, Bytes)>> {
        self.statement("select room_id, creator_id, json from messages where id = ?")?
            .query_row((id,), |row| Ok((row.get(0)?, row.get(1)?, bytes(row, 2)?)))
            .optional()
    }
}

pub(super) fn bytes(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}
