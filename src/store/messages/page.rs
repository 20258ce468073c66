//! Reads messages: one, and pages of a room.

use bytes::Bytes;
use rusqlite::OptionalExtension;

use super::bytes;
use crate::{
    store::Reader,
    types::{MessageId, MessageKind, RoomId, Timestamp, UserId},
};

/// Bytes of messages on a page, which ends before the message that would exceed them. A message has up to a megabyte.
const MAX_PAGE_BYTES: usize = 2 << 20;

/// A message's row. `json` is the message as clients get it.
#[derive(Debug)]
pub struct MessageRow {
    pub id: MessageId,
    pub room: RoomId,
    pub creator: UserId,
    pub kind: MessageKind,
    pub created_at: Timestamp,
    pub json: Bytes,
}

/// A message's text, as it was written (Markdown) and as it is shown (HTML).
#[derive(Debug)]
pub struct MessageWords {
    pub content: String,
    pub html: String,
}

/// Which part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    Newest,
    Before(MessageId),
    After(MessageId),
    Around(MessageId),
}

/// Messages as JSON, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    pub messages: Vec<(MessageId, Bytes)>,
    pub has_before: bool,
    pub has_after: bool,
}

/// How much a page may hold.
#[derive(Clone, Copy)]
struct Most {
    messages: usize,
    bytes: usize,
}

impl Reader {
    /// A page of a room. `limit` messages at most, and fewer if they are large.
    pub fn page(&self, room: RoomId, select: Select, limit: usize) -> rusqlite::Result<Page> {
        let most = Most { messages: limit, bytes: MAX_PAGE_BYTES };
        match select {
            Select::Newest => {
                let (messages, has_before) = self.older(room, MessageId(i64::MAX), most)?;
                Ok(Page { messages, has_before, has_after: false })
            }
            Select::Before(id) => {
                let (messages, has_before) = self.older(room, id, most)?;
                let has_after = self.exists_from(room, id)?;
                Ok(Page { messages, has_before, has_after })
            }
            Select::After(id) => {
                let (messages, has_after) = self.newer(room, id, most)?;
                let has_before = self.exists_up_to(room, id)?;
                Ok(Page { messages, has_before, has_after })
            }
            Select::Around(id) => {
                // The message itself counts to the older half.
                let half = Most { messages: limit.div_ceil(2), bytes: MAX_PAGE_BYTES / 2 };
                let (mut messages, has_before) = self.older(room, MessageId(id.0.saturating_add(1)), half)?;
                let rest = Most { messages: limit - half.messages, ..half };
                let (newer, has_after) = self.newer(room, id, rest)?;
                messages.extend(newer);
                Ok(Page { messages, has_before, has_after })
            }
        }
    }

    fn older(
        &self,
        room: RoomId,
        before: MessageId,
        most: Most,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let sql = "select id, json from messages where room_id = ? and id < ? order by id desc limit ?";
        let (mut messages, more) = self.page_from(sql, room, before, most)?;
        messages.reverse();
        Ok((messages, more))
    }

    fn newer(
        &self,
        room: RoomId,
        after: MessageId,
        most: Most,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let sql = "select id, json from messages where room_id = ? and id > ? order by id limit ?";
        self.page_from(sql, room, after, most)
    }

    /// Up to so many rows and bytes, but one row at least, and whether there are more.
    fn page_from(
        &self,
        sql: &str,
        room: RoomId,
        edge: MessageId,
        most: Most,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let mut statement = self.statement(sql)?;
        let mut rows = statement.query((room, edge, most.messages + 1))?;
        let mut messages = Vec::with_capacity(most.messages);
        let mut size = 0;
        while let Some(row) = rows.next()? {
            if messages.len() == most.messages {
                return Ok((messages, true));
            }
            let json = row.get_ref(1)?.as_blob()?;
            size += json.len();
            if size > most.bytes && !messages.is_empty() {
                return Ok((messages, true));
            }
            messages.push((row.get(0)?, Bytes::copy_from_slice(json)));
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

    /// Messages of all rooms that are not deleted, in order, with the key of the attached file: a page of them, empty after
    /// the last one.
    pub fn messages_after(
        &self,
        after: MessageId,
        limit: usize,
    ) -> rusqlite::Result<Vec<(MessageId, Bytes, Option<String>)>> {
        let mut statement = self.statement(
            "select messages.id, json, attachments.key from messages
             join rooms on rooms.id = messages.room_id and rooms.deleted_at is null
             left join attachments on attachments.message_id = messages.id
             where messages.id > ? order by messages.id limit ?",
        )?;
        let mut rows = statement.query((after, limit))?;
        let (mut messages, mut size) = (Vec::new(), 0);
        while size < MAX_PAGE_BYTES
            && let Some(row) = rows.next()?
        {
            let json = bytes(row, 1)?;
            size += json.len();
            messages.push((row.get(0)?, json, row.get(2)?));
        }
        Ok(messages)
    }

    /// The plain texts of messages, as the index has them, in order of id.
    pub fn plains(&self, ids: &[MessageId]) -> rusqlite::Result<Vec<(MessageId, String)>> {
        let ids = ids.iter().map(MessageId::to_string).collect::<Vec<_>>().join(",");
        self.statement(
            "select id, plain from messages where id in (select value from json_each(?)) order by id",
        )?
        .query_map((format!("[{ids}]"),), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    }

    /// The number of messages in a room.
    pub fn message_count(&self, room: RoomId) -> rusqlite::Result<i64> {
        self.statement("select count(*) from messages where room_id = ?")?
            .query_row((room,), |row| row.get(0))
    }

    /// A message's plain text, as the index has it.
    pub fn plain(&self, id: MessageId) -> rusqlite::Result<Option<String>> {
        self.statement("select plain from messages where id = ?")?
            .query_row((id,), |row| row.get(0))
            .optional()
    }

    /// A message's row.
    pub fn message(&self, id: MessageId) -> rusqlite::Result<Option<MessageRow>> {
        self.statement("select room_id, creator_id, kind, created_at, json from messages where id = ?")?
            .query_row((id,), |row| {
                Ok(MessageRow {
                    id,
                    room: row.get(0)?,
                    creator: row.get(1)?,
                    kind: row.get(2)?,
                    created_at: row.get(3)?,
                    json: bytes(row, 4)?,
                })
            })
            .optional()
    }

    /// A message's text, out of its JSON: a column of its own would double the row.
    pub fn words(&self, id: MessageId) -> rusqlite::Result<Option<MessageWords>> {
        self.statement(
            "select cast(json as text) ->> '$.content', cast(json as text) ->> '$.html' from messages where id = ?",
        )?
        .query_row((id,), |row| Ok(MessageWords { content: row.get(0)?, html: row.get(1)? }))
        .optional()
    }

    /// The names of those whom a message mentions and who are still in its room.
    pub fn mentioned_names(&self, id: MessageId) -> rusqlite::Result<Vec<(UserId, String)>> {
        self.statement(
            "select users.id, users.name from mentions
             join memberships using (room_id, user_id) join users on users.id = mentions.user_id
             where message_id = ?",
        )?
        .query_map((id,), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    }

    /// The newest message of a room.
    pub fn newest_message(&self, room: RoomId) -> rusqlite::Result<Option<MessageId>> {
        self.statement("select max(id) from messages where room_id = ?")?.query_row((room,), |row| row.get(0))
    }
}
